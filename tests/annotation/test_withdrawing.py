"""Who withdraws is gone from a collection, with all that was said of their dialogues; an interruption changes nothing about it."""

from __future__ import annotations

import contextlib
import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from mldr.annotation import withdrawing
from mldr.annotation.collection import Collection
from mldr.annotation.consent_rules import releasable
from mldr.annotation.consent_store import give
from mldr.annotation.consents import read_consents
from mldr.annotation.store import append_line
from mldr.annotation.tombstones import collection_version, read_releases, read_tombstones
from mldr.annotation.withdrawing import withdraw
from mldr.errors import InputError, MldrError
from tests.annotation.support_collections import TODAY, collected, collection_of, consent, subject

GOLD = "ab" * 32


def labelled_collection(folder: Path) -> Collection:
    """Three dialogues: 1 and 2 show one picture, 3 another; everything was said of each that can be."""
    collection = collection_of(
        folder,
        collected("1221", 1, images=(1,)),
        collected("1313", 2, images=(0,)),
        collected("2424", 3, images=(2,), colour="blue"),
    )
    for number in range(1, 5):
        give(collection.consents, consent(number))
    for dialogue_id in collection.ids():
        for path in said_of(collection, dialogue_id):
            append_line(path, {"event": "done"})
    for version, ids in ((1, collection.ids()[:1]), (2, collection.ids()[1:2]), (3, collection.ids())):
        record = {
            "name": "mldr-ffr-chats",
            "version": version,
            "gold_hash": GOLD,
            "date": "2026-04-01",
            "dialogues": ids,
        }
        append_line(collection.folder / "releases.jsonl", record)
    return collection


def said_of(collection: Collection, dialogue_id: str) -> list[Path]:
    return [
        collection.queries(dialogue_id),
        collection.adjudicated(dialogue_id),
        collection.reviews(dialogue_id),
        collection.labels("anna", dialogue_id),
        collection.labels("bo", dialogue_id),
    ]


def state(collection: Collection) -> dict[str, bytes]:
    return {
        path.relative_to(collection.folder).as_posix(): path.read_bytes()
        for path in sorted(collection.folder.rglob("*"))
        if path.is_file() and not path.name.endswith(".lock")
    }


def test_the_dialogues_of_who_withdraws_go_with_pictures_labels_verdicts_queries_and_reviews(tmp_path: Path) -> None:
    collection = labelled_collection(tmp_path / "c")
    first, second, third = collection.ids()
    told = withdraw(collection, subject(2), TODAY)
    assert told.dialogues == (first, third)
    assert collection.ids() == [second]
    assert not any(path.exists() for gone in (first, third) for path in said_of(collection, gone))
    assert all(path.exists() for path in said_of(collection, second))
    assert len(list(collection.images.iterdir())) == 1  # the picture that the second dialogue shows, too, stays
    assert told.files == 2 * (5 + 1) + 1
    left = b"".join(state(collection).values())
    assert b"S2" not in left
    assert not list(collection.folder.rglob(f".{first}*"))


def test_a_tombstone_and_the_record_say_so_and_nothing_is_released_any_more(tmp_path: Path) -> None:
    collection = labelled_collection(tmp_path / "c")
    whole = collection.read(collection.ids()[0])
    withdraw(collection, subject(2), TODAY)
    stones = read_tombstones(collection.tombstones)
    assert [(stone.dialogue_id[-1], stone.subject_key, stone.date, stone.version) for stone in stones] == [
        ("1", subject(2), TODAY, 2),
        ("3", subject(2), TODAY, 2),
    ]
    consents = read_consents(collection.consents)
    assert consents[subject(2)].withdrawn == TODAY
    assert releasable(whole, consents, ["research"], TODAY, "drop_dialogue").reasons == ("consent withdrawn",)


def test_each_withdrawal_makes_a_new_version(tmp_path: Path) -> None:
    collection = labelled_collection(tmp_path / "c")
    assert collection_version(collection) == 1
    assert withdraw(collection, subject(4), TODAY).version == 2
    assert withdraw(collection, subject(1), TODAY + dt.timedelta(days=1)).version == 3
    assert collection_version(collection) == 3


def test_what_downloaders_may_still_hold_is_told_and_names_nobody(tmp_path: Path) -> None:
    collection = labelled_collection(tmp_path / "c")
    told = withdraw(collection, subject(2), TODAY)
    assert [one.version for one in told.releases] == [1, 3]
    lines = "\n".join(told.lines())
    assert f"mldr-ffr-chats, version 3, of 2026-04-01 (gold {GOLD[:16]})" in lines
    assert "version 2, of" not in lines
    assert "tell whoever downloaded one to delete it" in lines
    assert subject(2) not in lines


def test_nothing_was_released_and_nothing_is_told_of_downloaders(tmp_path: Path) -> None:
    collection = collection_of(tmp_path / "c", collected("12"))
    give(collection.consents, consent(1))
    told = withdraw(collection, subject(1), TODAY)
    assert (told.releases, read_releases(collection)) == ((), [])
    assert not any("downloaded" in line for line in told.lines())


def test_withdrawing_twice_changes_nothing_and_tells_the_same(tmp_path: Path) -> None:
    collection = labelled_collection(tmp_path / "c")
    once = withdraw(collection, subject(2), TODAY)
    before = state(collection)
    again = withdraw(collection, subject(2), TODAY + dt.timedelta(days=30))
    assert state(collection) == before
    assert (again.dialogues, again.releases, again.version, again.files) == (once.dialogues, once.releases, 2, 0)


@pytest.mark.parametrize("stop", range(1, 16))
def test_a_withdrawal_that_was_cut_short_is_carried_to_its_end_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: int
) -> None:
    whole = labelled_collection(tmp_path / "whole")
    withdraw(whole, subject(2), TODAY)
    collection = labelled_collection(tmp_path / "c")
    steps = iter(range(1, stop + 1))

    def counted(name: str) -> Any:
        real = getattr(withdrawing, name)

        def step(*given: Any) -> Any:
            if next(steps, None) is None:
                raise KeyboardInterrupt
            return real(*given)

        return step

    with monkeypatch.context() as patched:
        for name in ("ended", "entombed", "removed"):
            patched.setattr(withdrawing, name, counted(name))
        with contextlib.suppress(KeyboardInterrupt):
            withdraw(collection, subject(2), TODAY)
    withdraw(collection, subject(2), TODAY)
    assert state(collection) == state(whole)


def test_what_an_open_page_wrote_after_a_withdrawal_goes_with_the_next_run(tmp_path: Path) -> None:
    collection = labelled_collection(tmp_path / "c")
    first = collection.ids()[0]
    withdraw(collection, subject(2), TODAY)
    append_line(collection.labels("anna", first), {"event": "done"})
    assert withdraw(collection, subject(2), TODAY).files == 1
    assert not collection.labels("anna", first).exists()


def test_a_speaker_without_a_line_in_the_record_can_withdraw_too(tmp_path: Path) -> None:
    collection = collection_of(tmp_path / "c", collected("12"), collected("13", 2))
    assert withdraw(collection, subject(2), TODAY).dialogues == ("0000000000000001",)
    assert len(collection.ids()) == 1


@pytest.mark.parametrize("key", [subject(9), "", "../../etc", "0" * 31])
def test_a_key_of_nobody_is_an_error_and_touches_nothing(tmp_path: Path, key: str) -> None:
    collection = labelled_collection(tmp_path / "c")
    before = state(collection)
    with pytest.raises(MldrError, match=r"nobody here|32 hex digits"):
        withdraw(collection, key, TODAY)
    assert state(collection) == before


def test_a_broken_dialogue_stops_the_purge_but_not_the_end_of_the_consent(tmp_path: Path) -> None:
    collection = labelled_collection(tmp_path / "c")
    (collection.dialogues / f"{2:016x}.json").write_text("{}", encoding="utf-8")
    with pytest.raises(MldrError, match=f"{2:016x}"):
        withdraw(collection, subject(2), TODAY)
    assert read_consents(collection.consents)[subject(2)].withdrawn == TODAY


def test_a_malformed_tombstone_is_told_with_its_line(tmp_path: Path) -> None:
    collection = labelled_collection(tmp_path / "c")
    collection.tombstones.write_text('{"dialogue_id": "x"}\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"tombstones.jsonl, line 1"):
        withdraw(collection, subject(2), TODAY)
