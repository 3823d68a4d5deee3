"""Files, hashes and canonical JSON: what must be the same bytes everywhere, and what must never leave a folder."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any

from mldr.errors import MldrError, fault


def canonical_json(value: Any) -> str:
    """Return JSON with sorted keys, no spaces and no escapes beyond what JSON demands: the form that is hashed."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def sha256_text(text: str) -> str:
    """Return the hex SHA-256 of UTF-8 text."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def sha256_file(path: Path) -> str:
    """Return the hex SHA-256 of a file, read in pieces."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sync_folder(folder: Path) -> None:
    """Make renames inside `folder` survive a power cut, where the system can do that (POSIX)."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it is renamed to `path`, so nobody sees half a file."""
    if path.exists() and not path.is_file():
        raise MldrError(f"{path}: a folder or device, not a file that can be replaced")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.unlink(missing_ok=True)
    try:
        yield temporary
        with temporary.open("rb+") as stream:
            os.fsync(stream.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text, whole or not at all."""
    with written_whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, value: Any) -> None:
    """Write a value as indented JSON with sorted keys, whole or not at all."""
    write_text(path, json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False) + "\n")


def inside(folder: Path, name: str) -> Path:
    """Return the path of `name` inside `folder`.

    Raises:
        ValueError: if `name` is absolute, leads out of the folder, or goes through a link that does.
    """
    if "\0" in name or "\\" in name or PurePosixPath(name).is_absolute() or (len(name) > 1 and name[1] == ":"):
        raise ValueError("must be a relative path with forward slashes")
    root = folder.resolve()
    try:
        path = (root / name).resolve()
        path.exists()  # a name too long for any file
    except OSError as error:
        raise ValueError(f"cannot be followed ({error.strerror})") from error
    except RuntimeError as error:  # a link to itself, before Python 3.13
        raise ValueError("cannot be followed (a link leads in a circle)") from error
    if not path.is_relative_to(root):
        raise ValueError("leads out of its folder")
    return path


def read_lines(path: Path, limit: int = 64 * 1024 * 1024) -> Iterator[tuple[int, bytes]]:
    """Yield (line number from 1, the line without its newline) of a file; a BOM and blank lines are passed over.

    Raises:
        MldrError: at a line of more than `limit` bytes.
    """
    with path.open("rb") as stream:
        yield from _lines(stream, path, limit)


def _lines(stream: IO[bytes], path: Path, limit: int) -> Iterator[tuple[int, bytes]]:
    number = 0
    while line := stream.readline(limit + 1):
        number += 1
        if len(line) > limit:
            raise fault(f"{path}, line {number}", f"longer than {limit:,} bytes; one record a line is expected")
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        line = line.rstrip(b"\r\n")
        if line.strip():
            yield number, line


def parse_json(text: str | bytes) -> Any:
    """Return the value of one JSON text, strictly.

    Raises:
        ValueError: with a short reason, for anything that is not one JSON value: bad UTF-8, NaN, a key twice in an
            object, nesting too deep, a number of thousands of digits.
    """
    try:
        decoded = text if isinstance(text, str) else text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 text (byte {error.start})") from error
    try:
        return json.loads(decoded, object_pairs_hook=_unique_keys, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg} at column {error.colno}") from error
    except RecursionError as error:
        raise ValueError("not JSON that can be read: nested too deeply") from error
    except ValueError as error:
        if "set_int_max_str_digits" not in str(error):
            raise
        raise ValueError("holds a number of thousands of digits") from error


def strict_decoder() -> json.JSONDecoder:
    """Return a decoder that refuses what `parse_json` refuses, for readers of long files that decode value by value."""
    return json.JSONDecoder(object_pairs_hook=_unique_keys, parse_constant=_no_constant)


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = dict(pairs)
    if len(keys) < len(pairs):
        names = [key for key, _ in pairs]
        twice = next(key for place, key in enumerate(names) if key in names[:place])
        raise ValueError(f"the key {twice!r} stands twice in one object")
    return keys


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON value")
