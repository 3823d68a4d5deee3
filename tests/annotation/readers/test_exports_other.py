"""Each of the other formats tells the same story: one test over all of them."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from mldr.annotation.readers.contract import RawChat, Reader
from mldr.annotation.readers.replies import resolve
from tests.annotation.readers import exports_other as other
from tests.annotation.readers import exports_wechat as story
from tests.annotation.readers.exports_wechat import LIN, ME, NAMES, STORY, XU
from tests.annotation.readers.support_json import read_file

Writer = Callable[[Path], Path]
FORMATS: dict[str, tuple[str, Writer]] = {name: (name, writer) for name, writer in other.WRITERS.items()}
FORMATS["chatinfo-json, older"] = ("chatinfo-json", other.write_older_chatinfo_json)
FORMATS["dated-json, account"] = ("dated-json", other.write_dated_account)
PLATFORMS = {"chatinfo-json": "qq", "chatinfo-chunks": "qq", "dated-json": "telegram", "guild-json": "discord"}
# Formats without a kind of message write another in its place.
KINDS: dict[str, dict[str, str]] = {
    "chatinfo-json": {"money": "other"},
    "chatinfo-chunks": {"money": "other"},
    "chatinfo-json, older": {"money": "link"},
    "dated-json": {"recall": "system"},
    "dated-json, account": {"recall": "system"},
    "guild-json": {"recall": "system", "money": "system"},
    "neutral-jsonl": {},
}


def reader(name: str) -> Reader:
    return cast(Reader, importlib.import_module(f"mldr.annotation.readers.{name.replace('-', '_')}"))


def chat_of(export: str, folder: Path) -> RawChat:
    name, write = FORMATS[export]
    chats, tally = read_file(reader(name), write(folder))
    assert (len(chats), tally.rows, tally.dropped) == (1, len(STORY), {})
    return chats[0]


def person(export: str, sender: str) -> str:
    if export.startswith("chatinfo"):
        return other.uid(sender)
    return other.user(sender) if export.startswith("dated") else other.NUMBERS[sender]


@pytest.mark.parametrize("export", FORMATS)
def test_the_story_is_told_in_its_order_with_its_kinds_senders_and_words(export: str, tmp_path: Path) -> None:
    chat = chat_of(export, tmp_path)
    platform = PLATFORMS.get(FORMATS[export][0], "other")
    assert (chat.chat_id, chat.name, chat.platform, chat.group) == (other.GROUP, story.ROOM_NAME, platform, True)
    told = [(KINDS[export].get(line.kind, line.kind), line.text if line.kind == "text" else "") for line in STORY]
    assert [(message.kind, message.text) for message in chat.messages] == told
    spoken = [index for index, line in enumerate(STORY) if line.kind in ("text", "image")]
    assert [chat.messages[i].sender for i in spoken] == [person(export, STORY[i].sender) for i in spoken]
    assert [message.time for message in chat.messages] == [other.at(index) for index in range(len(STORY))]
    assert [message.message_id for message in chat.messages] == [other.number(index) for index in range(len(STORY))]


@pytest.mark.parametrize("export", FORMATS)
def test_what_nobody_of_the_story_wrote_is_nowhere(export: str, tmp_path: Path) -> None:
    chat = chat_of(export, tmp_path)
    assert not [word for word in (story.FORWARDED, "[", "撤回") if word in " ".join(m.text for m in chat.messages)]
    assert not [message for message in chat.messages if other.SECRET in f"{message.text}{message.names}"]
    assert not [member for member in chat.members if other.SECRET in repr(member)]


@pytest.mark.parametrize("export", FORMATS)
def test_each_picture_can_be_found_in_the_folder(export: str, tmp_path: Path) -> None:
    chat = chat_of(export, tmp_path)
    files = {path.stem: path for path in tmp_path.rglob("*.png")}
    for index, message in enumerate(chat.messages):
        found = [tmp_path / path for hint in message.pictures for path in hint.paths if (tmp_path / path).is_file()]
        found += [files[stem] for hint in message.pictures for stem in hint.stems if stem in files]
        assert [path.read_bytes() for path in found[:1]] == [story.picture(index)] * (message.kind == "image")


@pytest.mark.parametrize("export", FORMATS)
def test_each_reply_leads_to_the_message_that_it_answers(export: str, tmp_path: Path) -> None:
    replies = resolve(chat_of(export, tmp_path).messages, {})
    assert replies.targets == [line.answers if line.answers >= 0 else None for line in STORY]
    assert set(replies.methods) == {"", "id"}


@pytest.mark.parametrize("export", FORMATS)
def test_everybody_of_the_story_is_known_with_names(export: str, tmp_path: Path) -> None:
    chat = chat_of(export, tmp_path)
    members = {member.person: member for member in chat.members}
    for sender in (ME, LIN, XU):
        assert NAMES[sender] in members[person(export, sender)].names
    knows_owner = export not in ("dated-json", "guild-json")
    assert [member.person for member in chat.members if member.owner] == [person(export, ME)] * knows_owner


@pytest.mark.parametrize("export", ["dated-json", "guild-json"])
def test_who_gave_the_export_can_be_said_where_the_file_does_not(export: str, tmp_path: Path) -> None:
    name, write = FORMATS[export]
    (chat,), _ = read_file(reader(name), write(tmp_path), owner_id=person(export, LIN))
    assert [member.person for member in chat.members if member.owner] == [person(export, LIN)]
