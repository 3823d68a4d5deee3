"""Exports of QQ chats in one file: an object with `metadata`, `chatInfo` and `messages`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mldr.annotation.readers import chatinfo_chunks
from mldr.annotation.readers.chatinfomessages import read_chat
from mldr.annotation.readers.contract import Export, RawChat, ReadOptions, Tally
from mldr.annotation.readers.headkeys import has_all, keys_of
from mldr.annotation.readers.jsonrows import object_at, rows_at

NAME = "chatinfo-json"
SUMMARY = "JSON with metadata, chatInfo and messages"

_BY = "messages.item."


def matches(head: str, path: Path) -> bool:
    """Return whether the head shows a chatInfo with metadata or messages, or messages of such, and no chunks."""
    keys = keys_of(head)
    if "chunked" in keys:
        return False
    if "chatInfo" in keys:
        return "metadata" in keys or "messages" in keys
    return has_all(keys, f"{_BY}timestamp", f"{_BY}sender.uid", f"{_BY}content.text") and "chatlab" not in keys


def read(export: Export, options: ReadOptions, tally: Tally) -> Iterator[RawChat]:
    """Yield the one chat.

    Raises:
        InputError: where the file is not JSON, or has no messages.
    """
    if "messages" not in keys_of(export.head) and object_at(export, "chunked"):
        yield from chatinfo_chunks.read(export, options, tally)  # long statistics had pushed `chunked` out of the head
        return
    yield read_chat(object_at(export, "chatInfo"), rows_at(export, "messages", tally), export, options, tally)
