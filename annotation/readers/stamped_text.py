"""The plain text of a chat: a line with time and name, the words, a blank line; pictures and quotes are only told of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from mldr.annotation.chat import OWNER
from mldr.annotation.readers.clocks import moment_of, seen
from mldr.annotation.readers.contract import Export, PictureHint, Quote, RawChat, RawMessage, ReadOptions, Tally
from mldr.annotation.readers.opening import lines_of
from mldr.annotation.readers.quotes import own_words, quote_told
from mldr.annotation.readers.standins import chat_id_of, is_group, members_of
from mldr.annotation.readers.wechatkinds import kind_of_label, kind_of_notice

NAME = "stamped-text"
SUMMARY = "text with a line `2024-10-04 11:43:00 name` before every message and a blank line behind it"

_HEAD = re.compile(r"(\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2})(?:\s+(?![-–] )(.+))?")
_QUOTED = re.compile(r"^引用[:：]", re.MULTILINE)
_PLACEHOLDER = re.compile(r"\[([^\[\]\n]{1,12})\]")
_SELF = "我"
_NOBODY = frozenset({"", "系统", "系统消息", "system"})


def matches(head: str, path: Path) -> bool:
    """Return whether the first line that is not blank is a time and a name, and words follow it."""
    lines = [seen(line) for line in head.lstrip("\ufeff \r\n").splitlines()[:2]]
    return len(lines) == 2 and _HEAD.fullmatch(lines[0]) is not None and not _HEAD.fullmatch(lines[1])


def read(export: Export, options: ReadOptions, tally: Tally) -> Iterator[RawChat]:
    """Yield the one chat of a text."""
    messages = []
    for place, stamp, name, words in _blocks(export, tally):
        tally.rows += 1
        message = _message(place, stamp, name, words, options)
        if message is None:
            tally.drop(place, "its time is no time")
        else:
            messages.append(message)
    if messages:
        group = is_group(messages, options.owner_id or OWNER)
        members = members_of(messages, options)
        yield RawChat(chat_id_of(messages), export.path.stem, "wechat", group, members, tuple(messages))


def _blocks(export: Export, tally: Tally) -> Iterator[tuple[str, str, str, str]]:
    """Yield (place, stamp, name, words); a time and a name open a message only behind a blank line."""
    place, stamp, name, blank = "", "", "", True
    words: list[str] = []
    for number, line in lines_of(export):
        found = _HEAD.fullmatch(seen(line)) if blank else None
        if found is not None:
            if place:
                yield place, stamp, name, "\n".join(words).strip()
            place, stamp, name, words = f"line {number}", found[1], (found[2] or "").strip(), []
        elif place:
            words.append(line)
        elif seen(line):
            tally.rows += 1
            tally.drop(f"line {number}", "stands before the first time")
        blank = not seen(line)
    if place:
        yield place, stamp, name, "\n".join(words).strip()


def _message(place: str, stamp: str, name: str, words: str, options: ReadOptions) -> RawMessage | None:
    time = moment_of(stamp)
    if time is None:
        return None
    name = name[1:-1] if len(name) > 2 and name[0] == name[-1] == "'" else name
    if name.lower() in _NOBODY:
        return RawMessage("", time, kind_of_notice(words), place)
    sender = (options.owner_id or OWNER) if name == _SELF else name
    names = () if name == _SELF else (name,)
    placeholder = _PLACEHOLDER.fullmatch(words)
    kind = (kind_of_label(placeholder[1]) if placeholder else None) or "text"
    if kind != "text":
        pictures = (PictureHint(),) if kind == "image" else ()
        return RawMessage(sender, time, kind, place, names=names, pictures=pictures)
    text, quote = _own(words)
    return RawMessage(sender, time, "text" if text else "other", place, names=names, text=text, quote=quote)


def _own(words: str) -> tuple[str, Quote | None]:
    """Return (what the sender wrote, the quote): from the first line that says it quotes, all is quote."""
    found = _QUOTED.search(words)
    if found is None:
        return own_words(words)
    return words[: found.start()].strip(), quote_told(words[found.end() :])
