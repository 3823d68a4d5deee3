"""What stands for what a format lacks: an id of the chat, the persons' list, whether it is a group."""

from __future__ import annotations

from collections.abc import Sequence

from mldr.annotation.chat import OWNER, Member
from mldr.annotation.readers.contract import RawMessage, ReadOptions
from mldr.files import canonical_json, sha256_text


def chat_id_of(messages: Sequence[RawMessage]) -> str:
    """Return an id for a chat without one: a hash of its first message, the same in every later export of the chat."""
    first = messages[0]
    return sha256_text(canonical_json([first.sender, first.time.isoformat(), first.kind, first.text]))[:32]


def members_of(messages: Sequence[RawMessage], options: ReadOptions) -> tuple[Member, ...]:
    """Return the senders in the order of their first message, each with all the names that its rows gave."""
    names: dict[str, dict[str, None]] = {}
    for message in messages:
        if message.sender:
            names.setdefault(message.sender, {}).update(dict.fromkeys(name for name in message.names if name))
    owners = {OWNER, options.owner_id}
    return tuple(Member(person, tuple(called), person in owners) for person, called in names.items())


def is_group(messages: Sequence[RawMessage], owner: str = "") -> bool:
    """Return whether more than two people are in the chat, the `owner` counted who may have said nothing ('' where unknown)."""
    return len(({message.sender for message in messages} | {owner}) - {""}) > 2
