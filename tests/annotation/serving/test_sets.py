from __future__ import annotations

import krippendorff
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.annotation.serving.sets import chosen_alpha, mean, members, set_f1, set_jaccard

SETS = st.builds(members, st.lists(st.integers(0, 9)), st.lists(st.integers(0, 3)))


def test_a_message_and_a_picture_of_one_number_are_two_things() -> None:
    assert set_f1(members([3], []), members([], [3])) == 0.0


def test_two_empty_answers_agree() -> None:
    assert set_f1(members([], []), members([], [])) == set_jaccard(frozenset(), frozenset()) == 1.0


@given(SETS, SETS)
def test_both_measures_are_symmetric_and_say_the_same_of_order(
    one: frozenset[tuple[str, int]], other: frozenset[tuple[str, int]]
) -> None:
    f1, jaccard = set_f1(one, other), set_jaccard(one, other)
    assert (f1, jaccard) == (set_f1(other, one), set_jaccard(other, one))
    assert jaccard == pytest.approx(f1 / (2 - f1))
    assert (f1 == 1.0) == (one == other)


@given(st.lists(st.lists(st.integers(0, 1), min_size=2, max_size=2), min_size=2, max_size=40))
def test_alpha_is_that_of_the_krippendorff_package(units: list[list[int]]) -> None:
    ours = chosen_alpha((sum(unit), len(unit)) for unit in units)
    if len({value for unit in units for value in unit}) < 2:
        assert ours is None
        return
    theirs = krippendorff.alpha(
        reliability_data=[list(rater) for rater in zip(*units, strict=True)], level_of_measurement="nominal"
    )
    assert ours == pytest.approx(theirs)


def test_units_of_one_annotator_are_left_out_of_alpha() -> None:
    assert chosen_alpha([(1, 2), (2, 2), (0, 2), (1, 1), (0, 1)]) == chosen_alpha([(1, 2), (2, 2), (0, 2)])


def test_the_mean_of_nothing_is_none() -> None:
    assert mean([]) is None
    assert mean([1.0, 0.5]) == 0.75
