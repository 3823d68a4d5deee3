"""The rows of dated messages: what somebody wrote, sent or handed on, and what happened in the chat."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from mldr.annotation.chat import MessageKind
from mldr.annotation.readers.contract import PictureHint, Quote, RawMessage
from mldr.annotation.readers.jsonparts import moment
from mldr.annotation.readers.jsonrows import (
    Row,
    Unreadable,
    clean,
    first_said,
    identifier,
    instant,
    names_of,
    said,
    sender_for,
)
from mldr.annotation.readers.roster import Roster

_NOT_INCLUDED = "(File "
"""What stands in place of a path: `(File not included. ...)`, `(File exceeds maximum size. ...)`."""
_MEDIA: dict[str, MessageKind] = {
    "sticker": "sticker",
    "animation": "sticker",
    "voice_message": "voice",
    "audio_file": "file",
    "video_file": "video",
    "video_message": "video",
}
_PARTS: dict[str, MessageKind] = {
    "location_information": "location",
    "contact_information": "contact",
    "invoice_information": "money",
    "poll": "other",
    "game_title": "other",
}
_CALLS = ("phone_call", "group_call", "invite_to_group_call", "group_call_scheduled")


def read_message(row: Row, place: str, people: Roster) -> RawMessage:
    """Return the message of a row; the people that it names are noted.

    Raises:
        Unreadable: where a field is of another type than it must be.
    """
    time = _time(row)
    message_id = identifier(row.get("id"))
    sender = identifier(row.get("from_id")) or identifier(row.get("actor_id"))
    names = names_of(row.get("from"), row.get("actor"))
    sender = sender or next(iter(names), "")
    people.add(sender, names)
    if said(row, "type") != "message":
        return RawMessage(sender, time, _event(row, people), place, message_id, names)
    if "forwarded_from" in row or "forwarded_from_id" in row:  # null where the account is gone
        return RawMessage(sender, time, "forward", place, message_id, names)
    text, pictures = _text(row, people), _pictures(row)
    kind = "image" if pictures else "text" if text else _media(row) or _part(row)
    if kind not in ("text", "image"):
        return RawMessage(sender, time, kind, place, message_id, names)
    sender = sender_for(kind, sender)
    return RawMessage(sender, time, kind, place, message_id, names, text, pictures, _quote(row))


def _time(row: Row) -> datetime:
    """Return the instant, in files without it the clock that the exporter's own machine showed."""
    return moment(row.get("date")) if row.get("date_unixtime") in (None, "") else instant(row["date_unixtime"])


def _event(row: Row, people: Roster) -> MessageKind:
    """Return the kind of a service row; whom it names is noted, for it gives no ids."""
    members = row.get("members")
    people.add_names(names_of(*(members if isinstance(members, list) else []), row.get("inviter")))
    if said(row, "type") != "service":
        return "other"
    return "call" if said(row, "action") in _CALLS else "system"


def _text(row: Row, people: Roster) -> str:
    """Return the words: a text, or a list of texts and of objects with texts."""
    written = row.get("text")
    entities = row.get("text_entities")
    _note_mentioned(entities, people)
    _note_mentioned(written, people)
    for value in (written, entities):
        parts = value if isinstance(value, list) else [value]
        texts = [said(part, "text") if isinstance(part, dict) else part for part in parts if part is not None]
        if not all(isinstance(text, str) for text in texts):
            raise Unreadable("text is neither a text nor a list of texts")
        if text := clean("".join(texts)).strip():
            return text
    return ""


def _note_mentioned(parts: Any, people: Roster) -> None:
    for part in parts if isinstance(parts, list) else []:
        if isinstance(part, dict) and part.get("type") in ("mention_name", "mention"):
            names = names_of(said(part, "text").strip().removeprefix("@"))
            number = identifier(part.get("user_id"))
            if number:
                people.add(f"user{number}" if number.isdecimal() else number, names)
            else:
                people.add_names(names)


def _media(row: Row) -> MessageKind | None:
    if kind := _MEDIA.get(said(row, "media_type")):
        return kind
    return "file" if row.get("file") or row.get("media_type") else None


def _part(row: Row) -> MessageKind:
    return next((kind for name, kind in _PARTS.items() if row.get(name)), "other")


def _pictures(row: Row) -> tuple[PictureHint, ...]:
    """Return the photo, or the picture that was sent as a file; one that is not in the export has no path."""
    if "photo" in row:
        path = said(row, "photo")
    elif said(row, "mime_type").startswith("image/") and not said(row, "media_type"):
        path = said(row, "file")
    else:
        return ()
    return (PictureHint(() if not path or path.startswith(_NOT_INCLUDED) else (path,)),)


def _quote(row: Row) -> Quote | None:
    """Return what is answered; a message of another chat is none of this one's, whatever its number."""
    target = identifier(row.get("reply_to_message_id"))
    if not target:
        return None
    return Quote() if first_said(row, "reply_to_peer_id") else Quote(target)
