"""The rows of the interchange format, as one JSON file or as JSON Lines: `chatlab`, `meta`, `members`, `messages`.

Our profile of it gives pictures a place: the `content` of type 1 may be a path, and any message may have `mediaPath` or `media`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from mldr.annotation.chat import SPOKEN, Member, MessageKind
from mldr.annotation.readers.contract import Export, PictureHint, Quote, RawChat, RawMessage, ReadOptions
from mldr.annotation.readers.echoes import quoted_words, split_echo, stand_in
from mldr.annotation.readers.jsonrows import (
    Row,
    Unreadable,
    identifier,
    instant,
    names_of,
    person,
    said,
    sender_for,
    whole,
    with_owner,
)

_KINDS: dict[int, MessageKind] = {
    0: "text",
    1: "image",
    2: "voice",
    3: "video",
    4: "file",
    5: "sticker",
    7: "link",
    8: "location",
    20: "money",
    21: "money",
    22: "poke",
    23: "call",
    24: "link",
    25: "text",  # a reply
    26: "forward",
    27: "contact",
    80: "system",
    81: "recall",
}
_REPLY = 25
_PATH = re.compile(r"[/\\]|\.[A-Za-z0-9]{2,5}$|^[a-z]+:")
_PLATFORM = re.compile(r"[a-z][a-z0-9_-]{0,30}")


def chat_of(
    export: Export, options: ReadOptions, meta: Row, members: Iterable[Member], messages: tuple[RawMessage, ...]
) -> RawChat:
    """Return the chat of a file."""
    owner = options.owner_id or identifier(meta.get("ownerId"))
    everybody = with_owner(members, owner, messages)
    name, platform = names_of(meta.get("name")), str(meta.get("platform") or "").strip().lower()
    group = meta.get("type") == "group" if meta.get("type") else len({m.sender for m in messages if m.sender}) > 2
    return RawChat(
        chat_id=identifier(meta.get("groupId")) or _peer(everybody, group) or next(iter(name), export.path.stem),
        name=next(iter(name), ""),
        platform=platform if _PLATFORM.fullmatch(platform) else "unknown",
        group=group,
        members=everybody,
        messages=messages,
    )


def _peer(members: tuple[Member, ...], group: bool) -> str:
    """Return the other one of two, '' in a group or where the owner is not known."""
    others = [member.person for member in members if not member.owner]
    return others[0] if not group and len(members) == 2 and len(others) == 1 else ""


def member_of(row: Row) -> Member | None:
    """Return the member that a row lists, None for the system or one without an id."""
    aliases = row.get("aliases")
    names = (row.get("groupNickname"), row.get("accountName"), *(aliases if isinstance(aliases, list) else []))
    found = person(row.get("platformId"))
    return Member(found, names_of(*names)) if found else None


def message_of(row: Row, place: str) -> RawMessage:
    """Return the message of a row; a forward's `chatRecords` are never looked at.

    Raises:
        Unreadable: where its time, type or content is not what it should be, or nobody said it.
    """
    time, code, content = instant(row.get("timestamp")), whole(row.get("type")), said(row, "content")
    if code is None:
        raise Unreadable("its type is no number" if row.get("type") is not None else "it has no type")
    kind = _KINDS.get(code, "other")
    pictures = _pictures(row, content if kind == "image" else "") if kind in SPOKEN else ()
    if kind == "image":
        pictures, content = pictures or (PictureHint(),), _caption(row, content)
    text, quote = _said_and_quoted(row, code, content) if kind in SPOKEN else ("", None)
    sender = sender_for(kind, person(row.get("sender")))
    return RawMessage(
        sender=sender,
        time=time,
        kind=kind,
        place=place,
        message_id=identifier(row.get("platformMessageId")),
        names=names_of(row.get("groupNickname"), row.get("accountName")) if sender else (),
        text=text,
        pictures=pictures,
        quote=quote,
    )


def _said_and_quoted(row: Row, code: int, content: str) -> tuple[str, Quote | None]:
    """Return (own words, quote); a reply's words may be followed by those that it answers."""
    answered = identifier(row.get("replyToMessageId"))
    if code != _REPLY and not answered:
        return content, None
    own, sender, words = split_echo(content)
    kind, text = quoted_words(words)
    return own, Quote(answered, sender, None, text, kind or "") if answered or words else None


def _caption(row: Row, content: str) -> str:
    """Return what is written beside a picture: only where another field says where the picture is."""
    if not (row.get("mediaPath") or row.get("media")) or stand_in(content) or _PATH.search(content.strip()):
        return ""
    return content


def _pictures(row: Row, content: str) -> tuple[PictureHint, ...]:
    """Return a hint for each picture: `media` lists them all, else there is the one of `mediaPath` and the content."""
    media = row.get("media")
    listed = [_hint(one) for one in (media if isinstance(media, list) else [media]) if isinstance(one, str | dict)]
    single = said(row, "mediaPath").strip()
    path = content.strip() if _PATH.search(content.strip()) and not stand_in(content) else ""
    paths = tuple(dict.fromkeys(filter(None, (single, path))))
    if len(listed) > 1 or not paths:
        return tuple(hint for hint in listed if hint.paths or hint.stems)
    stems = listed[0].stems if listed else ()
    return (PictureHint(tuple(dict.fromkeys((*paths, *(listed[0].paths if listed else ())))), stems),)


def _hint(one: str | Row) -> PictureHint:
    if isinstance(one, str):
        return PictureHint((one.strip(),)) if one.strip() else PictureHint()
    if one.get("type") not in (None, "", "image", 1):
        return PictureHint()
    paths = (said(one, name).strip() for name in ("path", "mediaPath", "file", "localPath"))
    stems = (said(one, name).strip() for name in ("md5", "hash"))
    return PictureHint(tuple(dict.fromkeys(filter(None, paths))), tuple(dict.fromkeys(filter(None, stems))))
