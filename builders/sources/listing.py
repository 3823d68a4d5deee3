"""Records of published files, one after another: a JSON list is read in pieces, JSON Lines by line, Parquet by batch.

Only a file that is one JSON object (the official VisDial) is held as a whole.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

from mldr.builders.sources.parquet import rows
from mldr.builders.sources.record import Reading
from mldr.errors import InputError, fault
from mldr.files import parse_json, read_lines, strict_decoder
from mldr.jsontext import RECORD_LIMIT, JsonText, whole_value

PIECE = 1024 * 1024
"""Bytes read at a time."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record, and where it stands: `file[index]` from 0, or `file, line n` from 1."""

    index: int
    place: str
    value: Any


def listed(path: Path, endings: tuple[str, ...]) -> list[Path]:
    """Return a file, or the files below a folder that have one of the endings, in order of their names.

    Raises:
        InputError: if there is no such path, or nothing in it; and for a link that leads out of the folder.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise fault(str(path), "no such file or folder")
    found = sorted(file for file in path.rglob("*") if file.suffix.lower() in endings and file.is_file())
    root = path.resolve()
    for file in found:
        if not file.resolve().is_relative_to(root):
            raise fault(str(file), "a link that leads out of its folder; copy the file instead")
    if not found:
        raise fault(str(path), f"has no file that ends in {', '.join(endings)}")
    return found


def stem_of(file: Path, root: Path, files: list[Path]) -> str:
    """Return what stands before the ids of a file's records: its name, with its folders where another has the same name."""
    stem = _bare(file).name
    if sum(_bare(other).name == stem for other in files) == 1:
        return stem
    return _bare(file).relative_to(root).as_posix()


def _bare(file: Path) -> Path:
    return file.with_suffix("")


def records(path: Path, reading: Reading) -> Iterator[Record]:
    """Yield the records of a `.json`, `.jsonl` or `.parquet` file; what cannot be read is noted as a fault.

    A list yields its items; a file of objects, one a line, each of them; a file that is one object, that object.
    """
    try:
        if path.suffix.lower() == ".parquet":
            yield from (Record(index, f"{path}[{index}]", row) for index, row in enumerate(rows(path)))
        elif _starts_a_list(path):
            with path.open("rb") as stream:
                yield from _items(stream, path, reading)
        elif path.suffix.lower() == ".json" and not _is_by_line(path):
            yield Record(0, str(path), _whole(path))
        else:
            yield from _by_line(path, reading)
    except InputError as error:
        reading.faults.extend(error.faults)
    except OSError as error:
        reading.faults.add(str(path), f"cannot be read ({error.strerror})")


def _starts_a_list(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(PIECE).removeprefix(codecs.BOM_UTF8).lstrip()[:1] == b"["


def _is_by_line(path: Path) -> bool:
    """Say whether the first line of a file is an object of its own, with more lines to come."""
    with path.open("rb") as stream:
        first = stream.readline(RECORD_LIMIT)
        more = stream.read(PIECE).strip()
    try:
        return bool(more) and isinstance(parse_json(first.removeprefix(codecs.BOM_UTF8)), dict)
    except ValueError:
        return False


def _whole(path: Path) -> Any:
    try:
        return parse_json(path.read_bytes().removeprefix(codecs.BOM_UTF8))
    except ValueError as error:
        raise fault(str(path), str(error)) from error


def _by_line(path: Path, reading: Reading) -> Iterator[Record]:
    for index, (number, line) in enumerate(read_lines(path)):
        place = f"{path}, line {number}"
        try:
            value = parse_json(line)
        except ValueError as error:
            reading.faults.add(place, str(error))
            continue
        yield Record(index, place, value)


def _items(stream: IO[bytes], path: Path, reading: Reading) -> Iterator[Record]:
    """Yield the items of a JSON list.

    Raises:
        InputError: where the list itself is broken or cut off; the items before it were yielded.
    """
    window = JsonText(iter(partial(stream.read, PIECE), b""), str(path))
    window.char()
    window.at += 1  # the bracket
    index = 0
    while (sign := window.char()) != "]" or index:
        place = f"{path}[{index}]"
        try:
            yield Record(index, place, _item(window, place))
        except _Refused as error:
            reading.faults.add(place, str(error))
        index += 1
        sign = window.char()
        if sign == "]":
            break
        if sign != ",":
            raise _broken(window, place, "is not followed by a comma or the end of the list")
        window.at += 1
    window.at += 1
    if window.char():
        raise fault(str(path), "has more text after the end of its list")


class _Refused(ValueError):
    """An item that is JSON and not what is read; the next one can be found."""


def _item(window: JsonText, place: str) -> Any:
    """Return the item that starts here, and go behind it."""
    window.char()
    pieces = 1
    while True:
        try:
            value, end = strict_decoder().raw_decode(window.window, window.at)
        except RecursionError as error:
            raise fault(place, "nested too deeply; the rest of the file is not read") from error
        except json.JSONDecodeError as error:
            # A word or escape that the piece cut in two is at its very end; a string may have begun anywhere.
            certain = not error.msg.startswith("Unterminated") and error.pos + 16 < len(window.window)
            if window.ended or certain:
                raise _broken(window, place, f"is not JSON: {error.msg}") from error
        except ValueError as error:
            return _skip(window, place, error)
        else:
            if whole_value(window, value, end):
                window.at = end
                return value
        if len(window.window) - window.at > RECORD_LIMIT:
            raise fault(place, f"longer than {RECORD_LIMIT:,} characters, or not closed; the rest is not read")
        window.more(pieces)
        pieces = min(pieces * 2, RECORD_LIMIT // PIECE)


def _skip(window: JsonText, place: str, refused: ValueError) -> Any:
    """Go behind an item that a strict reader refuses (a key twice, NaN), and raise why."""
    while True:
        try:
            _, window.at = json.JSONDecoder().raw_decode(window.window, window.at)
        except json.JSONDecodeError as error:
            if window.ended or len(window.window) > RECORD_LIMIT:
                raise _broken(window, place, f"is not JSON: {error.msg}") from error
            window.more()
            continue
        except ValueError as error:
            raise fault(place, f"{error}; the rest of the file is not read") from error
        raise _Refused(str(refused))


def _broken(window: JsonText, place: str, message: str) -> InputError:
    cut_off = window.ended and not window.window[window.at :].rstrip().endswith("]")
    hint = " (the file ends here: it was cut off)" if cut_off else ""
    return fault(place, f"{message}{hint}; the rest of the file is not read")
