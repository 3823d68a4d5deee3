"""A folder that appears whole or not at all: work goes on in `OUT.partial/`, which is renamed at the end."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from mldr.errors import MldrError
from mldr.files import sync_folder

_OWN = ("work", "new", "old")
"""What is put into `OUT.partial/`, and all that is ever removed there."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where a folder is made."""

    new: Path
    """An empty folder: what it holds at the end stands at `out`."""
    work: Path
    """An empty folder for what nobody will see."""


@contextmanager
def fresh_folder(out: Path, mark: str, *, force: bool) -> Iterator[Workshop]:
    """Yield a workshop whose `new` becomes `out` when the block ends without an error; else nothing is left of it.

    Args:
        out: the folder to be.
        mark: the file by which a folder that may be replaced is known (`manifest.json`).
        force: replace such a folder. Any other is never replaced.

    Raises:
        MldrError: if `out` may not be replaced, or something else works there.
    """
    out = out.resolve()
    check_free(out, mark, force=force)
    out.parent.mkdir(parents=True, exist_ok=True)
    partial, lock = out.with_name(out.name + ".partial"), out.with_name(f".{out.name}.lock")
    try:
        with FileLock(lock, timeout=0):
            try:
                yield from _made(partial, out)
            finally:
                lock.unlink(missing_ok=True)
    except Timeout as error:
        raise MldrError(f"{out}: another command is writing here") from error


def _made(partial: Path, out: Path) -> Iterator[Workshop]:
    workshop = _cleared(partial)
    try:
        yield workshop
        exchange(workshop.new, out, partial / "old")
    finally:
        remove_own(partial, _OWN)


def check_free(out: Path, mark: str, *, force: bool) -> None:
    """Refuse to write to `out` where something stands that may not be replaced.

    Raises:
        MldrError: saying what stands there and what to do.
    """
    if not out.name or out.name in (".", ".."):
        raise MldrError(f"{out} cannot be made; choose another --out")
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not (out / mark).is_file():
        raise MldrError(f"{out} exists and holds no {mark}, so it is not replaced; choose another --out")
    if not force:
        raise MldrError(f"{out} exists; choose another --out, or replace it with --force")


def _cleared(partial: Path) -> Workshop:
    if holds_others(partial, _OWN):
        raise MldrError(f"{partial} stands where work would go on and is not ours; move it, or choose another --out")
    remove_own(partial, _OWN)
    for name in ("new", "work"):
        (partial / name).mkdir(parents=True)
    return Workshop(partial / "new", partial / "work")


def holds_others(partial: Path, own: Collection[str]) -> bool:
    """Say whether something else stands at `partial` than a folder of entries that are called so."""
    return partial.exists() and (not partial.is_dir() or any(entry.name not in own for entry in partial.iterdir()))


def remove_own(partial: Path, own: Collection[str]) -> None:
    """Remove the entries of a folder that are called so, and the folder if nothing else is in it."""
    for name in own:
        shutil.rmtree(partial / name, ignore_errors=True)
    if partial.is_dir() and not any(partial.iterdir()):
        partial.rmdir()


def exchange(new: Path, out: Path, old: Path) -> None:
    """Move a finished folder to its place; what stood there is kept at `old`, which makes way, until the new one does."""
    if out.exists():
        shutil.rmtree(old, ignore_errors=True)
        out.replace(old)
    new.replace(out)
    sync_folder(out.parent)
