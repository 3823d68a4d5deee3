from __future__ import annotations

import asyncio

import pytest

from mldr.builders.writing.together import together
from mldr.errors import InterruptedRun


def test_answers_stand_in_the_order_of_their_questions() -> None:
    async def slow(number: int) -> int:
        for _ in range((number * 7) % 5):
            await asyncio.sleep(0)
        return number

    assert asyncio.run(together(slow(number) for number in range(20))) == list(range(20))


def test_the_failure_of_one_question_cuts_no_other_off_and_the_first_is_raised() -> None:
    finished = []

    async def work(number: int) -> int:
        for _ in range(10 * (number != 2)):
            await asyncio.sleep(0)
        if number in (2, 3):
            raise InterruptedRun(f"stop {number}")
        finished.append(number)
        return number

    with pytest.raises(InterruptedRun, match="stop 2"):
        asyncio.run(together(work(number) for number in range(6)))
    assert finished == [0, 1, 4, 5]
