"""The traps of exports with a chatInfo, in one file and in chunks."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mldr.annotation.chat import Member
from mldr.annotation.readers import chatinfo_chunks, chatinfo_json
from mldr.annotation.readers.contract import PictureHint, Quote, RawChat, RawMessage, Tally
from mldr.errors import InputError
from tests.annotation.readers.exports_other import CHAT_INFO, METADATA, write_chatinfo_chunks
from tests.annotation.readers.support_json import read_file, read_json

TIME = 1738713600000


def row(*elements: tuple[str, dict[str, Any]], **more: Any) -> dict[str, Any]:
    content = {
        "text": "secret",
        "html": "secret",
        "elements": [{"type": kind, "data": data} for kind, data in elements],
    }
    sender = {"uid": "u_1", "uin": "2001", "name": "小林"}
    return {"id": "7", "timestamp": TIME, "sender": sender, "content": content, **more}


def chat(folder: Path, *rows: Any, **info: Any) -> tuple[RawChat, Tally]:
    (one,), tally = read_json(
        chatinfo_json, folder, {"metadata": METADATA, "chatInfo": {**CHAT_INFO, **info}, "messages": list(rows)}
    )
    return one, tally


def message(folder: Path, *rows: Any, **info: Any) -> RawMessage:
    one, tally = chat(folder, *rows, **info)
    assert not tally.dropped
    return one.messages[-1]


def test_words_come_from_text_and_at_elements_alone(tmp_path: Path) -> None:
    elements: list[tuple[str, dict[str, Any]]] = [
        ("reply", {"msgId": "1", "content": "被引的话"}),
        ("at", {"uid": "u_2", "name": "阿旭"}),
        ("text", {"text": " 周六去吗"}),
        ("face", {"id": 12, "name": "表情12", "text": "[笑]"}),
        ("at", {"uid": "all", "name": "@全体成员"}),
    ]
    assert message(tmp_path, row(*elements)).text == "@阿旭 周六去吗@全体成员"


@pytest.mark.parametrize(
    ("element", "kind"),
    [
        (("face", {"id": 1}), "sticker"),
        (("market_face", {"name": "[笑]"}), "sticker"),
        (("audio", {"duration": 3}), "voice"),
        (("video", {}), "video"),
        (("file", {"filename": "a.pdf"}), "file"),
        (("json", {"title": "t", "content": "{}"}), "link"),
        (("location", {"title": "t"}), "location"),
        (("forward", {"title": "t", "messages": [{"content": {"text": "x"}}]}), "forward"),
        (("system", {"text": "x"}), "system"),
        (("other_thing", {"text": "x"}), "other"),
    ],
)
def test_what_is_neither_words_nor_a_picture_is_an_event_without_text(
    tmp_path: Path, element: tuple[str, dict[str, Any]], kind: str
) -> None:
    found = message(tmp_path, row(element))
    assert (found.kind, found.text, found.pictures) == (kind, "", ())


def test_a_forward_is_an_event_even_beside_words(tmp_path: Path) -> None:
    found = message(tmp_path, row(("text", {"text": "别人的话"}), ("forward", {"title": "聊天记录"})))
    assert (found.kind, found.text) == ("forward", "")


@pytest.mark.parametrize("key", ["recalled", "isRecalled"])
def test_what_was_taken_back_keeps_neither_words_nor_pictures(tmp_path: Path, key: str) -> None:
    found = message(tmp_path, row(("text", {"text": "算了"}), ("image", {"localPath": "images/a.png"}), **{key: True}))
    assert (found.kind, found.text, found.pictures) == ("recall", "", ())


@pytest.mark.parametrize("key", ["system", "isSystemMessage"])
def test_a_system_line_needs_no_sender(tmp_path: Path, key: str) -> None:
    found = message(tmp_path, row(("text", {"text": "x"}), **{key: True, "sender": {"uid": "0"}}))
    assert (found.kind, found.sender, found.text) == ("system", "", "")


def test_a_message_with_words_and_a_picture_keeps_both(tmp_path: Path) -> None:
    found = message(tmp_path, row(("image", {"localPath": "images/a.png"}), ("text", {"text": "看"})))
    assert (found.kind, found.text, len(found.pictures)) == ("image", "看", 1)


@pytest.mark.parametrize(
    ("image", "paths", "stems"),
    [
        ({"localPath": "images/a.png"}, ("resources/images/a.png", "images/a.png"), ()),
        ({"localPath": "images\\a.png"}, ("resources/images/a.png", "images/a.png"), ()),
        ({"localPath": "resources/images/a.png"}, ("resources/images/a.png",), ()),
        ({"localPath": "a.png"}, ("resources/a.png", "resources/images/a.png", "a.png"), ()),
        ({"localPath": "/etc/passwd"}, ("/etc/passwd",), ()),
        ({"localPath": "C:\\a.png"}, ("C:/a.png",), ()),
        ({"url": "https://h/a.png", "filename": "pic.jpg"}, ("https://h/a.png",), ()),
        ({"filename": "ABCDEF0123456789.jpg", "md5": "0F" * 16}, (), ("0f" * 16, "abcdef0123456789")),
        ({}, (), ()),
    ],
)
def test_a_picture_is_looked_for_below_resources_and_by_hash(
    tmp_path: Path, image: dict[str, Any], paths: tuple[str, ...], stems: tuple[str, ...]
) -> None:
    assert message(tmp_path, row(("image", image))).pictures == (PictureHint(paths, stems),)


def test_a_path_among_the_resources_serves_the_picture_of_that_name(tmp_path: Path) -> None:
    one = row(("image", {"filename": "b.png"}), ("image", {"filename": "a.png"}))
    one["content"]["resources"] = [
        {"type": "image", "filename": name, "localPath": f"images/{name}"} for name in ("a.png", "b.png")
    ]
    assert [hint.paths[0] for hint in message(tmp_path, one).pictures] == [
        "resources/images/b.png",
        "resources/images/a.png",
    ]


@pytest.mark.parametrize(
    ("reply", "target"),
    [
        ({"referencedMessageId": "1", "replyMsgId": "2", "msgId": "3"}, "1"),
        ({"referencedMessageId": "", "replyMsgId": "2", "msgId": "3"}, "2"),
        ({"referencedMessageId": "0", "replyMsgId": "", "msgId": "3"}, "3"),
        ({"referencedMessageId": 0, "replyMsgId": None, "msgId": 7300000000000000001}, "7300000000000000001"),
        ({"referencedMessageId": "", "replyMsgId": "0"}, ""),
        ({"referencedMessageId": "7"}, ""),
    ],
    ids=str,
)
def test_what_is_answered_is_told_by_the_first_id_that_is_one(
    tmp_path: Path, reply: dict[str, Any], target: str
) -> None:
    quote = message(tmp_path, row(("reply", reply), ("text", {"text": "好"}))).quote
    assert quote is not None
    assert quote.message_id == target


def test_a_quote_keeps_what_else_tells_its_message(tmp_path: Path) -> None:
    reply = {"senderUin": "2001", "senderName": "小林", "content": "周六去爬山", "timestamp": 1738713600}
    quote = message(tmp_path, row(("reply", reply), ("text", {"text": "好"}))).quote
    assert quote == Quote("", "u_1", datetime(2025, 2, 5, tzinfo=UTC), "周六去爬山")


@pytest.mark.parametrize("content", ["[图片]", "引用消息", "[图片] [表情]", ""])
def test_a_quoted_placeholder_is_no_quoted_text(tmp_path: Path, content: str) -> None:
    quote = message(tmp_path, row(("reply", {"content": content}), ("text", {"text": "好"}))).quote
    assert quote == Quote()


def test_the_number_and_the_uid_of_a_person_are_one_person(tmp_path: Path) -> None:
    second = {**row(("text", {"text": "b"})), "sender": {"uin": "2001", "name": "小林子"}}
    one, _ = chat(tmp_path, row(("text", {"text": "a"})), second)
    assert [found.sender for found in one.messages] == ["u_1", "u_1"]
    assert Member("u_1", ("小林", "小林子")) in one.members


def test_names_of_people_who_are_only_mentioned_are_kept_for_masking(tmp_path: Path) -> None:
    one = row(("at", {"uid": "u_5", "name": "@高远山"}), ("at", {"name": "无名氏"}), ("text", {"text": "在吗"}))
    one["content"]["mentions"] = [{"uid": "2001", "name": "林"}, {"uid": "all", "name": "全体成员", "type": "all"}]
    found, _ = chat(tmp_path, one)
    assert {member.person: member.names for member in found.members} == {
        "u_1001": ("陈小满",),
        "u_1": ("小林", "林"),
        "u_5": ("高远山",),
        "无名氏": ("无名氏",),
    }


@pytest.mark.parametrize("kind", ["private", "temp"])
def test_in_a_chat_of_two_the_name_of_the_chat_is_the_other_one(tmp_path: Path, kind: str) -> None:
    found, _ = chat(tmp_path, row(("text", {"text": "a"})), type=kind, name="许青禾", peerUid="u_9", peerUin="1009")
    assert (found.group, found.chat_id) == (False, "u_9")
    assert Member("u_9", ("许青禾",)) in found.members
    assert [member.person for member in found.members if member.owner] == ["u_1001"]


@pytest.mark.parametrize("info", [{"name": ["x"], "peerUid": {}}, {"peerUid": None, "peerUin": None}])
def test_a_chat_without_ids_is_told_by_what_there_is(tmp_path: Path, info: dict[str, Any]) -> None:
    found, _ = chat(tmp_path, row(("text", {"text": "a"})), **info)
    assert found.chat_id in ("872001", "周末爬山")


@pytest.mark.parametrize(
    ("time", "instant"),
    [
        (1738713600000, datetime(2025, 2, 5, tzinfo=UTC)),
        ("1738713600000", datetime(2025, 2, 5, tzinfo=UTC)),
        (1738713600, datetime(2025, 2, 5, tzinfo=UTC)),
        ("2025-02-05T00:00:00.000Z", datetime(2025, 2, 5, tzinfo=UTC)),
        ("2025-02-05T08:00:00+08:00", datetime(2025, 2, 5, tzinfo=UTC)),
        ("2025-02-05 08:00:00", datetime(2025, 2, 5, 8)),
    ],
)
def test_times_of_every_generation_are_read(tmp_path: Path, time: Any, instant: datetime) -> None:
    assert message(tmp_path, row(("text", {"text": "a"}), timestamp=time)).time == instant


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"timestamp": None}, "it has no time"),
        ({"timestamp": "soon"}, "its time is no date with a time"),
        ({"timestamp": 10**30}, "its time is not between the years 2000 and 2100"),
        ({"content": []}, "content is no object"),
        ({"content": {"elements": {}}}, "content.elements is no list of objects"),
        ({"content": {"elements": [{"type": [], "data": {}}]}}, "type is no text"),
        ({"content": {"elements": [{"type": "text", "data": {"text": {}}}]}}, "text is no text"),
        ({"sender": {}}, "it has no sender"),
        ({"sender": "x"}, "sender is no object"),
    ],
    ids=str,
)
def test_a_wrong_field_drops_its_row_and_no_other(tmp_path: Path, wrong: dict[str, Any], reason: str) -> None:
    one, tally = chat(tmp_path, {**row(("text", {"text": "a"})), **wrong}, row(("text", {"text": "b"})), "no object")
    assert [found.text for found in one.messages] == ["b"]
    assert (tally.rows, tally.dropped) == (3, {reason: 1, "it is no object": 1})
    assert len(tally.located) == 2


OLD = {"messageId": "9", "timestamp": "2025-02-05T00:00:00.000Z", "sender": {"uid": "u_1", "name": "小林"}}


@pytest.mark.parametrize(
    ("content", "more", "kind", "text"),
    [
        ({"text": "好"}, {}, "text", "好"),
        ({"text": "[图片:a.png]看", "resources": [{"type": "image"}]}, {}, "image", "看"),
        ({"text": "[图片]"}, {"messageType": 3}, "image", ""),
        ({"text": "[视频:a.mp4]"}, {"messageType": 7}, "video", ""),
        ({"text": "[语音:3秒]", "resources": [{"type": "audio"}]}, {}, "voice", ""),
        ({"text": "[表情12]", "emojis": [{"id": "12"}]}, {}, "sticker", ""),
        ({"text": "[转发消息]", "multiForward": {"title": "t"}}, {}, "forward", ""),
        ({"text": "[JSON消息]", "card": {"title": "t"}}, {}, "link", ""),
        ({"text": "[位置消息]", "location": {"latitude": 1}}, {}, "location", ""),
        ({"text": "", "elements": []}, {"messageType": "x"}, "other", ""),
        ({"text": "[回复消息]去", "reply": {"content": "去吗"}}, {"messageType": 9}, "text", "去"),
        ({"text": "[回复 林: 去[哪]吗]去", "reply": {"senderName": "林", "content": "去[哪]吗"}}, {}, "text", "去"),
        ({"text": "[回复 林: 去吗]去", "reply": {"referencedMessageId": "1"}}, {}, "text", "去"),
    ],
    ids=str,
)
def test_an_older_message_without_elements_loses_placeholders_and_echoes(
    tmp_path: Path, content: dict[str, Any], more: dict[str, Any], kind: str, text: str
) -> None:
    found = message(tmp_path, {**OLD, "content": content, **more})
    assert (found.message_id, found.kind, found.text) == ("9", kind, text)
    assert (found.quote is not None) == ("reply" in content)


def test_a_picture_of_an_older_message_that_nothing_names_is_still_a_missing_picture(tmp_path: Path) -> None:
    assert message(tmp_path, {**OLD, "content": {"text": "[图片]"}, "messageType": 3}).pictures == (PictureHint(),)


def manifest(folder: Path) -> tuple[Path, dict[str, Any]]:
    path = write_chatinfo_chunks(folder)
    return path, json.loads(path.read_text(encoding="utf-8"))


def rewritten(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def test_every_missing_chunk_is_named(tmp_path: Path) -> None:
    path = write_chatinfo_chunks(tmp_path)
    for name in ("c000001.jsonl", "c000003.jsonl"):
        (tmp_path / "chunks" / name).unlink()
    with pytest.raises(InputError) as caught:
        read_file(chatinfo_chunks, path)
    assert "chunks[0]: chunks/c000001.jsonl is missing" in str(caught.value)
    assert "chunks[2]: chunks/c000003.jsonl is missing" in str(caught.value)


@pytest.mark.parametrize("name", ["../../private.jsonl", "/etc/passwd", "a/../../manifest.json", "C:\\a", "a\0b"])
def test_no_chunk_is_read_outside_of_the_folder_of_chunks(tmp_path: Path, name: str) -> None:
    (tmp_path / "private.jsonl").write_text("{}\n")
    path, value = manifest(tmp_path / "export")
    value["chunked"]["chunks"][0]["fileName"] = name
    with pytest.raises(InputError, match=r"the path of a chunk|is missing"):
        read_file(chatinfo_chunks, rewritten(path, value))


@pytest.mark.parametrize("folder", ["..", "/", "../other", "chunks/../.."])
def test_the_folder_of_chunks_is_in_the_export(tmp_path: Path, folder: str) -> None:
    path, value = manifest(tmp_path / "export")
    value["chunked"]["chunksDir"] = folder
    with pytest.raises(InputError, match="the path of a chunk"):
        read_file(chatinfo_chunks, rewritten(path, value))


def test_a_link_out_of_the_folder_of_chunks_is_not_followed(tmp_path: Path) -> None:
    path = write_chatinfo_chunks(tmp_path / "export")
    chunk = tmp_path / "export" / "chunks" / "c000001.jsonl"
    chunk.rename(tmp_path / "moved.jsonl")
    chunk.symlink_to(tmp_path / "moved.jsonl")
    with pytest.raises(InputError, match="leads out of its folder"):
        read_file(chatinfo_chunks, path)


@pytest.mark.parametrize("chunks", [None, [], {}, "x"])
def test_a_manifest_without_chunks_is_a_fault(tmp_path: Path, chunks: Any) -> None:
    path, value = manifest(tmp_path)
    value["chunked"]["chunks"] = chunks
    with pytest.raises(InputError, match="lists no chunks"):
        read_file(chatinfo_chunks, rewritten(path, value))


@pytest.mark.parametrize(("chunk", "words"), [("x", "names no file"), ({}, "names no file")])
def test_a_chunk_without_a_name_is_a_fault(tmp_path: Path, chunk: Any, words: str) -> None:
    path, value = manifest(tmp_path)
    value["chunked"]["chunks"].append(chunk)
    with pytest.raises(InputError, match=rf"chunks\[3\]: {words}"):
        read_file(chatinfo_chunks, rewritten(path, value))


def test_a_chunk_that_is_listed_twice_is_a_fault(tmp_path: Path) -> None:
    path, value = manifest(tmp_path)
    value["chunked"]["chunks"].append(value["chunked"]["chunks"][0])
    with pytest.raises(InputError, match="listed twice"):
        read_file(chatinfo_chunks, rewritten(path, value))


def test_a_chunk_is_found_by_its_relative_path_alone(tmp_path: Path) -> None:
    path, value = manifest(tmp_path)
    for chunk in value["chunked"]["chunks"]:
        del chunk["fileName"]
    (found,), _ = read_file(chatinfo_chunks, rewritten(path, value))
    assert len(found.messages) == 15


def test_a_chunk_that_was_cut_short_is_a_fault_at_its_line(tmp_path: Path) -> None:
    path = write_chatinfo_chunks(tmp_path)
    chunk = tmp_path / "chunks" / "c000002.jsonl"
    chunk.write_text(chunk.read_text(encoding="utf-8")[:-40], encoding="utf-8")
    with pytest.raises(InputError, match=r"c000002.jsonl, line 6: .*cut short"):
        read_file(chatinfo_chunks, path)


def test_long_statistics_before_the_chunks_do_not_hide_them(tmp_path: Path) -> None:
    path, value = manifest(tmp_path)
    value["statistics"] = {"senders": [{"uid": f"u_{i}", "name": "某某", "messageCount": i} for i in range(3_000)]}
    value = {key: value[key] for key in ("metadata", "chatInfo", "statistics", "chunked", "avatars")}
    (found,), tally = read_file(chatinfo_json, rewritten(path, value))
    assert (len(found.messages), tally.rows) == (15, 15)


def test_a_file_without_messages_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no list 'messages'"):
        read_json(chatinfo_json, tmp_path, {"metadata": METADATA, "chatInfo": CHAT_INFO})


def test_a_file_that_was_cut_short_is_a_fault(tmp_path: Path) -> None:
    text = json.dumps({"metadata": METADATA, "chatInfo": CHAT_INFO, "messages": [row(("text", {"text": "a"}))]})
    (tmp_path / "export.json").write_text(text[:-20])
    with pytest.raises(InputError, match="cut short"):
        read_file(chatinfo_json, tmp_path / "export.json")
