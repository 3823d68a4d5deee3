from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.errors import MldrError
from mldr.retrievers import Gold
from mldr.retrievers.making import make_retriever
from mldr.retrievers.segment import SegmentThenPick, Words, depths_of
from tests.eval.support import unhurried
from tests.retrievers.support import answer, asked, view

TWO_TOPICS = (
    "the lake trip starts on Sunday",
    "is the lake trip far",
    "the lake is near and the trip is short",
    "take a towel for the lake trip",
    "the printer at work is broken",
    "the printer needs paper",
    "no paper and no toner in the printer",
    "work without a printer and paper",
)
ZH = ("周末去湖边爬山", "湖边的山高吗", "湖边爬山要带水", "打印机坏了", "打印机没有纸", "打印机要换墨")


def test_a_change_of_words_is_a_border() -> None:
    words = Words.of(view(*TWO_TOPICS), captions=False)
    assert words.segments(cut=0.5, block=3) == [range(0, 4), range(4, 8)]


def test_a_segment_is_returned_whole_with_its_images() -> None:
    seen = view(*TWO_TOPICS, "", images=[(1, "a lake"), (5, "a tray"), (8, "a jam")])
    made = SegmentThenPick(cut=0.5, block=3)
    assert answer(made, seen, "towel") == ((0, 1, 2, 3), (0,))
    assert answer(made, seen, "toner") == ((4, 5, 6, 7), (1, 2))
    assert answer(made, seen, "zeppelin") == ((), ())


def test_chinese_is_segmented_by_its_characters() -> None:
    assert answer(SegmentThenPick(cut=0.5, block=3), view(*ZH, language="zh"), "换墨")[0] == (3, 4, 5)


def test_captions_are_read_only_if_told() -> None:
    seen = view("look", "hm", images=[(0, "a sleeping cat")])
    assert answer(SegmentThenPick(), seen, "sleeping cat") == ((), ())
    assert answer(SegmentThenPick(captions=True), seen, "sleeping cat")[1] == (0,)


@unhurried
@given(
    st.lists(st.sampled_from(["", "a b", "b c", "c d", "x y", "y z"]), max_size=12), st.sampled_from([-1.0, 0.0, 1.0])
)
def test_segments_are_the_dialogue_in_order_without_gap_or_overlap(texts: list[str], cut: float) -> None:
    segments = Words.of(view(*texts), captions=False).segments(cut, 2)
    assert [i for segment in segments for i in segment] == list(range(len(texts)))
    assert all(len(segment) for segment in segments)


@unhurried
@given(st.lists(st.integers(0, 5), max_size=10))
def test_a_depth_is_the_climb_to_the_nearest_peak_on_each_side(similarities: list[int]) -> None:
    for gap, depth in enumerate(depths_of(similarities)):
        expected = 0
        for side in (similarities[gap::-1], similarities[gap:]):
            climb = 0
            while climb + 1 < len(side) and side[climb + 1] >= side[climb]:
                climb += 1
            expected += side[climb] - side[0]
        assert depth == expected


def test_a_deeper_cut_never_makes_more_segments() -> None:
    words = Words.of(view(*TWO_TOPICS, *ZH), captions=False)
    counts = [len(words.segments(cut, 3)) for cut in np.linspace(-1, 2, 13)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[-1]


def test_the_floor_learns_to_say_nothing_where_validation_has_negatives() -> None:
    seen = view(*TWO_TOPICS)
    golds = [Gold(frozenset({0, 1, 2, 3}), frozenset()), *[Gold(frozenset(), frozenset())] * 3]
    made = SegmentThenPick()
    made.fit([(seen, asked("lake trip Sunday", "far away work", "zebra paper Sunday", "broken near"), golds)])
    assert answer(made, seen, "lake trip Sunday")[0] == (0, 1, 2, 3)
    assert made.floor > 0


def test_what_was_given_is_not_fitted() -> None:
    made = SegmentThenPick(cut=0.5, floor=0.25)
    made.fit([(view(*TWO_TOPICS), asked("lake"), [Gold(frozenset({0}), frozenset())])])
    assert made.fitted == {"cut": 0.5, "floor": 0.25}


def test_fitting_where_nothing_should_be_found_returns_nothing() -> None:
    made = SegmentThenPick()
    made.fit([(view(*TWO_TOPICS), asked("lake", "printer"), [Gold(frozenset(), frozenset())] * 2)])
    assert made.floor > 1
    assert math.isfinite(made.fitted["floor"])
    assert answer(made, view(*TWO_TOPICS), "lake") == ((), ())


@pytest.mark.parametrize("texts", [(), ("",), ("one",), ("", "", ""), ("same", "same", "same", "same")])
def test_odd_dialogues_have_an_answer(texts: tuple[str, ...]) -> None:
    utterances, _ = answer(SegmentThenPick(), view(*texts), "same")
    assert all(texts[i] for i in utterances)


@pytest.mark.parametrize("options", [{"cut": "deep"}, {"floor": True}, {"block": 0}, {"captions": "yes"}])
def test_a_bad_option_is_told(options: dict[str, object]) -> None:
    with pytest.raises(MldrError, match=next(iter(options))):
        make_retriever("segment-then-pick", options)
