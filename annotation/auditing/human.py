"""People as a system: one annotator's answers as a predictions file, and their score on the queries that were answered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from mldr.annotation.agreement.models import Value
from mldr.annotation.agreement.reading import read_judged
from mldr.annotation.auditing.models import HumanScore
from mldr.annotation.collection import Collection
from mldr.dataset import Dataset
from mldr.errors import MldrError
from mldr.eval.evaluator import Evaluator
from mldr.eval.prediction import Prediction
from mldr.eval.slices import Slicing
from mldr.files import write_text, written_whole
from mldr.statistics import RESAMPLES

COLUMN = "audited"


def predictions_of(audit: Collection, annotator: str) -> dict[str, Prediction]:
    """Return query_id -> what an annotator answered, finished answers alone.

    Raises:
        InputError: with every malformed line of a log and every id that its dialogue does not have.
    """
    return dict(sorted(_answers(audit, annotator)))


def _answers(audit: Collection, annotator: str) -> Iterator[tuple[str, Prediction]]:
    for judged in read_judged(audit, [annotator]).dialogues:
        for asked in judged.asked:
            given = judged.answer(annotator, asked.name)
            if given is not None and asked.query_id:
                utterance_ids = tuple(sorted(i for i in given.ids if i >= 0))
                image_ids = tuple(sorted(-1 - i for i in given.ids if i < 0))
                yield asked.query_id, Prediction(asked.query_id, utterance_ids, image_ids)


def write_predictions(audit: Collection, annotator: str, path: Path) -> int:
    """Write an annotator's answers as a predictions file (JSONL), and return how many there are.

    `mldr-eval score` counts every query of the split that is not in it as missing, and a missing answer as wrong. A fair row is
    that of the audited queries alone: `write_audited` says which these are.

    Raises:
        MldrError: if the annotator answered nothing.
    """
    found = predictions_of(audit, annotator)
    if not found:
        raise MldrError(f"annotator {annotator!r} has finished no answer in {audit.folder}")
    write_text(path, "".join(one.to_json() + "\n" for one in found.values()))
    return len(found)


def write_audited(audit: Collection, annotator: str, path: Path) -> int:
    """Write a Parquet table keyed by query_id that marks the queries an annotator answered; return how many there are.

    With it `mldr-eval score DATASET PERSON.jsonl SYSTEM.jsonl --split S --table PATH --by audited` puts a person and systems
    side by side on the same queries.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = list(predictions_of(audit, annotator))
    table = pa.table({"query_id": pa.array(names, pa.string()), COLUMN: pa.array(["yes"] * len(names), pa.string())})
    with written_whole(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")
    return len(names)


def human_score(
    dataset: Dataset, split: str, audit: Collection, annotator: str, *, resamples: int = RESAMPLES, seed: int = 0
) -> HumanScore:
    """Return what an annotator's answers are worth against the labels, on the queries that were answered.

    Raises:
        MldrError: if the gold of the split is withheld.
        InputError: as `predictions_of` does, and for a query that the split does not have.
    """
    evaluator = Evaluator(dataset, split)
    found = predictions_of(audit, annotator)
    names = evaluator.gold.query_ids.to_pylist()
    if not found:
        return HumanScore(annotator=annotator, answered=0, of=len(names), measures={})
    code = np.array([0 if name in found else 1 for name in names], dtype=np.int64)
    scores = evaluator.score(found, by=[Slicing(COLUMN, ("yes", "no"), code)], resamples=resamples, seed=seed)
    answered = scores.slices[COLUMN][0]
    measures = {
        name: Value(value=one.value, low=one.low, high=one.high)
        if one.value is not None
        else Value(reason="the labels hold nothing of that kind")
        for name, one in answered.measures.items()
    }
    return HumanScore(annotator=annotator, answered=answered.n_queries, of=len(names), measures=measures)


def write_rows(audit: Collection, annotators: Sequence[str], folder: Path) -> None:
    """Write of each person `NAME.jsonl`, a predictions file, and `NAME.audited.parquet`, which says what it answers."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in annotators:
        write_predictions(audit, name, folder / f"{name}.jsonl")
        write_audited(audit, name, folder / f"{name}.audited.parquet")
