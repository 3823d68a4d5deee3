import csv
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.annotation.chat import OWNER
from mldr.annotation.readers import talker_csv, talker_json
from mldr.annotation.readers.contract import PictureHint, Quote, RawChat, RawMessage, ReadOptions, Tally
from mldr.annotation.readers.jsonrows import Unreadable
from mldr.annotation.readers.opening import open_export
from mldr.errors import InputError
from tests.annotation.readers.support_json import read_file, read_json

MORNING = datetime(2025, 2, 5, tzinfo=UTC)
NIGHT = datetime(2025, 2, 4, 23)
KEY = "0f3c" * 8


def row(**fields: Any) -> dict[str, Any]:
    plain = {"seq": 1738713600001, "time": "2025-02-05T08:00:00+08:00", "talker": "1@chatroom", "talkerName": "山"}
    return {
        **plain,
        "isChatRoom": True,
        "sender": "wxid_a",
        "senderName": "小林",
        "type": 1,
        "content": "你好",
        **fields,
    }


def chats(tmp_path: Path, *rows: Any, owner_id: str = "") -> list[RawChat]:
    found, tally = read_json(talker_json, tmp_path, list(rows), owner_id)
    assert not tally.dropped
    return found


def one(tmp_path: Path, **fields: Any) -> RawMessage:
    return chats(tmp_path, row(**fields))[0].messages[0]


def test_each_talker_of_a_file_is_a_chat(tmp_path: Path) -> None:
    rows = (
        row(),
        row(talker="wxid_b", talkerName="许青禾", isChatRoom=False, sender="wxid_b"),
        row(),
        row(talker="2@chatroom"),
    )
    found = chats(tmp_path, *rows)
    assert [(c.chat_id, c.name, c.group, len(c.messages)) for c in found] == [
        ("1@chatroom", "山", True, 2),
        ("wxid_b", "许青禾", False, 1),
        ("2@chatroom", "山", True, 1),
    ]
    assert [(m.person, m.names) for m in found[1].members] == [("wxid_b", ("许青禾",))]


def test_each_chat_is_counted_apart_and_nothing_is_lost(tmp_path: Path) -> None:
    rows = [
        row(),
        row(talker="2@chatroom"),
        row(talker="2@chatroom", type="x"),
        row(talker=""),
        5,
        row(talker="3", type=None),
    ]
    path = tmp_path / "export.json"
    read_json(talker_json, tmp_path, rows)
    tally, counts = Tally(), []
    for _ in talker_json.read(open_export(path), ReadOptions(), tally):
        counts.append((tally.rows, tally.dropped.total()))
    assert counts == [(1, 0), (3, 1)]
    assert (tally.rows, tally.dropped.total()) == (6, 4)
    assert sorted(tally.located) == [
        "[2]: its type is no number",
        "[3]: it has no talker",
        "[4]: it is no object",
        "[5]: it has no type",
    ]


@pytest.mark.parametrize(
    ("fields", "time"),
    [
        ({"time": "2025-02-05T00:00:00Z"}, MORNING),
        ({"time": "2025-02-05T01:00:00.5+01:00"}, MORNING.replace(microsecond=500_000)),
        ({"time": "2025-02-05 08:00:00"}, MORNING),
        ({"time": None}, MORNING),
        ({"time": "2025-02-31T00:00:00", "seq": 1738713600999}, MORNING),
    ],
)
def test_a_time_has_an_offset_or_else_the_number_of_the_row_has_it(fields: Any, time: datetime, tmp_path: Path) -> None:
    assert one(tmp_path, **fields).time == time


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"time": "2025-02-31T00:00:00+08:00"}, "its time is no time"),
        ({"time": "1900-01-01T00:00:00+08:00", "seq": 0}, "it has no time"),
        ({"time": "0001-01-01T00:00:00+14:00"}, "its time is no time"),
        ({"time": [], "seq": None}, "its time is no number"),
        ({"time": "gestern", "seq": "x"}, "its time is no number"),
        ({"type": None}, "it has no type"),
        ({"type": "文本"}, "its type is no number"),
        ({"content": ["你好"]}, "content is no text"),
        ({"sender": ""}, "it has no sender"),
    ],
)
def test_a_row_whose_fields_are_wrong_is_counted_with_its_place(fields: Any, why: str, tmp_path: Path) -> None:
    found, tally = read_json(talker_json, tmp_path, [row(), row(**fields)])
    assert (len(found[0].messages), tally.rows, tally.located) == (1, 2, [f"[1]: {why}"])


def test_a_quote_is_the_nested_message_without_its_number(tmp_path: Path) -> None:
    nested = row(seq=0, sender="wxid_b", senderName="许青禾", content="走吗", contents={"refer": row(content="深")})
    message = one(tmp_path, type=49, subType=57, content="好", contents={"refer": nested})
    assert (message.text, message.quote) == ("好", Quote("", "wxid_b", MORNING, "走吗", "text"))
    picture = {**nested, "type": 3, "content": "", "sender": "", "contents": {"md5": KEY}}
    assert one(tmp_path, type=49, subType=57, contents={"refer": picture}).quote == Quote(
        "", "许青禾", MORNING, "", "image"
    )


@pytest.mark.parametrize(
    ("refer", "quote"),
    [
        (None, None),
        ("x", None),
        ({"sender": "wxid_b"}, Quote("", "wxid_b")),
        ({"sender": "wxid_b", "type": 1, "content": "走吗"}, Quote("", "wxid_b", None, "走吗", "text")),
        ({"sender": "wxid_b", "type": 1, "content": [1]}, Quote("", "wxid_b")),
        ({"sender": "wxid_b", "type": 1, "content": "走", "time": "x"}, Quote("", "wxid_b")),
    ],
)
def test_a_broken_quote_never_costs_the_reply(refer: Any, quote: Quote | None, tmp_path: Path) -> None:
    message = one(tmp_path, type=49, subType=57, content="好", contents={"refer": refer})
    assert (message.text, message.quote) == ("好", quote)


def test_a_picture_is_known_by_its_hash_and_its_files_stem(tmp_path: Path) -> None:
    contents = {"md5": KEY.upper(), "path": "msg\\attach\\ab\\Img\\9e_t.dat", "host": "http://127.0.0.1"}
    assert one(tmp_path, type=3, content="", contents=contents).pictures == (PictureHint((), (KEY, "9e_t", "9e")),)
    assert one(tmp_path, type=3, contents={"path": "a/b.jpg", "md5": None}).pictures == (
        PictureHint(("a/b.jpg",), ("b",)),
    )
    assert one(tmp_path, type=3, contents=None).pictures == (PictureHint(),)
    assert one(tmp_path, type=3, contents={"md5": 5, "path": ["a"]}).pictures[0].paths == ()


def test_the_words_of_cards_and_forwards_are_nobodys(tmp_path: Path) -> None:
    for subtype in (5, 19, 24, 33, 2000):
        message = one(tmp_path, type=49, subType=subtype, content="标题", contents={"title": "标题", "recordInfo": {}})
        assert (message.text, message.quote, message.pictures) == ("", None, ())


def owners(found: list[RawChat]) -> list[str]:
    return [member.person for chat in found for member in chat.members if member.owner]


def test_what_is_self_says_is_taken_only_where_it_never_contradicts_itself(tmp_path: Path) -> None:
    mine = row(sender="wxid_me", isSelf=True)
    assert owners(chats(tmp_path, mine, row(isSelf=False))) == ["wxid_me"]
    assert owners(chats(tmp_path, mine, row(isSelf=False, sender="wxid_me"))) == []
    assert owners(chats(tmp_path, mine, row(isSelf=True))) == []
    assert owners(chats(tmp_path, mine, row(isSelf=False), owner_id="wxid_a")) == ["wxid_a"]


def test_a_row_of_oneself_without_a_sender_is_the_owners_and_of_the_other_one_the_talkers(tmp_path: Path) -> None:
    mine = row(sender="", isSelf=True, talker="wxid_b", isChatRoom=False)
    theirs = row(sender="", isSelf=False, talker="wxid_b", isChatRoom=False)
    assert [m.sender for m in chats(tmp_path, mine, theirs)[0].messages] == [OWNER, "wxid_b"]
    assert [m.sender for m in chats(tmp_path, mine, theirs, owner_id="wxid_me")[0].messages] == ["wxid_me", "wxid_b"]


def test_a_file_that_is_no_list_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no list of messages"):
        read_json(talker_json, tmp_path, {"talker": "a"})


HEADER = ["Time", "SenderName", "Sender", "TalkerName", "Talker", "Content"]


def table(tmp_path: Path, *rows: list[str], owner_id: str = "") -> tuple[list[RawChat], Tally]:
    path = tmp_path / "a.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([HEADER, *rows])
    return read_file(talker_csv, path, owner_id)


def cell(tmp_path: Path, content: str, sender: str = "wxid_a") -> RawMessage:
    found, tally = table(tmp_path, ["2025-02-05 08:00:00", "小林", sender, "山", "1@chatroom", content])
    assert not tally.dropped
    return found[0].messages[0]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ("你好\n第二行", "text"),
        ("[微笑]", "text"),
        ("[红包]哈哈", "text"),
        ("看[图片](x)", "text"),
        ("![图片](http://127.0.0.1/image/a)", "image"),
        ("[图片]", "image"),
        ("![动画表情](http://a.example/x)", "sticker"),
        ("[语音](http://127.0.0.1/voice/1)", "voice"),
        ("![视频](http://127.0.0.1/video/1)", "video"),
        ("[链接|标题\n换行](http://a.example)", "link"),
        ("[文件|a.pdf](http://127.0.0.1/file/1)", "file"),
        ("[位置|公园|5号]", "location"),
        ("[合并转发|聊天记录]\n甲: 别人的话", "forward"),
        ("[红包]", "money"),
        ("[语音通话]", "call"),
    ],
)
def test_a_content_is_a_text_or_a_card(content: str, kind: str, tmp_path: Path) -> None:
    message = cell(tmp_path, content)
    assert (message.kind, message.text) == (kind, content if kind == "text" else "")


@pytest.mark.parametrize(
    ("address", "stems"),
    [
        (f"http://127.0.0.1:5030/image/{KEY},msg/attach/9e/Img/9e_t.dat", (KEY, "9e_t", "9e")),
        (f"http://127.0.0.1:5030/image/{KEY}", (KEY,)),
        (f"http://127.0.0.1/image/{KEY},msg%5Cattach%5C9e.dat?x=1", (KEY, "9e")),
        ("http://127.0.0.1/image/..,../../etc/passwd", ("passwd",)),
        ("", ()),
    ],
)
def test_an_address_gives_stems_and_never_a_path(address: str, stems: tuple[str, ...], tmp_path: Path) -> None:
    assert cell(tmp_path, f"![图片]({address})").pictures == (PictureHint((), stems),)


DEEP = "> 许青禾(wxid_b) 02-04 23:00:00\n> > 甲(wxid_c) 02-03 23:00:00\n> > 深\n> 行\n好"


@pytest.mark.parametrize(
    ("content", "text", "quote"),
    [
        ("> 许青禾(wxid_b) 2025-02-04 23:00:00\n> 走吗\n好", "好", Quote("", "wxid_b", NIGHT, "走吗", "text")),
        ("> 许青禾(wxid_b) 02-04 23:00:00\n> 一\n> 二\n好\n的", "好\n的", Quote("", "wxid_b", NIGHT, "一\n二", "text")),
        ("> 许青禾(wxid_b) 12-31 23:00:00\n> 走\n好", "好", Quote("", "wxid_b", datetime(2024, 12, 31, 23), "走", "text")),
        ("> 许青禾 07:00:00\n> 走\n好", "好", Quote("", "许青禾", None, "走", "text")),
        ("> 青(山)(wxid_b) 02-04 23:00:00\n> ![图片](http://h/image/k)\n好", "好", Quote("", "wxid_b", NIGHT, "", "image")),
        (DEEP, "好", Quote("", "wxid_b", NIGHT, "行", "text")),
        ("> 我自己写的\n好", "> 我自己写的\n好", None),
    ],
)  # fmt: skip
def test_lines_that_quote_are_not_the_senders(content: str, text: str, quote: Quote | None, tmp_path: Path) -> None:
    for ended in (content, content.replace("\n", "\r\n")):
        message = cell(tmp_path, ended)
        assert (message.kind, message.text, message.quote) == ("text", text, quote)


@pytest.mark.parametrize("sender", ["系统消息", ""])
def test_a_line_of_the_system_is_nobodys(sender: str, tmp_path: Path) -> None:
    found, _ = table(tmp_path, ["2025-02-05 08:00:00", "", sender, "山", "1@chatroom", '"小林" 撤回了一条消息'])
    assert [(m.sender, m.kind, m.text) for m in found[0].messages] == [("", "recall", "")]


def test_of_two_the_one_who_is_not_the_talker_is_the_owner(tmp_path: Path) -> None:
    rows = [["2025-02-05 08:00:00", "", sender, "许青禾", "wxid_b", "好"] for sender in ("wxid_b", "wxid_me")]
    assert owners(table(tmp_path, *rows)[0]) == ["wxid_me"]
    assert owners(table(tmp_path, rows[0])[0]) == []
    assert owners(table(tmp_path, *rows, owner_id="wxid_b")[0]) == ["wxid_b"]
    mine = ["2025-02-05 08:00:00", "我", "", "许青禾", "wxid_b", "好"]
    assert [m.sender for m in table(tmp_path, rows[0], mine)[0][0].messages] == ["wxid_b", OWNER]


def test_each_talker_of_a_table_is_a_chat_and_is_counted_apart(tmp_path: Path) -> None:
    time = "2025-02-05 08:00:00"
    rows = [[time, "a", "a", "山", "1@chatroom", "好"], ["x", "a", "a", "水", "2@chatroom", "好"]]
    rows += [
        [time, "a", "a", "水", "2@chatroom", "好"],
        [time, "a", "a", "", "", "好"],
        ["", "a", "a", "", "3@chatroom", ""],
    ]
    found, tally = table(tmp_path, *rows)
    assert [(chat.chat_id, chat.name, len(chat.messages)) for chat in found] == [
        ("1@chatroom", "山", 1),
        ("2@chatroom", "水", 1),
    ]
    assert (tally.rows, tally.dropped) == (5, {"its time is no time": 1, "it has no talker": 1, "it has no time": 1})


def test_a_missing_column_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("Time,SenderName,Sender,TalkerName,Talker\n2025-02-05 08:00:00,a,a,a,a\n", encoding="utf-8")
    with pytest.raises(InputError, match="lacks the columns Content"):
        read_file(talker_csv, path)


def test_clocks_may_be_saved_by_a_spreadsheet() -> None:
    assert talker_csv.clock("2025/2/5 8:00") == talker_csv.clock("2025-02-05 08:00:00") == datetime(2025, 2, 5, 8)
    for words in ("2025-02-31 08:00:00", "2025-02-05", "1999-02-05 08:00:00", "0000-00-00 00:00:00", "x"):
        with pytest.raises(Unreadable):
            talker_csv.clock(words)


@given(st.text(alphabet="> ![]()|图片链接红包wxid_b 02-45:\n，/"))
def test_any_content_is_read(content: str) -> None:
    row = dict(zip(HEADER, ["2025-02-05 08:00:00", "小林", "wxid_a", "山", "1@chatroom", content], strict=True))
    message = talker_csv._message(row, "line 2")
    assert message.text in content
    assert (message.text == "") or message.kind == "text"
