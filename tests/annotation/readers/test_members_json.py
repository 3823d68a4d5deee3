import json
from pathlib import Path
from typing import Any

import pytest

from mldr.annotation.readers import members_json, members_jsonl
from mldr.annotation.readers.contract import PictureHint, Quote, RawMessage
from mldr.errors import InputError
from tests.annotation.readers.support_json import known, read_file, read_json

MEMBERS: list[Any] = [
    {
        "platformId": "wxid_a",
        "accountName": "林晚舟",
        "groupNickname": "小林",
        "aliases": ["lin", 5],
        "roles": [{"id": "owner"}],
    },
    {"platformId": 10001, "accountName": "许青禾", "avatar": "data:image/png;base64,AAAA"},
    {"platformId": "system", "accountName": "系统消息"},
    {"accountName": "nobody"},
    "no member",
]


def export(*messages: dict[str, Any], **meta: Any) -> dict[str, Any]:
    head = {"name": "周末爬山", "platform": "wechat", "type": "group", "groupId": "1@chatroom", **meta}
    return {
        "chatlab": {"version": "0.0.1", "exportedAt": 1},
        "meta": head,
        "members": MEMBERS,
        "messages": list(messages),
    }


def row(**fields: Any) -> dict[str, Any]:
    return {
        "sender": "wxid_a",
        "accountName": "林晚舟",
        "timestamp": 1738713600,
        "type": 0,
        "content": "你好",
        **fields,
    }


def one(tmp_path: Path, **fields: Any) -> RawMessage:
    chats, tally = read_json(members_json, tmp_path, export(row(**fields)))
    assert not tally.dropped
    return chats[0].messages[0]


def reason(tmp_path: Path, **fields: Any) -> str:
    chats, tally = read_json(members_json, tmp_path, export(row(**fields)))
    assert (chats[0].messages, tally.rows) == ((), 1)
    return tally.located[0]


def test_members_have_all_their_names_and_the_system_is_none(tmp_path: Path) -> None:
    chats, _ = read_json(members_json, tmp_path, export(row(), ownerId=10001))
    assert [(m.person, m.names, m.owner) for m in chats[0].members] == [
        ("wxid_a", ("小林", "林晚舟", "lin"), False),
        ("10001", ("许青禾",), True),
    ]


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (0, "text"),
        (1, "image"),
        ("1", "image"),
        (2, "voice"),
        (3, "video"),
        (4, "file"),
        (5, "sticker"),
        *((code, "link") for code in (7, 24)),
        (8, "location"),
        *((code, "money") for code in (20, 21)),
        (22, "poke"),
        (23, "call"),
        (25, "text"),
        (26, "forward"),
        (27, "contact"),
        (80, "system"),
        (81, "recall"),
        *((code, "other") for code in (6, 99, 12345)),
    ],
)
def test_types_are_those_of_the_format(code: Any, kind: str, tmp_path: Path) -> None:
    message = one(tmp_path, type=code)
    assert (message.kind, message.text) == (kind, "你好" if kind == "text" else "")
    assert message.sender == ("" if kind == "system" else "wxid_a")


def test_a_picture_is_where_its_content_says(tmp_path: Path) -> None:
    message = one(tmp_path, type=1, content="media/images/911_ab12.jpg")
    assert (message.pictures, message.text) == ((PictureHint(("media/images/911_ab12.jpg",)),), "")


def test_a_picture_that_was_not_exported_is_a_picture_without_a_place(tmp_path: Path) -> None:
    for content in ("[图片]", None, "", "[image]"):
        message = one(tmp_path, type=1, content=content)
        assert (message.kind, message.pictures, message.text) == ("image", (PictureHint(),), "")


def test_media_path_and_media_say_where_pictures_are(tmp_path: Path) -> None:
    assert one(tmp_path, type=1, content="[图片]", mediaPath="a/b.jpg").pictures == (PictureHint(("a/b.jpg",)),)
    assert one(tmp_path, type=1, content="c/d.jpg", mediaPath="a/b.jpg").pictures == (
        PictureHint(("a/b.jpg", "c/d.jpg")),
    )
    album = one(
        tmp_path,
        type=1,
        content="看这两张",
        media=["a.jpg", {"path": "b.jpg", "md5": "0f"}, {"type": "video", "path": "v"}],
    )
    assert album.pictures == (PictureHint(("a.jpg",)), PictureHint(("b.jpg",), ("0f",)))
    assert album.text == "看这两张"
    assert one(tmp_path, type=1, media=[{"md5": "0f"}], mediaPath="a.jpg").pictures == (
        PictureHint(("a.jpg",), ("0f",)),
    )
    assert one(tmp_path, type=0, content="看", media=["a.jpg"]).pictures == (PictureHint(("a.jpg",)),)
    assert one(tmp_path, type=3, content="v.mp4", mediaPath="v.mp4").pictures == ()


def test_a_pictures_path_is_never_its_words(tmp_path: Path) -> None:
    for content in ("a/b.jpg", "a\\b", "x.png", "https://a.example/x", "[图片]"):
        assert one(tmp_path, type=1, content=content, mediaPath="a.jpg").text == ""
    assert one(tmp_path, type=1, content="山顶").text == ""


def test_a_reply_is_a_text_with_a_quote_and_its_echo_is_cut_off(tmp_path: Path) -> None:
    message = one(tmp_path, type=25, content="这张好看", replyToMessageId=6116895530414915131)
    assert (message.kind, message.text, message.quote) == ("text", "这张好看", Quote("6116895530414915131"))
    baked = one(tmp_path, type=25, content="这张好看[引用 许青禾：[图片]]")
    assert (baked.text, baked.quote) == ("这张好看", Quote("", "许青禾", None, "", "image"))
    assert one(tmp_path, type=25, replyToMessageId="0").quote is None
    assert one(tmp_path, type=0, content="他说[引用 x：y]").text == "他说[引用 x：y]"
    assert one(tmp_path, type=1, content="a/b.jpg", replyToMessageId="5").quote == Quote("5")


def test_a_forwards_records_are_nobodys_words(tmp_path: Path) -> None:
    message = one(tmp_path, type=26, content="[聊天记录]", chatRecords=[{"content": "别人的话", "sender": "x"}])
    assert (message.kind, message.text, message.pictures, message.quote) == ("forward", "", (), None)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"timestamp": None}, "it has no time"),
        ({"timestamp": "gestern"}, "its time is no number"),
        ({"timestamp": 5}, "its time is not between the years 2000 and 2100"),
        ({"type": "text"}, "its type is no number"),
        ({"type": None}, "it has no type"),
        ({"type": True}, "its type is no number"),
        ({"content": ["你好"]}, "content is no text"),
        ({"content": {"a": 1}}, "content is no text"),
        ({"sender": None}, "it has no sender"),
        ({"type": 1, "mediaPath": [1]}, "mediaPath is no text"),
    ],
)
def test_a_row_whose_fields_are_wrong_is_counted_with_its_place(fields: Any, why: str, tmp_path: Path) -> None:
    assert reason(tmp_path, **fields) == f"messages[0]: {why}"


def test_keys_may_come_in_any_order_after_megabytes_of_avatars(tmp_path: Path) -> None:
    value = export(row(), platform="QQ", groupAvatar="data:" + "A" * 3_000_000)
    chats, _ = read_json(members_json, tmp_path, dict(reversed(value.items())))
    assert (chats[0].platform, chats[0].name, len(chats[0].messages), len(chats[0].members)) == ("qq", "周末爬山", 1, 2)


def test_a_private_chat_is_named_by_the_other_one(tmp_path: Path) -> None:
    chats, _ = read_json(members_json, tmp_path, export(row(), type="private", groupId=None, ownerId="10001"))
    assert (chats[0].chat_id, chats[0].group) == ("wxid_a", False)
    chats, _ = read_json(members_json, tmp_path, export(row(), type="private", groupId=None))
    assert chats[0].chat_id == "周末爬山"


def test_a_file_without_meta_and_members_is_read(tmp_path: Path) -> None:
    chats, _ = read_json(members_json, tmp_path, {"messages": [row()]})
    assert (chats[0].chat_id, chats[0].platform, chats[0].group, chats[0].members) == ("export", "unknown", False, ())
    assert chats[0].messages[0].names == ("林晚舟",)


@pytest.mark.parametrize(
    "text", ['{"chatlab":{},"messages":[{"a":1}', '{"chatlab":{}}', '{"chatlab":{},"messages":[]} {}']
)
def test_a_file_that_is_cut_or_has_no_messages_is_a_fault(text: str, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"whole JSON|has no list"):
        read_file(members_json, path)


def lines(tmp_path: Path, *rows: Any) -> Path:
    path = tmp_path / "a.jsonl"
    text = "\r\n".join(line if isinstance(line, str) else json.dumps(line) for line in rows)
    path.write_text(text, encoding="utf-8", newline="")
    return path


HEADER = {
    "_type": "header",
    "chatlab": {"version": "0.0.2"},
    "meta": {"name": "山", "platform": "wechat", "type": "group"},
}


def test_lines_may_be_comments_or_blank_and_come_in_any_order(tmp_path: Path) -> None:
    path = lines(
        tmp_path, "# a", "", {"_type": "message", **row()}, "  # b", {"_type": "member", **MEMBERS[0]}, HEADER, ""
    )
    chats, tally = read_file(members_jsonl, path)
    assert (chats[0].name, len(chats[0].members), tally.rows, tally.dropped) == ("山", 1, 1, {})
    assert chats[0].messages[0].place == "line 3"


def test_a_line_of_another_type_or_with_wrong_fields_is_counted(tmp_path: Path) -> None:
    path = lines(tmp_path, HEADER, {"_type": "reaction"}, {"_type": "message"}, {"_type": "message", **row()})
    chats, tally = read_file(members_jsonl, path)
    assert (len(chats[0].messages), tally.rows) == (1, 3)
    assert tally.located == ["line 2: its _type is not header, member or message", "line 3: it has no time"]


def test_every_line_that_is_no_json_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_file(members_jsonl, lines(tmp_path, HEADER, "{", "[1]", {"_type": "message", **row()}, '{"_type": "mess'))
    assert [fault.place.rsplit(", ", 1)[1] for fault in caught.value.faults] == ["line 2", "line 3", "line 5"]


def test_lines_of_something_else_are_a_fault(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no line"):
        read_file(members_jsonl, lines(tmp_path, {"a": 1}))


def test_half_a_character_in_a_line_is_replaced(tmp_path: Path) -> None:
    chats, _ = read_file(members_jsonl, lines(tmp_path, HEADER, {"_type": "message", **row(content="好\ud83d")}))
    assert chats[0].messages[0].text == "好\ufffd"


def test_one_file_is_not_taken_for_lines() -> None:
    assert known(members_json, export(row()))
    assert not known(members_jsonl, export(row()))
    assert known(members_jsonl, "# c\n" + json.dumps(HEADER))
    assert not known(members_json, json.dumps(HEADER))
