"""What a giver read and everybody agreed to becomes a sealed bundle; nothing private is in it, and nothing else leaves."""

from __future__ import annotations

import datetime as dt
import zipfile
from pathlib import Path

import pytest

from mldr.annotation.bundle import receive
from mldr.annotation.collection import Collection, open_collection
from mldr.annotation.consent_store import end
from mldr.annotation.consents import read_consents
from mldr.annotation.donating import donation, donations
from mldr.annotation.forgetting import withdraw_from_store
from mldr.annotation.reviews import Remove, SpanReview, Whole
from mldr.annotation.serving.storereview import StoreReview
from mldr.annotation.store import Store
from mldr.annotation.walk import last_donation, speakers, stage_of, standing
from mldr.errors import InputError, MldrError
from tests.annotation.support_donations import (
    MOBILE,
    NAMES,
    PEOPLE,
    TODAY,
    agrees,
    cut_store,
    only,
    raw,
    read_to_the_end,
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Cut, read, and everybody agreed."""
    made = cut_store(tmp_path / "store")
    read_to_the_end(made)
    agrees(made, *PEOPLE)
    return made


def received(bundle: Path, folder: Path) -> Collection:
    collection = open_collection(folder, create=True)
    receive(bundle, collection)
    return collection


def content(bundle: Path) -> str:
    with zipfile.ZipFile(bundle) as archive:
        return "\n".join(archive.read(name).decode() for name in archive.namelist())


def test_nothing_private_stands_in_the_bundle_and_it_is_received(store: Store, tmp_path: Path) -> None:
    told = donation(store, tmp_path / "gift.zip", TODAY)
    assert (told.sealed.dialogues, told.sealed.subjects, told.messages) == (1, 3, 6)
    words = content(tmp_path / "gift.zip")
    for private in (*PEOPLE, *(name for names in NAMES for name in names), MOBILE, str(tmp_path), store.key.hex()):
        assert private not in words
    assert "东门" in words
    (collected,) = received(tmp_path / "gift.zip", tmp_path / "c")
    assert sorted(collected.subjects) == ["S1", "S2", "S3"]
    assert collected.treatment["read"] is True


def test_the_same_store_gives_the_same_bundle_and_may_replace_its_own(store: Store, tmp_path: Path) -> None:
    donation(store, tmp_path / "gift.zip", TODAY)
    first = (tmp_path / "gift.zip").read_bytes()
    donation(store, tmp_path / "gift.zip", TODAY)
    assert (tmp_path / "gift.zip").read_bytes() == first
    assert len({one["seal"] for one in donations(store)}) == 1
    assert not list(store.folder.glob(".donating-*"))


def test_what_nobody_read_is_not_sealed(tmp_path: Path) -> None:
    store = cut_store(tmp_path / "store")
    agrees(store, *PEOPLE)
    with pytest.raises(InputError, match=f"dialogue {only(store)}: nobody read it"):
        donation(store, tmp_path / "gift.zip", TODAY)
    assert not (tmp_path / "gift.zip").exists()


def test_who_did_not_agree_loses_their_messages_or_the_dialogue_goes(tmp_path: Path) -> None:
    store = cut_store(tmp_path / "store")
    read_to_the_end(store)
    agrees(store, *PEOPLE[:2])
    told = donation(store, tmp_path / "gift.zip", TODAY)
    assert (told.messages, told.sealed.subjects) == (4, 2)
    assert told.left_out["messages: of people whose consent does not hold"] == 2
    (collected,) = received(tmp_path / "gift.zip", tmp_path / "c")
    assert {one.speaker for one in collected.dialogue.utterances} == {"S1", "S2"}
    assert [one.reply_to for one in collected.dialogue.utterances] == [None, None, None, None]
    assert store.subject_key("wechat", PEOPLE[2]) not in content(tmp_path / "gift.zip")
    with pytest.raises(MldrError, match="nothing is left to give: dialogues: a speaker's consent does not hold"):
        donation(store, tmp_path / "other.zip", TODAY, "drop_dialogue")


@pytest.mark.parametrize("how", ["minor", "withdrawn", "only images", "not yet"])
def test_a_consent_that_does_not_hold_is_none(tmp_path: Path, how: str) -> None:
    store = cut_store(tmp_path / "store")
    read_to_the_end(store)
    agrees(store, *PEOPLE[:2])
    agrees(store, PEOPLE[2], adult=how != "minor", scopes=("images",) if how == "only images" else ("research",))
    if how == "withdrawn":
        end(store.consents, store.subject_key("wechat", PEOPLE[2]), TODAY)
    day = TODAY
    if how == "not yet":
        day = dt.date(2026, 1, 1)
        with pytest.raises(MldrError, match="nothing is left"):
            donation(store, tmp_path / "gift.zip", day)
        return
    assert donation(store, tmp_path / "gift.zip", day).sealed.subjects == 2


def test_a_bundle_holds_the_consents_of_its_speakers_alone(store: Store, tmp_path: Path) -> None:
    review = StoreReview(store)
    for index in (2, 5):
        review.decide(only(store), Remove(utterance_id=index))
    donation(store, tmp_path / "gift.zip", TODAY)
    collection = received(tmp_path / "gift.zip", tmp_path / "c")
    assert set(read_consents(collection.consents)) == {store.subject_key("wechat", one) for one in PEOPLE[:2]}


def test_a_leak_is_told_by_its_message_and_leaves_nothing(store: Store, tmp_path: Path) -> None:
    review = StoreReview(store)
    review.decide(only(store), Remove(utterance_id=0))
    review.decide(only(store), SpanReview(utterance_id=5, start=0, end=2, choice="edit", text="欧阳明月收到"))
    with pytest.raises(InputError, match=f"dialogue {only(store)}, message 5: may show a private name") as caught:
        donation(store, tmp_path / "gift.zip", TODAY)
    assert "欧阳明月" not in str(caught.value)
    assert not (tmp_path / "gift.zip").exists()
    assert not list(store.folder.glob(".donating-*"))


def test_what_a_person_kept_stays_as_it_is_and_is_no_leak(store: Store, tmp_path: Path) -> None:
    at = raw(store).dialogue.utterances[1].text.index(MOBILE)
    place = {"utterance_id": 1, "start": at, "end": at + len(MOBILE)}
    StoreReview(store).decide(only(store), SpanReview.model_validate({**place, "choice": "keep", "kind": "mobile"}))
    donation(store, tmp_path / "gift.zip", TODAY)
    assert MOBILE in content(tmp_path / "gift.zip")


def test_a_bundle_is_never_put_into_the_store_nor_over_something_else(store: Store, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear all")
    for out, told in (
        (store.folder / "gift.zip", "inside the private store"),
        (tmp_path / "letter.txt", "stands there already"),
        (tmp_path, "stands there already"),
        (tmp_path / "no" / "gift.zip", "its folder is not there"),
    ):
        with pytest.raises(InputError, match=told):
            donation(store, out, TODAY)
    assert (tmp_path / "letter.txt").read_text() == "dear all"


def test_what_a_crash_left_is_cleared_by_the_next_run(store: Store, tmp_path: Path) -> None:
    (store.folder / ".donating-old" / "collection").mkdir(parents=True)
    donation(store, tmp_path / "gift.zip", TODAY)
    assert not list(store.folder.glob(".donating-*"))


def test_a_dialogue_that_is_left_out_needs_no_reading(store: Store, tmp_path: Path) -> None:
    StoreReview(store).decide(only(store), Whole(left_out=True, read=False))
    with pytest.raises(MldrError, match="left out by a person"):
        donation(store, tmp_path / "gift.zip", TODAY)


# --- where a giver stands


def test_the_store_tells_what_comes_next(tmp_path: Path) -> None:
    from mldr.annotation.store import open_store

    assert stage_of(open_store(tmp_path / "empty", create=True)) == "export"
    store = cut_store(tmp_path / "store")
    assert stage_of(store) == "read"
    (store.dialogues / f"{only(store)}.json").rename(tmp_path / "aside.json")
    assert stage_of(store) == "people"
    (tmp_path / "aside.json").rename(store.dialogues / f"{raw_name(tmp_path)}.json")
    read_to_the_end(store)
    assert stage_of(store) == "consent"
    agrees(store, *PEOPLE)
    donation(store, tmp_path / "gift.zip", TODAY)
    assert stage_of(store) == "sealed"
    (tmp_path / "gift.zip").unlink()
    assert (stage_of(store), last_donation(store)) == ("consent", None)


def raw_name(folder: Path) -> str:
    import json

    return str(json.loads((folder / "aside.json").read_text())["dialogue"]["dialogue_id"])


def test_speakers_are_those_of_whom_a_message_is_left(store: Store) -> None:
    review = StoreReview(store)
    agrees(store, PEOPLE[1], adult=False)
    for index in (2, 5):
        review.decide(only(store), Remove(utterance_id=index))
    found = speakers(store, TODAY)
    assert [(one["names"][0], one["owner"], one["messages"], one["why_not"]) for one in found] == [
        ("欧阳明月", True, 2, ""),
        ("Bartholomew Quill", False, 2, "not known to be an adult"),
    ]


def test_the_account_of_a_chat_names_people_and_the_clock(store: Store, tmp_path: Path) -> None:
    told = standing(store, tmp_path / "gift.zip", TODAY)
    (chat,) = told["chats"]
    assert (chat["rows"], chat["clock"], chat["zone"]) == (6, "2025-02-05 00:00", "UTC")
    assert [one["messages"] for one in chat["people"]] == [2, 2, 2]
    assert (told["dialogues"], told["done"], told["left_out"]) == (1, 1, 0)


def test_a_withdrawal_names_the_bundles_that_hold_the_person(store: Store, tmp_path: Path) -> None:
    told = donation(store, tmp_path / "gift.zip", TODAY)
    withdrawal = withdraw_from_store(store, store.subject_key("wechat", PEOPLE[1]), TODAY)
    assert any(told.sealed.seal in line for line in withdrawal.lines())
    with pytest.raises(MldrError, match="no cut dialogue"):
        donation(store, tmp_path / "gift.zip", TODAY)
