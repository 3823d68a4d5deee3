"""Exports with one session: `session`, and `messages` that name their senders by `senderUsername`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mldr.annotation.chat import Member
from mldr.annotation.readers.contract import Export, RawChat, ReadOptions, Tally
from mldr.annotation.readers.headkeys import has_all, keys_of
from mldr.annotation.readers.jsonrows import Row, identifier, names_of, object_at
from mldr.annotation.readers.opening import items_of
from mldr.annotation.readers.sessionrows import session_chat

NAME = "session-json"
SUMMARY = "JSON with a session and messages that have senderUsername and localType"

_OTHERS = (
    "chatlab",
    "success",
    "schemaVersion",
    "conversation",
    "messages.item.rawContent",
    "messages.item.renderType",
)
_NUMBERED = ("senders", "messages.item.senderID")
_IDS = ("wxid", "username", "userName", "platformId", "memberId", "id")
_NAMES = ("groupNickname", "displayName", "remark", "nickname", "nickName", "accountName", "alias")


def matches(head: str, path: Path) -> bool:
    """Return whether the head shows a session, or messages of such, and none of the formats that are like it."""
    keys = keys_of(head)
    if any(other in keys for other in (*_OTHERS, *_NUMBERED)) or "arkme-json" in (
        keys.get("format"),
        keys.get("weflow.format"),
    ):
        return False
    return (
        "weflow" in keys
        or "session.wxid" in keys
        or has_all(keys, "messages.item.senderUsername", "messages.item.createTime", "messages.item.isSend")
    )


def read(export: Export, options: ReadOptions, tally: Tally) -> Iterator[RawChat]:
    """Yield the chat.

    Raises:
        InputError: where the file is not JSON, or has no messages.
    """
    session = object_at(export, "session")
    yield session_chat(export, options, tally, session, listed_members(export))


def listed_members(export: Export) -> list[Member]:
    """Return the members of a group that the file lists.

    Raises:
        InputError: where the file is not JSON.
    """
    rows = (row for row in items_of(export, "groupMembers.item") if isinstance(row, dict))
    return [member for row in rows if (member := member_of(row)).person]


def member_of(row: Row) -> Member:
    """Return the member that a row lists; without an id where it has none."""
    person = next((found for name in _IDS if (found := identifier(row.get(name)))), "")
    return Member(person, names_of(*(row.get(name) for name in _NAMES)))
