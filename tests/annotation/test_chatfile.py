"""Chats of the private store as files, and back."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.annotation.chat import KINDS, Chat, Member, Message, Picture
from mldr.annotation.chatfile import read_chat, write_chat
from mldr.errors import InputError, MldrError

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
PICTURES = st.lists(st.builds(Picture, TEXT, TEXT), max_size=2).map(tuple)
METHODS = st.sampled_from(["", "id", "time", "text"])
MESSAGES = st.builds(
    Message,
    TEXT.filter(bool),
    TEXT,
    st.datetimes(timezones=st.just(UTC)),
    st.sampled_from(KINDS),
    TEXT,
    PICTURES,
    TEXT,
    METHODS,
)
MEMBERS = st.builds(Member, TEXT, st.lists(TEXT, max_size=3).map(tuple), st.booleans())
CHATS = st.builds(
    Chat,
    TEXT,
    TEXT,
    TEXT,
    st.booleans(),
    TEXT,
    st.lists(MEMBERS, max_size=3).map(tuple),
    st.lists(MESSAGES, max_size=5).map(tuple),
)
SMALL = Chat(
    "c",
    "n",
    "wechat",
    True,
    "UTC",
    (Member("a", ("A",)),),
    (Message("1", "a", datetime(2025, 2, 5, tzinfo=UTC), "text", "hi"),),
)


@given(CHATS)
def test_a_chat_that_is_written_is_read_again(tmp_path_factory: pytest.TempPathFactory, chat: Chat) -> None:
    path = tmp_path_factory.mktemp("chat") / "chat.jsonl"
    write_chat(path, chat)
    assert read_chat(path) == chat


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            '{"message": {"message_id": "2", "time": "2025-02-05T08:00:00", "kind": "text"}}',
            "line 4: `time` must be an instant",
        ),
        ('{"message": {"message_id": "2", "time": "soon", "kind": "text"}}', "line 4: Invalid isoformat"),
        ('{"message": {"time": "2025-02-05T08:00:00+00:00", "kind": "text"}}', "line 4: message_id"),
        ('{"message": {"message_id": "2", "time": "2025-02-05T08:00:00+00:00", "kind": "odd"}}', "line 4: kind"),
        ('{"message": []}', "line 4: `time` must be"),
        ('{"other": {}}', "line 4: `member` or `message` is expected"),
        ("[]", "line 4: a JSON object is expected"),
        ('{"message": ', "line 4: not JSON"),
    ],
)
def test_a_malformed_line_is_named(tmp_path: Path, line: str, words: str) -> None:
    write_chat(tmp_path / "chat.jsonl", SMALL)
    with (tmp_path / "chat.jsonl").open("a", encoding="utf-8") as stream:
        stream.write(line + "\n")
    with pytest.raises(InputError, match=words):
        read_chat(tmp_path / "chat.jsonl")


def test_a_newer_format_and_an_absent_or_empty_file_are_said(tmp_path: Path) -> None:
    path = tmp_path / "chat.jsonl"
    with pytest.raises(MldrError, match="cannot be read"):
        read_chat(path)
    path.write_text("")
    with pytest.raises(MldrError, match="is empty"):
        read_chat(path)
    path.write_text('{"format": "mldr/chat@9"}\n')
    with pytest.raises(MldrError, match="newer than this mldr reads"):
        read_chat(path)
    path.write_text('{"format": "mldr/chat@1", "chat_id": 7}\n')
    with pytest.raises(MldrError, match="chat_id"):
        read_chat(path)
