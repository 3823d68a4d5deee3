from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.eval.evaluator import Evaluator
from mldr.eval.intake import from_predictions
from mldr.eval.oracle import best_threshold_f1
from mldr.eval.outcomes import judge
from mldr.eval.prediction import Prediction
from tests.conftest import small_rows, write_dataset
from tests.eval.bruteforce import sides
from tests.eval.bruteforce_more import best_f1, kept
from tests.eval.support import TEST_IDS, Answered, gold_set, unhurried
from tests.eval.support_stats import scored_queries


@unhurried
@given(st.lists(scored_queries(), min_size=1, max_size=6))
def test_the_oracles_f1_is_the_best_over_all_thresholds(queries: list[Answered]) -> None:
    asked = [item.asked(f"q{position}") for position, item in enumerate(queries)]
    rows = [
        replace(item.prediction, query_id=query.query_id)
        for item, query in zip(queries, asked, strict=True)
        if item.prediction is not None
    ]
    gold = gold_set(asked)
    judged = judge(from_predictions(rows, {query.query_id: i for i, query in enumerate(asked)}), gold)
    found = best_threshold_f1(gold, judged)
    for scope, side in (("utt", 0), ("img", 1)):
        marks = []
        for item in queries:
            row, answer = item.prediction, (item.case.answer or ((), ()))[side]
            scores = None if row is None else (row.utterance_scores, row.image_scores)[side]
            left_out = item.case.textless if scope == "utt" else frozenset()
            marks.append(kept(answer, scores if item.case.answer else None, left_out))
        expected = best_f1([one.gold for one in sides([item.case for item in queries], scope)], marks)
        name = f"{scope}_best_f1 (oracle)"
        assert found.get(name) == (None if expected is None else pytest.approx(expected))


def test_a_hand_worked_threshold_keeps_what_is_worth_keeping(tmp_path: Path) -> None:
    evaluator = Evaluator(write_dataset(tmp_path / "d", {"test": small_rows(16, "blue")}), "test")
    rows = {
        TEST_IDS[0]: Prediction(TEST_IDS[0], (0, 1, 2), (), utterance_scores=(0.9, 0.2, 0.6)),  # gold 0, 2
        TEST_IDS[1]: Prediction(TEST_IDS[1], (1, 3), (), utterance_scores=(0.6, 0.1)),  # gold 1, 4
    }
    scores = evaluator.score(rows, resamples=0)
    assert list(scores.oracle) == ["utt_best_f1 (oracle)"]
    best = scores.oracle["utt_best_f1 (oracle)"]
    assert best.value == pytest.approx(2 * 3 / (3 + 4))
    assert best.threshold == 0.6


def test_without_scores_there_is_no_oracle(tmp_path: Path) -> None:
    evaluator = Evaluator(write_dataset(tmp_path / "d", {"test": small_rows(16, "blue")}), "test")
    assert evaluator.score({TEST_IDS[0]: Prediction(TEST_IDS[0], (0,), (0,))}, resamples=0).oracle == {}
