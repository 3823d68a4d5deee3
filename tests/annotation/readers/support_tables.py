"""What the tests of tables, pages and text share."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import cast

from mldr.annotation.readers.contract import HEAD_BYTES, RawChat, RawMessage, Reader, ReadOptions, Tally
from mldr.annotation.readers.opening import open_export
from tests.annotation.readers.exports_tables import WRITERS

READERS = {
    name: cast(Reader, importlib.import_module(f"mldr.annotation.readers.{name.replace('-', '_')}")) for name in WRITERS
}


def read_path(name: str, path: Path, options: ReadOptions | None = None) -> tuple[list[RawChat], Tally]:
    """Return the chats of a file and what was passed over; the file must be known by its head."""
    export, tally = open_export(path), Tally()
    assert knowing(export.head) == [name]
    return list(READERS[name].read(export, options or ReadOptions(), tally)), tally


def read_text(name: str, folder: Path, text: str, options: ReadOptions | None = None) -> tuple[list[RawChat], Tally]:
    """Return the chats of a text and what was passed over."""
    path = folder / "an export"
    path.write_bytes(text.encode("utf-8"))
    return read_path(name, path, options)


def messages_of(name: str, folder: Path, text: str, options: ReadOptions | None = None) -> list[RawMessage]:
    """Return the messages of a text of one chat, of which nothing was passed over."""
    chats, tally = read_text(name, folder, text, options)
    assert (len(chats), tally.dropped) == (1, {})
    return list(chats[0].messages)


def knowing(head: str) -> list[str]:
    """Return the names of the readers that know a head."""
    return [name for name, reader in READERS.items() if reader.matches(head[:HEAD_BYTES], Path("any.name"))]
