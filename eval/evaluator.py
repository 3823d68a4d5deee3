"""The evaluator: built once for the gold of a split, it scores many prediction files."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import get_args

import numpy as np

from mldr.dataset import Dataset
from mldr.errors import Faults, MldrError
from mldr.eval.counts import MODALITIES, CountTable, count
from mldr.eval.goldset import GoldSet, read_gold
from mldr.eval.hashing import answers_hash
from mldr.eval.intake import PredictionTable, from_predictions, read_table
from mldr.eval.measures import MEASURES, Measure, available, statistic
from mldr.eval.measures.base import Average
from mldr.eval.measures.ranked import AveragePrecision
from mldr.eval.measures.sets import SetMeasure
from mldr.eval.oracle import best_threshold_f1
from mldr.eval.outcomes import OUTCOMES, Answered, Judged, judge
from mldr.eval.prediction import Prediction, prediction_faults
from mldr.eval.scores import Basis, MeasureValue, OracleValue, Scores, SliceScores
from mldr.eval.slices import FEW, Slicing
from mldr.eval.trivial import trivial_values
from mldr.statistics import (
    FEW_CLUSTERS,
    MIN_CLUSTERS,
    RESAMPLES,
    Bootstrap,
    Floats,
    Statistic,
    bootstrap,
    widening,
)
from mldr.version import __version__

_UNRANKED = [measure for measure in MEASURES if not isinstance(measure, AveragePrecision)]

Predictions = PredictionTable | Mapping[str, Prediction]


class Evaluator:
    """Scores predictions against the gold of one split.

    Args:
        dataset: a dataset with gold.
        split: one of its splits.

    Raises:
        MldrError: if there is no such split, or its gold is withheld.
        InputError: with every id in the gold that its dialogue does not have.
    """

    def __init__(self, dataset: Dataset, split: str) -> None:
        self.gold: GoldSet = read_gold(dataset, split)
        statuses = Counter(dataset.arrow("images", split, ["status"]).column("status").to_pylist())
        self.images_note = _images_note(statuses)
        # What depends on the gold alone is worked out beside the reading of predictions.
        beside = ThreadPoolExecutor(1)
        self._gold_hash = beside.submit(self.gold.hash)
        self._trivial = beside.submit(lambda: dict(trivial_values(self.gold, _UNRANKED)))

    @property
    def gold_hash(self) -> str:
        """The identity of the benchmark."""
        return self._gold_hash.result()

    def read(self, path: Path) -> PredictionTable:
        """Return the predictions of a file.

        Raises:
            InputError: with every fault of the file.
        """
        return read_table(path, self.gold.query_ids)

    def judge(self, predictions: Predictions) -> Judged:
        """Return what became of each query, in the order of the gold set."""
        if isinstance(predictions, PredictionTable):
            return judge(predictions, self.gold)
        known = {name: position for position, name in enumerate(self.gold.query_ids.to_pylist())}
        faults = Faults()
        for query_id, prediction in predictions.items():
            for message in prediction_faults(query_id, prediction, known):
                faults.add(f"prediction for {query_id!r}", message)
        faults.check()
        return judge(from_predictions(predictions.values(), known), self.gold)

    def counts(self, predictions: Predictions) -> CountTable:
        """Return the per-query counts that every measure derives from."""
        return count(self.gold, self.judge(predictions))

    def score(
        self,
        predictions: Predictions,
        measures: Sequence[Measure] | None = None,
        *,
        by: Sequence[Slicing] = (),
        resamples: int = RESAMPLES,
        seed: int = 0,
    ) -> Scores:
        """Return the scores of some predictions.

        Args:
            predictions: as `read` returns them, or query_id -> prediction; a query without one is `missing`.
            measures: what to measure; by default everything that the predictions allow.
            by: how to part the queries into slices.
            resamples: of the bootstrap; 0 for no intervals.
            seed: of the bootstrap.
        """
        judged = self.judge(predictions)
        table = count(self.gold, judged)
        can = available(table)
        wanted = list(measures) if measures is not None else can
        if not wanted:
            raise MldrError("no measure is named")
        if absent := [measure.name for measure in wanted if measure not in can]:
            raise MldrError(f"{', '.join(absent)}: average precision needs predictions that carry scores")
        with ThreadPoolExecutor(1) as pool:
            hashed = pool.submit(self._hash, judged)
            values, slices = self._values(table, wanted, by, resamples, seed)
        return Scores(
            dataset=self.gold.dataset_name,
            split=self.gold.split,
            gold_hash=self.gold_hash,
            predictions_hash=hashed.result(),
            n_queries=table.n_queries,
            n_clusters=self.gold.n_clusters,
            measures=values,
            n_valid=int(table.valid.sum()),
            measures_valid=_valid_values(table, wanted, values),
            joint_from={average: _basis(table, average) for average in get_args(Average)},
            trivial={
                name: {str(measure): found[str(measure)] for measure in wanted if str(measure) in found}
                for name, found in self._trivial.result().items()
            },
            slices=slices,
            oracle={
                name: OracleValue(value=value, threshold=threshold)
                for name, (value, threshold) in best_threshold_f1(self.gold, judged).items()
                if measures is None
            },
            latency_s=_latencies(judged.latency),
            outcomes={outcome: int((judged.outcome == position).sum()) for position, outcome in enumerate(OUTCOMES)},
            ignored={
                "textless": int(judged.utt.textless.sum()),
                "repeated": int(judged.utt.repeated.sum() + judged.img.repeated.sum()),
                "out_of_range": int((~judged.utt.inside).sum() + (~judged.img.inside).sum()),
            },
            resamples=resamples,
            seed=seed,
            interval_note=_interval_note(self.gold.n_clusters, resamples),
            images_note=self.images_note,
            mldr_version=__version__,
        )

    def _values(
        self, table: CountTable, measures: list[Measure], by: Sequence[Slicing], resamples: int, seed: int
    ) -> tuple[dict[str, MeasureValue], dict[str, list[SliceScores]]]:
        """Return the measures over all queries and over each slice; one bootstrap serves them all."""
        columns, values = statistic(measures)
        size = self.gold.n_clusters
        n_blocks = 1 + sum(len(slicing.labels) for slicing in by)
        # A row a block and column, so that each is written in one piece; read the other way round below.
        together = np.empty((n_blocks, len(columns), size))
        standing = [size]
        parts: list[tuple[Slicing, int, int]] = []
        for slicing in by:
            width = len(slicing.labels)
            code = slicing.code * size + self.gold.cluster
            for position, name in enumerate(columns):
                found_sums = np.bincount(code, weights=table.column(name), minlength=size * width)
                together[len(standing) : len(standing) + width, position] = found_sums.reshape(width, size)
            present = np.bincount(code, minlength=size * width).reshape(width, size)
            for place in range(width):
                standing.append(int(np.count_nonzero(present[place])))
                parts.append((slicing, place, int(present[place].sum())))
        for position, name in enumerate(columns):
            together[0, position] = np.bincount(self.gold.cluster, weights=table.column(name), minlength=size)
        every = _side_by_side(values, len(columns), n_blocks)
        clusters = np.repeat(np.array(standing), len(measures))
        sums = together.reshape(n_blocks * len(columns), size).T
        boot = bootstrap(sums, every, resamples, seed, clusters)
        exact = every(sums.sum(axis=0, keepdims=True))[0]
        found = [_named(measures, exact, boot, position * len(measures)) for position in range(n_blocks)]
        slices: dict[str, list[SliceScores]] = {slicing.name: [] for slicing in by}
        for (slicing, label, n_queries), measured, n_clusters in zip(parts, found[1:], standing[1:], strict=True):
            slices[slicing.name].append(
                SliceScores(
                    label=slicing.labels[label],
                    n_queries=n_queries,
                    n_clusters=n_clusters,
                    measures=measured,
                    note=_few(n_clusters, resamples),
                )
            )
        return found[0], slices

    def _hash(self, judged: Judged) -> str:
        scores = _score_lists(judged.utt), _score_lists(judged.img)
        return answers_hash(self.gold.query_ids, OUTCOMES, judged.outcome, judged.utt.ids, judged.img.ids, scores)


def _side_by_side(values: Statistic, n_columns: int, n_blocks: int) -> Statistic:
    """Return a statistic of several blocks of columns, one after another."""

    def every(sums: Floats) -> Floats:
        parts = [values(sums[:, block * n_columns : (block + 1) * n_columns]) for block in range(n_blocks)]
        return np.concatenate(parts, axis=1)

    return every


def _named(measures: Sequence[Measure], exact: Floats, boot: Bootstrap, start: int) -> dict[str, MeasureValue]:
    return {
        str(measure): MeasureValue(
            value=_number(exact[start + position]),
            # A widened interval may step over the edge of what the measure can be.
            low=_number(np.maximum(boot.low[start + position], measure.lowest)),
            high=_number(np.minimum(boot.high[start + position], 1.0)),
        )
        for position, measure in enumerate(measures)
    }


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _valid_values(
    table: CountTable, measures: Sequence[Measure], over_all: Mapping[str, MeasureValue]
) -> dict[str, MeasureValue]:
    """Return the measures over the queries that did not fail, without intervals."""
    if table.valid.all():
        return {name: MeasureValue(value=value.value) for name, value in over_all.items()}
    valid = table.of(table.valid)
    return {str(measure): MeasureValue(value=measure(valid)) for measure in measures}


def _score_lists(answered: Answered) -> list[list[float]] | None:
    """Return the scores of each query's ids; [] where its row carries none."""
    if answered.scores is None:
        return None
    flat, offsets = answered.scores.tolist(), answered.ids.offsets.tolist()
    lists = [flat[start:end] for start, end in itertools.pairwise(offsets)]
    return [[] if any(score != score for score in one) else one for one in lists]


def _basis(table: CountTable, average: Average) -> Basis:
    utterances, images = (SetMeasure(scope, "f1", average)(table) is not None for scope in MODALITIES)
    if utterances and images:
        return "both"
    return "utterances" if utterances else "images" if images else "none"


def _latencies(latency: Floats) -> dict[str, float]:
    known = latency[~np.isnan(latency)]
    if not len(known):
        return {}
    quantiles = np.quantile(known, (0.5, 0.9, 0.99))
    return {"p50": float(quantiles[0]), "p90": float(quantiles[1]), "p99": float(quantiles[2]), "n": float(len(known))}


def _few(n_clusters: int, resamples: int) -> str:
    parts = [f"only {n_clusters} cluster" + ("" if n_clusters == 1 else "s")] if n_clusters < FEW else []
    if resamples and MIN_CLUSTERS <= n_clusters < FEW_CLUSTERS:
        parts.append(f"widened by {widening(n_clusters):.2f}")
    return ", ".join(parts)


def _interval_note(n_clusters: int, resamples: int) -> str:
    clusters = "1 cluster" if n_clusters == 1 else f"{n_clusters:,} clusters"
    if n_clusters < MIN_CLUSTERS:
        return f"no intervals: {clusters}; at least {MIN_CLUSTERS} are needed for one that can be believed"
    if not resamples:
        return "no intervals: none were asked for"
    note = f"95 % intervals by {resamples:,} bootstrap resamples of {clusters}"
    if n_clusters < FEW_CLUSTERS:
        note += f", widened by {widening(n_clusters):.2f} because they are fewer than {FEW_CLUSTERS}"
    return note


def _images_note(statuses: Mapping[str, int]) -> str:
    absent, total = sum(n for status, n in statuses.items() if status != "present"), sum(statuses.values())
    if not absent:
        return ""
    return f"captions only: {absent:,} of {total:,} images have no bytes here, so systems see at most their captions"
