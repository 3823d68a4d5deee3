"""Parts of JSON rows that have parts of their own: objects in objects, lists of them, and times as ISO 8601 texts."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from mldr.annotation.readers.jsonrows import Row, Unreadable, clean, instant

_DIGITS = re.compile(r"-?[0-9]{1,17}")
_YEARS = range(2000, 2100)


def table(value: Any, name: str) -> Row:
    """Return an object; an empty one for null.

    Raises:
        Unreadable: for anything else.
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Unreadable(f"{name} is no object")
    return value


def tables(value: Any, name: str) -> list[Row]:
    """Return a list of objects; an empty one for null.

    Raises:
        Unreadable: for anything else.
    """
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise Unreadable(f"{name} is no list of objects")
    return value


def moment(value: Any) -> datetime:
    """Return the time of an ISO 8601 text, aware where it has an offset; a date alone is none.

    Raises:
        Unreadable: where it is none, or none that a chat could have.
    """
    if not isinstance(value, str) or len(value.strip()) <= len("2025-03-01"):
        raise Unreadable("it has no time" if value in (None, "", 0) else "its time is no date with a time")
    try:
        time = datetime.fromisoformat(clean(value).strip())
    except ValueError as error:
        raise Unreadable("its time is no date with a time") from error
    if time.year not in _YEARS:
        raise Unreadable("its time is not between the years 2000 and 2100")
    return time


def time_of(value: Any) -> datetime:
    """Return the time of a number since 1970, seconds or milliseconds, or of an ISO 8601 text.

    Raises:
        Unreadable: where it is neither, or none that a chat could have.
    """
    if isinstance(value, str) and value.strip() and not _DIGITS.fullmatch(value.strip()):
        return moment(value)
    return instant(value)


def time_or_none(value: Any) -> datetime | None:
    """Return a time that a row can do without, None where there is none that can be read."""
    try:
        return time_of(value)
    except Unreadable:
        return None
