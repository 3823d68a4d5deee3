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
from mldr.annotation.labelstudio import CONFIG, TASKS, paragraphs, read_annotations, write_tasks
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


def tasks(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((folder / TASKS).read_text(encoding="utf-8"))
    return found


PUTS = st.lists(
    st.builds(
        Put,
        fragment=st.from_regex(r"[a-z0-9-]{1,12}", fullmatch=True),
        query=st.text(max_size=30),
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
    here, there = made(folder / "here"), made(folder / "there")
    for name, puts in (("ann", anns), ("bob", bobs)):
        say(here, name, ONE, *puts)
    write_tasks(here, folder / "out", ["ann", "bob"])
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
    append_line(collection.queries(ONE), as_line(Asked(name="q-1", text="which hotel?")))
    write_tasks(collection, tmp_path / "out")
    drawn = [
        {"type": "paragraphlabels", "value": {"start": 0, "end": "2", "paragraphlabels": ["F1"]}},
        {"type": "textarea", "value": {"text": ["F1: which hotel?", "F2 (no answer): who sings?"]}},
        {"type": "choices", "value": {"choices": ["hard"]}},
    ]

    def change(task: dict[str, Any]) -> None:
        task["annotations"] = [
            {"completed_by": {"id": 7, "email": "ann@lab.example"}, "result": drawn},
            {"completed_by": 9, "was_cancelled": True, "result": drawn},
        ]

    path = changed(tmp_path / "out", change)
    assert read_annotations(path, collection, {"ann@lab.example": "ann"}) == {"new": 2}
    said = {one.query: one for one in read_labels(collection.labels("ann", ONE)).fragments.values()}
    hotel = said["which hotel?"]
    assert (hotel.fragment, hotel.utterance_ids, hotel.image_ids) == ("q-1", (0, 1), (0,))
    assert said["who sings?"].negative


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
        ([{"type": "textarea", "value": {"text": ["where?"]}}], "a line `F1"),
        ([{"type": "textarea"}], "has no `value`"),
        (["x"], "has no `value`"),
    ],
)
def test_a_result_that_is_wrong_is_named_and_nothing_is_written(
    collection: Collection, tmp_path: Path, results: list[Any], told: str
) -> None:
    write_tasks(collection, tmp_path / "out")

    def change(task: dict[str, Any]) -> None:
        good = [region(0, 0), {"type": "textarea", "value": {"text": ["F1: good"]}}]
        task["annotations"] = [{"completed_by": 1, "result": good}, {"completed_by": 1, "result": results}]

    with pytest.raises(InputError, match=told) as caught:
        read_annotations(changed(tmp_path / "out", change), collection, {"1": "ann"})
    assert "task 0, annotation 1, result 0" in str(caught.value)
    assert collection.annotators() == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda task: task["data"].update(dialogue_id="0" * 16), "names no dialogue"),
        (lambda task: task["data"]["dialogue"].pop(), "11 paragraphs"),
        (lambda task: task.update(data=3), "names no dialogue"),
        (lambda task: task.update(annotations=[{"completed_by": 4, "result": []}]), "nobody known"),
        (lambda task: task.update(annotations=[{"completed_by": {"email": "../x"}, "result": []}]), "nobody known"),
    ],
)
def test_a_task_of_something_else_is_named(
    collection: Collection, tmp_path: Path, change: Callable[[dict[str, Any]], object], told: str
) -> None:
    write_tasks(collection, tmp_path / "out")
    with pytest.raises(InputError, match=told):
        read_annotations(changed(tmp_path / "out", change), collection, {"../x": "../x"})


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"\xff"])
def test_a_file_that_is_no_export_is_a_fault(collection: Collection, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(InputError, match=r"x\.json"):
        read_annotations(tmp_path / "x.json", collection)
