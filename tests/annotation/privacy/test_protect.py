from __future__ import annotations

from pathlib import Path

import pytest

from mldr.annotation.collection import Collection, open_collection
from mldr.annotation.cutreport import CutSettings
from mldr.annotation.cutting import cut_chats
from mldr.annotation.example import write_example
from mldr.annotation.importing import Import, import_chats
from mldr.annotation.labels import as_line
from mldr.annotation.privacy import treat
from mldr.annotation.privacy.protect import cuts, protect, remove_unused_pictures
from mldr.annotation.reviews import ImageReview, Remove, SpanReview, Whole
from mldr.annotation.store import Store, append_line, open_store
from mldr.errors import MldrError
from tests.annotation.support_labels import put, say


@pytest.fixture
def places(tmp_path: Path) -> tuple[Store, Collection]:
    write_example(tmp_path / "export")
    store = open_store(tmp_path / "store", create=True)
    import_chats(tmp_path / "export", store, Import())
    cut_chats(store, CutSettings())
    return store, open_collection(tmp_path / "collection", create=True)


def decide(store: Store, statement: object) -> None:
    (dialogue_id,) = cuts(store)
    append_line(store.reviews / f"{dialogue_id}.jsonl", as_line(statement))  # type: ignore[arg-type]


def raw_words(store: Store) -> bytes:
    return b"".join(path.read_bytes() for path in store.folder.rglob("*.json*"))


def test_nothing_private_is_in_the_collection(places: tuple[Store, Collection]) -> None:
    store, collection = places
    told = protect(store, collection)
    assert (told.written, told.unread, told.withheld) == (1, 1, {})
    written = b"".join(path.read_bytes() for path in collection.folder.rglob("*") if path.is_file())
    for private in (
        "林晓雨",
        "徐子航",
        "wxid_",
        "13800138000",
        "幸福路18号",
        "京A12345",
        "lingshan_guide2020",
        "周末爬山",
    ):
        assert private.encode() in raw_words(store)
        assert private.encode() not in written
    assert store.key.hex().encode() not in written


def test_a_detector_that_fails_withholds_the_dialogue_and_tells_nothing_of_it(
    places: tuple[Store, Collection], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, collection = places
    protect(store, collection)

    def fails(text: str, *_: object) -> None:
        raise RecursionError(f"tripped over {text}")

    monkeypatch.setattr(treat, "find_spans", fails)
    told = protect(store, collection)
    assert list(told.withheld.values()) == ["the detectors failed (RecursionError)"]
    assert collection.ids() == []


def test_a_second_run_writes_the_same(places: tuple[Store, Collection]) -> None:
    store, collection = places
    protect(store, collection)
    before = {path: path.read_bytes() for path in collection.folder.rglob("*") if path.is_file()}
    protect(store, collection)
    assert {path: path.read_bytes() for path in collection.folder.rglob("*") if path.is_file()} == before


def test_what_a_person_leaves_out_leaves_the_collection(places: tuple[Store, Collection]) -> None:
    store, collection = places
    protect(store, collection)
    decide(store, Whole(left_out=True))
    assert list(protect(store, collection).withheld.values()) == ["left out by a person"]
    assert collection.ids() == []
    assert remove_unused_pictures(collection) == 7
    assert list(collection.images.iterdir()) == []


def test_a_picture_somebody_said_no_to_has_no_bytes_in_the_collection(places: tuple[Store, Collection]) -> None:
    store, collection = places
    decide(store, ImageReview(image_id=0, choice="no"))
    told = protect(store, collection)
    assert told.pictures == {"present": 6, "a person said no": 1}
    assert len(list(collection.images.iterdir())) == 6


def test_for_a_bundle_only_pictures_with_a_yes_go(places: tuple[Store, Collection]) -> None:
    store, collection = places
    decide(store, ImageReview(image_id=3, choice="yes"))
    told = protect(store, collection, undecided=False)
    assert told.pictures == {"present": 1, "nobody said yes yet": 6}


def test_messages_are_not_numbered_anew_under_somebody_s_labels(places: tuple[Store, Collection]) -> None:
    store, collection = places
    protect(store, collection)
    (dialogue_id,) = collection.ids()
    say(collection, "ann", dialogue_id, put("f1", "the trip", [3]))
    decide(store, Remove(utterance_id=0))
    with pytest.raises(MldrError, match="labels by ann"):
        protect(store, collection)
    assert collection.read(dialogue_id).dialogue.n_utterances == 77


def test_words_whose_places_were_reviewed_in_the_collection_are_not_changed(places: tuple[Store, Collection]) -> None:
    store, collection = places
    protect(store, collection)
    (dialogue_id,) = collection.ids()
    review = SpanReview(utterance_id=0, start=0, end=2, choice="mask")
    append_line(collection.reviews(dialogue_id), as_line(review))
    protect(store, collection)  # the same words again
    decide(store, SpanReview(utterance_id=3, start=0, end=2, choice="edit", text="別"))
    with pytest.raises(MldrError, match="was reviewed in the collection"):
        protect(store, collection)


def test_a_store_without_dialogues_says_what_to_do(tmp_path: Path) -> None:
    store = open_store(tmp_path / "s", create=True)
    with pytest.raises(MldrError, match="annotate cut"):
        protect(store, open_collection(tmp_path / "c", create=True))
