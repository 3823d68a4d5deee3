"""Chats of the store for tests of what is made of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from mldr.annotation.chat import Chat, Member, Message, Picture
from mldr.annotation.chatfile import write_chat
from mldr.annotation.importing import close_to_others
from mldr.annotation.importreport import ImportReport, write_report
from mldr.annotation.store import Store

START = datetime(2025, 2, 5, tzinfo=UTC)
FOUND = Picture("sha256:" + "0" * 64)
LOST = Picture("", "no such file in the export")


def message(number: int, sender: str, second: float, text: str = "", **more: Any) -> Message:
    """Return a text message, or one of another kind; its id is `m<number>`."""
    more.setdefault("kind", "text")
    spoken = more["kind"] in ("text", "image")
    return Message(
        f"m{number}", sender, START + timedelta(seconds=second), text=(text or f"t{number}") if spoken else "", **more
    )


def chat_of(*messages: Message, chat_id: str = "1@chatroom", zone: str = "UTC") -> Chat:
    """Return a chat of some messages, whose members are their senders."""
    people = dict.fromkeys(message.sender for message in messages if message.sender)
    members = tuple(Member(person, (person.upper(),)) for person in people)
    return Chat(chat_id, "周末爬山", "wechat", True, zone, members, messages)


def put(store: Store, chat: Chat) -> Path:
    """Put a chat into a store as an import would; return its folder."""
    chat_key = store.chat_key(chat.platform, chat.chat_id)
    folder = store.chats / chat_key
    folder.mkdir(parents=True, exist_ok=True)
    write_chat(folder / "chat.jsonl", chat)
    kept = len(chat.messages)
    report = ImportReport(
        reader="x", chat_key=chat_key, platform=chat.platform, rows=kept, utterances=kept, zone=chat.zone
    )
    write_report(folder, report)
    close_to_others(folder)
    return folder
