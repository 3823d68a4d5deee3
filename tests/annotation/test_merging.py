"""Messages of one speaker in a row become one utterance, and replies stay exact."""

from __future__ import annotations

import pytest

from mldr.annotation.chat import Message
from mldr.annotation.merging import TO_EVENT, TO_LATER, TO_NOTHING, Drafts, merged
from tests.annotation.chats import FOUND, LOST, chat_of, message


def ids(made: Drafts) -> list[list[str]]:
    return [[message.message_id for message in draft.messages] for draft in made.drafts]


def test_messages_of_one_speaker_become_one_with_a_line_each_and_their_pictures() -> None:
    picture = message(1, "a", 60, kind="image", pictures=(FOUND, LOST))
    made = merged(chat_of(message(0, "a", 0), picture, message(2, "a", 120), message(3, "b", 130)), 120)
    assert ids(made) == [["m0", "m1", "m2"], ["m3"]]
    draft = made.drafts[0]
    assert (draft.text, draft.pictures, draft.present) == ("t0\nt1\nt2", [FOUND, LOST], 1)
    assert (draft.speaker, (draft.end - draft.time).total_seconds()) == ("a", 120)


def test_a_picture_without_words_adds_no_line() -> None:
    bare = Message("m1", "a", message(1, "a", 5).time, "image", "", (FOUND,))
    assert merged(chat_of(message(0, "a", 0), bare, message(2, "a", 9)), 120).drafts[0].text == "t0\nt2"


@pytest.mark.parametrize(("gap_s", "count"), [(120, 1), (119, 2), (0, 2)])
def test_the_gap_is_from_message_to_message(gap_s: float, count: int) -> None:
    assert len(merged(chat_of(message(0, "a", 0), message(1, "a", 120)), gap_s).drafts) == count


def test_nothing_is_merged_at_a_gap_of_nothing() -> None:
    assert len(merged(chat_of(message(0, "a", 0), message(1, "a", 0)), 0).drafts) == 2


def test_a_long_step_back_in_time_ends_an_utterance() -> None:
    assert len(merged(chat_of(message(0, "a", 500), message(1, "a", 0)), 120).drafts) == 2


@pytest.mark.parametrize(("sender", "count"), [("b", 2), ("a", 2), ("", 1)])
def test_what_somebody_does_in_between_ends_an_utterance_and_a_system_line_does_not(sender: str, count: int) -> None:
    event = message(1, sender, 1, kind="voice" if sender else "system")
    made = merged(chat_of(message(0, "a", 0), event, message(2, "a", 2)), 120)
    assert len(made.drafts) == count
    assert (made.messages, made.events) == (2, 1)


def test_a_reply_begins_an_utterance_and_so_does_what_it_answers() -> None:
    made = merged(
        chat_of(
            message(0, "a", 0),
            message(1, "a", 1),
            message(2, "a", 2),
            message(3, "a", 3, reply_to="m1"),
            message(4, "a", 4),
        ),
        120,
    )
    assert ids(made) == [["m0"], ["m1", "m2"], ["m3", "m4"]]
    assert [draft.reply_to for draft in made.drafts] == [None, None, 1]


def test_replies_that_point_to_no_earlier_utterance_are_counted() -> None:
    made = merged(
        chat_of(
            message(0, "a", 0, reply_to="m3"),
            message(1, "b", 1, kind="voice"),
            message(2, "a", 2, reply_to="m1"),
            message(3, "b", 3, reply_to="m9"),
            message(4, "a", 4, reply_to="m4"),
        ),
        120,
    )
    assert made.replies_lost == {TO_LATER: 2, TO_EVENT: 1, TO_NOTHING: 1}
    assert not any(draft.reply_to is not None for draft in made.drafts)
