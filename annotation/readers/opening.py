"""Opening an export: its encoding by a ladder, its text as a stream, its JSON value by value: memory holds one at a time."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator
from decimal import Decimal
from itertools import accumulate
from pathlib import Path
from typing import IO, Any

from mldr.annotation.readers.contract import HEAD_BYTES, Export
from mldr.errors import MldrError, fault, first_line

_LADDER = ("utf-8", "gb18030")
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_PIECE = 1024 * 1024
_CELL = 16 * 1024 * 1024  # characters; Python's own limit is less than the XML of one forward
_DIGITS = 4000  # fewer than Python's own limit, 4300
_LONG_NUMBER = re.compile(rb"[0-9]{%d}" % _DIGITS)
_DEEPEST = 200
_ESCAPED = re.compile(rb"\\.", re.DOTALL)
_NO_BRACKET = re.compile(rb"[^][{}]+")
_STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}


def open_export(path: Path, root: Path | None = None) -> Export:
    """Return an export with its encoding and its head.

    Args:
        path: the file.
        root: the folder that its pictures may come from; the file's own by default.

    Raises:
        MldrError: if it cannot be read.
        InputError: if it is in none of the encodings of the ladder.
    """
    try:
        encoding = _encoding(path)
        with path.open(encoding=encoding, newline="", errors="strict") as stream:
            head = stream.read(HEAD_BYTES)
    except OSError as error:
        raise MldrError(f"{path}: cannot be read ({error.strerror})") from error
    return Export(path, (root or path.parent).resolve(), encoding, head)


def _encoding(path: Path) -> str:
    with path.open("rb") as stream:
        start = stream.read(4)
    marked = next((name for mark, name in _MARKS if start.startswith(mark)), "")
    for name in [marked] if marked else _LADDER:
        if _decodes(path, name):
            return name
    raise fault(str(path), f"is not text in {marked or ' or '.join(_LADDER)}; a finished export is expected")


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as stream:
        try:
            while piece := stream.read(_PIECE):
                decoder.decode(piece)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def text_of(export: Export) -> IO[str]:
    """Return the text of an export as a stream; line ends stay as they are. The caller closes it."""
    return export.path.open(encoding=export.encoding, newline="")


def lines_of(export: Export) -> Iterator[tuple[int, str]]:
    """Yield (line number from 1, line without its end); only \\n and \\r\\n end a line."""
    with text_of(export) as stream:
        for number, line in enumerate(stream, 1):
            yield number, line.rstrip("\r\n")


def rows_of(export: Export, delimiter: str = ",") -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (line number of the row's end, column -> cell) of a CSV; a missing cell is '', cells beyond the header are left out.

    Raises:
        InputError: where it is no CSV; a quote that nobody closes is named, for it would eat the rows after it.
    """
    with text_of(export) as stream:
        reader = csv.DictReader(stream, restval="", restkey="\0more", delimiter=delimiter, strict=True)
        try:
            while (row := _next_row(reader)) is not None:
                row.pop("\0more", None)
                yield reader.line_num, {str(name).strip().lstrip("\ufeff"): cell for name, cell in row.items()}
        except csv.Error as error:
            raise fault(f"{export.path}, line {reader.line_num + 1}", f"is no CSV ({error})") from error


def _next_row(reader: csv.DictReader[str]) -> dict[str, Any] | None:
    """Return the next row, None at the end. The limit of a cell is the whole process's, so it is ours for one row alone."""
    before = csv.field_size_limit(_CELL)
    try:
        return next(reader, None)
    finally:
        csv.field_size_limit(before)


def items_of(export: Export, prefix: str) -> Iterator[Any]:
    """Yield the JSON values at a prefix in ijson's words: `messages.item`, `meta`, `item` for those of a list at the top.

    Whole numbers stay exact, whatever their size.

    Raises:
        InputError: where the file is not JSON any more: cut, or something else follows.
    """
    import ijson

    with export.path.open("rb") as stream:
        source: Any = stream if export.encoding == "utf-8" else _Utf8(stream, export.encoding)
        found = ijson.items(_Bounded(source), prefix)
        while True:
            try:
                value = _plain(next(found))
            except StopIteration:
                return
            except RecursionError as error:
                raise fault(str(export.path), "is nested too deeply for an export") from error
            except (ijson.JSONError, ValueError, UnicodeDecodeError) as error:
                raise fault(
                    str(export.path), f"is not whole JSON: {first_line(error)}; was the export cut short?"
                ) from error
            yield value


def _plain(value: Any) -> Any:
    """Return a value with floats for ijson's decimals."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value


def value_of(export: Export, prefix: str) -> Any:
    """Return the first JSON value at a prefix, None where there is none."""
    return next(items_of(export, prefix), None)


class _Bounded:
    """Bytes of JSON without what ijson cannot bear: it dies of numbers of thousands of digits, and endless nesting takes hours."""

    def __init__(self, stream: Any) -> None:
        self._stream, self._end, self._levels = stream, b"", _Levels()

    def read(self, size: int = -1) -> bytes:
        """Return what the stream returns.

        Raises:
            ValueError: at such a number.
            RecursionError: at such nesting.
        """
        piece: bytes = self._stream.read(size)
        if _LONG_NUMBER.search(self._end + piece):
            raise ValueError("a number of thousands of digits")
        self._levels.take(piece)
        self._end = (self._end + piece)[-_DIGITS:]
        return piece


class _Levels:
    """How deeply JSON is nested that comes in pieces; brackets in texts are no levels, a chat may hold thousands."""

    def __init__(self) -> None:
        self._depth, self._in_text, self._half = 0, False, b""

    def take(self, piece: bytes) -> None:
        """Measure the next piece.

        Raises:
            RecursionError: where it is nested more than `_DEEPEST` deep.
        """
        plain = _ESCAPED.sub(b"", self._half + piece)
        self._half = b"\\" if plain.endswith(b"\\") else b""
        parts = plain.removesuffix(b"\\").split(b'"')
        brackets = _NO_BRACKET.sub(b"", b"".join(parts[self._in_text :: 2]))
        self._in_text ^= len(parts) % 2 == 0
        levels = list(accumulate(map(_STEPS.__getitem__, brackets), initial=self._depth))
        if max(levels) > _DEEPEST:
            raise RecursionError
        self._depth = levels[-1]


class _Utf8:
    """A file in another encoding, read as UTF-8 bytes."""

    def __init__(self, stream: IO[bytes], encoding: str) -> None:
        self._stream, self._decoder = stream, codecs.getincrementaldecoder(encoding)()

    def read(self, size: int = -1) -> bytes:
        """Return at least one byte more, b"" at the end; never cut to `size`, which ijson does not need."""
        if size == 0:
            return b""  # asked once, to learn whether bytes come
        while piece := self._stream.read(size if size > 0 else _PIECE):
            if decoded := self._decoder.decode(piece):
                return decoded.encode("utf-8")
        return self._decoder.decode(b"", final=True).encode("utf-8")
