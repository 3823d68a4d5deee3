"""What systems that do not read get on this gold, worked out from the gold itself: the floor that a score stands on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from mldr.eval.counts import Counts, CountTable
from mldr.eval.goldset import GoldSet, Universe
from mldr.eval.measures import Measure
from mldr.eval.outcomes import OUTCOMES
from mldr.eval.ragged import Floats, Ints, Ragged

THIRDS = ("first", "middle", "last")


def trivial_tables(gold: GoldSet) -> Iterator[tuple[str, CountTable]]:
    """Yield each system with its counts: `all`, `none`, and the third (first, middle or last) that does best on this gold."""
    yield "all", _table(gold.utt.candidates, gold.utt.gold_count, gold.img.candidates, gold.img.gold_count, gold)
    nothing = np.zeros(len(gold), dtype=np.int64)
    yield "none", _table(nothing, nothing, nothing, nothing, gold)
    (utt_given, utt_tp), (img_given, img_tp) = _thirds(gold.utt), _thirds(gold.img)
    best = int(np.argmax(_micro_f1(gold.utt, utt_given, utt_tp) + _micro_f1(gold.img, img_given, img_tp)))
    parts = [np.ascontiguousarray(part[:, best]) for part in (utt_given, utt_tp, img_given, img_tp)]
    del utt_given, utt_tp, img_given, img_tp
    yield f"best third ({THIRDS[best]})", _table(parts[0], parts[1], parts[2], parts[3], gold)


def _micro_f1(universe: Universe, given: Ints, tp: Ints) -> Floats:
    """Return the micro F1 of each third; summed over the modalities it orders them as the papers' joint F1 does."""
    total = given.sum(axis=0) + universe.gold_count.sum()
    shares: Floats = np.divide(2.0 * tp.sum(axis=0), total, out=np.zeros(len(THIRDS)), where=total > 0)
    return shares


def trivial_values(gold: GoldSet, measures: Sequence[Measure]) -> Iterator[tuple[str, dict[str, float | None]]]:
    """Yield each trivial system with its value of each measure; one table is held at a time."""
    for name, table in trivial_tables(gold):
        yield name, {str(measure): measure(table) for measure in measures}


def _table(utt_given: Ints, utt_tp: Ints, img_given: Ints, img_tp: Ints, gold: GoldSet) -> CountTable:
    outcome = np.where(utt_given + img_given > 0, OUTCOMES.index("ok"), OUTCOMES.index("empty")).astype(np.int64)
    return CountTable(_counts(gold.utt, utt_given, utt_tp), _counts(gold.img, img_given, img_tp), outcome)


def _counts(universe: Universe, given: Ints, tp: Ints) -> Counts:
    fn = universe.gold_count - tp
    failed = np.zeros(len(tp), dtype=np.bool_)
    return Counts(tp, given - tp, fn, universe.candidates - given - fn, universe.candidates, failed)


def _thirds(universe: Universe) -> tuple[Ints, Ints]:
    """Return for each query and third of its dialogue how many candidates and how many gold ids lie in it.

    An id lies in third k where 3 id // size == k.
    """
    size = universe.size[:, None]
    edges = -(-np.arange(len(THIRDS) + 1) * size // len(THIRDS))
    given = np.diff(edges, axis=1)
    if universe.textless_ids is not None:
        given = given - _in_thirds(universe.textless_ids, universe.size)
    return given, _in_thirds(universe.gold_ids, universe.size)


def _in_thirds(ids: Ragged, size: Ints) -> Ints:
    owners = ids.owners
    place = owners * len(THIRDS) + ids.values * len(THIRDS) // size[owners]
    return np.bincount(place, minlength=len(size) * len(THIRDS)).reshape(len(size), len(THIRDS)).astype(np.int64)
