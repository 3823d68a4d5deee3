from datetime import UTC, datetime
from pathlib import Path

import pytest

from mldr.annotation.chat import OWNER
from mldr.annotation.readers.contract import PictureHint, Quote, RawMessage, ReadOptions
from mldr.errors import InputError
from tests.annotation.readers import exports_tables as story
from tests.annotation.readers.support_tables import knowing, messages_of, read_path, read_text

ROW: dict[str, str | int] = {
    "type": 1, "text": "走吗", "is_send": 0, "timestamp": story.EPOCH, "is_chatroom": 0, "displayname": "何知远",
}  # fmt: skip


def one(folder: Path, **values: str | int) -> RawMessage:
    (message,) = messages_of("script-html", folder, story.page([{**ROW, **values}]))
    return message


def scripted(*literals: str) -> str:
    return f"<html><body><script>\nconst chatMessages = [{','.join(literals)}];</script></body></html>"


@pytest.mark.parametrize(
    "text", ["</script>", "a `b` ${c}", "x ];\n const chatMessages = [", "'\"\\", "//", "/* */", "a\n\nb"]
)
def test_words_that_look_like_code_are_words(text: str, tmp_path: Path) -> None:
    assert one(tmp_path, text=text).text == text


def test_entities_of_the_page_are_undone_once(tmp_path: Path) -> None:
    assert one(tmp_path, text="<b> & &lt; &copy;").text == "<b> & &lt; &copy;"


def test_other_ways_to_write_literals_are_read_too(tmp_path: Path) -> None:
    text = scripted(
        '{"type":1,"text":"\\u4f60\\ud83d\\ude00","is_send":1,"timestamp":1728867600,"displayname":"程一诺"}',
        "{type: '1', text: `a\nb`, is_send: '0', timestamp: '1728867660', displayname: \"何知远\", more: {deep: [1,]}}",
    )
    first, second = messages_of("script-html", tmp_path, text)
    assert (first.sender, first.text, first.names) == (OWNER, "你😀", ("程一诺",))
    assert (second.sender, second.text, second.time) == ("何知远", "a\nb", datetime.fromtimestamp(1728867660, UTC))


def test_half_an_emoji_is_replaced_and_what_nobody_sees_is_gone(tmp_path: Path) -> None:
    text = scripted("{type:1, text:'a\\ud83d\\0b', is_send:0, timestamp:1728867600, displayname:'何知远'}")
    assert messages_of("script-html", tmp_path, text)[0].text == "a\ufffdb"


def test_a_picture_has_a_path_and_a_sticker_of_the_same_type_has_a_url(tmp_path: Path) -> None:
    image = one(tmp_path, type=3, text="./image/9f3c.jpg")
    assert (image.kind, image.text, image.pictures) == ("image", "", (PictureHint(("./image/9f3c.jpg",), ("9f3c",)),))
    for url in ("http://127.0.0.1:1/a.gif", "https://127.0.0.1/a", "//127.0.0.1/a", "data:image/png;base64,AAAA"):
        sticker = one(tmp_path, type=3, text=url)
        assert (sticker.kind, sticker.pictures) == ("sticker", ())


def test_the_words_of_a_machine_are_not_the_senders(tmp_path: Path) -> None:
    message = one(tmp_path, type=34, text="./voice/1.mp3", voice_to_text="明天见")
    assert (message.kind, message.text) == ("voice", "")


@pytest.mark.parametrize(
    ("refer", "quote"),
    [
        ("苏棠：我去", Quote(sender="苏棠", text="我去", kind="text")),
        ("苏棠:我去", Quote(sender="苏棠", text="我去", kind="text")),
        ("苏棠：图片", Quote(sender="苏棠", kind="image")),
        ("", None),
    ],
)
def test_a_reply_is_a_text_with_a_quote(refer: str, quote: Quote | None, tmp_path: Path) -> None:
    message = one(tmp_path, type=49, sub_type=57, text="好", refer_text=refer)
    assert (message.kind, message.text, message.quote) == ("text", "好", quote)


def test_app_messages_are_told_by_their_keys_where_no_subtype_stands(tmp_path: Path) -> None:
    assert one(tmp_path, type=49, text="", file_name="a.pdf", file_size="1 KB").kind == "file"
    assert one(tmp_path, type=49, text="", title="标题", url="http://127.0.0.1/", description="说明").kind == "link"
    assert one(tmp_path, type=49, text="", paysubtype=1, feedesc="￥1").kind == "money"
    assert one(tmp_path, type=49, text="").kind == "other"
    assert one(tmp_path, type=49, text="标题", sub_type=5).text == ""


def test_a_system_line_names_nobody_and_tells_its_kind(tmp_path: Path) -> None:
    for text, kind in (("苏棠撤回了一条消息", "recall"), ("苏棠拍了拍何知远", "poke"), ("苏棠加入了群聊", "system")):
        message = one(tmp_path, type=0, text=text)
        assert (message.sender, message.kind, message.text, message.names) == ("", kind, "", ())


def test_a_pair_and_a_group_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    for room, group in ((0, False), (1, True)):
        path.write_text(story.page([{**ROW, "is_chatroom": room}]), encoding="utf-8")
        (chat,), _ = read_path("script-html", path)
        assert (chat.group, chat.name) == (group, story.ROOM_NAME)


def test_a_person_without_a_shown_name_goes_by_the_name_of_the_chat(tmp_path: Path) -> None:
    assert one(tmp_path, displayname="").sender == story.ROOM_NAME


@pytest.mark.parametrize(
    ("literal", "reason"),
    [
        ("[1, 2]", "is no object of names and values"),
        ("7", "is no literal that can be read without running it"),
        ("{type: 1 text}", "is no literal that can be read without running it"),
        ("{type:1, text:'a', is_send:0}", "its timestamp is no time"),
        ("{type:1, text:'a', is_send:0, timestamp:1e999}", "its timestamp is no time"),
        ("{text:'a', is_send:0, timestamp:1728867600}", "its type is no number"),
        ("{type:[1], text:'a', is_send:0, timestamp:1728867600}", "its type is no number"),
        ("{type:1, text:'a', timestamp:1728867600}", "its is_send is neither 0 nor 1"),
    ],
)
def test_a_message_that_cannot_be_read_is_counted_with_its_place(literal: str, reason: str, tmp_path: Path) -> None:
    whole = "{type:1, text:'a', is_send:0, timestamp:1728867600, displayname:'b'}"
    (chat,), tally = read_text("script-html", tmp_path, scripted(whole, literal))
    assert (len(chat.messages), tally.rows, tally.located) == (1, 2, [f"chatMessages[1]: {reason}"])


def test_a_page_that_was_cut_is_a_fault(tmp_path: Path) -> None:
    page = story.page(story.script_rows())
    with pytest.raises(InputError, match="was the export cut short"):
        read_text("script-html", tmp_path, page[: page.index("下午三点")])


def test_an_empty_list_is_no_chat(tmp_path: Path) -> None:
    chats, tally = read_text("script-html", tmp_path, scripted())
    assert (chats, tally.rows) == ([], 0)


def test_a_title_that_looks_like_the_list_does_not_open_it(tmp_path: Path) -> None:
    text = story.page([ROW]).replace(story.ROOM_NAME, "const chatMessages = [{type: 1")
    assert messages_of("script-html", tmp_path, text)[0].text == "走吗"


def test_a_page_or_a_text_that_only_speaks_of_the_list_is_not_known() -> None:
    assert not knowing('{"messages": [{"content": "<script>const chatMessages = [{"}]}')
    assert not knowing("<html><script>const other = [{a: 1}]; // chatMessages</script></html>")
    assert not knowing("<html><p>const chatMessages = [{a: 1}]</p></html>")


def test_the_owners_id_is_the_one_that_was_said(tmp_path: Path) -> None:
    chats, _ = read_text(
        "script-html", tmp_path, story.page([{**ROW, "is_send": 1}]), ReadOptions(owner_id="wxid_said")
    )
    assert chats[0].messages[0].sender == "wxid_said"
