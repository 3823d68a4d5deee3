from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest

from mldr.annotation.chat import OWNER
from mldr.annotation.readers import api_json, senders_json, session_json
from mldr.annotation.readers.contract import PictureHint, Quote, RawChat, RawMessage
from mldr.errors import InputError
from tests.annotation.readers.support_json import read_json

QUOTE = 244813135921


def row(**fields: Any) -> dict[str, Any]:
    plain = {"localId": 1, "createTime": 1738713600, "type": "文本消息", "localType": 1, "content": "你好", "isSend": 0}
    return {**plain, "senderUsername": "wxid_a", "senderDisplayName": "林晚舟", "source": "<x/>", **fields}


def export(*rows: Any, wxid: str = "1@chatroom", type: str = "群聊", **more: Any) -> dict[str, Any]:
    session = {"wxid": wxid, "nickname": "山友", "remark": "老山", "displayName": "老山", "type": type, "avatar": "x"}
    return {"weflow": {"version": "1.0.3"}, "session": session, "messages": list(rows), **more}


def chat(tmp_path: Path, *rows: Any, owner_id: str = "", **more: Any) -> RawChat:
    chats, tally = read_json(session_json, tmp_path, export(*rows, **more), owner_id)
    assert not tally.dropped
    return chats[0]


def one(tmp_path: Path, **fields: Any) -> RawMessage:
    return chat(tmp_path, row(**fields)).messages[0]


def private(tmp_path: Path, *rows: Any, owner_id: str = "") -> RawChat:
    return chat(tmp_path, *rows, owner_id=owner_id, wxid="wxid_b", type="私聊")


@pytest.mark.parametrize(
    ("code", "label", "kind"),
    [
        (34359738417, "文件消息", "sticker"),
        (103079215153, "文件消息", "other"),
        (25769803825, "文件消息", "file"),
        (1, "系统消息", "text"),
        ("3", "文本消息", "image"),
        (None, "图片消息", "image"),
        ("", "卡片式链接", "link"),
        (49, "引用消息", "text"),
        (49, "转账消息", "money"),
        (49, "没见过", "other"),
        (4711, "语音消息", "voice"),
        (None, "未知类型(43)", "video"),
        (None, "没见过", "other"),
        (None, 47, "sticker"),
        (8594229559345, "其他消息", "money"),
        (81604378673, "聊天记录", "forward"),
    ],
)
def test_the_code_says_what_a_message_is_and_the_label_only_where_the_code_does_not(
    code: Any, label: Any, kind: str, tmp_path: Path
) -> None:
    message = one(tmp_path, localType=code, type=label)
    assert (message.kind, message.text) == (kind, "你好" if kind == "text" else "")


def test_an_app_message_without_its_subtype_may_have_it_beside(tmp_path: Path) -> None:
    assert one(tmp_path, localType=49, appMsgType="19", type="其他消息").kind == "forward"
    assert one(tmp_path, localType=49, appMsgType="quote", type="引用消息").kind == "text"


def test_a_system_line_is_nobodys_and_tells_what_happened(tmp_path: Path) -> None:
    for content, kind in (
        ("林晚舟撤回了一条消息", "recall"),
        ("林晚舟拍了拍我", "poke"),
        ("林晚舟加入了群聊", "system"),
    ):
        message = one(tmp_path, localType=10000, type="系统消息", content=content)
        assert (message.kind, message.sender, message.text, message.names) == (kind, "", "", ())


@pytest.mark.parametrize(
    "content", ["好看[引用 许青禾：走这条吗]", "好看 [引用 许青禾：走这条吗] ", "好看[引用 青禾：走这条…]", "好看"]
)
def test_the_echo_of_what_is_quoted_is_cut_off(content: str, tmp_path: Path) -> None:
    fields = {"quotedSender": "许青禾", "quotedContent": "走这条吗", "replyToMessageId": 6116895530414915131}
    message = one(tmp_path, localType=QUOTE, content=content, **fields)
    assert message.text == "好看"
    assert message.quote == Quote("6116895530414915131", "许青禾", None, "走这条吗", "")


def test_an_echo_with_brackets_and_lines_is_cut_off_whole(tmp_path: Path) -> None:
    quoted = "一]行\n[引用 甲：二]\n三"
    message = one(
        tmp_path, localType=QUOTE, content=f"好看[引用 a：b：{quoted}]", quotedSender="a：b", quotedContent=quoted
    )
    assert message.text == "好看"
    assert message.quote is not None
    assert message.quote.sender == "a：b"


def test_without_fields_of_the_quote_it_is_read_from_the_text(tmp_path: Path) -> None:
    message = one(tmp_path, localType=QUOTE, type="引用消息", content="好看[引用 许青禾：[图片]]")
    assert (message.text, message.quote) == ("好看", Quote("", "许青禾", None, "", "image"))
    older = one(tmp_path, localType=None, type="引用消息", content="好看[引用 许青禾：走]")
    assert (older.text, older.quote) == ("好看", Quote("", "许青禾", None, "走", ""))


def test_brackets_in_a_text_that_answers_nothing_stay(tmp_path: Path) -> None:
    assert one(tmp_path, content="看[引用 甲：乙]").text == "看[引用 甲：乙]"


def test_the_xml_of_a_reply_is_read_and_never_shown(tmp_path: Path) -> None:
    refer = "<refermsg><type>1</type><svrid>7</svrid><fromusr>wxid_b</fromusr><content>走吗</content></refermsg>"
    xml = f"<msg><appmsg><title>{escape('好 & 行')}</title><type>57</type>{refer}</appmsg></msg>"
    message = one(tmp_path, localType=QUOTE, content=xml)
    assert (message.text, message.quote) == ("好 & 行", Quote("7", "wxid_b", None, "走吗", "text"))
    chats, tally = read_json(session_json, tmp_path, export(row(localType=QUOTE, content=xml[:-3])))
    assert (chats[0].messages, tally.located) == ((), ["messages[0]: it is a reply whose XML cannot be read"])


def test_a_picture_is_where_its_content_or_media_path_says(tmp_path: Path) -> None:
    picture = {"localType": 3, "type": "图片消息"}
    assert one(tmp_path, **picture, content="../images/1_a.jpg").pictures == (PictureHint(("../images/1_a.jpg",)),)
    assert one(tmp_path, **picture, content="[图片]").pictures == (PictureHint(),)
    assert one(tmp_path, **picture, content="[图片]", mediaPath="media/a.jpg").pictures == (
        PictureHint(("media/a.jpg",)),
    )
    xml = f'<msg><img md5="{"0f" * 16}"/></msg>'
    assert one(tmp_path, **picture, content=xml).pictures == (PictureHint((), ("0f" * 16,)),)
    assert one(tmp_path, **picture, content="a.jpg").text == ""


def test_ids_are_those_of_the_server_else_those_of_the_file(tmp_path: Path) -> None:
    assert one(tmp_path, platformMessageId="6116895530414915131").message_id == "6116895530414915131"
    assert one(tmp_path, platformMessageId=6116895530414915131).message_id == "6116895530414915131"
    assert one(tmp_path, localId=7).message_id == "7"


def test_the_owner_without_a_name_is_the_one_with_a_name_elsewhere(tmp_path: Path) -> None:
    rows = (row(isSend=1, senderUsername=None), row(isSend="1", senderUsername="wxid_me"), row())
    assert [m.sender for m in chat(tmp_path, *rows).messages] == ["wxid_me", "wxid_me", "wxid_a"]
    assert [m.sender for m in chat(tmp_path, rows[0], rows[2]).messages] == [OWNER, "wxid_a"]
    named = chat(tmp_path, rows[0], rows[2], owner_id="wxid_x")
    assert [m.sender for m in named.messages] == ["wxid_x", "wxid_a"]
    assert [m.person for m in named.members if m.owner] == ["wxid_x"]


def test_in_a_private_chat_whoever_is_not_the_owner_is_the_other_one(tmp_path: Path) -> None:
    found = private(tmp_path, row(senderUsername=None), row(isSend=1, senderUsername="wxid_me"))
    assert ([m.sender for m in found.messages], found.group, found.name) == (["wxid_b", "wxid_me"], False, "老山")
    assert found.members[0].names == ("老山", "山友")


def test_in_a_group_a_name_stands_for_a_missing_id_and_without_both_a_text_is_nobodys(tmp_path: Path) -> None:
    assert one(tmp_path, senderUsername=None).sender == "林晚舟"
    chats, tally = read_json(session_json, tmp_path, export(row(senderUsername=None, senderDisplayName="")))
    assert (chats[0].messages, tally.located) == ((), ["messages[0]: it has no sender"])


def test_members_of_a_group_are_listed_with_all_names(tmp_path: Path) -> None:
    members = [
        {"wxid": "wxid_a", "displayName": "小林", "nickname": "林晚舟", "remark": "邻居"},
        {"displayName": "x"},
        5,
    ]
    found = chat(tmp_path, row(), groupMembers=members, avatars={"wxid_a": {"displayName": "小林", "base64": "A"}})
    assert [(m.person, m.names) for m in found.members] == [("wxid_a", ("小林", "邻居", "林晚舟"))]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"createTime": None}, "it has no time"),
        ({"createTime": "x"}, "its time is no number"),
        ({"localType": "text"}, "its type is no number"),
        ({"localType": [1]}, "its type is no number"),
        ({"localType": None, "type": None}, "it has no type"),
        ({"localType": None, "type": ["文本消息"]}, "type is no text"),
        ({"content": ["你好"]}, "content is no text"),
        ({"localType": 3, "mediaPath": {}}, "mediaPath is no text"),
        ({"localType": QUOTE, "quotedContent": [1]}, "quotedContent is no text"),
    ],
)
def test_a_row_whose_fields_are_wrong_is_counted_with_its_place(fields: Any, why: str, tmp_path: Path) -> None:
    chats, tally = read_json(session_json, tmp_path, export(row(), row(**fields)))
    assert (len(chats[0].messages), tally.rows, tally.located) == (1, 2, [f"messages[1]: {why}"])


def test_a_session_that_is_no_object_leaves_the_file_its_name(tmp_path: Path) -> None:
    chats, _ = read_json(session_json, tmp_path, {"session": [1], "messages": [row()]})
    assert (chats[0].chat_id, chats[0].messages[0].text) == ("export", "你好")


def test_a_file_without_messages_is_a_fault(tmp_path: Path) -> None:
    for reader in (session_json, senders_json, api_json):
        with pytest.raises(InputError, match="has no list 'messages'"):
            read_json(reader, tmp_path, {"session": {"wxid": "a"}})


def test_the_session_may_follow_its_messages_and_megabytes_of_avatars(tmp_path: Path) -> None:
    value = {**export(row()), "avatars": {"wxid_a": "data:image/png;base64," + "A" * 5_000_000}}
    chats, _ = read_json(session_json, tmp_path, dict(reversed(value.items())))
    assert (chats[0].chat_id, len(chats[0].messages)) == ("1@chatroom", 1)


def numbered(*rows: Any) -> dict[str, Any]:
    senders = [{"senderID": 0, "wxid": "wxid_a", "displayName": "小林", "remark": "邻居"}, {"senderID": "2"}, 5, {}]
    return {**export(*rows), "senders": senders}


def test_senders_are_found_by_their_numbers_nought_included(tmp_path: Path) -> None:
    rows = [
        {**row(), "senderID": number, "senderUsername": None, "senderDisplayName": None} for number in (0, "0", 2, 9)
    ]
    chats, tally = read_json(senders_json, tmp_path, numbered(*rows))
    assert [(m.sender, m.names) for m in chats[0].messages] == [
        ("wxid_a", ("小林",)),
        ("wxid_a", ("小林",)),
        ("sender 2", ()),
    ]
    assert chats[0].members[0].names == ("小林", "邻居")
    assert tally.located == ["messages[3]: its sender is not in the list of senders"]


def test_a_system_line_needs_no_number(tmp_path: Path) -> None:
    chats, tally = read_json(
        senders_json, tmp_path, numbered({**row(localType=10000, senderUsername=None), "senderID": None})
    )
    assert ([m.sender for m in chats[0].messages], tally.dropped) == ([""], {})


def answer(*rows: Any) -> dict[str, Any]:
    return {"success": True, "talker": "1@chatroom", "count": len(rows), "hasMore": False, "messages": list(rows)}


def test_what_was_parsed_stands_in_for_a_missing_content(tmp_path: Path) -> None:
    chats, _ = read_json(api_json, tmp_path, answer(row(content=None, parsedContent="你好", serverId=2**62)))
    assert [(m.text, m.message_id) for m in chats[0].messages] == [("你好", str(2**62))]


def test_a_quote_may_be_an_object(tmp_path: Path) -> None:
    quote = {"platformMessageId": "7", "sender": "wxid_b", "accountName": "许青禾", "content": "走吗", "type": 0}
    chats, _ = read_json(api_json, tmp_path, answer(row(localType=QUOTE, content="好[引用 许青禾：走吗]", quote=quote)))
    assert (chats[0].messages[0].text, chats[0].messages[0].quote) == ("好", Quote("7", "wxid_b", None, "走吗", ""))


def test_a_picture_of_an_answer_is_found_by_its_files_name_and_no_address_is_kept(tmp_path: Path) -> None:
    media = {"mediaFileName": "a.jpg", "mediaUrl": "http://127.0.0.1/a.jpg", "mediaLocalPath": "/home/me/a.jpg"}
    chats, _ = read_json(api_json, tmp_path, answer(row(localType=3, content="[图片]", **media)))
    assert chats[0].messages[0].pictures == (PictureHint(("/home/me/a.jpg",), ("a.jpg",)),)
