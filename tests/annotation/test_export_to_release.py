"""One invented chat of each format, carried from its export to a released dataset, and scored like any other."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

import mldr
from mldr.annotation.adjudicating import adjudicate_by_rule
from mldr.annotation.chat import Member
from mldr.annotation.collection import Collection, open_collection
from mldr.annotation.consent_entry import enter, withdraw_from
from mldr.annotation.cutreport import CutSettings
from mldr.annotation.cutting import cut_chats
from mldr.annotation.example import write_example
from mldr.annotation.importing import Import, import_chats
from mldr.annotation.labels import as_line
from mldr.annotation.privacy.protect import cuts, protect
from mldr.annotation.records import cut_path, read_cut
from mldr.annotation.releasing import parts_of_names, release_from
from mldr.annotation.reviews import ImageReview, Whole
from mldr.annotation.store import Store, append_line, open_store
from mldr.errors import InputError, MldrError
from mldr.eval import Evaluator
from mldr.verify import verify
from tests.annotation.readers.exports_other import WRITERS as OTHERS
from tests.annotation.readers.exports_tables import WRITERS as TABLES
from tests.annotation.readers.exports_wechat import WRITERS as WECHAT
from tests.annotation.support_labels import put, say

WRITERS: Mapping[str, Callable[[Path], Path]] = {**WECHAT, **TABLES, **OTHERS, "neutral-jsonl": OTHERS["neutral-jsonl"]}
TODAY = dt.date(2026, 6, 1)
SETTINGS = {"name": "chats", "scopes": ("research",)}
SMALL = CutSettings(min_utterances=2, min_images=0, pause_s=10 * 24 * 3600.0)


def stored(folder: Path, write: Callable[[Path], Path], name: str) -> Store:
    """Import an export and cut it."""
    (folder / "export").mkdir()
    store = open_store(folder / "store", create=True)
    path = write(folder / "export")
    reports = import_chats(path, store, Import(format=name, zone="Asia/Shanghai"))
    for report in reports:
        assert report.rows == report.utterances + sum(report.events.values()) + sum(report.dropped.values())
    cut_chats(store, SMALL)
    return store


def reviewed(store: Store, collection: Collection, *, pictures: bool = True) -> None:
    """Read everything, say yes to every picture, and enter everybody's consent."""
    for dialogue_id in cuts(store):
        cut = read_cut(cut_path(store.dialogues, dialogue_id))
        for number in range(cut.dialogue.n_images if pictures else 0):
            append_line(store.reviews / f"{dialogue_id}.jsonl", as_line(ImageReview(image_id=number, choice="yes")))
        append_line(store.reviews / f"{dialogue_id}.jsonl", as_line(Whole(read=True)))
        told = {
            "notice_version": "1",
            "method": "signed",
            "date": "2026-01-02",
            "scopes": ["research", "images"],
            "adult": True,
        }
        for person in sorted({utterance.speaker for utterance in cut.dialogue.utterances}):
            subject = enter(store.folder, cut.platform, person, told)
            enter(collection.folder, cut.platform, subject, told)
    protect(store, collection)


def labelled(collection: Collection) -> None:
    """Let two people answer two queries of each dialogue."""
    for collected in collection:
        spoken = [i for i, utterance in enumerate(collected.dialogue.utterances) if utterance.text]
        images = list(range(collected.dialogue.n_images))[:1]
        for name, ids in (("ann", spoken[:2]), ("bob", spoken[:3])):
            say(
                collection,
                name,
                collected.dialogue.dialogue_id,
                put("f1", "where did we plan to go?", ids, images),
                put("f2", "who has a dog?", negative=True),
            )
    adjudicate_by_rule(collection, ["ann", "bob"], "intersection")


def prepared(folder: Path, write: Callable[[Path], Path], name: str) -> tuple[Store, Collection]:
    store = stored(folder, write, name)
    collection = open_collection(folder / "collection", create=True)
    reviewed(store, collection)
    labelled(collection)
    return store, collection


@pytest.mark.parametrize("name", sorted(WRITERS))
def test_a_chat_of_every_format_becomes_a_dataset_that_is_scored(tmp_path: Path, name: str) -> None:
    store, collection = prepared(tmp_path, WRITERS[name], name)
    told = release_from(collection.folder, tmp_path / "set", SETTINGS, TODAY, [store.folder])
    released = mldr.load(str(tmp_path / "set"))
    assert verify(released) == {}
    assert told.dialogues == len(list(released.asked("test")))
    assert told.queries == 2 * told.dialogues
    for asked in released.asked("test"):
        assert {utterance.speaker for utterance in asked.dialogue.utterances} <= {"S1", "S2", "S3", "S4", "S5"}
        for gold in asked.gold:
            assert [annotation.annotator for annotation in gold.annotations] == ["A1", "A2"]
    scores = Evaluator(released, "test")
    assert scores is not None
    raw = b"".join(path.read_bytes() for path in sorted((tmp_path / "set").rglob("*")) if path.is_file())
    assert store.key.hex().encode() not in raw


@pytest.fixture
def example(tmp_path: Path) -> tuple[Store, Collection]:
    def write(folder: Path) -> Path:
        return write_example(folder / "example").parent

    return prepared(tmp_path, write, "neutral-jsonl")


def release(collection: Collection, out: Path, store: Store | None = None, **changes: object) -> mldr.Dataset:
    stores = [] if store is None else [store.folder]
    release_from(collection.folder, out, {**SETTINGS, **changes}, TODAY, stores)
    return mldr.load(str(out))


def test_the_example_keeps_its_sense_and_loses_its_people(example: tuple[Store, Collection], tmp_path: Path) -> None:
    store, collection = example
    released = release(collection, tmp_path / "set", store)
    (asked,) = released.asked("test")
    words = "\n".join(utterance.text for utterance in asked.dialogue.utterances)
    for private in ("13800138000", "京A12345", "lingshan_guide2020", "482913", "林姐", "幸福路18号"):
        assert private not in words
    assert "十一公里" in words
    assert "[电话1]" in words
    assert all(image.status == "present" for image in released.images("test"))
    assert released.manifest.consent_scopes == ["images", "research"]
    card = (tmp_path / "set" / "README.md").read_text(encoding="utf-8")
    for heading in (
        "## Consent",
        "## Agreement",
        "## What protects the people in it",
        "## Beside the paper's real set",
    ):
        assert heading in card
    assert "A1" in card
    assert "ann" not in card.split()


def test_the_same_collection_is_released_to_the_same_bytes(example: tuple[Store, Collection], tmp_path: Path) -> None:
    _, collection = example
    for name in ("one", "two"):
        release(collection, tmp_path / name)
    one, two = (
        {
            path.relative_to(tmp_path / name): path.read_bytes()
            for path in (tmp_path / name).rglob("*")
            if path.is_file()
        }
        for name in ("one", "two")
    )
    assert one == two


def test_a_planted_name_fails_the_release_and_leaves_nothing(example: tuple[Store, Collection], tmp_path: Path) -> None:
    store, collection = example
    (dialogue_id,) = collection.ids()
    for name in ("ann", "bob"):
        say(collection, name, dialogue_id, put("f3", "林晓雨说去哪里？", [0]))
    adjudicate_by_rule(collection, ["ann", "bob"], "agreed")
    with pytest.raises(InputError, match="private name") as caught:
        release(collection, tmp_path / "set", store)
    assert "林晓雨" not in str(caught.value)
    assert not (tmp_path / "set").exists()


def test_a_part_of_a_name_is_searched_for_too_and_a_word_is_none() -> None:
    assert {"ada", "lovelace"} <= set(parts_of_names(Member("x", ("Ada Lovelace",))))
    assert "晓雨" in parts_of_names(Member("x", ("林晓雨",)))
    assert "立" not in parts_of_names(Member("x", ("陈立",)))
    assert not {"will", "long"} & set(parts_of_names(Member("x", ("Will Long",))))


def test_a_planted_part_of_a_name_fails_the_release(example: tuple[Store, Collection], tmp_path: Path) -> None:
    store, collection = example
    (dialogue_id,) = collection.ids()
    for name in ("ann", "bob"):
        say(collection, name, dialogue_id, put("f3", "子航说去哪里？", [0]))
    adjudicate_by_rule(collection, ["ann", "bob"], "agreed")
    with pytest.raises(InputError, match="private name"):
        release(collection, tmp_path / "set", store)


def test_without_a_yes_pictures_are_withheld_and_their_ids_stay(tmp_path: Path) -> None:
    store = stored(tmp_path, lambda folder: write_example(folder / "example").parent, "neutral-jsonl")
    collection = open_collection(tmp_path / "collection", create=True)
    reviewed(store, collection, pictures=False)
    labelled(collection)
    released = release(collection, tmp_path / "set", store)
    assert {image.status for image in released.images("test")} == {"withheld"}
    assert all(image.content is None for image in released.images("test"))
    assert verify(released) == {}


def test_a_dialogue_goes_with_the_consent_of_one_speaker(example: tuple[Store, Collection], tmp_path: Path) -> None:
    store, collection = example
    (dialogue_id,) = collection.ids()
    subject = collection.read(dialogue_id).subjects["S2"]
    for scope, told in (("public", "nothing may be released"), ("cross_border", "nothing may be released")):
        with pytest.raises(MldrError, match=told):
            release(collection, tmp_path / "set", store, scopes=(scope,))
    release(collection, tmp_path / "set", store)
    lines = withdraw_from(collection.folder, "wechat", subject, TODAY)
    assert any("mldr-ffr-chats" in line for line in lines)
    with pytest.raises(MldrError):
        release(collection, tmp_path / "after", store)


def test_a_withdrawal_from_the_store_holds_for_the_release_too(
    example: tuple[Store, Collection], tmp_path: Path
) -> None:
    store, collection = example
    withdraw_from(store.folder, "wechat", "wxid_chen1h7e5t9vq8", TODAY)
    with pytest.raises(MldrError, match="consent withdrawn"):
        release(collection, tmp_path / "set", store)


def test_after_a_withdrawal_no_release_has_the_number_of_an_older_one(
    example: tuple[Store, Collection], tmp_path: Path
) -> None:
    store, collection = example
    release(collection, tmp_path / "one", store)
    append_line(
        collection.tombstones,
        {"dialogue_id": "0" * 16, "subject_key": "0" * 32, "date": TODAY.isoformat(), "version": 2},
    )
    with pytest.raises(MldrError, match="--version 2"):
        release(collection, tmp_path / "two", store)
    assert release(collection, tmp_path / "two", store, version=2).manifest.recipe["release"]["version"] == 2


def test_a_picture_that_was_exchanged_after_a_person_said_yes_is_not_released(
    example: tuple[Store, Collection], tmp_path: Path
) -> None:
    store, collection = example
    one, other = sorted(collection.images.glob("*.png"))[:2]
    one.write_bytes(other.read_bytes())
    with pytest.raises(InputError, match="its key is not the hash of its bytes"):
        release(collection, tmp_path / "set", store)
    assert not (tmp_path / "set").exists()


def test_the_clock_is_the_export_s_own_where_nobody_names_another(tmp_path: Path) -> None:
    write_example(tmp_path / "export")
    for zone, hour in (("", 19), ("Europe/Paris", 13)):
        store = open_store(tmp_path / f"store{hour}", create=True)
        (report,) = import_chats(tmp_path / "export", store, Import(zone=zone))
        assert report.zone == (zone or "Asia/Shanghai")
        cut_chats(store, SMALL)
        (dialogue_id,) = cuts(store)
        first = read_cut(cut_path(store.dialogues, dialogue_id)).dialogue.utterances[0]
        assert first.time is not None
        assert first.time.hour == hour


def test_a_name_that_stands_in_quotes_alone_is_masked_too(tmp_path: Path) -> None:
    rows = [
        "id,MsgSvrID,type_name,is_sender,talker,room_name,msg,src,CreateTime",
        "1,7001,文本,0,wxid_he77000000001,1@chatroom,周日去吗,,2024-10-14 09:00:00",
        '2,7002,引用回复,1,我,1@chatroom,"去\n\n[引用](2024-10-14 09:00:00)何知远:周日去吗",,2024-10-14 09:02:00',
        '3,7003,引用回复,1,我,1@chatroom,"也问问\n\n[引用](2024-10-13 09:00:00)苏棠:别的话",,2024-10-14 09:03:00',
        "4,7004,文本,0,wxid_he77000000001,1@chatroom,何知远带茶，苏棠带饼,,2024-10-14 09:09:00",
    ]
    (tmp_path / "chat.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    store = open_store(tmp_path / "store", create=True)
    (report,) = import_chats(tmp_path / "chat.csv", store, Import(zone="Asia/Shanghai"))
    assert report.replies == {"time": 1, "quotes whose message was not found": 1}
    cut_chats(store, SMALL)
    collection = open_collection(tmp_path / "collection", create=True)
    protect(store, collection)
    (collected,) = collection
    words = "\n".join(utterance.text for utterance in collected.dialogue.utterances)
    assert "何知远" not in words
    assert "苏棠" not in words
    assert "带茶" in words
