"""The driver's side of the depot: what tasks read goes there once, what they wrote comes to its place whole."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mldr.errors import InterruptedRun
from mldr.executors.base import Shipped
from mldr.executors.depot import Depot
from mldr.files import inside, sha256_file, written_whole


@dataclass(frozen=True, slots=True)
class Sent:
    """A file in the depot that a task reads."""

    path: str
    """On the driver's disk."""
    digest: str
    """Hex SHA-256, its name in the depot."""
    shared: bool
    """Whether other tasks read it too: a machine keeps it."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """What a worker is told about the files of a task."""

    depot: str
    """URL of the run's folder."""
    number: int
    """Of the task in this run."""
    inputs: tuple[Sent, ...]
    outputs: tuple[str, ...]
    """On the driver's disk."""


@dataclass(frozen=True, slots=True)
class Made:
    """What a worker put into the depot: a file, or a folder with files."""

    output: int
    """Which of the parcel's outputs."""
    is_folder: bool
    files: tuple[tuple[str, str], ...]
    """Relative name ('' for a file) and hex SHA-256, sorted."""


def output_name(number: int, output: int, name: str) -> str:
    """Return the depot's name of a file that a task wrote."""
    return f"out/{number}/{output}/{name}".rstrip("/")


class Shipping:
    """Keeps account of what lies in the depot.

    A file that several tasks need at once (the spool) stays until the end; others go when their task is done, so that
    the depot does not grow with the pictures of a build.
    """

    def __init__(self, depot: Depot) -> None:
        self._depot = depot
        self._count = 0
        self._uses: Counter[str] = Counter()
        self._shared: set[str] = set()
        self._digests: dict[str, tuple[tuple[int, int], str]] = {}

    def send(self, task: Shipped) -> Parcel:
        """Put the files of a task into the depot.

        Raises:
            OSError: if one of them cannot be read here.
            InterruptedRun: if the depot cannot be written.
        """
        digests = {path: self._digest(path) for path in dict.fromkeys(task.inputs())}
        for path, digest in digests.items():
            if not self._uses[digest] and digest not in self._shared:
                self._depot.put(Path(path), f"in/{digest}")
            elif self._uses[digest]:
                self._shared.add(digest)
        self._uses.update(set(digests.values()))
        self._count += 1
        sent = tuple(Sent(path, digest, digest in self._shared) for path, digest in digests.items())
        return Parcel(self._depot.url, self._count, sent, tuple(task.outputs()))

    def receive(self, parcel: Parcel, made: Sequence[Made]) -> None:
        """Bring what a task wrote to its places, in order, each whole or not at all; clear the depot of it.

        Raises:
            InterruptedRun: if the depot cannot be read, or holds something else.
        """
        for one in made:
            target = Path(parcel.outputs[one.output])
            if one.is_folder:
                self._receive_folder(parcel, one, target)
            else:
                self._receive_file(parcel, one, "", target)
        if made:
            self._depot.remove(f"out/{parcel.number}")

    def done_with(self, parcel: Parcel) -> None:
        """Clear the depot of what only this task read."""
        for sent in parcel.inputs:
            if sent.digest in self._uses:
                self._uses[sent.digest] -= 1
                if self._uses[sent.digest] <= 0 and sent.digest not in self._shared:
                    del self._uses[sent.digest]
                    self._depot.remove(f"in/{sent.digest}")
            if sent.digest not in self._shared:
                self._digests.pop(sent.path, None)

    def _digest(self, path: str) -> str:
        stat = Path(path).stat()
        state = stat.st_size, stat.st_mtime_ns
        if self._digests.get(path, ((-1, -1), ""))[0] != state:
            self._digests[path] = state, sha256_file(Path(path))
        return self._digests[path][1]

    def _receive_folder(self, parcel: Parcel, made: Made, target: Path) -> None:
        if target.is_dir():
            for name, _ in made.files:
                place = _place(target, name)
                if not place.exists():
                    self._receive_file(parcel, made, name, place)
            return
        temporary = target.with_name(f"{target.name}.{self._depot.run}.tmp")
        try:
            temporary.mkdir(parents=True)
            for name, _ in made.files:
                self._receive_file(parcel, made, name, _place(temporary, name))
            temporary.replace(target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)

    def _receive_file(self, parcel: Parcel, made: Made, name: str, target: Path) -> None:
        with written_whole(target) as temporary:
            self._depot.get(output_name(parcel.number, made.output, name), temporary, dict(made.files)[name])


def _place(folder: Path, name: str) -> Path:
    try:
        return inside(folder, name)
    except ValueError as error:
        raise InterruptedRun(f"depot: a worker names a file {name!r}, which {error}") from error
