"""Which reader reads a file, by its content alone, and which files of a folder are exports."""

from __future__ import annotations

import codecs
import importlib
import os
import pkgutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import cast

from mldr.annotation.readers.contract import HEAD_BYTES, Export, Reader
from mldr.annotation.readers.opening import open_export
from mldr.annotation.readers.refused import reason
from mldr.errors import Faults, MldrError, fault

PACKAGE = "mldr.annotation.readers"
MAX_FILES = 200_000
MAX_DEPTH = 8
"""A folder of more files is refused, deeper ones are not looked into: it is no export, or the wrong folder."""
TEXTS = "texts"
"""A folder of this name holds chats whose pictures lie beside it, in `../images`."""
_BINARY = 4096


@dataclass(frozen=True, slots=True)
class Recognised:
    """An export and who reads it."""

    export: Export
    reader: Reader


@lru_cache(maxsize=1)
def readers() -> tuple[Reader, ...]:
    """Return the readers, by name: each module of the package that has NAME, SUMMARY, `matches` and `read`."""
    package = importlib.import_module(PACKAGE)
    modules = (importlib.import_module(f"{PACKAGE}.{found.name}") for found in pkgutil.iter_modules(package.__path__))
    wanted = ("NAME", "SUMMARY", "matches", "read")
    found = (cast(Reader, module) for module in modules if all(hasattr(module, name) for name in wanted))
    return tuple(sorted(found, key=lambda reader: reader.NAME))


def reader_of(name: str) -> Reader:
    """Return the reader that a person named.

    Raises:
        MldrError: if none is called so.
    """
    for reader in readers():
        if name == reader.NAME:
            return reader
    raise MldrError(f"--format {name}: no format is called so; known are {', '.join(known())}")


def known() -> list[str]:
    """Return the names of the formats."""
    return [reader.NAME for reader in readers()]


def detect(head: str, path: Path) -> Reader:
    """Return the one reader that knows a file by its first 64 KB.

    Args:
        head: those, decoded.
        path: for messages.

    Raises:
        InputError: if none does, or several do.
    """
    matching = _matching(head, path)
    if not matching:
        why = refusal(head) or f"no format is recognised; known are {', '.join(known())}. --format NAME insists on one"
        raise fault(str(path), why)
    if len(matching) > 1:
        raise fault(str(path), _several(matching))
    return matching[0]


def refusal(head: str) -> str:
    """Return why a file of a known kind is no chat log, '' where nothing is known about it."""
    return reason(head)


def _matching(head: str, path: Path) -> list[Reader]:
    return [reader for reader in readers() if reader.matches(head, path)]


def _several(matching: list[Reader]) -> str:
    names = [reader.NAME for reader in matching]
    return f"may be {' or '.join(names)}; say which, with --format {names[0]} for instance"


def find(path: Path, format: str = "") -> list[Recognised]:
    """Return the exports at a path, a file or the folder of an unpacked export; sorted by path.

    In a folder pictures, parts of an export and whatever else no reader knows are passed over; links are never followed.

    Args:
        path: of the file or folder.
        format: a reader's name, for files that several know, or none.

    Raises:
        MldrError: if nothing can be read there.
        InputError: if nothing there is an export, or a file may be of several formats; all such files are named.
    """
    wanted = reader_of(format) if format else None
    try:
        return _in_folder(path, wanted) if path.is_dir() else [_file(path, wanted)]
    except OSError as error:
        raise MldrError(f"{error.filename or path}: cannot be read ({error.strerror})") from error


def _file(path: Path, wanted: Reader | None) -> Recognised:
    if not path.exists():
        raise MldrError(f"{path}: there is no such file or folder")
    if not stat.S_ISREG(path.stat().st_mode):
        raise fault(str(path), "is no file; a finished export is expected")
    _refuse_archive(path)
    with path.open("rb") as stream:
        if told := reason(stream.read(4096), path.name):
            raise fault(str(path), told)
    beside = path.resolve().parent
    export = open_export(path, beside.parent if beside.name == TEXTS else beside)
    if not export.head.strip("\ufeff \t\r\n"):
        raise fault(str(path), "is empty")
    return Recognised(export, wanted or detect(export.head, path))


def _refuse_archive(path: Path) -> None:
    with path.open("rb") as stream:
        start = stream.read(6)
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b")):
        raise fault(
            str(path),
            "is an archive or a workbook; unpack the archive and give its folder, or save the workbook as CSV",
        )


def _in_folder(folder: Path, wanted: Reader | None) -> list[Recognised]:
    recognised: list[Recognised] = []
    faults, refused = Faults(), Faults()
    for path in files_in(folder):
        head = text_head(path)
        if head is None:
            continue
        matching = [wanted] if wanted is not None and wanted.matches(head, path) else []
        matching = _matching(head, path) if wanted is None else matching
        if len(matching) > 1:
            faults.add(str(path), _several(matching))
        elif matching:
            recognised.append(Recognised(open_export(path, folder), matching[0]))
        elif why := refusal(head):
            refused.add(str(path), why)
    faults.check()
    if not recognised:
        refused.check()
        names = wanted.NAME if wanted else ", ".join(known())
        raise fault(str(folder), f"holds no export that is recognised; looked for {names}. Archives must be unpacked")
    return recognised


def files_in(folder: Path) -> Iterator[Path]:
    """Yield the regular files of a folder, at most `MAX_DEPTH` deep, in order of their names; links and hidden ones are left out.

    Raises:
        InputError: if there are more than `MAX_FILES`.
    """
    count = 0
    for at, folders, names in os.walk(folder, onerror=_raised):
        deep = len(Path(at).relative_to(folder).parts)
        folders[:] = sorted(name for name in folders if not _hidden(name)) if deep < MAX_DEPTH else []
        for name in sorted(names):
            path = Path(at, name)
            if _hidden(name) or not stat.S_ISREG(path.lstat().st_mode):
                continue
            count += 1
            if count > MAX_FILES:
                raise fault(str(folder), f"holds more than {MAX_FILES:,} files; give the folder of one export")
            yield path


def _raised(error: OSError) -> None:
    raise error  # else a folder that cannot be read would be passed over in silence


def _hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


def text_head(path: Path) -> str | None:
    """Return the first 64 KB of a file if they are text in an encoding of the ladder; None for a picture and the like."""
    with path.open("rb") as stream:
        start = stream.read(HEAD_BYTES)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        ladder = ["utf-16"]
    elif not start.strip() or b"\0" in start[:_BINARY]:
        return None
    else:
        ladder = ["utf-8-sig", "gb18030"]
    for encoding in ladder:
        try:
            return codecs.getincrementaldecoder(encoding)().decode(start)
        except UnicodeDecodeError:
            continue
    return None
