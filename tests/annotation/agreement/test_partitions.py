"""Measures over partitions against scikit-learn, scipy and going through every pairing."""

from __future__ import annotations

import math
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score, mutual_info_score

from mldr.annotation.agreement.partitions import partition_agreement


def parts(labels: list[int]) -> list[frozenset[int]]:
    return [frozenset(i for i, own in enumerate(labels) if own == label) for label in sorted(set(labels))]


labellings = st.integers(1, 9).flatmap(lambda n: st.tuples(*[st.lists(st.integers(0, 4), min_size=n, max_size=n)] * 2))


def entropy(labels: list[int]) -> float:
    shares = np.bincount(labels) / len(labels)
    return float(-sum(share * math.log2(share) for share in shares if share))


@given(labellings)
def test_measures_are_those_of_scikit_learn_and_of_brute_force(pair: tuple[list[int], list[int]]) -> None:
    one, other = pair
    first, second = parts(one), parts(other)
    found = partition_agreement(first, second)
    few, many = sorted((first, second), key=len)
    best = max(sum(len(a & b) for a, b in zip(few, order, strict=False)) for order in permutations(many, len(few)))
    assert found.one_to_one == pytest.approx(best / len(one))
    vi = entropy(one) + entropy(other) - 2 * mutual_info_score(one, other) / math.log(2)
    assert found.vi == pytest.approx(vi, abs=1e-9)
    if len(one) > 1:
        assert found.vi_scaled == pytest.approx(1 - vi / math.log2(len(one)), abs=1e-9)
    if found.rand is not None:
        assert found.rand == pytest.approx(adjusted_rand_score(one, other))
    else:
        assert len(first) == len(second)
        assert len(first) in (1, len(one))


@given(labellings)
def test_exact_match_counts_equal_parts_of_two_and_more(pair: tuple[list[int], list[int]]) -> None:
    first, second = ([part for part in parts(labels) if len(part) > 1] for labels in pair)
    found = partition_agreement(parts(pair[0]), parts(pair[1])).exact_f1
    equal = sum(part in second for part in first)
    if not first and not second:
        assert found is None
    elif not equal:
        assert found == 0
    else:
        p, r = equal / len(first), equal / len(second)
        assert found == pytest.approx(2 * p * r / (p + r))


@given(labellings)
def test_a_partition_agrees_with_itself_in_full(pair: tuple[list[int], list[int]]) -> None:
    found = partition_agreement(parts(pair[0]), parts(pair[0]))
    assert (found.one_to_one, found.vi) == (1.0, 0.0)
    assert {found.rand, found.exact_f1, found.vi_scaled} <= {1.0, None}


def test_a_worked_example() -> None:
    found = partition_agreement([frozenset({0, 1, 2}), frozenset({3})], [frozenset({0, 1}), frozenset({2, 3})])
    assert found.one_to_one == 0.75
    assert found.exact_f1 == 0.0
    assert found.vi == pytest.approx(2 * 1.5 - 0.8112781 - 1.0)


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ([{0, 1}, {1}], [{0, 1}], "in two parts"),
        ([{0, 1}, set()], [{0, 1}], "empty"),
        ([{0, 1}], [{0, 2}], "different messages"),
    ],
)
def test_what_is_no_partition_of_the_same_messages_is_refused(
    first: list[set[int]], second: list[set[int]], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        partition_agreement([frozenset(part) for part in first], [frozenset(part) for part in second])


def test_no_messages_have_no_measures() -> None:
    assert partition_agreement([], []).one_to_one is None
