"""Rows with a type_name: what their tables and their JSON pages share. Times are a clock without a zone."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import PureWindowsPath
from typing import Any

from mldr.annotation.chat import OWNER
from mldr.annotation.readers.clocks import moment_of
from mldr.annotation.readers.contract import Export, PictureHint, RawChat, RawMessage, ReadOptions, Tally
from mldr.annotation.readers.quotes import own_words
from mldr.annotation.readers.sheets import flag_of, id_of
from mldr.annotation.readers.standins import chat_id_of, is_group, members_of
from mldr.annotation.readers.usersfile import names_beside
from mldr.annotation.readers.wechatkinds import kind_of_label, kind_of_notice
from mldr.files import parse_json

COLUMNS = frozenset({"msgsvrid", "type_name", "is_sender", "talker", "createtime"})
"""In every generation; beside them stand msg and src, or content, and room_name or not."""

_SELF = "我"
_NOBODY = frozenset({"", "系统", "系统消息", "system"})
_PICTURE = re.compile(r"(?:[^\n]*[\\/])?[^\n\\/]+\.(?:jpe?g|png|gif|webp|bmp|heic|dat)", re.IGNORECASE)


def chats_of(
    rows: Iterable[tuple[str, Mapping[str, Any]]], export: Export, options: ReadOptions, tally: Tally
) -> Iterator[RawChat]:
    """Yield the chats of (place, row) pairs, by room_name, each with its messages in the order of the file."""
    names = names_beside(export)
    rooms: dict[str, list[RawMessage]] = {}
    tallies: dict[str, Tally] = defaultdict(Tally)
    for place, row in rows:
        room = _cell(row, "room_name")
        tallies[room].rows += 1
        message = _message(place, row, options)
        if isinstance(message, str):
            tallies[room].drop(place, message)
        else:
            rooms.setdefault(room, []).append(message)
    for room, messages in rooms.items():
        tally.take(tallies.pop(room))
        group = room.endswith("@chatroom") or is_group(messages, options.owner_id or OWNER)
        members = tuple(
            replace(member, names=tuple(dict.fromkeys((*names.get(member.person, ()), *member.names))))
            for member in members_of(messages, options)
        )
        shown = next(iter(names.get(room, ())), room)
        yield RawChat(room or chat_id_of(messages), shown, "wechat", group, members, tuple(messages))
    for rest in tallies.values():
        tally.take(rest)


def _message(place: str, row: Mapping[str, Any], options: ReadOptions) -> RawMessage | str:
    """Return a row's message, or why there is none."""
    time = moment_of(_cell(row, "createtime"), options.date_order)
    if time is None:
        return "its CreateTime is no time (for dates like 10/4/2024, pass --date-order)"
    said = _said(row)
    if said is None:
        return "its content is not the JSON of msg and src"
    msg, src = said
    kind = kind_of_label(_cell(row, "type_name")) or "other"
    if kind == "system":
        kind = kind_of_notice(msg)
    sender = "" if kind == "system" else _sender(row, options)
    if sender is None:
        return "its is_sender is neither 0 nor 1, or says another than its talker"
    quote = None
    if kind == "text":
        msg, quote = own_words(msg, options.date_order)
        kind = kind if msg else "other"  # a reply without words
    return RawMessage(
        sender=sender,
        time=time,
        kind=kind,
        place=place,
        message_id=id_of(row.get("msgsvrid")),
        names=_names(row) if sender else (),
        text=msg if kind == "text" else "",
        pictures=(_picture(msg, src),) if kind == "image" else (),
        quote=quote,
    )


def _cell(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    return (
        ""
        if value is None or isinstance(value, (dict, list))
        else str(value).replace("\r\n", "\n").replace("\0", "").strip()
    )


def _said(row: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return (msg, src), which stand in columns of their own or in the JSON of `content`; None where that JSON is broken."""
    if "content" not in row:
        return _cell(row, "msg"), _cell(row, "src")
    content: Any = row["content"]
    if isinstance(content, str) and re.match(r"\s*\{\s*\"(?:src|msg)\"", content):
        try:
            content = parse_json(content)
        except ValueError:
            return None
    if isinstance(content, dict):
        return _cell(content, "msg"), _cell(content, "src")
    return _cell(row, "content"), _cell(row, "src")


def _sender(row: Mapping[str, Any], options: ReadOptions) -> str | None:
    talker, own = _cell(row, "talker"), flag_of(row.get("is_sender"))
    if own is None or (talker == _SELF and not own):
        return None
    return (options.owner_id or OWNER) if own else "" if talker.lower() in _NOBODY else talker


def _names(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what a row calls its sender; an own row may hold the other one, whose id is the room's."""
    talker = _cell(row, "talker")
    if talker.lower() in _NOBODY or talker == _SELF:
        return ()
    return () if flag_of(row.get("is_sender")) and talker == _cell(row, "room_name") else (talker,)


def _picture(msg: str, src: str) -> PictureHint:
    """Return where a picture may be; a .dat holds no picture that could be read, so its stem alone is kept."""
    path = next((path for path in (src, msg) if _PICTURE.fullmatch(path) and "://" not in path), "")
    if not path:
        return PictureHint()
    stem = PureWindowsPath(path).stem
    stems = tuple(dict.fromkeys((stem, stem.removesuffix("_t"))))
    return PictureHint(stems=stems) if path.lower().endswith(".dat") else PictureHint((path,), stems)
