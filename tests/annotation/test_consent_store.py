"""A consent record grows by lines; an old sheet never undoes a withdrawal."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from mldr.annotation.consent_store import carried, end, give
from mldr.annotation.consents import read_consents
from mldr.errors import InputError, MldrError
from tests.annotation.support_collections import TODAY, consent, subject


def test_a_consent_that_was_given_is_read_back_and_given_again_adds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "consent.jsonl"
    assert give(path, consent(1))
    assert not give(path, consent(1))
    assert give(path, consent(2, "research"))
    assert read_consents(path) == {subject(1): consent(1), subject(2): consent(2, "research")}
    assert path.read_bytes().count(b"\n") == 2


def test_a_person_may_change_their_mind_and_the_newest_statement_counts(tmp_path: Path) -> None:
    path = tmp_path / "consent.jsonl"
    give(path, consent(1))
    give(path, consent(1, "research", date="2026-02-01"))
    assert read_consents(path)[subject(1)].scopes == ("research",)


def test_a_withdrawal_is_a_line_of_its_own_and_said_once(tmp_path: Path) -> None:
    path = tmp_path / "consent.jsonl"
    give(path, consent(1))
    before = path.read_bytes()
    assert end(path, subject(1), TODAY)
    assert not end(path, subject(1), TODAY + dt.timedelta(days=9))
    assert path.read_bytes().startswith(before)
    assert read_consents(path)[subject(1)].withdrawn == TODAY


def test_a_sheet_from_before_the_withdrawal_does_not_undo_it_and_a_new_one_does(tmp_path: Path) -> None:
    path = tmp_path / "consent.jsonl"
    give(path, consent(1))
    end(path, subject(1), TODAY)
    with pytest.raises(InputError, match="was withdrawn on 2026-05-01"):
        give(path, consent(1))
    give(path, consent(1, date=TODAY))
    assert read_consents(path)[subject(1)].alive("research", TODAY)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"withdrawn": "2026-03-01"}, "is withdrawn already"),
        ({"expires": "2025-01-01"}, "before it was given"),
        ({"scopes": ["research", "research"]}, "none twice"),
        ({"scopes": []}, "at least one"),
    ],
)
def test_a_consent_that_cannot_be_is_refused_and_nothing_is_written(
    tmp_path: Path, changes: dict[str, Any], word: str
) -> None:
    path = tmp_path / "consent.jsonl"
    with pytest.raises(InputError, match=word):
        give(path, consent(1, **changes))
    assert not path.exists()


def test_nobody_can_withdraw_what_they_never_gave(tmp_path: Path) -> None:
    with pytest.raises(MldrError, match="holds no consent of 00000000"):
        end(tmp_path / "consent.jsonl", subject(7), TODAY)


def test_what_a_store_s_record_says_of_a_collection_s_speakers_is_carried_once(tmp_path: Path) -> None:
    store, collection = tmp_path / "store.jsonl", tmp_path / "collection.jsonl"
    for number in (1, 2):
        give(store, consent(number, "research"))
    assert carried(store, collection, {subject(1)}) == 1
    assert read_consents(collection) == {subject(1): consent(1, "research")}
    give(store, consent(1, "research", "images"))
    assert carried(store, collection, {subject(1)}) == 1
    assert read_consents(collection)[subject(1)].scopes == ("research", "images")
    before = collection.read_bytes()
    assert carried(store, collection, {subject(1)}) == 0
    assert collection.read_bytes() == before


def test_what_was_said_in_the_collection_since_then_stands(tmp_path: Path) -> None:
    store, collection = tmp_path / "store.jsonl", tmp_path / "collection.jsonl"
    give(store, consent(1))
    carried(store, collection, {subject(1)})
    give(collection, consent(1, "research", date="2026-02-01"))
    assert carried(store, collection, {subject(1)}) == 0
    end(collection, subject(1), TODAY)
    give(store, consent(1, date="2026-03-01"))
    assert carried(store, collection, {subject(1)}) == 0
    assert read_consents(collection)[subject(1)].withdrawn == TODAY


def test_a_withdrawal_from_the_store_ends_the_consent_in_the_collection(tmp_path: Path) -> None:
    store, collection = tmp_path / "store.jsonl", tmp_path / "collection.jsonl"
    give(store, consent(1))
    carried(store, collection, {subject(1)})
    end(store, subject(1), TODAY)
    assert carried(store, collection, {subject(1)}) == 1
    assert not read_consents(collection)[subject(1)].alive("research", TODAY)
