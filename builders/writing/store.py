"""Drafts on disk: a file for each unit of rows, whole or not at all, so that memory is bounded and an interrupted run goes on."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path

from mldr.builders.plan import PlanRow
from mldr.builders.writing.asker import Asker
from mldr.builders.writing.context import Material, WritingContext
from mldr.builders.writing.draft import Draft
from mldr.builders.writing.drafting import draft_row
from mldr.builders.writing.together import in_order
from mldr.files import read_lines, write_text

Load = Callable[[PlanRow], tuple[Material, Mapping[str, str], WritingContext]]
"""A row -> its sources, the keys of their images, and the settings of its split and language."""
LINE_LIMIT = 1 << 30


async def draft_rows(
    rows: Iterable[PlanRow], load: Load, askers: Mapping[str, Asker], at_once: int
) -> AsyncGenerator[Draft, None]:
    """Yield the draft of each row, in the order of the rows, whatever answers first.

    Args:
        rows: the plan; drawn as needed.
        load: brings what a row needs.
        askers: the recipe's name of a model -> what asks it.
        at_once: rows that are worked on at a time; best as many as requests may be in flight.

    Raises:
        InterruptedRun: what an asker raises to stop the run; rows that were begun are gone on with till they stop, too.
    """

    async def draft(row: PlanRow) -> Draft:
        material, image_keys, context = load(row)
        return await draft_row(material, image_keys, context, askers)

    async with aclosing(in_order(draft, rows, at_once)) as drafts:
        async for one in drafts:
            yield one


async def write_drafts(
    units: Sequence[tuple[Path, Sequence[PlanRow]]],
    load: Load,
    askers: Mapping[str, Asker],
    at_once: int,
    done: Callable[[Draft], None] = lambda _: None,
) -> None:
    """Write the drafts of units of rows, a file each; files that stand are kept.

    The rows of all units are one stream, so that no unit waits for the last row of the one before it.

    Args:
        units: (file, its rows), in order.
        load: brings what a row needs.
        askers: the recipe's name of a model -> what asks it.
        at_once: rows that are worked on at a time.
        done: takes each draft as it is finished, in order, for progress.
    """
    missing = [(path, rows) for path, rows in units if not path.exists()]
    stream = draft_rows((row for _, rows in missing for row in rows), load, askers, at_once)
    async with aclosing(stream) as drafts:
        for path, rows in missing:
            lines = []
            for _ in rows:
                draft = await anext(drafts)
                done(draft)
                lines.append(draft.to_json() + "\n")
            write_text(path, "".join(lines))


def read_drafts(path: Path) -> Iterator[Draft]:
    """Yield the drafts of a file in the order of its rows."""
    for _, line in read_lines(path, LINE_LIMIT):
        yield Draft.from_json(line)
