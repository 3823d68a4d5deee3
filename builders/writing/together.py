"""Many questions at once: a bounded number in flight, results in order, and nothing that was paid for thrown away."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterable
from typing import Any, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")

_AHEAD = 4
"""So many times the number in flight may be done and wait for one before them."""


async def together(coroutines: Iterable[Coroutine[Any, Any, Result]]) -> list[Result]:
    """Run a few questions at once and wait for all, so that none is cut off by the failure of another.

    Raises:
        BaseException: the first failure in the order given.
    """
    answers: list[Result] = []
    failure: BaseException | None = None
    for outcome in await asyncio.gather(*coroutines, return_exceptions=True):
        if isinstance(outcome, BaseException):
            failure = failure or outcome
        else:
            answers.append(outcome)
    if failure is not None:
        raise failure
    return answers


async def in_order(
    function: Callable[[Task], Awaitable[Result]], tasks: Iterable[Task], at_once: int
) -> AsyncGenerator[Result, None]:
    """Yield function(task) for each task, in the order of the tasks; at most `at_once` run at a time.

    Tasks are drawn as they are needed, so memory is bounded. After a failure no further task is started; those that run are
    waited for, since what they asked is being paid for.

    Raises:
        BaseException: the first failure, in the order of the tasks.
    """
    source, drained = iter(tasks), False
    waiting: deque[asyncio.Future[Result]] = deque()
    try:
        while True:
            running = [one for one in waiting if not one.done()]
            failed = any(one.done() and (one.cancelled() or one.exception() is not None) for one in waiting)
            while not (drained or failed) and len(running) < at_once and len(waiting) < _AHEAD * at_once:
                try:
                    started = asyncio.ensure_future(function(next(source)))
                except StopIteration:
                    drained = True
                else:
                    running.append(started)
                    waiting.append(started)
            if not waiting:
                return
            if waiting[0].done():
                yield waiting.popleft().result()
            else:
                await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    except (asyncio.CancelledError, GeneratorExit):
        for one in waiting:
            one.cancel()
        raise
    finally:
        await asyncio.gather(*waiting, return_exceptions=True)  # the first failure is being raised already
