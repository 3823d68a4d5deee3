from pathlib import Path

import pytest

from mldr.annotation.readers.contract import PictureHint
from mldr.errors import InputError
from tests.annotation.readers.support_tables import read_text

ROW = (
    '{"id": 1, "MsgSvrID": 7123456789012345678, "type_name": "文本", "is_sender": 0, "talker": "wxid_he", '
    '"room_name": "wxid_he", "msg": "走吗", "src": "", "extra": {"path": "/secret"}, "CreateTime": "2024-10-04 11:43:00"}'
)


def test_an_id_that_is_a_number_stays_exact_and_extra_is_not_read(tmp_path: Path) -> None:
    (chat,), tally = read_text("typename-json", tmp_path, f"[{ROW}]")
    assert (chat.messages[0].message_id, tally.rows) == ("7123456789012345678", 1)
    assert "secret" not in repr(chat)


def test_msg_and_src_may_be_an_object(tmp_path: Path) -> None:
    row = ROW.replace('"msg": "走吗", "src": ""', '"content": {"msg": "图片", "src": "a\\\\9.png"}').replace(
        "文本", "图片"
    )
    (chat,), _ = read_text("typename-json", tmp_path, f"[{row}]")
    assert chat.messages[0].pictures == (PictureHint(("a\\9.png",), ("9",)),)


def test_what_is_no_row_is_counted_with_its_place(tmp_path: Path) -> None:
    (chat,), tally = read_text(
        "typename-json", tmp_path, f'[{ROW}, 7, null, {{"msg": []}}, {ROW.replace("11:43", "")}]'
    )
    assert (len(chat.messages), tally.rows) == (1, 5)
    assert sorted(place.partition(":")[0] for place in tally.located) == ["[1]", "[2]", "[3]", "[4]"]


def test_a_file_that_was_cut_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not whole JSON"):
        read_text("typename-json", tmp_path, f"[{ROW}, {ROW[:-9]}")
