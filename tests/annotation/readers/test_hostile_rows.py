"""Any field of any row may be anything: the row is then read or counted, and nothing else goes wrong."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mldr.annotation.chat import SPOKEN
from tests.annotation.readers import exports_wechat as story
from tests.annotation.readers.support_json import read_file
from tests.annotation.readers.test_exports_wechat import reader
from tests.annotation.readers.test_jsonrows import ANYTHING

JSON_FORMATS = ["members-json", "session-json", "senders-json", "talker-json", "api-json"]


def rows_in(value: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = value if isinstance(value, list) else value["messages"]
    return rows


def written(value: Any) -> str:
    """Return JSON: infinity is a number too large, and what is no number is null."""
    return json.dumps(value).replace("Infinity", "1e999").replace("NaN", "null")


@pytest.mark.parametrize("name", JSON_FORMATS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.data())
def test_a_row_with_anything_in_a_field_is_read_or_counted(name: str, tmp_path: Path, data: st.DataObject) -> None:
    path = story.WRITERS[name](tmp_path)
    value = json.loads(path.read_text(encoding="utf-8"))
    rows = rows_in(value)
    for _ in range(3):
        row = data.draw(st.sampled_from(rows))
        row[data.draw(st.sampled_from(sorted(row)))] = data.draw(ANYTHING)
    path.write_text(written(value), encoding="utf-8")
    chats, tally = read_file(reader(name), path)
    messages = [message for chat in chats for message in chat.messages]
    assert tally.rows == len(rows) == len(messages) + tally.dropped.total()
    for message in messages:
        assert message.text.encode("utf-8").decode("utf-8") == message.text
        assert message.kind in SPOKEN or not message.text
        assert all(isinstance(one, str) for one in (message.sender, message.message_id, *message.names))
        assert all(isinstance(one, str) for hint in message.pictures for one in (*hint.paths, *hint.stems))


@pytest.mark.parametrize("name", ["members-json", "session-json", "senders-json", "api-json"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.data())
def test_a_file_with_anything_around_its_messages_is_read(name: str, tmp_path: Path, data: st.DataObject) -> None:
    path = story.WRITERS[name](tmp_path)
    value = json.loads(path.read_text(encoding="utf-8"))
    key = data.draw(st.sampled_from(sorted(value.keys() - {"messages"})))
    if isinstance(value[key], dict) and value[key]:
        value[key][data.draw(st.sampled_from(sorted(value[key])))] = data.draw(ANYTHING)
    else:
        value[key] = data.draw(ANYTHING)
    path.write_text(written(value), encoding="utf-8")
    chats, tally = read_file(reader(name), path)
    assert tally.rows == len(chats[0].messages) + tally.dropped.total() == len(story.STORY)
