"""The assignment and what is matched by it, against scipy and against every permutation."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment  # type: ignore[import-untyped]

from mldr.annotation.agreement.matching import assignment, f1, matched, matched_f1

sets = st.lists(st.frozensets(st.integers(0, 7), max_size=5), max_size=5)


@st.composite
def gains(draw: st.DrawFn) -> np.ndarray:
    rows, columns = draw(st.integers(1, 12)), draw(st.integers(1, 12))
    seed, tied = draw(st.integers(0, 10_000)), draw(st.booleans())
    values = np.random.default_rng(seed).random((rows, columns)) * 10 - 5
    return np.round(values) if tied else values


@given(gains())
def test_the_assignment_gains_as_much_as_that_of_scipy(gain: np.ndarray) -> None:
    found = assignment(gain)
    rows, columns = linear_sum_assignment(gain, maximize=True)
    assert len(found) == min(gain.shape)
    assert len({row for row, _ in found}) == len({column for _, column in found}) == len(found)
    assert sum(gain[pair] for pair in found) == pytest.approx(gain[rows, columns].sum())


def test_a_hundred_and_fifty_fragments_a_side_are_assigned_as_by_scipy() -> None:
    gain = np.random.default_rng(3).random((150, 140))
    rows, columns = linear_sum_assignment(gain, maximize=True)
    assert assignment(gain) == list(zip(rows.tolist(), columns.tolist(), strict=True))


def similarity(first: frozenset[int], second: frozenset[int]) -> float:
    return len(first & second) / len(first | second) if first or second else 1.0


@given(sets, sets)
def test_no_other_pairing_of_fragments_overlaps_more(first: list[frozenset[int]], second: list[frozenset[int]]) -> None:
    found = sum(similarity(first[row], second[column]) for row, column in matched(first, second))
    few, many = sorted((first, second), key=len)
    best = max(sum(map(similarity, few, order)) for order in permutations(many, len(few)))
    assert found == pytest.approx(best)


@given(sets, sets)
def test_every_fragment_counts_once_and_those_without_a_counterpart_as_nothing(
    first: list[frozenset[int]], second: list[frozenset[int]]
) -> None:
    pairs = matched(first, second)
    values = matched_f1(first, second)
    assert len(values) == len(first) + len(second) - len(pairs)
    assert sum(values) == pytest.approx(sum(f1(first[row], second[column]) for row, column in pairs))
    assert sum(value > 0 for value in values) == len(pairs)


def test_fragments_with_nothing_in_common_are_not_matched() -> None:
    assert matched([frozenset({1})], [frozenset({2})]) == []
    assert matched_f1([frozenset({1})], [frozenset({2})]) == [0.0, 0.0]
    assert matched_f1([], [frozenset({2})]) == [0.0]
    assert matched_f1([], []) == []
