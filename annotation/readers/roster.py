"""The people of a chat as its rows show them: who sends, who is mentioned, and every name that anybody is called by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from mldr.annotation.chat import Member
from mldr.annotation.readers.contract import RawMessage


class Roster:
    """Collects the people of one chat; also those who never wrote, for their names stand in what others write."""

    def __init__(self) -> None:
        self._names: dict[str, dict[str, None]] = {}
        self._owners: set[str] = set()
        self._same: dict[str, str] = {}
        self._unknown: dict[str, None] = {}

    def add(self, person: str, names: Iterable[str] = ()) -> None:
        """Note a person, with names; '' is nobody."""
        if person:
            self._names.setdefault(person, {}).update(dict.fromkeys(name for name in names if name))

    def own(self, person: str) -> None:
        """Note whose export it is; somebody who is not in the chat does not come into it by that."""
        self._owners.add(person)

    def add_names(self, names: Iterable[str]) -> None:
        """Note people of whom only their names are known; each is somebody known, or else a person of their own."""
        self._unknown.update(dict.fromkeys(names))

    def same(self, person: str, other: str) -> None:
        """Note a second id of a person."""
        if person and other and person != other:
            self._same.setdefault(other, person)

    def person(self, one: str) -> str:
        """Return the person of an id; an id that nobody else has stands for itself."""
        return self._same.get(one, one)

    def members(self) -> tuple[Member, ...]:
        """Return everybody, in order of appearance."""
        merged: dict[str, dict[str, None]] = {}
        for one, names in self._names.items():
            merged.setdefault(self.person(one), {}).update(names)
        known = {name for names in merged.values() for name in names}
        for name in self._unknown:
            if name not in known and name not in merged:
                merged[name] = {name: None}
        owners = {self.person(one) for one in self._owners}
        return tuple(Member(one, tuple(names), one in owners) for one, names in merged.items())

    def settled(self, messages: Iterable[RawMessage]) -> tuple[RawMessage, ...]:
        """Return messages whose senders, quoted ones too, are called by their first ids."""
        return tuple(self._settled(message) for message in messages)

    def _settled(self, message: RawMessage) -> RawMessage:
        if message.sender in self._same:
            message = replace(message, sender=self.person(message.sender))
        if message.quote is not None and message.quote.sender in self._same:
            message = replace(message, quote=replace(message.quote, sender=self.person(message.quote.sender)))
        return message
