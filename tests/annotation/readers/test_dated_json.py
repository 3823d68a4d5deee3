"""The traps of exports with dated messages, one chat and a whole account."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mldr.annotation.chat import Member
from mldr.annotation.readers import dated_json
from mldr.annotation.readers.contract import PictureHint, Quote, RawChat, RawMessage, Tally
from mldr.errors import InputError
from tests.annotation.readers.exports_other import SECRET, write_dated_account
from tests.annotation.readers.support_json import known, read_file, read_json

NOT_INCLUDED = "(File not included. Change data exporting settings to download.)"
MESSAGE = {
    "id": 5,
    "type": "message",
    "date": "2025-02-05T08:00:00",
    "date_unixtime": "1738713600",
    "from": "林晚舟",
    "from_id": "user1002",
    "text": "",
}


def chat(folder: Path, *rows: Any, **more: Any) -> tuple[RawChat, Tally]:
    value = {"name": "周末爬山", "type": "private_group", "id": 872001, "messages": list(rows), **more}
    (one,), tally = read_json(dated_json, folder, value)
    return one, tally


def message(folder: Path, **fields: Any) -> RawMessage:
    one, tally = chat(folder, {**MESSAGE, **fields})
    assert not tally.dropped
    return one.messages[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("去吗", "去吗"),
        (["看 ", {"type": "link", "text": "https://h/a"}, " 这个"], "看 https://h/a 这个"),
        ([{"type": "plain", "text": "a"}, {"type": "bold", "text": "b"}], "ab"),
        (["第一行\r\n", "第二行"], "第一行\n第二行"),
    ],
)
def test_a_text_is_a_string_or_a_list_of_parts(tmp_path: Path, text: Any, words: str) -> None:
    assert (message(tmp_path, text=text).kind, message(tmp_path, text=text).text) == ("text", words)


def test_where_the_text_is_empty_its_entities_tell_it(tmp_path: Path) -> None:
    entities = [{"type": "plain", "text": "去"}, {"type": "italic", "text": "吗"}]
    assert message(tmp_path, text_entities=entities).text == "去吗"
    assert message(tmp_path, text="去吗", text_entities=entities).text == "去吗"


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"media_type": "sticker", "file": "s.webp", "sticker_emoji": "😀"}, "sticker"),
        ({"media_type": "animation", "file": "a.mp4", "mime_type": "video/mp4"}, "sticker"),
        ({"media_type": "voice_message", "file": "a.ogg"}, "voice"),
        ({"media_type": "video_message", "file": "a.mp4"}, "video"),
        ({"media_type": "video_file", "file": NOT_INCLUDED}, "video"),
        ({"media_type": "audio_file", "file": "a.mp3"}, "file"),
        ({"file": "a.pdf", "mime_type": "application/pdf"}, "file"),
        ({"location_information": {"latitude": 1.5, "longitude": 2}}, "location"),
        ({"contact_information": {"first_name": "x", "phone_number": "1"}}, "contact"),
        ({"invoice_information": {"title": "x"}}, "money"),
        ({"poll": {"question": "x"}}, "other"),
        ({}, "other"),
        ({"type": "unsupported"}, "other"),
    ],
    ids=str,
)
def test_what_is_neither_words_nor_a_picture_is_an_event(tmp_path: Path, fields: dict[str, Any], kind: str) -> None:
    found = message(tmp_path, **fields)
    assert (found.kind, found.text, found.pictures) == (kind, "", ())


@pytest.mark.parametrize("media", ["video_file", "voice_message", "audio_file", "animation"])
def test_words_below_a_film_are_words(tmp_path: Path, media: str) -> None:
    found = message(tmp_path, media_type=media, file="a.mp4", text="看这个")
    assert (found.kind, found.text, found.pictures) == ("text", "看这个", ())


@pytest.mark.parametrize("source", ["路人", None])
@pytest.mark.parametrize("fields", [{"text": "别人的话"}, {"photo": "photos/a.jpg"}])
def test_a_forward_is_an_event_even_where_its_source_is_gone(
    tmp_path: Path, source: str | None, fields: dict[str, Any]
) -> None:
    found = message(tmp_path, forwarded_from=source, **fields)
    assert (found.kind, found.text, found.pictures, found.sender) == ("forward", "", (), "user1002")


def test_a_photo_keeps_its_caption_and_what_it_answers(tmp_path: Path) -> None:
    found = message(tmp_path, photo="photos/photo_1@05-02-2025_08-00-00.jpg", text="山顶", reply_to_message_id=4)
    assert (found.kind, found.text) == ("image", "山顶")
    assert found.pictures == (PictureHint(("photos/photo_1@05-02-2025_08-00-00.jpg",)),)
    assert found.quote == Quote("4")


def test_a_picture_that_was_sent_as_a_file_is_a_picture(tmp_path: Path) -> None:
    found = message(tmp_path, file="files/a.png", mime_type="image/png", thumbnail="files/a.png_thumb.jpg")
    assert (found.kind, found.pictures) == ("image", (PictureHint(("files/a.png",)),))


@pytest.mark.parametrize("fields", [{"photo": NOT_INCLUDED}, {"file": NOT_INCLUDED, "mime_type": "image/jpeg"}])
@pytest.mark.parametrize(
    "words", [NOT_INCLUDED, "(File exceeds maximum size. Change data exporting settings to download.)"]
)
def test_a_picture_that_is_not_in_the_export_is_a_missing_picture(
    tmp_path: Path, fields: dict[str, str], words: str
) -> None:
    written = {name: words if value == NOT_INCLUDED else value for name, value in fields.items()}
    found = message(tmp_path, **written, text="山顶")
    assert (found.kind, found.text, found.pictures) == ("image", "山顶", (PictureHint(),))


def test_a_message_of_another_chat_is_not_taken_for_one_of_this(tmp_path: Path) -> None:
    found = message(tmp_path, text="好", reply_to_message_id=4, reply_to_peer_id="channel99")
    assert found.quote == Quote()


@pytest.mark.parametrize(
    ("fields", "time"),
    [
        ({}, datetime(2025, 2, 5, tzinfo=UTC)),
        ({"date_unixtime": 1738713600}, datetime(2025, 2, 5, tzinfo=UTC)),
        ({"date_unixtime": None}, datetime(2025, 2, 5, 8)),
        ({"date_unixtime": ""}, datetime(2025, 2, 5, 8)),
    ],
    ids=str,
)
def test_an_instant_goes_before_a_clock(tmp_path: Path, fields: dict[str, Any], time: datetime) -> None:
    assert message(tmp_path, text="a", **fields).time == time


@pytest.mark.parametrize(("action", "kind"), [("pin_message", "system"), ("phone_call", "call"), ("", "system")])
def test_a_service_message_is_an_event_of_its_actor(tmp_path: Path, action: str, kind: str) -> None:
    row = {"id": 6, "type": "service", "date": "2025-02-05T08:00:00", "actor": "林晚舟", "actor_id": "user1002"}
    found, _ = chat(tmp_path, {**row, "action": action, "text": "x", "members": ["许青禾", None, "林晚舟"]})
    assert (found.messages[0].kind, found.messages[0].sender, found.messages[0].text) == (kind, "user1002", "")
    assert found.members == (Member("user1002", ("林晚舟",)), Member("许青禾", ("许青禾",)))


def test_ids_are_strings_whatever_they_were(tmp_path: Path) -> None:
    found = message(tmp_path, text="a", id=-999999007, from_id=4392811234567890123, reply_to_message_id="-9")
    assert (found.message_id, found.sender, found.quote) == ("-999999007", "4392811234567890123", Quote("-9"))


@pytest.mark.parametrize("name", [None, ""])
def test_an_account_that_is_gone_keeps_its_id(tmp_path: Path, name: str | None) -> None:
    found = message(tmp_path, **{"from": name}, text="a")
    assert (found.sender, found.names) == ("user1002", ())


def test_a_sender_without_an_id_is_told_by_name(tmp_path: Path) -> None:
    assert message(tmp_path, from_id=None, text="a").sender == "林晚舟"


def test_people_who_are_only_mentioned_are_known_by_name(tmp_path: Path) -> None:
    text = ["问 ", {"type": "mention_name", "text": "高远山", "user_id": 1009}, {"type": "mention", "text": "@gaoys"}]
    found, _ = chat(tmp_path, {**MESSAGE, "text": text})
    assert {member.person: member.names for member in found.members} == {
        "user1002": ("林晚舟",),
        "user1009": ("高远山",),
        "gaoys": ("gaoys",),
    }


@pytest.mark.parametrize(
    ("kind", "group"),
    [
        ("personal_chat", False),
        ("bot_chat", False),
        ("saved_messages", False),
        ("private_group", True),
        ("public_supergroup", True),
        ("private_channel", True),
    ],
)
def test_a_group_is_told_by_the_kind_of_chat(tmp_path: Path, kind: str, group: bool) -> None:
    assert chat(tmp_path, {**MESSAGE, "text": "a"}, type=kind)[0].group == group


def test_in_a_chat_of_two_the_name_of_the_chat_is_the_other_one(tmp_path: Path) -> None:
    found, _ = chat(tmp_path, {**MESSAGE, "text": "a"}, type="personal_chat", name="阿旭（备注）", id=1003)
    assert Member("user1003", ("阿旭（备注）",)) in found.members


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"text": 7}, "text is neither a text nor a list of texts"),
        ({"text": ["a", 7]}, "text is neither a text nor a list of texts"),
        ({"text": [{"type": "bold", "text": ["x"]}]}, "text is no text"),
        ({"date_unixtime": "soon"}, "its time is no number"),
        ({"date_unixtime": "0"}, "its time is not between the years 2000 and 2100"),
        ({"date_unixtime": None, "date": "2025-02-05"}, "its time is no date with a time"),
        ({"date_unixtime": None, "date": None}, "it has no time"),
        ({"text": "a", "from_id": None, "from": None}, "it has no sender"),
        ({"photo": ["a.jpg"]}, "photo is no text"),
        ({"type": {}}, "type is no text"),
    ],
    ids=str,
)
def test_a_wrong_field_drops_its_row_and_no_other(tmp_path: Path, wrong: dict[str, Any], reason: str) -> None:
    one, tally = chat(tmp_path, {**MESSAGE, **wrong}, {**MESSAGE, "text": "b"}, 7)
    assert [found.text for found in one.messages] == ["b"]
    assert (tally.rows, tally.dropped) == (3, {reason: 1, "it is no object": 1})


def test_a_whole_account_yields_each_chat_and_reads_nothing_else_of_it(tmp_path: Path) -> None:
    path = write_dated_account(tmp_path)
    value = json.loads(path.read_text(encoding="utf-8"))
    second = {"type": "saved_messages", "id": 7, "messages": [{**MESSAGE, "text": "记一下"}, 9]}
    value["chats"]["list"] += [second, {"name": "空", "type": "personal_chat", "id": 8, "messages": []}, "no chat"]
    value["left_chats"] = {
        "list": [{"name": "旧", "type": "private_group", "id": 9, "messages": [{**MESSAGE, "text": "a"}]}]
    }
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    chats, tally = read_file(dated_json, path)
    assert [(chat.chat_id, len(chat.messages)) for chat in chats] == [("872001", 15), ("7", 1), ("8", 0), ("9", 1)]
    assert (tally.rows, tally.dropped) == (19, {"it is no object": 1, "it is no chat": 1})
    assert tally.located[0] == "chats.list[1].messages[1]: it is no object"
    assert all(chat.members[0] == Member("user1001", chat.members[0].names, True) for chat in chats)
    assert SECRET not in repr(chats)


def test_an_account_without_chats_is_a_fault(tmp_path: Path) -> None:
    value = {"about": "x", "personal_information": {}, "contacts": {"list": []}}
    with pytest.raises(InputError, match=r"neither `messages` nor chats"):
        read_json(dated_json, tmp_path, value)


def test_an_export_without_instants_is_known_by_its_messages() -> None:
    old = {name: value for name, value in MESSAGE.items() if name != "date_unixtime"}
    assert known(dated_json, {"name": "a", "type": "private_group", "id": 1, "messages": [old]})
    assert known(dated_json, {"messages": [MESSAGE]})
    assert known(dated_json, {"chats": {"list": [{"name": "a", "messages": [old]}]}})
    assert not known(dated_json, {"messages": [{"id": 1, "type": "text", "date": "2025-02-05"}]})
    assert not known(dated_json, "[]")
