"""Units of work: some rows of the plan, stitched and labelled by one worker into a folder that appears whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path

from mldr.builders.labels import Labelled, label
from mldr.builders.pictures import Pictures
from mldr.builders.plan import PlanRow
from mldr.builders.recipe import Recipe
from mldr.builders.rulequery import RuleQueries
from mldr.builders.spool import Spool, read_at
from mldr.builders.stitch import stitch
from mldr.dialogue import Dialogue
from mldr.executors import Executor
from mldr.files import parse_json, write_json
from mldr.shards import ShardWriter
from mldr.tables import Table

ROWS_A_UNIT = 100
UNIT_TABLES: tuple[Table, ...] = ("dialogues", "queries", "gold", "fragments")
COUNTS = "counts.json"


@dataclass(frozen=True, slots=True)
class Unit:
    """A finished unit."""

    split: str
    folder: Path


@dataclass(frozen=True, slots=True)
class _Task:
    folder: str
    context: str
    spool: str
    rows: tuple[PlanRow, ...]
    offsets: dict[str, int]
    image_keys: dict[str, str]


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


def make_units(
    rows: Sequence[PlanRow], spool: Spool, pictures: Pictures, context: Path, work: Path, executor: Executor
) -> list[Unit]:
    """Stitch and label the rows of a plan, unit by unit; units that stand from an earlier run are kept.

    Args:
        rows: the plan, sorted.
        spool: the source dialogues.
        pictures: the keys of their images.
        context: what `write_context` wrote.
        work: the folder for units.
        executor: runs them.
    """
    units: list[Unit] = []
    tasks: list[_Task] = []
    for split, group in groupby(rows, key=lambda row: row.split):
        own = list(group)
        for start in range(0, len(own), ROWS_A_UNIT):
            unit = Unit(split, work / "units" / f"{len(units):06d}")
            units.append(unit)
            if not unit.folder.exists():
                tasks.append(_task(unit, own[start : start + ROWS_A_UNIT], spool, pictures, context))
    for _ in executor.map(_run, tasks):
        pass
    return units


def _task(unit: Unit, rows: list[PlanRow], spool: Spool, pictures: Pictures, context: Path) -> _Task:
    told = {source_id for row in rows for source_id in row.source_ids}
    named = told | {source_id for row in rows for source_id in row.strangers}
    return _Task(
        folder=str(unit.folder),
        context=str(context),
        spool=str(spool.path),
        rows=tuple(rows),
        offsets={source_id: spool.heads[source_id].offset for source_id in sorted(named)},
        image_keys={ref: pictures.key(ref) for source in sorted(told) for ref in spool.heads[source].image_refs},
    )


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
    for row in task.rows:
        dialogue, labelled = make_one(row, task.spool, task.offsets, task.image_keys, _context(task.context))
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


def make_one(
    row: PlanRow, spool: str, offsets: Mapping[str, int], image_keys: Mapping[str, str], context: Context
) -> tuple[Dialogue, Labelled]:
    """Return the dialogue of one row of the plan, with its fragments, queries and gold."""
    sources = [read_at(Path(spool), offsets[source_id]) for source_id in row.source_ids]
    strangers = [read_at(Path(spool), offsets[source_id]) for source_id in row.strangers]
    stitched = stitch(row, sources, image_keys, context.seed)
    rules = context.rules[f"{row.split}/{row.language}"]
    return stitched.dialogue, label(row, stitched, sources, strangers, context.negatives, rules, context.seed)
