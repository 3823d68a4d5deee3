from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from mldr.annotation.chat import Member
from mldr.annotation.collection import Collection, open_collection
from mldr.annotation.records import (
    CollectedMask,
    CutDialogue,
    cut_path,
    read_collected,
    read_cut,
    write_collected,
    write_cut,
)
from mldr.annotation.spans import Mask
from mldr.dialogue import Dialogue, DialogueImage, Utterance
from mldr.errors import MldrError
from tests.annotation.support_labels import collected_dialogue, collection_of, dialogue_name, small_picture


def cut() -> CutDialogue:
    utterances = (
        Utterance("wxid_a", "去爬山吗\n好", (0,), datetime(2024, 1, 2, 3, 4, 5, 678000)),
        Utterance("wxid_b", "", (), None, 0),
    )
    dialogue = Dialogue(dialogue_name(1), "zh", "real", "0" * 12, utterances, (DialogueImage("ref:missing/0"),))
    return CutDialogue(dialogue, "f" * 16, "wechat", (("m1", "m2"), ("m3",)), (Member("wxid_a", ("小林",), True),))


def test_a_raw_dialogue_comes_back_as_it_was_written(tmp_path: Path) -> None:
    write_cut(tmp_path, cut())
    assert read_cut(cut_path(tmp_path, dialogue_name(1))) == cut()


def test_a_collected_dialogue_comes_back_as_it_was_written(tmp_path: Path) -> None:
    mask = CollectedMask(0, Mask(0, 2, "name", "小周", 0.9, "names"), "edit")
    collected = collected_dialogue(3, pictures=[small_picture()], masks=[mask])
    write_collected(tmp_path, collected)
    assert read_collected(cut_path(tmp_path, dialogue_name(3))) == collected


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"format": "mldr/cut-dialogue@9"}, "newer"),
        ({"format": "mldr/collection@1"}, "cut-dialogue"),
        ({"members": [{"person": 7}]}, "members"),
        ({"dialogue": None}, "dialogue"),
        ({"dialogue": {}}, "dialogue"),
        ({"chat_key": None}, "chat_key"),
    ],
)
def test_a_malformed_dialogue_is_a_fault_that_names_it(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    write_cut(tmp_path, cut())
    path = cut_path(tmp_path, dialogue_name(1))
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **change}), encoding="utf-8")
    with pytest.raises(MldrError, match=told):
        read_cut(path)


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b'{"format"'])
def test_a_file_that_is_no_dialogue_is_a_fault(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(MldrError, match=r"x\.json"):
        read_collected(path)


@pytest.mark.parametrize("name", ["../../etc/passwd", "ABCDEF0123456789", "0" * 15, "", "0" * 16 + "\n"])
def test_an_id_from_outside_never_becomes_a_path(tmp_path: Path, name: str) -> None:
    collection = Collection(tmp_path)
    for asked in (collection.queries, collection.adjudicated, collection.reviews, collection.read):
        with pytest.raises(MldrError, match="hex digits"):
            asked(name)


@pytest.mark.parametrize("name", ["../bob", "Bob", "", "a" * 33, "b/c", "-x", "名"])
def test_an_annotator_s_name_never_becomes_a_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(MldrError, match="annotator"):
        Collection(tmp_path).labels(name, "0" * 16)


def test_a_collection_reads_its_dialogues_in_order_and_ignores_strangers(tmp_path: Path) -> None:
    collection = collection_of(tmp_path / "c", [collected_dialogue(number) for number in (9, 2)])
    (collection.dialogues / "notes.json").write_text("{}", encoding="utf-8")
    assert [collected.dialogue.dialogue_id for collected in collection] == [dialogue_name(2), dialogue_name(9)]
    assert open_collection(collection.folder) == collection


def test_a_picture_without_bytes_has_no_path(tmp_path: Path) -> None:
    for key in ("ref:withheld/0", "sha256:../../x", "sha256:" + "g" * 64):
        with pytest.raises(MldrError, match="no bytes"):
            Collection(tmp_path).image_path(key, "image/png")
