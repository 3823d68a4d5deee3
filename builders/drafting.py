"""The driver of a build with a language model: rows of the plan are drafted side by side, and kept unit by unit.

Only this process asks models. What they answered is in the store the moment it arrives; a draft file is only the accepted
answers of one unit's rows in order, so that workers can do the rest without a model.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

from mldr.builders.planfile import Plan, PlanUnit, RowInputs, read_rows, slice_path
from mldr.chat.request import Unanswered
from mldr.errors import SHOWN_IN_FULL, InterruptedRun, printable
from mldr.files import write_text
from mldr.progress import Progress

DraftOf = Callable[[RowInputs], Awaitable[str]]
"""Asks the models all that a row needs; returns a draft as one line of JSON."""


def draft_path(work: Path, unit: PlanUnit) -> Path:
    """Return the file that holds the drafts of a unit, one a line, in the order of its rows."""
    return work / "drafts" / f"{unit.name}.jsonl"


class Drafting:
    """Drafts every row of a plan; units that stand from an earlier run are kept.

    A row for which a model has no usable answer does not stop the others; the run stops when those are done.

    Args:
        plan: of the work folder.
        work: holds the plan's slices; drafts go there too.
        draft_of: drafts one row.
        at_once: rows drafted side by side at most; memory holds no more than those and the units they belong to.
        progress: shows how far it is.
    """

    def __init__(self, plan: Plan, work: Path, draft_of: DraftOf, at_once: int, progress: Progress) -> None:
        self.units = [unit for unit in plan.units if not draft_path(work, unit).exists()]
        self.work, self.draft_of, self.at_once, self.progress = work, draft_of, at_once, progress
        self.unanswered: list[str] = []
        progress.start("asking the model, dialogues", plan.rows)
        progress.advance(plan.rows - sum(unit.rows for unit in self.units))

    async def run(self) -> None:
        """Keep `at_once` rows in flight across the borders of units; write each unit when its last row is in.

        Raises:
            InterruptedRun: if rows were left without an answer, or the server or the budget stopped the run.
        """
        open_units: deque[tuple[PlanUnit, list[asyncio.Task[str | None]]]] = deque()
        flying: set[asyncio.Task[str | None]] = set()
        try:
            for unit, rows in self._slices():
                tasks: list[asyncio.Task[str | None]] = []
                open_units.append((unit, tasks))
                for row in rows:
                    while len(flying) >= self.at_once:
                        flying = await self._some(flying)
                        self._write_finished(open_units)
                    task = asyncio.create_task(self._one(row))
                    tasks.append(task)
                    flying.add(task)
            while flying:
                flying = await self._some(flying)
            self._write_finished(open_units)
        finally:
            for task in flying:
                task.cancel()
            await asyncio.gather(*flying, return_exceptions=True)
        if self.unanswered:
            raise InterruptedRun(self._left())

    def _slices(self) -> Iterator[tuple[PlanUnit, Iterator[RowInputs]]]:
        for unit in self.units:
            yield unit, read_rows(slice_path(self.work, unit))

    async def _one(self, row: RowInputs) -> str | None:
        try:
            draft = await self.draft_of(row)
        except Unanswered as error:
            self.unanswered.append(f"{row.row.dialogue_id}: {error}")
            return None
        self.progress.advance()
        return draft

    async def _some(self, flying: set[asyncio.Task[Any]]) -> set[asyncio.Task[Any]]:
        done, left = await asyncio.wait(flying, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()  # a fault that concerns every row stops the run here
        return left

    def _write_finished(self, open_units: deque[tuple[PlanUnit, list[asyncio.Task[str | None]]]]) -> None:
        while open_units and len(open_units[0][1]) == open_units[0][0].rows and all(t.done() for t in open_units[0][1]):
            unit, tasks = open_units.popleft()
            drafts = [task.result() for task in tasks]
            if all(draft is not None for draft in drafts):
                write_text(draft_path(self.work, unit), "".join(f"{draft}\n" for draft in drafts))

    def _left(self) -> str:
        shown = sorted(self.unanswered)[:SHOWN_IN_FULL]
        more = len(self.unanswered) - len(shown)
        return "\n".join(
            [
                f"{len(self.unanswered):,} dialogues have no usable answer of the model; run the same command again to ask "
                "again, or set `unanswered: give_up` in the recipe",
                *(f"  {printable(line)}" for line in shown),
                *([f"  ... and {more:,} more"] if more else []),
            ]
        )
