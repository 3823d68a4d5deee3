"""Exports with one session whose messages name their senders by number, into a list of senders."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mldr.annotation.chat import Member
from mldr.annotation.readers.contract import Export, RawChat, ReadOptions, Tally
from mldr.annotation.readers.headkeys import has_all, keys_of
from mldr.annotation.readers.jsonrows import Row, Unreadable, object_at, whole
from mldr.annotation.readers.opening import items_of
from mldr.annotation.readers.session_json import listed_members, member_of
from mldr.annotation.readers.sessionrows import session_chat

NAME = "senders-json"
SUMMARY = "JSON with a session, a list of senders and messages that have senderID"


def matches(head: str, path: Path) -> bool:
    """Return whether the head says so, or shows numbered senders."""
    keys = keys_of(head)
    if "chatlab" in keys or "success" in keys:
        return False
    return (
        "arkme-json" in (keys.get("format"), keys.get("weflow.format"))
        or has_all(keys, "senders.item.senderID", "senders.item.wxid")
        or has_all(keys, "messages.item.senderID", "messages.item.createTime")
    )


def read(export: Export, options: ReadOptions, tally: Tally) -> Iterator[RawChat]:
    """Yield the chat.

    Raises:
        InputError: where the file is not JSON, or has no messages.
    """
    senders: dict[str, Member] = {}
    for row in items_of(export, "senders.item"):
        if isinstance(row, dict) and (number := _number(row)):
            senders[number] = Member(member_of(row).person or f"sender {number}", member_of(row).names)

    def named(row: Row) -> Row:
        number = _number(row)
        if not number:
            return row
        if number not in senders:
            raise Unreadable("its sender is not in the list of senders")
        member = senders[number]
        return {**row, "senderUsername": member.person, "senderDisplayName": next(iter(member.names), None)}

    listed = [*senders.values(), *listed_members(export)]
    yield session_chat(export, options, tally, object_at(export, "session"), listed, named)


def _number(row: Row) -> str:
    """Return a sender's number as a string, which may be 0; '' for none."""
    value = row.get("senderID")
    number = whole(value)
    return str(number) if number is not None else value.strip() if isinstance(value, str) else ""
