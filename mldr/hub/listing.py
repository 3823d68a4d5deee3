"""What is at home and what is on the Hub, file by file, and the difference."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mldr.hub.client import Hub
from mldr.manifest import MANIFEST
from mldr.tables import TABLES


@dataclass(frozen=True, slots=True)
class Local:
    """A file that is to be on the Hub."""

    path: str
    """In the repository."""
    source: Path
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Remote:
    """A file that is on the Hub."""

    path: str
    size: int
    blob: str
    """The hash by which git names it: of its bytes, or of the pointer to a large file."""
    sha256: str = ""
    """Of a large file; '' of a small one."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What makes the Hub's copy equal to the one at home."""

    changed: tuple[Local, ...]
    same: tuple[Local, ...]
    gone: tuple[str, ...]
    """Paths of the dataset that are on the Hub alone, and make way."""

    @property
    def size(self) -> int:
        """Bytes of the changed files."""
        return sum(one.size for one in self.changed)

    def __bool__(self) -> bool:
        return bool(self.changed or self.gone)


def git_sha(path: Path) -> str:
    """Return the hash by which git names a file's bytes (SHA-1 over `blob <size>`, NUL, the bytes)."""
    digest = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    with path.open("rb") as stream:
        while piece := stream.read(1024 * 1024):
            digest.update(piece)
    return digest.hexdigest()


def remote_files(hub: Hub, hub_id: str, revision: str) -> dict[str, Remote]:
    """Return path -> file of a commit, branch or tag."""
    from huggingface_hub.hf_api import RepoFile

    def listed() -> dict[str, Remote]:
        entries = hub.api.list_repo_tree(hub_id, recursive=True, revision=revision, repo_type="dataset")
        return {
            one.path: Remote(one.path, one.size, one.blob_id, one.lfs.sha256 if one.lfs else "")
            for one in entries
            if isinstance(one, RepoFile)
        }

    return hub.call(f"listing the files of {hub_id}", listed)


def is_same(local: Local, remote: Remote | None) -> bool:
    """Say whether a file at home has the bytes of the one on the Hub."""
    if remote is None or local.size != remote.size:
        return False
    return local.sha256 == remote.sha256 if remote.sha256 else git_sha(local.source) == remote.blob


def difference(local: Iterable[Local], remote: Mapping[str, Remote]) -> Difference:
    """Return what is to be sent and removed; files on the Hub that are no part of a dataset stay."""
    listed = sorted(local, key=lambda one: one.path)
    same = [one for one in listed if is_same(one, remote.get(one.path))]
    known = {one.path for one in listed}
    return Difference(
        changed=tuple(one for one in listed if one not in same),
        same=tuple(same),
        gone=tuple(path for path in sorted(remote) if path not in known and is_of_a_dataset(path)),
    )


def is_of_a_dataset(path: str) -> bool:
    """Say whether a path is one that a dataset of mldr fills."""
    folder, _, name = path.partition("/")
    return path == MANIFEST or (folder in TABLES and name.endswith(".parquet"))
