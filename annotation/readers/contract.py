"""What a reader of an export format is: how it recognises a file, what it yields, and what it may leave open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

from mldr.annotation.chat import Member, MessageKind

HEAD_BYTES = 64 * 1024
"""A format is told by its first 64 KB."""
LOCATED = 20
"""So many unreadable rows are named with their places; the rest is counted."""

DateOrder = Literal["", "ymd", "dmy", "mdy"]


@dataclass(frozen=True, slots=True)
class Export:
    """An export on disk."""

    path: Path
    """The file that was recognised."""
    root: Path
    """The folder that pictures may come from; nothing outside it is ever opened."""
    encoding: str
    """`utf-8-sig`, `utf-8` or `gb18030`, by the decoding ladder over the whole file."""
    head: str
    """The decoded first 64 KB."""


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What a person can say that a file does not."""

    owner_id: str = ""
    date_order: DateOrder = ""
    """Of dates like 03/04/25; '' works it out from the file, and it is a fault where the file leaves it open."""


@dataclass(frozen=True, slots=True)
class PictureHint:
    """Where a picture may be."""

    paths: tuple[str, ...] = ()
    """As written in the file, any slashes; resolved later, inside `Export.root` only."""
    stems: tuple[str, ...] = ()
    """Hashes and file stems by which it may be found when no path leads to it."""


@dataclass(frozen=True, slots=True)
class Quote:
    """What a reply says of the message that it answers; used to find that message, then forgotten."""

    message_id: str = ""
    sender: str = ""
    """An id or a name."""
    time: datetime | None = None
    text: str = ""
    kind: MessageKind | Literal[""] = ""


@dataclass(frozen=True, slots=True)
class RawMessage:
    """A message as a reader yields it."""

    sender: str
    """An id, a name where the format has no ids, or `chat.OWNER`; '' where nobody sent it."""
    time: datetime
    """Aware where the file gives an instant (epoch, offset); naive where it shows a clock without a zone."""
    kind: MessageKind
    place: str
    """`line 7`, `messages[3]`."""
    message_id: str = ""
    names: tuple[str, ...] = ()
    """What this row calls its sender."""
    text: str = ""
    pictures: tuple[PictureHint, ...] = ()
    quote: Quote | None = None


@dataclass(frozen=True, slots=True)
class RawChat:
    """A chat as a reader yields it."""

    chat_id: str
    name: str
    platform: str
    group: bool
    members: tuple[Member, ...]
    """Those that the file lists; senders that it does not list are added later."""
    messages: tuple[RawMessage, ...]
    zone: str = ""
    """The IANA name of the zone in which its clock is shown, where the file names one."""


@dataclass(slots=True)
class Tally:
    """What a reader passed over, by reason: nothing is dropped in silence."""

    rows: int = 0
    """Messages met, of any kind, the unreadable ones included."""
    dropped: Counter[str] = field(default_factory=Counter)
    """Reason -> rows that became neither a message nor an event."""
    located: list[str] = field(default_factory=list)
    """`place: reason` of the first of them."""

    def drop(self, place: str, reason: str) -> None:
        """Count a row that could not be read."""
        self.dropped[reason] += 1
        if len(self.located) < LOCATED:
            self.located.append(f"{place}: {reason}")

    def take(self, other: Tally) -> None:
        """Add what another one counted: where a file has several chats, each is counted apart and added before it is yielded."""
        self.rows += other.rows
        self.dropped.update(other.dropped)
        self.located += other.located[: max(0, LOCATED - len(self.located))]


class Reader(Protocol):
    """A module of `mldr.annotation.readers`: one format, named by its structure."""

    NAME: str
    """In kebab case, by structure, never a tool's name: `session-json`."""
    SUMMARY: str
    """One line: by what it is known."""

    def matches(self, head: str, path: Path) -> bool:
        """Return whether the decoded first 64 KB are of this format; the file's name is never asked."""

    def read(self, export: Export, options: ReadOptions, tally: Tally) -> Iterator[RawChat]:
        """Yield the chats of an export.

        Raises:
            InputError: where the file is not what it seemed: cut, not JSON, a column missing.
        """
