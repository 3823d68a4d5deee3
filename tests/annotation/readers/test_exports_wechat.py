"""Each format tells the same story: one test over all of them."""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from mldr.annotation.chat import OWNER
from mldr.annotation.readers.contract import RawChat, Reader
from tests.annotation.readers import exports_wechat as story
from tests.annotation.readers.support_json import read_file

FORMATS: dict[str, tuple[str, Callable[[Path], Path]]] = {
    name: (name, writer) for name, writer in story.WRITERS.items()
}
FORMATS["session-json, older"] = ("session-json", story.write_session_json_without_header)


def reader(name: str) -> Reader:
    return cast(Reader, importlib.import_module(f"mldr.annotation.readers.{name.replace('-', '_')}"))


def chat_of(export: str, folder: Path) -> RawChat:
    name, write = FORMATS[export]
    chats, tally = read_file(reader(name), write(folder))
    assert (len(chats), tally.rows, tally.dropped) == (1, len(story.STORY), {})
    return chats[0]


@pytest.mark.parametrize("export", FORMATS)
def test_the_story_is_told_in_its_order_with_its_kinds_senders_and_words(export: str, tmp_path: Path) -> None:
    chat = chat_of(export, tmp_path)
    assert (chat.chat_id, chat.platform, chat.group) == (story.ROOM, "wechat", True)
    told = [(line.sender, line.kind, line.text if line.kind == "text" else "") for line in story.STORY]
    assert [(message.sender, message.kind, message.text) for message in chat.messages] == told
    assert [m.time.timestamp() - chat.messages[0].time.timestamp() for m in chat.messages] == [
        60 * index for index in range(len(story.STORY))
    ]


@pytest.mark.parametrize("export", FORMATS)
def test_what_nobody_of_the_story_wrote_stands_in_no_text(export: str, tmp_path: Path) -> None:
    texts = " ".join(message.text for message in chat_of(export, tmp_path).messages)
    assert not [word for word in (story.FORWARDED, "引用", "> ", "[", "撤回", "secret") if word in texts]


@pytest.mark.parametrize("export", FORMATS)
def test_each_picture_can_be_found_in_the_folder(export: str, tmp_path: Path) -> None:
    chat = chat_of(export, tmp_path)
    files = {name: path for path in tmp_path.rglob("*.png") for name in (path.stem, path.name)}
    for index, message in enumerate(chat.messages):
        found = [tmp_path / path for hint in message.pictures for path in hint.paths if (tmp_path / path).is_file()]
        found += [files[stem] for hint in message.pictures for stem in hint.stems if stem in files]
        assert [path.read_bytes() for path in found[:1]] == [story.picture(index)] * (message.kind == "image")


@pytest.mark.parametrize("export", FORMATS)
def test_each_reply_tells_which_message_it_answers(export: str, tmp_path: Path) -> None:
    chat = chat_of(export, tmp_path)
    for message, line in zip(chat.messages, story.STORY, strict=True):
        assert (message.quote is not None) == (line.answers >= 0)
        if message.quote:
            answered = chat.messages[line.answers]
            by_id = message.quote.message_id == answered.message_id != ""
            by_time = message.quote.time == answered.time
            by_words = message.quote.text == answered.text and message.quote.kind in ("", answered.kind)
            assert by_id or by_time or by_words
            assert by_id or message.quote.sender in {answered.sender, *answered.names}


@pytest.mark.parametrize("export", [export for export in FORMATS if export != "talker-csv"])
def test_the_owner_is_marked_where_the_file_says_who_that_is(export: str, tmp_path: Path) -> None:
    assert [member.person for member in chat_of(export, tmp_path).members if member.owner] == [story.ME]


@pytest.mark.parametrize("export", FORMATS)
def test_a_person_who_says_who_the_owner_is_is_believed(export: str, tmp_path: Path) -> None:
    name, write = FORMATS[export]
    chats, _ = read_file(reader(name), write(tmp_path), story.LIN)
    assert [member.person for member in chats[0].members if member.owner] == [story.LIN]
    assert OWNER not in {message.sender for message in chats[0].messages}


@pytest.mark.parametrize("export", FORMATS)
def test_ids_stay_exact_and_are_each_used_once(export: str, tmp_path: Path) -> None:
    ids = [message.message_id for message in chat_of(export, tmp_path).messages]
    assert all(isinstance(one, str) for one in ids)
    assert len(set(ids)) == (1 if export == "talker-csv" else len(ids))
    if export in ("members-json", "members-jsonl", "session-json", "senders-json", "api-json"):
        assert ids == [story.message_id(index) for index in range(len(ids))]


@pytest.mark.parametrize("export", FORMATS)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-16"])
def test_the_encoding_of_the_file_does_not_matter(export: str, encoding: str, tmp_path: Path) -> None:
    name, write = FORMATS[export]
    path = write(tmp_path)
    plain, _ = read_file(reader(name), path)
    path.write_bytes(path.read_bytes().decode("utf-8").encode(encoding))
    assert read_file(reader(name), path)[0] == plain
