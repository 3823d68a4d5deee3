"""The messages of exports with a `chatInfo`, single and in chunks, old (`messageId`, ISO times) and new (`id`, milliseconds)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from mldr.annotation.chat import MessageKind
from mldr.annotation.readers.contract import Export, PictureHint, Quote, RawChat, RawMessage, ReadOptions, Tally
from mldr.annotation.readers.jsonfields import (
    flag,
    ident,
    messages_of,
    table,
    tables,
    time_of,
    time_or_none,
    words,
)
from mldr.annotation.readers.people import People

Row = dict[str, Any]

_KINDS: dict[str, MessageKind] = {
    "market_face": "sticker",
    "face": "sticker",
    "audio": "voice",
    "voice": "voice",
    "video": "video",
    "file": "file",
    "json": "link",
    "location": "location",
    "system": "system",
}
_TARGETS = ("referencedMessageId", "replyMsgId", "msgId", "messageId")
_PLACEHOLDER = re.compile(
    r"\[(?:图片|动画表情|表情|语音|视频|文件|回复|转发|JSON|位置|卡片)(?:消息)?(?:\d+|[:：][^\[\]\n]*)?\]"
)
_QUOTED_NOTHING = re.compile(r"(?:\[[^\[\]]*\]\s*)+|引用消息")
_HASH = re.compile(r"(?i)[0-9a-f]{16,64}")
_NOBODY = ("", "0", "all")


def read_chat(
    chat_info: Row, rows: Iterable[tuple[str, Any]], export: Export, options: ReadOptions, tally: Tally
) -> RawChat:
    """Return the chat of a `chatInfo` and its (place, message)s."""
    people = People()
    own = ident(chat_info.get("selfUid"), "selfUid") or ident(chat_info.get("selfUin"), "selfUin") or options.owner_id
    people.add(own, [words(chat_info.get("selfName"), "selfName")], owner=True)
    people.same(own, ident(chat_info.get("selfUin"), "selfUin"))
    name, group = words(chat_info.get("name"), "name"), chat_info.get("type") == "group"
    peer, peer_uin = ident(chat_info.get("peerUid"), "peerUid"), ident(chat_info.get("peerUin"), "peerUin")
    if not group:
        people.add(peer or peer_uin, [name])
        people.same(peer, peer_uin)
    messages = list(messages_of(rows, lambda row, place: _message(row, place, people), tally))
    chat_id = peer or peer_uin or name or Path(export.path).stem
    return RawChat(chat_id, name, "qq", group, people.members(), people.settled(messages))


def _message(row: Row, place: str, people: People) -> RawMessage:
    content = table(row.get("content"), "content")
    sender, names = _sender(table(row.get("sender"), "sender"), people)
    _note_mentioned(content, people)
    message_id = ident(row.get("id"), "id") or ident(row.get("messageId"), "messageId")
    time = time_of(row.get("timestamp"), "timestamp")
    elements = tables(content.get("elements"), "content.elements")
    kind, text, pictures = _event(row, elements), "", tuple[PictureHint, ...]()
    if not kind:
        text = _text(elements) if elements else _old_text(content)
        pictures = _pictures(elements, tables(content.get("resources"), "content.resources"))
        kind = "image" if pictures else "text" if text else _silent(row, elements, content)
    if kind == "image" and not pictures:
        pictures = (PictureHint(),)
    quote = _quote(elements, content, message_id) if kind in ("text", "image") else None
    return RawMessage(sender, time, kind, place, message_id, names, text, pictures, quote)


def _sender(sender: Row, people: People) -> tuple[str, tuple[str, ...]]:
    """Return (id, names) of who sent a message; `title` is a rank, no name."""
    uid, uin = (ident(sender.get(name), f"sender.{name}") for name in ("uid", "uin"))
    uid, uin = (one if one not in _NOBODY else "" for one in (uid, uin))
    called = (words(sender.get(name), f"sender.{name}") for name in ("name", "groupCard", "remark", "nickname"))
    names = tuple(dict.fromkeys(name for name in called if name and name not in (uid, uin)))
    people.add(uid or uin, names)
    people.same(uid, uin)
    return uid or uin, names


def _note_mentioned(content: Row, people: People) -> None:
    mentions = tables(content.get("mentions"), "content.mentions")
    for element in tables(content.get("elements"), "content.elements"):
        if element.get("type") == "at":
            mentions = [*mentions, table(element.get("data"), "data")]
    for mention in mentions:
        uid, name = ident(mention.get("uid"), "uid"), words(mention.get("name"), "name").removeprefix("@").strip()
        uid = uid or ident(mention.get("uin"), "uin")
        if mention.get("type") == "all" or uid in ("0", "all"):
            continue
        if uid:
            people.add(uid, [name])
        else:
            people.add_name(name)


def _event(row: Row, elements: list[Row]) -> MessageKind | Literal[""]:
    """Return what a message is whatever else it holds: taken back, of nobody, or other people's words; '' for all others."""
    if flag(row.get("recalled"), "recalled") or flag(row.get("isRecalled"), "isRecalled"):
        return "recall"
    if flag(row.get("system"), "system") or flag(row.get("isSystemMessage"), "isSystemMessage"):
        return "system"
    content = table(row.get("content"), "content")
    types = {element.get("type") for element in elements}
    return "forward" if "forward" in types or content.get("multiForward") else ""


def _text(elements: list[Row]) -> str:
    parts = []
    for element in elements:
        content = table(element.get("data"), "data")
        if element.get("type") == "text":
            parts.append(words(content.get("text"), "text"))
        elif element.get("type") == "at":
            name = words(content.get("name"), "name") or words(content.get("text"), "text")
            parts.append(name if name.startswith("@") or not name else f"@{name}")
    return "".join(parts).strip()


def _old_text(content: Row) -> str:
    """Return the words of a message without elements: its text, without the echo of what it answers and without placeholders."""
    text = words(content.get("text"), "content.text")
    if reply := table(content.get("reply"), "content.reply"):
        echo = f"[回复 {words(reply.get('senderName'), 'senderName')}: {words(reply.get('content'), 'content')}]"
        text = text.removeprefix(echo)
        text = re.sub(r"^\s*\[回复[^\[\]\n]*\]", "", text)
    return _PLACEHOLDER.sub("", text).strip()


def _silent(row: Row, elements: list[Row], content: Row) -> MessageKind:
    """Return the kind of a message without words and pictures."""
    for part in [*elements, *tables(content.get("resources"), "content.resources")]:
        if part.get("type") in _KINDS:
            return _KINDS[part["type"]]
    if content.get("emojis"):
        return "sticker"
    if content.get("card"):
        return "link"
    if content.get("location"):
        return "location"
    by_number: dict[Any, MessageKind] = {3: "image", 7: "video"}
    number = row.get("messageType")
    return by_number.get(number, "other") if isinstance(number, int) else "other"


def _pictures(elements: list[Row], resources: list[Row]) -> tuple[PictureHint, ...]:
    """Return a hint for each image element; a message without elements has its pictures among its resources."""
    kept = [resource for resource in resources if resource.get("type") == "image"]
    images = [table(element.get("data"), "data") for element in elements if element.get("type") == "image"]
    if not elements:
        return tuple(_hint([resource]) for resource in kept)
    hints = []
    for index, image in enumerate(images):
        name = image.get("filename")
        beside = [resource for resource in kept if name and resource.get("filename") == name]
        beside = beside or (kept[index : index + 1] if len(kept) == len(images) else [])
        hints.append(_hint([image, *beside]))
    return tuple(hints)


def _hint(sources: list[Row]) -> PictureHint:
    """Return where a picture may be: `localPath` counts from `resources/`, in older files from a folder of its type there."""
    paths: list[str] = []
    stems: list[str] = []
    for source in sources:
        local = words(source.get("localPath"), "localPath").replace("\\", "/")
        url = words(source.get("url"), "url")
        if local and not local.startswith(("/", "~", "resources/")) and ":" not in local:
            paths += [f"resources/{local}", *([] if "/" in local else [f"resources/images/{local}"])]
        paths += [path for path in (local, url) if path]
        name = words(source.get("filename") or source.get("fileName"), "filename")
        stems += [stem for stem in (words(source.get("md5"), "md5"), PurePosixPath(name).stem) if _HASH.fullmatch(stem)]
    return PictureHint(tuple(dict.fromkeys(paths)), tuple(dict.fromkeys(stem.lower() for stem in stems)))


def _quote(elements: list[Row], content: Row, own_id: str) -> Quote | None:
    """Return what a message answers; ids that are '' or '0' are none."""
    replies = [table(element.get("data"), "data") for element in elements if element.get("type") == "reply"]
    old = table(content.get("reply"), "content.reply")
    reply = next((one for one in [*replies, old] if one), None)
    if reply is None:
        return Quote() if replies else None
    ids = (ident(reply.get(name), name) for name in _TARGETS)
    target = next((one for one in ids if one not in ("", "0") and one != own_id), "")
    senders = (ident(reply.get(name), name) for name in ("senderUid", "senderUin", "senderName"))
    sender = next((one for one in senders if one not in ("", "0")), "")
    text = words(reply.get("content"), "content").strip()
    time = time_or_none(reply.get("timestamp") or reply.get("time"))
    return Quote(target, sender, time, "" if _QUOTED_NOTHING.fullmatch(text) else text)
