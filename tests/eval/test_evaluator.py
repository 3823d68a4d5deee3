from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mldr
from mldr.dialogue import Gold
from mldr.eval import MEASURES, Evaluator, Prediction, parse_measure
from mldr.eval.outcomes import OUTCOMES
from mldr.statistics import MIN_CLUSTERS
from tests.conftest import Rows, small_rows, write_dataset
from tests.eval.bruteforce import Case, all_measures
from tests.eval.support import TEST_IDS, bare_images, dataset_of, mixed_dialogue, row, unhurried, write_jsonl


@pytest.fixture(scope="module")
def evaluator(tmp_path_factory: pytest.TempPathFactory) -> Evaluator:
    """An evaluator of four queries: one of each kind."""
    folder = tmp_path_factory.mktemp("evaluator") / "d"
    return Evaluator(write_dataset(folder, {"test": small_rows(16, "blue")}), "test")


GOOD: dict[str, Prediction] = {
    TEST_IDS[0]: Prediction(TEST_IDS[0], (2, 4), (0,), utterance_scores=(0.5, 0.25), image_scores=(1.0,)),
    TEST_IDS[1]: Prediction(TEST_IDS[1], (1,), ()),
    TEST_IDS[2]: Prediction(TEST_IDS[2], (), ()),
    TEST_IDS[3]: Prediction(TEST_IDS[3], outcome="refused"),
}


def hash_of(evaluator: Evaluator, **changed: Any) -> str:
    """Return the hash of the good predictions with something of the first one changed."""
    changed_first = replace(GOOD[TEST_IDS[0]], **changed)
    return evaluator.score({**GOOD, TEST_IDS[0]: changed_first}).predictions_hash


# --- the whole way, from a file to numbers


ANSWERS = st.none() | st.tuples(st.lists(st.integers(0, 7), max_size=6), st.lists(st.integers(0, 2), max_size=3))


@unhurried
@given(st.lists(ANSWERS, min_size=4, max_size=4))
def test_a_file_of_predictions_scores_as_brute_force_says(
    tmp_path: Path, evaluator: Evaluator, answers: list[tuple[list[int], list[int]] | None]
) -> None:
    golds: list[tuple[set[int], set[int]]] = [({0, 2}, {0}), ({1, 4}, set()), (set(), {0}), (set(), set())]
    cases = [
        Case(6, frozenset(), 1 if number < 3 else 0, frozenset(utterances), frozenset(images), answer)
        for number, ((utterances, images), answer) in enumerate(zip(golds, answers, strict=True))
    ]
    rows = [row(query_id, *answer) for query_id, answer in zip(TEST_IDS, answers, strict=True) if answer is not None]
    scores = evaluator.score(evaluator.read(write_jsonl(tmp_path / "p.jsonl", rows)) if rows else {})
    for name, expected in all_measures(cases).items():
        assert scores.measures[name].value == (None if expected is None else pytest.approx(expected))
    valid = [case for case in cases if case.answer is not None]
    assert scores.n_valid == len(valid)
    for name, expected in all_measures(valid).items():
        assert scores.measures_valid[name].value == (None if expected is None else pytest.approx(expected))


def test_every_measure_is_given_unless_some_are_asked_for(evaluator: Evaluator) -> None:
    assert list(evaluator.score(GOOD).measures) == [str(measure) for measure in MEASURES]
    assert list(evaluator.score(GOOD, [parse_measure("utt_f1")]).measures) == ["utt_f1"]


def test_outcomes_add_up_to_the_queries_of_the_split(evaluator: Evaluator) -> None:
    scores = evaluator.score({TEST_IDS[0]: GOOD[TEST_IDS[0]], TEST_IDS[3]: GOOD[TEST_IDS[3]]})
    assert tuple(scores.outcomes) == OUTCOMES
    assert scores.outcomes == {**dict.fromkeys(OUTCOMES, 0), "missing": 2, "refused": 1, "ok": 1}
    assert scores.n_queries == sum(scores.outcomes.values()) == 4


def test_a_file_that_answers_nothing_scores_zero_with_every_query_missing(evaluator: Evaluator) -> None:
    scores = evaluator.score({})
    assert scores.outcomes["missing"] == scores.n_queries == 4
    assert {value.value for value in scores.measures.values()} == {0.0}
    assert {value.value for value in scores.measures_valid.values()} == {None}


def test_ignored_ids_are_counted_over_the_file(tmp_path: Path) -> None:
    dialogue = mixed_dialogue()
    golds = [Gold("q1", "", "fine", (1,), (0,)), Gold("q2", "", "fine", (2,))]
    evaluator = Evaluator(dataset_of(tmp_path / "d", dialogue, golds, bare_images(dialogue)), "test")
    rows = {"q1": Prediction("q1", (3, 1, 1), (0, 9)), "q2": Prediction("q2", (3, 3, 2, 77), ())}
    assert evaluator.score(rows).ignored == {"textless": 3, "repeated": 1, "out_of_range": 2}


# --- what a joint figure stands on


@pytest.mark.parametrize(
    ("golds", "micro"),
    [
        ([((1,), (0,))], "both"),
        ([((1,), ())], "utterances"),
        ([((), (0,))], "images"),
        ([((), ())], "none"),
        ([((1,), ()), ((), (0,))], "both"),
    ],
)
def test_a_joint_figure_says_which_modalities_it_stands_on(
    tmp_path: Path, golds: list[tuple[tuple[int, ...], tuple[int, ...]]], micro: str
) -> None:
    dialogue = mixed_dialogue()
    named = [Gold(f"q{number}", "", "fine", *ids) for number, ids in enumerate(golds)]
    scores = Evaluator(dataset_of(tmp_path / "d", dialogue, named, bare_images(dialogue)), "test").score({})
    assert scores.joint_from == {"micro": micro, "macro": "both"}


def test_a_joint_macro_figure_without_any_image_stands_on_utterances(tmp_path: Path) -> None:
    dataset = dataset_of(tmp_path / "d", mixed_dialogue(n_images=0), [Gold("q", "", "fine", (1,))])
    scores = Evaluator(dataset, "test").score({"q": Prediction("q", (1, 2), ())})
    assert scores.joint_from == {"micro": "utterances", "macro": "utterances"}
    for suffix in ("", "(avg=macro)"):
        assert scores.measures[f"joint_f1{suffix}"] == scores.measures[f"utt_f1{suffix}"]
        assert scores.measures[f"img_f1{suffix}"].value is None


# --- the identity of predictions


def test_the_predictions_hash_is_a_sha256_and_stays_the_same(evaluator: Evaluator) -> None:
    first = hash_of(evaluator)
    assert len(first) == 64
    assert int(first, 16) >= 0
    assert first == hash_of(evaluator)


@pytest.mark.parametrize("changed", [{"response": "because"}, {"latency_s": 3.5}, {"meta": '{"system":"x"}'}])
def test_the_predictions_hash_leaves_out_response_latency_and_meta(
    evaluator: Evaluator, changed: dict[str, Any]
) -> None:
    assert hash_of(evaluator, **changed) == hash_of(evaluator)


@pytest.mark.parametrize(
    "changed",
    [
        {"utterance_ids": (2, 5)},
        {"utterance_ids": (2,), "utterance_scores": (0.5,)},
        {"image_ids": (), "image_scores": ()},
        {"image_ids": (1,)},
        {"utterance_scores": (0.5, 0.26)},
        {"utterance_scores": (0.25, 0.5)},
        {"utterance_scores": None},
        {"image_scores": (1.5,)},
        {"outcome": "api_error"},
    ],
)
def test_the_predictions_hash_changes_with_any_id_outcome_or_score(
    evaluator: Evaluator, changed: dict[str, Any]
) -> None:
    assert hash_of(evaluator, **changed) != hash_of(evaluator)


def test_the_predictions_hash_tells_failures_apart(evaluator: Evaluator) -> None:
    failures = [
        {},
        *({TEST_IDS[0]: Prediction(TEST_IDS[0], outcome=o)} for o in ("api_error", "refused", "parse_error")),
    ]
    assert len({evaluator.score(given).predictions_hash for given in failures}) == 4


@unhurried
@given(st.permutations(TEST_IDS))
def test_the_predictions_hash_does_not_depend_on_the_order_of_rows(evaluator: Evaluator, order: list[str]) -> None:
    turned = {query_id: GOOD[query_id] for query_id in order}
    assert evaluator.score(turned).predictions_hash == evaluator.score(GOOD).predictions_hash


@unhurried
@given(st.permutations([(2, 0.5), (4, 0.25), (2, 0.125)]))
def test_the_predictions_hash_is_of_the_ids_as_scored(evaluator: Evaluator, order: list[tuple[int, float]]) -> None:
    plain = {"utterance_ids": (2, 4), "utterance_scores": None}
    shuffled = {"utterance_ids": tuple(identifier for identifier, _ in order), "utterance_scores": None}
    assert hash_of(evaluator, **shuffled) == hash_of(evaluator, **plain)


def test_an_answer_hashes_the_same_given_as_ids_or_as_a_response(evaluator: Evaluator) -> None:
    response = "<|utt_ids_start|>[4, 2]<|utt_ids_end|>;<|img_ids_start|>[0]<|img_ids_end|>"
    as_response = hash_of(
        evaluator, utterance_ids=None, image_ids=None, utterance_scores=None, image_scores=None, response=response
    )
    assert as_response == hash_of(evaluator, utterance_scores=None, image_scores=None)


def test_a_whole_number_as_a_score_hashes_as_the_same_number_with_a_point(tmp_path: Path, evaluator: Evaluator) -> None:
    hashes = set()
    for score in ("1", "1.0", "1e0"):
        line = json.dumps(row(TEST_IDS[0], [2], utterance_scores=["X"])).replace('"X"', score)
        (tmp_path / "p.jsonl").write_text(line + "\n", encoding="utf-8")
        hashes.add(evaluator.score(evaluator.read(tmp_path / "p.jsonl")).predictions_hash)
    assert len(hashes) == 1


def test_the_gold_hash_is_the_datasets_and_independent_of_predictions(
    small_dataset: mldr.Dataset,
) -> None:
    evaluator = Evaluator(small_dataset, "test")
    assert evaluator.score({}).gold_hash == evaluator.score(GOOD).gold_hash == small_dataset.manifest.gold_hash["test"]


# --- what is said beside the numbers


@pytest.mark.parametrize("n_clusters", [1, 2, MIN_CLUSTERS])
def test_few_clusters_are_given_as_the_reason_for_no_interval(tmp_path: Path, n_clusters: int) -> None:
    rows: Rows = {"dialogues": [], "queries": [], "gold": [], "fragments": [], "images": []}
    for number in range(MIN_CLUSTERS):
        small = small_rows(2 * number, "red")
        for table in ("queries", "gold", "fragments"):
            rows[table] += small[table]  # type: ignore[literal-required, unused-ignore]
        for dialogue in small["dialogues"]:
            rows["dialogues"].append(replace(dialogue, cluster_id=f"c{number % n_clusters}"))  # type: ignore[arg-type, call-arg, unused-ignore]
    rows["images"] = small_rows(0, "red")["images"]
    scores = Evaluator(write_dataset(tmp_path / "d", {"test": rows}), "test").score({})
    assert scores.n_clusters == n_clusters
    few = n_clusters < MIN_CLUSTERS
    assert scores.interval_note.startswith("no intervals: " if few else "95 % intervals by 1,000 bootstrap resamples")
    assert all((value.low is None) == few for value in scores.measures.values() if value.value is not None)


def test_images_without_bytes_are_said_to_be_captions_only(tmp_path: Path, evaluator: Evaluator) -> None:
    dialogue = mixed_dialogue()
    without = dataset_of(tmp_path / "d", dialogue, [Gold("q", "", "fine", (1,))], bare_images(dialogue))
    assert Evaluator(without, "test").score({}).images_note.startswith("captions only: 2 of 2 images")
    assert evaluator.score({}).images_note == ""
