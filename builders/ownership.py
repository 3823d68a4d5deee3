"""Whose is what: the finished dataset, the unfinished build beside it, and what of them a build may replace."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from mldr.errors import MldrError
from mldr.files import parse_json, write_json
from mldr.folders import exchange, holds_others, remove_own
from mldr.manifest import MANIFEST, read_manifest

_OWN = ("work", "dataset", "old")
"""What a build puts into `OUT.partial/`, and all that it ever removes there."""


def check_own(partial: Path) -> None:
    """Refuse a folder of that name which is not an unfinished build's."""
    if holds_others(partial, _OWN):
        raise MldrError(f"{partial} stands where a build would work and is not one; move it, or choose another --out")


def forget(partial: Path) -> None:
    """Remove an unfinished build."""
    remove_own(partial, _OWN)


def is_finished(out: Path, canary: str, force: bool) -> bool:
    """Say whether `out` is the build with this canary, finished; False where it may be written.

    Raises:
        MldrError: if something stands there that may not be replaced.
    """
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return False
    if not (out / MANIFEST).is_file():
        raise MldrError(f"{out} exists and is no dataset, so it is not replaced; choose another --out")
    if force:
        return False
    if read_manifest(out).canary == canary:
        return True
    raise MldrError(f"{out} is not a build of this recipe; choose another --out, or replace it with --force")


def claim(work: Path, state: dict[str, Any], force: bool) -> None:
    """Make the work folder this build's own: go on with what is there if it is, else refuse or start again.

    Raises:
        MldrError: if another build left its work there.
    """
    path = work / "state.json"
    if path.is_file():
        if parse_json(path.read_bytes()) == state:
            return
        if not force:
            raise MldrError(
                f"{work.parent} holds an unfinished build of another recipe, source or library version; "
                "remove it, or start again with --force"
            )
    shutil.rmtree(work, ignore_errors=True)
    write_json(path, state)


def put_in_place(partial: Path, out: Path) -> None:
    """Move the finished dataset to its place; what stood there is kept until the new one does."""
    exchange(partial / "dataset", out, partial / "old")
    forget(partial)
