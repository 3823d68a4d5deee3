"""Rows of a Parquet file as JSON-like records, and the pictures inside it by name: `<column>:<row>[:<key or index>...]`.

A picture is a struct<bytes, path>, the Image feature of Hugging Face datasets. A record holds it as an `Inside`, so that
no bytes are kept while records are read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pyarrow as pa
import pyarrow.parquet as pq

from mldr.errors import fault, first_line
from mldr.images import ImageError

ROWS_A_BATCH = 32
"""Few: each may carry pictures."""


@dataclass(frozen=True, slots=True)
class Inside:
    """A picture inside a Parquet file."""

    file: str
    member: str
    path: str = ""
    """The file name that stands beside the bytes."""


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a Parquet file; each struct<bytes, path> in them becomes an `Inside`, or None without bytes.

    Raises:
        InputError: for a file that is no Parquet, or a damaged one.
    """
    number = 0
    try:
        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
            if len(set(names)) < len(names):
                raise ValueError("two of its columns have the same name")
            for batch in file.iter_batches(batch_size=ROWS_A_BATCH):
                for row in batch.to_pylist():
                    yield {key: _without_bytes(value, path, (key, str(number))) for key, value in row.items()}
                    number += 1
    except (pa.ArrowException, OSError, ValueError) as error:  # ValueError: text that is no UTF-8
        raise fault(f"{path}[{number}]", f"not Parquet that can be read ({first_line(error)})") from error


def _without_bytes(value: Any, path: Path, steps: tuple[str, ...]) -> Any:
    if isinstance(value, dict):
        if set(value) == {"bytes", "path"}:
            if not isinstance(value["bytes"], bytes):
                return None
            return Inside(str(path), ":".join(quote(step, safe="") for step in steps), value["path"] or "")
        return {key: _without_bytes(inner, path, (*steps, key)) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without_bytes(inner, path, (*steps, str(index))) for index, inner in enumerate(value)]
    return value


def member_bytes(path: Path, member: str) -> bytes:
    """Return the bytes of a picture inside a Parquet file. One column of one row group is held between calls.

    Raises:
        ImageError: if the file cannot be read, or has no picture of that name.
    """
    column, row, *steps = (unquote(step) for step in member.split(":"))
    try:
        group, offset = _group_of(path, int(row))
        value = _column(str(path), path.stat().st_mtime_ns, group, column)[offset].as_py()
        for step in steps:
            value = value[int(step)] if isinstance(value, list) else value[step]
        content = value["bytes"]
    except (pa.ArrowException, OSError) as error:
        raise ImageError(f"cannot be read out of its Parquet file ({first_line(error)})") from error
    except (LookupError, TypeError, ValueError) as error:
        raise ImageError(f"its Parquet file has no picture at {member}") from error
    if not isinstance(content, bytes):
        raise ImageError(f"its Parquet file has no bytes at {member}")
    return content


def _group_of(path: Path, row: int) -> tuple[int, int]:
    metadata = pq.read_metadata(path)
    for group in range(metadata.num_row_groups):
        if row < (size := metadata.row_group(group).num_rows):
            return group, row
        row -= size
    raise IndexError(row)


@lru_cache(maxsize=1)
def _column(path: str, modified: int, group: int, column: str) -> pa.ChunkedArray:
    """Return a column of a row group; the pictures of a task lie side by side, so the next call mostly wants the same."""
    with pq.ParquetFile(path) as file:
        return file.read_row_group(group, [column]).column(column)
