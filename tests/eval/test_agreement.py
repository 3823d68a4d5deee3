from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.eval import parse_measure
from tests.eval.bruteforce import Case
from tests.eval.bruteforce_more import agreement
from tests.eval.support import Answered, answered, answered_queries, table_of, unhurried

NONE: frozenset[int] = frozenset()


def values(*cases: Case) -> dict[str, float | None]:
    table = table_of([answered(case) for case in cases])
    return {name: parse_measure(name)(table) for name in agreement(cases)}


@unhurried
@given(st.lists(answered_queries(), max_size=7))
def test_exact_match_and_jaccard_agree_with_a_brute_force_definition(queries: list[Answered]) -> None:
    table = table_of(queries)
    for name, expected in agreement([item.case for item in queries]).items():
        found = parse_measure(name)(table)
        assert found == (None if expected is None else pytest.approx(expected)), name


def test_a_hand_worked_query_gives_half_a_jaccard_and_no_exact_match() -> None:
    found = values(Case(6, NONE, 2, frozenset({0, 1, 2}), frozenset({0}), ([1, 2, 3], [0])))
    assert found == {
        "utt_em": 0.0,
        "utt_jaccard": 0.5,
        "img_em": 1.0,
        "img_jaccard": 1.0,
        "joint_em": 0.0,
        "joint_jaccard": 0.75,
    }


def test_joint_exact_match_asks_for_both_sets_of_one_query() -> None:
    one = Case(4, NONE, 2, frozenset({0}), frozenset({0}), ([0], [1]))
    two = Case(4, NONE, 2, frozenset({0}), frozenset({0}), ([1], [0]))
    found = values(one, two)
    assert (found["utt_em"], found["img_em"], found["joint_em"]) == (0.5, 0.5, 0.0)


def test_nothing_answered_to_a_negative_is_exact_and_a_failure_is_not() -> None:
    silent = Case(4, NONE, 2, NONE, NONE, ([], []))
    failed = Case(4, NONE, 2, NONE, NONE, None)
    assert set(values(silent).values()) == {1.0}
    assert set(values(failed).values()) == {0.0}


def test_an_id_outside_the_dialogue_spoils_the_exact_match() -> None:
    assert values(Case(4, NONE, 2, frozenset({0}), NONE, ([0, 9], [])))["utt_em"] == 0.0
