from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.eval.ragged import Ragged, as_ints, offsets_of
from tests.eval.support import unhurried
from tests.eval.support_stats import lists_of

lists = st.lists(st.lists(st.integers(-(2**31), 2**31 - 1), max_size=5), max_size=6)


@unhurried
@given(lists)
def test_lists_come_back_as_they_were(given_lists: list[list[int]]) -> None:
    ragged = Ragged.of(given_lists)
    assert lists_of(ragged) == given_lists
    assert len(ragged) == len(given_lists)
    assert ragged.lengths.tolist() == [len(one) for one in given_lists]
    assert ragged.owners.tolist() == [owner for owner, one in enumerate(given_lists) for _ in one]


def test_an_iterator_of_lists_is_read_once() -> None:
    assert lists_of(Ragged.of(one for one in ([1], [], [2, 3]))) == [[1], [], [2, 3]]


@unhurried
@given(lists, st.data())
def test_some_lists_are_taken_in_the_order_asked_for_and_minus_one_is_empty(
    given_lists: list[list[int]], data: st.DataObject
) -> None:
    wanted = data.draw(st.lists(st.integers(-1, len(given_lists) - 1), max_size=8))
    taken = Ragged.of(given_lists).take(np.array(wanted, dtype=np.int64))
    assert lists_of(taken) == [[] if position < 0 else given_lists[position] for position in wanted]


@unhurried
@given(lists)
def test_all_lists_taken_in_order_are_the_same_lists(given_lists: list[list[int]]) -> None:
    everything = np.arange(len(given_lists), dtype=np.int64)
    assert lists_of(Ragged.of(given_lists).take(everything)) == given_lists


@unhurried
@given(lists, st.data())
def test_the_positions_of_lists_lead_to_their_values(given_lists: list[list[int]], data: st.DataObject) -> None:
    ragged = Ragged.of(given_lists)
    wanted = data.draw(st.lists(st.sampled_from(range(len(given_lists))), max_size=8)) if given_lists else []
    found = ragged.values[ragged.positions_of(np.array(wanted, dtype=np.int64))]
    assert found.tolist() == [value for position in wanted for value in given_lists[position]]


@unhurried
@given(lists)
def test_ascending_sorts_each_list_by_itself(given_lists: list[list[int]]) -> None:
    assert lists_of(Ragged.of(given_lists).ascending()) == [sorted(one) for one in given_lists]


@unhurried
@given(lists)
def test_repeats_are_equal_neighbours_within_one_list(given_lists: list[list[int]]) -> None:
    small = [[value % 3 for value in one] for one in given_lists]
    expected = [one[i] == one[i - 1] if i else False for one in small for i in range(len(one))]
    assert Ragged.of(small).repeats().tolist() == expected[1:]


arrow_lists = st.lists(st.none() | st.lists(st.integers(0, 2**31 - 1), max_size=4), max_size=6)


@unhurried
@given(arrow_lists, st.sampled_from([pa.list_(pa.int64()), pa.large_list(pa.uint32())]), st.integers(0, 3))
def test_an_arrow_column_gives_its_lists_and_null_lists_are_empty(
    given_lists: list[list[int] | None], kind: pa.DataType, cut: int
) -> None:
    array = pa.array(given_lists, kind)
    assert lists_of(Ragged.from_arrow(array)) == [one or [] for one in given_lists]
    assert lists_of(Ragged.from_arrow(array.slice(cut))) == [one or [] for one in given_lists[cut:]]
    chunks = pa.chunked_array([array.slice(0, cut), array.slice(cut)], kind)
    assert lists_of(Ragged.from_arrow(chunks)) == [one or [] for one in given_lists]


def test_what_lies_hidden_under_a_null_list_is_left_out() -> None:
    hidden = pa.ListArray.from_arrays(
        pa.array([0, 2, 3], pa.int32()), pa.array([7, 8, 9], pa.int64()), mask=pa.array([True, False])
    )
    assert lists_of(Ragged.from_arrow(hidden)) == [[], [9]]


def test_a_column_of_nothing_but_nulls_gives_empty_lists() -> None:
    assert lists_of(Ragged.from_arrow(pa.nulls(3))) == [[], [], []]


def test_a_null_within_a_list_is_refused() -> None:
    with pytest.raises(ValueError, match="holds a null"):
        Ragged.from_arrow(pa.array([[1], [None]], pa.list_(pa.int64())))


@unhurried
@given(st.lists(st.integers(0, 9)))
def test_offsets_are_running_sums_that_start_at_zero(lengths: list[int]) -> None:
    found = offsets_of(np.array(lengths, dtype=np.int64)).tolist()
    assert found == [sum(lengths[:end]) for end in range(len(lengths) + 1)]


@pytest.mark.parametrize("kind", [pa.int8(), pa.uint16(), pa.int64()])
def test_integers_of_any_width_keep_their_values(kind: pa.DataType) -> None:
    found = as_ints(pa.array([0, 5, 127], kind))
    assert found.tolist() == [0, 5, 127]
