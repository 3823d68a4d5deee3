"""Rows of JSON exports: fields that may be anything, made into words, numbers and instants, or into the reason why not."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from mldr.annotation.chat import SPOKEN, Member, MessageKind
from mldr.annotation.readers.contract import Export, RawMessage, Tally
from mldr.annotation.readers.opening import items_of, value_of
from mldr.errors import fault

Row = Mapping[str, Any]
EARLIEST, LATEST = 946_684_800, 4_102_444_800
"""The years 2000 to 2099, in seconds: no chat export tells of another time."""

_NOT_TEXT = re.compile("[\x00\ud800-\udfff]")
_WHOLE = re.compile(r"[+-]?[0-9]{1,20}")
_SELF = frozenset({"我", "自己", "me"})  # what some exports call the owner: masking it as a name would spoil every text
_SYSTEM = frozenset({"system", "系统消息", "系统"})


class Unreadable(Exception):
    """A row that cannot become a message; its words are the reason, and hold nothing of the row."""


def clean(text: str) -> str:
    """Return a text that can be stored: newlines as \\n, no NUL, no half of a character."""
    return _NOT_TEXT.sub(
        lambda match: "" if match[0] == "\0" else "\ufffd", text.replace("\r\n", "\n").replace("\r", "\n")
    )


def said(row: Row, name: str) -> str:
    """Return a field as words, '' where it is absent or null; a whole number is written out.

    Raises:
        Unreadable: for a list, an object or another thing that is no text.
    """
    value = row.get(name)
    if value is None:
        return ""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise Unreadable(f"{name} is no text")


def first_said(row: Row, *names: str) -> str:
    """Return the first of several fields that says something.

    Raises:
        Unreadable: as `said`.
    """
    return next((words for name in names if (words := said(row, name))), "")


def whole(value: Any) -> int | None:
    """Return a whole number, whether it is written as a number or as digits; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if math.isfinite(value) and value.is_integer() and abs(value) < 1e19 else None
    return int(value) if isinstance(value, str) and _WHOLE.fullmatch(value.strip()) else None


def flag(value: Any) -> bool:
    """Return whether a field says yes: 1, true, or these as words."""
    return value is True or whole(value) == 1 or (isinstance(value, str) and value.strip().casefold() == "true")


def identifier(value: Any) -> str:
    """Return an id as a string, whatever its size; '' where there is none (0 means none too)."""
    number = whole(value) if not isinstance(value, str) else None
    words = clean(value).strip() if isinstance(value, str) else "" if number is None else str(number)
    return "" if words == "0" else words


def instant(value: Any) -> datetime:
    """Return the instant of seconds since 1970, or of milliseconds where they have 13 digits.

    Raises:
        Unreadable: where there is none, or none that a chat could have.
    """
    if value in (None, "", 0):
        raise Unreadable("it has no time")
    seconds: float | None = value if isinstance(value, float) and math.isfinite(value) else whole(value)
    if seconds is None:
        raise Unreadable("its time is no number")
    if 10**12 <= seconds < 10**13:
        seconds = seconds / 1000
    if not EARLIEST <= seconds < LATEST:
        raise Unreadable("its time is not between the years 2000 and 2100")
    return datetime.fromtimestamp(seconds, UTC)


def names_of(*names: Any) -> tuple[str, ...]:
    """Return the names among some values, each once, in their order; words that mean whoever speaks are none."""
    plain = (clean(name).strip() for name in names if isinstance(name, str))
    return tuple(dict.fromkeys(name for name in plain if name and name.casefold() not in _SELF))


def person(value: Any) -> str:
    """Return the id of whoever sent a row; '' for the system."""
    words = identifier(value)
    return "" if words.casefold() in _SYSTEM else words


def sender_for(kind: MessageKind, sender: str) -> str:
    """Return the sender of a message of a kind: nobody sends a system line, but somebody must have said what is spoken.

    Raises:
        Unreadable: where nobody did.
    """
    if kind in SPOKEN and not sender:
        raise Unreadable("it has no sender")
    return "" if kind == "system" else sender


def rows_at(export: Export, key: str, tally: Tally) -> Iterator[tuple[str, Row]]:
    """Yield (place, row) of the list at a key, '' for a list at the top; what is no object is counted as dropped.

    Raises:
        InputError: where the file is not JSON, or has no such list.
    """
    index = -1
    for index, row in enumerate(items_of(export, f"{key}.item" if key else "item")):
        tally.rows += 1
        place = f"{key}[{index}]"
        if isinstance(row, dict):
            yield place, row
        else:
            tally.drop(place, "it is no object")
    if index < 0 and not _is_list(export, key):
        raise fault(str(export.path), f"has no list {key!r} of messages" if key else "is no list of messages")


def _is_list(export: Export, key: str) -> bool:
    if key:
        return isinstance(value_of(export, key), list)
    return export.head.lstrip("\ufeff \t\r\n").startswith("[")


def read_rows(
    rows: Iterable[tuple[str, Row]], tally: Tally, read: Callable[[Row, str], RawMessage]
) -> tuple[RawMessage, ...]:
    """Return the messages that rows become; those that cannot be read are counted with the reason."""
    messages = []
    for place, row in rows:
        try:
            messages.append(read(row, place))
        except Unreadable as reason:
            tally.drop(place, str(reason))
    return tuple(messages)


def object_at(export: Export, key: str) -> Row:
    """Return the object at a key, an empty one where there is none."""
    value = value_of(export, key)
    return value if isinstance(value, dict) else {}


def with_owner(members: Iterable[Member], owner: str, messages: Iterable[RawMessage]) -> tuple[Member, ...]:
    """Return members, one a person, the owner marked; an owner who is not among them is added, but only if a message is theirs."""
    names: dict[str, tuple[str, ...]] = {}
    for member in members:
        if member.person:
            names[member.person] = names_of(*names.get(member.person, ()), *member.names)
    if owner and owner not in names and any(message.sender == owner for message in messages):
        names[owner] = ()
    return tuple(Member(person, called, person == owner) for person, called in names.items())
