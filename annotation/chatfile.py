"""A chat as a file of the private store, `mldr/chat@1`: a line for the chat, one a member, one a message, in their order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from mldr.annotation.chat import Chat, Member, Message
from mldr.errors import Faults, MldrError, fault
from mldr.files import parse_json, read_lines, written_whole
from mldr.formats import format_line, upgraded

KIND = "chat"


def write_chat(path: Path, chat: Chat) -> None:
    """Write a chat, whole or not at all; what is empty is left out of a line."""
    with written_whole(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as stream:
        for line in _lines(chat):
            stream.write(json.dumps(line, ensure_ascii=False) + "\n")


def _lines(chat: Chat) -> Iterator[dict[str, Any]]:
    head = {
        "chat_id": chat.chat_id,
        "name": chat.name,
        "platform": chat.platform,
        "group": chat.group,
        "zone": chat.zone,
    }
    yield {"format": format_line(KIND), **head}
    for member in chat.members:
        yield {"member": {"person": member.person, "names": list(member.names), "owner": member.owner}}
    for message in chat.messages:
        yield {"message": {name: value for name, value in _message(message).items() if value}}


def _message(message: Message) -> dict[str, Any]:
    return {
        "message_id": message.message_id,
        "sender": message.sender,
        "time": message.time.isoformat(),
        "kind": message.kind,
        "text": message.text,
        "pictures": [{"image_key": one.image_key, "problem": one.problem} for one in message.pictures],
        "reply_to": message.reply_to,
        "reply_method": message.reply_method,
    }


def read_chat(path: Path) -> Chat:
    """Return a chat.

    Raises:
        MldrError: if it cannot be read, or is of a newer format.
        InputError: with every malformed line.
    """
    members: list[Member] = []
    messages: list[Message] = []
    head: dict[str, Any] | None = None
    faults = Faults()
    try:
        for number, line in read_lines(path):
            place = f"{path}, line {number}"
            record = _record(line, place)
            if head is None:
                head = upgraded(record, KIND, place)
                continue
            try:
                _take(record, members, messages)
            except (ValidationError, ValueError) as error:
                faults.add(place, _reason(error))
    except OSError as error:
        raise MldrError(f"{path}: cannot be read ({error.strerror})") from error
    faults.check()
    if head is None:
        raise fault(str(path), "is empty; import the chat again")
    return _chat(head, members, messages, path)


def _record(line: bytes, place: str) -> dict[str, Any]:
    try:
        record = parse_json(line)
    except ValueError as error:
        raise fault(place, str(error)) from error
    if not isinstance(record, dict):
        raise fault(place, "a JSON object is expected")
    return record


def _take(record: dict[str, Any], members: list[Member], messages: list[Message]) -> None:
    if set(record) == {"member"}:
        members.append(_adapter(Member).validate_python(record["member"]))
    elif set(record) == {"message"}:
        row = dict(record["message"])
        row["sender"] = row.get("sender", "")
        row["time"] = _time(row.get("time"))
        messages.append(_adapter(Message).validate_python(row))
    else:
        raise ValueError("`member` or `message` is expected")


def _time(stamp: Any) -> datetime:
    time = datetime.fromisoformat(stamp) if isinstance(stamp, str) else None
    if time is None or time.tzinfo is None:
        raise ValueError("`time` must be an instant with its offset from UTC")
    return time


@lru_cache(maxsize=4)
def _adapter(record: type) -> TypeAdapter[Any]:
    return TypeAdapter(record)


def _reason(error: ValueError) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors()[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"


def _chat(head: dict[str, Any], members: list[Member], messages: list[Message], path: Path) -> Chat:
    from mldr.configuration import model_faults

    del head["format"]
    try:
        chat: Chat = _adapter(Chat).validate_python({**head, "members": (), "messages": ()})
    except ValidationError as error:
        raise model_faults(error, str(path)) from error
    return Chat(chat.chat_id, chat.name, chat.platform, chat.group, chat.zone, tuple(members), tuple(messages))
