"""Which heads the readers of tables, pages and text know, and which they must leave to others."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.annotation.readers.opening import open_export
from tests.annotation.readers import exports_tables as story
from tests.annotation.readers.support_tables import knowing

FOREIGN = [
    {"chatlab": {"version": "0.0.2"}, "meta": {"name": "a", "platform": "wechat"}, "members": [], "messages": []},
    {"weflow": {"version": "1.0.3"}, "session": {"wxid": "a"}, "messages": [{"senderUsername": "a", "isSend": 0}]},
    {"session": {"wxid": "a"}, "messages": [{"localId": 1, "createTime": 1, "senderUsername": None}]},
    [{"seq": 1, "time": "2025-02-05T08:00:00+08:00", "talker": "a", "isChatRoom": True, "sender": "b", "type": 1}],
    {"schemaVersion": 1, "conversation": {"username": "a"}, "messages": []},
    {"metadata": {"name": "a"}, "chatInfo": {"name": "a", "type": "group"}, "messages": []},
    {"name": "a", "type": "personal_chat", "id": 1, "messages": [{"id": 1, "date_unixtime": "1", "text": "x"}]},
    {"guild": {"id": "1"}, "channel": {"id": "2"}, "messages": []},
    [{"conversations": [{"role": "user", "content": "a"}]}],
    [{"type": "message", "user": "U1", "text": "a", "ts": "1700000000.000100"}],
    {"success": True, "talker": "a", "count": 1, "messages": [{"localId": 1, "serverId": "1"}]},
    [],
    {},
    [{"type_name": "文本"}],
]
TEXTS = [
    "Time,SenderName,Sender,TalkerName,Talker,Content\n2025-02-05 08:00:00,a,b,c,d,e\n",
    "id,talker,msg,CreateTime\n1,a,b,2024-10-04 11:43:00\n",
    "小林(wxid_a) 02-05 08:00:00\n走吗\n\n",
    "消息记录（此消息记录为文本格式，不支持重新导入）\n\n消息对象:小林\n\n2024-10-13 09:00:00 小林(10001)\n走吗\n\n",
    "序号\t时间\t发送者身份\t消息类型\t内容\n1\t2024-10-13 09:00:00\t我\t文本消息\t走吗\n",
    "小林 (2024-10-13 09:00:00):走吗\n",
    '<html><body><div class="msg chat left" msgid="1"><pre>走吗</pre></div></body></html>',
    "# a readme\n\nconst chatMessages = [ {type: 1} ]\n",
    "type_name is_sender talker MsgSvrID CreateTime msg\n",
    "\x00\x01\x02",
]


@pytest.mark.parametrize("name", story.WRITERS)
def test_each_export_is_known_by_its_own_reader_alone(name: str, tmp_path: Path) -> None:
    assert knowing(open_export(story.WRITERS[name](tmp_path)).head) == [name]


@pytest.mark.parametrize("value", FOREIGN)
@pytest.mark.parametrize("indent", [None, 2])
def test_json_of_other_formats_is_left_to_others(value: object, indent: int | None) -> None:
    assert knowing(json.dumps(value, ensure_ascii=False, indent=indent)) == []


@pytest.mark.parametrize("text", TEXTS)
def test_tables_and_text_of_other_formats_are_left_to_others(text: str) -> None:
    assert knowing(text) == []


def test_a_chat_whose_words_are_another_export_is_known_by_its_own_form(tmp_path: Path) -> None:
    inner = [open_export(write(tmp_path)).head for write in story.WRITERS.values()]
    for words in inner:
        assert knowing(json.dumps({"messages": [{"content": words}]}, ensure_ascii=False)) == []
        assert knowing(f"[13/10/2024, 09:00:00] Ann: look\n{words}") == ["dated-text"]


@given(st.text(max_size=300))
def test_no_head_breaks_the_question(head: str) -> None:
    assert len(knowing(head)) <= 1
