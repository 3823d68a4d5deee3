"""What systems that do not read get on the gold of a split, by the measures of `mldr.eval`, read once as a stream."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import numpy as np

from mldr.dataset import Dataset
from mldr.dialogue import Dialogue, Gold
from mldr.eval.counts import Counts, CountTable
from mldr.eval.measures import HEADLINE, Measure, statistic
from mldr.eval.outcomes import OUTCOMES

SYSTEMS = ("all", "none", "random")
"""Everything; nothing; each utterance and image with an even chance, as the retriever `random` draws them with seed 0."""

_CHUNK = 10_000
"""Queries that are counted at a time: what memory holds."""

_Row = tuple[int, int, int, int]
"""Of one query and modality: candidates, gold, given, right."""


def floor(dataset: Dataset, split: str, measures: Sequence[Measure] = HEADLINE) -> dict[str, dict[str, float | None]]:
    """Return system -> measure -> its value on the gold of a split (fractions; None where nothing can be measured).

    Raises:
        MldrError: if the tables do not fit one another.
    """
    columns, values = statistic(measures)
    sums = {system: np.zeros(len(columns)) for system in SYSTEMS}
    asked = ((one.dialogue, gold) for one in dataset.asked(split) for gold in one.gold)
    while chunk := list(islice(asked, _CHUNK)):
        for system in SYSTEMS:
            table = _table([_rows(system, dialogue, gold) for dialogue, gold in chunk])
            sums[system] += [table.column(name).sum() for name in columns]
    found: dict[str, dict[str, float | None]] = {}
    for system, total in sums.items():
        row = values(total[None, :])[0]
        found[system] = {str(m): None if np.isnan(v) else float(v) for m, v in zip(measures, row, strict=True)}
    return found


def _rows(system: str, dialogue: Dialogue, gold: Gold) -> tuple[_Row, _Row]:
    texts = sorted(set(range(dialogue.n_utterances)) - set(dialogue.textless_ids))
    images = range(dialogue.n_images)
    draws = _draws(system, gold.query_id)
    return _row(texts, set(gold.utterance_ids), draws), _row(images, set(gold.image_ids), draws)


def _draws(system: str, query_id: str) -> Iterator[bool]:
    if system != "random":
        while True:
            yield system == "all"
    draw = random.Random(f"0/{query_id}")
    while True:
        yield draw.random() < 0.5


def _row(candidates: Iterable[int], gold: set[int], draws: Iterator[bool]) -> _Row:
    ids = list(candidates)
    given = {i for i in ids if next(draws)}
    return len(ids), len(gold & set(ids)), len(given), len(given & gold)


def _table(rows: list[tuple[_Row, _Row]]) -> CountTable:
    numbers = np.array(rows, dtype=np.int64).reshape(len(rows), 2, 4)
    given = numbers[:, :, 2].sum(axis=1)
    outcome = np.where(given > 0, OUTCOMES.index("ok"), OUTCOMES.index("empty")).astype(np.int64)
    return CountTable(_counts(numbers[:, 0]), _counts(numbers[:, 1]), outcome)


def _counts(numbers: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> Counts:
    candidates, gold, given, right = (np.ascontiguousarray(numbers[:, i]) for i in range(4))
    missed = gold - right
    return Counts(
        right, given - right, missed, candidates - given - missed, candidates, np.zeros(len(right), dtype=np.bool_)
    )
