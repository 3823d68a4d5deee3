"""Exports of QQ chats in chunks: a manifest with `chatInfo` and `chunked`, and JSONL files in the folder that it names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from mldr.annotation.readers.chatinfomessages import read_chat
from mldr.annotation.readers.contract import Export, RawChat, ReadOptions, Tally
from mldr.annotation.readers.headkeys import has_all, keys_of
from mldr.annotation.readers.jsonrows import Row, clean, object_at
from mldr.annotation.readers.opening import lines_of, open_export
from mldr.errors import Faults, fault
from mldr.files import inside, parse_json

NAME = "chatinfo-chunks"
SUMMARY = "a JSON manifest with chatInfo and chunked, and JSON Lines in the folder that it names"


def matches(head: str, path: Path) -> bool:
    """Return whether the head shows a chatInfo and chunks."""
    return has_all(keys_of(head), "chatInfo", "chunked")


def read(export: Export, options: ReadOptions, tally: Tally) -> Iterator[RawChat]:
    """Yield the one chat.

    Raises:
        InputError: where a chunk is missing or leads out of the folder of chunks, each of them named, or is not JSON Lines.
    """
    chunks = _chunks(object_at(export, "chunked"), export)
    yield read_chat(object_at(export, "chatInfo"), _rows(chunks, tally), export, options, tally)


def _chunks(chunked: Row, export: Export) -> list[Path]:
    """Return the chunk files in their order, each inside the folder of chunks."""
    listed = chunked.get("chunks")
    if not isinstance(listed, list) or not listed:
        raise fault(f"{export.path}, chunked", "lists no chunks")
    folder = chunked.get("chunksDir")
    folder = clean(folder) if isinstance(folder, str) and folder else "chunks"
    faults, paths = Faults(), []
    for index, chunk in enumerate(listed):
        place, name = f"{export.path}, chunked.chunks[{index}]", _file_name(chunk)
        try:
            path = inside(inside(export.path.parent, folder), name or "")
        except ValueError as error:
            faults.add(place, f"the path of a chunk {error}")
            continue
        if not name:
            faults.add(place, "names no file")
        elif not path.is_file():
            faults.add(place, f"{folder}/{name} is missing; all chunks of an export are needed")
        elif path in paths:
            faults.add(place, f"{folder}/{name} is listed twice")
        paths.append(path)
    faults.check()
    return paths


def _file_name(chunk: object) -> str:
    """Return the name of a chunk's file as its entry gives it, '' for none."""
    if not isinstance(chunk, dict):
        return ""
    for key in ("fileName", "file", "name"):
        if isinstance(chunk.get(key), str) and chunk[key]:
            return clean(chunk[key])
    relative = chunk.get("relativePath")
    return PurePosixPath(clean(relative).replace("\\", "/")).name if isinstance(relative, str) else ""


def _rows(chunks: list[Path], tally: Tally) -> Iterator[tuple[str, Row]]:
    for path in chunks:
        for number, line in lines_of(open_export(path)):
            if not line.strip("\ufeff \t"):
                continue
            tally.rows += 1
            try:
                row = parse_json(line.lstrip("\ufeff"))
            except ValueError as error:
                raise fault(f"{path}, line {number}", f"{error}; was the export cut short?") from error
            if isinstance(row, dict):
                yield f"{path.name}, line {number}", row
            else:
                tally.drop(f"{path.name}, line {number}", "it is no object")
