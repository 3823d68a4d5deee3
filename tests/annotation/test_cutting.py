"""Chats become dialogues; every message is in one, or counted by reason."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldr.annotation.chat import Chat, Message
from mldr.annotation.cutreport import CutReport, CutSettings
from mldr.annotation.cutting import DROPPED, TORN, cut_chats
from mldr.annotation.merging import TO_EVENT
from mldr.annotation.records import CutDialogue, cut_path, read_cut
from mldr.annotation.store import Store, append_line, open_store
from mldr.errors import InputError, MldrError
from tests.annotation.chats import FOUND, LOST, chat_of, message, put

HOUR = 3600
EASY = {"min_utterances": 1, "min_images": 0}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store", create=True)


def cut(store: Store, *, force: bool = False, **changed: Any) -> tuple[list[CutDialogue], CutReport]:
    report = cut_chats(store, CutSettings(**{**EASY, **changed}), force=force)
    made = [read_cut(path) for path in store.dialogues.glob("*.json")]
    return sorted(made, key=lambda one: (one.chat_key, one.dialogue.utterances[0].time)), report


def talk(count: int, *, start: int = 0, second: float = 0, pictures: int = 2) -> list[Message]:
    """Return messages of two people by turns, the first of them with a picture."""
    more: list[dict[str, Any]] = [{"pictures": (FOUND,)} if number < pictures else {} for number in range(count)]
    return [message(start + number, "ab"[number % 2], second + 30 * number, **more[number]) for number in range(count)]


def test_a_dialogue_holds_its_utterances_images_and_replies(store: Store) -> None:
    chat = chat_of(
        message(0, "a", 0.0625, "去爬山吗", pictures=(FOUND, LOST)),
        message(1, "b", 30, "去", reply_to="m0"),
        message(2, "b", 40, "几点"),
        message(3, "a", 50, kind="voice"),
        message(4, "a", 60, "九点", pictures=(FOUND,), reply_to="m1"),
        zone="Asia/Shanghai",
    )
    put(store, chat)
    (made,), report = cut(store)
    dialogue = made.dialogue
    assert [(u.speaker, u.text, u.image_ids, u.reply_to) for u in dialogue.utterances] == [
        ("a", "去爬山吗", (0, 1), None),
        ("b", "去\n几点", (), 0),
        ("a", "九点", (2,), 1),
    ]
    assert [str(u.time) for u in dialogue.utterances] == [
        "2025-02-05 08:00:00.062000",
        "2025-02-05 08:00:30",
        "2025-02-05 08:01:00",
    ]
    assert [image.image_key for image in dialogue.images] == [FOUND.image_key, "ref:missing/1", FOUND.image_key]
    assert made.message_ids == (("m0",), ("m1", "m2"), ("m4",))
    assert made.members == chat.members
    assert (dialogue.language, dialogue.origin, made.platform) == ("zh", "real", "wechat")
    assert dialogue.cluster_id == store.cluster_id("wechat", "1@chatroom")
    assert made.chat_key == store.chat_key("wechat", "1@chatroom")
    assert (report.messages, report.events, report.utterances, report.replies, report.replies_lost) == (4, 1, 3, 2, {})
    assert (report.images, report.images_missing) == (3, 1)


def test_pieces_that_are_too_short_or_show_too_little_are_counted_and_not_used(store: Store) -> None:
    put(
        store,
        chat_of(*talk(6), *talk(3, start=10, second=10 * HOUR), *talk(7, start=20, second=20 * HOUR, pictures=1)),
    )
    made, report = cut(store, min_utterances=5, min_images=2)
    assert [one.dialogue.n_utterances for one in made] == [6]
    assert {reason: (lost.pieces, lost.utterances, lost.messages) for reason, lost in report.unused.items()} == {
        "fewer than 5 utterances": (1, 3, 3),
        "fewer than 2 images": (1, 7, 7),
    }
    assert "fewer than 5 utterances: 3 utterances in 1 pieces" in str(report)
    assert "most of it is not used" in str(report)


def test_missing_pictures_do_not_count_towards_the_least_number(store: Store) -> None:
    put(store, chat_of(message(0, "a", 0, pictures=(FOUND, LOST))))
    made, report = cut(store, min_images=2)
    assert not made
    assert report.unused["fewer than 2 images"].utterances == 1


def test_replies_over_a_cut_lose_their_target_and_are_counted(store: Store) -> None:
    rows = [*talk(4), message(4, "a", 72 * HOUR, reply_to="m0"), message(5, "b", 72 * HOUR + 5, reply_to="m4")]
    put(store, chat_of(*rows))
    made, report = cut(store)
    assert [[u.reply_to for u in one.dialogue.utterances] for one in made] == [[None] * 4, [None, 0]]
    assert (report.replies, report.replies_lost) == (1, {TORN: 1})
    _, report = cut(store, min_utterances=3)
    assert (report.replies, report.replies_lost) == (0, {DROPPED: 2})


def test_replies_to_events_are_counted(store: Store) -> None:
    put(store, chat_of(message(0, "a", 0, kind="sticker"), message(1, "b", 1, reply_to="m0")))
    _, report = cut(store)
    assert report.replies_lost == {TO_EVENT: 1}


def test_the_same_chat_and_settings_give_the_same_bytes(store: Store) -> None:
    put(store, chat_of(*talk(30)))
    cut(store, max_utterances=10)
    before = {path.name: path.read_bytes() for path in store.dialogues.iterdir()}
    _, report = cut(store, max_utterances=10)
    assert {path.name: path.read_bytes() for path in store.dialogues.iterdir()} == before
    assert (len(before), report.removed) == (3, 0)


def test_another_key_gives_other_ids(tmp_path: Path) -> None:
    names = set()
    for name in ("one", "two"):
        other = open_store(tmp_path / name, create=True)
        put(other, chat_of(*talk(4)))
        names |= {path.name for path in other.chats.iterdir()} | {one.dialogue.dialogue_id for one in cut(other)[0]}
    assert len(names) == 4


def test_a_cut_anew_replaces_the_dialogues_of_its_chats(store: Store) -> None:
    put(store, chat_of(*talk(30)))
    put(store, chat_of(*talk(10), chat_id="other"))
    old = {one.dialogue.dialogue_id for one in cut(store, max_utterances=30)[0]}
    made, report = cut(store, max_utterances=10)
    assert report.removed == 1
    assert len(made) == 4
    assert len(old & {one.dialogue.dialogue_id for one in made}) == 1


def test_a_reviewed_dialogue_is_not_lost_without_force(store: Store) -> None:
    put(store, chat_of(*talk(30)))
    (only,), _ = cut(store)
    name = only.dialogue.dialogue_id
    append_line(store.reviews / f"{name}.jsonl", {"event": "whole", "read": True})
    cut(store)
    before = {path.name: path.read_bytes() for path in store.dialogues.iterdir()}
    with pytest.raises(InputError, match=f"dialogue {name}: would be no more, and somebody reviewed it"):
        cut(store, max_utterances=10)
    assert {path.name: path.read_bytes() for path in store.dialogues.iterdir()} == before
    _, report = cut(store, max_utterances=10, force=True)
    assert report.removed == 1
    assert (store.reviews / f"{name}.jsonl").exists()


def test_a_review_is_never_taken_for_one_of_other_words(store: Store) -> None:
    put(store, chat_of(*talk(3)))
    before = cut(store)[0][0].dialogue.dialogue_id
    put(store, chat_of(*talk(2), message(2, "a", 60, "other words")))
    assert cut(store)[0][0].dialogue.dialogue_id != before


def test_a_picture_that_is_found_later_leaves_the_dialogue_its_id(store: Store) -> None:
    put(store, chat_of(message(0, "a", 0, pictures=(LOST,))))
    before = cut(store)[0][0].dialogue.dialogue_id
    put(store, chat_of(message(0, "a", 0, pictures=(FOUND,))))
    made, report = cut(store)
    assert made[0].dialogue.dialogue_id == before
    assert report.images_missing == 0


def test_nobody_else_can_read_the_dialogues(store: Store) -> None:
    put(store, chat_of(*talk(3)))
    old = os.umask(0)
    try:
        cut(store)
    finally:
        os.umask(old)
    assert stat.S_IMODE(store.dialogues.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in store.dialogues.iterdir()} == {0o600}


def test_a_language_that_was_set_is_taken(store: Store) -> None:
    put(store, chat_of(message(0, "a", 0, "see you at nine")))
    assert cut(store)[0][0].dialogue.language == "en"
    assert cut(store, language="zh")[0][0].dialogue.language == "zh"


def test_a_store_without_chats_is_said(store: Store) -> None:
    with pytest.raises(MldrError, match="holds no chat; `mldr annotate import` brings one in"):
        cut(store)


def test_lengths_that_no_dialogue_has_are_refused(store: Store) -> None:
    put(store, chat_of(*talk(3)))
    with pytest.raises(MldrError, match="at least 20 and at most 10 utterances: no dialogue is of both"):
        cut(store, min_utterances=20, max_utterances=10)


def test_a_foreign_file_among_the_dialogues_is_a_fault(store: Store) -> None:
    put(store, chat_of(*talk(3)))
    cut(store)
    cut_path(store.dialogues, "0" * 16).write_text("[]")
    with pytest.raises(InputError, match="is no dialogue that `cut` made"):
        cut(store)


ROW = st.tuples(
    st.sampled_from("ab"),
    st.sampled_from([0, 5, 100, 500, 4 * HOUR, 40 * HOUR, -20]),
    st.sampled_from(["text", "text", "image", "sticker", "system"]),
    st.integers(0, 9),
)


def chat_from(rows: list[tuple[str, int, str, int]]) -> Chat:
    messages, second = [], 0
    for number, (sender, gap, kind, back) in enumerate(rows):
        second += gap
        spoken = kind in ("text", "image")
        shown = ((FOUND,) if back % 2 else (LOST,)) if kind == "image" else ()
        reply_to = f"m{number - back}" if spoken and 0 < back <= number else ""
        messages.append(message(number, sender, second, kind=kind, pictures=shown, reply_to=reply_to))
    return chat_of(*messages)


@given(st.lists(ROW, min_size=1, max_size=30), st.integers(1, 8), st.integers(1, 4), st.sampled_from([0, 120]))
@settings(max_examples=80)
def test_every_message_is_in_one_dialogue_or_counted_and_replies_are_exact(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[str, int, str, int]],
    longest: int,
    shortest: int,
    gap: int,
) -> None:
    store = open_store(tmp_path_factory.mktemp("any") / "store", create=True)
    chat = chat_from(rows)
    put(store, chat)
    sizes: dict[str, Any] = {"max_utterances": max(longest, shortest), "min_utterances": shortest, "min_images": 1}
    made, report = cut(store, merge_gap_s=gap, **sizes)
    spoken = {one.message_id: one for one in chat.messages if one.kind in ("text", "image")}
    used = [message_id for one in made for ids in one.message_ids for message_id in ids]
    assert len(used) == len(set(used)) == report.messages_used
    assert set(used) <= set(spoken)
    assert report.messages == len(spoken) == len(used) + sum(lost.messages for lost in report.unused.values())
    assert report.utterances == report.utterances_used + sum(lost.utterances for lost in report.unused.values())
    assert report.events == len(chat.messages) - len(spoken)
    replies = sum(bool(one.reply_to) for one in spoken.values())
    assert replies == report.replies + sum(report.replies_lost.values())
    for one in made:
        for number, (utterance, ids) in enumerate(zip(one.dialogue.utterances, one.message_ids, strict=True)):
            assert utterance.text == "\n".join(spoken[message_id].text for message_id in ids)
            if utterance.reply_to is not None:
                assert utterance.reply_to < number
                assert one.message_ids[utterance.reply_to][0] == spoken[ids[0]].reply_to
            assert not any(spoken[message_id].reply_to for message_id in ids[1:])
        assert one.dialogue.carried_ids == tuple(range(one.dialogue.n_images))
