from datetime import datetime
from pathlib import Path

import pytest

from mldr.annotation.chat import OWNER
from mldr.annotation.readers.contract import PictureHint, Quote, RawMessage
from tests.annotation.readers.support_tables import knowing, messages_of, read_text

T = "2024-10-13 09:00:00"


def read(folder: Path, text: str) -> list[RawMessage]:
    return messages_of("stamped-text", folder, text)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_message_is_a_time_a_name_and_words_of_any_number_of_lines(end: str, tmp_path: Path) -> None:
    text = f"{T} 何 知远\n走吗\n\n还是\n不走\n\n2024-10-13 09:00:01 苏棠\n走\n\n".replace("\n", end)
    assert [(m.sender, m.time, m.text, m.place) for m in read(tmp_path, text)] == [
        ("何 知远", datetime(2024, 10, 13, 9), "走吗\n\n还是\n不走", "line 1"),
        ("苏棠", datetime(2024, 10, 13, 9, 0, 1), "走", "line 7"),
    ]


def test_a_time_inside_the_words_opens_no_message(tmp_path: Path) -> None:
    assert len(read(tmp_path, f"{T} 何知远\n看这个\n2024-10-13 10:00:00 开会\n\n")) == 1


def test_the_name_may_stand_in_quotes_and_the_owner_is_one_person(tmp_path: Path) -> None:
    messages = read(tmp_path, f"{T} '我'\n走吗\n\n{T} '苏棠'\n走\n\n")
    assert [(message.sender, message.names) for message in messages] == [(OWNER, ()), ("苏棠", ("苏棠",))]


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("[图片]", "image"),
        ("[语音]", "voice"),
        ("[视频]", "video"),
        ("[表情包]", "sticker"),
        ("[文件]", "file"),
        ("", "other"),
    ],
)
def test_what_is_only_told_of_is_no_text(words: str, kind: str, tmp_path: Path) -> None:
    (message,) = read(tmp_path, f"{T} 苏棠\n{words}\n\n")
    assert (message.kind, message.text) == (kind, "")
    assert message.pictures == ((PictureHint(),) if kind == "image" else ())


def test_words_in_brackets_stay_words(tmp_path: Path) -> None:
    assert read(tmp_path, f"{T} 苏棠\n[微笑]\n\n")[0].text == "[微笑]"


def test_a_line_that_quotes_is_not_the_senders(tmp_path: Path) -> None:
    (message,) = read(tmp_path, f"{T} 苏棠\n好看\n引用:何知远:走吗\n还是不走\n\n")
    assert (message.text, message.quote) == ("好看", Quote(sender="何知远", text="走吗\n还是不走", kind="text"))


def test_a_system_line_names_nobody(tmp_path: Path) -> None:
    messages = read(tmp_path, f"{T} 系统消息\n苏棠撤回了一条消息\n\n{T}\n苏棠加入\n\n{T} 苏棠\n嗯\n\n")
    assert [(message.sender, message.kind) for message in messages] == [
        ("", "recall"),
        ("", "system"),
        ("苏棠", "text"),
    ]


def test_a_time_that_cannot_be_is_counted_with_its_place(tmp_path: Path) -> None:
    (chat,), tally = read_text("stamped-text", tmp_path, f"{T} 苏棠\n嗯\n\n2024-13-13 09:00:00 苏棠\n嗯\n\n")
    assert (len(chat.messages), tally.rows, tally.located) == (1, 2, ["line 4: its time is no time"])


@pytest.mark.parametrize(
    "head",
    [
        "",
        T,
        f"{T} - 苏棠: 嗯\n嗯\n",
        f"标题\n\n{T} 苏棠\n嗯\n",
        f"{T} a\n{T} b\n",
        "13/10/2024, 09:00 - A: b\n",
        "苏棠 10-13 09:00:00\n嗯\n\n",
    ],
)
def test_other_texts_are_not_known(head: str) -> None:
    assert "stamped-text" not in knowing(head)
