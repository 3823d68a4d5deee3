"""Exports as CSV with the columns Time, SenderName, Sender, TalkerName, Talker and Content; the content is a kind of Markdown."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from mldr.annotation.chat import OWNER, Member, MessageKind
from mldr.annotation.readers.contract import Export, PictureHint, Quote, RawChat, RawMessage, ReadOptions, Tally
from mldr.annotation.readers.echoes import quoted_words
from mldr.annotation.readers.jsonrows import Unreadable, clean, names_of, person, sender_for, with_owner
from mldr.annotation.readers.opening import rows_of
from mldr.annotation.readers.wechatkinds import kind_of_label, kind_of_notice
from mldr.errors import fault

NAME = "talker-csv"
SUMMARY = "CSV with the columns Time, SenderName, Sender, TalkerName, Talker and Content"

COLUMNS = frozenset({"Time", "SenderName", "Sender", "TalkerName", "Talker", "Content"})
_CLOCK = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})[ T](\d{1,2}):(\d\d)(?::(\d\d))?")
_CARD = re.compile(r"!?\[([^\[\]|()\n]{1,12})(?:\]\(|\||\]\s*$)")
_TARGET = re.compile(r"\]\((.*)\)\s*\Z", re.DOTALL)
_QUOTED = re.compile(r"> ?(?P<name>.*?)(?:\((?P<id>[^()\s]+)\))? (?P<time>(?:(?:\d{4}-)?\d\d-\d\d )?\d\d:\d\d:\d\d)\s*")


def matches(head: str, path: Path) -> bool:
    """Return whether the first line names these columns, in any order."""
    first = head.lstrip("\ufeff").split("\n", 1)[0].rstrip("\r")
    try:
        row = next(csv.reader([first]), [])
    except csv.Error:
        return False
    return {name.strip() for name in row} >= COLUMNS and len(row) == len(COLUMNS)


def read(export: Export, options: ReadOptions, tally: Tally) -> Iterator[RawChat]:
    """Yield the chats, in the order in which they begin.

    Raises:
        InputError: where the file is no CSV, or lacks a column.
    """
    chats: dict[str, list[RawMessage]] = defaultdict(list)
    tallies: dict[str, Tally] = defaultdict(Tally)
    names: dict[str, str] = {}
    for number, row in rows_of(export):
        if missing := COLUMNS - row.keys():
            raise fault(str(export.path), f"lacks the columns {', '.join(sorted(missing))}")
        place, talker = f"line {number}", row["Talker"].strip()
        tallies[talker].rows += 1
        try:
            if not talker:
                raise Unreadable("it has no talker")
            chats[talker].append(_message(row, place))
        except Unreadable as reason:
            tallies[talker].drop(place, str(reason))
        names[talker] = names.get(talker) or next(iter(names_of(row["TalkerName"])), "")
    for talker, messages in chats.items():
        if messages:
            tally.take(tallies.pop(talker))
            yield _chat(talker, names[talker], tuple(messages), options)
    for rest in tallies.values():
        tally.take(rest)


def _chat(talker: str, name: str, messages: tuple[RawMessage, ...], options: ReadOptions) -> RawChat:
    """Return a chat. Of two, the one that is not the talker is the owner; in a group only a person can say who that is."""
    group = talker.endswith("@chatroom")
    others = sorted({message.sender for message in messages} - {"", talker})
    owner = options.owner_id or (others[0] if not group and len(others) == 1 else OWNER)
    messages = tuple(replace(m, sender=owner) if m.sender == OWNER else m for m in messages)
    peer = [] if group else [Member(talker, names_of(name))]
    return RawChat(talker, name, "wechat", group, with_owner(peer, owner, messages), messages)


def _message(row: dict[str, str], place: str) -> RawMessage:
    content = clean(row["Content"])
    sender, time = _sender(row), clock(row["Time"])
    if not sender:
        return RawMessage("", time, kind_of_notice(content), place)
    text, quote = _unquoted(content, time)
    kind, picture = _card(text)
    return RawMessage(
        sender=sender_for(kind, sender),
        time=time,
        kind=kind,
        place=place,
        names=names_of(row["SenderName"]),
        text=text if kind == "text" else "",
        pictures=(picture,) if kind == "image" else (),
        quote=quote,
    )


def _sender(row: dict[str, str]) -> str:
    sender = row["Sender"].strip() or row["SenderName"].strip()
    return OWNER if sender == "我" else person(sender)


def clock(words: str) -> datetime:
    """Return the time that a clock without a zone showed.

    Raises:
        Unreadable: where there is none.
    """
    match = _CLOCK.fullmatch(words.strip())
    if not match:
        raise Unreadable("its time is no time" if words.strip() else "it has no time")
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups())
    if not 2000 <= year < 2100:
        raise Unreadable("its time is not between the years 2000 and 2100")
    try:
        return datetime(year, month, day, hour, minute, second)
    except ValueError as error:
        raise Unreadable("its time is no time") from error


def _unquoted(content: str, time: datetime) -> tuple[str, Quote | None]:
    """Return (own words, quote): what is answered stands first, in lines that begin with `>`, under its sender and time."""
    lines = content.split("\n")
    head = _QUOTED.fullmatch(lines[0])
    if not head:
        return content, None
    end = next((at for at, line in enumerate(lines) if not line.startswith(">")), len(lines))
    quoted = "\n".join(line[1:].removeprefix(" ") for line in lines[1:end] if not line.startswith(("> >", ">>")))
    kind, _ = _card(quoted)
    words = quoted_words(quoted)[1] if kind == "text" else ""
    sender = head["id"] or head["name"].strip()
    return "\n".join(lines[end:]).strip(), Quote("", sender, _before(head["time"], time), words, kind)


def _before(words: str, time: datetime) -> datetime | None:
    """Return the time of a quote; one without a year is the last of its kind before the reply, one without a day is none."""
    parts = words.split(" ")
    if len(parts) == 1:
        return None
    years = [time.year, time.year - 1] if len(parts[0]) == 5 else [0]
    for year in years:
        try:
            found = clock(f"{year:04}-{words}" if year else words)
        except Unreadable:
            continue
        if not year or found <= time:
            return found
    return None


def _card(content: str) -> tuple[MessageKind, PictureHint]:
    """Return (kind, where the picture is) of a content; a text is what is no card like `![图片](...)` or `[链接|...`."""
    match = _CARD.match(content.strip())
    kind = kind_of_label(match[1]) if match else None
    if kind is None or kind == "text":
        return "text", PictureHint()
    target = _TARGET.search(content.strip())
    return kind, _hint(target[1]) if kind == "image" and target else PictureHint()


def _hint(address: str) -> PictureHint:
    """Return the stems that the address of a picture holds: its key, and the file behind the comma. It is never opened."""
    tail = unquote(address.split("/image/", 1)[-1].split("?", 1)[0])
    names = (PurePosixPath(part.replace("\\", "/").strip()).name for part in tail.split(","))
    stems = [PurePosixPath(name).stem for name in names if name and name != ".."]
    stems += [re.sub(r"_[a-z]$", "", stem) for stem in stems]
    return PictureHint(stems=tuple(dict.fromkeys(filter(None, stems))))
