from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mldr.annotation.chat import OWNER, Member
from mldr.annotation.readers import local_csv
from mldr.annotation.readers.contract import PictureHint, RawChat, RawMessage, ReadOptions, Tally
from mldr.annotation.readers.opening import open_export
from tests.annotation.readers import exports_tables as story
from tests.annotation.readers.support_tables import read_path
from tests.annotation.readers.test_wechatxml import reply

COLUMNS = story.LOCAL_COLUMNS.split(",")


def row(id: int, talker: Any, sender: str, text: str, label: str = "", **cells: Any) -> list[Any]:
    given = {
        "localId": id, "TalkerId": talker, "Type": 1, "SubType": 0, "IsSender": int(sender == "me"),
        "CreateTime": 1728900000 + id, "Status": 3, "StrContent": text, "StrTime": "2024-10-14 18:00:00",
        "Remark": label, "NickName": label, "Sender": sender, **cells,
    }  # fmt: skip
    return [given[name] for name in COLUMNS]


def read(folder: Path, *rows: list[Any]) -> tuple[list[RawChat], Tally]:
    return read_path("local-csv", story.write_table(folder / "all.csv", COLUMNS, rows, encoding="utf-8-sig"))


def one(folder: Path, **cells: Any) -> RawMessage:
    (chat,), tally = read(folder, row(1, 5, "wxid_he", "走吗", "何知远", **cells))
    assert not tally.dropped
    return chat.messages[0]


def texts(chats: list[RawChat]) -> list[list[str]]:
    return [[message.text for message in chat.messages] for chat in chats]


def test_the_contacts_of_one_file_are_chats_of_their_own(tmp_path: Path) -> None:
    chats, tally = read(
        tmp_path,
        row(1, 5, "wxid_he", "甲", "何知远"),
        row(2, 6, "wxid_su", "乙", "苏棠"),
        row(3, 5, "me", "丙", "程一诺"),
        row(4, 6, "me", "丁", "程一诺"),
    )
    assert texts(chats) == [["甲", "丙"], ["乙", "丁"]]
    assert [(chat.chat_id, chat.name, chat.group) for chat in chats] == [
        ("wxid_he", "何知远", False),
        ("wxid_su", "苏棠", False),
    ]
    assert chats[0].members == (Member("wxid_he", ("何知远",)), Member(OWNER, ("程一诺",), owner=True))
    assert tally.rows == 4


def test_a_label_that_names_the_chat_parts_contacts_and_is_no_name_of_the_owner(tmp_path: Path) -> None:
    chats, _ = read(
        tmp_path,
        row(1, 5, "wxid_he", "甲", "何知远"),
        row(2, 5, "me", "乙", "何知远"),
        row(3, 5, "wxid_su", "丙", "苏棠"),
        row(4, 5, "me", "丁", "苏棠"),
    )
    assert texts(chats) == [["甲", "乙"], ["丙", "丁"]]
    assert chats[0].members == (Member("wxid_he", ("何知远",)), Member(OWNER, (), owner=True))


def test_a_label_that_names_a_group_is_nobodys_name(tmp_path: Path) -> None:
    (chat,), _ = read(
        tmp_path, row(1, 5, "wxid_he", "甲", "小组"), row(2, 5, "me", "乙", "小组"), row(3, 5, "wxid_su", "丙", "小组")
    )
    assert (chat.name, chat.group, [member.names for member in chat.members]) == ("小组", True, [(), (), ()])


def test_a_contact_whose_messages_lie_in_two_databases_is_one_chat_in_the_order_of_the_file(tmp_path: Path) -> None:
    (chat,), _ = read(
        tmp_path,
        row(1, 5, "wxid_he", "甲", "何知远"),
        row(1, 9, "wxid_he", "乙", "何知远"),
        row(2, 5, "me", "丙", "程一诺"),
        row(2, 9, "wxid_he", "丁", "何知远"),
    )
    assert texts([chat]) == [["甲", "乙", "丙", "丁"]]
    assert len({message.message_id for message in chat.messages}) == 4


def test_no_two_chats_have_one_id(tmp_path: Path) -> None:
    chats, _ = read(
        tmp_path,
        row(1, 5, "wxid_he", "甲", "何知远"),
        row(2, 5, "me", "乙", "何知远"),
        row(3, 6, "wxid_he", "丙", "小组"),
        row(4, 6, "me", "丁", "小组"),
        row(5, 7, "me", "戊", "程一诺"),
        row(6, 8, "", "己", "小组", Type=10000),
    )
    assert len({chat.chat_id for chat in chats}) == len(chats) == 4


def test_app_messages_whose_content_was_not_exported_are_events(tmp_path: Path) -> None:
    for subtype, kind in ((57, "other"), (5, "link"), (6, "file"), (19, "forward"), (2001, "money"), (0, "other")):
        message = one(tmp_path, Type=49, SubType=subtype, StrContent="")
        assert (message.kind, message.text, message.quote) == (kind, "", None)


def test_a_reply_whose_content_was_exported_is_split(tmp_path: Path) -> None:
    message = one(tmp_path, Type=49, SubType=57, StrContent=reply("这张好看"))
    assert (message.kind, message.text) == ("text", "这张好看")
    assert message.quote is not None
    assert message.quote.message_id == "6116895530414915131"


def test_a_code_of_the_newer_generation_stands_in_one_column(tmp_path: Path) -> None:
    assert one(tmp_path, Type=8594229559345, SubType="", StrContent="").kind == "money"


def test_a_picture_is_known_by_the_hash_in_its_xml_and_missing_without_one(tmp_path: Path) -> None:
    xml = f'<msg><img md5="{story.md5(1).upper()}"/></msg>'
    assert one(tmp_path, Type=3, StrContent=xml).pictures == (PictureHint(stems=(story.md5(1),)),)
    assert one(tmp_path, Type=3, StrContent="").pictures == (PictureHint(),)


def test_words_that_look_like_xml_stay_words(tmp_path: Path) -> None:
    assert one(tmp_path, StrContent="<msg> 是什么").text == "<msg> 是什么"


def test_no_xml_ever_stands_in_a_text(tmp_path: Path) -> None:
    for code in (3, 34, 42, 43, 47, 48, 49, 50, 10000, 11000):
        assert one(tmp_path, Type=code, StrContent='<msg><secret id="1"/></msg>').text == ""


def test_a_system_line_tells_its_kind_and_makes_nobody_a_member(tmp_path: Path) -> None:
    (chat,), _ = read(tmp_path, row(1, 5, "wxid_he", "甲", "何知远"), row(2, 5, "", "乙撤回了一条消息", Type=10000))
    assert [(message.kind, message.text) for message in chat.messages] == [("text", "甲"), ("recall", "")]
    assert [member.person for member in chat.members] == ["wxid_he"]


def test_an_epoch_is_an_instant_and_a_spoilt_one_gives_way_to_the_clock(tmp_path: Path) -> None:
    assert one(tmp_path).time == datetime.fromtimestamp(1728900001, UTC)
    assert one(tmp_path, CreateTime="1.73E+09").time == datetime(2024, 10, 14, 18, 0)


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"CreateTime": "", "StrTime": "gestern"}, "neither its CreateTime nor its StrTime is a time"),
        ({"Type": "text"}, "its Type and SubType are no numbers"),
        ({"Type": "9" * 400}, "its Type and SubType are no numbers"),
        ({"IsSender": "?"}, "its IsSender is neither 0 nor 1"),
    ],
)
def test_a_row_that_cannot_be_read_is_counted_with_its_place(cells: Any, reason: str, tmp_path: Path) -> None:
    chats, tally = read(tmp_path, row(1, 5, "wxid_he", "甲", **cells))
    assert (chats, tally.rows, tally.located) == ([], 1, [f"line 2: {reason}"])


def test_a_sender_without_an_id_goes_by_the_name(tmp_path: Path) -> None:
    assert one(tmp_path, Sender="").sender == "何知远"


def test_a_file_of_five_hundred_contacts_is_read_at_once(tmp_path: Path) -> None:
    chats, tally = read(tmp_path, *(row(n, n % 500, f"wxid_{n % 500}", "甲", f"人{n % 500}") for n in range(5000)))
    assert (len(chats), tally.rows) == (500, 5000)


def test_each_contact_of_a_file_is_counted_before_its_chat_is_yielded(tmp_path: Path) -> None:
    rows = [
        row(1, 5, "wxid_he", "甲"),
        row(2, 5, "wxid_he", "乙", Type="?"),
        row(3, 6, "wxid_su", "丙"),
        row(4, 7, "wxid_no", "丁", Type="?"),
    ]
    export, tally = open_export(story.write_table(tmp_path / "all.csv", COLUMNS, rows)), Tally()
    reading = local_csv.read(export, ReadOptions(), tally)
    assert [(chat.chat_id, tally.rows, tally.dropped.total()) for chat in reading] == [
        ("wxid_he", 2, 1),
        ("wxid_su", 3, 1),
    ]
    assert (tally.rows, tally.dropped.total()) == (4, 2)
