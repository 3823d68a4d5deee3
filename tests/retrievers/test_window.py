from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.errors import MldrError
from mldr.retrievers import Gold
from mldr.retrievers.making import make_retriever
from mldr.retrievers.window import Window, best_run
from tests.eval.support import unhurried
from tests.retrievers.support import answer, asked, view

CHAT = (
    "hello",
    "the lake was cold",
    "but the lake was clear",
    "we swam in it",
    "and the lake hotel?",
    "lunch now",
    "ok",
)


@unhurried
@given(st.lists(st.integers(-3, 3), max_size=14))
def test_the_run_is_the_best_of_all_runs_and_of_equals_the_shortest_then_the_first(worth: list[int]) -> None:
    runs = [range(a, b) for a in range(len(worth)) for b in range(a + 1, len(worth) + 1)]
    sums = {run: sum(worth[i] for i in run) for run in runs}
    best = max(sums.values(), default=0)
    expected = min((r for r in runs if sums[r] == best), key=lambda r: (len(r), r.start)) if best > 0 else range(0)
    assert best_run(np.array(worth, dtype=np.float64)) == expected


def test_a_run_bridges_what_lies_between_two_matches() -> None:
    assert answer(Window(cost=0.01), view(*CHAT), "lake")[0] == (1, 2, 3, 4)


def test_a_dear_utterance_makes_the_run_short_and_a_query_of_no_known_word_finds_nothing() -> None:
    assert answer(Window(cost=99), view(*CHAT), "lake") == ((), ())
    assert answer(Window(), view(*CHAT), "zeppelin") == ((), ())


def test_images_of_the_run_come_along_and_textless_utterances_are_no_answer() -> None:
    seen = view("lake", "", "lake", "bye", images=[(1, "a swan"), (3, "a dog")])
    assert answer(Window(cost=0.0001), seen, "lake") == ((0, 2), (0,))


def test_captions_are_searched_only_if_told() -> None:
    seen = view("look", "nice", images=[(0, "a sleeping cat"), (1, "a dog")])
    assert answer(Window(cost=0), seen, "sleeping cat") == ((), ())
    assert answer(Window(cost=0, captions=True), seen, "sleeping cat") == ((0,), (0,))


def test_a_cost_that_was_given_is_not_fitted_and_a_fitted_one_finds_what_validation_wants() -> None:
    wide = [(view(*CHAT), asked("lake"), [Gold(frozenset({1, 2, 3, 4}), frozenset())])]
    narrow = [(view(*CHAT), asked("swam"), [Gold(frozenset({3}), frozenset())])]
    fitted, given = Window(), Window(cost=99)
    fitted.fit(wide)
    given.fit(wide)
    assert answer(fitted, view(*CHAT), "lake")[0] == (1, 2, 3, 4)
    assert given.fitted == {"cost": 99}
    fitted.fit(narrow)
    assert answer(fitted, view(*CHAT), "swam")[0] == (3,)


def test_nothing_is_fitted_on_nothing() -> None:
    made = Window()
    made.fit([])
    made.fit([(view("a"), asked("zeppelin"), [Gold(frozenset(), frozenset())])])
    assert made.fitted == {"cost": None}


def test_an_empty_dialogue_and_an_empty_query_have_an_answer() -> None:
    assert answer(Window(), view(), "lake") == ((), ())
    assert answer(Window(), view("", images=[(0, "")]), "") == ((), ())


@pytest.mark.parametrize("options", [{"cost": -1}, {"cost": "dear"}, {"cost": True}, {"captions": 1}])
def test_a_bad_option_is_told(options: dict[str, object]) -> None:
    with pytest.raises(MldrError, match=next(iter(options))):
        make_retriever("window", options)
