"""The F1 reward: its equation, its two forms, and the F1 of the evaluation underneath."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from mldr.dialogue import Dialogue, Gold, Utterance
from mldr.eval.counts import Counts, per_query
from mldr.retrievers.f2rvlm.rewards import LENGTH_DECAY, Target, f1_reward
from mldr.retrievers.f2rvlm.rewards.f1 import modality_counts
from mldr.retrievers.f2rvlm.rewards.target import named
from tests.retrievers.f2rvlm.support_rewards import answer, slow_f1, target

IDS = st.lists(st.integers(-1, 8), max_size=8)
GOLD = st.frozensets(st.integers(0, 8), max_size=6)
TARGETS = st.builds(Target, GOLD, GOLD)
ANSWERS = st.one_of(st.builds(answer, IDS, IDS), st.just("no answer"), st.just(""))
PAIRS = st.lists(st.tuples(ANSWERS, TARGETS), max_size=12)


def one(text: str, gold: Target, form: str = "weighted") -> float:
    return float(f1_reward([text], [gold], form=form)[0])  # type: ignore[arg-type] # a string for parametrize


@given(PAIRS, st.sampled_from(["weighted", "paper"]))
def test_it_equals_its_equation_computed_one_answer_at_a_time(pairs: list[tuple[str, Target]], form: str) -> None:
    answers, targets = [text for text, _ in pairs], [gold for _, gold in pairs]
    expected = [slow_f1(text, gold, form) for text, gold in pairs]
    np.testing.assert_allclose(f1_reward(answers, targets, form=form), expected, atol=1e-12)  # type: ignore[arg-type]


@given(st.builds(answer, IDS, IDS), TARGETS)
def test_only_the_exact_sets_earn_everything_and_an_answer_with_nothing_right_earns_nothing(
    text: str, gold: Target
) -> None:
    (read,) = named([text], [gold])
    assert read is not None
    exact = read.utterance_ids == gold.utterance_ids and read.image_ids == gold.image_ids
    right = read.utterance_ids & gold.utterance_ids or read.image_ids & gold.image_ids
    reward = one(text, gold)
    assert 0 <= reward <= 1
    assert (reward == 1) == exact
    if not exact and not right:
        assert reward == 0


@given(IDS, IDS, TARGETS)
def test_order_and_repetition_of_ids_do_not_matter(utterances: list[int], images: list[int], gold: Target) -> None:
    again = answer(sorted(utterances) * 2, images[::-1])
    assert one(again, gold) == one(answer(utterances, images), gold)


@given(st.sets(st.integers(0, 30)), st.sets(st.integers(0, 30), min_size=1))
def test_its_f1_is_that_of_scikit_learn(given_ids: set[int], gold_ids: set[int]) -> None:
    truth, guess = ([i in ids for i in range(31)] for ids in (gold_ids, given_ids))
    expected = f1_score(truth, guess, zero_division=0) * LENGTH_DECAY ** abs(len(given_ids) - len(gold_ids))
    assert one(answer(sorted(given_ids)), target(sorted(gold_ids))) == pytest.approx(expected)


@given(PAIRS)
def test_its_f1_is_that_of_the_evaluation(pairs: list[tuple[str, Target]]) -> None:
    utterances, _ = modality_counts([text for text, _ in pairs], [gold for _, gold in pairs])
    universe = np.full(len(pairs), 40)
    whole = Counts(utterances.tp, utterances.fp, utterances.fn, universe * 0, universe, utterances.failed)
    np.testing.assert_array_equal(per_query(utterances, "f1"), per_query(whole, "f1"))


def test_a_length_that_is_off_by_two_costs_two_factors() -> None:
    f1 = 2 * 2 / (2 + 4)
    assert one(answer([0, 1]), target([0, 1, 2, 3])) == pytest.approx(f1 * 0.95**2)
    assert one(answer([0, 1, 2, 3]), target([0, 1])) == pytest.approx(f1 * 0.95**2)


def test_a_right_list_of_utterances_and_a_missing_image_earn_half() -> None:
    for form in ("weighted", "paper"):
        assert one(answer([1, 2]), target([1, 2], [0]), form) == 0.5


def test_an_invented_image_costs_the_half_that_it_takes() -> None:
    assert one(answer([1, 2], [0]), target([1, 2])) == 0.5
    assert one(answer([1, 2]), target([1, 2])) == 1


@pytest.mark.parametrize("form", ["weighted", "paper"])
def test_an_empty_answer_to_a_negative_query_is_right(form: str) -> None:
    assert one(answer(), target(), form) == 1


def test_any_answer_to_a_negative_query_earns_nothing() -> None:
    assert one(answer([3]), target()) == 0
    assert one(answer([3]), target(), "paper") == 0.5


def test_utterances_without_text_are_ignored_as_the_evaluation_does() -> None:
    dialogue = Dialogue("d", "en", "real", "c", (Utterance("a", "hi"), Utterance("b", "", (0,))))
    gold = Target.of(Gold("q", "f", "fine", (0,), (0,)), dialogue)
    assert one(answer([0, 1], [0]), gold) == 1
    assert Target.of(Gold("q", "f", "fine", (0, 1)), dialogue).utterance_ids == {0}


def test_text_around_an_answer_costs_nothing_here_and_the_last_answer_counts() -> None:
    assert one(f"Let me see: {answer([7])}\n so\n{answer([1])}\n", target([1])) == 1


def test_an_id_of_thousands_of_digits_is_one_false_positive() -> None:
    assert one(answer([1, 10**3000]), target([1])) == pytest.approx(2 / 3 * 0.95)


def test_columns_that_are_not_parallel_stop_the_run() -> None:
    with pytest.raises(ValueError, match="answers has 2, targets has 1"):
        f1_reward([answer(), answer()], [target()])


def test_an_unknown_form_stops_the_run() -> None:
    with pytest.raises(ValueError, match="form is 'papers'"):
        one(answer(), target(), "papers")


def test_no_completions_are_no_rewards() -> None:
    assert f1_reward([], []).shape == (0,)
