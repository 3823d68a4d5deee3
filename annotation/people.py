"""Who is in a chat: the members that the file lists, the senders that it does not, and every name that it calls them by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from mldr.annotation.chat import OWNER, Member
from mldr.annotation.readers.contract import RawChat, RawMessage
from mldr.annotation.wording import clean

_ONESELF = frozenset({"", "我", "自己", "我自己", "本人", "me", "i", "myself", "you", "你", "您", OWNER})
"""What an export calls its owner instead of a name; as a name it would be masked wherever anybody says "I"."""


@dataclass(slots=True)
class People:
    """The people of one chat.

    Args:
        owner_id: the owner's id, where a person said it.
    """

    owner_id: str = ""
    _names: dict[str, dict[str, None]] = field(default_factory=dict)
    _owners: set[str] = field(default_factory=set)
    _listed_owner: str = ""
    unnamed_owner: bool = False
    """Whether the owner spoke, and neither the file nor a person said who that is."""

    def take_members(self, chats: Iterable[RawChat]) -> None:
        """Take those that the file lists."""
        members = [member for chat in chats for member in chat.members]
        owners = [clean(member.person) for member in members if member.owner and member.person not in ("", OWNER)]
        self._listed_owner = owners[0] if owners else ""
        for member in members:
            if member.person:
                person = self.person(member.person)
                self._call(person, member.names)
                if member.owner:
                    self._owners.add(person)

    def take_sender(self, message: RawMessage) -> str:
        """Take who sent a message and return the person, '' for nobody."""
        person = self.person(message.sender)
        if person:
            self._call(person, message.names)
            if message.sender == OWNER:
                self._owners.add(person)
                self.unnamed_owner |= person == OWNER
        return person

    def person(self, sender: str) -> str:
        """Return the one id of a sender."""
        return (self.owner_id or self._listed_owner or OWNER) if sender == OWNER else clean(sender)

    def _call(self, person: str, names: Iterable[str]) -> None:
        known = self._names.setdefault(person, {})
        for name in names:
            plain = clean(name).strip()
            if plain.casefold() not in _ONESELF:
                known.setdefault(plain)

    def take_quoted(self, name: str, person: str) -> None:
        """Take what a quote calls its sender, where nobody in the chat is called so: it is a name that has to be masked.

        Args:
            name: as the quote says.
            person: who sent the quoted message, '' where that was not found.
        """
        plain = clean(name).strip()
        known = {plain for plain in self._names} | {called for names in self._names.values() for called in names}
        if plain and plain not in known:
            self._call(person or plain, [plain])

    def members(self) -> tuple[Member, ...]:
        """Return everybody, in the order in which they were met."""
        owners = {self.owner_id} if self.owner_id in self._names else self._owners
        return tuple(
            Member(person, tuple(names) or self._itself(person), person in owners)
            for person, names in self._names.items()
        )

    @staticmethod
    def _itself(person: str) -> tuple[str, ...]:
        """Return an id as a name, for somebody who has no other: where a format has no ids, it is one."""
        return () if person.strip().casefold() in _ONESELF else (person,)

    @property
    def owner_unseen(self) -> bool:
        """Whether a person named an owner who is not in this chat."""
        return bool(self.owner_id) and self.owner_id not in self._names

    def callings(self) -> dict[str, str]:
        """Return id or name -> person; a name that two people share stands for nobody."""
        found: dict[str, str | None] = {}
        for person, names in self._names.items():
            for name in names:
                found[name] = person if found.get(name, person) == person else None
        known = {name: person for name, person in found.items() if person is not None}
        return {**known, **{person: person for person in self._names}, **self._self_callings()}

    def _self_callings(self) -> dict[str, str]:
        owner = self.person(OWNER)
        return {OWNER: owner, "我": owner} if owner in self._names else {}
