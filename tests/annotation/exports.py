"""An export format of the tests' own, with nothing but what a reader can yield: one line a chat or message."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from mldr.annotation.chat import Member
from mldr.annotation.readers.contract import Export, PictureHint, Quote, RawChat, RawMessage, ReadOptions, Tally
from mldr.annotation.readers.opening import lines_of

START = datetime.fromisoformat("2025-02-05T08:00:00+00:00").timestamp()


class LinesReader:
    """Reads what `write_export` writes."""

    NAME = "test-lines"
    SUMMARY = "a first line with `test_chat`"

    def __init__(self, name: str = NAME, key: str = "test_chat") -> None:
        self.NAME, self._key = name, key

    def matches(self, head: str, path: Path) -> bool:
        """Return whether the head begins as the tests' exports do."""
        return head.startswith('{"' + self._key + '"')

    def read(self, export: Export, options: ReadOptions, tally: Tally) -> Iterator[RawChat]:
        """Yield the chats of an export."""
        chat: dict[str, Any] | None = None
        messages: list[RawMessage] = []
        for number, line in lines_of(export):
            row = json.loads(line)
            if self._key in row:
                if chat is not None:
                    yield self._chat(chat, messages)
                chat, messages = row[self._key], []
                continue
            tally.rows += 1
            if "bad" in row:
                tally.drop(f"line {number}", row["bad"])
                continue
            messages.append(_message(row, f"line {number}"))
        if chat is not None:
            yield self._chat(chat, messages)

    def _chat(self, chat: dict[str, Any], messages: list[RawMessage]) -> RawChat:
        members = tuple(Member(person, tuple(names), owner) for person, names, owner in chat.get("members", []))
        name, platform = chat.get("name", "周末爬山"), chat.get("platform", "wechat")
        return RawChat(chat.get("id", "1@chatroom"), name, platform, True, members, tuple(messages))


def _message(row: dict[str, Any], place: str) -> RawMessage:
    stamp = row["time"]
    time = datetime.fromisoformat(stamp)
    hints = tuple(
        PictureHint(tuple(one.get("paths", [])), tuple(one.get("stems", []))) for one in row.get("pictures", [])
    )
    quote = Quote(**row["quote"]) if "quote" in row else None
    sender, kind, names = row.get("sender", ""), row.get("kind", "text"), tuple(row.get("names", []))
    return RawMessage(sender, time, kind, place, row.get("id", ""), names, row.get("text", ""), hints, quote)


def at(second: float, zone: str = "+00:00") -> str:
    """Return the time so many seconds after the start of every test chat."""
    stamp = datetime.fromtimestamp(START + second, tz=datetime.fromisoformat("2025-01-01T00:00:00+00:00").tzinfo)
    return stamp.replace(tzinfo=None).isoformat() + zone


def said(sender: str, second: float, text: str, **more: Any) -> dict[str, Any]:
    """Return a row of a text message."""
    return {"sender": sender, "time": at(second), "text": text, **more}


def shown(sender: str, second: float, *paths: str, **more: Any) -> dict[str, Any]:
    """Return a row of a picture."""
    return {"sender": sender, "time": at(second), "kind": "image", "pictures": [{"paths": list(paths)}], **more}


def write_export(path: Path, rows: Sequence[dict[str, Any]], key: str = "test_chat", **chat: Any) -> Path:
    """Write an export of one chat."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(row, ensure_ascii=True) for row in ({key: chat}, *rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
