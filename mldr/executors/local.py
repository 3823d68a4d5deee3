"""Tasks in this process or in a pool of processes on this machine."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import chain, islice
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait as wait_for
from threading import Thread, current_thread, main_thread

from mldr.errors import InterruptedRun
from mldr.executors.base import Result, Task


class LocalExecutor:
    """Runs tasks here: in this process with one worker, else in a pool of processes.

    The function must be importable by name, tasks and results small: they travel between processes.
    """

    def __init__(self, workers: int = 1) -> None:
        self.workers = workers
        self._kept: ProcessPoolExecutor | None = None
        self._inside = False

    def __enter__(self) -> LocalExecutor:
        """Keep one pool for all that is mapped inside: a process takes about a second of processor time to start."""
        self._inside = True
        return self

    def __exit__(self, *_: object) -> None:
        self._inside = False
        self._drop()

    def map(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[tuple[Task, Result]]:
        """Yield each task with its result as they finish; tasks are drawn only as workers come free.

        Raises:
            InterruptedRun: if a worker was killed (out of memory, say).
        """
        source = iter(tasks)
        first = list(islice(source, 2))
        if self.workers <= 1 or len(first) < 2:  # no process is started for a lone task
            for task in chain(first, source):
                yield task, function(task)
            return
        pool = self._pool()
        running: dict[Future[Result], Task] = {}
        drawable = chain(first, source)
        try:
            while True:
                for drawn in islice(drawable, 2 * self.workers - len(running)):
                    with _deaf_to_interrupts():
                        running[pool.submit(function, drawn)] = drawn
                if not running:
                    return
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    yield running.pop(future), future.result()
        except BrokenProcessPool as error:
            self._drop()
            raise InterruptedRun("a worker process was killed; run the same command again to go on") from error
        finally:
            for future in running:
                future.cancel()
            wait(running)
            if not self._inside:
                self._drop()

    def _pool(self) -> ProcessPoolExecutor:
        if self._kept is None:
            self._kept = ProcessPoolExecutor(self.workers, get_context("spawn"), initializer=_end_with_parent)
        return self._kept

    def _drop(self) -> None:
        kept, self._kept = self._kept, None
        if kept is not None:
            kept.shutdown()


def _end_with_parent() -> None:
    """End this worker when its parent is gone, killed too: an orphan would go on writing beside the resumed run."""
    parent = parent_process()
    if parent is not None:
        Thread(target=_wait_for_end, args=(parent.sentinel,), daemon=True).start()


def _wait_for_end(sentinel: int) -> None:
    wait_for([sentinel])
    os._exit(1)


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Start processes that ignore Ctrl-C: it reaches the whole group, and the parent alone decides what it means."""
    if current_thread() is not main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
