"""What the tests of the JSON and CSV readers share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mldr.annotation.readers.contract import RawChat, Reader, ReadOptions, Tally
from mldr.annotation.readers.opening import open_export


def read_file(reader: Reader, path: Path, owner_id: str = "") -> tuple[list[RawChat], Tally]:
    """Return the chats of a file and what was passed over."""
    tally = Tally()
    return list(reader.read(open_export(path), ReadOptions(owner_id), tally)), tally


def read_json(reader: Reader, folder: Path, value: Any, owner_id: str = "") -> tuple[list[RawChat], Tally]:
    """Return the chats of a value that was written as JSON, and what was passed over."""
    path = folder / "export.json"
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return read_file(reader, path, owner_id)


def known(reader: Reader, head: Any) -> bool:
    """Return whether a reader knows a head, given as text or as a value."""
    return reader.matches(head if isinstance(head, str) else json.dumps(head, ensure_ascii=False), Path("x"))
