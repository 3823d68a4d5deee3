"""The language models of a build: one store, one budget, and one model for each name that a step of the recipe uses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mldr.builders.context import Context, material_of
from mldr.builders.drafting import Drafting
from mldr.builders.planfile import Plan, RowInputs
from mldr.builders.recipe import Recipe
from mldr.builders.writing.drafting import draft_row
from mldr.chat.budget import Budget
from mldr.chat.model import ChatModel
from mldr.chat.store import ResponseStore
from mldr.progress import Progress

SECONDS_BETWEEN_NOTES = 5.0


@dataclass(frozen=True, slots=True)
class ModelAccess:
    """How a run may ask models."""

    responses: Path
    """The store of answers."""
    offline: bool = False
    """Answer from the store alone."""
    budget: float | None = None
    """What this run may spend, in the currency of the recipe's prices; None: no limit."""


@contextmanager
def opened_models(recipe: Recipe, access: ModelAccess) -> Iterator[tuple[dict[str, ChatModel], Budget]]:
    """Open the store and the models that the recipe's steps name.

    Raises:
        MldrError: if the store cannot be used, or a budget cannot be kept.
    """
    budget = Budget(access.budget)
    with ResponseStore(access.responses, readonly=access.offline) as store:
        used = sorted({name for _, name in recipe.model_names()})
        models = {
            name: ChatModel(recipe.models[name], store, budget, name=f"models.{name}", offline=access.offline)
            for name in used
        }
        yield models, budget


def ask_models(
    plan: Plan, work: Path, recipe: Recipe, context: Context, access: ModelAccess, progress: Progress
) -> None:
    """Ask the models everything that the rows of a plan need, and keep it as drafts in the work folder.

    Raises:
        InterruptedRun: if the server, the budget or unanswered questions stop the run; it can go on.
        MldrError: if a model cannot be asked at all.
    """
    with opened_models(recipe, access) as (models, budget):
        at_once = 2 * max(model.endpoint.concurrency for model in models.values())

        async def draft(inputs: RowInputs) -> str:
            material = material_of(inputs, work / "sources.jsonl")
            made = await draft_row(material, inputs.image_keys, context.of(inputs.row), models)
            progress.note(spent(budget))
            return made.to_json()

        async def run() -> None:
            async with AsyncExitStack() as stack:
                for model in models.values():
                    await stack.enter_async_context(model)
                pulse = asyncio.create_task(_pulse(progress, budget))
                stack.callback(pulse.cancel)
                await Drafting(plan, work, draft, at_once, progress).run()

        try:
            _run(run)
        finally:
            progress.say(f"models: {spent(budget)}")


def _run(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run to the end; beside an event loop that runs already (a notebook's), in a thread of its own."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(work())
        return
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(work())).result()


async def _pulse(progress: Progress, budget: Budget) -> None:
    """Show now and then what was asked, so that a run that waits for a failing server does not look dead."""
    while True:
        await asyncio.sleep(SECONDS_BETWEEN_NOTES)
        progress.note(spent(budget))
        progress.advance(0)


def spent(budget: Budget) -> str:
    """Return what a run asked and paid so far, in words."""
    total = budget.total()
    words = f"{total.requests:,} requests, {total.from_store:,} from the store"
    if total.failed:
        words += f", {total.failed:,} failed"
    if budget.currency:
        words += f", {total.money:.2f} {budget.currency}"
    return words
