"""What systems that do not read get on this gold, worked out from the gold itself: the floor that a score stands on."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mldr.eval.counts import Counts, CountTable
from mldr.eval.goldset import GoldSet, Universe
from mldr.eval.measures import Measure, statistic
from mldr.eval.measures.sets import SetMeasure
from mldr.eval.outcomes import OUTCOMES
from mldr.eval.ragged import Ints, Ragged

THIRDS = ("first", "middle", "last")
_CHOSEN_BY = SetMeasure("joint", "f1")


def trivial_tables(gold: GoldSet) -> dict[str, CountTable]:
    """Return system -> its counts: `all`, `none`, and the third (first, middle or last) that does best on this gold."""
    thirds = {f"best third ({name})": _table(gold, part) for part, name in enumerate(THIRDS)}
    columns, values = statistic([_CHOSEN_BY])
    scores = {name: np.nan_to_num(values(column_totals(table, columns)))[0, 0] for name, table in thirds.items()}
    best = max(thirds, key=lambda name: scores[name])
    return {"all": _table(gold, None), "none": _table(gold, -1), best: thirds[best]}


def column_totals(table: CountTable, columns: tuple[str, ...]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Return the sums of some columns over all queries, shape (1, columns)."""
    return np.array([[table.column(name).sum() for name in columns]])


def trivial_values(gold: GoldSet, measures: list[Measure]) -> Iterator[tuple[str, dict[str, float | None]]]:
    """Yield each trivial system with its value of each measure."""
    columns, values = statistic(measures)
    for name, table in trivial_tables(gold).items():
        found = values(column_totals(table, columns))[0]
        yield (
            name,
            {
                str(measure): None if np.isnan(value) else float(value)
                for measure, value in zip(measures, found, strict=True)
            },
        )


def _table(gold: GoldSet, part: int | None) -> CountTable:
    """Return the counts of a system that returns everything (None), nothing (-1) or one third of each dialogue."""
    utt, img = _counts(gold.utt, part), _counts(gold.img, part)
    spoke = (utt.tp + utt.fp + img.tp + img.fp) > 0
    outcome = np.where(spoke, OUTCOMES.index("ok"), OUTCOMES.index("empty")).astype(np.int64)
    return CountTable(utt, img, outcome)


def _counts(universe: Universe, part: int | None) -> Counts:
    size = universe.size
    if part is None:
        given, tp = universe.candidates, universe.gold_count
    elif part < 0:
        given, tp = np.zeros_like(size), np.zeros_like(size)
    else:
        given = -(-(part + 1) * size // 3) + (-part * size // 3)
        if universe.textless_ids is not None:
            given = given - _in_third(universe.textless_ids, size, part)
        tp = _in_third(universe.gold_ids, size, part)
    fn = universe.gold_count - tp
    failed = np.zeros(len(size), dtype=np.bool_)
    return Counts(tp, given - tp, fn, universe.candidates - given - fn, universe.candidates, failed)


def _in_third(ids: Ragged, size: Ints, part: int) -> Ints:
    """Return how many ids of each query lie in a third of its dialogue: those with 3 id // size == part."""
    owners = ids.owners
    inside = ids.values * 3 // size[owners] == part
    return np.bincount(owners[inside], minlength=len(size)).astype(np.int64)
