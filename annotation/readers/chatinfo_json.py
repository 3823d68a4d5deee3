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


def matches(head: str, path: Path) -> bool:
    """Return whether the head shows a chatInfo with metadata or messages, and no chunks."""
    keys = keys_of(head)
    return "chunked" not in keys and ("metadata" in keys or "messages" in keys) and has_all(keys, "chatInfo")


def read(export: Export, options: ReadOptions, tally: Tally) -> Iterator[RawChat]:
    """Yield the one chat.

    Raises:
        InputError: where the file is not JSON, or has no messages.
    """
    if "messages" not in keys_of(export.head) and object_at(export, "chunked"):
        yield from chatinfo_chunks.read(export, options, tally)  # long statistics had pushed `chunked` out of the head
        return
    yield read_chat(object_at(export, "chatInfo"), rows_at(export, "messages", tally), export, options, tally)
