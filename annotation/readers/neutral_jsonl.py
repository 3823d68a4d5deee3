"""Chats in mldr's own format, one line the chat, one a person, one a message: written by hand, or converted into."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ValidationError

from mldr.annotation.chat import Member
from mldr.annotation.readers.contract import Export, PictureHint, Quote, RawChat, RawMessage, ReadOptions, Tally
from mldr.annotation.readers.jsonparts import time_of
from mldr.annotation.readers.jsonrows import Unreadable, clean, names_of, with_owner
from mldr.annotation.readers.neutral_lines import Header, MessageLine, Person, PersonLine, Said
from mldr.annotation.readers.opening import lines_of
from mldr.configuration import model_faults
from mldr.errors import Faults, fault
from mldr.files import parse_json
from mldr.formats import upgraded

NAME = "neutral-jsonl"
SUMMARY = "JSON Lines whose first says format: mldr/chat@1"

_FIRST = re.compile(r'\s*\{[^\n]*"format"\s*:\s*"mldr/chat@')


def matches(head: str, path: Path) -> bool:
    """Return whether the first line names the format."""
    return _FIRST.match(head.lstrip("\ufeff")) is not None


def read(export: Export, options: ReadOptions, tally: Tally) -> Iterator[RawChat]:
    """Yield the one chat.

    Raises:
        InputError: with every malformed line: this format is written on purpose, so nothing in it is passed over.
        MldrError: if a newer mldr wrote it.
    """
    reading = _Reading(export)
    for number, line in lines_of(export):
        if line.strip("\ufeff \t"):
            reading.take(number, line.lstrip("\ufeff"))
    reading.faults.check()
    tally.rows += len(reading.messages)
    yield reading.chat(options)


Model = TypeVar("Model", bound=BaseModel)


class _Reading:
    """A chat on its way, line by line."""

    def __init__(self, export: Export) -> None:
        self._export = export
        self.head: Header | None = None
        self.faults = Faults()
        self.messages: list[RawMessage] = []
        self._members: dict[str, Member] = {}
        self._ids: dict[str, int] = {}

    def take(self, number: int, line: str) -> None:
        """Read a line."""
        place = f"{self._export.path}, line {number}"
        try:
            record = parse_json(line)
        except ValueError as error:
            self.faults.add(place, str(error))
            return
        if not isinstance(record, dict):
            self.faults.add(place, "a JSON object is expected")
        elif self.head is None:
            self._take_head(record, place)
        elif "member" in record:
            if (one := self._parsed(PersonLine, line, place)) is not None:
                self._take_member(one.member, place)
        elif (said := self._parsed(MessageLine, line, place)) is not None:
            self._take_message(said.message, number, place)

    def _parsed(self, model: type[Model], line: str, place: str) -> Model | None:
        """Return a line as its model, None where it has faults; they are kept."""
        try:
            return model.model_validate_json(line)
        except ValidationError as error:
            self.faults.extend(model_faults(error, place).faults)
            return None

    def _take_head(self, record: dict[str, Any], place: str) -> None:
        current = upgraded(record, "chat", place)
        self.head = self._parsed(Header, json.dumps(current), place) or Header(format="mldr/chat@1", chat_id="-")

    def _take_member(self, person: Person, place: str) -> None:
        if person.person in self._members:
            self.faults.add(place, "a second line for this person; one line a person, with all names")
        if person.owner and any(member.owner for member in self._members.values()):
            self.faults.add(place, "a second owner; a chat file is one person's")
        self._members[person.person] = Member(person.person, names_of(*person.names), person.owner)

    def _take_message(self, said: Said, number: int, place: str) -> None:
        time = self._time(said.time, place)
        if said.message_id and self._ids.setdefault(said.message_id, number) != number:
            self.faults.add(place, f"line {self._ids[said.message_id]} has the same message_id")
        if time is None:
            return
        pictures = tuple(
            PictureHint((one.path,)) if one.path else PictureHint(stems=(one.stem,)) for one in said.pictures
        )
        quote = Quote(said.reply_to) if said.reply_to else None
        self.messages.append(
            RawMessage(
                said.sender,
                time,
                said.true_kind,
                f"line {number}",
                said.message_id,
                text=clean(said.text),
                pictures=pictures,
                quote=quote,
            )
        )

    def _time(self, written: str | float, place: str) -> datetime | None:
        try:
            time = time_of(written)
        except Unreadable as reason:
            self.faults.add(f"{place}, message.time", f"{reason}; ISO 8601 or seconds since 1970 are expected")
            return None
        zone = self.head.zone if self.head else ""
        return time.replace(tzinfo=ZoneInfo(zone)) if time.tzinfo is None and zone else time

    def chat(self, options: ReadOptions) -> RawChat:
        """Return the chat."""
        if (head := self.head) is None:
            raise fault(str(self._export.path), "is empty")
        owner = next((member.person for member in self._members.values() if member.owner), options.owner_id)
        members = with_owner(self._members.values(), owner, self.messages)
        return RawChat(head.chat_id, head.name, head.platform, head.group, members, tuple(self.messages), head.zone)
