"""Dialogues spread over processes or machines: batches for an executor, each answered by a system made ready there."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Self

from mldr.dataset import Asked, Dataset
from mldr.errors import MldrError
from mldr.executors import Executor
from mldr.files import canonical_json, parse_json
from mldr.retrievers.answering import answers
from mldr.retrievers.making import make_retriever
from mldr.retrievers.protocol import Opened, Oracle, Retriever, Run
from mldr.retrievers.readying import described, dialogues

BATCH = 16
"""Dialogues of one task."""
ENDPOINT = "endpoint"
"""What a system that asks a server names among its needs: only the driver process does that."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a dataset lies: its files by name, so that they can travel."""

    folder: str
    files: tuple[tuple[str, str], ...]
    """Name in the folder -> path."""

    def dataset(self) -> Dataset:
        """Return the dataset; files that travelled one by one are laid out as a folder again, by links."""
        folder = Path(self.folder)
        if all(Path(path) == folder / name for name, path in self.files):
            return Dataset(folder)
        laid = Path(tempfile.mkdtemp(prefix="mldr-dataset-"))
        for name, path in self.files:
            (laid / name).parent.mkdir(parents=True, exist_ok=True)
            (laid / name).symlink_to(Path(path).resolve())
        return Dataset(laid)


@dataclass(frozen=True, slots=True)
class Batch:
    """Dialogues from `start` to `stop` of a split, for one system."""

    system: str
    options: str
    """Canonical JSON."""
    place: Place
    split: str
    start: int
    stop: int
    done: frozenset[str]
    """Query ids that are answered already."""
    meta: str
    """What the driver's own copy of the system says of itself, canonical JSON; the one made here must say the same."""
    run: Run

    def inputs(self) -> list[str]:
        """Return the files of the dataset."""
        return [path for _, path in self.place.files]

    def outputs(self) -> list[str]:
        """Return nothing: the lines are the result."""
        return []

    def moved(self, places: Mapping[str, str]) -> Self:
        """Return the same batch with the dataset's files elsewhere."""
        files = tuple((name, places.get(path, path)) for name, path in self.place.files)
        return replace(self, place=replace(self.place, files=files))


def spread(
    executor: Executor,
    name: str,
    retriever: Retriever,
    dataset: Dataset,
    split: str,
    done: Collection[str],
    options: Mapping[str, Any],
    meta: Mapping[str, Any],
    run: Run,
    total: int,
) -> Iterator[list[str]]:
    """Yield the lines of each batch as it is finished, each batch followed by an empty list for each of its dialogues.

    Raises:
        MldrError: if the system asks a server: the driver alone does that.
    """
    if ENDPOINT in getattr(retriever, "needs", ()):
        raise MldrError(
            f"{name} asks a server, which one process does alone; raise -o concurrency=N instead of --workers"
        )
    if isinstance(retriever, Oracle):
        raise MldrError(
            f"{name} is an oracle, which is quick enough in one process; leave --executor and --workers out"
        )
    names = sorted(["manifest.json", *dataset.manifest.files])
    place = Place(str(dataset.folder), tuple((one, str(dataset.folder / one)) for one in names))
    sent = replace(run, note=Run(run.out).note)  # what is shown stays here
    tasks = (
        Batch(
            name,
            canonical_json(dict(options)),
            place,
            split,
            start,
            min(start + BATCH, total),
            frozenset(done),
            canonical_json(dict(meta)),
            sent,
        )
        for start in range(0, total, BATCH)
    )
    for task, lines in executor.map(answered, tasks):
        yield lines
        for _ in range(task.start, task.stop):
            yield []


def answered(batch: Batch) -> list[str]:
    """Return the lines of a batch; runs in a worker.

    Raises:
        MldrError: if the system made here is not what the driver has.
    """
    ready = _ready(batch)
    if canonical_json(ready.meta) != batch.meta:
        raise MldrError(f"{batch.system}: fitted otherwise in a worker than on the driver; answer in one process")
    asked = ready.part(batch.split, batch.start, batch.stop)
    found = dialogues(ready.retriever, ready.dataset, batch.split, asked, batch.done)
    return [line for one in found for line in answers(batch.system, ready.retriever, one, ready.meta)]


class _Ready:
    """A system made ready in this process, and how far its dataset was read."""

    def __init__(self, system: str, options: dict[str, Any], dataset: Dataset, run: Run) -> None:
        self.dataset = dataset
        self.retriever = make_retriever(system, options)
        if isinstance(self.retriever, Opened):
            own = Path(tempfile.mkdtemp(prefix="mldr-retrieve-"))  # two processes write no file together
            self.retriever.open(replace(run, out=own / run.out.name))
        self.meta = described(system, self.retriever, dataset, options)
        self._asked: Iterator[Asked] = iter(())
        self._next: int | None = None

    def part(self, split: str, start: int, stop: int) -> Iterator[Asked]:
        """Yield dialogues of the split; where batches come in order, it is read once."""
        if self._next is None or start < self._next:
            self._asked, self._next = self.dataset.asked(split, gold=False), 0
        skipped, self._next = start - self._next, stop
        return islice(self._asked, skipped, skipped + stop - start)


_made: dict[tuple[str, str, Place], _Ready] = {}
"""The one system of this process."""


def _ready(batch: Batch) -> _Ready:
    key = batch.system, batch.options, batch.place
    if key not in _made:
        _made.clear()
        _made[key] = _Ready(batch.system, parse_json(batch.options), batch.place.dataset(), batch.run)
    return _made[key]
