from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.errors import MldrError
from mldr.eval.prediction import Prediction
from mldr.retrievers import Ask, DialogueView, Gold
from mldr.retrievers.making import make_retriever
from mldr.retrievers.windows import FAR, Windows, windows_of
from tests.retrievers.support import answer, view

LONG = view(*(f"word{i}" for i in range(10)), images=[(0, "a"), (4, "b"), (4, "c"), (9, "d")])


class Told:
    """Answers each dialogue that it is shown from a list, in order; keeps what it saw."""

    sees = ("text",)

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.views: list[DialogueView] = []

    def retrieve(self, seen: DialogueView, asks: list[Ask]) -> Iterator[Prediction]:
        self.views.append(seen)
        for ask in asks:
            utterances, images, more = self.answers.pop(0)
            yield Prediction(ask.query_id, utterances, images, **more)


def told(*answers: Any, size: int = 6, overlap: int = 2) -> tuple[Windows, Told]:
    made, inner = Windows("all", size, overlap), Told(*answers)
    made.inner = inner  # type: ignore[assignment]
    return made, inner


def only(made: Windows, seen: DialogueView, *texts: str) -> list[Prediction]:
    return list(made.retrieve(seen, [Ask(text, text, "en") for text in texts]))


# --- the windows


@given(st.integers(1, 200), st.integers(1, 60), st.data())
def test_windows_cover_every_utterance_overlap_as_said_and_none_is_within_another(
    count: int, size: int, data: st.DataObject
) -> None:
    overlap = data.draw(st.integers(0, size - 1))
    windows = windows_of(view(*["x"] * count), size, overlap)
    spans = [(one.start, one.start + len(one.view.utterances)) for one in windows]
    assert {i for start, stop in spans for i in range(start, stop)} == set(range(count))
    assert all(stop - start == min(size, count) for start, stop in spans)
    for (start, stop), (next_start, next_stop) in pairwise(spans):
        assert start < next_start
        assert stop < next_stop
        assert stop - next_start >= overlap


def test_the_papers_windows_of_a_hundred_utterances() -> None:
    windows = windows_of(view(*["x"] * 100), 35, 15)
    assert [one.start for one in windows] == [0, 20, 40, 60, 65]


def test_a_window_holds_its_utterances_with_ids_and_images_from_0() -> None:
    made, inner = told(((), (), {}), ((), (), {}))
    only(made, LONG, "q")
    first, second = inner.views
    assert [one.text for one in second.utterances] == [f"word{i}" for i in range(4, 10)]
    assert [one.image_ids for one in second.utterances] == [(0, 1), (), (), (), (), (2,)]
    assert [one.caption for one in second.images] == ["b", "c", "d"]
    assert [one.caption for one in first.images] == ["a", "b", "c"]


# --- the union


def test_ids_come_back_as_the_dialogues_own_and_the_higher_score_of_two_windows_counts() -> None:
    made, _ = told(
        ((1, 5), (0, 2), {"utterance_scores": (0.3, 0.4), "image_scores": (0.9, 0.1)}),
        ((1, 0), (1,), {"utterance_scores": (0.7, 0.2), "image_scores": (0.5,)}),
    )
    (one,) = only(made, LONG, "q")
    assert (one.utterance_ids, one.utterance_scores) == ((1, 4, 5), (0.3, 0.2, 0.7))
    assert (one.image_ids, one.image_scores) == ((0, 2), (0.9, 0.5))


def test_queries_of_one_dialogue_are_not_mixed() -> None:
    made, _ = told(((0,), (), {}), ((1,), (), {}), ((2,), (), {}), ((3,), (), {}))
    one, two = only(made, LONG, "a", "b")
    assert (one.query_id, one.utterance_ids) == ("a", (0, 6))
    assert (two.query_id, two.utterance_ids) == ("b", (1, 7))


def test_a_dialogue_that_fits_is_not_cut_and_its_answer_is_handed_on() -> None:
    made, inner = told(((3,), (), {"meta": '{"model":"m"}'}), size=10)
    (one,) = only(made, LONG, "q")
    assert one == Prediction("q", (3,), (), meta='{"model":"m"}')
    assert inner.views == [LONG]


def test_an_id_that_a_window_lacks_is_out_of_range_in_the_dialogue_too() -> None:
    made, _ = told(((7,), (5,), {}), ((1,), (), {}))
    (one,) = only(made, LONG, "q")
    assert one.utterance_ids == (5, FAR)
    assert one.image_ids == (FAR,)


def test_a_window_that_failed_is_named_and_the_others_count() -> None:
    made, _ = told((None, None, {"outcome": "parse_error", "response": "hm"}), ((0,), (), {"response": "0"}))
    (one,) = only(made, LONG, "q")
    assert (one.utterance_ids, one.outcome, one.response) == ((4,), "", "hm\n0")
    assert json.loads(one.meta)["window_outcomes"] == {"answered": 1, "parse_error": 1}


def test_a_query_fails_only_where_every_window_failed() -> None:
    failed = (None, None, {"outcome": "refused"})
    (one,) = only(told(failed, failed)[0], LONG, "q")
    assert (one.outcome, one.utterance_ids) == ("refused", None)


def test_what_each_window_took_is_kept_apart_and_what_the_model_is_once() -> None:
    said = [{"meta": json.dumps({"model": "m", "tokens_in": n, "finish_reason": "stop"})} for n in (10, 20)]
    made, _ = told(((), (), said[0]), ((), (), said[1]))
    (one,) = only(made, LONG, "q")
    meta = json.loads(one.meta)
    assert meta["model"] == "m"
    assert "tokens_in" not in meta
    assert [(w["start"], w["stop"], w["tokens_in"]) for w in meta["windows"]] == [(0, 6, 10), (4, 10, 20)]


# --- around a real system


def test_any_system_answers_in_windows() -> None:
    made = make_retriever("windows", {"system": "bm25", "size": 6, "overlap": 2})
    assert answer(made, LONG, "word9") == ((9,), (3,))
    assert answer(make_retriever("windows", {"system": "all", "size": 3, "overlap": 0}), LONG, "x") == (
        tuple(range(10)),
        (0, 1, 2, 3),
    )


def test_the_inner_system_is_fitted_on_windows() -> None:
    made, seen = make_retriever("windows", {"system": "bm25", "size": 6, "overlap": 2}), []
    made.inner.fit = lambda examples: seen.extend(examples)  # type: ignore[attr-defined]
    made.fit([(LONG, [Ask("q", "x", "en")], [Gold(frozenset({0, 5, 9}), frozenset({2, 3}))])])  # type: ignore[attr-defined]
    assert [(golds[0].utterance_ids, golds[0].image_ids) for _, _, golds in seen] == [({0, 5}, {2}), ({1, 5}, {1, 2})]


def test_the_system_inside_may_stand_in_the_name() -> None:
    assert answer(make_retriever("windows+all", {"size": 3, "overlap": 0}), LONG, "x")[0] == tuple(range(10))
    with pytest.raises(MldrError, match="names the system inside; leave the option system out"):
        make_retriever("windows+all", {"system": "bm25"})
    with pytest.raises(MldrError, match="all stands around no other system"):
        make_retriever("all+bm25", {})


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"size": 0}, "size is 0"),
        ({"overlap": -1}, "overlap is -1"),
        ({"size": 5, "overlap": 5}, "must be smaller than size"),
        ({"system": "oracle-topic"}, "an oracle"),
        ({"system": ""}, "system is ''"),
        ({"system": "bm26"}, "not registered"),
        ({"colour": "red"}, "bm25 takes no option colour"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_in_words(options: dict[str, Any], said: str) -> None:
    with pytest.raises(MldrError, match=said):
        make_retriever("windows", options)
