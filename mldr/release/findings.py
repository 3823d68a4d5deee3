"""What reading a release found: counts by reason, in words, and the records that cannot be used, by name."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from mldr.dialogue import Utterance
from mldr.errors import printable

NAMED = 20
"""How many unusable records are named; the rest is counted."""


class Unusable(ValueError):
    """A record that cannot be used at all; its text is the reason."""


@dataclass(slots=True)
class FileFound:
    """One JSON file of a release."""

    layout: str
    """`messages`, `export` (our own ms-swift files), `wechat`, or '' for one that is not read."""
    split: str = ""
    reason: str = ""
    """Why it is not read."""
    records: int = 0
    keys: Counter[str] = field(default_factory=Counter)
    """Key -> records that have it."""
    sha256: str = ""


@dataclass(slots=True)
class Findings:
    """Counts of everything that was met."""

    files: dict[str, FileFound] = field(default_factory=dict)
    oddities: Counter[str] = field(default_factory=Counter)
    """Reason -> how often; nothing is lost by these but what the reason says."""
    unusable: Counter[str] = field(default_factory=Counter)
    """Reason -> records that are not in the dataset."""
    named: list[str] = field(default_factory=list)
    """The first unusable records: file, index, reason."""
    templates: dict[str, dict[str, str]] = field(default_factory=dict)
    """SHA-256 -> the system and user message of a prompt, its query and dialogue cut out."""
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    """split -> dialogues, queries, images and so on."""
    present: int = 0
    """Pictures, by path, whose file is there."""

    def note(self, reason: str, times: int = 1) -> None:
        """Count an oddity."""
        if times:
            self.oddities[reason] += times

    def refuse(self, place: str, reason: str) -> None:
        """Count and name a record that cannot be used."""
        self.unusable[reason] += 1
        if len(self.named) < NAMED:
            self.named.append(f"{printable(place)}: {reason}")

    def count(self, split: str, what: str, times: int = 1) -> None:
        """Count something of a split."""
        self.counts.setdefault(split, Counter())[what] += times


@dataclass(frozen=True, slots=True)
class ReadImage:
    """A picture as a release names it."""

    path: str
    """'' where it has none."""
    caption: str = ""
    content: bytes | None = None
    """Where the record itself holds it."""


@dataclass(frozen=True, slots=True)
class ReadDialogue:
    """A dialogue as it was read, its utterances and images renumbered by position."""

    release_id: str
    """'' where the record has none."""
    utterances: tuple[Utterance, ...]
    images: tuple[ReadImage, ...]
    shown_ids: tuple[int, ...]
    """The utterance ids as the release writes them."""
    oddities: Counter[str] = field(default_factory=Counter, compare=False)
    """Counted when the dialogue is new: many records repeat it."""


@dataclass(frozen=True, slots=True)
class ReadQuery:
    """A query with its gold, in ids of `ReadDialogue`."""

    text: str
    utterance_ids: tuple[int, ...]
    image_ids: tuple[int, ...]
    meta: dict[str, Any] = field(default_factory=dict)
    """Of the query."""
    gold_meta: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReadRecord:
    """One record of a release."""

    dialogue: ReadDialogue
    queries: tuple[ReadQuery, ...]
