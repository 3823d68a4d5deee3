"""Each format tells the same story: one test over all of them."""

from datetime import UTC
from pathlib import Path

import pytest

from mldr.annotation.chat import OWNER
from mldr.annotation.readers.contract import RawChat, ReadOptions
from tests.annotation.readers import exports_tables as story
from tests.annotation.readers.support_tables import READERS, read_path

FORMATS = list(story.WRITERS)
WITH_IDS = ("typename-csv", "typename-json", "local-csv")
AWARE = ("local-csv", "script-html")


def chat_of(name: str, folder: Path) -> RawChat:
    chats, tally = read_path(name, story.WRITERS[name](folder))
    assert (len(chats), tally.dropped) == (1, {})
    assert tally.rows == len(chats[0].messages)
    return chats[0]


def told(name: str) -> list[tuple[str, str, str]]:
    lines = []
    for line in story.STORY:
        if (name, line.kind) == ("dated-text", "money"):
            continue
        sender = line.sender if name in WITH_IDS else story.NAMES.get(line.sender, "")
        sender = OWNER if line.sender == story.ME and name != "dated-text" else sender
        lost = name == "local-csv" and line.answers >= 0
        silent = line.kind == "recall" and name in ("script-html", "stamped-text")
        kind = "other" if lost else line.kind
        lines.append(("" if silent else sender, kind, line.text if line.kind == "text" and not lost else ""))
    return ([("", "system", "")] if name == "dated-text" else []) + lines


@pytest.mark.parametrize("name", FORMATS)
def test_the_story_is_told_in_its_order_with_its_kinds_senders_and_words(name: str, tmp_path: Path) -> None:
    chat = chat_of(name, tmp_path)
    assert [(message.sender, message.kind, message.text) for message in chat.messages] == told(name)
    assert chat.group
    assert chat.platform == ("whatsapp" if name == "dated-text" else "wechat")


@pytest.mark.parametrize("name", FORMATS)
def test_times_are_instants_where_the_file_gives_instants_and_clocks_where_it_shows_clocks(
    name: str, tmp_path: Path
) -> None:
    kept = [index for index, line in enumerate(story.STORY) if (name, line.kind) != ("dated-text", "money")]
    times = [message.time for message in chat_of(name, tmp_path).messages][name == "dated-text" :]
    if name in AWARE:
        assert [time.timestamp() for time in times] == [story.EPOCH + 120 * index for index in kept]
        assert all(time.tzinfo is UTC for time in times)
    else:
        assert times == [story.clock(index) for index in kept]


@pytest.mark.parametrize("name", FORMATS)
def test_what_nobody_typed_stands_in_no_text(name: str, tmp_path: Path) -> None:
    texts = " ".join(message.text for message in chat_of(name, tmp_path).messages)
    assert not [word for word in ("引用", "没有人", "[", "撤回", "邀请", "附件", "表情", "20.00") if word in texts]


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "stamped-text"])
def test_each_picture_can_be_found_in_the_folder(name: str, tmp_path: Path) -> None:
    chat = chat_of(name, tmp_path)
    files = {path.stem: path for path in tmp_path.rglob("*") if path.suffix in (".png", ".jpg")}
    found = []
    for message in chat.messages:
        for hint in message.pictures:
            paths = [tmp_path / path.replace("\\", "/") for path in hint.paths]
            paths += [files[stem] for stem in hint.stems if stem in files]
            found.append(next(path.read_bytes() for path in paths if path.is_file()))
    form = "PNG" if name.startswith("typename") else "JPEG"
    assert found == [story.picture(index, form) for index, line in enumerate(story.STORY) if line.kind == "image"]


def test_a_picture_that_is_only_told_of_is_a_picture_without_a_path(tmp_path: Path) -> None:
    pictures = [message for message in chat_of("stamped-text", tmp_path).messages if message.kind == "image"]
    assert [(len(m.pictures), m.pictures[0].paths, m.pictures[0].stems) for m in pictures] == [(1, (), ())] * 3


@pytest.mark.parametrize("name", ["typename-csv", "typename-json", "script-html", "stamped-text"])
def test_each_reply_tells_what_it_answers(name: str, tmp_path: Path) -> None:
    chat = chat_of(name, tmp_path)
    for message, line in zip(chat.messages, story.STORY, strict=True):
        assert (message.quote is not None) == (line.answers >= 0)
        if message.quote is not None:
            answered = story.STORY[line.answers]
            assert message.quote.sender == story.NAMES[answered.sender]
            assert (message.quote.text, message.quote.kind) == (answered.text, answered.kind)
            assert message.quote.time in (None, story.clock(line.answers))


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "dated-text"])
def test_the_owner_is_one_person_and_marked(name: str, tmp_path: Path) -> None:
    assert [member.person for member in chat_of(name, tmp_path).members if member.owner] == [OWNER]
    chats, _ = read_path(name, story.WRITERS[name](tmp_path), ReadOptions(owner_id="wxid_said"))
    assert [member.person for member in chats[0].members if member.owner] == ["wxid_said"]
    assert OWNER not in {message.sender for message in chats[0].messages}


@pytest.mark.parametrize("name", FORMATS)
def test_every_name_that_the_file_calls_somebody_by_is_kept(name: str, tmp_path: Path) -> None:
    names = {name for member in chat_of(name, tmp_path).members for name in member.names}
    expected = {story.HE, story.SU} if name.startswith("typename") else {story.NAMES[story.HE], story.NAMES[story.SU]}
    assert expected <= names


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-16"])
def test_the_encoding_of_the_file_does_not_matter(name: str, encoding: str, tmp_path: Path) -> None:
    path = story.WRITERS[name](tmp_path)
    plain, _ = read_path(name, path)
    path.write_bytes(path.read_bytes().decode("utf-8-sig").encode(encoding))
    assert read_path(name, path)[0] == plain


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_file_gives_the_same_chat_and_a_longer_one_the_same_id(name: str, tmp_path: Path) -> None:
    path = story.WRITERS[name](tmp_path)
    first = read_path(name, path)[0]
    assert read_path(name, path)[0] == first
    if name in ("dated-text", "stamped-text"):
        path.write_text(path.read_text(encoding="utf-8") + path.read_text(encoding="utf-8")[-70:], encoding="utf-8")
        assert read_path(name, path)[0][0].chat_id == first[0].chat_id


@pytest.mark.parametrize("name", FORMATS)
def test_a_reader_is_named_like_its_module_and_says_by_what_it_knows_a_file(name: str) -> None:
    assert name == READERS[name].NAME
    assert len(READERS[name].SUMMARY.splitlines()) == 1
