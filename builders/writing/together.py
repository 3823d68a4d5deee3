"""Several questions at once, and nothing that was paid for thrown away."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

Result = TypeVar("Result")


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
