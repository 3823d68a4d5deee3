"""Finding the pictures of messages inside the export's folder, and nowhere else; what a file says is never trusted.

A path is tried first, then files by name, then by the hash of their bytes. Addresses are never fetched, links never followed.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import unicodedata
from collections import Counter
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from mldr.annotation.chat import Picture
from mldr.annotation.readers.contract import PictureHint
from mldr.annotation.readers.detect import files_in
from mldr.errors import InputError
from mldr.images import MAX_BYTES, ImageError, NormalisedImage, normalise

UNNAMED = "the export names no file"
ADDRESS = "only an address is given, and none is fetched"
ABSOLUTE = "an absolute path, which is not followed"
OUTSIDE = "a path that leads out of the export"
LINK = "a link, which is not followed"
ABSENT = "no such file in the export"
UNDECODED = "still encoded (.dat); decoded pictures are needed"
UNREADABLE = "not a whole picture in a known format"
TOO_LARGE = "too large"
CROWDED = "its folder cannot be searched; put the export into a folder of its own"
AMBIGUOUS = "several files have this name"
HASHED_BYTES = 4 * 1024**3
"""So much of a folder is read to find pictures by the hash of their bytes."""
TELLING = 8
"""A file that lies elsewhere than its path says is taken for it only if its name has so many characters."""

_ADDRESS = re.compile(r"(?i)(?:[a-z][a-z0-9+.-]+:|//)")
_HASH = re.compile(r"[0-9a-f]{16,64}")
_MD5 = re.compile(r"[0-9a-f]{32}")
_STARTS = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"RIFF", b"BM", b"II*\0", b"MM\0*")


class Folder:
    """The files of an export's folder by name and by hash; listed once, when first asked for."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.crowded = False
        """Whether there are too many files, or some that cannot be listed: then none is found by its name."""
        self._files: list[Path] | None = None
        self._names: dict[str, list[Path]] | None = None
        self._hashes: dict[str, list[Path]] | None = None

    def named(self, name: str) -> list[Path]:
        """Return the files that are called so, with or without their ending; case and composition of letters do not matter."""
        if self._names is None:
            self._names = {}
            for path in self._listed():
                for key in sorted({_key(path.name), _key(path.stem)}):
                    self._names.setdefault(key, []).append(path)
        return self._names.get(_key(name), [])

    def _listed(self) -> list[Path]:
        if self._files is None:
            try:
                self._files = list(files_in(self.root))
            except (InputError, OSError):
                self._files, self.crowded = [], True
        return self._files

    def hashed(self, md5: str) -> list[Path]:
        """Return the pictures whose bytes have this MD5."""
        if self._hashes is None:
            self._hashes = {}
            left = HASHED_BYTES
            for path in self._listed():
                size = path.lstat().st_size
                if size > min(left, MAX_BYTES) or not _starts_like_a_picture(path):
                    continue
                left -= size
                digest = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
                self._hashes.setdefault(digest, []).append(path)
        return self._hashes.get(md5, [])


class Pictures:
    """The pictures of one chat.

    Args:
        folder: the export's; may be shared by several chats.
        keep: takes each picture that was found, once a key.
    """

    def __init__(self, folder: Folder, keep: Callable[[NormalisedImage], None]) -> None:
        self._folder, self._keep = folder, keep
        self._read: dict[Path, tuple[str, int]] = {}
        self._problems: dict[Path, str] = {}
        self._kept: set[str] = set()
        self.counts: Counter[str] = Counter()
        """`found`, or why not -> pictures."""

    @property
    def stored(self) -> int:
        """The number of different pictures that were kept."""
        return len(self._kept)

    def find(self, hint: PictureHint, beside: Path) -> Picture:
        """Return a picture, or why it is missing.

        Args:
            hint: where it may be.
            beside: the folder of the file that says so; paths are taken from there first, then from the root.
        """
        problems: list[str] = []
        names: list[str] = []
        for written in hint.paths:
            relative = written.strip().replace("\\", "/")
            for path in self._candidates(relative, beside, problems, names):
                if found := self._picture(path, problems):
                    return self._counted(Picture(found[0]))
        for name in (*names, *hint.stems):
            if key := self._by_name(name, beside, problems):
                return self._counted(Picture(key))
        return self._counted(Picture("", _gravest(problems)))

    def _counted(self, picture: Picture) -> Picture:
        self.counts[picture.problem or "found"] += 1
        return picture

    def _candidates(self, relative: str, beside: Path, problems: list[str], names: list[str]) -> list[Path]:
        """Return the files that a path leads to; why it leads nowhere, and what its file is called, are added to the lists."""
        if problem := _unfollowable(relative):
            problems.append(problem)
            return []
        results = [inside_root(self._folder.root, base, relative) for base in (beside, self._folder.root)]
        found = [result for result in results if isinstance(result, Path)]
        if isinstance(results[0], str) and not found:
            problems.append(results[0])
        if results[0] not in (OUTSIDE, LINK):
            name = PurePosixPath(relative).name
            names += [known for known in (name, PurePosixPath(name).stem) if len(known) >= TELLING]
        return found

    def _by_name(self, name: str, beside: Path, problems: list[str]) -> str:
        """Return the key of the picture of a name or hash, '' for none."""
        plain = name.strip()
        if not plain or len(plain) > 255:
            return ""
        paths = self._folder.named(plain)
        if not paths and _MD5.fullmatch(plain.lower()):
            paths = self._folder.hashed(plain.lower())
        if self._folder.crowded:
            problems.append(CROWDED)
        near = [path for path in paths if path.is_relative_to(beside)] or paths
        found = [found for path in near if (found := self._picture(path, problems))]
        if len({key for key, _ in found}) > 1 and not _HASH.fullmatch(plain.lower()):
            problems.append(AMBIGUOUS)
            return ""
        return max(found, key=lambda one: (one[1], one[0]), default=("", 0))[
            0
        ]  # of a picture and its thumbnail the larger

    def _picture(self, path: Path, problems: list[str]) -> tuple[str, int] | None:
        """Return (key, pixels) of a file; each is read once."""
        if path not in self._read and path not in self._problems:
            try:
                image = normalise(contents(path))
            except ImageError as error:
                self._problems[path] = _reason(path, error)
            except OSError as error:
                self._problems[path] = LINK if path.is_symlink() else f"cannot be read ({error.strerror})"
            else:
                self._read[path] = (image.image_key, image.width * image.height)
                if image.image_key not in self._kept:
                    self._kept.add(image.image_key)
                    self._keep(image)
        if path in self._problems:
            problems.append(self._problems[path])
        return self._read.get(path)


def _unfollowable(relative: str) -> str:
    """Return why a path as written is not followed, '' where it may be."""
    if not relative or "\0" in relative or len(relative) > 4096:
        return UNNAMED if not relative else ABSENT
    if len(relative) > 1 and relative[1] == ":":
        return ABSOLUTE
    if _ADDRESS.match(relative):
        return ADDRESS
    return ABSOLUTE if relative.startswith(("/", "~")) else ""


def inside_root(root: Path, base: Path, relative: str) -> Path | str:
    """Return the regular file that a relative path leads to from a folder inside the root, or why there is none.

    `..` is taken by the letter, so no link can turn it; any link on the way is refused.
    """
    if PurePosixPath(relative).is_absolute():
        return ABSOLUTE
    parts = list(base.relative_to(root).parts) if base.is_relative_to(root) else []
    for part in PurePosixPath(relative).parts:
        if part != "..":
            parts.append(part)
        elif not parts:
            return OUTSIDE
        else:
            parts.pop()
    path = root
    for number, part in enumerate(parts, 1):
        path = path / part
        try:
            mode = path.lstat().st_mode
        except (OSError, ValueError):
            return ABSENT
        if stat.S_ISLNK(mode):
            return LINK
        if not (stat.S_ISREG(mode) if number == len(parts) else stat.S_ISDIR(mode)):
            return ABSENT
    return path if parts else ABSENT


def contents(path: Path) -> bytes:
    """Return the bytes of a regular file; a link that took its place meanwhile is refused by the system.

    Raises:
        ImageError: if it is larger than a picture may be, or no regular file.
        OSError: if it cannot be opened.
    """
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(handle, "rb") as stream:
        status = os.fstat(stream.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise ImageError("not a regular file")
        if status.st_size > MAX_BYTES:
            raise ImageError(TOO_LARGE)
        return stream.read(MAX_BYTES + 1)


def _reason(path: Path, error: ImageError) -> str:
    if "at most" in str(error) or "more pixels" in str(error) or str(error) == TOO_LARGE:
        return TOO_LARGE
    return UNDECODED if path.suffix.lower() == ".dat" else UNREADABLE


def _gravest(problems: list[str]) -> str:
    """Return the most telling of several reasons: what was found and cannot be used before what was not found."""
    order = (OUTSIDE, ABSOLUTE, LINK, TOO_LARGE, UNDECODED, UNREADABLE, AMBIGUOUS, CROWDED, ADDRESS, UNNAMED)
    others = sorted({problem for problem in problems if problem not in order and problem != ABSENT})
    for problem in (*others, *order):
        if problem in problems:
            return problem
    return ABSENT if problems else UNNAMED


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _starts_like_a_picture(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(4).startswith(_STARTS)
