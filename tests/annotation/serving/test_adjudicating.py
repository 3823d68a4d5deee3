from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mldr.annotation.adjudicating import adjudicate_by_rule
from mldr.annotation.agreement import agreement_of
from mldr.annotation.asking import ask_of
from mldr.annotation.collection import Collection
from mldr.annotation.labels import Drop, query_name
from mldr.annotation.serving.apps import adjudicate_app
from mldr.annotation.verdicts import read_verdicts
from mldr.errors import MldrError
from tests.annotation.serving.asking import Client, served
from tests.annotation.support_labels import collected_dialogue, collection_of, dialogue_name, put, say, small_picture

ONE, TWO = dialogue_name(1), dialogue_name(2)
AT = f"/api/dialogues/{ONE}"
TRIP, CAT = "the trip?", "the cat?"


@pytest.fixture
def collection(tmp_path: Path) -> Collection:
    """Two people wrote the same two queries, under names of their own; about the trip they differ."""
    pictures = [small_picture(shade) for shade in range(2)]
    made = collection_of(tmp_path / "c", [collected_dialogue(1, 12, pictures), collected_dialogue(2, 6)], pictures)
    say(made, "ann", ONE, put("q-a1", TRIP, [1, 2, 3], [0]), put("q-a2", CAT, [5]))
    say(made, "bob", ONE, put("q-b1", CAT, [5]), put("q-b2", f" {TRIP} ", [2, 3, 4]))
    return made


@pytest.fixture
def client(collection: Collection) -> Iterator[Client]:
    with served(adjudicate_app(collection, ["bob", "ann"], "eve")) as asking:
        yield asking


def decision(query: str = TRIP, ids: tuple[int, ...] = (), **more: Any) -> dict[str, Any]:
    return {"name": query_name(query), "utterance_ids": list(ids), **more}


def test_queries_are_one_by_their_words_whatever_name_each_has(client: Client) -> None:
    told = client.get(AT)
    trip, cat = told["queries"]
    assert {who: answer["utterance_ids"] for who, answer in trip["answers"].items()} == {
        "ann": [1, 2, 3],
        "bob": [2, 3, 4],
    }
    assert (trip["f1"], trip["jaccard"]) == (pytest.approx(4 / 7), pytest.approx(2 / 5))
    assert (cat["f1"], cat["verdict"]) == (1.0, None)
    assert (told["agreement"]["n_queries"], told["agreement"]["f1"]) == (2, pytest.approx((4 / 7 + 1) / 2))
    assert [(one["n_queries"], one["n_decided"]) for one in client.get("/api/dialogues")] == [(2, 0)]


def test_the_one_who_wrote_an_asked_query_and_the_one_who_answered_it_stand_side_by_side(tmp_path: Path) -> None:
    collection = collection_of(tmp_path / "c", [collected_dialogue(1, 12)])
    say(collection, "ann", ONE, put("q-a1", TRIP, [1, 2]))
    ask_of(collection, "ann")
    say(collection, "bob", ONE, put(query_name(TRIP), TRIP, [2]))
    with served(adjudicate_app(collection, ["ann", "bob"], "eve")) as client:
        (query,) = client.get(AT)["queries"]
        assert (query["asked"], sorted(query["answers"])) == (True, ["ann", "bob"])
    assert agreement_of(collection, ["ann", "bob"]).overall.shared == 1


def test_unfinished_answers_are_named_and_count_for_nothing(client: Client, collection: Collection) -> None:
    say(collection, "bob", ONE, put("q-b3", "the dog?"), put("q-b4", "", [1]))
    told = client.get(AT)
    assert len(told["queries"]) == 2
    assert told["unfinished"] == {"bob": 2}


def test_nothing_is_chosen_where_an_annotator_says_that_nothing_answers(client: Client, collection: Collection) -> None:
    say(collection, "ann", ONE, put("q-a3", "the dog?", [1], negative=True))
    (query,) = [one for one in client.get(AT)["queries"] if one["query"] == "the dog?"]
    assert query["answers"]["ann"]["utterance_ids"] == []


@pytest.mark.parametrize(
    ("sent", "basis", "annotators"),
    [
        (decision(ids=(1, 2, 3), image_ids=[0], taken="one", annotators=["ann"]), "one", ("ann",)),
        (decision(ids=(2, 3, 4), taken="one", annotators=["ann"]), "edit", ("ann",)),
        (decision(ids=(1, 2, 3, 4), image_ids=[0], taken="union"), "union", ("ann", "bob")),
        (decision(ids=(1, 2, 3, 4), taken="union"), "edit", ("ann", "bob")),
        (decision(ids=(2, 3), taken="intersection"), "intersection", ("ann", "bob")),
        (decision(ids=(2, 3)), "edit", ("ann", "bob")),
        (decision(ids=(9,), taken="one", annotators=["mallory"]), "edit", ("ann", "bob")),
        (decision(CAT, (5,), taken="one", annotators=["ann"]), "agreed", ("ann", "bob")),
        (decision(dropped=True), "dropped", ("ann", "bob")),
    ],
)
def test_where_a_verdict_comes_from_is_worked_out_and_not_believed(
    client: Client, collection: Collection, sent: dict[str, Any], basis: str, annotators: tuple[str, ...]
) -> None:
    client.post(f"{AT}/verdicts", sent)
    (verdict,) = read_verdicts(collection.adjudicated(ONE)).values()
    assert (verdict.basis, verdict.annotators, verdict.by) == (basis, annotators, "eve")
    assert verdict.negative == (not sent["utterance_ids"] and basis != "dropped")


@pytest.mark.parametrize(
    ("sent", "status", "told"),
    [
        (decision("unheard of"), 404, "no query"),
        (decision(ids=(12,)), 400, "12 is not in the dialogue"),
        (decision(ids=(3, 2)), 400, "ascending"),
        (decision(taken="most"), 400, "taken"),
        (decision(by="ann"), 400, "by"),
        ({}, 400, "name"),
        ([], 400, "verdict"),
    ],
)
def test_a_verdict_that_cannot_stand_is_refused(
    client: Client, collection: Collection, sent: Any, status: int, told: str
) -> None:
    answered, faults = client.refused("POST", f"{AT}/verdicts", sent)
    assert answered == status
    assert told in faults
    assert not collection.adjudicated(ONE).exists()


def test_annotators_files_are_never_touched_and_the_newest_verdict_counts(
    client: Client, collection: Collection
) -> None:
    before = {path: path.read_bytes() for path in (collection.folder / "labels").rglob("*.jsonl")}
    client.post(f"{AT}/verdicts", decision(ids=(1,)))
    told = client.post(f"{AT}/verdicts", decision(ids=(2, 3), taken="intersection"))
    assert told["queries"][0]["verdict"]["basis"] == "intersection"
    assert len(collection.adjudicated(ONE).read_text().splitlines()) == 2
    assert {path: path.read_bytes() for path in (collection.folder / "labels").rglob("*.jsonl")} == before


def test_what_a_rule_decided_is_decided_on_the_page_and_a_person_may_overrule_it(
    client: Client, collection: Collection
) -> None:
    adjudicate_by_rule(collection, ["ann", "bob"], "agreed")
    assert [one["n_decided"] for one in client.get("/api/dialogues")] == [1]
    assert client.get(AT)["queries"][1]["verdict"]["by"] == "rule"
    client.post(f"{AT}/verdicts", decision(CAT, (5, 6)))
    verdict = read_verdicts(collection.adjudicated(ONE))[query_name(CAT)]
    assert (verdict.by, verdict.utterance_ids) == ("eve", (5, 6))


def test_a_rule_never_overwrites_a_verdict_because_queries_changed_places(collection: Collection) -> None:
    adjudicate_by_rule(collection, ["ann", "bob"], "union")
    say(collection, "ann", ONE, Drop(fragment="q-a1"), put("q-a0", "the dog?", [7]), put("q-a1", TRIP, [1]))
    say(collection, "bob", ONE, put("q-b0", "the dog?", [7]))
    adjudicate_by_rule(collection, ["ann", "bob"], "union")
    assert sorted(one.query for one in read_verdicts(collection.adjudicated(ONE)).values()) == [
        CAT,
        "the dog?",
        TRIP,
    ]


def test_differences_are_a_table_that_no_spreadsheet_runs(client: Client, collection: Collection) -> None:
    say(collection, "ann", ONE, put("q-a3", "=HYPERLINK(1)?", [1]))
    say(collection, "bob", ONE, put("q-b3", "=HYPERLINK(1)?", [2]))
    status, headers, content = client.raw("GET", "/api/disagreements.csv")
    assert status == 200
    assert headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    assert [(row["modality"], row["id"], row["ann"], row["bob"]) for row in rows if row["query"] == TRIP] == [
        ("utterance", "1", "1", "0"),
        ("utterance", "4", "0", "1"),
        ("image", "0", "1", "0"),
    ]
    assert {row["query"] for row in rows} == {TRIP, "'=HYPERLINK(1)?"}


@pytest.mark.parametrize(
    ("between", "by", "told"),
    [
        (["ann"], "eve", "two or more"),
        (["ann", "ann"], "eve", "two or more"),
        (["ann", "ann", "bob"], "eve", "none twice"),
        (["ann", "carl"], "eve", "nothing is labelled by carl; there is: ann, bob"),
        (["ann", "bob"], "../eve", "annotator"),
    ],
)
def test_a_desk_between_nobody_is_not_opened(collection: Collection, between: list[str], by: str, told: str) -> None:
    with pytest.raises(MldrError, match=told):
        adjudicate_app(collection, between, by)
