from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.errors import InputError
from mldr.eval import MEASURES as ALL_MEASURES
from mldr.eval import Measure, parse_measure, parse_measures
from mldr.eval.counts import per_query
from mldr.eval.measures import SET_MEASURES as MEASURES
from mldr.eval.measures.sets import SetMeasure
from mldr.eval.prediction import Prediction
from tests.eval.bruteforce import Case, all_measures, sides
from tests.eval.support import FAILURES, Answered, answered, answered_queries, table_of, unhurried

NONE: frozenset[int] = frozenset()


def case(
    gold: set[int], answer: set[int] | None, n_utterances: int = 4, images: tuple[int, set[int], set[int]] | None = None
) -> Case:
    """Return a query about utterances; `images` = how many there are, gold, answer."""
    n_images, gold_images, answer_images = images or (0, set(), set())
    given_answer = None if answer is None else (sorted(answer), sorted(answer_images))
    return Case(n_utterances, NONE, n_images, frozenset(gold), frozenset(gold_images), given_answer)


def value(name: str, *cases: Case) -> float | None:
    return parse_measure(name)(table_of([answered(item) for item in cases]))


def number(name: str, *cases: Case) -> float:
    found = value(name, *cases)
    assert found is not None
    return found


# --- against brute force


@unhurried
@given(st.lists(answered_queries(), max_size=7))
def test_every_measure_agrees_with_a_brute_force_definition(queries: list[Answered]) -> None:
    table = table_of(queries)
    expected = all_measures([item.case for item in queries])
    assert {str(measure) for measure in MEASURES} == set(expected)
    for measure in MEASURES:
        found, wanted = measure(table), expected[str(measure)]
        if wanted is None:
            assert found is None, str(measure)
        else:
            assert found == pytest.approx(wanted, abs=1e-12), str(measure)


@unhurried
@given(st.lists(answered_queries(), max_size=5))
def test_every_measure_stays_in_its_range(queries: list[Answered]) -> None:
    table = table_of(queries)
    for measure in MEASURES:
        found = measure(table)
        assert found is None or (-1 if measure.figure == "mcc" else 0) <= found <= 1


@unhurried
@given(st.lists(answered_queries(), min_size=1, max_size=5))
def test_the_order_of_queries_changes_no_measure(queries: list[Answered]) -> None:
    turned = list(reversed(queries))
    for measure in MEASURES:
        first, second = measure(table_of(queries)), measure(table_of(turned))
        assert first == (None if second is None else pytest.approx(second, abs=1e-12))


@unhurried
@given(st.lists(answered_queries(failures=False), min_size=1, max_size=4))
def test_the_gold_itself_scores_one_in_every_measure_that_is_defined(queries: list[Answered]) -> None:
    perfect = [
        answered(
            Case(
                c.n_utterances,
                c.textless,
                c.n_images,
                c.gold_utterances,
                c.gold_images,
                (sorted(c.gold_utterances), sorted(c.gold_images)),
            )
        )
        for c in (item.case for item in queries)
    ]
    table = table_of(perfect)
    for measure in MEASURES:
        found = measure(table)
        # Micro MCC has no denominator where the gold of all queries together fills the universe.
        assert found is None or found == pytest.approx(1) or (measure.figure == "mcc" and measure.average == "micro")


# --- against scikit-learn


@pytest.fixture(scope="module")
def metrics() -> Any:
    return pytest.importorskip("sklearn.metrics", reason="scikit-learn is the oracle (extra `demo`)")


@unhurried
@given(st.lists(answered_queries(in_range=True), min_size=1, max_size=6))
def test_micro_agrees_with_scikit_learn(metrics: Any, queries: list[Answered]) -> None:
    table = table_of(queries)
    for scope in ("utt", "img"):
        found = sides([item.case for item in queries], scope)
        truth = [int(i in side.gold) for side in found for i in sorted(side.universe)]
        guess = [int(i in side.answer) for side in found for i in sorted(side.universe)]
        if not any(truth):
            continue
        expected = metrics.precision_recall_fscore_support(truth, guess, average="binary", zero_division=0)
        for figure, wanted in zip(("p", "r", "f1"), expected[:3], strict=True):
            assert parse_measure(f"{scope}_{figure}")(table) == pytest.approx(wanted)
        if len(set(truth)) > 1 or len(set(guess)) > 1:
            assert parse_measure(f"{scope}_mcc")(table) == pytest.approx(metrics.matthews_corrcoef(truth, guess))


@unhurried
@given(st.lists(answered_queries(in_range=True, failures=False), min_size=1, max_size=6))
def test_macro_agrees_with_scikit_learn_where_gold_neither_is_empty_nor_fills_the_universe(
    metrics: Any, queries: list[Answered]
) -> None:
    for scope in ("utt", "img"):
        found = sides([item.case for item in queries], scope)
        plain = [item for item, side in zip(queries, found, strict=True) if side.gold not in (NONE, side.universe)]
        if not plain:
            continue
        rows = []
        for side in sides([item.case for item in plain], scope):
            truth, guess = ([int(i in ids) for i in sorted(side.universe)] for ids in (side.gold, side.answer))
            scores = metrics.precision_recall_fscore_support(truth, guess, average="binary", zero_division=0)
            rows.append((*scores[:3], metrics.matthews_corrcoef(truth, guess)))
        for figure, column in zip(("p", "r", "f1", "mcc"), zip(*rows, strict=True), strict=True):
            wanted = sum(column) / len(column)
            assert parse_measure(f"{scope}_{figure}(avg=macro)")(table_of(plain)) == pytest.approx(wanted)


# --- what is known without an oracle


@unhurried
@given(st.lists(answered_queries(failures=False), min_size=1, max_size=6))
def test_where_everything_is_returned_f1_is_2p_over_1_plus_p(queries: list[Answered]) -> None:
    everything = [
        answered(
            Case(
                c.n_utterances,
                c.textless,
                c.n_images,
                c.gold_utterances,
                c.gold_images,
                (range(c.n_utterances), range(c.n_images)),
            )
        )
        for c in (item.case for item in queries)
    ]
    table = table_of(everything)
    for scope in ("utt", "img"):
        found = sides([item.case for item in everything], scope)
        gold, universe = sum(len(side.gold) for side in found), sum(len(side.universe) for side in found)
        measured = SetMeasure("utt" if scope == "utt" else "img", "f1")(table)
        if not gold:
            assert measured is None
        else:
            share = Fraction(gold, universe)
            assert measured == pytest.approx(float(2 * share / (1 + share)))


def test_a_hand_worked_query_gives_the_numbers_of_the_textbook() -> None:
    query = case({0, 1}, {1, 2}, 5)  # tp 1, fp 1, fn 1, tn 2
    assert [number(f"utt_{figure}", query) for figure in ("p", "r", "f1")] == [0.5, 0.5, 0.5]
    assert number("utt_mcc", query) == pytest.approx((1 * 2 - 1 * 1) / math.sqrt(2 * 2 * 3 * 3))


def test_micro_sums_over_queries_and_macro_averages_over_them() -> None:
    small, large = case({0}, {0}), case({0, 1, 2, 3}, {0, 9}, 10)
    assert number("utt_r", small, large) == pytest.approx(2 / 5)
    assert number("utt_r(avg=macro)", small, large) == pytest.approx((1 + 1 / 4) / 2)


# --- the conventions


@pytest.mark.parametrize("figure", ["p", "r", "f1", "mcc"])
def test_micro_is_null_for_a_modality_without_gold(figure: str) -> None:
    query = case({0}, {0}, images=(2, set(), {1}))
    assert value(f"img_{figure}", query) is None
    assert value(f"joint_{figure}", query) == value(f"utt_{figure}", query)


@pytest.mark.parametrize("figure", ["p", "r", "f1", "mcc"])
def test_micro_without_any_gold_is_null_in_joint_too(figure: str) -> None:
    assert value(f"joint_{figure}", case(set(), {1}, images=(2, set(), set()))) is None


@pytest.mark.parametrize("figure", ["p", "r", "f1", "mcc"])
def test_macro_leaves_out_queries_with_an_empty_universe(figure: str) -> None:
    without = case({0}, {0, 1})
    with_images = case({0}, {0, 1}, images=(2, {0}, {0}))
    name = f"img_{figure}(avg=macro)"
    assert value(name, without) is None
    assert value(name, without, with_images) == 1.0
    assert value(f"joint_{figure}(avg=macro)", without) == value(f"utt_{figure}(avg=macro)", without)


def test_an_image_answered_where_the_dialogue_has_none_costs_micro_precision_and_no_macro() -> None:
    clean = case({0}, {0}, images=(1, {0}, {0}))
    stray = Case(4, NONE, 0, frozenset({0}), NONE, ([0], [0]))
    assert number("img_p", clean, stray) == 0.5
    assert number("img_p(avg=macro)", clean, stray) == 1.0


@pytest.mark.parametrize("figure", ["p", "r", "f1", "mcc"])
def test_both_sides_empty_is_one_and_one_side_empty_is_zero(figure: str) -> None:
    name = f"utt_{figure}(avg=macro)"
    assert value(name, case(set(), set())) == 1.0
    assert value(name, case(set(), {1})) == 0.0
    assert value(name, case({1}, set())) == 0.0


@pytest.mark.parametrize(
    ("gold", "answer", "expected"),
    [
        (set(), set(), 1.0),
        (set(), {0}, 0.0),
        (set(), {0, 1, 2, 3}, 0.0),
        ({0, 1, 2, 3}, {0, 1, 2, 3}, 1.0),
        ({0, 1, 2, 3}, {0, 1, 2}, 0.0),
        ({0, 1, 2, 3}, set(), 0.0),
        ({0, 1, 2, 3}, {0, 1, 2, 3, 4}, 0.0),  # an id outside the dialogue: not equal
        ({0}, {0, 1, 2, 3}, 0.0),  # the answer fills the universe: a zero denominator
    ],
)
def test_macro_mcc_is_all_or_nothing_where_gold_is_empty_or_fills_the_universe(
    gold: set[int], answer: set[int], expected: float
) -> None:
    assert value("utt_mcc(avg=macro)", case(gold, answer)) == expected


def test_micro_mcc_with_a_zero_denominator_is_zero() -> None:
    assert value("utt_mcc", case({0, 1, 2, 3}, {0, 1, 2, 3})) == 0.0


def test_micro_mcc_is_exact_where_the_product_of_counts_leaves_64_bits() -> None:
    half = frozenset(range(50_000))
    query = Case(100_000, NONE, 0, half, NONE, (range(50_000), []))
    assert number("utt_mcc", *[query] * 4) == 1.0


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("figure", ["p", "r", "f1", "mcc"])
def test_a_failure_scores_zero_in_macro_even_on_a_negative(failure: Prediction | None, figure: str) -> None:
    negative = Answered(Case(4, NONE, 2, NONE, NONE, None), failure)
    table = table_of([negative])
    for scope in ("utt", "img", "joint"):
        assert parse_measure(f"{scope}_{figure}(avg=macro)")(table) == 0.0


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_is_an_empty_answer_in_micro(failure: Prediction | None) -> None:
    found = case({0, 1}, {0, 1}, images=(2, {0}, {0}))
    failed = Case(4, NONE, 2, frozenset({2}), frozenset({1}), None)
    empty = Case(4, NONE, 2, frozenset({2}), frozenset({1}), ([], []))
    with_failure = table_of([answered(found), Answered(failed, failure)])
    with_empty = table_of([answered(found), answered(empty)])
    for measure in MEASURES:
        if measure.average == "micro":
            assert measure(with_failure) == measure(with_empty)


def test_a_failure_has_no_macro_score_in_a_modality_with_an_empty_universe() -> None:
    failed = Case(4, NONE, 0, frozenset({0}), NONE, None)
    assert value("img_f1(avg=macro)", failed) is None
    assert value("joint_f1(avg=macro)", failed) == 0.0


def test_joint_takes_harmonic_means_of_p_and_r_and_arithmetic_means_of_f1_and_mcc() -> None:
    query = case({0, 1}, {0}, 6, images=(4, {0}, {0, 1, 2}))
    utterances, images = (
        {f: number(f"{scope}_{f}", query) for f in ("p", "r", "f1", "mcc")} for scope in ("utt", "img")
    )
    for figure in ("p", "r"):
        a, b = utterances[figure], images[figure]
        assert number(f"joint_{figure}", query) == pytest.approx(2 * a * b / (a + b))
    for figure in ("f1", "mcc"):
        assert number(f"joint_{figure}", query) == pytest.approx((utterances[figure] + images[figure]) / 2)


def test_joint_precision_is_zero_where_either_modality_is_zero() -> None:
    assert number("joint_p", case({0}, {1}, images=(2, {0}, {0}))) == 0.0
    assert number("joint_p", case({0}, {1}, images=(2, {0}, {1}))) == 0.0


def test_joint_comes_last_from_the_two_averages_and_not_from_each_query() -> None:
    one = case({0}, {0}, images=(2, {0}, {1}))
    two = case({0}, {1}, images=(2, {0}, {0}))
    assert number("joint_p(avg=macro)", one, two) == pytest.approx(0.5)


def test_per_query_gives_nan_for_an_empty_universe() -> None:
    table = table_of([answered(case({0}, {0}, images=(1, {0}, {0}))), answered(case({0}, {0}))])
    values = per_query(table.img, "f1")
    assert values[0] == 1.0
    assert math.isnan(values[1])


# --- names


@pytest.mark.parametrize("measure", ALL_MEASURES, ids=str)
def test_a_measures_string_parses_back_to_it(measure: Measure) -> None:
    assert parse_measure(str(measure)) == measure


def test_the_names_of_measures_are_those_that_people_write() -> None:
    scopes, figures, suffixes = ("utt", "img", "joint"), ("p", "r", "f1", "mcc"), ("", "(avg=macro)")
    assert {str(m) for m in MEASURES} == {f"{s}_{f}{x}" for s in scopes for f in figures for x in suffixes}
    assert len(MEASURES) == len(set(MEASURES)) == 24


def test_micro_may_be_spelled_out() -> None:
    assert parse_measure("img_f1(avg=micro)") == parse_measure("img_f1")


@pytest.mark.parametrize(
    "name", ["", "f1", "utt_f2", "utt_F1", "utt_f1(avg=median)", "utt_f1(avg=macro", "utt_f1@10", "x"]
)
def test_a_name_of_no_measure_is_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(ValueError, match="utt_p, utt_r, utt_f1"):
        parse_measure(name)


def test_all_bad_names_are_reported_at_once() -> None:
    with pytest.raises(InputError) as caught:
        parse_measures(["utt_f1", "recall", "joint_mcc(avg=macro)", "utt_f2"])
    assert [next(name for name in ("recall", "utt_f2") if repr(name) in f.message) for f in caught.value.faults] == [
        "recall",
        "utt_f2",
    ]


def test_good_names_come_back_in_their_order() -> None:
    assert [str(m) for m in parse_measures(["joint_f1", "utt_p(avg=macro)"])] == ["joint_f1", "utt_p(avg=macro)"]
