"""Exports of QQ chats in chunks: a manifest with `chatInfo` and `chunked`, and JSONL files in the folder that it names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from mldr.annotation.readers.chatinfomessages import Row, read_chat
from mldr.annotation.readers.contract import Export, RawChat, ReadOptions, Tally
from mldr.annotation.readers.jsonfields import Unreadable, table, tables, top_keys, words
from mldr.annotation.readers.opening import lines_of, open_export, value_of
from mldr.errors import Faults, fault
from mldr.files import inside, parse_json

NAME = "chatinfo-chunks"
SUMMARY = "a manifest with `chatInfo` and `chunked`, and JSONL files beside it"


def matches(head: str, path: Path) -> bool:
    """Return whether the keys at the top are those of this format."""
    return {"chunked", "chatInfo"} <= top_keys(head)


def read(export: Export, options: ReadOptions, tally: Tally) -> Iterator[RawChat]:
    """Yield the one chat.

    Raises:
        InputError: where a chunk is missing, leads out of the folder of chunks, or is not what it seemed.
    """
    place = str(export.path)
    try:
        place = f"{export.path}, chunked"
        chunks = _chunks(table(value_of(export, "chunked"), "chunked"), export)
        place = f"{export.path}, chatInfo"
        chat_info = table(value_of(export, "chatInfo"), "chatInfo")
        chat = read_chat(chat_info, _rows(chunks), export, options, tally)
    except Unreadable as error:
        raise fault(place, str(error)) from error
    yield chat


def _chunks(chunked: Row, export: Export) -> list[Path]:
    """Return the chunk files in their order, each inside the folder of chunks."""
    folder_name = words(chunked.get("chunksDir"), "chunksDir") or "chunks"
    listed = tables(chunked.get("chunks"), "chunks")
    if not listed:
        raise fault(f"{export.path}, chunked", "lists no chunks")
    faults = Faults()
    paths = []
    for index, chunk in enumerate(listed):
        name = words(chunk.get("fileName"), "fileName") or words(chunk.get("file"), "file")
        name = name or PurePosixPath(words(chunk.get("relativePath"), "relativePath").replace("\\", "/")).name
        at = f"{export.path}, chunked.chunks[{index}]"
        try:
            path = inside(inside(export.path.parent, folder_name), name)
        except ValueError as error:
            faults.add(at, f"the chunk's path {error}")
            continue
        if not path.is_file():
            faults.add(at, f"{folder_name}/{name} is missing; all chunks of an export are needed")
        paths.append(path)
    faults.check()
    return paths


def _rows(chunks: list[Path]) -> Iterator[tuple[str, Any]]:
    for path in chunks:
        for number, line in lines_of(open_export(path)):
            if not line.strip():
                continue
            place = f"{path.name}, line {number}"
            try:
                yield place, parse_json(line.lstrip("\ufeff"))
            except ValueError as error:
                raise fault(f"{path}, line {number}", f"{error}; was the export cut short?") from error
