"""Small, complete, invented exports of the formats with WeChat's types: one story of a walk, written as each format writes it."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

ROOM, ROOM_NAME = "20250205@chatroom", "周末爬山"
START = 1738713600
ME, LIN, XU = "wxid_me00000000001", "wxid_lin0000000001", "wxid_xu00000000001"
NAMES = {ME: "陈小满", LIN: "林晚舟", XU: "许青禾"}
SHANGHAI = timezone(timedelta(hours=8))


@dataclass(frozen=True)
class Line:
    """A message of the story."""

    sender: str
    kind: str
    text: str = ""
    answers: int = -1
    """The index of the message that it answers."""


STORY = (
    Line(LIN, "text", "周六去香炉峰怎么样？"),
    Line(XU, "text", "可以，几点出发"),
    Line(LIN, "image"),
    Line(ME, "text", "这张好看，就走这条路吧", answers=2),
    Line(XU, "sticker"),
    Line("", "system", "陈小满邀请许青禾加入了群聊"),
    Line(LIN, "voice"),
    Line(ME, "image"),
    Line(XU, "text", "七点太早了，八点行吗", answers=0),
    Line("", "recall", "许青禾撤回了一条消息"),
    Line(ME, "money"),
    Line(LIN, "forward"),
    Line(XU, "image"),
    Line(ME, "text", "那就八点，山脚停车场见"),
    Line(LIN, "text", "好的，记得带水"),
)
SPOKEN = [line for line in STORY if line.kind in ("text", "image")]
FORWARDED = "别人说过的话"
"""What stands inside the forward: nobody of the story wrote it."""

_CODES = {"text": 1, "image": 3, "sticker": 47, "voice": 34, "system": 10000, "recall": 10000}
_APPS = {"money": 2001, "forward": 19, "reply": 57}
_LABELS = {
    "text": "文本消息",
    "image": "图片消息",
    "sticker": "动画表情",
    "voice": "语音消息",
    "system": "系统消息",
    "recall": "系统消息",
    "money": "其他消息",
    "forward": "聊天记录",
    "reply": "引用消息",
}
_PLACEHOLDERS = {"sticker": "[动画表情]", "voice": "[语音]", "money": "[红包]", "forward": f"[聊天记录] {FORWARDED}"}


def picture(number: int) -> bytes:
    """Return a PNG that differs from the others."""
    image = Image.new("RGB", (64, 48), (40 * number % 256, 90, 160))
    ImageDraw.Draw(image).polygon([(4, 44), (20 + 4 * number, 8), (60, 44)], fill=(30, 120 + number, 60))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def message_id(index: int) -> str:
    """Return a server id, too large for a float."""
    return str(6116895530414915130 + index)


def _pictures(folder: Path, name: Callable[[int], str]) -> None:
    for index, line in enumerate(STORY):
        if line.kind == "image":
            path = folder / name(index)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(picture(index))


def _kind(line: Line) -> str:
    return "reply" if line.answers >= 0 else line.kind


def _shown(index: int) -> str:
    line = STORY[index]
    return line.text or {"image": "[图片]"}.get(line.kind, "") or _PLACEHOLDERS.get(line.kind, "")


def _write(path: Path, value: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2), encoding="utf-8")
    return path


def _interchange() -> tuple[dict[str, Any], list[dict[str, Any]], list[dict[str, Any]]]:
    types = {"text": 0, "image": 1, "voice": 2, "sticker": 5, "money": 20, "reply": 25, "forward": 26}
    types |= {"system": 80, "recall": 81}
    header = {
        "chatlab": {"version": "0.0.2", "exportedAt": START, "generator": "invented"},
        "meta": {"name": ROOM_NAME, "platform": "wechat", "type": "group", "groupId": ROOM, "ownerId": ME},
    }
    members = [
        {"platformId": person, "accountName": name, "groupNickname": name[1:], "roles": [{"id": "member"}]}
        for person, name in NAMES.items()
    ]
    messages = []
    for index, line in enumerate(STORY):
        row: dict[str, Any] = {
            "sender": line.sender or "system",
            "accountName": NAMES.get(line.sender, "系统消息"),
            "timestamp": START + 60 * index,
            "type": types[_kind(line)],
            "content": f"media/images/{index}_ab.png" if line.kind == "image" else _shown(index),
            "platformMessageId": message_id(index),
        }
        if line.answers >= 0:
            row["replyToMessageId"] = message_id(line.answers)
        if line.kind == "forward":
            row["chatRecords"] = [{"sender": "路人", "accountName": "路人", "timestamp": START, "content": FORWARDED}]
        messages.append(row)
    return header, members, messages


def write_members_json(folder: Path) -> Path:
    """Write the interchange format as one file."""
    header, members, messages = _interchange()
    _pictures(folder, "media/images/{}_ab.png".format)
    return _write(folder / "chat.json", {**header, "members": members, "messages": messages})


def write_members_jsonl(folder: Path) -> Path:
    """Write the interchange format as JSON Lines."""
    header, members, messages = _interchange()
    _pictures(folder, "media/images/{}_ab.png".format)
    rows = [{"_type": "header", **header}, *({"_type": "member", **row} for row in members)]
    rows += [{"_type": "message", **row} for row in messages]
    path = folder / "chat.jsonl"
    path.write_text("# invented\n" + "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


def _code(line: Line) -> int:
    kind = _kind(line)
    return _APPS[kind] << 32 | 49 if kind in _APPS else _CODES[kind]


def _session_rows(image: Callable[[int], str]) -> list[dict[str, Any]]:
    rows = []
    for index, line in enumerate(STORY):
        content = image(index) if line.kind == "image" else _shown(index)
        row: dict[str, Any] = {
            "localId": index + 1,
            "createTime": START + 60 * index,
            "formattedTime": datetime.fromtimestamp(START + 60 * index, SHANGHAI).strftime("%Y-%m-%d %H:%M:%S"),
            "type": _LABELS[_kind(line)],
            "localType": _code(line),
            "content": content,
            "isSend": int(line.sender == ME),
            "senderUsername": line.sender or None,
            "senderDisplayName": NAMES.get(line.sender, ""),
            "source": "<msgsource><secret>1</secret></msgsource>",
            "senderAvatarKey": line.sender,
            "platformMessageId": message_id(index),
        }
        if line.answers >= 0:
            answered = STORY[line.answers]
            row["content"] = f"{line.text}[引用 {NAMES[answered.sender]}：{_shown(line.answers)}]"
            row["quotedSender"], row["quotedContent"] = NAMES[answered.sender], _shown(line.answers)
            row["replyToMessageId"] = message_id(line.answers)
        rows.append(row)
    return rows


def _session() -> dict[str, Any]:
    return {
        "wxid": ROOM,
        "nickname": ROOM_NAME,
        "remark": "",
        "displayName": ROOM_NAME,
        "type": "群聊",
        "lastTimestamp": START + 60 * len(STORY),
        "messageCount": len(STORY),
    }


_HEADER = {"version": "1.0.3", "exportedAt": START, "generator": "invented"}


def write_session_json(folder: Path) -> Path:
    """Write the export with a session and its header."""
    _pictures(folder, "media/images/{}_ab.png".format)
    avatars = {person: "data:image/png;base64," + "A" * 2000 for person in NAMES}
    rows = _session_rows("media/images/{}_ab.png".format)
    return _write(
        folder / "chat.json", {"weflow": _HEADER, "session": _session(), "messages": rows, "avatars": avatars}
    )


def write_session_json_without_header(folder: Path) -> Path:
    """Write the older one: no header, no ids of replies, `mediaPath`, the quote only inside the text."""
    _pictures(folder, "media/images/{}_ab.png".format)
    rows = _session_rows(lambda index: "[图片]")
    for index, row in enumerate(rows):
        for name in ("platformMessageId", "replyToMessageId", "quotedSender", "quotedContent"):
            row.pop(name, None)
        if STORY[index].kind == "image":
            row["mediaPath"] = f"media/images/{index}_ab.png"
    avatars = {person: {"displayName": name, "base64": "A" * 2000} for person, name in NAMES.items()}
    value = {"session": _session(), "messages": rows, "avatars": avatars, "exportTime": "2025-02-06T00:00:00"}
    return _write(folder / "chat.json", value)


def write_senders_json(folder: Path) -> Path:
    """Write the export whose messages name their senders by number."""
    _pictures(folder, "media/images/{}_ab.png".format)
    numbers = {person: number for number, person in enumerate(NAMES, 1)}
    rows = _session_rows("media/images/{}_ab.png".format)
    for row in rows:
        row["senderID"] = numbers.get(row.pop("senderUsername"))
        del row["senderDisplayName"], row["senderAvatarKey"]
    senders = [
        {"senderID": number, "wxid": person, "displayName": NAMES[person], "nickname": NAMES[person][1:]}
        for person, number in numbers.items()
    ]
    value = {"weflow": {**_HEADER, "format": "arkme-json"}, "session": _session(), "senders": senders}
    members = [{"wxid": person, "displayName": name} for person, name in NAMES.items()]
    return _write(folder / "chat.json", {**value, "messages": rows, "groupMembers": members})


def write_api_json(folder: Path) -> Path:
    """Write the saved answer of a messages API."""
    _pictures(folder, "chat/images/{}_ab.png".format)
    rows = []
    for index, row in enumerate(_session_rows(lambda index: "[图片]")):
        kept = {
            name: row[name] for name in ("localId", "localType", "createTime", "isSend", "senderUsername", "content")
        }
        kept |= {"serverId": message_id(index), "rawContent": "<msg/>", "parsedContent": row["content"]}
        if STORY[index].kind == "image":
            kept |= {"mediaType": "image", "mediaFileName": f"{index}_ab.png", "mediaUrl": "http://127.0.0.1:1/x.png"}
            kept["mediaLocalPath"] = f"C:\\exports\\chat\\images\\{index}_ab.png"
        if (answers := STORY[index].answers) >= 0:
            kept["replyToMessageId"] = message_id(answers)
            kept["quote"] = {"platformMessageId": message_id(answers), "sender": STORY[answers].sender}
        rows.append(kept)
    return _write(folder / "chat.json", {"success": True, "talker": ROOM, "count": len(rows), "messages": rows})


def md5(index: int) -> str:
    """Return the hash by which a picture is known."""
    return hashlib.md5(picture(index), usedforsecurity=False).hexdigest()


def _talker_message(index: int, nested: bool = False) -> dict[str, Any]:
    line, at = STORY[index], START + 60 * index
    base, sub = (49, _APPS[_kind(line)]) if _kind(line) in _APPS else (_CODES[_kind(line)], 0)
    contents: dict[str, Any] | None = None
    if line.kind == "image":
        contents = {"md5": md5(index), "path": f"msg\\attach\\{index}\\Img\\{md5(index)}.dat"}
    elif line.answers >= 0 and not nested:
        contents = {"refer": _talker_message(line.answers, nested=True)}
    elif line.kind == "forward":
        contents = {"title": "聊天记录", "desc": FORWARDED, "recordInfo": {"DataList": [FORWARDED]}}
    return {
        "seq": 0 if nested else at * 1000 + 1,
        "time": datetime.fromtimestamp(at, SHANGHAI).isoformat(),
        "talker": "" if nested else ROOM,
        "talkerName": "" if nested else ROOM_NAME,
        "isChatRoom": not nested,
        "sender": line.sender or "系统消息",
        "senderName": NAMES.get(line.sender, ""),
        "isSelf": line.sender == ME,
        "type": base,
        "subType": sub,
        "content": line.text,
        **({"contents": contents} if contents else {}),
    }


def write_talker_json(folder: Path) -> Path:
    """Write the list of messages with their talker; pictures lie in a folder, named by their hash."""
    _pictures(folder, lambda index: f"images/{md5(index)}.png")
    return _write(folder / "chat.json", [_talker_message(index) for index in range(len(STORY))])


def _markdown(index: int) -> str:
    line = STORY[index]
    if line.kind == "image":
        return f"![图片](http://127.0.0.1:5030/image/{md5(index)},msg/attach/{md5(index)}.dat)"
    if line.answers >= 0:
        answered, at = STORY[line.answers], datetime.fromtimestamp(START + 60 * line.answers, SHANGHAI)
        quoted = _markdown(line.answers).replace("\n", "\n> ")
        name = f"{NAMES[answered.sender]}({answered.sender})"
        return f"> {name} {at:%Y-%m-%d %H:%M:%S}\n> {quoted}\n{line.text}"
    shown = {"sticker": "![动画表情](http://127.0.0.1:1/a)", "voice": "[语音](http://127.0.0.1:5030/voice/1)"}
    return shown.get(line.kind) or {"money": "[红包]", "forward": f"[合并转发|聊天记录]\n{FORWARDED}"}.get(
        line.kind, line.text
    )


def write_talker_csv(folder: Path) -> Path:
    """Write the CSV with a talker column; pictures lie in a folder, named by their hash."""
    _pictures(folder, lambda index: f"images/{md5(index)}.png")
    path = folder / "chat.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["Time", "SenderName", "Sender", "TalkerName", "Talker", "Content"])
        for index, line in enumerate(STORY):
            time = datetime.fromtimestamp(START + 60 * index, UTC).astimezone(SHANGHAI)
            sender = [NAMES.get(line.sender, ""), line.sender or "系统消息"]
            writer.writerow([f"{time:%Y-%m-%d %H:%M:%S}", *sender, ROOM_NAME, ROOM, _markdown(index)])
    return path


WRITERS: dict[str, Callable[[Path], Path]] = {
    "members-json": write_members_json,
    "members-jsonl": write_members_jsonl,
    "session-json": write_session_json,
    "senders-json": write_senders_json,
    "talker-json": write_talker_json,
    "talker-csv": write_talker_csv,
    "api-json": write_api_json,
}
"""NAME of a reader -> writes an export of that format into a folder and returns its path."""
