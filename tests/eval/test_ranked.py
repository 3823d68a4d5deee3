from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.eval import MEASURES, parse_measure
from mldr.eval.measures import available
from mldr.eval.prediction import Prediction
from tests.eval.bruteforce import Case, joint, sides
from tests.eval.bruteforce_more import average_precision, kept, mean
from tests.eval.support import Answered, table_of, unhurried
from tests.eval.support_stats import scored_queries

NONE: frozenset[int] = frozenset()
RANKED = {"utt_ap", "img_ap", "joint_ap"}


def expected_ap(queries: list[Answered], scope: str) -> tuple[bool, float | None]:
    """Return whether any answer carries scores, and the mean average precision over queries with gold."""
    any_scores, values = False, []
    for item, side in zip(queries, sides([query.case for query in queries], scope), strict=True):
        given_row = item.prediction
        scores = None if given_row is None else given_row.utterance_scores if scope == "utt" else given_row.image_scores
        any_scores = any_scores or scores is not None
        if not side.gold:
            continue
        answer = (item.case.answer or ((), ()))[0 if scope == "utt" else 1]
        left_out = item.case.textless if scope == "utt" else NONE
        values.append(average_precision(side.gold, kept(answer, scores, left_out)))
    return any_scores, mean(values)


def scored(case: Case, utterance_scores: tuple[float, ...] | None) -> Answered:
    assert case.answer is not None
    ids = tuple(case.answer[0]), tuple(case.answer[1])
    return Answered(case, Prediction("q", *ids, utterance_scores=utterance_scores))


@unhurried
@given(st.lists(scored_queries(), min_size=1, max_size=6))
def test_average_precision_agrees_with_a_brute_force_definition(queries: list[Answered]) -> None:
    table = table_of(queries)
    names = {str(measure) for measure in available(table)}
    found: dict[str, float | None] = {}
    for scope in ("utt", "img"):
        any_scores, found[scope] = expected_ap(queries, scope)
        assert (f"{scope}_ap" in names) == any_scores
        if any_scores:
            value = parse_measure(f"{scope}_ap")(table)
            assert value == (None if found[scope] is None else pytest.approx(found[scope]))
    assert ("joint_ap" in names) == ({"utt_ap", "img_ap"} <= names)
    if "joint_ap" in names:
        both = joint("ap", found["utt"], found["img"])
        assert parse_measure("joint_ap")(table) == (None if both is None else pytest.approx(both))


@unhurried
@given(st.data(), st.integers(1, 12))
def test_average_precision_is_scikit_learns_where_every_candidate_is_scored(data: st.DataObject, size: int) -> None:
    metrics: Any = pytest.importorskip("sklearn.metrics", reason="scikit-learn is the oracle (extra `demo`)")
    gold = data.draw(st.frozensets(st.integers(0, size - 1), min_size=1))
    order = data.draw(st.permutations(range(size)))
    scores = data.draw(st.lists(st.integers(-99, 99), min_size=size, max_size=size, unique=True))
    item = scored(Case(size, NONE, 0, gold, NONE, (order, [])), tuple(float(score) for score in scores))
    expected = metrics.average_precision_score([int(i in gold) for i in order], scores)
    assert parse_measure("utt_ap")(table_of([item])) == pytest.approx(expected)


def test_gold_that_was_not_returned_is_never_found() -> None:
    case = Case(6, NONE, 0, frozenset({0, 1, 2}), NONE, ([5, 0, 1], []))
    found = parse_measure("utt_ap")(table_of([scored(case, (0.9, 0.5, 0.1))]))
    assert found == pytest.approx((1 / 2 + 2 / 3) / 3)


def test_of_equal_scores_the_smaller_id_comes_first() -> None:
    case = Case(6, NONE, 0, frozenset({2}), NONE, ([4, 2], []))
    assert parse_measure("utt_ap")(table_of([scored(case, (0.5, 0.5))])) == 1.0


def test_an_id_outside_the_dialogue_takes_a_rank_and_a_textless_one_does_not() -> None:
    case = Case(4, frozenset({1}), 0, frozenset({0}), NONE, ([1, 0], []))
    assert parse_measure("utt_ap")(table_of([scored(case, (0.9, 0.5))])) == 1.0
    outside = Case(4, frozenset({1}), 0, frozenset({0}), NONE, ([8, 0], []))
    assert parse_measure("utt_ap")(table_of([scored(outside, (0.9, 0.5))])) == 0.5


def test_without_scores_no_ranked_measure_is_available() -> None:
    case = Case(4, NONE, 2, frozenset({0}), frozenset({0}), ([0], [0]))
    plain = {str(measure) for measure in available(table_of([scored(case, None)]))}
    assert plain == {str(measure) for measure in MEASURES} - RANKED
    half = {str(measure) for measure in available(table_of([scored(case, (1.0,))]))}
    assert half == plain | {"utt_ap"}


@pytest.mark.parametrize("name", sorted(RANKED | {"utt_em", "joint_jaccard", "abstention"}))
def test_a_measure_that_takes_no_average_says_so(name: str) -> None:
    for average in ("macro", "micro"):
        with pytest.raises(ValueError, match="takes no parameter 'avg'"):
            parse_measure(f"{name}(avg={average})")
