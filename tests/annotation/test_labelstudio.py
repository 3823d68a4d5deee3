from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldr.annotation.collection import Collection
from mldr.annotation.labels import Asked, Put, as_line, read_labels
from mldr.annotation.labelstudio import CONFIG, MOST, TASKS, paragraphs, write_tasks
from mldr.annotation.labelstudio_in import read_annotations
from mldr.annotation.store import append_line
from mldr.errors import InputError, MldrError
from tests.annotation.support_labels import collected_dialogue, collection_of, dialogue_name, put, say, small_picture

ONE = dialogue_name(1)
PICTURES = [small_picture(shade) for shade in range(3)]


def made(folder: Path) -> Collection:
    return collection_of(folder, [collected_dialogue(1, 8, PICTURES)], PICTURES)


@pytest.fixture
def collection(tmp_path: Path) -> Collection:
    return made(tmp_path / "c")


def asking(collection: Collection) -> Collection:
    for name, text in (("q-1", "which hotel?"), ("q-2", "who sings?")):
        append_line(collection.queries(ONE), as_line(Asked(name=name, text=text)))
    return collection


def tasks(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((folder / TASKS).read_text(encoding="utf-8"))
    return found


PUTS = st.lists(
    st.builds(
        Put,
        fragment=st.sampled_from(["q-1", "q-2"]) | st.from_regex(r"[a-z0-9-]{1,12}", fullmatch=True),
        query=st.sampled_from(["which hotel?", "F1: x", " (no answer): y\n"]) | st.text(max_size=30),
        level=st.sampled_from(["free", "topic", "coarse", "fine"]),
        utterance_ids=st.sets(st.integers(0, 7)).map(lambda ids: tuple(sorted(ids))),
        image_ids=st.sets(st.integers(0, 2)).map(lambda ids: tuple(sorted(ids))),
        negative=st.booleans(),
    ),
    max_size=5,
    unique_by=lambda one: one.fragment,
)


@settings(max_examples=60)
@given(PUTS, PUTS)
def test_labels_go_out_and_come_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, anns: list[Put], bobs: list[Put]
) -> None:
    folder = tmp_path_factory.mktemp("ls")
    here, there = (asking(made(folder / name)) for name in ("here", "there"))
    for name, puts in (("ann", anns), ("bob", bobs)):
        say(here, name, ONE, *puts)
    write_tasks(here, folder / "out", [name for name, puts in (("ann", anns), ("bob", bobs)) if puts])
    read_annotations(folder / "out" / TASKS, there)
    for name, puts in (("ann", anns), ("bob", bobs)):
        assert read_labels(there.labels(name, ONE)).fragments == {one.fragment: one for one in puts}
    again = read_annotations(folder / "out" / TASKS, there)
    assert set(again) <= {"as it was"}


def test_a_picture_is_a_paragraph_and_a_scattered_fragment_several_regions(
    collection: Collection, tmp_path: Path
) -> None:
    say(collection, "ann", ONE, put("f1", "where?", [0, 1, 5], [1]))
    write_tasks(collection, tmp_path / "out", ["ann"])
    (task,) = tasks(tmp_path / "out")
    shown = paragraphs(collection.read(ONE).dialogue)
    assert shown[:4] == [("utterance", 0), ("image", 0), ("utterance", 1), ("image", 1)]
    assert task["data"]["dialogue"][1] == {"author": "S1", "text": "[image 0]"}
    regions = [r["value"] for r in task["annotations"][0]["result"] if r["type"] == "paragraphlabels"]
    assert [(value["start"], value["end"]) for value in regions] == [("0", "0"), ("2", "3"), ("8", "8")]


def test_the_configuration_is_xml_with_the_tags_that_the_tasks_name(collection: Collection, tmp_path: Path) -> None:
    write_tasks(collection, tmp_path / "out")
    view = ET.fromstring((tmp_path / "out" / CONFIG).read_text(encoding="utf-8"))
    assert view.find("Paragraphs[@value='$dialogue']") is not None
    assert view.find("ParagraphLabels/Label[@value='F1']") is not None
    with pytest.raises(MldrError, match="exists"):
        write_tasks(collection, tmp_path / "out")


def changed(folder: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    found = tasks(folder)
    change(found[0])
    (folder / "export.json").write_text(json.dumps(found), encoding="utf-8")
    return folder / "export.json"


def test_what_people_drew_there_comes_in_with_numbers_and_text_as_indices(
    collection: Collection, tmp_path: Path
) -> None:
    write_tasks(asking(collection), tmp_path / "out")
    drawn = [
        {"type": "paragraphlabels", "value": {"start": 0, "end": "2", "paragraphlabels": ["F3"]}},
        {"type": "textarea", "value": {"text": ["F3: which hotel?", "F4 (no answer): where?"]}},
        {"type": "choices", "value": {"choices": ["hard"]}},
        {"type": "relation", "from_id": "a", "to_id": "b"},
    ]

    def change(task: dict[str, Any]) -> None:
        task["annotations"] = [
            {"id": 31, "completed_by": {"id": 7, "email": "ann@lab.example"}, "result": drawn},
            {"id": 32, "completed_by": 9, "was_cancelled": True, "result": drawn},
        ]

    path = changed(tmp_path / "out", change)
    assert read_annotations(path, collection, {"ann@lab.example": "ann"}) == {
        "new": 2,
        "left out: results of another kind": 2,
        "left out: annotations that were cancelled there": 1,
    }
    said = {one.query: one for one in read_labels(collection.labels("ann", ONE)).fragments.values()}
    hotel = said["which hotel?"]
    assert (hotel.fragment, hotel.utterance_ids, hotel.image_ids) == ("q-1", (0, 1), (0,))
    assert said["where?"].negative


def test_queries_that_all_are_asked_have_the_first_labels_and_need_no_line(
    collection: Collection, tmp_path: Path
) -> None:
    say(asking(collection), "ann", ONE, put("mine", "mine?", [3]), put("q-2", "who sings?", [4]))
    write_tasks(collection, tmp_path / "out", ["ann"])
    (task,) = tasks(tmp_path / "out")
    assert task["data"]["given"] == "F1: which hotel?\nF2: who sings?"
    assert {label: one["name"] for label, one in task["data"]["fragments"]["ann"].items()} == {
        "F2": "q-2",
        "F3": "mine",
    }

    def change(task: dict[str, Any]) -> None:
        task["annotations"].append({"completed_by": 2, "result": [region(0, 0), region(3, 3, ("F2",))]})

    assert read_annotations(changed(tmp_path / "out", change), collection, {"2": "bob"})["new"] == 2
    bobs = read_labels(collection.labels("bob", ONE)).fragments
    assert {name: (one.query, one.utterance_ids, one.image_ids) for name, one in bobs.items()} == {
        "q-1": ("which hotel?", (0,), ()),
        "q-2": ("who sings?", (), (1,)),
    }


def test_no_two_labels_become_one_fragment(collection: Collection, tmp_path: Path) -> None:
    write_tasks(asking(collection), tmp_path / "out")
    lines = {"type": "textarea", "value": {"text": ["F3: which hotel?"]}}

    def change(task: dict[str, Any]) -> None:
        task["annotations"] = [{"id": 5, "completed_by": 1, "result": [region(0, 0), region(2, 2, ("F3",)), lines]}]

    assert read_annotations(changed(tmp_path / "out", change), collection, {"1": "ann"}) == {"new": 2}
    found = read_labels(collection.labels("ann", ONE)).fragments
    assert found.pop("q-1").utterance_ids == (0,)
    assert [(one.query, one.utterance_ids) for one in found.values()] == [("which hotel?", (1,))]


def test_a_changed_export_changes_the_same_fragments_and_what_was_deleted_there_stays(
    collection: Collection, tmp_path: Path
) -> None:
    say(collection, "ann", ONE, put("f1", "where?", [0]), put("f2", "when?", [1]))
    write_tasks(collection, tmp_path / "out", ["ann"])
    results: list[Any] = []

    def change(task: dict[str, Any]) -> None:
        own = {"type": "textarea", "from_name": "annotator", "value": {"text": ["ann"]}}
        task["annotations"] = [{"id": 8, "completed_by": 1, "result": [own, *results]}]

    def lines(*told: str) -> dict[str, Any]:
        return {"type": "textarea", "from_name": "query", "value": {"text": list(told)}}

    results += [region(0, 2), region(3, 3, ("F9",)), lines("F9: new")]
    assert read_annotations(changed(tmp_path / "out", change), collection, {"1": "carol"}) == {
        "changed": 1,
        "new": 1,
        "left as they are: fragments that were deleted there": 1,
    }
    results[-1] = lines("F9: newer")
    assert read_annotations(changed(tmp_path / "out", change), collection)["changed"] == 1
    found = read_labels(collection.labels("ann", ONE)).fragments
    assert [(one.query, one.utterance_ids) for one in found.values()] == [
        ("where?", (0, 1)),
        ("when?", (1,)),
        ("newer", ()),
    ]
    assert collection.annotators() == ["ann"]


def test_an_annotation_names_no_user_that_an_import_would_refuse(collection: Collection, tmp_path: Path) -> None:
    say(collection, "ann", ONE, put("f1", "where?", [0]))
    write_tasks(collection, tmp_path / "out", ["ann"])
    (task,) = tasks(tmp_path / "out")
    assert [set(one) for one in task["annotations"]] == [{"result"}]
    view = ET.fromstring((tmp_path / "out" / CONFIG).read_text(encoding="utf-8"))
    controls = {element.get("name") for element in view.iter() if element.get("name")}
    assert {result["from_name"] for result in task["annotations"][0]["result"]} <= controls
    ids = [result["id"] for result in task["annotations"][0]["result"]]
    assert len(ids) == len(set(ids))


def test_who_labelled_nothing_or_too_much_for_a_task_is_refused(collection: Collection, tmp_path: Path) -> None:
    with pytest.raises(MldrError, match="annotator 'ann' labelled nothing here; known are none"):
        write_tasks(collection, tmp_path / "out", ["ann"])
    say(asking(collection), "ann", ONE, *(put(f"f{n}", "x", [0]) for n in range(MOST - 2)))
    write_tasks(collection, tmp_path / "out", ["ann"])
    say(collection, "ann", ONE, put("one-more", "x", [0]))
    with pytest.raises(MldrError, match="at most 60 fit a task"):
        write_tasks(collection, tmp_path / "more", ["ann"])
    assert not (tmp_path / "more").exists()


def region(start: object, end: object, labels: object = ("F1",)) -> dict[str, Any]:
    given = list(labels) if isinstance(labels, tuple) else labels
    return {"type": "paragraphlabels", "value": {"start": start, "end": end, "paragraphlabels": given}}


@pytest.mark.parametrize(
    ("results", "told"),
    [
        ([region(0, 99)], "no paragraphs of 0 to 10"),
        ([region("x", 1)], "no paragraphs"),
        ([region(True, 1)], "no paragraphs"),
        ([region(3, 1)], "no paragraphs"),
        ([region(0, 1, "F1")], "no list of labels"),
        ([region(0, 1, (3,))], "no list of labels"),
        ([region(0, 1, ("Hotel",))], "no list of labels"),
        ([region("\u0663", "\u0663")], "no paragraphs"),
        ([{"type": "paragraphlabels", "value": [1]}], "no paragraphs"),
        ([{"type": "textarea", "value": {"text": ["F1: a", "F1: b"]}}], "F1 has a second line"),
        ([{"type": "textarea", "value": {"text": ["F1: " + "x" * 2_001]}}], "at most 2,000"),
        ([{"type": "textarea", "value": {"text": ["where?"]}}], "a line `F1"),
        ([{"type": "textarea"}], "a line `F1"),
        (["x"], "is no object"),
    ],
)
def test_a_result_that_is_wrong_is_named_and_nothing_is_written(
    collection: Collection, tmp_path: Path, results: list[Any], told: str
) -> None:
    write_tasks(collection, tmp_path / "out")

    def change(task: dict[str, Any]) -> None:
        good = [region(0, 0), {"type": "textarea", "value": {"text": ["F1: good"]}}]
        task["annotations"] = [{"completed_by": 1, "result": good}, {"completed_by": 2, "result": results}]

    with pytest.raises(InputError, match=told) as caught:
        read_annotations(changed(tmp_path / "out", change), collection, {"1": "ann", "2": "bob"})
    assert "task 0, annotation 1, result 0" in str(caught.value)
    assert collection.annotators() == []


def who(name: str) -> dict[str, Any]:
    return {"type": "textarea", "from_name": "annotator", "value": {"text": [name]}}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda task: task["data"].update(dialogue_id="0" * 16), "names no dialogue"),
        (lambda task: task["data"]["dialogue"].pop(), "11 paragraphs"),
        (lambda task: task.update(data=3), "names no dialogue"),
        (lambda task: task.update(annotations=[{"completed_by": 4, "result": []}]), "nobody known"),
        (lambda task: task.update(annotations=[{"completed_by": {"email": "../x"}, "result": []}]), "nobody known"),
        (lambda task: task.update(annotations=[{"result": [who("../x")]}]), "nobody known"),
        (lambda task: task.update(annotations=[{"completed_by": 1, "result": [who("stranger")]}]), "nobody known"),
        (lambda task: task.update(annotations={}), "`annotations` is no list"),
        (lambda task: task.update(annotations=[3]), "a list `result` is expected"),
        (lambda task: task.update(annotations=[{"completed_by": 1}]), "a list `result` is expected"),
        (lambda task: task.update(annotations=[{"completed_by": 1, "result": []}] * 2), "is another one of ann about"),
    ],
)
def test_a_task_of_something_else_is_named(
    collection: Collection, tmp_path: Path, change: Callable[[dict[str, Any]], object], told: str
) -> None:
    write_tasks(collection, tmp_path / "out")
    with pytest.raises(InputError, match=told):
        read_annotations(changed(tmp_path / "out", change), collection, {"../x": "../x", "1": "ann"})


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"\xff"])
def test_a_file_that_is_no_export_is_a_fault(collection: Collection, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(InputError, match=r"x\.json"):
        read_annotations(tmp_path / "x.json", collection)
