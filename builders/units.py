"""Units of work: a slice of the plan, stitched and labelled by one worker into a folder that appears whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from mldr.builders.labels import Labelled, label
from mldr.builders.planfile import Plan, PlanUnit, RowInputs, read_rows, slice_path
from mldr.builders.recipe import Recipe
from mldr.builders.rulequery import RuleQueries
from mldr.builders.spool import read_at
from mldr.builders.stitch import stitch
from mldr.dialogue import Dialogue
from mldr.executors import Executor
from mldr.files import parse_json, write_json
from mldr.progress import Progress
from mldr.shards import ShardWriter
from mldr.tables import Table

UNIT_TABLES: tuple[Table, ...] = ("dialogues", "queries", "gold", "fragments")
COUNTS = "counts.json"


@dataclass(frozen=True, slots=True)
class Unit:
    """A finished unit."""

    split: str
    folder: Path


@dataclass(frozen=True, slots=True)
class _Task:
    """Paths of what a unit reads and writes; an executor on other machines replaces them."""

    rows: str
    context: str
    spool: str
    folder: str

    def inputs(self) -> list[str]:
        """Return the local files that it reads."""
        return [self.rows, self.context, self.spool]

    def outputs(self) -> list[str]:
        """Return the local folder that it writes."""
        return [self.folder]

    def moved(self, places: Mapping[str, str]) -> _Task:
        """Return the same task with other paths."""
        return replace(
            self,
            **{name: places.get(path := getattr(self, name), path) for name in ("rows", "context", "spool", "folder")},
        )


@dataclass(frozen=True, slots=True)
class Context:
    """What is the same for every row of a plan."""

    seed: int
    negatives: int
    rules: dict[str, RuleQueries]


def write_context(work: Path, recipe: Recipe, rules: Mapping[str, RuleQueries]) -> Path:
    """Write what every worker needs to know, once; return the file."""
    path = work / "context.json"
    counts = {name: rule.dump() for name, rule in rules.items()}
    write_json(path, {"seed": recipe.seed, "negatives": recipe.queries.negatives, "rules": counts})
    return path


def unit_of(work: Path, planned: PlanUnit) -> Unit:
    """Return the finished unit of a piece of the plan."""
    return Unit(planned.split, work / "units" / planned.name)


def make_units(plan: Plan, work: Path, executor: Executor, progress: Progress) -> None:
    """Stitch and label the rows of a plan, unit by unit; units that stand from an earlier run are kept.

    Args:
        plan: what stands in the work folder.
        work: holds the plan's slices, the spool and the context.
        executor: runs them.
        progress: shows how far it is.
    """
    tasks = (
        _Task(str(slice_path(work, planned)), str(work / "context.json"), str(work / "sources.jsonl"), str(unit.folder))
        for planned in plan.units
        if not (unit := unit_of(work, planned)).folder.exists()
    )
    rows = {str(unit_of(work, planned).folder): planned.rows for planned in plan.units}
    progress.start("dialogues", plan.rows)
    progress.advance(sum(planned.rows for planned in plan.units if unit_of(work, planned).folder.exists()))
    for task, _ in executor.map(_run, tasks):
        progress.advance(rows[task.folder])


@lru_cache(maxsize=1)
def _context(path: str) -> Context:
    document = parse_json(Path(path).read_bytes())
    rules = {name: RuleQueries.restore(counts) for name, counts in document["rules"].items()}
    return Context(document["seed"], document["negatives"], rules)


def _run(task: _Task) -> None:
    folder = Path(task.folder)
    temporary = folder.with_name(f"{folder.name}.{os.getpid()}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    counts: Counter[str] = Counter()
    writers = {table: ShardWriter(temporary / f"{table}.parquet", table) for table in UNIT_TABLES}
    for inputs in read_rows(Path(task.rows)):
        dialogue, labelled = make_one(inputs, Path(task.spool), _context(task.context))
        writers["dialogues"].write(dialogue)
        for query, gold in zip(labelled.queries, labelled.gold, strict=True):
            writers["queries"].write(query)
            writers["gold"].write(gold)
        for fragment in labelled.fragments:
            writers["fragments"].write(fragment)
        counts.update(labelled.counts)
    for writer in writers.values():
        writer.close()
    write_json(temporary / COUNTS, dict(counts))
    try:
        temporary.replace(folder)
    except OSError:
        if not folder.is_dir():  # else a worker of a killed run was sooner, with the same bytes
            raise
        shutil.rmtree(temporary)


def make_one(inputs: RowInputs, spool: Path, context: Context) -> tuple[Dialogue, Labelled]:
    """Return the dialogue of one row of the plan, with its fragments, queries and gold."""
    row = inputs.row
    sources = [read_at(spool, inputs.offsets[source_id]) for source_id in row.source_ids]
    strangers = [read_at(spool, inputs.offsets[source_id]) for source_id in row.strangers]
    stitched = stitch(row, sources, inputs.image_keys, context.seed)
    rules = context.rules[f"{row.split}/{row.language}"]
    return stitched.dialogue, label(row, stitched, sources, strangers, context.negatives, rules, context.seed)
