"""From the paths that a release names to stored pictures: found by their trailing folders, decoded, or said to be missing."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from mldr.files import sha256_text
from mldr.images import MAX_BYTES, ImageError, NormalisedImage, normalise, open_stored
from mldr.release.archive import Archive, FolderArchive, Member, read_member
from mldr.release.findings import Findings
from mldr.release.spool import Spool

_URL = re.compile(r"https?://", re.IGNORECASE)
_OWN_NAME = re.compile(r"([0-9a-f]{64})\.(?:jpg|png)")
_PLAIN_INFO = frozenset({"jfif", "jfif_version", "jfif_unit", "jfif_density", "dpi"})


class Finder:
    """Finds the files of a release by the paths in its records, which start at another machine's folders."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._by_name: dict[str, list[str]] = defaultdict(list)
        self._by_folder: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for name in archive.members:
            parts = PurePosixPath(name).parts
            self._by_name[parts[-1]].append(name)
            self._by_folder[parts[-2:]].append(name)

    def find(self, path: str, findings: Findings) -> Member | None:
        """Return the file that a path means: the one that shares the most trailing folders, if it is one.

        At least the file name and its folder must agree, or all that either has.
        """
        wanted = _parts(path)
        if not wanted:
            return None
        if isinstance(self._archive, FolderArchive) and (direct := self._archive.beside("/".join(wanted))):
            return direct
        best, found = 0, list[str]()
        if len(wanted) == 1:
            candidates = self._by_name.get(wanted[0], [])
        else:  # thousands of folders may each hold a 0.jpg, so names alone are no index
            candidates = [*self._by_folder.get(wanted[-2:], ()), *self._by_folder.get(wanted[-1:], ())]
        for name in candidates:
            agree = _agreeing(wanted, PurePosixPath(name).parts)
            if agree < best:
                continue
            found = [*found, name] if agree == best else [name]
            best = agree
        if len(found) > 1:
            findings.note("image paths that several files fit: taken as missing")
        return self._archive.members[found[0]] if len(found) == 1 else None


def _parts(path: str) -> tuple[str, ...]:
    plain = path.removeprefix("file://").replace("\\", "/")
    return tuple(part for part in plain.split("/") if part not in ("", ".", ".."))


def _agreeing(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    count = 0
    for left, right in zip(reversed(one), reversed(other), strict=False):
        if left != right:
            break
        count += 1
    return count


def locate(spool: Spool, archive: Archive, source: str, findings: Findings) -> list[tuple[str, Member]]:
    """Say of every ref what it stands for until its bytes are read; return (ref, file), in the order of the archive.

    Args:
        spool: holds the refs.
        archive: the release's files.
        source: the name in the keys of pictures without bytes.
        findings: takes counts.
    """
    finder = Finder(archive)
    found: list[tuple[str, Member]] = []
    for ref in list(spool.refs()):
        if _URL.match(ref):
            spool.place_picture(ref, f"ref:{source}/{sha256_text(ref)[:16]}", "url_only", ref)
            findings.note("pictures that are only a web address: not fetched")
        elif spool.embedded(ref) is not None:
            continue
        else:
            spool.place_picture(ref, f"ref:{source}/{_name(ref)}", "missing")
            member = None if ref.startswith("\0") else finder.find(ref, findings)
            if member is None:
                findings.note("pictures that are not there: status missing")
            else:
                found.append((ref, member))
    return sorted(found, key=lambda pair: (pair[1].offset, pair[1].name, pair[0]))


def _name(ref: str) -> str:
    name = "/".join(_parts(ref.removeprefix("\0")))
    return name if 0 < len(name) <= 300 and not ref.startswith("data:") else sha256_text(ref)[:16]


def store_pictures(
    found: Iterator[tuple[str, Member]], spool: Spool, archive: Archive, source: str, findings: Findings
) -> None:
    """Decode and keep the pictures that are there; one that cannot be decoded stays missing, counted by reason."""
    for ref, member in found:
        content = read_member(archive, member.name, MAX_BYTES)
        if content is None:
            findings.note(f"pictures of more than {MAX_BYTES:,} bytes: status missing")
        else:
            _keep(ref, content, spool, findings)
    for ref in list(spool.refs()):
        content = spool.embedded(ref)
        if content is not None:
            spool.place_picture(ref, f"ref:{source}/{_name(ref)}", "missing")
            _keep(ref, content, spool, findings)


def _keep(ref: str, content: bytes, spool: Spool, findings: Findings) -> None:
    try:
        image = already_stored(content, PurePosixPath(ref).name) or normalise(content)
    except ImageError as error:
        findings.note(f"pictures that cannot be decoded: status missing ({re.sub(r'[0-9][0-9,]*', 'n', str(error))})")
        return
    spool.store(image)
    spool.place_picture(ref, image.image_key, "present")


def already_stored(content: bytes, name: str) -> NormalisedImage | None:
    """Return a picture as it is, where it is one that mldr stored and exported; decoding a JPEG anew would change it.

    It must be named by its own hash and hold nothing that `normalise` would take away.

    Raises:
        ImageError: for bytes that are no picture.
    """
    named = _OWN_NAME.fullmatch(name)
    if named is None or hashlib.sha256(content).hexdigest() != named[1]:
        return None
    picture: Any = open_stored(content)
    extra = set(picture.info) - _PLAIN_INFO
    segments = {segment for segment, _ in getattr(picture, "applist", [])} - {"APP0"}
    if picture.format not in ("JPEG", "PNG") or picture.mode not in ("L", "RGB") or extra or segments:
        return None
    media_type = "image/jpeg" if picture.format == "JPEG" else "image/png"
    return NormalisedImage(f"sha256:{named[1]}", content, picture.width, picture.height, media_type)


def release_name(path: Path) -> str:
    """Return the name of the dataset that a release becomes: `mldr-release-<file or folder>`."""
    stem = path.resolve().name.lower()
    for ending in (".tar.gz", ".tgz", ".tar", ".json"):
        stem = stem.removesuffix(ending)
    return "mldr-release-" + (re.sub(r"[^a-z0-9]+", "-", stem).strip("-")[:60] or "unnamed")
