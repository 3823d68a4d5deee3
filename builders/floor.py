"""What systems that do not read get on the gold of a split, by the measures of `mldr.eval`, read once as a stream."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np

from mldr.dataset import Asked, Dataset
from mldr.eval.counts import Counts, CountTable
from mldr.eval.measures import HEADLINE, Measure, statistic
from mldr.eval.outcomes import OUTCOMES
from mldr.eval.ragged import Ints

SYSTEMS = ("all", "none", "random")
"""Everything; nothing; each utterance and image with an even chance, as the retriever `random` draws them with seed 0."""

_CHUNK = 10_000
"""Queries that are counted at a time: what memory holds."""


def floor(dataset: Dataset, split: str, measures: Sequence[Measure] = HEADLINE) -> dict[str, dict[str, float | None]]:
    """Return system -> measure -> its value on the gold of a split (fractions; None where nothing can be measured).

    Raises:
        MldrError: if the tables do not fit one another.
    """
    columns, values = statistic(measures)
    sums = {system: np.zeros(len(columns)) for system in SYSTEMS}
    rows = (row for asked in dataset.asked(split) for row in _rows(asked))
    while chunk := list(islice(rows, _CHUNK)):
        # Of each query, system and modality: candidates, gold, given, right.
        numbers = np.array(chunk, dtype=np.int64).reshape(len(chunk), len(SYSTEMS), 2, 4)
        for position, system in enumerate(SYSTEMS):
            table = _table(numbers[:, position])
            sums[system] += [table.column(name).sum() for name in columns]
    found: dict[str, dict[str, float | None]] = {}
    for system, total in sums.items():
        row = values(total[None, :])[0]
        found[system] = {str(m): None if np.isnan(v) else float(v) for m, v in zip(measures, row, strict=True)}
    return found


def _rows(asked: Asked) -> Iterator[list[int]]:
    """Yield 24 numbers a query: of each of `SYSTEMS` and each modality candidates, gold, given, right."""
    textless = set(asked.dialogue.textless_ids)
    texts = [i for i in range(asked.dialogue.n_utterances) if i not in textless]
    images = range(asked.dialogue.n_images)
    for gold in asked.gold:
        sides = [
            (ids, own & set(ids)) for ids, own in ((texts, set(gold.utterance_ids)), (images, set(gold.image_ids)))
        ]
        draw = random.Random(f"0/{gold.query_id}").random
        everything = [number for ids, own in sides for number in (len(ids), len(own), len(ids), len(own))]
        nothing = [number for ids, own in sides for number in (len(ids), len(own), 0, 0)]
        drawn = []
        for ids, own in sides:
            given = [i for i in ids if draw() < 0.5]
            drawn += [len(ids), len(own), len(given), sum(i in own for i in given)]
        yield everything + nothing + drawn


def _table(numbers: Ints) -> CountTable:
    given = numbers[:, :, 2].sum(axis=1)
    outcome = np.where(given > 0, OUTCOMES.index("ok"), OUTCOMES.index("empty")).astype(np.int64)
    return CountTable(_counts(numbers[:, 0]), _counts(numbers[:, 1]), outcome)


def _counts(numbers: Ints) -> Counts:
    candidates, gold, given, right = (np.ascontiguousarray(numbers[:, i]) for i in range(4))
    missed = gold - right
    return Counts(
        right, given - right, missed, candidates - given - missed, candidates, np.zeros(len(right), dtype=np.bool_)
    )
