"""A page whose script holds the chat as JavaScript literals: pictures and quotes are there, people by their shown names only."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from mldr.annotation.chat import OWNER, MessageKind
from mldr.annotation.readers.clocks import moment_of
from mldr.annotation.readers.contract import Export, PictureHint, Quote, RawChat, RawMessage, ReadOptions, Tally
from mldr.annotation.readers.jsliterals import CutShort, elements_of, value_of
from mldr.annotation.readers.opening import text_of
from mldr.annotation.readers.quotes import quote_told
from mldr.annotation.readers.sheets import flag_of
from mldr.annotation.readers.standins import chat_id_of, is_group, members_of
from mldr.annotation.readers.wechatkinds import kind_of, kind_of_notice
from mldr.errors import fault

NAME = "script-html"
SUMMARY = "HTML with a script that says const chatMessages = [ ... ]"

_SCRIPT = re.compile(r"<script\b")
_START = re.compile(r"(?:const|let|var)\s+chatMessages\s*=\s*\[(?=\s*[\]{/])")
_TITLE = re.compile(r"<title>([^<>]{1,200})</title>", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:amp|lt|gt|quot|apos|nbsp|#39|#x27);")
_TOLD_BY: tuple[tuple[tuple[str, ...], MessageKind], ...] = (
    (("paysubtype", "feedesc"), "money"),
    (("file_name", "file_size"), "file"),
    (("url", "title"), "link"),
)
"""What the keys of an app message say where its subtype says nothing."""


def matches(head: str, path: Path) -> bool:
    """Return whether this is a page in whose script the list of messages opens."""
    script = _SCRIPT.search(head)
    return head.lstrip().startswith("<") and script is not None and bool(_START.search(head, script.end()))


def read(export: Export, options: ReadOptions, tally: Tally) -> Iterator[RawChat]:
    """Yield the one chat of a page.

    Raises:
        InputError: where the list of messages does not end.
    """
    title = _TITLE.search(export.head)
    name = html.unescape(title[1]).strip() if title else export.path.stem
    messages: list[RawMessage] = []
    room = False
    for place, row in _rows(export, tally):
        message = _message(place, row, name, options)
        if isinstance(message, str):
            tally.drop(place, message)
            continue
        messages.append(message)
        room = room or bool(flag_of(row.get("is_chatroom")))
    if messages:
        group = room or is_group(messages, options.owner_id or OWNER)
        yield RawChat(chat_id_of(messages), name, "wechat", group, members_of(messages, options), tuple(messages))


def _rows(export: Export, tally: Tally) -> Iterator[tuple[str, Mapping[str, Any]]]:
    with text_of(export) as stream:
        try:
            for position, element in enumerate(elements_of(stream, _SCRIPT, _START)):
                place = f"chatMessages[{position}]"
                tally.rows += 1
                try:
                    row = value_of(element)
                except ValueError:
                    tally.drop(place, "is no literal that can be read without running it")
                    continue
                if isinstance(row, dict):
                    yield place, row
                else:
                    tally.drop(place, "is no object of names and values")
        except CutShort as error:
            raise fault(str(export.path), f"{error}; was the export cut short?") from error


def _message(place: str, row: Mapping[str, Any], chat: str, options: ReadOptions) -> RawMessage | str:
    """Return a message, or why there is none."""
    time, own = moment_of(_said(row, "timestamp")), flag_of(row.get("is_send"))
    if time is None:
        return "its timestamp is no time"
    kind, text = _kind(row), _said(row, "text")
    if kind is None:
        return "its type is no number"
    if kind != "system" and own is None:
        return "its is_send is neither 0 nor 1"
    shown = _said(row, "displayname")
    quote = _quote(row) if kind == "text" else None
    return RawMessage(
        sender="" if kind == "system" else (options.owner_id or OWNER) if own else shown or chat,
        time=time,
        kind=kind_of_notice(text) if kind == "system" else "other" if kind == "text" and not text else kind,
        place=place,
        names=(shown,) if shown and kind != "system" else (),
        text=text if kind == "text" else "",
        pictures=(PictureHint((text,), (PurePosixPath(text).stem,)),) if kind == "image" else (),
        quote=quote,
    )


def _said(row: Mapping[str, Any], name: str) -> str:
    """Return a value as text: entities of the page undone, halves of broken emoji replaced."""
    value = row.get(name)
    if not isinstance(value, (str, int, float)) or isinstance(value, bool):
        return ""
    text = _ENTITY.sub(lambda found: html.unescape(found[0]), str(value)).replace("\0", "")
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").strip()


def _kind(row: Mapping[str, Any]) -> MessageKind | None:
    """Return the kind of a row; its type 0 is a system line, and a sticker is a picture with a URL."""
    codes = [_said(row, name) or "0" for name in ("type", "sub_type")]
    if not _said(row, "type") or not all(re.fullmatch(r"-?[0-9]{1,20}", code) for code in codes):
        return None
    code, subtype = map(int, codes)
    if code == 0:
        return "system"
    kind = kind_of(code, subtype)
    if kind == "image" and re.match(r"(?:[a-z]+:)?//|data:", _said(row, "text"), re.IGNORECASE):
        return "sticker"
    if kind == "other" and _said(row, "refer_text"):
        return "text"
    told = (name for keys, name in _TOLD_BY if any(_said(row, key) for key in keys))
    return next(told, kind) if kind == "other" else kind


def _quote(row: Mapping[str, Any]) -> Quote | None:
    told = _said(row, "refer_text")
    return quote_told(told) if told else None
