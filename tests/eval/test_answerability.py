from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.eval import parse_measure
from tests.eval.bruteforce import Case
from tests.eval.bruteforce_more import answerability
from tests.eval.support import Answered, answered, answered_queries, table_of, unhurried

NONE: frozenset[int] = frozenset()


def values(*cases: Case) -> tuple[float | None, ...]:
    table = table_of([answered(case) for case in cases])
    return tuple(parse_measure(name)(table) for name in ("abstention", "response", "answerability"))


def negative(*utterance_ids: int) -> Case:
    return Case(4, frozenset({3}), 2, NONE, NONE, (utterance_ids, []))


def positive(*utterance_ids: int) -> Case:
    return Case(4, frozenset({3}), 2, frozenset({0}), NONE, (utterance_ids, []))


@unhurried
@given(st.lists(answered_queries(), max_size=7))
def test_answerability_agrees_with_a_brute_force_definition(queries: list[Answered]) -> None:
    table = table_of(queries)
    for name, expected in answerability([item.case for item in queries]).items():
        found = parse_measure(name)(table)
        assert found == (None if expected is None else pytest.approx(expected)), name


def test_silence_is_right_on_a_negative_and_wrong_where_there_is_gold() -> None:
    assert values(negative(), negative(1), positive()) == (0.5, 0.0, 0.25)


def test_any_answer_is_right_where_there_is_gold_whatever_it_names() -> None:
    assert values(positive(1), positive(0), positive(), positive()) == (None, 0.5, None)


@pytest.mark.parametrize("gold", [NONE, frozenset({0})])
def test_failures_and_ids_outside_the_dialogue_are_never_right(gold: frozenset[int]) -> None:
    failed = Case(4, NONE, 2, gold, NONE, None)
    outside = Case(4, NONE, 2, gold, NONE, ([0, 4], []))
    share = values(failed, outside)[1 if gold else 0]
    assert share == 0.0


def test_an_answer_of_textless_utterances_alone_is_silence() -> None:
    assert values(negative(3), positive(3)) == (1.0, 0.0, 0.5)


def test_without_queries_of_both_kinds_there_is_no_balance() -> None:
    assert values(negative()) == (1.0, None, None)
    assert values(positive(0)) == (None, 1.0, None)
