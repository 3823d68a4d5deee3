"""The messages of exports with a `chatInfo`, single and in chunks, old (`messageId`, ISO times) and new (`id`, milliseconds)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any, Literal

from mldr.annotation.chat import MessageKind
from mldr.annotation.readers.contract import Export, PictureHint, Quote, RawChat, RawMessage, ReadOptions, Tally
from mldr.annotation.readers.jsonparts import table, tables, time_of, time_or_none
from mldr.annotation.readers.jsonrows import Row, first_said, flag, identifier, names_of, read_rows, said, sender_for
from mldr.annotation.readers.roster import Roster

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


def read_chat(
    chat_info: Row, rows: Iterable[tuple[str, Row]], export: Export, options: ReadOptions, tally: Tally
) -> RawChat:
    """Return the chat of a `chatInfo` and its (place, message)s."""
    people = Roster()
    own = identifier(chat_info.get("selfUid")) or identifier(chat_info.get("selfUin"))
    people.add(own, names_of(chat_info.get("selfName")))
    people.own(own or options.owner_id)
    people.same(own, identifier(chat_info.get("selfUin")))
    name, group = next(iter(names_of(chat_info.get("name"))), ""), chat_info.get("type") == "group"
    peer, peer_uin = identifier(chat_info.get("peerUid")), identifier(chat_info.get("peerUin"))
    if not group:
        people.add(peer or peer_uin, names_of(name))
        people.same(peer, peer_uin)
    messages = read_rows(rows, tally, lambda row, place: _message(row, place, people))
    chat_id = peer or peer_uin or name or export.path.stem
    return RawChat(chat_id, name, "qq", group, people.members(), people.settled(messages))


def _message(row: Row, place: str, people: Roster) -> RawMessage:
    content = table(row.get("content"), "content")
    sender, names = _sender(table(row.get("sender"), "sender"), people)
    _note_mentioned(content, people)
    message_id = identifier(row.get("id")) or identifier(row.get("messageId"))
    time = time_of(row.get("timestamp"))
    elements = tables(content.get("elements"), "content.elements")
    kind, text, pictures = _event(row, elements), "", tuple[PictureHint, ...]()
    if not kind:
        sender = sender_for("text", sender)
        text = _text(elements) if elements else _old_text(content)
        pictures = _pictures(elements, tables(content.get("resources"), "content.resources"))
        kind = "image" if pictures else "text" if text else _silent(row, elements, content)
    if kind == "image" and not pictures:
        pictures = (PictureHint(),)
    quote = _quote(elements, content, message_id) if kind in ("text", "image") else None
    return RawMessage(sender, time, kind, place, message_id, names, text, pictures, quote)


def _sender(sender: Row, people: Roster) -> tuple[str, tuple[str, ...]]:
    """Return (id, names) of who sent a message; `title` is a rank, no name."""
    uid, uin = identifier(sender.get("uid")), identifier(sender.get("uin"))
    called = names_of(*(sender.get(name) for name in ("name", "groupCard", "remark", "nickname")))
    names = tuple(name for name in called if name not in (uid, uin))
    people.add(uid or uin, names)
    people.same(uid, uin)
    return uid or uin, names


def _note_mentioned(content: Row, people: Roster) -> None:
    mentions = tables(content.get("mentions"), "content.mentions")
    for element in tables(content.get("elements"), "content.elements"):
        if element.get("type") == "at":
            mentions = [*mentions, table(element.get("data"), "data")]
    for mention in mentions:
        person = identifier(mention.get("uid")) or identifier(mention.get("uin"))
        names = names_of(said(mention, "name").strip().removeprefix("@"))
        if mention.get("type") == "all" or person == "all":
            continue
        if person:
            people.add(person, names)
        else:
            people.add_names(names)


def _event(row: Row, elements: list[Row]) -> MessageKind | Literal[""]:
    """Return what a message is whatever else it holds: taken back, of nobody, or other people's words; '' for all others."""
    if flag(row.get("recalled")) or flag(row.get("isRecalled")):
        return "recall"
    if flag(row.get("system")) or flag(row.get("isSystemMessage")):
        return "system"
    content = table(row.get("content"), "content")
    types = {said(element, "type") for element in elements}
    return "forward" if "forward" in types or content.get("multiForward") else ""


def _text(elements: list[Row]) -> str:
    parts = []
    for element in elements:
        content = table(element.get("data"), "data")
        if element.get("type") == "text":
            parts.append(said(content, "text"))
        elif element.get("type") == "at":
            name = said(content, "name") or said(content, "text")
            parts.append(name if name.startswith("@") or not name else f"@{name}")
    return "".join(parts).strip()


def _old_text(content: Row) -> str:
    """Return the words of a message without elements: its text, without the echo of what it answers and without placeholders."""
    text = said(content, "text")
    if reply := table(content.get("reply"), "content.reply"):
        echo = f"[回复 {said(reply, 'senderName')}: {said(reply, 'content')}]"
        text = text.removeprefix(echo)
        text = re.sub(r"^\s*\[回复[^\[\]\n]*\]", "", text)
    return _PLACEHOLDER.sub("", text).strip()


def _silent(row: Row, elements: list[Row], content: Row) -> MessageKind:
    """Return the kind of a message without words and pictures."""
    for part in [*elements, *tables(content.get("resources"), "content.resources")]:
        if kind := _KINDS.get(said(part, "type")):
            return kind
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
        local = said(source, "localPath").replace("\\", "/")
        url = said(source, "url")
        if local and not local.startswith(("/", "~", "resources/")) and ":" not in local:
            paths += [f"resources/{local}", *([] if "/" in local else [f"resources/images/{local}"])]
        paths += [path for path in (local, url) if path]
        name = first_said(source, "filename", "fileName")
        stems += [stem for stem in (said(source, "md5"), PurePosixPath(name).stem) if _HASH.fullmatch(stem)]
    return PictureHint(tuple(dict.fromkeys(paths)), tuple(dict.fromkeys(stem.lower() for stem in stems)))


def _quote(elements: list[Row], content: Row, own_id: str) -> Quote | None:
    """Return what a message answers; ids that are '' or '0' are none."""
    replies = [table(element.get("data"), "data") for element in elements if element.get("type") == "reply"]
    old = table(content.get("reply"), "content.reply")
    reply = next((one for one in [*replies, old] if one), None)
    if reply is None:
        return Quote() if replies else None
    ids = (identifier(reply.get(name)) for name in _TARGETS)
    target = next((one for one in ids if one not in ("", "0") and one != own_id), "")
    senders = (identifier(reply.get(name)) for name in ("senderUid", "senderUin", "senderName"))
    sender = next((one for one in senders if one not in ("", "0")), "")
    text = said(reply, "content").strip()
    time = time_or_none(reply.get("timestamp") or reply.get("time"))
    return Quote(target, sender, time, "" if _QUOTED_NOTHING.fullmatch(text) else text)
