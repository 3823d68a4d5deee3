"""Which message a reply answers: by id, then by sender and time, then by sender and words. Only what stands before it counts."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from mldr.annotation.readers.contract import Quote, RawMessage

NOT_FOUND = "quotes whose message was not found"
LATER = "quotes of a later message"
ITSELF = "quotes of themselves"
NEAR = timedelta(seconds=2)
"""A quote's time and its message's are at most so far apart: exporters take them from two columns."""
SHORTEST = 4
"""A quoted text of fewer characters must be the whole message; as a mere beginning it would fit too many."""
_LONGEST = 64
"""Of a beginning so many characters are looked up; the rest of it is compared."""
_CANDIDATES = 64
"""So many messages of one second are compared, the last ones: a file may claim that all were sent in one."""
_EPOCH = datetime(1970, 1, 1)
_ANYBODY = "\0anybody"
"""Where the messages of all senders stand, by their second."""


@dataclass(slots=True)
class Replies:
    """What was found out about the quotes of a chat."""

    targets: list[int | None]
    """Parallel to the messages: the index of the message that each answers, always a smaller one than its own."""
    methods: list[str]
    """Parallel to the messages: `id`, `time`, `text`; '' where nothing is answered, or the message was not found."""
    counts: Counter[str] = field(default_factory=Counter)
    """Method or reason -> quotes."""


def resolve(messages: Sequence[RawMessage], persons: Mapping[str, str]) -> Replies:
    """Find the message that each quote is of.

    Args:
        messages: of one chat, in the order of the file.
        persons: id or name -> person; what it does not know stands for itself.
    """
    replies = Replies([None] * len(messages), [""] * len(messages))
    known = {message.message_id for message in messages}
    past = _Past(persons, _wanted(messages, persons), _known(messages, persons))
    for index, message in enumerate(messages):
        if message.quote is not None:
            target, method = _answered(message.quote, message.message_id, known, past)
            replies.counts[method] += 1
            if target is not None:
                replies.targets[index], replies.methods[index] = target, method
        past.add(index, message)
    return replies


def _answered(quote: Quote, own_id: str, known: set[str], past: _Past) -> tuple[int | None, str]:
    """Return (index, method), or (None, why there is none)."""
    if quote.message_id and quote.message_id in past.ids:
        return past.ids[quote.message_id], "id"
    if quote.message_id and quote.message_id in known:
        return None, ITSELF if quote.message_id == own_id else LATER
    if (index := past.by_time(quote)) is not None:
        return index, "time"
    if (index := past.by_text(quote)) is not None:
        return index, "text"
    return None, NOT_FOUND


def _known(messages: Sequence[RawMessage], persons: Mapping[str, str]) -> set[str]:
    """Return everything that somebody in the chat is called."""
    names = {name for message in messages for name in (message.sender, *message.names)}
    return names | set(persons) | set(persons.values())


def _wanted(messages: Sequence[RawMessage], persons: Mapping[str, str]) -> dict[str, set[str]]:
    """Return person or name -> beginnings that quotes ask for: only these are kept of what has been said."""
    wanted: dict[str, set[str]] = {}
    for message in messages:
        if message.quote and message.quote.sender and (text := quoted(message.quote.text)):
            sender = persons.get(message.quote.sender, message.quote.sender)
            wanted.setdefault(sender, set()).add(text[:_LONGEST])
    return wanted


class _Past:
    """What has been said so far, by id, by second and by beginning."""

    def __init__(self, persons: Mapping[str, str], wanted: Mapping[str, set[str]], known: set[str]) -> None:
        self.ids: dict[str, int] = {}
        self._persons, self._wanted, self._known = persons, wanted, known
        self._lengths = {sender: sorted({len(text) for text in texts}) for sender, texts in wanted.items()}
        self._seconds: dict[tuple[str, bool, int], list[tuple[int, RawMessage]]] = {}
        self._whole: dict[tuple[str, str, str], int] = {}
        self._begun: dict[tuple[str, str, str], tuple[int, str]] = {}

    def add(self, index: int, message: RawMessage) -> None:
        """Note a message."""
        if message.message_id:
            self.ids[message.message_id] = index
        aware, second = _second(message.time)
        self._seconds.setdefault((_ANYBODY, aware, second), []).append((index, message))
        for sender in self._callings(message):
            self._seconds.setdefault((sender, aware, second), []).append((index, message))
            if sender in self._wanted and message.text:
                self._add_text(index, sender, message)

    def _add_text(self, index: int, sender: str, message: RawMessage) -> None:
        text = normalised(message.text)
        for kind in ("", message.kind):
            self._whole[sender, kind, text] = index
        for length in self._lengths[sender]:
            if length > len(text):
                break
            if text[:length] in self._wanted[sender]:
                for kind in ("", message.kind):
                    self._begun[sender, kind, text[:length]] = (index, text)

    def _callings(self, message: RawMessage) -> Iterator[str]:
        """Yield the person who sent a message, and the names of the row that nobody else has in the list of persons."""
        if message.sender:
            person = self._persons.get(message.sender, message.sender)
            yield person
            yield from sorted({name for name in message.names if name and name not in self._persons} - {person})

    def by_time(self, quote: Quote) -> int | None:
        """Return the nearest message of the quoted sender, kind and time; of two equally near ones the later.

        Some files call people by ids and quote them by names that stand nowhere else. Such a quote is of the only message of its
        time that has its words or its kind, whoever sent that.
        """
        if not quote.sender or quote.time is None:
            return None
        if quote.sender not in self._known:
            found = self._near(_ANYBODY, quote) if quote.text or quote.kind else []
            return -found[0][1] if len(found) == 1 else None
        found = self._near(self._persons.get(quote.sender, quote.sender), quote)
        return -min(found)[1] if found else None

    def _near(self, sender: str, quote: Quote) -> list[tuple[timedelta, int]]:
        """Return (how far apart, minus the index) of each message of a sender that may be the quoted one."""
        found: list[tuple[timedelta, int]] = []
        if quote.time is None:
            return found
        text = quoted(quote.text)
        aware, second = _second(quote.time)
        for near in range(second - NEAR.seconds, second + NEAR.seconds + 1):
            for index, message in self._seconds.get((sender, aware, near), [])[-_CANDIDATES:]:
                gap = abs(message.time - quote.time)
                if gap <= NEAR and quote.kind in ("", message.kind) and _agree(text, message.text):
                    found.append((gap, -index))
        return found

    def by_text(self, quote: Quote) -> int | None:
        """Return the last message of the quoted sender that is the quoted text, or else begins with it."""
        text = quoted(quote.text)
        if not quote.sender or not text:
            return None
        sender = self._persons.get(quote.sender, quote.sender)
        whole = self._whole.get((sender, quote.kind, text))
        if whole is not None or len(text) < SHORTEST:
            return whole
        index, begun = self._begun.get((sender, quote.kind, text[:_LONGEST]), (None, ""))
        return index if begun.startswith(text) else None


def _second(time: datetime) -> tuple[bool, int]:
    """Return whether a time has a zone, and its second since 1970; clocks without a zone are compared with their like alone."""
    epoch = _EPOCH if time.tzinfo is None else _EPOCH.replace(tzinfo=UTC)
    return time.tzinfo is not None, (time - epoch) // timedelta(seconds=1)


def _agree(text: str, message: str) -> bool:
    """Return whether a quoted text may be a message's; a side without words says nothing against it."""
    if not text or not message:
        return True
    said = normalised(message)
    return said.startswith(text) or text.startswith(said)


def normalised(text: str) -> str:
    """Return a text for comparison: NFKC, lower case, without white space and invisible characters."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return plain if plain.isalnum() else "".join(c for c in plain if c.isprintable() and not c.isspace())


def quoted(text: str) -> str:
    """Return a quoted text for comparison, without the dots of its shortening."""
    return normalised(text).rstrip(".")
