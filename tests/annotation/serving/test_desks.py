from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mldr.annotation.asking import ask_of
from mldr.annotation.collection import Collection
from mldr.annotation.labels import Asked, as_line, read_asked, read_labels
from mldr.annotation.reviews import Remove, Whole, read_reviews
from mldr.annotation.serving.apps import adjudicate_app, label_app, privacy_app
from mldr.annotation.store import append_line
from mldr.annotation.verdicts import read_verdicts
from mldr.errors import MldrError
from mldr.web import LocalApp, Running, running
from tests.annotation.support_labels import collected_dialogue, collection_of, dialogue_name, put, say, small_picture

ONE, TWO = dialogue_name(1), dialogue_name(2)
PICTURES = [small_picture(shade) for shade in range(2)]


def ask(here: Running, path: str, body: Any = None) -> tuple[int, Any]:
    """Return (status, JSON or bytes) of a request with the token."""
    sent = None if body is None else json.dumps(body).encode()
    headers = {"X-Token": here.token, "Content-Type": "application/json"}
    request = urllib.request.Request(f"{here.origin}{path}", sent, headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            content, status, kind = answer.read(), answer.status, answer.headers["Content-Type"]
    except urllib.error.HTTPError as error:
        content, status, kind = error.read(), error.code, error.headers["Content-Type"]
    return status, json.loads(content) if "json" in kind else content


@pytest.fixture
def collection(tmp_path: Path) -> Collection:
    dialogues = [collected_dialogue(1, 8, PICTURES), collected_dialogue(2, 5)]
    return collection_of(tmp_path / "c", dialogues, PICTURES)


@pytest.fixture
def here(collection: Collection) -> Iterator[Running]:
    with running(label_app(collection, "ann")) as served:
        yield served


def statement(name: str = "f1", query: str = "the trip", **more: Any) -> dict[str, Any]:
    return {"event": "put", "fragment": name, "query": query, "utterance_ids": [1, 2], **more}


def test_a_statement_is_on_disk_before_it_is_answered(collection: Collection, here: Running) -> None:
    status, state = ask(here, f"/api/dialogues/{ONE}/labels", statement())
    assert (status, state["lines"]) == (200, 1)
    assert read_labels(collection.labels("ann", ONE)).fragments["f1"].utterance_ids == (1, 2)


def test_a_statement_that_was_sent_twice_is_written_once(collection: Collection, here: Running) -> None:
    for _ in range(2):
        assert ask(here, f"/api/dialogues/{ONE}/labels", statement())[0] == 200
    assert read_labels(collection.labels("ann", ONE)).lines == 1


def test_a_late_statement_is_refused_with_the_present_state_and_other_fragments_go_on(
    collection: Collection, here: Running
) -> None:
    path = f"/api/dialogues/{ONE}/labels"
    ask(here, path, statement())
    assert ask(here, path, statement(utterance_ids=[3], seen=1))[0] == 200
    status, told = ask(here, path, statement(utterance_ids=[4], seen=1))
    assert (status, told["state"]["lines"]) == (409, 2)
    assert read_labels(collection.labels("ann", ONE)).fragments["f1"].utterance_ids == (3,)
    assert ask(here, path, statement("f2", "the cat", seen=0))[0] == 200


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"utterance_ids": [8]}, "utterance_ids"),
        ({"utterance_ids": [-1]}, "utterance_ids"),
        ({"utterance_ids": [2, 1]}, "utterance_ids"),
        ({"utterance_ids": [1, 1]}, "utterance_ids"),
        ({"image_ids": [2]}, "image_ids"),
        ({"fragment": "../x"}, "fragment"),
        ({"query": "x" * 2_001}, "query"),
        ({"level": "deep"}, "level"),
        ({"more": 1}, "more"),
        ({"event": "sing"}, "event"),
        ({"utterance_ids": "12"}, "utterance_ids"),
    ],
)
def test_a_statement_that_could_never_stand_is_refused_and_not_written(
    collection: Collection, here: Running, change: dict[str, Any], place: str
) -> None:
    status, told = ask(here, f"/api/dialogues/{ONE}/labels", {**statement(), **change})
    assert status == 400
    assert any(place in fault["place"] or place in fault["message"] for fault in told["faults"])
    assert not collection.labels("ann", ONE).exists()


@pytest.mark.parametrize("name", ["0" * 16, "x", "..%2f..%2fetc", ONE.upper() + "F"])
def test_a_dialogue_that_is_not_there_is_a_fault_in_every_address(here: Running, name: str) -> None:
    for path in ("", "/labels", "/problems", "/images/0"):
        status, told = ask(here, f"/api/dialogues/{name}{path}")
        assert status in (400, 404)
        assert told["faults"]


def test_no_address_tells_what_another_annotator_said(collection: Collection, here: Running) -> None:
    say(collection, "bob", ONE, put("f1", "bob's own words", [3], [1]))
    ask_of(collection, "bob")
    told = ""
    for path in ("/api/session", "/api/dialogues", f"/api/dialogues/{ONE}", f"/api/dialogues/{ONE}/labels"):
        told += json.dumps(ask(here, path)[1], ensure_ascii=False)
    assert '"bob"' not in told
    (given,) = ask(here, f"/api/dialogues/{ONE}")[1]["asked"]
    assert given == {"name": read_asked(collection.queries(ONE))[0].name, "text": "bob's own words"}
    assert ask(here, f"/api/dialogues/{ONE}/labels")[1]["fragments"] == []


def test_given_queries_are_fixed_and_where_only_they_count_no_other_is_taken(collection: Collection) -> None:
    append_line(collection.queries(ONE), as_line(Asked(name="q-1", text="which hotel?")))
    with running(label_app(collection, "ann", given_only=True)) as here:
        path = f"/api/dialogues/{ONE}/labels"
        assert ask(here, path, statement("q-1", "another hotel?"))[0] == 400
        assert ask(here, path, statement("f1", "my own"))[0] == 400
        assert ask(here, path, statement("q-1", "which hotel?"))[0] == 200
        assert ask(here, path, {"event": "done", "lead_time_s": 12.5})[0] == 200
    labels = read_labels(collection.labels("ann", ONE))
    assert (labels.done, labels.lead_time_s) == (True, 12.5)


def test_an_unfinished_dialogue_is_not_done(collection: Collection, here: Running) -> None:
    path = f"/api/dialogues/{ONE}"
    ask(here, path + "/labels", statement(utterance_ids=[], query=""))
    status, told = ask(here, path + "/labels", {"event": "done"})
    assert status == 409
    assert {problem["code"] for problem in told["problems"]} == {"no_query", "empty"}
    assert not read_labels(collection.labels("ann", ONE)).done


def test_problems_that_may_be_meant_so_are_told_and_do_not_stop(collection: Collection, here: Running) -> None:
    path = f"/api/dialogues/{TWO}"
    ask(here, path + "/labels", statement("f1", "one", utterance_ids=[0, 1, 2, 3, 4]))
    ask(here, path + "/labels", statement("f2", "two", utterance_ids=[0, 1, 2, 3, 4]))
    codes = {(problem["code"], problem["final"]) for problem in ask(here, path + "/problems")[1]}
    assert codes == {("most", False), ("duplicate", False)}
    assert ask(here, path + "/labels", {"event": "done"})[0] == 200


def test_pictures_are_those_of_the_collection_and_no_file_beside(collection: Collection, here: Running) -> None:
    assert ask(here, f"/api/dialogues/{ONE}/images/0") == (200, PICTURES[0].content)
    for image in ("2", "-1", "x", "0%2f..%2f..%2fcollection.json"):
        assert ask(here, f"/api/dialogues/{ONE}/images/{image}")[0] in (400, 404)


@pytest.mark.parametrize("name", ["../x", "Ann", ""])
def test_a_name_that_is_no_file_name_opens_no_page(collection: Collection, name: str) -> None:
    with pytest.raises(MldrError, match="annotator"):
        label_app(collection, name)


# --- adjudication


def adjudication(collection: Collection) -> LocalApp:
    return adjudicate_app(collection, ["ann", "bob"], "eve")


def test_answers_to_one_query_meet_whatever_their_authors_called_them(collection: Collection) -> None:
    say(collection, "ann", ONE, put("q-aaa", "the trip", [1, 2]), put("q-x", "mine alone", [5]))
    say(collection, "bob", ONE, put("q-bbb", " the trip", [2, 3]), put("q-y", "", [7]))
    with running(adjudication(collection)) as here:
        queries = {query["query"]: query for query in ask(here, f"/api/dialogues/{ONE}")[1]["queries"]}
        assert sorted(queries["the trip"]["answers"]) == ["ann", "bob"]
        assert list(queries["mine alone"]["answers"]) == ["ann"]
        name = queries["the trip"]["name"]
        body = {"name": name, "utterance_ids": [1, 2, 3], "taken": "union", "annotators": ["ann", "bob"]}
        assert ask(here, f"/api/dialogues/{ONE}/verdicts", body)[0] == 200
    verdict = read_verdicts(collection.adjudicated(ONE))[name]
    assert (verdict.query, verdict.basis, verdict.by) == ("the trip", "union", "eve")
    say(collection, "ann", ONE, put("q-aaa", "the trip", [1, 2, 4]))
    with running(adjudication(collection)) as here:
        found = {query["query"]: query for query in ask(here, f"/api/dialogues/{ONE}")[1]["queries"]}
        assert found["the trip"]["name"] == name


@pytest.mark.parametrize(
    "body",
    [
        {"name": "nothing"},
        {"name": "q-1", "utterance_ids": [99]},
        {"name": "q-1", "image_ids": [9]},
        {"name": "q-1", "taken": "guess"},
        [],
    ],
)
def test_a_verdict_that_could_not_stand_is_refused(collection: Collection, body: Any) -> None:
    append_line(collection.queries(ONE), as_line(Asked(name="q-1", text="which hotel?")))
    for name in ("ann", "bob"):
        say(collection, name, ONE, put("q-1", "which hotel?", [1]))
    with running(adjudication(collection)) as here:
        assert ask(here, f"/api/dialogues/{ONE}/verdicts", body)[0] in (400, 404, 409)
    assert not collection.adjudicated(ONE).exists()


def test_where_an_answer_comes_from_is_worked_out_and_never_believed(collection: Collection) -> None:
    say(collection, "ann", ONE, put("f1", "x", [1]))
    say(collection, "bob", ONE, put("f1", "x", [2]))
    with running(adjudication(collection)) as here:
        (query,) = ask(here, f"/api/dialogues/{ONE}")[1]["queries"]
        body = {"name": query["name"], "annotators": ["mallory"], "taken": "union", "utterance_ids": [5]}
        assert ask(here, f"/api/dialogues/{ONE}/verdicts", body)[0] == 200
    (verdict,) = read_verdicts(collection.adjudicated(ONE)).values()
    assert (verdict.basis, verdict.annotators) == ("edit", ("ann", "bob"))


def test_the_table_of_disagreements_is_plain_csv_that_no_sheet_runs(collection: Collection) -> None:
    say(collection, "ann", ONE, put("f1", "=cmd|'/C calc'!A0", [1]))
    say(collection, "bob", ONE, put("f1", "=cmd|'/C calc'!A0", [2]))
    with running(adjudication(collection)) as here:
        status, content = ask(here, "/api/disagreements.csv")
    assert status == 200
    assert all(
        not cell.startswith("=") for line in content.decode("utf-8-sig").splitlines() for cell in line.split(",")
    )


@pytest.mark.parametrize("between", [["ann"], ["ann", "ann"], ["ann", "nobody"]])
def test_an_adjudication_needs_two_who_labelled(collection: Collection, between: list[str]) -> None:
    say(collection, "ann", ONE, put("f1", "x", [1]))
    with pytest.raises(MldrError, match=r"two or more|nothing is labelled"):
        adjudicate_app(collection, between, "eve")


# --- the privacy pass


def test_decisions_are_on_disk_before_they_are_answered_and_what_could_not_stand_is_refused(
    collection: Collection,
) -> None:
    with running(privacy_app(collection)) as here:
        path = f"/api/dialogues/{ONE}/reviews"
        assert ask(here, path, as_line(Remove(utterance_id=3)))[0] == 200
        assert read_reviews(collection.reviews(ONE)).removed == {3}
        for body in (
            as_line(Remove(utterance_id=99)),
            {"event": "image", "image_id": 7, "choice": "yes"},
            {"event": "span", "utterance_id": 0, "start": 5, "end": 2, "choice": "mask"},
            {"event": "span", "utterance_id": 0, "start": 0, "end": 10_000, "choice": "mask"},
            {"event": "whole", "read": "perhaps"},
            {"event": "sing"},
        ):
            assert ask(here, path, body)[0] == 400
        assert read_reviews(collection.reviews(ONE)).lines == 1
        assert ask(here, path, as_line(Whole(left_out=True)))[0] == 200
    with running(label_app(collection, "ann")) as here:
        assert [one["dialogue_id"] for one in ask(here, "/api/dialogues")[1]] == [TWO]
