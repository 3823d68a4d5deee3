"""Small, complete, invented exports of the other formats: the same story of a walk, written as each format writes it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.annotation.readers.exports_wechat import (
    FORWARDED,
    LIN,
    ME,
    NAMES,
    ROOM_NAME,
    SHANGHAI,
    START,
    STORY,
    XU,
    Line,
    picture,
)

Row = dict[str, Any]

NUMBERS = {ME: "1001", LIN: "1002", XU: "1003"}
GROUP = "872001"
"""The number of the group, whatever the format."""
SECRET = "secret"
"""Stands in fields that no reader may read."""


def user(person: str) -> str:
    """Return the id of a person in the format with dated messages."""
    return f"user{NUMBERS[person]}"


def uid(person: str) -> str:
    """Return the id of a person in the formats with a chatInfo."""
    return f"u_{NUMBERS[person]}"


def number(index: int) -> str:
    """Return the id of a message, in all of these formats; too large for a float."""
    return str(7300000000000000001 + index)


def at(index: int) -> datetime:
    """Return the instant of a message."""
    return datetime.fromtimestamp(START + 60 * index, UTC)


def _pictures(folder: Path, name: str) -> None:
    for index, line in enumerate(STORY):
        if line.kind == "image":
            path = folder / name.format(index)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(picture(index))


def _write(path: Path, value: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2), encoding="utf-8")
    return path


def _lines(path: Path, rows: list[Row]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def _element(index: int, line: Line) -> Row:
    """Return the element that makes a message of the formats with a chatInfo what it is."""
    parts: dict[str, Row] = {
        "text": {"text": line.text},
        "image": {"filename": f"pic{index}.png", "size": 99, "url": "https://invented.example/p.png"},
        "sticker": {"name": "[笑]", "key": SECRET, "emojiId": "ab12"},
        "voice": {"filename": "v.silk", "duration": 3},
        "system": {"text": line.text, "summary": line.text},
        "recall": {"text": line.text},
        "money": {"summary": "红包", "text": "红包"},
        "forward": {"title": "聊天记录", "messages": [{"sender": {"name": "路人"}, "content": {"text": FORWARDED}}]},
    }
    kinds = {"sticker": "market_face", "voice": "audio", "recall": "text", "money": "wallet"}
    data = {**parts[line.kind], **({"localPath": f"images/pic{index}.png"} if line.kind == "image" else {})}
    return {"type": kinds.get(line.kind, line.kind), "data": data}


def chatinfo_message(index: int) -> Row:
    """Return a message of the story as the newer files write it."""
    line = STORY[index]
    elements = [_element(index, line)]
    if line.answers >= 0:
        quoted = {"referencedMessageId": number(line.answers), "msgId": "0", "senderUin": "1", "content": SECRET}
        elements.insert(0, {"type": "reply", "data": quoted})
    sender: Row = {"uid": "0", "name": ""}
    if name := NAMES.get(line.sender, ""):
        sender = {
            "uid": uid(line.sender),
            "uin": NUMBERS[line.sender],
            "name": name,
            "groupCard": name[1:],
            "title": "群主",
        }
    return {
        "id": number(index),
        "seq": str(index),
        "timestamp": (START + 60 * index) * 1000,
        "time": "2025-02-05 08:00:00",
        "sender": sender,
        "type": "type_1",
        "content": {
            "text": f"[回复消息]{line.text}{SECRET}",
            "html": f"<p>{SECRET}</p>",
            "elements": elements,
            "resources": [],
            "mentions": [{"uid": "u_1009", "name": "@高远山", "type": "user"}] if index == 1 else [],
        },
        "recalled": line.kind == "recall",
        "system": line.kind == "system",
        "rawMessage": {"peerName": SECRET},
    }


CHAT_INFO = {
    "name": ROOM_NAME,
    "type": "group",
    "selfUid": uid(ME),
    "selfUin": NUMBERS[ME],
    "selfName": NAMES[ME],
    "peerUid": GROUP,
    "peerUin": GROUP,
    "participantCount": 4,
}
METADATA = {"name": "invented", "version": "5.0.0"}


def write_chatinfo_json(folder: Path) -> Path:
    """Write one file with a chatInfo, newer kind, its pictures in `resources/images`."""
    _pictures(folder, "resources/images/pic{}.png")
    messages = [chatinfo_message(index) for index in range(len(STORY))]
    value = {"metadata": METADATA, "chatInfo": CHAT_INFO, "statistics": {"total": 15}, "messages": messages}
    return _write(folder / "group_872001.json", {**value, "exportOptions": {"includedFields": ["id"]}})


def write_chatinfo_chunks(folder: Path) -> Path:
    """Write a manifest with a chatInfo, and its messages in three chunks."""
    _pictures(folder, "resources/images/pic{}.png")
    chunks = []
    for place, start in enumerate(range(0, len(STORY), 6), 1):
        name = f"c{place:06d}.jsonl"
        rows = [chatinfo_message(index) for index in range(start, min(start + 6, len(STORY)))]
        _lines(folder / "chunks" / name, rows)
        chunks.append({"index": place, "fileName": name, "relativePath": f"chunks/{name}", "count": len(rows)})
    chunked = {"format": "jsonl", "chunksDir": "chunks", "chunkFileExt": ".jsonl", "chunks": chunks}
    value = {"metadata": METADATA, "chatInfo": CHAT_INFO, "statistics": {"total": 15}, "chunked": chunked}
    return _write(folder / "manifest.json", {**value, "avatars": {"file": "avatars.json", "count": 0}})


def write_older_chatinfo_json(folder: Path) -> Path:
    """Write one file with a chatInfo, older kind: no elements, ISO times, placeholders and echoes in the text."""
    _pictures(folder, "resources/images/pic{}.png")
    messages = []
    shown = {
        "image": "[图片:p.png]",
        "sticker": "[表情12]",
        "voice": "[语音:3秒]",
        "forward": "[转发消息]",
        "money": "[JSON消息]",
    }
    numbers = {"image": 3, "video": 7}
    for index, line in enumerate(STORY):
        content: Row = {"text": shown.get(line.kind, line.text), "resources": [], "emojis": [], "mentions": []}
        if line.answers >= 0:
            content["reply"] = {"referencedMessageId": number(line.answers), "senderName": "林", "content": "[图片]"}
            content["text"] = f"[回复 林: [图片]]{line.text}"
        if line.kind == "image":
            image = {"type": "image", "filename": f"pic{index}.png", "localPath": f"pic{index}.png"}
            content["resources"] = [{**image, "url": f"resources/images/pic{index}.png"}]
        if line.kind == "voice":
            content["resources"] = [{"type": "audio", "filename": "v.silk"}]
        content |= {"sticker": {"emojis": [{"type": "face", "id": "12"}]}}.get(line.kind, {})
        content |= {"forward": {"multiForward": {"title": FORWARDED}}, "money": {"card": {"title": "红包"}}}.get(
            line.kind, {}
        )
        sender = (
            {"uid": uid(line.sender), "uin": NUMBERS[line.sender], "name": NAMES[line.sender]} if line.sender else {}
        )
        messages.append(
            {
                "messageId": number(index),
                "timestamp": at(index).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
                "sender": sender,
                "messageType": 9 if line.answers >= 0 else numbers.get(line.kind, 2),
                "isRecalled": line.kind == "recall",
                "isSystemMessage": line.kind == "system",
                "content": content,
            }
        )
    return _write(folder / "old.json", {"metadata": METADATA, "chatInfo": CHAT_INFO, "messages": messages})


def dated_message(index: int) -> Row:
    """Return a message of the story with `date` and `date_unixtime`."""
    line = STORY[index]
    row: Row = {
        "id": int(number(index)),
        "type": "message",
        "date": at(index).astimezone(SHANGHAI).strftime("%Y-%m-%dT%H:%M:%S"),
        "date_unixtime": str(START + 60 * index),
    }
    if not line.sender:
        return {**row, "type": "service", "actor": NAMES[ME], "actor_id": user(ME), "action": "pin_message", "text": ""}
    row |= {"from": NAMES[line.sender], "from_id": user(line.sender), "text": line.text, "text_entities": []}
    if line.answers >= 0:
        row["reply_to_message_id"] = int(number(line.answers))
        row["text"] = [line.text[:2], {"type": "bold", "text": line.text[2:]}]
    more: dict[str, Row] = {
        "image": {"photo": f"photos/photo_{index}@05-02-2025_08-00-00.png", "width": 64, "height": 48},
        "sticker": {"file": "stickers/s.webp", "media_type": "sticker", "sticker_emoji": "😀"},
        "voice": {"file": "voice_messages/a.ogg", "media_type": "voice_message", "mime_type": "audio/ogg"},
        "money": {"invoice_information": {"title": "饭钱", "amount": 1}},
        "forward": {"forwarded_from": "路人", "text": FORWARDED},
    }
    return {**row, **more.get(line.kind, {})}


def write_dated_json(folder: Path) -> Path:
    """Write one chat with dated messages."""
    _pictures(folder, "photos/photo_{}@05-02-2025_08-00-00.png")
    messages = [dated_message(index) for index in range(len(STORY))]
    value = {"name": ROOM_NAME, "type": "private_supergroup", "id": int(GROUP), "messages": messages}
    return _write(folder / "result.json", value)


def write_dated_account(folder: Path) -> Path:
    """Write an account whose one chat this is."""
    path = write_dated_json(folder)
    chat = json.loads(path.read_text(encoding="utf-8"))
    me = {"user_id": int(NUMBERS[ME]), "first_name": "小满", "last_name": "陈", "phone_number": SECRET, "bio": SECRET}
    contacts = {"about": "...", "list": [{"first_name": SECRET, "phone_number": SECRET}]}
    value = {"about": "...", "personal_information": me, "contacts": contacts, "chats": {"about": "", "list": [chat]}}
    return _write(path, value)


def guild_message(index: int) -> Row:
    """Return a message of the story of a guild's channel."""
    line = STORY[index]
    name = NAMES.get(line.sender, NAMES[ME])
    author = {
        "id": NUMBERS.get(line.sender, NUMBERS[ME]),
        "name": f"n{name}",
        "discriminator": "0000",
        "nickname": name,
    }
    kinds = {"system": "ChannelPinnedMessage", "recall": "RecipientRemove", "money": "ChatInputCommand"}
    row: Row = {
        "id": number(index),
        "type": "Reply" if line.answers >= 0 else kinds.get(line.kind, "Default"),
        "timestamp": at(index).astimezone(SHANGHAI).isoformat(timespec="milliseconds"),
        "timestampEdited": at(index + 1).isoformat() if index == 0 else None,
        "isPinned": False,
        "content": line.text,
        "author": {**author, "isBot": False, "avatarUrl": SECRET},
        "attachments": [],
        "embeds": [{"title": SECRET, "description": SECRET}] if index == 0 else [],
        "stickers": [{"id": "1", "name": SECRET, "format": "Png"}] if line.kind == "sticker" else [],
        "reactions": [],
        "mentions": [],
    }
    if line.answers >= 0:
        row["reference"] = {"messageId": number(line.answers), "channelId": GROUP, "guildId": "9"}
    if line.kind == "image":
        url = f"guild.json_Files/image-{index}.png"
        row["attachments"] = [{"id": "5", "url": url, "fileName": "image.png", "fileSizeBytes": 9}]
    if line.kind == "voice":
        row["attachments"] = [{"id": "5", "url": "guild.json_Files/v.ogg", "fileName": "voice-message.ogg"}]
    if line.kind == "forward":
        row |= {"forwardedMessage": {"content": FORWARDED}, "reference": {"type": "Forward", "messageId": "5"}}
    return row


def write_guild_json(folder: Path) -> Path:
    """Write a channel of a guild."""
    _pictures(folder, "guild.json_Files/image-{}.png")
    channel = {"id": GROUP, "type": "GuildTextChat", "name": ROOM_NAME, "topic": SECRET}
    messages = [guild_message(index) for index in range(len(STORY))]
    value = {"guild": {"id": "9", "name": "山友"}, "channel": channel, "exportedAt": "2025-02-06T00:00:00Z"}
    return _write(folder / "guild.json", {**value, "messages": messages, "messageCount": len(messages)})


def write_neutral_jsonl(folder: Path) -> Path:
    """Write a chat in mldr's own format."""
    _pictures(folder, "pictures/walk-{}.png")
    head = {"format": "mldr/chat@1", "chat_id": GROUP, "name": ROOM_NAME, "platform": "other", "zone": "Asia/Shanghai"}
    rows: list[Row] = [head]
    for person, name in NAMES.items():
        rows.append({"member": {"person": NUMBERS[person], "names": [name, name[1:]], "owner": person == ME}})
    for index, line in enumerate(STORY):
        message: Row = {"message_id": number(index), "sender": NUMBERS.get(line.sender, "")}
        message["time"] = at(index).astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
        if line.kind == "image":
            by_path = {"path": f"pictures/walk-{index}.png"}
            message["pictures"] = [{"stem": f"walk-{index}"} if index == 7 else by_path]
        elif line.kind == "text":
            message["text"] = line.text
        else:
            message["kind"] = line.kind
        if line.answers >= 0:
            message["reply_to"] = number(line.answers)
        rows.append({"message": message})
    return _lines(folder / "chat.jsonl", rows)


WRITERS: dict[str, Callable[[Path], Path]] = {
    "chatinfo-json": write_chatinfo_json,
    "chatinfo-chunks": write_chatinfo_chunks,
    "dated-json": write_dated_json,
    "guild-json": write_guild_json,
    "neutral-jsonl": write_neutral_jsonl,
}
"""Name of a format -> what writes an export of it to a folder and returns its path."""
