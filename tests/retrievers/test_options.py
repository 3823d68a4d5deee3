from __future__ import annotations

import math
from typing import Any

import pytest

from mldr.retrievers.options import check_flags, check_known, check_numbers, check_whole


@pytest.mark.parametrize("value", [None, 1, "true", 0.0])
def test_only_true_and_false_are_flags(value: Any) -> None:
    check_flags({"a": True, "b": False})
    with pytest.raises(ValueError, match=r"b is .*; true or false is expected"):
        check_flags({"a": True, "b": value})


def test_a_word_is_one_of_those_that_are_known() -> None:
    check_known({"rule": "gap"}, ("top-k", "gap"))
    with pytest.raises(ValueError, match="rule is 'luck'; top-k, gap are known"):
        check_known({"rule": "luck"}, ("top-k", "gap"))


@pytest.mark.parametrize("value", [True, 1.0, "1", -1, None])
def test_a_whole_number_is_no_truth_and_no_fraction_and_not_too_small(value: Any) -> None:
    check_whole({"n": 0}, 0)
    check_whole({"n": -7})
    check_whole({"n": None}, 0, optional=True)
    with pytest.raises(ValueError, match=r"n is .*; a whole number, 0 or more, is expected"):
        check_whole({"n": value}, 0)


@pytest.mark.parametrize("value", [True, "0.5", 1.5, -0.1, math.nan, None])
def test_a_number_lies_between_its_bounds_or_on_them(value: Any) -> None:
    check_numbers({"share": 0, "other": 1.0}, 0, 1)
    check_numbers({"share": None}, 0, 1, optional=True)
    with pytest.raises(ValueError, match=r"share is .*; a number from 0 to 1 is expected"):
        check_numbers({"share": value}, 0, 1)


@pytest.mark.parametrize(
    ("bounds", "words"), [((), "a number is expected"), ((0,), "a number, 0 or more, is expected")]
)
def test_the_message_says_what_bounds_there_are(bounds: tuple[float, ...], words: str) -> None:
    with pytest.raises(ValueError, match=f"cost is 'dear'; {words}"):
        check_numbers({"cost": "dear"}, *bounds)
