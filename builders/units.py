"""Units of work: a slice of the plan, stitched and labelled by one worker into a folder that appears whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from mldr.builders.context import material_of, read_context
from mldr.builders.drafting import draft_path
from mldr.builders.labels import Labelled
from mldr.builders.planfile import Plan, PlanUnit, RowInputs, read_rows, slice_path
from mldr.builders.writing.draft import Draft, read_drafts
from mldr.builders.writing.realise import realise
from mldr.executors import Executor
from mldr.files import canonical_json, write_json, write_text
from mldr.progress import Progress
from mldr.shards import ShardWriter
from mldr.tables import Table

UNIT_TABLES: tuple[Table, ...] = ("dialogues", "queries", "gold", "fragments")
COUNTS = "counts.json"
FLAGGED = "flagged.jsonl"
SHARED = "shared.jsonl"
AMOUNTS = ("requests", "tokens_in", "tokens_out")
"""What is counted of the answers of a model."""
_PATHS = ("rows", "context", "spool", "drafts", "folder")


@dataclass(frozen=True, slots=True)
class Unit:
    """A finished unit."""

    split: str
    folder: Path


@dataclass(frozen=True, slots=True)
class UnitTask:
    """Paths of what a unit reads and writes; an executor on other machines replaces them."""

    rows: str
    context: str
    spool: str
    drafts: str
    """'' where no model is asked."""
    folder: str

    def inputs(self) -> list[str]:
        """Return the local files that it reads."""
        return [path for path in (self.rows, self.context, self.spool, self.drafts) if path]

    def outputs(self) -> list[str]:
        """Return the local folder that it writes."""
        return [self.folder]

    def moved(self, places: Mapping[str, str]) -> UnitTask:
        """Return the same task with other paths."""
        return replace(self, **{name: places.get(path := getattr(self, name), path) for name in _PATHS})


@dataclass(slots=True)
class _Tally:
    """What a unit counts beside its tables."""

    counts: Counter[str] = field(default_factory=Counter)
    agreement: Counter[str] = field(default_factory=Counter)
    usage: dict[str, Counter[str]] = field(default_factory=dict)
    shared: list[str] = field(default_factory=list)
    flagged: list[str] = field(default_factory=list)

    def add(self, labelled: Labelled, draft: Draft | None) -> None:
        """Count one row."""
        self.counts.update(labelled.counts)
        self.agreement.update(labelled.agreement)
        self.flagged += [canonical_json(flag) + "\n" for flag in labelled.flagged]
        if draft is None:
            return
        for step, amounts in draft.usage.items():
            self.usage.setdefault(step, Counter()).update(dict(zip(AMOUNTS, amounts, strict=True)))
        self.shared += [canonical_json([key, *paid]) + "\n" for key, paid in sorted(draft.shared.items())]

    def write(self, folder: Path) -> None:
        """Write what was counted."""
        usage = {step: dict(counts) for step, counts in self.usage.items()}
        counted = {"counts": dict(+self.counts), "agreement": dict(+self.agreement), "usage": usage}
        write_json(folder / COUNTS, counted)
        write_text(folder / FLAGGED, "".join(self.flagged))
        write_text(folder / SHARED, "".join(self.shared))


def unit_of(work: Path, planned: PlanUnit) -> Unit:
    """Return the finished unit of a piece of the plan."""
    return Unit(planned.split, work / "units" / planned.name)


def make_units(plan: Plan, work: Path, asks_models: bool, executor: Executor, progress: Progress) -> None:
    """Stitch and label the rows of a plan, unit by unit; units that stand from an earlier run are kept.

    Args:
        plan: what stands in the work folder.
        work: holds the plan's slices, the spool, the context and the drafts.
        asks_models: whether there are drafts.
        executor: runs them.
        progress: shows how far it is.
    """
    pending = [planned for planned in plan.units if not unit_of(work, planned).folder.exists()]
    tasks = (
        UnitTask(
            rows=str(slice_path(work, planned)),
            context=str(work / "context.json"),
            spool=str(work / "sources.jsonl"),
            drafts=str(draft_path(work, planned)) if asks_models else "",
            folder=str(unit_of(work, planned).folder),
        )
        for planned in pending
    )
    rows = {planned.name: planned.rows for planned in pending}
    progress.start("dialogues", plan.rows)
    progress.advance(plan.rows - sum(rows.values()))
    for task, _ in executor.map(make_unit, tasks):
        progress.advance(rows[Path(task.folder).name])


def make_unit(task: UnitTask) -> None:
    """Make one unit. Its folder appears when it is whole."""
    folder = Path(task.folder)
    temporary = folder.with_name(f"{folder.name}.{os.getpid()}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    context = read_context(task.context)
    tally = _Tally()
    with ExitStack() as stack:  # one that fails lets go of all
        writers = {
            table: stack.enter_context(ShardWriter(temporary / f"{table}.parquet", table)) for table in UNIT_TABLES
        }
        for inputs, draft in _rows(task):
            material = material_of(inputs, Path(task.spool))
            dialogue, labelled = realise(material, inputs.image_keys, context.of(inputs.row), draft)
            tally.add(labelled, draft)
            if dialogue is not None:
                writers["dialogues"].write(dialogue)
                _write(labelled, writers)
    tally.write(temporary)
    try:
        temporary.replace(folder)
    except OSError:
        if not folder.is_dir():  # else a worker of a killed run was sooner, with the same bytes
            raise
        shutil.rmtree(temporary)


def _rows(task: UnitTask) -> Iterator[tuple[RowInputs, Draft | None]]:
    rows = read_rows(Path(task.rows))
    if not task.drafts:
        yield from ((inputs, None) for inputs in rows)
        return
    yield from zip(rows, read_drafts(Path(task.drafts)), strict=True)


def _write(labelled: Labelled, writers: Mapping[Table, ShardWriter]) -> None:
    for query, gold in zip(labelled.queries, labelled.gold, strict=True):
        writers["queries"].write(query)
        writers["gold"].write(gold)
    for fragment in labelled.fragments:
        writers["fragments"].write(fragment)
