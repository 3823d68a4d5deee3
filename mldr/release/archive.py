"""The files of a release, in a folder or in a .tar, read in place: nothing is unpacked, no link or device is followed."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, Protocol, cast

from mldr.errors import MldrError, fault
from mldr.files import inside

PIECE = 1024 * 1024
READ_LIMIT = 64 * 1024 * 1024
"""Bytes that reading an archive's headers may ask for at once."""
RATIO, RATIO_FROM = 200, 256 * 1024 * 1024
"""A packed archive that unpacks to more than RATIO_FROM bytes, and to more than RATIO times its size, is a bomb."""
MEMBERS = 5_000_000


@dataclass(frozen=True, slots=True)
class Member:
    """One regular file of a release."""

    name: str
    """With forward slashes, relative to the release."""
    size: int
    offset: int = 0
    """Of its bytes in an unpacked tar; reading in this order goes forward."""


class Archive(Protocol):
    """The regular files of a release."""

    members: dict[str, Member]
    skipped: Counter[str]
    """Reason -> entries that are not read."""

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yield the bytes of a member in pieces."""
        ...


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """Yield the files of a release: of a folder, of a .tar or .tar.gz, or one JSON file with its folder's pictures.

    Raises:
        MldrError: if there is no such thing.
        InputError: for an archive that is damaged, cut or a bomb.
    """
    if path.is_dir():
        yield FolderArchive(path)
    elif path.suffix.lower() == ".json" and path.is_file():
        yield FolderArchive(path.parent, only=path.name)
    elif path.is_file():
        with path.open("rb") as raw:
            yield TarArchive(_unpacked(raw, path), path)
    else:
        raise MldrError(f"{path}: no such file or folder")


def read_member(archive: Archive, name: str, limit: int) -> bytes | None:
    """Return the bytes of a member, None where they are more than `limit`."""
    if archive.members[name].size > limit:
        return None
    content = b"".join(archive.chunks(name))
    return content if len(content) <= limit else None


class FolderArchive:
    """The regular files under a folder; links are not followed."""

    def __init__(self, folder: Path, only: str = "") -> None:
        self.members: dict[str, Member] = {}
        self.skipped: Counter[str] = Counter()
        self._folder = folder
        if only:
            self.members[only] = Member(only, (folder / only).stat().st_size)
            return
        for root, folders, files in os.walk(folder, onerror=_raise):
            folders.sort()
            for name in [name for name in folders if (Path(root) / name).is_symlink()]:
                self.skipped["links: not followed"] += 1
                folders.remove(name)
            for name in sorted(files):
                self._add(Path(root) / name)

    def _add(self, path: Path) -> None:
        name = path.relative_to(self._folder).as_posix()
        if path.is_symlink():
            self.skipped["links: not followed"] += 1
        elif not path.is_file():
            self.skipped["pipes and devices: not read"] += 1
        elif not _is_text(name):
            self.skipped["files whose name is not UTF-8: not read"] += 1
        else:
            self.members[name] = Member(name, path.stat().st_size)

    def beside(self, name: str) -> Member | None:
        """Return a file of the folder by its relative path, where there is one that does not lead out."""
        try:
            path = inside(self._folder, name)
            if path.is_file():
                return self.members.setdefault(name, Member(name, path.stat().st_size))
        except (ValueError, OSError):
            pass
        return None

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yield the bytes of a member in pieces."""
        with inside(self._folder, name).open("rb") as stream:
            while piece := stream.read(PIECE):
                yield piece


def _raise(error: OSError) -> None:
    raise error


def _is_text(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return "\0" not in name


class TarArchive:
    """The regular files of a tar."""

    def __init__(self, stream: Guarded, path: Path) -> None:
        self.members: dict[str, Member] = {}
        self.skipped: Counter[str] = Counter()
        self._stream, self._path = stream, path
        with _sound(path):
            self._scan()

    def _scan(self) -> None:
        with tarfile.open(fileobj=cast(Any, self._stream), mode="r:", errors="surrogateescape") as tar:
            count = 0
            while (entry := tar.next()) is not None:
                tar.members.clear()  # type: ignore[attr-defined]  # not in the stubs; they are a kilobyte each
                count += 1
                if count > MEMBERS:
                    raise fault(str(self._path), f"holds more than {MEMBERS:,} entries")
                self._add(entry)
            # tarfile takes a damaged header for the end; a true end is a block of zeros.
            self._stream.seek(tar.offset)
            if self._stream.read(512) != bytes(512):
                raise fault(str(self._path), f"damaged, or cut, at byte {tar.offset:,}; download it again")
        if self._stream.packed:
            while self._stream.read(PIECE):  # its checksum stands at the end
                pass

    def _add(self, entry: tarfile.TarInfo) -> None:
        if entry.isdir():
            return
        if reason := _unread(entry):
            self.skipped[reason] += 1
            return
        name = PurePosixPath(entry.name).as_posix()
        if name in self.members:
            self.skipped["names that stand twice: the last counts"] += 1
        self.members[name] = Member(name, entry.size, entry.offset_data)

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yield the bytes of a member in pieces."""
        member = self.members[name]
        left, position = member.size, member.offset
        while left:
            with _sound(self._path):
                self._stream.seek(position)
                piece = self._stream.read(min(PIECE, left))
            if not piece:
                raise fault(str(self._path), f"ends inside {name}: cut; download it again")
            left, position = left - len(piece), position + len(piece)
            yield piece


def _unread(entry: tarfile.TarInfo) -> str:
    if entry.issym() or entry.islnk():
        return "links: not followed"
    if not entry.isreg() or entry.issparse():
        return "pipes, devices and sparse files: not read"
    if PurePosixPath(entry.name).is_absolute() or ".." in PurePosixPath(entry.name).parts:
        return "names that lead out of the archive: not read"
    return "" if _is_text(entry.name) else "files whose name is not UTF-8: not read"


@contextmanager
def _sound(path: Path) -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, ValueError, OverflowError) as error:
        raise fault(str(path), f"not a .tar or .tar.gz that can be read ({error}); download it again") from error


def _unpacked(raw: IO[bytes], path: Path) -> Guarded:
    packed = raw.read(2) == b"\x1f\x8b"
    raw.seek(0)
    size = path.stat().st_size
    if not packed:
        return Guarded(raw, size, str(path))
    return Guarded(gzip.GzipFile(fileobj=raw), max(RATIO * size, RATIO_FROM), str(path), packed=True)


@dataclass(slots=True)
class Guarded:
    """A seekable stream that refuses to be read far beyond what an honest archive of its size can hold."""

    stream: Any
    end: int
    """No byte behind this one is honest."""
    place: str
    packed: bool = False
    position: int = 0

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to an offset from the start or from here."""
        target = offset + (self.position if whence == io.SEEK_CUR else 0)
        if whence == io.SEEK_END or target > self.end:
            raise fault(
                self.place, f"names bytes up to {target:,} and cannot hold them: cut, or a bomb; download it again"
            )
        self.position = self.stream.seek(target)
        return self.position

    def tell(self) -> int:
        """Return the position."""
        return self.position

    def read(self, size: int = -1) -> bytes:
        """Return bytes from the position on."""
        if size < 0 or size > READ_LIMIT:
            raise fault(self.place, f"a header of {size:,} bytes, which no honest archive has")
        if self.position > self.end:
            raise fault(self.place, f"unpacks to more than {self.end:,} bytes: a bomb")
        content: bytes = self.stream.read(size)
        self.position += len(content)
        return content

    def close(self) -> None:
        """Leave the stream open: whoever opened it closes it."""
