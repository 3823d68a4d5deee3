"""Answers of a messages API that were saved: `success`, `talker`, and messages with what was parsed of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mldr.annotation.readers.contract import Export, RawChat, ReadOptions, Tally
from mldr.annotation.readers.headkeys import has_all, keys_of
from mldr.annotation.readers.jsonrows import Row
from mldr.annotation.readers.opening import value_of
from mldr.annotation.readers.sessionrows import session_chat

NAME = "api-json"
SUMMARY = "JSON with success, a talker, and messages that have serverId and rawContent"


def matches(head: str, path: Path) -> bool:
    """Return whether the head shows such an answer."""
    keys = keys_of(head)
    if any(other in keys for other in ("chatlab", "weflow", "session", "schemaVersion", "messages.item.renderType")):
        return False
    return has_all(keys, "success", "talker") or has_all(
        keys, "messages.item.serverId", "messages.item.isSend", "messages.item.localType"
    )


def read(export: Export, options: ReadOptions, tally: Tally) -> Iterator[RawChat]:
    """Yield the chat.

    Raises:
        InputError: where the file is not JSON, or has no messages.
    """
    yield session_chat(export, options, tally, {"wxid": value_of(export, "talker")}, (), _as_session_row)


def _as_session_row(row: Row) -> Row:
    """Return a row with the fields of a session's."""
    renamed: dict[str, Any] = dict(row)
    renamed["platformMessageId"] = row.get("platformMessageId") or row.get("serverId")
    if not isinstance(row.get("content"), str) or not row["content"]:
        renamed["content"] = row.get("parsedContent")
    if isinstance(quote := row.get("quote"), dict):
        renamed["replyToMessageId"] = row.get("replyToMessageId") or quote.get("platformMessageId")
        renamed["quotedSender"] = quote.get("sender") or quote.get("accountName")
        renamed["quotedContent"] = quote.get("content")
    renamed["mediaPath"] = row.get("mediaLocalPath")
    return renamed
