"""Tasks on a Ray cluster, or on one that is started here for the run."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib import import_module
from itertools import islice
from types import TracebackType
from typing import Any, Self

from mldr.errors import InterruptedRun, MissingExtra, MldrError, first_line
from mldr.executors.base import Result, Shipped, Task
from mldr.executors.depot import Depot, opened_depot
from mldr.executors.localray import started_ray
from mldr.executors.shipping import Parcel, Shipping
from mldr.executors.worker import clear_scratch, run_shipped, run_task
from mldr.version import __version__

_CLEARING_SECONDS = 10.0
"""What machines get to end tasks, and to remove what these left."""


class RayExecutor:
    """Runs tasks in the workers of a Ray cluster. A context manager; or call `close`.

    Where Ray runs in this process already, that is used and left running, and `address` is not asked.
    Every machine of a cluster needs the same version of mldr and of its libraries.

    Args:
        address: of a cluster (`host:port`, `ray://host:port`, `auto`); '' starts Ray here, reached from this machine only.
        workers: tasks at a time; None for all processors.
        depot: a folder or fsspec URL that all machines reach: files of tasks that name them (`Shipped`) travel through it.
            '' where all machines share the disk.

    Raises:
        MissingExtra: if Ray is not installed.
        MldrError: if no cluster answers, Ray does not start, or the depot cannot be written.
    """

    def __init__(self, address: str = "", workers: int | None = None, depot: str = "") -> None:
        self._ray = _ray()
        self.workers = workers
        self._depot: Depot | None = None
        with ExitStack() as opening:
            if depot:
                self._depot = opening.enter_context(opened_depot(depot))
            if not self._ray.is_initialized():
                opening.enter_context(_connected(self._ray, address) if address else started_ray(self._ray, workers))
            opening.callback(self._clear_machines)
            self._opened = opening.pop_all()

    def map(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[tuple[Task, Result]]:
        """Yield each task with its result as they finish; tasks are drawn only as workers come free.

        Raises:
            InterruptedRun: if a worker or a machine was lost, or the depot.
            MldrError: if a worker has another mldr, or none. What a task raises comes as it is.
        """
        shipping = Shipping(self._depot) if self._depot else None
        running: dict[Any, tuple[Task, Parcel | None]] = {}
        source = iter(tasks)
        most = 2 * self._slots()
        try:
            while True:
                for drawn in islice(source, most - len(running)):
                    try:
                        reference, parcel = self._submit(function, drawn, shipping)
                    except OSError:  # a file of it cannot be read: the task says so in its own words, here
                        yield drawn, function(drawn)
                        continue
                    running[reference] = drawn, parcel
                if not running:
                    return
                for reference in self._finished(list(running)):
                    task, parcel = running.pop(reference)
                    yield task, self._result(reference, parcel, shipping)
        finally:
            self._cancel(list(running))

    def close(self) -> None:
        """End what was started here, and remove the run's folder from the depot."""
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _slots(self) -> int:
        return self.workers or max(1, int(self._ray.cluster_resources().get("CPU", 1)))

    def _submit(
        self, function: Callable[[Task], Result], task: Task, shipping: Shipping | None
    ) -> tuple[Any, Parcel | None]:
        parcel = None
        arguments: tuple[Any, ...] = (function, task, __version__)
        runner: Callable[..., Any] = run_task
        if shipping is not None and isinstance(task, Shipped):
            parcel = shipping.send(task)
            runner, arguments = run_shipped, (function, task, parcel, __version__)
        with _in_own_words():
            # no second try: a task that ends its worker would do so again, and the run goes on where it stopped
            return self._ray.remote(runner).options(num_cpus=1, max_retries=0).remote(*arguments), parcel

    def _finished(self, references: list[Any]) -> list[Any]:
        with _in_own_words():
            finished: list[Any] = self._ray.wait(references, num_returns=1)[0]
        return finished

    def _result(self, reference: Any, parcel: Parcel | None, shipping: Shipping | None) -> Any:
        with _in_own_words():
            result = self._ray.get(reference)
        if parcel is None or shipping is None:
            return result
        result, made = result
        shipping.receive(parcel, made)
        shipping.done_with(parcel)
        return result

    def _cancel(self, references: list[Any]) -> None:
        """End tasks with their workers, which must not write beside the run that goes on, nor after the clearing."""
        with suppress(Exception):  # Ray that is gone need not be told
            for reference in references:
                self._ray.cancel(reference, force=True)
            if references:
                self._ray.wait(references, num_returns=len(references), timeout=_CLEARING_SECONDS, fetch_local=False)

    def _clear_machines(self) -> None:
        """Remove the scratch folder of this run from every machine."""
        if self._depot is None or not self._ray.is_initialized():
            return
        strategy = import_module("ray.util.scheduling_strategies").NodeAffinitySchedulingStrategy
        clearing = [
            self._ray.remote(clear_scratch)
            .options(num_cpus=0, max_retries=0, scheduling_strategy=strategy(node["NodeID"], soft=False))
            .remote(self._depot.run)
            for node in self._ray.nodes()
            if node["Alive"]
        ]
        self._ray.wait(clearing, num_returns=len(clearing), timeout=_CLEARING_SECONDS)


def _ray() -> Any:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        return import_module("ray")
    except ImportError as error:
        raise MissingExtra("--executor ray", "ray") from error


@contextmanager
def _connected(ray: Any, address: str) -> Iterator[None]:
    try:
        _knock(address)
        ray.init(address=address, logging_level=logging.ERROR, log_to_driver=False)
    except (OSError, OverflowError, RuntimeError, ValueError) as error:
        raise MldrError(f"no Ray cluster answers at {address} ({first_line(error)})") from error
    try:
        yield
    finally:
        ray.shutdown()


def _knock(address: str) -> None:
    """Raise OSError where nobody listens: Ray itself would try for many minutes, loudly."""
    host, colon, port = address.rpartition("://")[2].rpartition(":")
    if colon and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()


@contextmanager
def _in_own_words() -> Iterator[None]:
    """Raise what a task raised as it was, and what Ray says of lost workers as an interrupted run."""
    errors = import_module("ray.exceptions")
    try:
        yield
    except errors.RayTaskError as error:
        if isinstance(error.cause, RuntimeError) and "failed to import" in str(error.cause):
            raise MldrError(f"mldr {__version__} is not installed on a machine of the Ray cluster") from error
        raise error.cause from error
    except errors.RayError as error:
        lost = f"a Ray worker was lost ({type(error).__name__})"
        raise InterruptedRun(f"{lost}; run the same command again to go on") from error
