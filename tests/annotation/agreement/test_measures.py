"""Measures of agreement against nltk, krippendorff, scikit-learn and hand-worked tables."""

from __future__ import annotations

import math

import krippendorff
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st
from nltk.metrics.agreement import AnnotationTask
from nltk.metrics.distance import jaccard_distance, masi_distance
from sklearn.metrics import cohen_kappa_score, f1_score, jaccard_score

from mldr.annotation.agreement.answers import Answer, Item, answer_table
from mldr.annotation.agreement.measures import figures
from mldr.annotation.agreement.models import FIGURES, Figures

Answers = list[tuple[Answer, ...]]
UNIVERSE = frozenset(range(6))


def items_of(answers: Answers, clusters: list[str] | None = None) -> list[Item]:
    names = clusters or ["c"] * len(answers)
    return [Item(name, UNIVERSE, own) for name, own in zip(names, answers, strict=True)]


def measured(answers: Answers, resamples: int = 0) -> Figures:
    n_raters = len(answers[0]) if answers else 2
    return figures(items_of(answers), n_raters, nothing="nothing", resamples=resamples)


def tables(raters: int, *, missing: bool, least: int = 2, n: int = 8) -> st.SearchStrategy[Answers]:
    answer: st.SearchStrategy[Answer] = st.frozensets(st.integers(0, 5), max_size=6)
    one = answer | st.none() if missing else answer
    return st.lists(st.tuples(*[one] * raters), min_size=least, max_size=n)


def masi_apart(first: frozenset[int], second: frozenset[int]) -> float:
    return float(masi_distance(first, second)) if first or second else 0.0  # nltk divides by zero there


def jaccard_apart(first: frozenset[int], second: frozenset[int]) -> float:
    return float(jaccard_distance(first, second)) if first or second else 0.0


def usable(answers: Answers) -> Answers:
    return [own for own in answers if sum(answer is not None for answer in own) >= 2]


def oracle_alpha(answers: Answers, distance: object) -> float | None:
    kept = usable(answers)
    if len(kept) < 2 or len({answer for own in kept for answer in own if answer is not None}) < 2:
        return None
    rows = [(r, i, answer) for i, own in enumerate(kept) for r, answer in enumerate(own) if answer is not None]
    return float(AnnotationTask(rows, distance=distance).alpha())


def binary(answers: Answers) -> list[list[int]]:
    """Return a list of 0 and 1 a rater, over all messages of all items."""
    return [[int(i in (own[r] or ())) for own in answers for i in UNIVERSE] for r in range(len(answers[0]))]


@given(tables(2, missing=False) | tables(3, missing=True) | tables(4, missing=True))
def test_alpha_is_that_of_nltk_with_either_distance_whoever_did_not_answer(answers: Answers) -> None:
    found = measured(answers)
    for value, distance in ((found.alpha_masi, masi_apart), (found.alpha_jaccard, jaccard_apart)):
        assert value.value == pytest.approx(oracle_alpha(answers, distance), abs=1e-5)
        assert (value.value is None) == bool(value.reason)


@given(st.lists(st.tuples(*[st.sampled_from([None, 0, 1, 2])] * 3), min_size=2, max_size=10))
def test_alpha_over_single_choices_is_the_nominal_alpha_of_krippendorff(rows: list[tuple[int | None, ...]]) -> None:
    answers: Answers = [tuple(None if one is None else frozenset([one]) for one in row) for row in rows]
    reliability = np.array([[math.nan if one is None else one for one in row] for row in rows]).T
    found = measured(answers).alpha_masi
    kept = usable(answers)
    if len(kept) < 2 or len({one for own in kept for one in own if one}) < 2:
        assert found.value is None
    else:
        oracle = krippendorff.alpha(reliability, level_of_measurement="nominal")
        assert found.value == pytest.approx(oracle, abs=1e-5)


@given(tables(2, missing=False, least=1))
def test_of_two_f1_jaccard_exact_kappa_and_positive_agreement_are_those_of_scikit_learn(answers: Answers) -> None:
    found = measured(answers)
    rows = [
        ([int(i in a) for i in UNIVERSE], [int(i in b) for i in UNIVERSE])
        for a, b in answers
        if a is not None and b is not None
    ]
    assert found.f1.value == pytest.approx(np.mean([f1_score(a, b, zero_division=1.0) for a, b in rows]))
    assert found.jaccard.value == pytest.approx(np.mean([jaccard_score(a, b, zero_division=1.0) for a, b in rows]))
    assert found.exact.value == pytest.approx(np.mean([a == b for a, b in rows]))
    first, second = binary(answers)
    if sum(first + second):
        assert found.positive.value == pytest.approx(f1_score(first, second))
    else:
        assert found.positive.value is None
    if len({*first, *second}) > 1:
        assert found.kappa.value == pytest.approx(cohen_kappa_score(first, second))
        assert found.kappa_of == "Cohen"
    else:
        assert found.kappa.value is None
        assert found.kappa.reason


@given(tables(3, missing=False, least=1) | tables(5, missing=False, least=1))
def test_of_more_kappa_is_the_multi_pi_of_nltk(answers: Answers) -> None:
    rows = binary(answers)
    found = measured(answers)
    assert found.kappa_of == "Fleiss"
    if len({one for row in rows for one in row}) < 2:
        assert found.kappa.value is None
        return
    task = AnnotationTask([(r, i, one) for r, row in enumerate(rows) for i, one in enumerate(row)])
    assert found.kappa.value == pytest.approx(task.pi())


def brute_force_pairs(answers: Answers) -> tuple[float, float, float]:
    """Return F1, exact match and positive agreement by going through every pair of every item."""
    f1, exact, both, chosen = [], [], 0.0, 0
    for own in usable(answers):
        given_ = [answer for answer in own if answer is not None]
        pairs = [(a, b) for i, a in enumerate(given_) for b in given_[:i]]
        f1.append(np.mean([2 * len(a & b) / (len(a) + len(b)) if a or b else 1.0 for a, b in pairs]))
        exact.append(np.mean([a == b for a, b in pairs]))
        both += sum(2 * len(a & b) for a, b in pairs) / (len(given_) - 1)
        chosen += sum(len(answer) for answer in given_)
    return float(np.mean(f1)), float(np.mean(exact)), both / chosen if chosen else math.nan


@given(tables(4, missing=True, least=1))
def test_means_over_pairs_pass_over_whoever_did_not_answer(answers: Answers) -> None:
    found = measured(answers)
    if not usable(answers):
        assert {getattr(found, name).reason for name in FIGURES} == {"nothing"}
        return
    f1, exact, positive = brute_force_pairs(answers)
    assert found.f1.value == pytest.approx(f1)
    assert found.exact.value == pytest.approx(exact)
    assert found.positive.value == (None if math.isnan(positive) else pytest.approx(positive))


@given(tables(3, missing=True), st.permutations(range(3)))
def test_the_order_of_annotators_and_of_queries_changes_nothing(answers: Answers, order: list[int]) -> None:
    turned = [tuple(own[i] for i in order) for own in reversed(answers)]
    for name in FIGURES:
        assert getattr(measured(turned), name).value == pytest.approx(getattr(measured(answers), name).value)


def test_two_empty_answers_agree_in_full() -> None:
    found = measured([(frozenset(), frozenset()), (frozenset({1}), frozenset({1}))])
    assert found.f1.value == found.jaccard.value == found.exact.value == 1.0
    assert found.alpha_masi.value == found.alpha_jaccard.value == 1.0


def test_a_single_query_has_no_alpha_and_says_so() -> None:
    found = measured([(frozenset({1}), frozenset({1, 2}))])
    assert (found.alpha_masi.value, found.alpha_masi.reason) == (None, "a single query")
    assert found.f1.value == pytest.approx(2 / 3)
    assert found.kappa.value is not None


def test_answers_that_are_all_the_same_have_neither_alpha_nor_kappa() -> None:
    everything: Answers = [(UNIVERSE, UNIVERSE)] * 3
    assert measured(everything).alpha_masi.reason == "no variation: all answers are the same"
    assert measured(everything).kappa.reason == "no variation: everything was chosen"
    nothing: Answers = [(frozenset(), frozenset())] * 3
    assert measured(nothing).kappa.reason == measured(nothing).positive.reason == "no variation: nothing was chosen"
    assert measured(nothing).exact.value == 1.0


def test_items_without_a_universe_are_no_items() -> None:
    found = figures([Item("c", frozenset(), (frozenset(), frozenset()))] * 4, 2, nothing="no dialogue has an image")
    assert found.n_queries == 0
    assert {getattr(found, name).reason for name in FIGURES} == {"no dialogue has an image"}


def test_an_answer_outside_its_universe_is_refused() -> None:
    with pytest.raises(ValueError, match="9 is chosen"):
        answer_table([Item("c", UNIVERSE, (frozenset({9}), frozenset()))], 2)


def noisy(seed: int, n_clusters: int, per: int = 4) -> list[Item]:
    draw = np.random.default_rng(seed)
    items = []
    for cluster in range(n_clusters):
        for _ in range(per):
            gold = draw.random(6) < 0.4
            answers = tuple(frozenset(np.flatnonzero(gold ^ (draw.random(6) < 0.1)).tolist()) for _ in range(3))
            items.append(Item(f"c{cluster:03d}", UNIVERSE, answers))
    return items


def test_intervals_hold_the_value_and_fewer_than_ten_chats_give_none() -> None:
    many = figures(noisy(1, 40), 3, nothing="", resamples=300)
    for name in FIGURES:
        value = getattr(many, name)
        assert value.low < value.value < value.high
        assert value.high - value.low < 0.3
    few = figures(noisy(1, 9), 3, nothing="", resamples=300)
    assert {getattr(few, name).low for name in FIGURES} == {None}
    assert few.f1.value is not None


def test_intervals_are_the_same_each_time_and_another_seed_moves_them() -> None:
    one, two, other = (figures(noisy(2, 20), 3, nothing="", resamples=200, seed=seed) for seed in (0, 0, 1))
    assert one == two
    assert one.alpha_masi.low != other.alpha_masi.low
    assert one.alpha_masi.value == other.alpha_masi.value


@limits(max_examples=30)
@given(st.lists(st.integers(0, 3), min_size=3, max_size=4), st.integers(0, 100))
def test_a_resample_has_the_alpha_of_a_table_in_which_its_chats_stand_as_often_as_drawn(
    drawn: list[int], seed: int
) -> None:
    from mldr.annotation.agreement.measures import _statistic

    items = noisy(seed, len(drawn), per=2)
    repeated = [
        item
        for cluster, times in enumerate(drawn)
        for item in items
        if item.cluster == f"c{cluster:03d}"
        for _ in range(times)
    ]
    if len(repeated) < 2:
        return
    weighted = _statistic(answer_table(items, 3))(np.array([drawn], dtype=np.float64))[0]
    plain = figures(repeated, 3, nothing="", resamples=0)
    for position, name in enumerate(FIGURES):
        assert getattr(plain, name).value == pytest.approx(weighted[position], abs=1e-6)
