from __future__ import annotations

import hashlib
import itertools
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import mldr
from mldr.dialogue import Dialogue, DialogueImage, Gold, Utterance
from mldr.eval import hashing
from mldr.eval.evaluator import Evaluator
from mldr.eval.hashing import answers_hash, gold_rows_hash, is_ascending
from mldr.eval.outcomes import OUTCOMES
from mldr.eval.prediction import Prediction
from mldr.eval.ragged import Ragged
from mldr.files import canonical_json
from mldr.manifest import gold_hash
from tests.eval.support import unhurried

plain_ids = st.text("abcXYZ019_.:+/-", min_size=1, max_size=6)
hostile_ids = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5) | st.sampled_from(
    ['"', "\\", "a\\nb", "é", "日本", "\x7f", "\u2028", "</script>", "\U0001f600", "a,b", "[", "a\n"]
)
ids = st.lists(st.integers(0, 2**31 - 1), unique=True, max_size=4)
finite = st.floats(allow_nan=False, allow_infinity=False)


def hashed(rows: list[list[Any]]) -> str:
    """SHA-256 over the canonical JSON of the rows, sorted by their first column."""
    return hashlib.sha256(canonical_json(sorted(rows, key=lambda row: str(row[0]))).encode()).hexdigest()


@st.composite
def answer_rows(draw: st.DrawFn) -> list[list[Any]]:
    """Draw rows of (query_id, outcome, utterance ids, image ids, their scores), unsorted."""
    names = draw(st.lists(draw(st.sampled_from([plain_ids, hostile_ids])), unique=True, max_size=6))
    rows: list[list[Any]] = []
    for name in names:
        utterances, images = sorted(draw(ids)), sorted(draw(ids))
        marks = [draw(st.just([]) | st.lists(finite, min_size=len(i), max_size=len(i))) for i in (utterances, images)]
        rows.append([name, draw(st.sampled_from(OUTCOMES)), utterances, images, *marks])
    return rows


def hash_of_answers(rows: list[list[Any]], scored: bool = True) -> str:
    columns: list[list[Any]] = [[row[position] for row in rows] for position in range(6)]
    return answers_hash(
        pa.array(columns[0], pa.string()),
        OUTCOMES,
        np.array([OUTCOMES.index(outcome) for outcome in columns[1]], dtype=np.int64),
        Ragged.of(columns[2]),
        Ragged.of(columns[3]),
        (columns[4], columns[5]) if scored else (None, None),
    )


@unhurried
@given(answer_rows())
@example([])
@example([["q\n", "ok", [1], [], [0.5], []]])
def test_the_predictions_hash_is_that_of_canonical_json(rows: list[list[Any]]) -> None:
    assert hash_of_answers(rows) == hashed(rows)


@unhurried
@given(answer_rows())
def test_answers_without_any_score_hash_as_with_empty_lists_of_scores(rows: list[list[Any]]) -> None:
    assert hash_of_answers(rows, scored=False) == hashed([[*row[:4], [], []] for row in rows])


@unhurried
@given(answer_rows(), st.randoms())
def test_the_order_of_queries_changes_no_predictions_hash(rows: list[list[Any]], random: Any) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)
    assert hash_of_answers(shuffled) == hash_of_answers(rows)


@pytest.mark.parametrize("block", [1, 2, 3, 6, 7])
@pytest.mark.parametrize("turned", [False, True])
def test_the_borders_of_blocks_leave_no_trace(monkeypatch: pytest.MonkeyPatch, block: int, turned: bool) -> None:
    rows: list[list[Any]] = [[f"q{number}", "ok", [number], [], [], []] for number in range(6)]
    expected = hashed(rows)
    monkeypatch.setattr(hashing, "_BLOCK", block)
    assert hash_of_answers(rows[::-1] if turned else rows) == expected


@st.composite
def golds(draw: st.DrawFn) -> list[tuple[Gold, Dialogue]]:
    """Draw golds with their dialogues: hostile ids, any order, utterances without text."""
    names = draw(st.lists(draw(st.sampled_from([plain_ids, hostile_ids])), unique=True, max_size=5))
    rows = []
    for name in names:
        texts = draw(st.lists(st.sampled_from(["", "hello"]), max_size=5))
        spoken = [position for position, text in enumerate(texts) if text]
        n_images = draw(st.integers(0, 3))
        dialogue = Dialogue(
            "d",
            "en",
            "stitched",
            "c",
            tuple(Utterance("a", text) for text in texts),
            tuple(DialogueImage(f"ref:t/{number}") for number in range(n_images)),
        )
        utterances, images = (tuple(draw(st.permutations(pool))) for pool in (spoken, range(n_images)))
        cut = draw(st.integers(0, 5)), draw(st.integers(0, 3))
        rows.append((Gold(name, "f", "fine", utterances[: cut[0]], images[: cut[1]]), dialogue))
    return rows


@unhurried
@given(golds())
def test_the_gold_hash_by_columns_is_that_of_the_manifest_and_of_canonical_json(
    rows: list[tuple[Gold, Dialogue]],
) -> None:
    found = gold_rows_hash(
        pa.array([gold.query_id for gold, _ in rows], pa.string()),
        Ragged.of([sorted(gold.utterance_ids) for gold, _ in rows]),
        Ragged.of([sorted(gold.image_ids) for gold, _ in rows]),
        np.array([dialogue.n_utterances for _, dialogue in rows], dtype=np.int64),
        Ragged.of([dialogue.textless_ids for _, dialogue in rows]),
        np.array([dialogue.n_images for _, dialogue in rows], dtype=np.int64),
    )
    items = [
        [g.query_id, sorted(g.utterance_ids), sorted(g.image_ids), d.n_utterances, list(d.textless_ids), d.n_images]
        for g, d in rows
    ]
    assert found == gold_hash(rows) == hashed(items)


def test_the_evaluator_finds_the_gold_hash_that_the_manifest_names(
    small_dataset: mldr.Dataset, demo_dataset: mldr.Dataset
) -> None:
    for dataset in (small_dataset, demo_dataset):
        for split, expected in dataset.manifest.gold_hash.items():
            assert Evaluator(dataset, split).gold_hash == expected


def test_the_predictions_hash_of_a_whole_evaluation_is_that_of_its_rows(small_dataset: mldr.Dataset) -> None:
    evaluator = Evaluator(small_dataset, "test")
    names = evaluator.gold.query_ids.to_pylist()
    given_row = Prediction(names[0], (4, 2, 4), (0,), utterance_scores=(0.5, 1.0, 2.0))
    found = evaluator.score({names[0]: given_row}, resamples=0)
    missing: list[list[Any]] = [[name, "missing", [], [], [], []] for name in names[1:]]
    assert found.predictions_hash == hashed([[names[0], "ok", [2, 4], [0], [1.0, 0.5], []], *missing])


@unhurried
@given(st.lists(st.text("abé\U0001f600", max_size=3), max_size=5))
def test_ids_are_ascending_where_each_is_larger_than_the_one_before(names: list[str]) -> None:
    expected = all(one < two for one, two in itertools.pairwise(names))
    assert is_ascending(pa.array(names, pa.string())) == expected
