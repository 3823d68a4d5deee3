"""Which heads the readers know, and which they must leave to others."""

import importlib
import json
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.annotation.readers.contract import HEAD_BYTES, Reader
from mldr.annotation.readers.headkeys import keys_of
from mldr.annotation.readers.opening import open_export
from tests.annotation.readers import exports_wechat as story

READERS = {
    name: cast(Reader, importlib.import_module(f"mldr.annotation.readers.{name.replace('-', '_')}"))
    for name in story.WRITERS
}
AVATAR = "data:image/png;base64," + "iVBO" * 40_000


def knowing(head: Any) -> list[str]:
    text = head if isinstance(head, str) else json.dumps(head, ensure_ascii=False)
    return [name for name, reader in READERS.items() if reader.matches(text[:HEAD_BYTES], Path("any.name"))]


@pytest.mark.parametrize("name", story.WRITERS)
def test_each_export_is_known_by_its_own_reader_alone(name: str, tmp_path: Path) -> None:
    assert knowing(open_export(story.WRITERS[name](tmp_path)).head) == [name]


def test_the_older_session_is_known_too(tmp_path: Path) -> None:
    assert knowing(open_export(story.write_session_json_without_header(tmp_path)).head) == ["session-json"]


@pytest.mark.parametrize("name", [name for name in story.WRITERS if name not in ("talker-csv", "members-jsonl")])
@pytest.mark.parametrize("indent", [None, 0, 4, "\t"])
def test_the_order_of_keys_and_white_space_do_not_matter(name: str, indent: Any, tmp_path: Path) -> None:
    value = json.loads(story.WRITERS[name](tmp_path).read_text(encoding="utf-8"))
    turned = dict(reversed(value.items())) if isinstance(value, dict) else [dict(reversed(m.items())) for m in value]
    for ordered in (value, turned):
        assert knowing("\ufeff \n" + json.dumps(ordered, indent=indent)) == [name]
        assert knowing(json.dumps(ordered, indent=indent, ensure_ascii=False, separators=(" ,", " : "))) == [name]


@pytest.mark.parametrize("name", [name for name in story.WRITERS if name not in ("talker-csv", "talker-json")])
def test_messages_alone_tell_where_they_stand_first(name: str, tmp_path: Path) -> None:
    text = story.WRITERS[name](tmp_path).read_text(encoding="utf-8")
    if name == "members-jsonl":
        assert knowing("\n".join(text.splitlines()[4:])) == [name]
    else:
        assert knowing({"messages": json.loads(text)["messages"]}) == [name]


@pytest.mark.parametrize(
    ("head", "name"),
    [
        ({"chatlab": {"version": "0.0.1"}, "meta": {"name": "甲", "groupAvatar": AVATAR}}, "members-json"),
        ({"meta": {"name": "甲", "platform": "wechat", "type": "group", "groupAvatar": AVATAR}}, "members-json"),
        ({"members": [{"platformId": "a", "accountName": "甲", "avatar": AVATAR}]}, "members-json"),
        ({"_type": "header", "chatlab": {}, "meta": {"groupAvatar": AVATAR}}, "members-jsonl"),
        ({"_type": "member", "platformId": "a", "accountName": "甲", "avatar": AVATAR}, "members-jsonl"),
        ({"weflow": {"version": "1.0.3"}, "session": {"avatar": AVATAR}}, "session-json"),
        ({"session": {"wxid": "a", "nickname": "甲", "avatar": AVATAR}}, "session-json"),
        ({"weflow": {"format": "arkme-json"}, "session": {"avatar": AVATAR}}, "senders-json"),
        ({"format": "arkme-json", "weflow": {}, "session": {"avatar": AVATAR}}, "senders-json"),
        ({"senders": [{"senderID": 1, "wxid": "a", "avatar": AVATAR}]}, "senders-json"),
        ({"success": True, "talker": "a", "media": {"x": AVATAR}}, "api-json"),
        ([{"seq": 1, "talker": "a", "isChatRoom": False, "content": AVATAR}], "talker-json"),
    ],
)
def test_an_avatar_that_fills_the_head_hides_nothing_that_stands_before_it(head: Any, name: str) -> None:
    assert knowing(head) == [name]


def test_the_columns_of_a_csv_tell_in_any_order_and_quoted() -> None:
    assert knowing('\ufeff"Content","Time",Sender, Talker ,TalkerName,SenderName\r\n') == ["talker-csv"]
    assert knowing("Time,SenderName,Sender,TalkerName,Talker") == []
    assert knowing("Time,SenderName,Sender,TalkerName,Talker,Content,Type") == []


MESSAGE_OF_ZIP = {
    "id": "db:t:1",
    "localId": 1,
    "serverId": 5,
    "createTime": 1738713600,
    "type": 1,
    "renderType": "text",
}
OTHERS: dict[str, Any] = {
    "csv with type_name": "id,MsgSvrID,type_name,is_sender,talker,room_name,msg,src,CreateTime\n1,2,文本,0,a,b,c,,d\n",
    "csv without room_name": "id,MsgSvrID,type_name,is_sender,talker,msg,src,CreateTime\n",
    "csv with StrContent": "localId,TalkerId,Type,SubType,IsSender,CreateTime,Status,StrContent,StrTime,Remark,NickName,Sender\n",
    "json rows with type_name": [
        {"id": 1, "MsgSvrID": "2", "type_name": "文本", "is_sender": 0, "talker": "a", "msg": "b"}
    ],
    "conversations for training": [{"conversations": [{"role": "user", "content": "你好"}]}],
    "page with chatMessages": "<html><script>const chatMessages = [ {type:1, text:'你好', is_send:0}, ];</script>",
    "conversation of a zip": {
        "schemaVersion": 1,
        "account": "a",
        "conversation": {"username": "b", "displayName": "乙", "isGroup": False},
        "messages": [{**MESSAGE_OF_ZIP, "isSent": False, "senderUsername": "b", "conversationUsername": "b"}],
    },
    "messages of a zip first": {
        "messages": [{**MESSAGE_OF_ZIP, "isSent": True, "senderUsername": "b", "content": "c"}]
    },
    "chatInfo": {
        "metadata": {"name": "n", "version": "5"},
        "chatInfo": {"name": "乙", "type": "group", "selfUid": "u_1", "selfUin": "1"},
        "messages": [
            {"id": "1", "seq": 2, "timestamp": 1738713600000, "sender": {"uid": "u_1", "name": "乙"}, "type": "x"}
        ],
        "avatars": {"1": "data:image/png;base64,AAAA"},
    },
    "chatInfo in pieces": {"metadata": {}, "chatInfo": {"name": "乙"}, "chunked": {"format": "jsonl", "chunks": []}},
    "one chat with date_unixtime": {
        "name": "乙",
        "type": "personal_chat",
        "id": 1,
        "messages": [
            {"id": 1, "type": "message", "date_unixtime": "1738713600", "from": "乙", "from_id": "user1", "text": "a"}
        ],
    },
    "chats with date_unixtime": {
        "about": "x",
        "chats": {"list": [{"name": "乙", "type": "personal_chat", "messages": []}]},
    },
    "guild": {
        "guild": {"id": "1", "name": "g"},
        "channel": {"id": "2", "type": "GuildTextChat", "name": "c"},
        "messages": [{"id": "3", "type": "Default", "timestamp": "2025-02-05T00:00:00+00:00", "author": {"id": "4"}}],
    },
    "day of a workspace": [{"type": "message", "user": "U1", "text": "a", "ts": "1738713600.000100"}],
    "text with day and clock": "05/02/2025, 08:00 - 甲: 你好\n",
    "text in brackets": "[05.02.25, 08:00:00] 甲: 你好\n",
    "text with names": "2025-02-05 08:00:00 甲\n你好\n\n",
    "text of messages": "消息记录（此消息记录为文本格式，不支持重新导入）\n\n消息对象:甲\n\n2025-02-05 08:00:00 甲(10001)\n你好\n",
    "labelled tasks": [{"id": 1, "data": {"dialogue": [{"author": "a", "text": "b"}]}, "annotations": []}],
    "a page": '<div class="msg chat left" msgid="1" msgtype="1"><span class="dspname" wxId="a">甲</span><pre>你好</pre></div>',
    "a list of numbers": [1, 2, 3],
    "an empty list": [],
    "an empty object": {},
    "nothing": "",
    "a chat that speaks of formats": {"messages": [{"text": '"chatlab":{ "weflow":{ "talker" "isChatRoom"', "id": 1}]},
}


@pytest.mark.parametrize("other", OTHERS)
def test_no_other_format_is_known(other: str) -> None:
    assert knowing(OTHERS[other]) == []


def test_a_number_that_would_end_the_process_shows_no_keys() -> None:
    assert keys_of('{"chatlab":' + "9" * 5000 + "}") == {}


def test_keys_of_a_cut_head_are_those_before_the_cut() -> None:
    assert keys_of('{"a": {"b": 1, "c": [{"d": "x"}]}, "e": "cut') == {
        "a": None,
        "a.b": 1,
        "a.c": None,
        "a.c.item.d": "x",
        "e": None,
    }
    assert keys_of('[[1, "x"], 2') == {"item.item": 1, "item": 2}
    assert keys_of('# one\n# two\n{"a": 1}\n{"b": tr') == {"a": 1, "b": None}


def test_endless_nesting_is_judged() -> None:
    assert keys_of("[" * 60_000) == {}
    assert len(keys_of('{"a":' * 12_000)) == 4


@given(st.text())
def test_any_head_is_judged(head: str) -> None:
    assert knowing(head) == []
    assert knowing("{" + head) == knowing("[" + head) == []


@given(st.integers(0, 400))
def test_a_head_cut_anywhere_after_its_first_key_is_known(cut: int) -> None:
    head = json.dumps(
        {"chatlab": {"version": "0.0.2"}, "meta": {"name": "甲" * 100}, "members": [{"platformId": "乙" * 100}]}
    )
    assert knowing(head[: 12 + cut]) == ["members-json"]
