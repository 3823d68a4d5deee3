"""Who is in a chat, as its rows show it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.annotation.chat import Member
from mldr.annotation.readers import dated_json, guild_json
from mldr.annotation.readers.contract import Quote, RawMessage, Reader
from mldr.annotation.readers.roster import Roster
from tests.annotation.readers import exports_other as other
from tests.annotation.readers.support_json import read_file


def test_people_stand_in_the_order_in_which_they_were_met_with_each_name_once() -> None:
    people = Roster()
    people.add("b", ["乙", "", "小乙"])
    people.add("a")
    people.add("", ["无"])
    people.add("b", ["小乙", "老乙"])
    assert people.members() == (Member("b", ("乙", "小乙", "老乙")), Member("a"))


def test_a_name_alone_is_a_person_only_where_nobody_is_called_so() -> None:
    people = Roster()
    people.add_names(["乙", "丙"])
    people.add("b", ["乙"])
    assert people.members() == (Member("b", ("乙",)), Member("丙", ("丙",)))


def test_two_ids_of_one_person_become_the_first_in_messages_quotes_and_names() -> None:
    people = Roster()
    people.add("1001", ["林"])
    people.add("u_1", ["林晚舟"])
    people.same("u_1", "1001")
    people.own("1001")
    row = RawMessage("1001", datetime(2025, 2, 5, tzinfo=UTC), "text", "messages[0]", quote=Quote(sender="1001"))
    (settled,) = people.settled([row])
    assert (settled.sender, settled.quote) == ("u_1", Quote(sender="u_1"))
    assert people.members() == (Member("u_1", ("林", "林晚舟"), True),)


@pytest.mark.parametrize(("reader", "name"), [(dated_json, "dated-json"), (guild_json, "guild-json")])
def test_an_owner_who_is_not_in_the_chat_does_not_come_into_it(reader: Reader, name: str, tmp_path: Path) -> None:
    (chat,), _ = read_file(reader, other.WRITERS[name](tmp_path), owner_id="somebody else")
    assert len(chat.members) == 3
    assert not any(member.owner for member in chat.members)


IDS = st.sampled_from(["", "a", "b", "c"])


@given(st.lists(st.tuples(st.sampled_from(["add", "same", "own"]), IDS, IDS), max_size=10))
def test_whoever_was_met_is_in_the_chat_under_one_id(steps: list[tuple[str, str, str]]) -> None:
    people = Roster()
    for step, one, two in steps:
        match step:
            case "add":
                people.add(one, [f"name of {one}"])
            case "same":
                people.same(one, two)
            case _:
                people.own(one)
    members = people.members()
    assert len({member.person for member in members}) == len(members)
    for step, one, _ in steps:
        if step == "add" and one:
            (found,) = [member for member in members if member.person == people.person(one)]
            assert f"name of {one}" in found.names
