"""Exports of one channel: an object with `guild`, `channel` and `messages`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from mldr.annotation.chat import MessageKind
from mldr.annotation.readers.contract import Export, PictureHint, Quote, RawChat, RawMessage, ReadOptions, Tally
from mldr.annotation.readers.headkeys import has_all, keys_of
from mldr.annotation.readers.jsonparts import moment, table, tables
from mldr.annotation.readers.jsonrows import Row, identifier, names_of, object_at, read_rows, rows_at, said, sender_for
from mldr.annotation.readers.roster import Roster

NAME = "guild-json"
SUMMARY = "JSON with a guild, a channel and their messages"

_SPOKEN = ("Default", "Reply", "0", "19", "")
_ENDINGS: dict[str, MessageKind] = {
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".heic", ".avif", ".tif", ".tiff"), "image"),
    **dict.fromkeys((".ogg", ".mp3", ".m4a", ".wav", ".flac", ".opus"), "voice"),
    **dict.fromkeys((".mp4", ".mov", ".webm", ".mkv", ".avi"), "video"),
}


def matches(head: str, path: Path) -> bool:
    """Return whether the head shows a guild and a channel, or messages of such."""
    keys = keys_of(head)
    by = "messages.item."
    return has_all(keys, "guild", "channel") or has_all(
        keys, f"{by}timestamp", f"{by}author.id", f"{by}attachments", f"{by}isPinned"
    )


def read(export: Export, options: ReadOptions, tally: Tally) -> Iterator[RawChat]:
    """Yield the channel, its oldest message first.

    Raises:
        InputError: where the file is not JSON, or has no messages.
    """
    people = Roster()
    people.own(options.owner_id)
    channel = object_at(export, "channel")
    rows = rows_at(export, "messages", tally)
    messages = oldest_first(read_rows(rows, tally, lambda row, place: _message(row, place, people)))
    name = next(iter(names_of(channel.get("name"))), "")
    chat_id = identifier(channel.get("id")) or name or export.path.stem
    group = channel.get("type") not in ("DirectTextChat", "DM", "1")
    yield RawChat(chat_id, name, "discord", group, people.members(), messages)


def oldest_first(messages: tuple[RawMessage, ...]) -> tuple[RawMessage, ...]:
    """Return messages that stand with the newest first (an exporter's setting) the other way round; all others as they are."""
    times = [message.time for message in messages]
    if len({time.tzinfo is None for time in times}) > 1:
        return messages
    falling = all(earlier >= later for earlier, later in pairwise(times))
    return messages[::-1] if falling and times and times[0] > times[-1] else messages


def _message(row: Row, place: str, people: Roster) -> RawMessage:
    sender, names = _noted(table(row.get("author"), "author"), people)
    _note_others(row, people)
    time, message_id = moment(row.get("timestamp")), identifier(row.get("id"))
    reference = table(row.get("reference"), "reference")
    if row.get("forwardedMessage") or reference.get("type") == "Forward":
        return RawMessage(sender, time, "forward", place, message_id, names)
    if said(row, "type") not in _SPOKEN:
        kind: MessageKind = "call" if said(row, "type") in ("Call", "3") else "system"
        return RawMessage(sender, time, kind, place, message_id, names)
    text, attachments = said(row, "content").strip(), tables(row.get("attachments"), "attachments")
    pictures = tuple(_hint(one) for one in attachments if _kind_of(one) == "image")
    kind = "image" if pictures else "text" if text else _silent(row, attachments)
    if kind not in ("text", "image"):
        return RawMessage(sender, time, kind, place, message_id, names)
    quote = Quote(identifier(reference.get("messageId"))) if reference else None
    return RawMessage(sender_for(kind, sender), time, kind, place, message_id, names, text, pictures, quote)


def _noted(user: Row, people: Roster) -> tuple[str, tuple[str, ...]]:
    """Return (id, names) of a user, noted as somebody of the chat."""
    person, names = identifier(user.get("id")), names_of(user.get("nickname"), user.get("name"))
    people.add(person, names)
    return person, names


def _note_others(row: Row, people: Roster) -> None:
    """Note whom a message mentions, who reacted and who called a bot: their names stand in what people write."""
    for user in tables(row.get("mentions"), "mentions"):
        _noted(user, people)
    for reaction in tables(row.get("reactions"), "reactions"):
        for user in tables(reaction.get("users"), "reactions.users"):
            _noted(user, people)
    _noted(table(table(row.get("interaction"), "interaction").get("user"), "interaction.user"), people)


def _kind_of(attachment: Row) -> MessageKind:
    ending = PurePosixPath(said(attachment, "fileName") or said(attachment, "url").partition("?")[0]).suffix.lower()
    return _ENDINGS.get(ending, "file")


def _hint(attachment: Row) -> PictureHint:
    """Return where a picture may be; never by `fileName`, which many pictures share (`image.png`)."""
    url = said(attachment, "url")
    return PictureHint(tuple(dict.fromkeys(path for path in (url, unquote(url)) if path)))


def _silent(row: Row, attachments: list[Row]) -> MessageKind:
    """Return the kind of a message without words and pictures."""
    if attachments:
        return _kind_of(attachments[0])
    if row.get("stickers"):
        return "sticker"
    return "link" if row.get("embeds") else "other"
