"""What runs in a worker on some machine: one task, on this disk or in a scratch folder through the depot."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import TypeVar

from mldr.errors import Fault, InputError, MldrError
from mldr.executors.base import Result, Shipped, Task
from mldr.executors.depot import Depot
from mldr.executors.shipping import Made, Parcel, Sent, output_name
from mldr.files import sha256_file
from mldr.version import __version__

ShippedTask = TypeVar("ShippedTask", bound=Shipped)


def run_task(function: Callable[[Task], Result], task: Task, version: str) -> Result:
    """Run a task on the files of this machine.

    Raises:
        MldrError: if another version of mldr is installed here than on the driver: its bytes may differ.
    """
    _check_version(version)
    return function(task)


def run_shipped(
    function: Callable[[ShippedTask], Result], task: ShippedTask, parcel: Parcel, version: str
) -> tuple[Result, list[Made]]:
    """Run a task on files fetched from the depot, and put there what it wrote.

    Raises:
        InterruptedRun: if the depot cannot be read or written from here.
        MldrError: as `run_task`; what the task raises names the driver's paths.
    """
    _check_version(version)
    depot = Depot(parcel.depot)
    scratch = _scratch(depot.run)
    scratch.mkdir(mode=0o700, exist_ok=True)
    with TemporaryDirectory(prefix="task-", dir=scratch) as own:
        places: dict[str, str] = {}
        for number, sent in enumerate(parcel.inputs):
            folder = scratch / "in" / sent.digest if sent.shared else Path(own, "in", str(number))
            places[sent.path] = str(_fetched(depot, sent, folder))
        for number, output in enumerate(parcel.outputs):
            target = Path(own, "out", str(number), Path(output).name)
            target.parent.mkdir(parents=True)
            places[output] = str(target)
        with _driver_paths(places):
            result = function(task.moved(places))
        made = [_put(depot, parcel, number, Path(places[output])) for number, output in enumerate(parcel.outputs)]
    return result, [one for one in made if one is not None]


def clear_scratch(run: str) -> None:
    """Remove what the tasks of a run left on this machine."""
    shutil.rmtree(_scratch(run), ignore_errors=True)


def _scratch(run: str) -> Path:
    return Path(gettempdir(), run)


def _check_version(version: str) -> None:
    if version != __version__:
        raise MldrError(f"a worker has mldr {__version__}, this machine {version}; install the same on all machines")


def _fetched(depot: Depot, sent: Sent, folder: Path) -> Path:
    """Return a file of the depot under its own name: what a task says of a file must not depend on where it ran."""
    target = folder / Path(sent.path).name
    if target.exists():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{os.getpid()}.tmp"
    depot.get(f"in/{sent.digest}", temporary, sent.digest)
    temporary.replace(target)
    return target


def _put(depot: Depot, parcel: Parcel, number: int, path: Path) -> Made | None:
    """Put an output into the depot; None where the task did not write it."""
    if not path.exists():
        return None
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    named = [("" if file == path else file.relative_to(path).as_posix(), file) for file in files]
    for name, file in named:
        depot.put(file, output_name(parcel.number, number, name))
    return Made(number, path.is_dir(), tuple((name, sha256_file(file)) for name, file in named))


@contextmanager
def _driver_paths(places: Mapping[str, str]) -> Iterator[None]:
    """Put the driver's paths into what a task says of its files."""
    back = sorted(((place, path) for path, place in places.items()), key=lambda pair: -len(pair[0]))

    def told(text: str) -> str:
        for place, path in back:
            text = text.replace(place, path)
        return text

    try:
        yield
    except InputError as error:
        faults = [Fault(told(fault.place), told(fault.message)) for fault in error.faults]
        raise InputError(faults, error.total) from error
    except MldrError as error:
        error.args = tuple(told(word) if isinstance(word, str) else word for word in error.args)
        raise
