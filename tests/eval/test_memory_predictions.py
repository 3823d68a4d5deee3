"""Predictions made in memory are held to what files are held to."""

from __future__ import annotations

import pytest

import mldr
from mldr.errors import InputError, MldrError
from mldr.eval import Evaluator, Prediction
from tests.eval.support import TEST_IDS

Q = TEST_IDS[0]


@pytest.mark.parametrize(
    ("query_id", "prediction", "words"),
    [
        ("x", Prediction("x", (), ()), "no such query in the split"),
        (Q, Prediction(TEST_IDS[1], (), ()), "it answers"),
        (Q, Prediction(Q, outcome="ok"), "only api_error, refused, parse_error may be claimed"),
        (Q, Prediction(Q, (1,)), "one id list without the other"),
        (Q, Prediction(Q, (1,), (), utterance_scores=(0.5, 0.1)), "utterance_scores has 2 numbers for 1 ids"),
    ],
)
def test_a_fault_is_named_with_its_query(
    small_dataset: mldr.Dataset, query_id: str, prediction: Prediction, words: str
) -> None:
    with pytest.raises(InputError, match=f"prediction for '{query_id}'.*{words}"):
        Evaluator(small_dataset, "test").score({query_id: prediction})


def test_no_measure_at_all_is_refused(small_dataset: mldr.Dataset) -> None:
    with pytest.raises(MldrError, match="no measure is named"):
        Evaluator(small_dataset, "test").score({}, [])
