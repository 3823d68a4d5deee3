"""Exports of QQ chats in one file: an object with `metadata`, `chatInfo` and `messages`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mldr.annotation.readers.chatinfomessages import read_chat
from mldr.annotation.readers.contract import Export, RawChat, ReadOptions, Tally
from mldr.annotation.readers.jsonfields import Unreadable, numbered, table, top_keys
from mldr.annotation.readers.opening import items_of, value_of
from mldr.errors import fault

NAME = "chatinfo-json"
SUMMARY = "a JSON object with `metadata`, `chatInfo` and `messages`"


def matches(head: str, path: Path) -> bool:
    """Return whether the keys at the top are those of this format."""
    keys = top_keys(head)
    return {"metadata", "chatInfo"} <= keys and "chunked" not in keys


def read(export: Export, options: ReadOptions, tally: Tally) -> Iterator[RawChat]:
    """Yield the one chat.

    Raises:
        InputError: where the file is not what it seemed.
    """
    before = tally.rows
    try:
        chat_info = table(value_of(export, "chatInfo"), "chatInfo")
        chat = read_chat(chat_info, numbered(items_of(export, "messages.item")), export, options, tally)
    except Unreadable as error:
        raise fault(f"{export.path}, chatInfo", str(error)) from error
    if tally.rows == before:
        raise fault(str(export.path), "has no messages; is it another file of the export?")
    yield chat
