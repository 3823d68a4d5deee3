"""Who withdraws is gone from a private store: messages, pictures, dialogues, reviews; their names stay to be masked."""

from __future__ import annotations

from pathlib import Path

import pytest

from mldr.annotation.chat import Picture
from mldr.annotation.chatfile import read_chat
from mldr.annotation.consent_store import give
from mldr.annotation.consents import read_consents
from mldr.annotation.cutreport import CutSettings
from mldr.annotation.cutting import cut_chats
from mldr.annotation.forgetting import withdraw_from_store
from mldr.annotation.records import read_cut
from mldr.annotation.store import Store, append_line, open_store
from mldr.annotation.tombstones import read_tombstones
from mldr.errors import MldrError
from tests.annotation.chats import chat_of, message, put
from tests.annotation.support_collections import TODAY, consent

SHARED, OWN = (Picture("sha256:" + digit * 64) for digit in "ab")
SETTINGS = CutSettings(min_utterances=2, min_images=0)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Two chats: li and wu speak in the first, wu and xu in the second; each is cut, and each dialogue reviewed."""
    store = open_store(tmp_path / "store", create=True)
    first = chat_of(
        message(1, "li", 0, kind="image", pictures=(SHARED,)),
        message(2, "wu", 200, kind="image", pictures=(SHARED,)),
        message(3, "li", 400, kind="image", pictures=(OWN,)),
        message(4, "wu", 600, "to li", reply_to="m3", reply_method="id"),
        message(5, "xu", 800, "to wu", reply_to="m4", reply_method="id"),
    )
    for chat in (first, chat_of(message(1, "wu", 0), message(2, "xu", 200), chat_id="2@chatroom")):
        folder = put(store, chat)
        (folder / "images").mkdir()
        for picture in (SHARED, OWN):
            (folder / "images" / f"{picture.image_key[7:]}.jpg").write_bytes(b"picture")
    cut_chats(store, SETTINGS)
    for path in sorted(store.dialogues.glob("*.json")):
        append_line(store.reviews / f"{path.stem}.jsonl", {"event": "whole", "read": True})
    return store


def key_of(store: Store, person: str) -> str:
    return store.subject_key("wechat", person)


def files(store: Store) -> dict[str, bytes]:
    return {
        path.relative_to(store.folder).as_posix(): path.read_bytes()
        for path in sorted(store.folder.rglob("*"))
        if path.is_file() and not path.name.endswith(".lock")
    }


def test_messages_pictures_and_links_of_who_withdraws_go_from_the_chats(store: Store) -> None:
    told = withdraw_from_store(store, key_of(store, "li"), TODAY)
    folder = store.chats / store.chat_key("wechat", "1@chatroom")
    chat = read_chat(folder / "chat.jsonl")
    assert [one.message_id for one in chat.messages] == ["m2", "m4", "m5"]
    assert [one.reply_to for one in chat.messages] == ["", "", "m4"]
    assert [one.reply_method for one in chat.messages] == ["", "", "id"]
    assert [path.stem for path in (folder / "images").iterdir()] == [SHARED.image_key[7:]]
    assert told.messages == 2
    assert (folder / "chat.jsonl").stat().st_mode & 0o077 == 0


def test_the_dialogues_cut_with_them_go_with_their_reviews_and_others_stay(store: Store) -> None:
    speakers = {
        path.stem: {utterance.speaker for utterance in read_cut(path).dialogue.utterances}
        for path in store.dialogues.glob("*.json")
    }
    told = withdraw_from_store(store, key_of(store, "li"), TODAY)
    gone = {name for name, people in speakers.items() if "li" in people}
    assert len(gone) == 1
    assert set(told.dialogues) == gone
    assert {path.stem for path in store.dialogues.glob("*.json")} == set(speakers) - gone
    assert {path.stem for path in store.reviews.glob("*.jsonl")} == set(speakers) - gone
    assert {stone.dialogue_id for stone in read_tombstones(store.folder / "tombstones.jsonl")} == gone
    assert any("cut the chats again" in line for line in told.lines())


def test_a_later_cut_has_nothing_of_them(store: Store) -> None:
    withdraw_from_store(store, key_of(store, "li"), TODAY)
    cut_chats(store, SETTINGS)
    for path in store.dialogues.glob("*.json"):
        assert "li" not in {utterance.speaker for utterance in read_cut(path).dialogue.utterances}


def test_their_names_stay_known_so_that_others_mentions_of_them_are_masked(store: Store) -> None:
    told = withdraw_from_store(store, key_of(store, "li"), TODAY)
    chat = read_chat(store.chats / store.chat_key("wechat", "1@chatroom") / "chat.jsonl")
    assert ("li", ("LI",)) in [(member.person, member.names) for member in chat.members]
    assert any("names stay" in line for line in told.lines())


def test_a_person_of_several_chats_is_gone_from_all_of_them(store: Store) -> None:
    told = withdraw_from_store(store, key_of(store, "wu"), TODAY)
    assert told.messages == 3
    assert len(told.dialogues) == 2
    assert not list(store.dialogues.glob("*.json"))


def test_the_record_ends_and_withdrawing_twice_changes_nothing(store: Store) -> None:
    give(store.consents, consent(1).model_copy(update={"subject_key": key_of(store, "li")}))
    once = withdraw_from_store(store, key_of(store, "li"), TODAY)
    assert read_consents(store.consents)[key_of(store, "li")].withdrawn == TODAY
    before = files(store)
    again = withdraw_from_store(store, key_of(store, "li"), TODAY)
    assert files(store) == before
    assert (again.dialogues, again.messages, again.files) == (once.dialogues, 0, 0)


def test_a_key_of_nobody_is_an_error_and_touches_nothing(store: Store) -> None:
    before = files(store)
    with pytest.raises(MldrError, match="nobody here"):
        withdraw_from_store(store, "0" * 32, TODAY)
    with pytest.raises(MldrError, match="32 hex digits"):
        withdraw_from_store(store, "li", TODAY)
    assert files(store) == before
