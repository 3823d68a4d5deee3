"""The traps of exports of a guild's channel."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.annotation.chat import Member
from mldr.annotation.readers import guild_json
from mldr.annotation.readers.contract import PictureHint, Quote, RawChat, RawMessage, Tally
from mldr.annotation.readers.guild_json import oldest_first
from mldr.errors import InputError
from tests.annotation.readers.support_json import read_json

LIN = {"id": "1002", "name": "lin", "discriminator": "0000", "nickname": "林晚舟", "isBot": False}
MESSAGE = {
    "id": "5",
    "type": "Default",
    "timestamp": "2025-02-05T08:00:00.123+08:00",
    "content": "",
    "author": LIN,
    "attachments": [],
}


def chat(folder: Path, *rows: Any, **channel: Any) -> tuple[RawChat, Tally]:
    where = {"id": "872001", "type": "GuildTextChat", "name": "周末爬山", **channel}
    value = {"guild": {"id": "9", "name": "山友"}, "channel": where, "messages": list(rows), "messageCount": len(rows)}
    (one,), tally = read_json(guild_json, folder, value)
    return one, tally


def message(folder: Path, **fields: Any) -> RawMessage:
    one, tally = chat(folder, {**MESSAGE, **fields})
    assert not tally.dropped
    return one.messages[0]


def file(name: str, url: str = "a_Files/x.png") -> dict[str, Any]:
    return {"id": "6", "url": url, "fileName": name, "fileSizeBytes": 9}


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"type": "RecipientAdd", "content": "added 许青禾"}, "system"),
        ({"type": "ChannelPinnedMessage", "content": "pinned"}, "system"),
        ({"type": "20", "content": "x"}, "system"),
        ({"type": "Call", "content": "called"}, "call"),
        ({"stickers": [{"id": "1", "name": "笑"}]}, "sticker"),
        ({"attachments": [file("a.pdf")]}, "file"),
        ({"attachments": [file("voice-message.ogg")]}, "voice"),
        ({"attachments": [file("A.MP4")]}, "video"),
        ({"embeds": [{"title": "x", "description": "y"}]}, "link"),
        ({}, "other"),
        ({"content": "别人的话", "reference": {"type": "Forward", "messageId": "1"}}, "forward"),
        ({"forwardedMessage": {"content": "别人的话"}}, "forward"),
    ],
    ids=str,
)
def test_what_is_neither_words_nor_a_picture_is_an_event(tmp_path: Path, fields: dict[str, Any], kind: str) -> None:
    found = message(tmp_path, **fields)
    assert (found.kind, found.text, found.pictures) == (kind, "", ())


@pytest.mark.parametrize("name", ["a.png", "SPOILER_A.JPG", "a.webp", "a.gif", "a.jpeg"])
def test_attachments_are_pictures_by_the_names_of_their_files(tmp_path: Path, name: str) -> None:
    found = message(tmp_path, attachments=[file(name), file("a.pdf")], content="看")
    assert (found.kind, found.text, found.pictures) == ("image", "看", (PictureHint(("a_Files/x.png",)),))


def test_an_address_is_handed_on_as_it_is_and_a_local_path_decoded_too(tmp_path: Path) -> None:
    urls = ["https://cdn.example/a/image.png?ex=1", "a_Files/%E5%B1%B1.png"]
    found = message(tmp_path, attachments=[file("image.png", url) for url in urls])
    assert found.pictures == (PictureHint((urls[0],)), PictureHint((urls[1], "a_Files/山.png")))


def test_a_reply_answers_the_message_of_its_reference(tmp_path: Path) -> None:
    found = message(tmp_path, type="Reply", content="好", reference={"messageId": "4", "channelId": "872001"})
    assert (found.kind, found.quote) == ("text", Quote("4"))
    assert message(tmp_path, type="Reply", content="好", reference={"messageId": None}).quote == Quote("")


def test_an_edit_does_not_move_a_message(tmp_path: Path) -> None:
    found = message(tmp_path, content="好", timestampEdited="2025-02-07T08:00:00+08:00")
    assert found.time == datetime(2025, 2, 5, 0, 0, 0, 123000, tzinfo=UTC)


def test_times_with_seven_digits_of_a_second_are_read(tmp_path: Path) -> None:
    assert message(tmp_path, content="好", timestamp="2025-02-05T00:00:00.1234567+00:00").time.microsecond == 123456


def test_bots_are_people_here(tmp_path: Path) -> None:
    found, _ = chat(tmp_path, {**MESSAGE, "content": "提醒", "author": {"id": "8", "name": "bot", "isBot": True}})
    assert (found.messages[0].sender, found.members) == ("8", (Member("8", ("bot",)),))


def test_everybody_who_is_mentioned_or_reacts_is_known_by_name(tmp_path: Path) -> None:
    more = {
        "mentions": [{"id": "3", "name": "xu", "nickname": "许青禾"}],
        "reactions": [{"emoji": {"name": "x"}, "count": 1, "users": [{"id": "4", "name": "gao"}]}],
        "interaction": {"id": "1", "name": "roll", "user": {"id": "5", "name": "wei"}},
    }
    found, _ = chat(tmp_path, {**MESSAGE, "content": "@许青禾 好", **more})
    assert [(member.person, member.names) for member in found.members] == [
        ("1002", ("林晚舟", "lin")),
        ("3", ("许青禾", "xu")),
        ("4", ("gao",)),
        ("5", ("wei",)),
    ]


@pytest.mark.parametrize(
    ("kind", "group"), [("GuildTextChat", True), ("DirectTextChat", False), ("DirectGroupTextChat", True)]
)
def test_a_group_is_told_by_the_kind_of_channel(tmp_path: Path, kind: str, group: bool) -> None:
    assert chat(tmp_path, {**MESSAGE, "content": "a"}, type=kind)[0].group == group


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"timestamp": None}, "it has no time"),
        ({"timestamp": 1738713600}, "its time is no date with a time"),
        ({"timestamp": "1999-02-05T08:00:00+08:00"}, "its time is not between the years 2000 and 2100"),
        ({"content": ["a"]}, "content is no text"),
        ({"content": "a", "author": None}, "it has no sender"),
        ({"attachments": {}}, "attachments is no list of objects"),
        ({"attachments": [file("a.png", url=5) | {"url": []}]}, "url is no text"),  # type: ignore[arg-type]
        ({"mentions": "x"}, "mentions is no list of objects"),
        ({"type": []}, "type is no text"),
    ],
    ids=str,
)
def test_a_wrong_field_drops_its_row_and_no_other(tmp_path: Path, wrong: dict[str, Any], reason: str) -> None:
    one, tally = chat(tmp_path, {**MESSAGE, **wrong}, {**MESSAGE, "content": "b"})
    assert [found.text for found in one.messages] == ["b"]
    assert (tally.rows, tally.dropped) == (2, {reason: 1})


def test_a_file_without_messages_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no list 'messages'"):
        read_json(guild_json, tmp_path, {"guild": {}, "channel": {}})


def test_an_export_with_its_newest_message_first_is_turned_round(tmp_path: Path) -> None:
    rows = [
        {**MESSAGE, "id": str(9 - day), "timestamp": f"2025-02-0{9 - day}T08:00:00+08:00", "content": "a"}
        for day in range(5)
    ]
    found, _ = chat(tmp_path, *rows)
    assert [one.message_id for one in found.messages] == ["5", "6", "7", "8", "9"]


@given(st.lists(st.integers(0, 5), max_size=8))
def test_messages_are_turned_round_or_left_but_never_sorted(seconds: list[int]) -> None:
    messages = tuple(
        RawMessage("a", datetime(2025, 2, 5, 0, 0, second, tzinfo=UTC), "text", f"messages[{index}]")
        for index, second in enumerate(seconds)
    )
    turned = oldest_first(messages)
    assert turned in (messages, messages[::-1])
    if sorted(seconds) == seconds:
        assert turned == messages
    elif sorted(seconds, reverse=True) == seconds:
        assert turned == messages[::-1]
