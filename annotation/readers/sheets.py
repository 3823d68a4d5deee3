"""Tables of messages as exporters write them and as spreadsheets leave them: other separators, blank columns, spoilt ids."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator

from mldr.annotation.readers.contract import Export
from mldr.annotation.readers.opening import rows_of

_DELIMITERS = (",", ";", "\t")
_EXACT = 15
"""So many digits of a number survive a spreadsheet."""


def header_of(head: str) -> tuple[frozenset[str], str]:
    """Return (the column names in lower case, the delimiter) of a table's first line."""
    line = head.lstrip("\ufeff").partition("\n")[0].rstrip("\r")
    found = [(frozenset(_names(line, mark)), mark) for mark in _DELIMITERS]
    return max(found, key=lambda pair: len(pair[0]))


def _names(line: str, delimiter: str) -> list[str]:
    try:
        cells = next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []
    return [cell.strip().lower() for cell in cells if cell.strip()]


def table_of(export: Export) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield (place, column name in lower case -> cell) of every row that is not blank.

    Raises:
        InputError: where it is no CSV.
    """
    _, delimiter = header_of(export.head)
    for number, row in rows_of(export, delimiter):
        cells = {name.lower(): cell for name, cell in row.items() if name}
        if any(cell.strip() for cell in cells.values()):
            yield f"line {number}", cells


def id_of(cell: object) -> str:
    """Return a message id as a string, '' for 0, for none, and for what a spreadsheet rounded (`7.12E+18`, zeros at the end)."""
    text = str(cell or "").strip().strip("'=\"")
    if not re.fullmatch(r"[0-9]{1,20}", text) or not text.strip("0"):
        return ""
    rounded = len(text) >= _EXACT + 3 and not text[_EXACT:].strip("0")
    return "" if rounded else text


def flag_of(cell: object) -> bool | None:
    """Return what a cell of 0 or 1 says, None where it says something else."""
    return {"0": False, "1": True, "0.0": False, "1.0": True, "false": False, "true": True}.get(
        str(cell).strip().lower()
    )
