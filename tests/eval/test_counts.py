from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mldr.eval.outcomes import OUTCOMES
from tests.eval.bruteforce import sides, table
from tests.eval.support import Answered, answered_queries, table_of, unhurried


@unhurried
@given(st.lists(answered_queries(), max_size=6))
def test_counts_are_the_sizes_of_the_four_sets(queries: list[Answered]) -> None:
    counted = table_of(queries)
    for scope in ("utt", "img"):
        counts = counted["utt" if scope == "utt" else "img"]
        for position, side in enumerate(sides([q.case for q in queries], scope)):
            found = tuple(int(column[position]) for column in (counts.tp, counts.fp, counts.fn, counts.tn))
            assert found == table(side)
            assert counts.universe[position] == len(side.universe)
            assert counts.failed[position] == side.failed


@unhurried
@given(st.lists(answered_queries(), max_size=6))
def test_gold_and_universe_are_kept_whatever_was_answered(queries: list[Answered]) -> None:
    counted = table_of(queries)
    for counts in (counted.utt, counted.img):
        assert np.array_equal(counts.tn >= 0, np.ones(len(queries), dtype=bool))
        assert ((counts.tp + counts.fn + counts.tn) <= counts.universe).all()


def test_a_table_of_no_queries_has_no_rows() -> None:
    counted = table_of([])
    assert counted.n_queries == 0
    assert len(counted.utt.tp) == len(counted.valid) == 0


@unhurried
@given(st.lists(answered_queries(), min_size=1, max_size=6))
def test_the_valid_rows_are_those_that_did_not_fail(queries: list[Answered]) -> None:
    counted = table_of(queries)
    assert counted.valid.tolist() == [item.case.answer is not None for item in queries]
    kept = counted.of(counted.valid)
    assert kept.n_queries == sum(item.case.answer is not None for item in queries)
    assert all(OUTCOMES[position] in ("out_of_range", "empty", "ok") for position in kept.outcome)


@unhurried
@given(st.lists(answered_queries(), min_size=2, max_size=6))
def test_some_queries_can_be_taken_out_of_a_table_by_position(queries: list[Answered]) -> None:
    positions = [len(queries) - 1, 0, 0]
    picked = table_of(queries).of(np.array(positions))
    again = table_of([queries[position] for position in positions])
    for found, expected in ((picked.utt, again.utt), (picked.img, again.img)):
        assert found.tp.tolist() == expected.tp.tolist()
        assert found.tn.tolist() == expected.tn.tolist()
    assert picked.outcome.tolist() == again.outcome.tolist()
