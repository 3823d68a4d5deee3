"""Exports that are one list of messages, each with its `talker` (the chat); several chats may stand in one file."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from mldr.annotation.chat import OWNER, Member
from mldr.annotation.readers.contract import Export, PictureHint, Quote, RawChat, RawMessage, ReadOptions, Tally
from mldr.annotation.readers.headkeys import has_all, keys_of
from mldr.annotation.readers.jsonrows import (
    EARLIEST,
    LATEST,
    Row,
    Unreadable,
    flag,
    identifier,
    instant,
    names_of,
    person,
    rows_at,
    said,
    sender_for,
    whole,
    with_owner,
)
from mldr.annotation.readers.wechatkinds import is_reply, kind_of, kind_of_notice

NAME = "talker-json"
SUMMARY = "a JSON list of messages with talker, isChatRoom, seq and contents"

_ZONED = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)")
_SIZE = re.compile(r"_[a-z]$")


def matches(head: str, path: Path) -> bool:
    """Return whether the head is a list of such messages."""
    keys = keys_of(head)
    return has_all(keys, "item.talker", "item.isChatRoom") or has_all(keys, "item.talker", "item.seq", "item.isSelf")


@dataclass(slots=True)
class _Chat:
    """One talker's messages while the file is read."""

    name: str = ""
    group: bool = False
    messages: list[RawMessage] = field(default_factory=list)
    selves: dict[str, set[bool]] = field(default_factory=lambda: defaultdict(set))
    """Sender -> what `isSelf` said of that person's messages."""
    tally: Tally = field(default_factory=Tally)


def read(export: Export, options: ReadOptions, tally: Tally) -> Iterator[RawChat]:
    """Yield the chats, in the order in which they begin.

    Raises:
        InputError: where the file is not JSON, or not a list.
    """
    chats: dict[str, _Chat] = defaultdict(_Chat)
    strays = Tally()
    for place, row in rows_at(export, "", strays):
        talker = identifier(row.get("talker"))
        if not talker:
            strays.drop(place, "it has no talker")
            continue
        strays.rows -= 1
        chats[talker].tally.rows += 1
        _take(chats[talker], talker, row, place)
    for talker, chat in chats.items():
        if chat.messages:
            tally.take(chat.tally)
            yield _finished(talker, chat, options)
        else:
            strays.take(chat.tally)
    tally.take(strays)


def _take(chat: _Chat, talker: str, row: Row, place: str) -> None:
    try:
        message = _message(row, place, talker)
    except Unreadable as reason:
        chat.tally.drop(place, str(reason))
        return
    chat.group = chat.group or _in_room(row, talker)
    chat.name = chat.name or next(iter(names_of(row.get("talkerName"))), "")
    chat.messages.append(message)
    if message.sender:
        chat.selves[message.sender].add(flag(row.get("isSelf")))


def _in_room(row: Row, talker: str) -> bool:
    return flag(row.get("isChatRoom")) or talker.endswith("@chatroom")


def _finished(talker: str, chat: _Chat, options: ReadOptions) -> RawChat:
    """Return a chat. What `isSelf` says is a guess: it is taken only where nobody says better and it never contradicts itself."""
    claimed = [sender for sender, marks in chat.selves.items() if True in marks and sender != OWNER]
    consistent = len(claimed) == 1 and chat.selves[claimed[0]] == {True}
    owner = options.owner_id or (claimed[0] if consistent else OWNER)
    messages = tuple(replace(m, sender=owner) if m.sender == OWNER else m for m in chat.messages)
    peer = [] if chat.group else [Member(talker, names_of(chat.name))]
    return RawChat(talker, chat.name, "wechat", chat.group, with_owner(peer, owner, messages), messages)


def _message(row: Row, place: str, talker: str) -> RawMessage:
    code, subtype = _codes(row)
    content, kind = said(row, "content"), kind_of(code, subtype)
    sender = person(row.get("sender"))
    if kind == "system":
        kind, sender = kind_of_notice(content), ""
    elif not sender and flag(row.get("isSelf")):
        sender = OWNER
    elif not sender and not _in_room(row, talker):
        sender = talker
    contents = row["contents"] if isinstance(row.get("contents"), dict) else {}
    return RawMessage(
        sender=sender_for(kind, sender),
        time=_time(row),
        kind=kind,
        place=place,
        message_id=identifier(row.get("seq")),
        names=names_of(row.get("senderName")) if sender else (),
        text=content if kind == "text" else "",
        pictures=(_hint(contents),) if kind == "image" else (),
        quote=_quote(contents.get("refer")) if is_reply(code, subtype) else None,
    )


def _codes(row: Row) -> tuple[int, int]:
    code, subtype = whole(row.get("type")), row.get("subType")
    if code is None:
        raise Unreadable("its type is no number" if row.get("type") is not None else "it has no type")
    return code, whole(subtype) or 0


def _time(row: Row) -> datetime:
    """Return the instant of a row: that of `time`, else the one in `seq`, whose last three digits only number."""
    words = row.get("time")
    if isinstance(words, str) and _ZONED.fullmatch(words.strip()):
        try:
            time = datetime.fromisoformat(words.strip()).astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise Unreadable("its time is no time") from error
        if EARLIEST <= time.timestamp() < LATEST:
            return time
    number = whole(row.get("seq"))
    return instant(number // 1000 if number is not None else words)


def _quote(refer: Any) -> Quote | None:
    """Return what the nested message says; its own quote and its number, which is 0, are left."""
    if not isinstance(refer, dict):
        return None
    try:
        code, subtype = _codes(refer)
        kind, content = kind_of(code, subtype), said(refer, "content")
        time = _time(refer) if refer.get("time") or identifier(refer.get("seq")) else None
    except Unreadable:
        return Quote("", person(refer.get("sender")) or next(iter(names_of(refer.get("senderName"))), ""))
    sender = person(refer.get("sender")) or next(iter(names_of(refer.get("senderName"))), "")
    return Quote("", sender, time, content if kind == "text" else "", kind)


def _hint(contents: Row) -> PictureHint:
    """Return how a picture may be found: by its hash or its file's stem; a `.dat` is no picture yet, so its path is none."""
    written = [str(contents.get(name)) for name in ("path", "thumbpath") if isinstance(contents.get(name), str)]
    relative = [path.replace("\\", "/").strip() for path in written if path.strip()]
    stems = [str(contents.get("md5") or "").strip().lower(), *(PurePosixPath(path).stem for path in relative)]
    stems += [_SIZE.sub("", stem) for stem in stems]
    return PictureHint(
        tuple(path for path in relative if PurePosixPath(path).suffix.lower() not in ("", ".dat")),
        tuple(dict.fromkeys(filter(None, stems))),
    )
