"""Boxes lie inside their picture, grow, and are counted once a thing."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.annotation.privacy.boxes import GRID, Box, box_around, distinct, grown
from mldr.annotation.privacy.codes import _moves, _size
from mldr.annotation.privacy.faces import COARSEST, FINEST, OVERLAP, TILE, _starts, scales

sides = st.integers(1, 3000)


@st.composite
def boxes_in(draw: st.DrawFn) -> tuple[Box, int, int]:
    width, height = draw(sides), draw(sides)
    left, top = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
    return Box(left, top, draw(st.integers(left + 1, width)), draw(st.integers(top + 1, height))), width, height


@given(boxes_in(), st.floats(0, 2))
def test_a_grown_box_holds_the_box_stays_in_the_picture_and_ends_on_the_grid(
    case: tuple[Box, int, int], margin: float
) -> None:
    box, width, height = case
    large = grown(box, margin, width, height)
    assert large.common(box) == box
    assert large.common(Box(0, 0, width, height)) == large
    assert large.left % GRID == large.top % GRID == 0
    assert large.right == width or large.right % GRID == 0
    assert large.bottom == height or large.bottom % GRID == 0


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=1, max_size=4), sides, sides)
def test_a_box_around_points_holds_those_that_lie_in_the_picture(
    points: list[tuple[float, float]], width: int, height: int
) -> None:
    box = box_around(points, width, height)
    for x, y in points:
        if 0 <= x <= width and 0 <= y <= height:
            assert box.left <= x <= box.right
            assert box.top <= y <= box.bottom


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_place_that_is_no_number_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="no number"):
        box_around([(1.0, 2.0), (bad, 3.0)], 10, 10)


@given(st.lists(boxes_in(), max_size=8))
def test_distinct_boxes_cover_all_that_was_found(cases: list[tuple[Box, int, int]]) -> None:
    boxes = [box for box, _, _ in cases]
    kept = distinct(boxes)
    assert len(kept) <= len(boxes)
    assert kept == sorted(kept)
    for box in boxes:
        assert any(other.common(box) == box for other in kept)


def test_one_thing_found_at_several_scales_is_counted_once() -> None:
    assert len(distinct([Box(10, 10, 50, 60), Box(12, 9, 52, 61), Box(8, 12, 40, 70), Box(200, 10, 240, 60)])) == 2


@given(sides, sides, st.sampled_from([1, 2]), st.floats(0, 89))
def test_a_turned_copy_holds_every_corner_and_leads_back(width: int, height: int, scale: int, degrees: float) -> None:
    there, back = _moves(width, height, scale, degrees)
    size = _size(width, height, scale, degrees)
    for corner in ((0, 0), (width, 0), (0, height), (width, height)):
        x, y, _ = there @ [*corner, 1]
        assert -1e-6 <= x <= size[0] + 1e-6
        assert -1e-6 <= y <= size[1] + 1e-6
        assert back @ [x, y, 1] == pytest.approx([*corner, 1], abs=1e-6)


@given(st.integers(1, 20_000), st.integers(1, 3_000))
def test_the_copies_that_are_searched_reach_from_fine_to_coarse_and_are_bounded(width: int, height: int) -> None:
    found = scales(width, height)
    assert found == sorted(found, reverse=True)
    assert max(found) * max(width, height) >= min(COARSEST / 2, 4 * max(width, height)) - 1
    assert min(found) * max(width, height) <= COARSEST + 1
    assert sum(width * height * scale**2 for scale in found) <= FINEST * 1.5


@given(st.integers(1, 20_000), st.data())
def test_whatever_is_smaller_than_the_overlap_is_whole_in_one_tile(side: int, drawn: st.DataObject) -> None:
    length = drawn.draw(st.integers(1, min(side, OVERLAP)))
    start = drawn.draw(st.integers(0, side - length))
    assert any(tile <= start and start + length <= tile + TILE for tile in _starts(side))
