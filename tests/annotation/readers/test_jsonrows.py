from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.annotation.chat import Member
from mldr.annotation.readers.contract import RawMessage, Tally
from mldr.annotation.readers.jsonrows import (
    EARLIEST,
    LATEST,
    Unreadable,
    clean,
    flag,
    identifier,
    instant,
    names_of,
    person,
    rows_at,
    said,
    sender_for,
    whole,
    with_owner,
)
from mldr.annotation.readers.opening import open_export
from mldr.errors import InputError

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@pytest.mark.parametrize("value", [1738713600, "1738713600", 1738713600.0, 1738713600000, "1738713600000"])
def test_seconds_and_milliseconds_are_one_instant(value: Any) -> None:
    assert instant(value) == datetime(2025, 2, 5, tzinfo=UTC)


def test_parts_of_a_second_are_kept() -> None:
    assert instant(1738713600.25).microsecond == instant(1738713600250).microsecond == 250_000


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "it has no time"),
        ("", "it has no time"),
        (0, "it has no time"),
        ("2025-02-05", "its time is no number"),
        ([1738713600], "its time is no number"),
        (True, "its time is no number"),
        (float("nan"), "its time is no number"),
        (float("inf"), "its time is no number"),
        (EARLIEST - 1, "its time is not between the years 2000 and 2100"),
        (LATEST, "its time is not between the years 2000 and 2100"),
        (-1738713600, "its time is not between the years 2000 and 2100"),
        (10**18, "its time is not between the years 2000 and 2100"),
        (10**400, "its time is not between the years 2000 and 2100"),
    ],
)
def test_a_time_that_no_chat_could_have_is_said_to_be_so(value: Any, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        instant(value)


@given(ANYTHING)
def test_any_value_is_made_into_a_field_or_into_a_reason(value: Any) -> None:
    for read in (instant, lambda value: said({"a": value}, "a")):
        with suppress(Unreadable):
            read(value)
    assert isinstance(identifier(value), str)
    assert isinstance(flag(value), bool)
    assert isinstance(names_of(value), tuple)
    assert whole(value) is None or isinstance(whole(value), int)


NOTHING: tuple[Any, ...] = (0, "0", "", " ", None, True, 1.5, [], {})


@given(st.text())
def test_a_cleaned_text_can_be_stored_and_stays_as_it_is_when_cleaned_again(text: str) -> None:
    assert clean(text).encode("utf-8").decode("utf-8") == clean(text)
    assert "\0" not in clean(text)
    assert clean(clean(text)) == clean(text)


def test_half_characters_and_line_ends_are_mended() -> None:
    assert clean("a\ud83db\0c\r\nd\re") == "a\ufffdbc\nd\ne"
    assert clean("👍") == "👍"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (6116895530414915131, "6116895530414915131"),
        ("6116895530414915131", "6116895530414915131"),
        (2**80, str(2**80)),
        *((nothing, "") for nothing in NOTHING),
        (" a ", "a"),
        (7.0, "7"),
    ],
)
def test_an_id_is_a_string_whatever_its_size_and_nought_is_none(value: Any, expected: str) -> None:
    assert identifier(value) == expected


def test_what_an_export_calls_its_owner_is_no_name() -> None:
    assert names_of(" 我 ", "Me", "自己", None, "", " ", 5, "林", "林", "小林") == ("林", "小林")


def test_the_system_is_nobody() -> None:
    assert [person(value) for value in ("system", "System", "系统消息", "", None, "wxid_a")] == [
        "",
        "",
        "",
        "",
        "",
        "wxid_a",
    ]
    assert sender_for("system", "wxid_a") == ""
    assert sender_for("voice", "") == ""
    with pytest.raises(Unreadable, match="it has no sender"):
        sender_for("text", "")


def test_rows_that_are_no_objects_are_counted_and_located(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"messages": [1, {"a": 1}, null, [], "x"]}', encoding="utf-8")
    tally = Tally()
    assert list(rows_at(open_export(path), "messages", tally)) == [("messages[1]", {"a": 1})]
    assert (tally.rows, tally.dropped) == (5, {"it is no object": 4})
    assert tally.located[0] == "messages[0]: it is no object"


@pytest.mark.parametrize("text", ["{}", '{"messages": {}}', '{"messages": null}', '{"messages": "x"}', "[]"])
def test_a_file_without_a_list_of_messages_is_a_fault(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="has no list 'messages'"):
        list(rows_at(open_export(path), "messages", Tally()))


def test_an_empty_list_of_messages_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"messages": []}', encoding="utf-8")
    assert list(rows_at(open_export(path), "messages", Tally())) == []
    path.write_text(" []", encoding="utf-8")
    assert list(rows_at(open_export(path), "", Tally())) == []


def test_the_owner_is_marked_and_added_only_where_a_message_is_the_owners() -> None:
    members = [Member("a", ("甲",)), Member("", ("x",)), Member("a", ("甲", "小甲"))]
    message = RawMessage("b", datetime(2025, 2, 5, tzinfo=UTC), "text", "line 1")
    assert with_owner(members, "a", []) == (Member("a", ("甲", "小甲"), True),)
    assert with_owner(members, "b", []) == (Member("a", ("甲", "小甲")),)
    assert with_owner(members, "b", [message]) == (Member("a", ("甲", "小甲")), Member("b", (), True))
