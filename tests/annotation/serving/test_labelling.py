from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mldr.annotation.asking import ask_of
from mldr.annotation.collection import Collection
from mldr.annotation.labels import Asked, Done, as_line, read_labels
from mldr.annotation.records import CollectedImage, write_collected
from mldr.annotation.reviews import Remove, Whole
from mldr.annotation.serving.apps import label_app
from mldr.annotation.store import append_line
from mldr.dialogue import Utterance
from mldr.errors import MldrError
from tests.annotation.serving.asking import Client, served
from tests.annotation.support_labels import collected_dialogue, collection_of, dialogue_name, put, say, small_picture

ONE, TWO = dialogue_name(1), dialogue_name(2)
AT = f"/api/dialogues/{ONE}"
QUERY = "where did they plan the trip?"


@pytest.fixture
def collection(tmp_path: Path) -> Collection:
    """Two dialogues; the first has two pictures and, at 7, a message without text."""
    pictures = [small_picture(shade) for shade in range(2)]
    first = collected_dialogue(1, 12, pictures)
    utterances = list(first.dialogue.utterances)
    utterances[7] = Utterance("S2", "", (), utterances[7].time, None)
    first = replace(first, dialogue=replace(first.dialogue, utterances=tuple(utterances)))
    return collection_of(tmp_path / "c", [first, collected_dialogue(2, 6)], pictures)


@pytest.fixture
def client(collection: Collection) -> Iterator[Client]:
    with served(label_app(collection, "ann")) as asking:
        yield asking


def statement(fragment: str = "f1", query: str = QUERY, ids: tuple[int, ...] = (1,), **more: Any) -> dict[str, Any]:
    return {"event": "put", "fragment": fragment, "query": query, "utterance_ids": list(ids), **more}


def log(collection: Collection, annotator: str = "ann") -> list[dict[str, Any]]:
    path = collection.labels(annotator, ONE)
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_a_statement_is_in_the_file_before_it_is_answered(client: Client, collection: Collection) -> None:
    told = client.post(f"{AT}/labels", statement(image_ids=[1]))
    assert (told["lines"], told["changed"]) == (1, {"f1": 1})
    assert [(line["utterance_ids"], line["image_ids"]) for line in log(collection)] == [([1], [1])]
    assert client.get(AT)["labels"] == told


def test_a_statement_about_what_changed_since_is_refused_with_what_stands(
    client: Client, collection: Collection
) -> None:
    client.post(f"{AT}/labels", statement(ids=(1,)))
    client.post(f"{AT}/labels", statement(ids=(1, 2), seen=1, tab="a"))
    status, answer = client.ask("POST", f"{AT}/labels", statement(ids=(1, 9), seen=1, tab="b"))
    assert status == 409
    assert answer["state"]["fragments"][0]["utterance_ids"] == [1, 2]
    assert answer["state"]["changed"] == {"f1": 2}
    assert len(log(collection)) == 2
    client.post(f"{AT}/labels", statement(ids=(1, 9), seen=2, tab="b"))
    assert client.refused("POST", f"{AT}/labels", {"event": "drop", "fragment": "f1", "seen": 2})[0] == 409
    client.post(f"{AT}/labels", {"event": "drop", "fragment": "f1", "seen": 3})
    assert client.get(f"{AT}/labels")["fragments"] == []


def test_a_statement_whose_answer_was_lost_is_written_once(client: Client, collection: Collection) -> None:
    first = client.post(f"{AT}/labels", statement(tab="a"))
    assert client.post(f"{AT}/labels", statement(tab="a")) == first
    for _ in range(2):
        client.post(f"{AT}/labels", {"event": "drop", "fragment": "f1", "seen": 1})
    assert len(log(collection)) == 2


def test_many_tabs_at_once_lose_nothing_and_tear_nothing(client: Client, collection: Collection) -> None:
    answers: list[int] = []

    def work(tab: int) -> None:
        answers.extend(
            client.ask("POST", f"{AT}/labels", statement(f"t{tab}-{n}", f"{QUERY} {tab} {n}"))[0] for n in range(8)
        )

    threads = [threading.Thread(target=work, args=(tab,)) for tab in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 48
    assert len(read_labels(collection.labels("ann", ONE)).fragments) == 48


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (statement(ids=(12,)), "12 is not in the dialogue, whose ids are 0 to 11"),
        (statement(ids=(-1,)), "-1 is not in the dialogue"),
        (statement(image_ids=[2]), "2 is not in the dialogue, whose ids are 0 to 1"),
        (statement(ids=(3, 2)), "ascending"),
        (statement(ids=(2, 2)), "ascending"),
        (statement(ids=(7,)), "7 has no text"),
        (statement("../f"), "fragment"),
        (statement(query="x" * 2001), "query"),
        (statement(more=1), "more"),
        (statement(seen=-1), "seen"),
        ({"event": "sing"}, "statement"),
        ({"event": "done", "lead_time_s": -1}, "lead_time_s"),
        ([], "statement"),
        (None, "statement"),
        ("put", "statement"),
    ],
)
def test_what_could_never_stand_is_refused_with_its_place(
    client: Client, collection: Collection, body: Any, told: str
) -> None:
    status, faults = client.refused("POST", f"{AT}/labels", "null" if body is None else body)
    assert status == 400
    assert told in faults
    assert log(collection) == []


@pytest.mark.parametrize(
    ("address", "status"),
    [
        (f"/api/dialogues/{'f' * 16}", 404),
        ("/api/dialogues/..%2f..%2fetc", 404),
        ("/api/dialogues/%2e%2e", 400),
        ("/api/dialogues/consent", 400),
        (f"{AT}/images/2", 404),
        (f"{AT}/images/-1", 404),
        (f"{AT}/images/0.png", 404),
        (f"{AT}/images/%d9%a1", 404),
        (f"{AT}/images/..%2f..%2fcollection.json", 404),
    ],
)
def test_an_id_that_is_none_leads_nowhere(client: Client, address: str, status: int) -> None:
    assert client.refused("GET", address)[0] == status


def test_a_picture_comes_by_its_id_and_a_link_out_of_the_folder_is_not_followed(
    client: Client, collection: Collection, tmp_path: Path
) -> None:
    status, headers, content = client.raw("GET", f"{AT}/images/0")
    assert (status, headers["content-type"]) == (200, "image/png")
    assert content == small_picture(0).content
    path = collection.image_path(small_picture(1).image_key, "image/png")
    path.unlink()
    (tmp_path / "secret").write_bytes(b"private")
    path.symlink_to(tmp_path / "secret")
    assert client.refused("GET", f"{AT}/images/1")[0] == 404


def test_a_withheld_picture_is_said_to_be_so_and_has_no_bytes(client: Client, collection: Collection) -> None:
    first = collection.read(ONE)
    images = (first.images[0], CollectedImage("ref:withheld/1", "withheld", decision="no"))
    write_collected(collection.dialogues, replace(first, images=images))
    assert [image["status"] for image in client.get(AT)["images"]] == ["present", "withheld"]
    assert client.refused("GET", f"{AT}/images/1") == (404, "request: picture 1 is withheld")


def test_the_page_gets_no_subject_no_key_and_no_path(client: Client, collection: Collection, tmp_path: Path) -> None:
    text = json.dumps(client.get(AT)) + json.dumps(client.get("/api/dialogues"))
    first = collection.read(ONE)
    for private in (*first.subjects.values(), first.images[0].image_key, first.dialogue.cluster_id, str(tmp_path)):
        assert f'{private}"' not in text.replace(f'"{ONE}"', "")


def test_no_address_tells_what_another_annotator_said(collection: Collection) -> None:
    say(collection, "bob", ONE, put("f1", "only bob asked this zebra", [3, 4], [1]), Done())
    append_line(collection.adjudicated(ONE), {"name": "f1", "query": "zebra", "basis": "one"})
    app = label_app(collection, "ann")
    with served(app) as client:
        client.post(f"{AT}/labels", statement())
        for route in app.routes:
            address = route.path.replace("{dialogue_id}", ONE).replace("{image_id}", "0")
            _, _, content = client.raw(route.method, address, None if route.method == "GET" else statement(seen=1))
            assert b"zebra" not in content
            assert b"bob" not in content
        for guess in (
            f"{AT}/labels?annotator=bob&a=../bob",
            f"{AT}/labels/bob",
            f"{AT}/verdicts",
            "/api/agreement",
            f"/labels/bob/{ONE}.jsonl",
        ):
            _, _, content = client.raw("GET", guess)
            assert b"zebra" not in content
        before = client.get(AT)
        say(collection, "bob", ONE, put("f2", "another zebra", [1]))
        assert client.get(AT) == before
    assert len(log(collection, "bob")) == 3


def test_a_dialogue_is_done_when_everything_is_and_not_before(client: Client, collection: Collection) -> None:
    client.post(f"{AT}/labels", statement(query="", ids=()))
    status, answer = client.ask("POST", f"{AT}/labels", {"event": "done", "lead_time_s": 3})
    assert status == 409
    assert {problem["code"] for problem in answer["problems"]} == {"no_query", "empty"}
    client.post(f"{AT}/labels", statement(seen=1))
    assert client.post(f"{AT}/labels", {"event": "done", "lead_time_s": 3})["lead_time_s"] == 3.0
    assert [one["done"] for one in client.get("/api/dialogues")] == [True, False]


def test_a_dialogue_that_got_unfinished_again_is_no_longer_listed_as_done(
    client: Client, collection: Collection
) -> None:
    client.post(f"{AT}/labels", statement())
    client.post(f"{AT}/labels", {"event": "done"})
    append_line(collection.queries(ONE), as_line(Asked(name="q-1", text="who has a dog?")))
    assert [one["done"] for one in client.get("/api/dialogues")] == [False, False]
    client.post(f"{AT}/labels", statement("q-1", "who has a dog?", (), negative=True))
    assert [one["done"] for one in client.get("/api/dialogues")] == [True, False]


def test_a_tab_that_closes_tells_its_time_and_takes_back_nothing(client: Client) -> None:
    client.post(f"{AT}/labels", statement())
    client.post(f"{AT}/labels", {"event": "done", "lead_time_s": 5})
    told = client.post(f"{AT}/labels", {"event": "done", "done": None, "lead_time_s": 2.5})
    assert (told["done"], told["lead_time_s"]) == (True, 7.5)


def test_given_queries_are_fixed_and_may_be_the_only_ones(collection: Collection) -> None:
    append_line(collection.queries(ONE), as_line(Asked(name="q-1", text="who has a dog?")))
    with served(label_app(collection, "ann", given_only=True)) as client:
        assert client.get(AT)["asked"] == [{"name": "q-1", "text": "who has a dog?"}]
        assert "fixed" in client.refused("POST", f"{AT}/labels", statement("q-1", "who has a cat?"))[1]
        assert "only the given" in client.refused("POST", f"{AT}/labels", statement("f1"))[1]
        assert [one["code"] for one in client.get(f"{AT}/problems")] == ["unanswered"]
        client.post(f"{AT}/labels", statement("q-1", "who has a dog?", (1,)))
        assert client.get(f"{AT}/problems") == []


def test_whoever_wrote_a_query_is_not_asked_it_again(collection: Collection) -> None:
    say(collection, "ann", ONE, put("f1", QUERY, [1]), Done())
    ask_of(collection, "ann")
    with served(label_app(collection, "ann")) as client:
        assert client.get(AT)["asked"] == []
        assert client.get(f"{AT}/problems") == []
        assert client.get("/api/dialogues")[0]["done"]
    with served(label_app(collection, "bob")) as client:
        assert [one["text"] for one in client.get(AT)["asked"]] == [QUERY]
        assert [one["code"] for one in client.get(f"{AT}/problems")] == ["unanswered"]


def test_problems_are_named_what_must_be_mended_first(client: Client, collection: Collection) -> None:
    undecided = replace(
        collection.read(ONE), images=tuple(replace(one, decision="") for one in collection.read(ONE).images)
    )
    write_collected(collection.dialogues, undecided)
    assert [one["code"] for one in client.get(f"{AT}/problems")] == ["nothing"]
    for body in (
        statement("a", "one?", (1, 2), image_ids=[1]),
        statement("b", "two?", (1, 2), image_ids=[1]),
        statement("c", "two?", (5,)),
        statement("d", "four?", tuple(i for i in range(12) if i != 7)),
        statement("e", "five?", (3,), negative=True),
    ):
        client.post(f"{AT}/labels", body)
    found = [(one["code"], one["fragment"], one["other"], one["final"]) for one in client.get(f"{AT}/problems")]
    assert found == [
        ("negative", "e", "", True),
        ("same_query", "b", "c", True),
        ("undecided", "a", "1", False),
        ("undecided", "b", "1", False),
        ("most", "d", "", False),
        ("duplicate", "a", "b", False),
    ]


def test_what_the_privacy_pass_took_out_is_seen_at_once(client: Client, collection: Collection) -> None:
    assert client.get(AT)["utterances"][1]["text"]
    append_line(collection.reviews(ONE), as_line(Remove(utterance_id=1)))
    said = client.get(AT)["utterances"][1]
    assert (said["text"], said["removed"]) == ("", True)
    assert client.refused("GET", f"{AT}/images/1")[0] == 404
    append_line(collection.reviews(ONE), as_line(Whole(left_out=True)))
    assert [one["dialogue_id"] for one in client.get("/api/dialogues")] == [TWO]


def test_what_was_changed_last_comes_with_the_dialogue_for_undo(client: Client) -> None:
    client.post(f"{AT}/labels", statement(ids=(1,)))
    client.post(f"{AT}/labels", statement(ids=(1, 2), seen=1))
    client.post(f"{AT}/labels", {"event": "drop", "fragment": "f1", "seen": 2})
    steps = [
        (step["before"] and step["before"]["utterance_ids"], step["after"] and step["after"]["utterance_ids"])
        for step in client.get(AT)["history"]
    ]
    assert steps == [(None, [1]), ([1], [1, 2]), ([1, 2], None)]


@pytest.mark.parametrize("name", ["Ann", "", "../x", "a b", "x" * 33, "ä"])
def test_a_name_that_could_be_no_file_is_refused_before_anything_is_served(collection: Collection, name: str) -> None:
    with pytest.raises(MldrError, match="annotator"):
        label_app(collection, name)


def test_a_torn_last_line_is_cut_and_a_malformed_one_is_named(client: Client, collection: Collection) -> None:
    client.post(f"{AT}/labels", statement())
    path = collection.labels("ann", ONE)
    with path.open("a") as stream:
        stream.write('{"event": "put", "frag')
    assert client.get(f"{AT}/labels")["lines"] == 1
    assert client.post(f"{AT}/labels", statement("f2"))["lines"] == 2
    with path.open("a") as stream:
        stream.write('{"event": "sing"}\n')
    assert "line 3" in client.refused("GET", f"{AT}/labels")[1]
