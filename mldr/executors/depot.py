"""A folder of one run in a place that all machines reach, through fsspec: files go in and come out by name."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from mldr.errors import InterruptedRun, MldrError, first_line
from mldr.files import sha256_file

PREFIX = "mldr-run-"
"""Of a run's folder in the depot, and of its scratch folder on each machine."""
OWNER = "owner.json"


class Depot:
    """Files in the folder of a run.

    Args:
        url: of the run's folder, with or without a protocol.

    Raises:
        MldrError: if no driver of that protocol is installed.
    """

    def __init__(self, url: str) -> None:
        from fsspec.core import url_to_fs  # type: ignore[import-untyped]

        self.url = url
        try:
            self._files: Any
            self._root: str
            self._files, self._root = url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise MldrError(f"depot: {error}") from error

    @property
    def run(self) -> str:
        """The name of the run's folder."""
        return self.url.rpartition("/")[2]

    def put(self, path: Path, name: str) -> None:
        """Copy a local file to a name.

        Raises:
            InterruptedRun: if it cannot be written.
        """
        target = f"{self._root}/{name}"
        with _reached(f"{name} cannot be written"):
            self._files.makedirs(target.rpartition("/")[0], exist_ok=True)
            self._files.put_file(str(path), target)

    def get(self, name: str, path: Path, digest: str) -> None:
        """Copy what lies under a name to a local path that nobody reads yet.

        Raises:
            InterruptedRun: if it cannot be read, or is not what the hex SHA-256 `digest` says.
        """
        with _reached(f"{name} cannot be read; all machines must reach the same depot"):
            self._files.invalidate_cache()
            self._files.get_file(f"{self._root}/{name}", str(path))
        if sha256_file(path) != digest:
            raise InterruptedRun(f"depot: {name} was damaged on its way; run the same command again to go on")

    def remove(self, name: str = "") -> None:
        """Remove a file or folder, or the run's whole folder; what is gone already is no fault."""
        with _reached("files cannot be removed"), suppress(FileNotFoundError):
            self._files.invalidate_cache()
            self._files.rm(f"{self._root}/{name}" if name else self._root, recursive=True)

    def claim(self) -> None:
        """Make the run's folder, with a note of whose it is."""
        with _reached("it cannot be written"):
            self._files.makedirs(self._root, exist_ok=True)
            self._files.pipe_file(f"{self._root}/{OWNER}", json.dumps(_here()).encode())

    def clear_killed(self) -> None:
        """Remove the folders of runs that were killed on this machine; of others nobody knows here if they are at work."""
        here = _here()
        with _reached("it cannot be listed"), suppress(FileNotFoundError):
            for folder in sorted(self._files.ls(self._root, detail=False)):
                name = str(folder).rstrip("/").rpartition("/")[2]
                if here and name.startswith(PREFIX) and _is_dead(self._owner(name), here):
                    self.remove(name)

    def _owner(self, name: str) -> object:
        try:
            return json.loads(self._files.cat_file(f"{self._root}/{name}/{OWNER}"))
        except (FileNotFoundError, ValueError):
            return None


@contextmanager
def opened_depot(place: str) -> Iterator[Depot]:
    """Make a folder for this run in a depot, and remove it at the end.

    What killed runs of this machine left there is removed too.

    Args:
        place: a folder or fsspec URL.

    Raises:
        MldrError: if it cannot be written, or no driver of its protocol is installed.
    """
    base = place.rstrip("/") if "://" in place else Path(place).resolve().as_posix()
    if base.startswith("memory://"):
        raise MldrError("depot: memory:// is seen by one process only; give a place that all machines reach")
    Depot(base).clear_killed()
    depot = Depot(f"{base}/{PREFIX}{secrets.token_hex(8)}")
    try:
        depot.claim()
        yield depot
    finally:
        depot.remove()


@contextmanager
def _reached(what: str) -> Iterator[None]:
    """Tell what a driver raises in one line: each raises its own (OSError, botocore's, aiohttp's)."""
    try:
        yield
    except MldrError:
        raise
    except Exception as error:
        raise InterruptedRun(f"depot: {what} ({first_line(error)}); run the same command again to go on") from error


def _here() -> list[str]:
    """Return what tells this process from all others: boot, container, number. Empty where the system has no such words."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return [boot, str(Path("/proc/self/ns/pid").readlink()), str(os.getpid())]
    except OSError:
        return []


def _is_dead(owner: object, here: list[str]) -> bool:
    """Say whether the process that an owner's note names ran on this machine and is gone."""
    if not (isinstance(owner, list) and len(owner) == 3 and owner[:2] == here[:2]):
        return False
    number = str(owner[2])
    return number.isdecimal() and number != here[2] and not Path("/proc", number).exists()
