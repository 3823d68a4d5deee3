"""The evaluator: built once for the gold of a split, it scores many prediction files."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from mldr.dataset import Dataset
from mldr.eval.counts import CountTable, count
from mldr.eval.goldset import GoldSet, read_gold
from mldr.eval.measures import MEASURES, Average, Measure
from mldr.eval.outcomes import OUTCOMES, Judged, judge
from mldr.eval.prediction import Prediction
from mldr.eval.reader import read_predictions
from mldr.eval.scores import Basis, MeasureValue, Scores
from mldr.files import canonical_json
from mldr.version import __version__

MIN_CLUSTERS = 10
"""Below so many clusters no interval is printed: a bootstrap over few clusters covers far less than it claims."""


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

    def read(self, path: Path) -> dict[str, Prediction]:
        """Return the predictions of a file.

        Raises:
            InputError: with every fault of the file.
        """
        return read_predictions(path, self.gold.asked)

    def judge(self, predictions: Mapping[str, Prediction]) -> list[Judged]:
        """Return what became of each query, in the order of the gold set."""
        return [judge(predictions.get(query_id), asked) for query_id, asked in self.gold.asked.items()]

    def score(self, predictions: Mapping[str, Prediction], measures: Sequence[Measure] = MEASURES) -> Scores:
        """Return the scores of some predictions.

        Args:
            predictions: query_id -> prediction; a query without one is `missing`.
            measures: what to measure.
        """
        judged = self.judge(predictions)
        table = count(self.gold.asked.values(), judged)
        valid = table.of(table.valid)
        outcomes = Counter(judgement.outcome for judgement in judged)
        return Scores(
            dataset=self.gold.dataset_name,
            split=self.gold.split,
            gold_hash=self.gold.gold_hash,
            predictions_hash=predictions_hash(self.gold.asked, judged),
            n_queries=table.n_queries,
            n_clusters=self.gold.n_clusters,
            measures=_values(measures, table),
            n_valid=valid.n_queries,
            measures_valid=_values(measures, valid),
            joint_from={average: _basis(table, average) for average in ("micro", "macro")},
            outcomes={outcome: outcomes[outcome] for outcome in OUTCOMES},
            ignored={
                name: sum(getattr(judgement, name) for judgement in judged)
                for name in ("textless", "repeated", "out_of_range")
            },
            interval_note=_interval_note(self.gold.n_clusters),
            images_note=self.images_note,
            mldr_version=__version__,
        )


def predictions_hash(query_ids: Iterable[str], judged: Iterable[Judged]) -> str:
    """Return the identity of a prediction file's answers: SHA-256 over each query's outcome and its ids as scored."""
    rows = sorted(
        (
            query_id,
            judgement.outcome,
            list(judgement.utterance_ids),
            list(judgement.image_ids),
            _listed(judgement.utterance_scores),
            _listed(judgement.image_scores),
        )
        for query_id, judgement in zip(query_ids, judged, strict=True)
    )
    return hashlib.sha256(canonical_json(rows).encode("utf-8")).hexdigest()


def _listed(scores: tuple[float, ...] | None) -> list[float]:
    return [] if scores is None else list(scores)


def _values(measures: Iterable[Measure], table: CountTable) -> dict[str, MeasureValue]:
    return {str(measure): MeasureValue(value=measure(table)) for measure in measures}


def _basis(table: CountTable, average: Average) -> Basis:
    utterances = Measure("utt", "f1", average)(table) is not None
    images = Measure("img", "f1", average)(table) is not None
    if utterances and images:
        return "both"
    return "utterances" if utterances else "images" if images else "none"


def _interval_note(n_clusters: int) -> str:
    if n_clusters < MIN_CLUSTERS:
        clusters = "1 cluster" if n_clusters == 1 else f"{n_clusters} clusters"
        return f"no intervals: {clusters}; at least {MIN_CLUSTERS} are needed for one that can be believed"
    return "no intervals: this version of mldr computes none"


def _images_note(statuses: Mapping[str, int]) -> str:
    absent, total = sum(n for status, n in statuses.items() if status != "present"), sum(statuses.values())
    if not absent:
        return ""
    return f"captions only: {absent:,} of {total:,} images have no bytes here, so systems see at most their captions"
