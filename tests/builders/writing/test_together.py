from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mldr.builders.writing.together import in_order, together
from mldr.errors import InterruptedRun


async def collected(function: Callable[[int], Any], tasks: Any, at_once: int) -> list[int]:
    return [result async for result in in_order(function, tasks, at_once)]


@pytest.mark.parametrize("at_once", [1, 3, 50])
def test_results_come_in_order_whatever_finishes_first(at_once: int) -> None:
    async def slow(number: int) -> int:
        for _ in range((number * 7) % 5):
            await asyncio.sleep(0)
        return number

    assert asyncio.run(collected(slow, range(40), at_once)) == list(range(40))


def test_no_more_run_at_once_than_said_and_tasks_are_drawn_as_needed() -> None:
    drawn, running, most, ahead = 0, 0, 0, 0

    def tasks() -> Iterator[int]:
        nonlocal drawn
        for number in range(200):
            drawn += 1
            yield number

    async def work(number: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        return number

    async def go() -> None:
        nonlocal ahead
        done = 0
        async for _ in in_order(work, tasks(), 4):
            done += 1
            ahead = max(ahead, drawn - done)

    asyncio.run(go())
    assert most == 4
    assert ahead <= 16


def test_after_a_failure_nothing_starts_and_what_runs_is_finished() -> None:
    started, finished = [], []

    async def work(number: int) -> int:
        started.append(number)
        for _ in range(10 * (number != 2)):
            await asyncio.sleep(0)
        if number == 2:
            raise InterruptedRun("stop")
        finished.append(number)
        return number

    with pytest.raises(InterruptedRun, match="stop"):
        asyncio.run(collected(work, range(100), 4))
    assert len(started) < 10
    assert sorted([*finished, 2]) == sorted(started)


def test_the_first_failure_in_order_is_raised() -> None:
    async def work(number: int) -> int:
        await asyncio.sleep(0)
        raise ValueError(str(number))

    with pytest.raises(ValueError, match="0"):
        asyncio.run(collected(work, range(9), 4))
    with pytest.raises(ValueError, match="5"):
        asyncio.run(together(work(number) for number in (5, 6)))


def test_who_stops_listening_stops_the_work() -> None:
    ended: list[str] = []

    async def work(number: int) -> int:
        try:
            await asyncio.sleep(0 if number == 0 else 60)
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise
        return number

    async def go() -> None:
        stream = in_order(work, range(8), 4)
        assert await anext(stream) == 0
        await stream.aclose()

    asyncio.run(asyncio.wait_for(go(), 5))
    assert ended
