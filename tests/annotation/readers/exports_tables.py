"""Small, complete, invented exports as tables, pages and text: one story of three people, written as each format writes it."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

ROOM, ROOM_NAME = "30250211@chatroom", "陶艺小组"
ME, HE, SU = "wxid_me77000000001", "wxid_he77000000001", "wxid_su77000000001"
NAMES = {ME: "程一诺", HE: "何知远", SU: "苏棠"}
CLOCK = datetime(2024, 10, 14, 9, 0)
"""What the clock shows at the first message; every next one follows two minutes later."""
EPOCH = int(datetime(2024, 10, 14, 1, 0, tzinfo=UTC).timestamp())
"""The same moment, where the clock is eight hours ahead."""


@dataclass(frozen=True)
class Line:
    """A message of the story."""

    sender: str
    kind: str
    text: str = ""
    answers: int = -1
    """The index of the message that it answers."""


STORY = (
    Line(HE, "text", "釉料到了，谁周日去工作室？"),
    Line(SU, "text", "我去，带上次的素坯"),
    Line(HE, "image"),
    Line(ME, "text", "这个蓝太好看了，照这个配", answers=2),
    Line(SU, "sticker"),
    Line("", "system", "程一诺邀请苏棠加入了群聊"),
    Line(HE, "voice"),
    Line(ME, "text", "比例是 3:1:2，别弄反\n水多加一点"),
    Line(SU, "image"),
    Line(HE, "text", '他说"够了", 其实不够', answers=1),
    Line(SU, "recall", "苏棠撤回了一条消息"),
    Line(ME, "money"),
    Line(SU, "image"),
    Line(ME, "text", "下午三点开窑，都来"),
    Line(HE, "text", "好，带 <相机> & 围裙"),
)
_LABELS = {
    "text": "文本",
    "reply": "引用回复",
    "image": "图片",
    "sticker": "动画表情",
    "voice": "语音",
    "system": "系统通知",
    "recall": "消息撤回1",
    "money": "转账",
}
_CODES = {"text": (1, 0), "image": (3, 0), "sticker": (47, 0), "voice": (34, 0), "system": (10000, 0)}
_CODES |= {"recall": (10000, 0), "money": (49, 2000), "reply": (49, 57)}


def picture(index: int, form: str = "PNG") -> bytes:
    """Return a picture that differs from the others."""
    image = Image.new("RGB", (64, 48), (30 * index % 256, 120, 200))
    ImageDraw.Draw(image).ellipse([(8 + index, 8), (40 + index, 40)], fill=(200, 80, 20 * index % 256))
    buffer = io.BytesIO()
    image.save(buffer, form)
    return buffer.getvalue()


def md5(index: int) -> str:
    """Return the hash by which a picture of the story is known."""
    return hashlib.md5(f"picture {index}".encode(), usedforsecurity=False).hexdigest()


def clock(index: int) -> datetime:
    """Return what the clock shows at a message."""
    return CLOCK + timedelta(minutes=2 * index)


def _pictures(folder: Path, name: Callable[[int], str], form: str) -> None:
    for index, line in enumerate(STORY):
        if line.kind == "image":
            path = folder / name(index)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(picture(index, form))


def _kind(line: Line) -> str:
    return "reply" if line.answers >= 0 else line.kind


def _quoted(line: Line) -> str:
    return STORY[line.answers].text or "图片"


def typename_rows() -> list[dict[str, str]]:
    """Return the rows of the newest generation of the table with a type_name."""
    shown = {"image": "图片", "sticker": "表情", "voice": "语音", "money": "转账 ￥20.00"}
    rows = []
    for index, line in enumerate(STORY):
        msg = line.text or shown.get(line.kind, "")
        if line.answers >= 0:
            name = NAMES[STORY[line.answers].sender]
            msg += f"\n\n[引用]({clock(line.answers):%Y-%m-%d %H:%M:%S}){name}:{_quoted(line)}"
        src = {
            "image": f"FileStorage\\MsgAttach\\9f3c\\Image\\2024-10\\{md5(index)}.dat",
            "sticker": "http://127.0.0.1:1/sticker",
            "voice": f"{line.sender}\\2024-10-14 09-12-00_0_{index}.wav",
        }.get(line.kind, "")
        row = {
            "id": str(index + 1),
            "MsgSvrID": str(7123456789012345678 + index),
            "type_name": _LABELS[_kind(line)],
            "is_sender": str(int(line.sender == ME)),
            "talker": "我" if line.sender == ME else line.sender or ROOM,
            "room_name": ROOM,
            "msg": msg,
            "src": src,
            "CreateTime": f"{clock(index):%Y-%m-%d %H:%M:%S}",
        }
        rows.append(row)
    return rows


def write_table(
    path: Path,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    delimiter: str = ",",
    encoding: str = "utf-8",
    end: str = "\r\n",
) -> Path:
    """Write a table as a CSV."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding=encoding, newline="") as stream:
        writer = csv.writer(stream, delimiter=delimiter, lineterminator=end)
        writer.writerow(columns)
        writer.writerows(rows)
    return path


def write_typename_csv(folder: Path) -> Path:
    """Write the table with a type_name; pictures lie in a folder, named by their hash."""
    _pictures(folder, lambda index: f"images/{md5(index)}.png", "PNG")
    rows = typename_rows()
    return write_table(folder / f"{ROOM}_0_5000.csv", list(rows[0]), [list(row.values()) for row in rows])


def write_typename_json(folder: Path) -> Path:
    """Write a page of the same rows as JSON; pictures lie where their paths lead."""
    _pictures(folder, lambda index: f"images/{index}.png", "PNG")
    rows: list[dict[str, Any]] = []
    for index, row in enumerate(typename_rows()):
        src = f"images\\{index}.png" if STORY[index].kind == "image" else row["src"]
        own = int(row["is_sender"])
        rows.append({**row, "id": index + 1, "is_sender": own, "src": src, "extra": {"secret": "1"}})
    path = folder / f"{ROOM}_0_5000.json"
    path.write_text(json.dumps(rows, ensure_ascii=False, indent=4), encoding="utf-8")
    return path


LOCAL_COLUMNS = "localId,TalkerId,Type,SubType,IsSender,CreateTime,Status,StrContent,StrTime,Remark,NickName,Sender"


def local_rows() -> list[list[Any]]:
    """Return the rows of the table by local id; Remark and NickName are those of the sender."""
    rows = []
    for index, line in enumerate(STORY):
        base, sub = _CODES[_kind(line)]
        content = {
            "image": f'<?xml version="1.0"?><msg><img aeskey="00" md5="{md5(index)}" length="9" /></msg>',
            "sticker": f'<msg><emoji md5="{md5(99)}" type="2"></emoji></msg>',
            "voice": '<msg><voicemsg voicelength="2000" /></msg>',
        }.get(line.kind, "" if base == 49 else line.text)
        names = [NAMES.get(line.sender, ""), NAMES.get(line.sender, "")]
        time = [EPOCH + 120 * index, 3, content, f"{clock(index):%Y-%m-%d %H:%M:%S}"]
        rows.append([index + 1, 5, base, sub, int(line.sender == ME), *time, *names, line.sender])
    return rows


def write_local_csv(folder: Path) -> Path:
    """Write the table by local id; pictures lie in `image`, named by their hash."""
    _pictures(folder, lambda index: f"image/{md5(index)}.jpg", "JPEG")
    path = folder / f"{ROOM_NAME}_utf8.csv"
    return write_table(path, LOCAL_COLUMNS.split(","), local_rows(), encoding="utf-8-sig")


def literal(value: str | int) -> str:
    """Return a value as a page writes it: single quotes, entities, JavaScript's escapes."""
    if isinstance(value, int):
        return str(value)
    text = value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"


def script_rows() -> list[dict[str, str | int]]:
    """Return the messages of the page with a script."""
    texts = {"sticker": "http://127.0.0.1:1/sticker.gif", "voice": "./voice/6.mp3"}
    rows: list[dict[str, str | int]] = []
    for index, line in enumerate(STORY):
        base, sub = _CODES[_kind(line)]
        row: dict[str, str | int] = {
            "type": {"sticker": 3, "system": 0, "recall": 0}.get(line.kind, base),
            "text": f"./image/{md5(index)}.jpg" if line.kind == "image" else texts.get(line.kind, line.text),
            "is_send": int(line.sender == ME),
            "avatar_path": "./avatar/1.png",
            "timestamp": EPOCH + 120 * index,
            "is_chatroom": 1,
            "displayname": NAMES.get(line.sender, ""),
        }
        row |= {"sub_type": sub} if sub else {}
        row |= {"voice_to_text": "没有人打过的字"} if line.kind == "voice" else {}
        row |= {"paysubtype": 1, "feedesc": "￥20.00", "pay_memo": "泥钱"} if line.kind == "money" else {}
        if line.answers >= 0:
            row["refer_text"] = f"{NAMES[STORY[line.answers].sender]}：{_quoted(line)}"
        rows.append(row)
    return rows


def page(rows: Iterable[dict[str, str | int]]) -> str:
    """Return a page whose script holds messages."""
    written = ["{" + ", ".join(f"{key}: {literal(value)}" for key, value in row.items()) + "},\n" for row in rows]
    head = (
        f"<!DOCTYPE html>\n<html><head><title>{ROOM_NAME}</title><style>p{{color:red}}</style></head><body>\n<script>\n"
    )
    tail = "];\nfunction show(list) { return list.map(m => m.text); }\nshow(chatMessages);\n</script></body></html>\n"
    return f"{head}const chatMessages = [\n{''.join(written)}{tail}"


def write_script_html(folder: Path) -> Path:
    """Write the page; pictures lie in `image`."""
    _pictures(folder, lambda index: f"image/{md5(index)}.jpg", "JPEG")
    path = folder / f"{ROOM_NAME}.html"
    path.write_text(page(script_rows()), encoding="utf-8")
    return path


def write_dated_text(folder: Path) -> Path:
    """Write the dated text as the system with square brackets does; pictures lie beside it."""

    def name(index: int) -> str:
        return f"{index:08}-PHOTO-{clock(index):%Y-%m-%d-%H-%M-%S}.jpg"

    _pictures(folder, name, "JPEG")
    lines = [f"\ufeff[{CLOCK:%d/%m/%Y, %H:%M:%S}] {ROOM_NAME}: \u200e消息和通话已进行端到端加密。"]
    for index, line in enumerate(STORY):
        said = {
            "image": f"\u200e<附件：{name(index)}>",
            "sticker": "\u200e贴图已省略",
            "voice": "\u200e<附件：00000006-AUDIO-2024-10-14-09-12-00.opus>",
            "recall": "\u200e此消息已删除。",
        }.get(line.kind, line.text)
        who = f"{NAMES[line.sender]}: " if line.sender else "\u200e"
        if line.kind != "money":
            lines.append(f"[{clock(index):%d/%m/%Y, %H:%M:%S}] {who}{said}")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "_chat.txt"
    path.write_bytes(("\r\n".join(lines) + "\r\n").encode("utf-8"))
    return path


def write_stamped_text(folder: Path) -> Path:
    """Write the plain text, which tells of pictures and does not hold them."""
    shown = {"image": "[图片]", "sticker": "[表情包]", "voice": "[语音]", "money": "[转账]"}
    blocks = []
    for index, line in enumerate(STORY):
        words = shown.get(line.kind, line.text)
        if line.answers >= 0:
            words += f"\n引用:{NAMES[STORY[line.answers].sender]}:{STORY[line.answers].text or '[图片]'}"
        name = (
            "我" if line.sender == ME else NAMES.get(line.sender, "系统消息") if line.kind != "recall" else "系统消息"
        )
        blocks.append(f"{clock(index):%Y-%m-%d %H:%M:%S} {name}\n{words}\n\n")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{ROOM_NAME}.txt"
    path.write_text("".join(blocks), encoding="utf-8")
    return path


WRITERS: dict[str, Callable[[Path], Path]] = {
    "typename-csv": write_typename_csv,
    "typename-json": write_typename_json,
    "local-csv": write_local_csv,
    "script-html": write_script_html,
    "dated-text": write_dated_text,
    "stamped-text": write_stamped_text,
}
"""NAME of a reader -> writes an export of that format into a folder and returns its path."""
