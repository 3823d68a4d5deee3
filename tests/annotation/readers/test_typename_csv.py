from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from mldr.annotation.chat import OWNER, Member
from mldr.annotation.readers import typename_csv
from mldr.annotation.readers.contract import PictureHint, Quote, RawMessage, ReadOptions, Tally
from mldr.annotation.readers.opening import open_export
from mldr.errors import InputError
from tests.annotation.readers import exports_tables as story
from tests.annotation.readers.support_tables import messages_of, read_path, read_text

NEW = "id,MsgSvrID,type_name,is_sender,talker,room_name,msg,src,CreateTime"
OLD = "id,MsgSvrID,type_name,is_sender,talker,room_name,content,CreateTime"
ROOMLESS = "id,MsgSvrID,type_name,is_sender,talker,msg,src,CreateTime"
ID = "7123456789012345678"


def one(folder: Path, row: str, header: str = NEW, options: ReadOptions | None = None) -> RawMessage:
    (message,) = messages_of("typename-csv", folder, f"{header}\n{row}\n", options)
    return message


def dropped(folder: Path, row: str, header: str = NEW, options: ReadOptions | None = None) -> list[str]:
    chats, tally = read_text("typename-csv", folder, f"{header}\n{row}\n", options)
    assert (chats, tally.rows, sum(tally.dropped.values())) == ([], 1, 1)
    return tally.located


def test_words_and_file_of_the_older_generation_stand_in_json(tmp_path: Path) -> None:
    row = f'1,{ID},文本,0,wxid_he,wxid_he,"{{""src"": """", ""msg"": ""说 \\""你好\\""\\n再见""}}",2024-10-04 11:43:00'
    assert one(tmp_path, row, OLD).text == '说 "你好"\n再见'
    row = f'1,{ID},图片,0,wxid_he,wxid_he,"{{""msg"": ""图片"", ""src"": ""a\\\\b\\\\9f3c.dat""}}",2024-10-04 11:43:00'
    assert one(tmp_path, row, OLD).pictures == (PictureHint(stems=("9f3c",)),)


def test_content_that_is_no_json_is_words_and_broken_json_is_passed_over(tmp_path: Path) -> None:
    assert one(tmp_path, f"1,{ID},文本,0,wxid_he,wxid_he,{{笑}},2024-10-04 11:43:00", OLD).text == "{笑}"
    row = f'1,{ID},文本,0,wxid_he,wxid_he,"{{""msg"": ""你",2024-10-04 11:43:00'
    assert dropped(tmp_path, row, OLD) == ["line 2: its content is not the JSON of msg and src"]


def test_the_dialect_with_byte_order_mark_english_types_and_iso_times_is_read(tmp_path: Path) -> None:
    text = (
        f"\ufeff{ROOMLESS}\r\n"
        f"1,{ID},text,0,何知远,这张好看[引用 程一诺：走吗],,2024-10-04T11:43:00+08:00\r\n"
        f"2,{ID[:-1]}9,image,1,程一诺,[图片],media/images/9.jpg,2024-10-04T11:44:00.000Z\r\n"
        f"3,,sticker,0,何知远,[动画表情],,2024-10-04T11:45:00\r\n"
    )
    first, second, third = messages_of("typename-csv", tmp_path, text)
    assert (first.sender, first.text, first.quote) == (
        "何知远", "这张好看", Quote(sender="程一诺", text="走吗", kind="text"),
    )  # fmt: skip
    assert first.time == datetime(2024, 10, 4, 11, 43, tzinfo=timezone(timedelta(hours=8)))
    assert second.pictures == (PictureHint(("media/images/9.jpg",), ("9",)),)
    assert (second.sender, second.names, second.time.tzinfo) == (OWNER, ("程一诺",), UTC)
    assert (third.kind, third.message_id, third.time.tzinfo) == ("sticker", "", None)


def test_a_table_without_rooms_is_one_chat_whose_id_comes_from_its_first_message(tmp_path: Path) -> None:
    text = f"{ROOMLESS}\n1,{ID},text,0,何知远,走吗,,2024-10-04 11:43:00\n"
    (short,), _ = read_text("typename-csv", tmp_path, text)
    (longer,), _ = read_text("typename-csv", tmp_path, f"{text}2,{ID},text,0,何知远,嗯,,2024-10-04 11:44:00\n")
    (other,), _ = read_text("typename-csv", tmp_path, text.replace("走吗", "不走"))
    assert short.chat_id == longer.chat_id != other.chat_id
    assert "何知远" not in short.chat_id


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["gbk", "utf-8-sig", "utf-16"])
def test_a_file_that_a_spreadsheet_saved_again_is_read(delimiter: str, encoding: str, tmp_path: Path) -> None:
    rows = story.typename_rows()
    spoilt = []
    for index, row in enumerate(rows):
        at = story.clock(index)
        time = f"{at.year}/{at.month}/{at.day} {at.hour}:{at:%M}"
        spoilt.append([*{**row, "MsgSvrID": "7.12E+18", "CreateTime": time}.values(), "", "", ""])
    columns = [*rows[0], "", "", ""]
    path = story.write_table(tmp_path / "a.csv", columns, spoilt, delimiter=delimiter, encoding=encoding)
    (chat,), tally = read_path("typename-csv", path)
    (whole,), _ = read_path("typename-csv", story.write_typename_csv(tmp_path / "whole"))
    assert not tally.dropped
    assert {message.message_id for message in chat.messages} == {""}
    kept = [(m.sender, m.time, m.kind, m.text, m.pictures, m.quote) for m in chat.messages]
    assert kept == [(m.sender, m.time, m.kind, m.text, m.pictures, m.quote) for m in whole.messages]


def test_several_rooms_in_one_file_are_several_chats(tmp_path: Path) -> None:
    text = (
        f"{NEW}\n1,11,文本,0,wxid_he,wxid_he,甲,,2024-10-04 11:43:00\n2,12,文本,0,wxid_su,9@chatroom,乙,,2024-10-04 11:43:00\n"
        "3,13,文本,1,我,wxid_he,丙,,2024-10-04 11:43:00\n"
    )
    (he, room), tally = read_text("typename-csv", tmp_path, text)
    assert tally.rows == 3
    assert (he.chat_id, he.group, [message.text for message in he.messages]) == ("wxid_he", False, ["甲", "丙"])
    assert (room.chat_id, room.group, room.members) == ("9@chatroom", True, (Member("wxid_su", ("wxid_su",)),))


def test_an_own_row_that_holds_the_other_ones_id_gives_the_owner_no_name(tmp_path: Path) -> None:
    message = one(tmp_path, f"1,{ID},文本,1,wxid_he,wxid_he,走吗,,2024-10-04 11:43:00")
    assert (message.sender, message.names) == (OWNER, ())


@pytest.mark.parametrize(
    ("src", "hint"),
    [
        (r"FileStorage\MsgAttach\0a\Image\2024-10\9f3c.dat", PictureHint(stems=("9f3c",))),
        (r"FileStorage\MsgAttach\0a\Thumb\2024-10\9f3c_t.dat", PictureHint(stems=("9f3c_t", "9f3c"))),
        (r"..\..\secret\9f3c.DAT", PictureHint(stems=("9f3c",))),
        (r"images\9.jpg", PictureHint((r"images\9.jpg",), ("9",))),
        ("http://127.0.0.1:1/9.jpg", PictureHint()),
        ("", PictureHint()),
    ],
)
def test_a_picture_is_looked_for_by_its_path_and_an_undecoded_one_by_its_stem(
    src: str, hint: PictureHint, tmp_path: Path
) -> None:
    message = one(tmp_path, f"1,{ID},图片,0,wxid_he,wxid_he,图片,{src},2024-10-04 11:43:00")
    assert (message.kind, message.text, message.pictures) == ("image", "", (hint,))


@pytest.mark.parametrize(
    ("label", "msg", "kind"),
    [
        ("(分享)卡片式链接", "标题", "link"),
        ("合并转发的聊天记录", "别人说过的话", "forward"),
        ("语音通话", "通话时长 01:02", "call"),
        ("拍一拍", "甲拍了拍乙", "poke"),
        ("邀请加群", "甲邀请乙", "system"),
        ("系统通知", "甲撤回了一条消息", "recall"),
        ("接龙", "接龙", "other"),
        ("没有人知道", "什么", "other"),
        ("", "什么", "other"),
        ("引用回复", "", "other"),
        ("文本", "", "other"),
    ],
)
def test_what_is_no_text_becomes_an_event_without_words(label: str, msg: str, kind: str, tmp_path: Path) -> None:
    message = one(tmp_path, f"1,{ID},{label},0,wxid_he,wxid_he,{msg},,2024-10-04 11:43:00")
    assert (message.kind, message.text) == (kind, "")


def test_a_system_line_needs_no_sender_and_makes_nobody_a_member(tmp_path: Path) -> None:
    (chat,), _ = read_text("typename-csv", tmp_path, f"{NEW}\n1,{ID},系统通知,,,wxid_he,甲加入,,2024-10-04 11:43:00\n")
    assert (chat.messages[0].sender, chat.members) == ("", ())


@pytest.mark.parametrize("row", ["2,wxid_he", ",wxid_he", "0,我"])
def test_a_row_whose_sender_is_in_doubt_is_given_to_nobody(row: str, tmp_path: Path) -> None:
    reason = "line 2: its is_sender is neither 0 nor 1, or says another than its talker"
    assert dropped(tmp_path, f"1,{ID},文本,{row},wxid_he,走吗,,2024-10-04 11:43:00") == [reason]


def test_a_time_with_its_year_last_needs_the_order(tmp_path: Path) -> None:
    row = f"1,{ID},文本,0,wxid_he,wxid_he,走吗,,10/4/2024 11:43"
    assert "--date-order" in dropped(tmp_path, row)[0]
    assert one(tmp_path, row, options=ReadOptions(date_order="mdy")).time == datetime(2024, 10, 4, 11, 43)


def test_a_message_with_a_comma_that_nobody_quoted_is_passed_over_and_counted(tmp_path: Path) -> None:
    assert dropped(tmp_path, f"1,{ID},文本,0,wxid_he,wxid_he,走,吗,,2024-10-04 11:43:00")


def test_a_newline_inside_a_message_is_kept(tmp_path: Path) -> None:
    assert one(tmp_path, f'1,{ID},文本,0,wxid_he,wxid_he,"走吗\r\n,""嗯""",,2024-10-04 11:43:00').text == '走吗\n,"嗯"'


def test_a_file_that_is_cut_inside_a_message_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no CSV"):
        read_text("typename-csv", tmp_path, f'{NEW}\n1,{ID},文本,0,wxid_he,wxid_he,"走')


def test_a_header_alone_is_no_chat(tmp_path: Path) -> None:
    chats, tally = read_text("typename-csv", tmp_path, f"{NEW}\n")
    assert (chats, tally.rows) == ([], 0)


def test_each_room_of_a_file_is_counted_before_it_is_yielded(tmp_path: Path) -> None:
    rows = (
        "文本,0,wxid_he,wxid_he,甲,,2024-10-04 11:43:00",
        "文本,0,wxid_he,wxid_he,乙,,gestern",
        "文本,0,wxid_su,wxid_su,丙,,2024-10-04 11:43:00",
    )
    lines = [f"{index},{ID},{row}" for index, row in enumerate((*rows, "文本,0,wxid_no,wxid_no,丁,,gestern"))]
    (tmp_path / "a").write_text("\n".join((NEW, *lines)), encoding="utf-8")
    tally = Tally()
    reading = typename_csv.read(open_export(tmp_path / "a"), ReadOptions(), tally)
    assert [(chat.chat_id, tally.rows, tally.dropped.total()) for chat in reading] == [
        ("wxid_he", 2, 1),
        ("wxid_su", 3, 1),
    ]
    assert (tally.rows, tally.dropped.total()) == (4, 2)
