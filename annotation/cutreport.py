"""How chats are cut, and the account of it: every utterance is in a dialogue or in a piece that is not used, by reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from mldr.annotation.merging import Draft


class CutSettings(BaseModel):
    """How chats are cut."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    merge_gap_s: float = Field(default=120.0, ge=0, allow_inf_nan=False)
    """Messages of one speaker at most so many seconds apart become one utterance; 0 merges none."""
    pause_s: float = Field(default=3 * 3600.0, ge=0, allow_inf_nan=False)
    """A chat is cut where nobody speaks for so many seconds."""
    max_utterances: int = Field(default=100, ge=1, le=1_000)
    min_utterances: int = Field(default=20, ge=1)
    min_images: int = Field(default=2, ge=0)
    """Of pictures that are there."""
    language: Literal["", "zh", "en"] = ""
    """'' tells it from the script of each dialogue."""


def counted(number: int, word: str) -> str:
    """Return a number with its word: `1 chat`, `2 chats`."""
    return f"{number:,} {word}" + ("" if number == 1 else "s")


class Unused(BaseModel):
    """Pieces that make no dialogue, for one reason."""

    pieces: int = 0
    utterances: int = 0
    messages: int = 0


class CutReport(BaseModel):
    """What became of every message."""

    chats: int = 0
    dialogues: int = 0
    removed: int = 0
    """Dialogues of an earlier cut that are no more."""
    messages: int = 0
    """With words or pictures, in the chats."""
    events: int = 0
    utterances: int = 0
    """Made of those messages: those in dialogues and those unused."""
    utterances_used: int = 0
    messages_used: int = 0
    images: int = 0
    """In the dialogues, the missing ones included."""
    images_missing: int = 0
    unused: dict[str, Unused] = Field(default_factory=dict)
    """Reason -> pieces."""
    replies: int = 0
    """In the dialogues."""
    replies_lost: dict[str, int] = Field(default_factory=dict)
    """Reason -> replies that point to nothing, or whose piece is not used."""

    def __str__(self) -> str:
        """Return the account in a few lines; no name of a person or chat is in it."""
        lines = [
            f"{counted(self.messages, 'message')} of {counted(self.chats, 'chat')} are {self.utterances:,} utterances; "
            f"{self.utterances_used:,} of them make {counted(self.dialogues, 'dialogue')} with {self.images:,} images "
            f"({self.images_missing:,} missing) and {self.replies:,} replies",
        ]
        for reason, unused in sorted(self.unused.items()):
            lines.append(f"not used, {reason}: {unused.utterances:,} utterances in {unused.pieces:,} pieces")
        for reason, count in sorted(self.replies_lost.items()):
            lines.append(f"replies that {reason}: {count:,}")
        if self.removed:
            lines.append(f"{self.removed:,} dialogues of an earlier cut are no more")
        if self.utterances_used * 2 < self.utterances:
            lines.append("most of it is not used: longer pauses, or lower least numbers, would keep more")
        return "\n".join(lines)

    def lose(self, reason: str, piece: Sequence[Draft]) -> None:
        """Count a piece that makes no dialogue."""
        unused = self.unused.setdefault(reason, Unused())
        unused.pieces += 1
        unused.utterances += len(piece)
        unused.messages += sum(len(draft.messages) for draft in piece)

    def lose_replies(self, counts: Mapping[str, int]) -> None:
        """Count replies that no dialogue holds, by reason."""
        for reason, count in counts.items():
            if count:
                self.replies_lost[reason] = self.replies_lost.get(reason, 0) + count
