"""The interchange format as one JSON file: `chatlab`, `meta`, `members` and `messages`, in any order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mldr.annotation.readers.contract import Export, RawChat, ReadOptions, Tally
from mldr.annotation.readers.headkeys import has_all, keys_of
from mldr.annotation.readers.jsonrows import object_at, read_rows, rows_at
from mldr.annotation.readers.memberrows import chat_of, member_of, message_of
from mldr.annotation.readers.opening import items_of

NAME = "members-json"
SUMMARY = "JSON with the key chatlab: meta, members by platformId, messages by sender"


def matches(head: str, path: Path) -> bool:
    """Return whether the head shows the header, or members or messages of this format."""
    keys = keys_of(head)
    if "_type" in keys:
        return False
    return (
        "chatlab" in keys
        or has_all(keys, "members.item.platformId", "members.item.accountName")
        or has_all(keys, "messages.item.accountName", "messages.item.timestamp", "messages.item.sender")
        or has_all(keys, "meta.platform", "meta.type")
    )


def read(export: Export, options: ReadOptions, tally: Tally) -> Iterator[RawChat]:
    """Yield the chat.

    Raises:
        InputError: where the file is not JSON, or has no messages.
    """
    messages = read_rows(rows_at(export, "messages", tally), tally, message_of)
    rows = (row for row in items_of(export, "members.item") if isinstance(row, dict))
    members = [member for row in rows if (member := member_of(row))]
    yield chat_of(export, options, object_at(export, "meta"), members, messages)
