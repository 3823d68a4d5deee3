"""Pages of rows with a type_name as JSON: the columns of the table of that name, and `extra`, which is not read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mldr.annotation.readers.contract import Export, RawChat, ReadOptions, Tally
from mldr.annotation.readers.opening import items_of
from mldr.annotation.readers.typename import COLUMNS, chats_of

NAME = "typename-json"
SUMMARY = "JSON list of rows with type_name, is_sender, talker, CreateTime"

_START = re.compile(r"\s*\[\s*\{")


def matches(head: str, path: Path) -> bool:
    """Return whether a list starts whose objects hold the columns of the table."""
    return bool(_START.match(head)) and all(f'"{name}"' in head.lower() for name in COLUMNS)


def read(export: Export, options: ReadOptions, tally: Tally) -> Iterator[RawChat]:
    """Yield a chat a room.

    Raises:
        InputError: where the file is not whole JSON.
    """
    yield from chats_of(_rows(export, tally), export, options, tally)


def _rows(export: Export, tally: Tally) -> Iterator[tuple[str, dict[str, Any]]]:
    for position, row in enumerate(items_of(export, "item")):
        if isinstance(row, dict):
            yield f"[{position}]", {str(name).lower(): value for name, value in row.items()}
        else:
            tally.rows += 1
            tally.drop(f"[{position}]", "is no row of names and values")
