"""The plan on disk, in slices of one unit each: everything after the plan reads it from here, a slice at a time."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import groupby
from pathlib import Path

from mldr.builders.pictures import Pictures
from mldr.builders.plan import PlanRow
from mldr.builders.spool import Spool
from mldr.files import parse_json, write_json, written_whole

ROWS_A_UNIT = 100
_INDEX = "plan.json"


@dataclass(frozen=True, slots=True)
class RowInputs:
    """A row of the plan with where its sources lie, so that nobody needs the whole spool's index to stitch it."""

    row: PlanRow
    offsets: Mapping[str, int]
    """source_id -> offset of its line in the spool, bytes; strangers and neighbours too."""
    image_keys: Mapping[str, str]
    """image ref -> key, of the sources that are told."""


@dataclass(frozen=True, slots=True)
class PlanUnit:
    """Some rows of one split, the piece of work of one worker."""

    number: int
    split: str
    rows: int

    @property
    def name(self) -> str:
        """The name of its files and folders."""
        return f"{self.number:06d}"


@dataclass(frozen=True, slots=True)
class Plan:
    """What the plan says without its rows."""

    units: tuple[PlanUnit, ...]
    dropped: dict[str, int]
    """reason -> records of the sources that are not in the plan."""
    noted: dict[str, int] = field(default_factory=dict)
    """What was kept and should be known: what no filter could judge, what was grouped."""

    @property
    def splits(self) -> list[str]:
        """The splits that have rows, sorted."""
        return sorted({unit.split for unit in self.units})

    @property
    def rows(self) -> int:
        """Dialogues that will be made."""
        return sum(unit.rows for unit in self.units)


def slice_path(work: Path, unit: PlanUnit) -> Path:
    """Return the file that holds the rows of a unit."""
    return work / "plan" / f"{unit.name}.jsonl"


def write_plan(
    rows: Sequence[PlanRow],
    spool: Spool,
    pictures: Pictures,
    work: Path,
    dropped: Mapping[str, int],
    noted: Mapping[str, int],
) -> Plan:
    """Write a plan into the work folder; its index comes last, so a plan is there whole or not at all.

    Args:
        rows: the plan, sorted by split and dialogue_id.
        spool: the source dialogues.
        pictures: the keys of their images.
        work: the work folder.
        dropped: reason -> records left out so far.
        noted: what was kept and should be known.
    """
    shutil.rmtree(work / "plan", ignore_errors=True)
    units: list[PlanUnit] = []
    for split, group in groupby(rows, key=lambda row: row.split):
        own = list(group)
        for start in range(0, len(own), ROWS_A_UNIT):
            piece = own[start : start + ROWS_A_UNIT]
            unit = PlanUnit(len(units), split, len(piece))
            units.append(unit)
            with written_whole(slice_path(work, unit)) as temporary, temporary.open("w", encoding="utf-8") as stream:
                for row in piece:
                    stream.write(json.dumps(asdict(row_inputs(row, spool, pictures)), ensure_ascii=False) + "\n")
    plan = Plan(tuple(units), dict(dropped), dict(noted))
    write_json(work / _INDEX, asdict(plan))
    return plan


def read_plan(work: Path) -> Plan | None:
    """Return the plan of a work folder, None where there is none yet."""
    path = work / _INDEX
    if not path.is_file():
        return None
    document = parse_json(path.read_bytes())
    return Plan(tuple(PlanUnit(**unit) for unit in document["units"]), document["dropped"], document["noted"])


def read_rows(path: Path) -> Iterator[RowInputs]:
    """Yield the rows of a slice."""
    with path.open("rb") as stream:
        for line in stream:
            document = parse_json(line)
            row = document["row"]
            for name in ("source_ids", "strangers", "neighbours"):
                row[name] = tuple(row[name])
            yield RowInputs(PlanRow(**row), document["offsets"], document["image_keys"])


def row_inputs(row: PlanRow, spool: Spool, pictures: Pictures) -> RowInputs:
    """Return a row of the plan with where its sources lie."""
    named = sorted({*row.source_ids, *row.strangers, *row.neighbours})
    refs = sorted({ref for source_id in row.source_ids for ref in spool.heads[source_id].image_refs})
    return RowInputs(
        row,
        {source_id: spool.heads[source_id].offset for source_id in named},
        {ref: pictures.key(ref) for ref in refs},
    )
