"""From what a reader yields to the neutral chat: people, instants, ids, pictures, replies; every row is accounted for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Literal, cast

from mldr.annotation.chat import SPOKEN, Chat, Message, Picture
from mldr.annotation.clocks import Clock
from mldr.annotation.importreport import ImportReport
from mldr.annotation.people import People
from mldr.annotation.readers.contract import LOCATED, PictureHint, Quote, RawChat, RawMessage
from mldr.annotation.readers.replies import resolve
from mldr.annotation.wording import clean, says_something
from mldr.errors import fault

EMPTY = "without words or a picture"
NOBODY = "without a sender"
REPEATED = "repeated from another row"
NO_TIME = "with a time that no chat has"
UNACCOUNTED = "that the reader did not account for"
_ROUNDED = re.compile(r"\d(?:[.,]\d+)?[eE]\+?\d+")
"""An id that a spreadsheet rounded: many messages share it, so it names none."""


Method = Literal["", "id", "time", "text"]
FindPicture = Callable[[PictureHint, Path], Picture]


@dataclass(slots=True)
class Part:
    """A chat as one file holds it, with what its reader counted."""

    path: Path
    chat: RawChat
    rows: int
    dropped: Counter[str] = field(default_factory=Counter)
    places: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Kept:
    raw: RawMessage
    """Cleaned, its message_id unique."""
    time: datetime
    person: str
    beside: Path
    """The folder of the file that holds it, without links."""


class Assembly:
    """The making of one chat.

    Args:
        reader: the name of the format.
        parts: in the order in which they follow one another.
        clock: of this chat.
        owner_id: of the person whose export it is, '' where nobody said.
    """

    def __init__(self, reader: str, parts: Sequence[Part], clock: Clock, owner_id: str) -> None:
        self._reader, self._parts, self._clock = reader, parts, clock
        self._people = People(owner_id)
        self._people.take_members(part.chat for part in parts)
        self._ids: set[str] = set()
        self._used: dict[str, int] = {}
        self._given = {clean(raw.message_id) for part in parts for raw in part.chat.messages}
        self._seen: set[tuple[str, str, datetime, str, str]] = set()
        self._dropped: Counter[str] = Counter()
        self._places: list[str] = []
        self._renamed = 0

    def chat(self, find: FindPicture) -> Chat:
        """Return the chat.

        Args:
            find: returns a picture of a hint and the folder of the file that gives it.

        Raises:
            InputError: if its times have no zone and nobody named one.
        """
        kept = self._kept()
        replies = resolve([one.raw for one in kept], self._people.callings())
        messages = tuple(
            self._message(one, find, "" if target is None else kept[target].raw.message_id, method)
            for one, target, method in zip(kept, replies.targets, replies.methods, strict=True)
        )
        self._replies = replies.counts
        for one, target in zip(kept, replies.targets, strict=True):
            if one.raw.quote is not None:
                self._people.take_quoted(one.raw.quote.sender, "" if target is None else kept[target].person)
        first = self._parts[0].chat
        zone, self._zone_note = self._clock.shown_zone(first.zone)
        name, members = clean(first.name), self._people.members()
        return Chat(clean(first.chat_id), name, first.platform, first.group, zone, members, messages)

    def _kept(self) -> list[_Kept]:
        kept: list[_Kept] = []
        rows = [(part.path, part.path.resolve().parent, part.chat.messages) for part in self._parts]
        each = ((path, beside, raw) for path, beside, messages in rows for raw in messages)
        for number, (path, beside, raw) in enumerate(each):
            if (one := self._one(path, beside, number, raw)) is not None:
                self._clock.passed(one.time)
                kept.append(one)
        return kept

    def _one(self, path: Path, beside: Path, number: int, raw: RawMessage) -> _Kept | None:
        """Return a row as a message, None where it is dropped: that is counted."""
        spoken = raw.kind in SPOKEN
        text = clean(raw.text) if spoken and says_something(raw.text) else ""
        pictures = raw.pictures or ((PictureHint(),) if raw.kind == "image" else ())
        try:
            time = self._clock.instant(raw.time)
        except OverflowError:
            return self._dropped_as(raw, NO_TIME)
        except ValueError as error:
            words = "shows times without a zone; say which it is, with --tz Asia/Shanghai for instance"
            raise fault(f"{path}, {raw.place}", words) from error
        person = self._people.take_sender(raw)
        if spoken and not person:
            return self._dropped_as(raw, NOBODY)
        if spoken and not text and not pictures:
            return self._dropped_as(raw, EMPTY)
        given = clean(raw.message_id)
        given = "" if _ROUNDED.fullmatch(given) else given
        same = (given, person, time, raw.kind, raw.text)
        if given and same in self._seen:
            return self._dropped_as(raw, REPEATED)
        if given:
            self._seen.add(same)
        quote, shown = (self._quote(raw.quote), pictures) if spoken else (None, ())
        unique = self._unique(given, number)
        cleaned = replace(raw, message_id=unique, text=text, pictures=shown, quote=quote, sender=person)
        return _Kept(cleaned, time, person, beside)

    def _quote(self, quote: Quote | None) -> Quote | None:
        """Return a quote by ids and names as they are kept; an id that no row gives must not meet one that was made here."""
        if quote is None:
            return None
        wanted = clean(quote.message_id)
        return replace(quote, message_id=wanted if wanted in self._given else "", sender=clean(quote.sender))

    def _dropped_as(self, raw: RawMessage, reason: str) -> _Kept | None:
        self._dropped[reason] += 1
        if len(self._places) < LOCATED:
            self._places.append(f"{raw.place}: {reason}")
        return None

    def _unique(self, given: str, number: int) -> str:
        """Return an id that no other message of the chat has; the first of several keeps the one that the file gives."""
        wanted = given or f"m{number}"
        unique, count = wanted, self._used.get(wanted, 1)
        while unique in self._ids or (unique in self._given and unique != given):
            count += 1
            unique = f"{wanted}~{count}"
        self._used[wanted] = count
        self._renamed += bool(given) and unique != given
        self._ids.add(unique)
        return unique

    def _message(self, one: _Kept, find: FindPicture, reply_to: str, method: str) -> Message:
        raw = one.raw
        pictures = tuple(find(hint, one.beside) for hint in raw.pictures)
        how = cast(Method, method) if reply_to else ""
        return Message(raw.message_id, one.person, one.time, raw.kind, raw.text, pictures, reply_to, how)

    def report(self, chat: Chat, chat_key: str, images: Counter[str], stored: int) -> ImportReport:
        """Return the account of the chat that was made.

        Args:
            chat: as `chat` returned it.
            chat_key: its folder.
            images: `found` or why not -> pictures.
            stored: the number of different pictures.
        """
        dropped = Counter(self._dropped)
        for part in self._parts:
            dropped.update(part.dropped)
        rows = sum(part.rows for part in self._parts)
        if unexplained := rows - len(chat.messages) - dropped.total():
            dropped[UNACCOUNTED] += unexplained
        events = Counter(message.kind for message in chat.messages if message.kind not in SPOKEN)
        places = [place for part in self._parts for place in part.places] + self._places
        return ImportReport(
            reader=self._reader,
            chat_key=chat_key,
            platform=chat.platform,
            files=len({part.path for part in self._parts}),
            rows=rows,
            utterances=len(chat.messages) - events.total(),
            events=dict(sorted(events.items())),
            dropped=dict(sorted(dropped.items())),
            places=places[:LOCATED],
            images=images["found"],
            images_stored=stored,
            images_missing={reason: count for reason, count in sorted(images.items()) if reason != "found"},
            replies=dict(sorted(self._replies.items())),
            people=len(chat.members),
            steps_back=self._clock.steps_back,
            zone=chat.zone,
            nonexistent_times=self._clock.nonexistent,
            ambiguous_times=self._clock.ambiguous,
            notes=self._notes(),
        )

    def _notes(self) -> list[str]:
        notes = [self._zone_note] if self._zone_note else []
        if self._people.unnamed_owner:
            notes.append(
                "the export does not say who its owner is; --owner-id names the owner's id, the same in every chat"
            )
        if self._people.owner_unseen:
            notes.append("nobody in this chat has the id that --owner-id names")
        if self._renamed:
            notes.append(f"{self._renamed:,} messages have an id that an earlier one has; they were given another")
        return notes
