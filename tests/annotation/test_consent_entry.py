from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from mldr.annotation.collection import open_collection
from mldr.annotation.consent_entry import enter, listed, withdraw_from
from mldr.annotation.consents import read_consents
from mldr.annotation.cutreport import CutSettings
from mldr.annotation.cutting import cut_chats
from mldr.annotation.example import write_example
from mldr.annotation.importing import Import, import_chats
from mldr.annotation.store import Store, open_store
from mldr.errors import InputError, MldrError
from tests.annotation.support_labels import subject

TODAY = dt.date(2026, 6, 1)
TOLD: dict[str, Any] = {
    "notice_version": "1",
    "method": "signed",
    "date": "2026-01-02",
    "scopes": ["research", "images"],
    "adult": True,
}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    write_example(tmp_path / "export")
    made = open_store(tmp_path / "store", create=True)
    import_chats(tmp_path / "export", made, Import())
    cut_chats(made, CutSettings())
    return made


def test_a_store_lists_everybody_who_speaks_and_what_they_said(store: Store) -> None:
    key = enter(store.folder, "wechat", "wxid_lin8fq2k7p3xw1", TOLD)
    rows = {row[1].split()[-1]: row for row in listed(store.folder, TODAY)}
    assert sorted(rows) == ["徐子航", "林晓雨", "陈立"]
    assert rows["林晓雨"] == [key, "wxid_lin8fq2k7p3xw1 林晓雨", "research, images", "", "1", "2026-01-02", "signed"]
    assert rows["陈立"][3] == "no consent on record"


def test_the_record_names_nobody(store: Store) -> None:
    enter(store.folder, "wechat", "wxid_lin8fq2k7p3xw1", TOLD)
    words = store.consents.read_text(encoding="utf-8")
    assert "wxid" not in words
    assert "林" not in words


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"scopes": ["sale"]}, "scopes"),
        ({"date": "yesterday"}, "date"),
        ({"method": "guessed"}, "method"),
        ({"notice_version": ""}, "notice_version"),
        ({"expires": "soon"}, "expires"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_entered(store: Store, change: dict[str, Any], place: str) -> None:
    with pytest.raises(InputError, match=place):
        enter(store.folder, "wechat", "wxid_lin8fq2k7p3xw1", {**TOLD, **change})
    assert read_consents(store.consents) == {}


def test_a_collection_knows_subject_keys_alone(tmp_path: Path) -> None:
    collection = open_collection(tmp_path / "c", create=True)
    with pytest.raises(MldrError, match="subject keys"):
        enter(collection.folder, "wechat", "wxid_a", TOLD)
    assert enter(collection.folder, "wechat", subject(3), TOLD) == subject(3)
    assert [row[:3] for row in listed(collection.folder, TODAY)] == [[subject(3), "", "research, images"]]


def test_a_place_that_is_neither_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MldrError, match="no private store"):
        enter(tmp_path, "wechat", "x", TOLD)
    with pytest.raises(MldrError, match="no private store"):
        list(listed(tmp_path, TODAY))


def test_a_person_who_withdraws_is_gone_from_the_store_s_dialogues(store: Store) -> None:
    key = enter(store.folder, "wechat", "wxid_chen1h7e5t9vq8", TOLD)
    lines = withdraw_from(store.folder, "wechat", "wxid_chen1h7e5t9vq8", TODAY)
    assert lines
    assert read_consents(store.consents)[key].withdrawn == TODAY
    assert not any("wxid_chen1h7e5t9vq8" in row[1] for row in listed(store.folder, TODAY))


@pytest.mark.parametrize(("platform", "person"), [("wechat", "wxid_nobody"), ("qq", "wxid_chen1h7e5t9vq8")])
def test_a_consent_of_nobody_in_the_store_is_refused(store: Store, platform: str, person: str) -> None:
    with pytest.raises(MldrError, match="nobody in its chats has the id"):
        enter(store.folder, platform, person, TOLD)
    assert read_consents(store.consents) == {}


def test_a_person_may_be_named_by_the_key_that_the_list_shows(store: Store) -> None:
    key = store.subject_key("wechat", "wxid_chen1h7e5t9vq8")
    assert enter(store.folder, "wechat", key, TOLD) == key


def test_a_withdrawal_from_a_store_says_how_to_go_on_in_a_collection(store: Store) -> None:
    key = enter(store.folder, "wechat", "wxid_chen1h7e5t9vq8", TOLD)
    lines = withdraw_from(store.folder, "wechat", "wxid_chen1h7e5t9vq8", TODAY)
    assert any(f"consent withdraw COLLECTION --person {key}" in line for line in lines)
