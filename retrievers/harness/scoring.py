"""What the answers that a harness collected are worth: the scores of `mldr-eval`, over the queries that were asked."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np

import mldr
from mldr.errors import MldrError
from mldr.eval import Evaluator, Prediction, parse_measures

SHOWN = ("joint_f1", "joint_f1(avg=macro)", "utt_f1", "img_f1", "joint_mcc")
"""The measures that a harness shows: the two headlines, and what they are made of."""

Responses = Mapping[str, str | None]
"""query_id -> a model's raw text; None where there is none, since the call failed."""


@lru_cache(maxsize=4)
def _evaluator(folder: str, split: str) -> Evaluator:
    return Evaluator(mldr.load(folder), split)


def measured(dataset: str, split: str, responses: Responses) -> dict[str, float]:
    """Return measure -> value, a fraction, over the queries that `responses` names.

    A harness may be told to ask only some queries; those that it did not ask are left out, those that it asked in vain count
    as failures. A measure of which there is nothing to measure is left out.

    Args:
        dataset: a folder, or a Hub id.
        split: of the dataset.
        responses: of every query that was asked.

    Raises:
        MldrError: if nothing was asked, or a query is not of this split.
    """
    if not responses:
        raise MldrError("no query was asked, so there is nothing to score")
    evaluator = _evaluator(str(dataset), split)
    predictions = {query_id: predicted(query_id, text) for query_id, text in responses.items()}
    table = evaluator.counts(predictions)
    asked = np.array([query_id in predictions for query_id in evaluator.gold.query_ids.to_pylist()])
    found = {str(measure): measure(table.of(asked)) for measure in parse_measures(SHOWN)}
    return {name: value for name, value in found.items() if value is not None}


def predicted(query_id: str, response: str | None) -> Prediction:
    """Return a raw text as the row of a predictions file."""
    if response is None:
        return Prediction(query_id, outcome="api_error")
    return Prediction(query_id, response=response)


def check_free(out: Path) -> None:
    """Refuse to write predictions over something.

    Raises:
        MldrError: if something stands there.
    """
    if out.exists():
        raise MldrError(f"{out} exists; choose another place for the predictions")


def write_predictions(out: Path, responses: Responses) -> None:
    """Write what was collected so far as a predictions file, for `mldr-eval` and the board; what stood there is replaced."""
    from mldr.files import write_text

    rows = [predicted(query_id, text).to_json() + "\n" for query_id, text in sorted(responses.items())]
    write_text(out, "".join(rows))
