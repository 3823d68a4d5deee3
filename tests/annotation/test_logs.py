from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from pydantic import ValidationError

from mldr.annotation.consents import Consent, read_consents
from mldr.annotation.labels import Done, Drop, as_line, query_key, read_labels, replay
from mldr.annotation.reviews import ImageReview, Remove, SpanReview, Whole, read_reviews
from mldr.annotation.store import append_line
from mldr.annotation.verdicts import Verdict, read_verdicts
from mldr.errors import InputError
from tests.annotation.support_labels import put, subject

DAY = dt.date(2026, 5, 1)


def test_the_newest_statement_about_a_fragment_counts_and_undo_is_one_more() -> None:
    first, second = put("f1", "trip", [1]), put("f1", "trip", [1, 2])
    labels = replay([first, put("f2", "cat", [3]), second, Drop(fragment="f2"), first])
    assert labels.fragments == {"f1": first}
    assert labels.changed == {"f1": 5, "f2": 4}
    assert labels.lines == 5


def test_done_may_be_taken_back_and_time_adds_up() -> None:
    labels = replay([Done(lead_time_s=10.5), Done(done=False, lead_time_s=2.0)])
    assert (labels.done, labels.lead_time_s) == (False, 12.5)


@pytest.mark.parametrize("seconds", [-1.0, 1e308, float("inf"), float("nan")])
def test_a_time_that_nobody_worked_is_refused_and_the_sum_stays_a_number(seconds: float) -> None:
    with pytest.raises(ValidationError):
        Done(lead_time_s=seconds)


def test_every_malformed_line_of_a_log_is_named(tmp_path: Path) -> None:
    path = tmp_path / "l.jsonl"
    for record in ({"event": "put", "fragment": "F 1", "query": ""}, as_line(put("f1", "x", [1])), {"event": "sing"}):
        append_line(path, record)
    with pytest.raises(InputError) as caught:
        read_labels(path)
    assert [fault.place.rpartition("line ")[2][0] for fault in caught.value.faults] == ["1", "3"]


def test_a_log_that_is_not_there_is_an_empty_one(tmp_path: Path) -> None:
    assert read_labels(tmp_path / "none").fragments == {}
    assert read_reviews(tmp_path / "none").spans == {}
    assert read_verdicts(tmp_path / "none") == {}
    assert read_consents(tmp_path / "none") == {}


def test_queries_are_one_by_their_asked_name_or_by_their_text() -> None:
    asked = {"q1": "where? "}
    assert query_key("q1", "anything", asked) == query_key("q1", "", asked)
    assert query_key("f1", " the trip ", asked) == query_key("f7", "the trip", asked)
    assert query_key("f1", "where?", asked) == query_key("q1", "", asked)
    assert query_key("f1", "the trip", asked) != query_key("f1", "the cat", asked)
    assert query_key("f1", "", {"q1": " "}) == ("text", "")


def test_reviews_are_replayed_and_may_be_taken_back(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    for statement in (
        SpanReview(utterance_id=1, start=0, end=2, choice="mask"),
        SpanReview(utterance_id=1, start=0, end=2, choice="edit", text="x"),
        ImageReview(image_id=0, choice="yes"),
        ImageReview(image_id=0, choice="no"),
        Remove(utterance_id=4),
        Remove(utterance_id=5),
        Remove(utterance_id=4, removed=False),
        Whole(read=True),
        Whole(left_out=True),
    ):
        append_line(path, as_line(statement))
    reviewed = read_reviews(path)
    assert reviewed.spans[1, 0, 2].choice == "edit"
    assert (reviewed.images, reviewed.removed) == ({0: "no"}, {5})
    assert (reviewed.read, reviewed.left_out, reviewed.lines) == (True, True, 9)


def test_the_newest_verdict_about_a_query_counts(tmp_path: Path) -> None:
    path = tmp_path / "v.jsonl"
    for ids in ((1,), (2,)):
        append_line(path, as_line(Verdict(name="q1", query="x", utterance_ids=ids, basis="one")))
    assert read_verdicts(path)["q1"].utterance_ids == (2,)


def consent(**changes: object) -> Consent:
    told = {
        "subject_key": subject(1),
        "scopes": ["research"],
        "notice_version": "1",
        "date": "2026-01-02",
        "method": "signed",
        "adult": True,
    }
    return Consent.model_validate({**told, **changes})


@pytest.mark.parametrize(
    ("changes", "alive"),
    [
        ({}, True),
        ({"adult": False}, False),
        ({"withdrawn": "2026-03-01"}, False),
        ({"expires": "2026-05-01"}, True),
        ({"expires": "2026-04-30"}, False),
        ({"date": "2026-05-02"}, False),
        ({"scopes": ["public", "images"]}, False),
    ],
)
def test_consent_is_alive_only_for_adults_in_time_in_scope_and_not_withdrawn(
    changes: dict[str, object], alive: bool
) -> None:
    assert consent(**changes).alive("research", DAY) is alive


@pytest.mark.parametrize(
    "changes",
    [{"adult": None}, {"subject_key": "wxid_a"}, {"scopes": ["sale"]}, {"notice_version": ""}, {"name": "小林"}],
)
def test_a_consent_record_that_leaves_something_open_or_says_too_much_is_a_fault(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    append_line(tmp_path / "c.jsonl", {**consent().model_dump(mode="json"), **changes})
    with pytest.raises(InputError, match="line 1"):
        read_consents(tmp_path / "c.jsonl")
