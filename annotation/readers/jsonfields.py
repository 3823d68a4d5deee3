"""Fields of a JSON row, each of the type that it must have; a row with another is unreadable, and says so without its contents."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from mldr.annotation.readers.contract import RawMessage, Tally

_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"(\s*:)?|[{}\[\]]')
_SURROGATE = re.compile("[\ud800-\udfff]")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_YEARS = range(1990, 2100)
_MILLISECONDS_FROM = 100_000_000_000
"""From here on a number counts milliseconds: as seconds it would be the year 5138."""
_DIGITS = re.compile(r"-?[0-9]{1,17}")


class Unreadable(ValueError):
    """A row that cannot be read; its words hold nothing of the row, for they are counted and shown."""


def messages_of(
    rows: Iterable[tuple[str, Any]], message: Callable[[dict[str, Any], str], RawMessage], tally: Tally
) -> Iterator[RawMessage]:
    """Yield the messages of (place, row)s; a row that cannot be read is counted with its reason."""
    for place, row in rows:
        tally.rows += 1
        try:
            yield message(table(row, "message"), place)
        except Unreadable as error:
            tally.drop(place, str(error))


def numbered(rows: Iterable[Any], name: str = "messages") -> Iterator[tuple[str, Any]]:
    """Yield (`messages[3]`, row)."""
    for index, row in enumerate(rows):
        yield f"{name}[{index}]", row


def top_keys(head: str) -> set[str]:
    """Return the keys of the object at the top of a JSON text, as far as its beginning shows them; none for another value."""
    keys: set[str] = set()
    depth = 0
    if not head.lstrip("\ufeff \t\r\n").startswith("{"):
        return keys
    for token in _TOKEN.finditer(head):
        if token[0] in ("{", "["):
            depth += 1
        elif token[0] in ("}", "]"):
            depth -= 1
        elif depth == 1 and token[2]:
            keys.add(token[1])
    return keys


def table(value: Any, name: str) -> dict[str, Any]:
    """Return a JSON object; an empty one for null."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Unreadable(f"{name} is no object")
    return value


def tables(value: Any, name: str) -> list[dict[str, Any]]:
    """Return a list of JSON objects; an empty one for null."""
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise Unreadable(f"{name} is no list of objects")
    return value


def words(value: Any, name: str) -> str:
    """Return a text: '' for null, line ends as \\n, without NUL and halves of surrogate pairs, which no text may hold."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Unreadable(f"{name} is no text")
    return _SURROGATE.sub("\ufffd", value.replace("\r\n", "\n").replace("\r", "\n").replace("\0", ""))


def ident(value: Any, name: str) -> str:
    """Return an id as a string, whether it was written as a string or as a whole number; '' for null."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return words(value, name).strip()


def flag(value: Any, name: str) -> bool:
    """Return a truth value; null is false."""
    if value is None or value in (0, 1):
        return bool(value)
    raise Unreadable(f"{name} is neither true nor false")


def instant(value: Any, name: str) -> datetime:
    """Return the instant of a number, or of its digits: seconds, or milliseconds, since 1970."""
    if isinstance(value, str) and _DIGITS.fullmatch(value.strip()):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Unreadable(f"{name} is no time")
    seconds = value / 1000 if abs(value) >= _MILLISECONDS_FROM else value
    try:
        return _credible(_EPOCH + timedelta(seconds=seconds), name)
    except OverflowError as error:
        raise Unreadable(f"{name} is no time of these years") from error


def moment(value: Any, name: str) -> datetime:
    """Return the time of an ISO 8601 text, aware where it has an offset; a date alone is none."""
    text = words(value, name).strip()
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise Unreadable(f"{name} is no time") from error
    if len(text) <= len("2025-03-01"):
        raise Unreadable(f"{name} is a date without a time")
    return _credible(time, name)


def time_of(value: Any, name: str) -> datetime:
    """Return the time of a number since 1970, or of an ISO 8601 text."""
    if isinstance(value, str) and not _DIGITS.fullmatch(value.strip()):
        return moment(value, name)
    return instant(value, name)


def time_or_none(value: Any) -> datetime | None:
    """Return a time that a row can do without, None where there is none that can be read."""
    try:
        return time_of(value, "time")
    except Unreadable:
        return None


def _credible(time: datetime, name: str) -> datetime:
    """Return a time of the years of chat; 0 and the like are none."""
    if time.year not in _YEARS:
        raise Unreadable(f"{name} is no time of these years")
    return time
