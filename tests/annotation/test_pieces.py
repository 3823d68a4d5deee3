"""Where a chat is cut."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldr.annotation.merging import Draft
from mldr.annotation.pieces import Limits, pieces
from tests.annotation.chats import FOUND, message

HOUR = 3600
LIMITS = Limits(pause_s=3 * HOUR, longest=100, shortest=1, images=0)


def drafts(*seconds: float, replies: dict[int, int] | None = None, pictures: Sequence[int] = ()) -> list[Draft]:
    made = []
    for number, second in enumerate(seconds):
        shown = (FOUND,) if number in pictures else ()
        made.append(Draft([message(number, "a", second, pictures=shown)], (replies or {}).get(number)))
    return made


def steps(*gaps: float) -> list[float]:
    return list(itertools.accumulate(gaps, initial=0.0))


def test_no_utterances_are_no_pieces() -> None:
    assert pieces([], LIMITS) == []


def test_a_chat_is_cut_at_long_pauses() -> None:
    assert pieces(drafts(*steps(60, 3 * HOUR, 3 * HOUR - 1)), LIMITS) == [(0, 2), (2, 4)]


def test_a_long_step_back_in_time_is_a_cut_too() -> None:
    assert pieces(drafts(0, 10, -5 * HOUR), LIMITS) == [(0, 2), (2, 3)]


def test_a_reply_holds_a_thread_together_over_a_night_but_not_over_days() -> None:
    assert pieces(drafts(*steps(60, 9 * HOUR, 60), replies={2: 0}), LIMITS) == [(0, 4)]
    assert pieces(drafts(*steps(60, 48 * HOUR, 60), replies={2: 0}), LIMITS) == [(0, 2), (2, 4)]


def test_a_reply_that_ends_before_a_pause_does_not_hold_it() -> None:
    assert pieces(drafts(*steps(60, 9 * HOUR, 60), replies={1: 0, 3: 2}), LIMITS) == [(0, 2), (2, 4)]


def test_a_reply_from_further_than_a_whole_piece_does_not_hold_a_pause() -> None:
    limits = replace(LIMITS, longest=3)
    assert pieces(drafts(*steps(60, 60, 9 * HOUR), replies={3: 0}), limits) == [(0, 3), (3, 4)]


def test_what_is_too_long_is_cut_at_its_longest_pause() -> None:
    limits = replace(LIMITS, longest=4)
    assert pieces(drafts(*steps(60, 60, 1800, 60, 60)), limits) == [(0, 3), (3, 6)]


def test_what_is_too_long_is_cut_at_a_short_pause_rather_than_through_a_thread() -> None:
    limits = replace(LIMITS, longest=4)
    assert pieces(drafts(*steps(60, 60, 1800, 60, 60), replies={3: 2}), limits) in ([(0, 2), (2, 6)], [(0, 4), (4, 6)])


def test_what_is_too_long_is_cut_so_that_its_pieces_can_be_used() -> None:
    limits = replace(LIMITS, longest=4, shortest=3)
    assert pieces(drafts(*steps(60, 1800, 60, 60, 60)), limits) == [(0, 3), (3, 6)]
    limits = replace(LIMITS, longest=4, images=1)
    assert pieces(drafts(*steps(60, 1800, 60, 60, 60), pictures=(2, 3)), limits) == [(0, 3), (3, 6)]


CHAT = st.lists(
    st.tuples(st.sampled_from([0, 30, 600, 4 * HOUR, 30 * HOUR, -60]), st.booleans(), st.integers(0, 12)), max_size=10
)


def built(rows: list[tuple[int, bool, int]]) -> list[Draft]:
    replies = {number: number - back for number, (_, _, back) in enumerate(rows) if 0 < back <= number}
    shown = [number for number, (_, has, _) in enumerate(rows) if has]
    return drafts(*steps(*(gap for gap, _, _ in rows))[1:], replies=replies, pictures=shown)


@given(CHAT, st.integers(1, 5), st.integers(1, 4), st.integers(0, 2))
def test_pieces_cover_a_chat_in_order_and_none_is_too_long(
    rows: list[tuple[int, bool, int]], longest: int, shortest: int, images: int
) -> None:
    chat = built(rows)
    found = pieces(chat, Limits(3 * HOUR, longest, shortest, images))
    assert [number for first, past in found for number in range(first, past)] == list(range(len(chat)))
    assert all(0 < past - first <= longest for first, past in found)


def cost(cuts: tuple[int, ...], chat: list[Draft], limits: Limits) -> float:
    """Return what the cuts of a stretch cost, by definition."""
    bounds = [0, *cuts, len(chat)]
    if any(past - first > limits.longest for first, past in itertools.pairwise(bounds)):
        return float("inf")
    total = 0.0
    for cut in cuts:
        gap = abs((chat[cut].time - chat[cut - 1].end).total_seconds())
        total += 0.5 / (1 + gap / 60)
        for number, draft in enumerate(chat):
            if draft.reply_to is not None and number - draft.reply_to < limits.longest:
                total += draft.reply_to < cut <= number
    for first, past in itertools.pairwise(bounds):
        total += past - first < limits.shortest or sum(draft.present for draft in chat[first:past]) < limits.images
    return total


@given(CHAT.filter(bool), st.integers(1, 5), st.integers(1, 4), st.integers(0, 2))
@settings(max_examples=60)
def test_a_stretch_without_pauses_is_cut_at_least_cost(
    rows: list[tuple[int, bool, int]], longest: int, shortest: int, images: int
) -> None:
    chat = built([(gap if abs(gap) < HOUR else 1200, has, back) for gap, has, back in rows])
    limits = Limits(3 * HOUR, longest, shortest, images)
    places = range(1, len(chat))
    least = min(cost(cuts, chat, limits) for size in range(len(chat)) for cuts in itertools.combinations(places, size))
    found = tuple(first for first, _ in pieces(chat, limits)[1:])
    if len(chat) > longest:  # what is short enough is not cut, even where that would drop less
        assert cost(found, chat, limits) == pytest.approx(least)
    else:
        assert found == ()
