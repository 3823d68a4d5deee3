"""Who is in a chat, and by which names."""

from __future__ import annotations

from datetime import UTC, datetime

from mldr.annotation.chat import OWNER, Member
from mldr.annotation.people import People
from mldr.annotation.readers.contract import RawChat, RawMessage

TIME = datetime(2025, 2, 5, tzinfo=UTC)


def people(*messages: tuple[str, tuple[str, ...]], members: tuple[Member, ...] = (), owner_id: str = "") -> People:
    met = People(owner_id)
    met.take_members([RawChat("c", "n", "wechat", True, members, ())])
    for sender, names in messages:
        met.take_sender(RawMessage(sender, TIME, "text", "line 1", names=names))
    return met


def test_listed_members_come_first_and_senders_that_nobody_listed_after() -> None:
    met = people(("b", ("阿旭",)), ("c", ("老王",)), members=(Member("a", ("小林",)), Member("b", ("旭",))))
    assert met.members() == (Member("a", ("小林",)), Member("b", ("旭", "阿旭")), Member("c", ("老王",)))


def test_every_name_of_a_person_is_kept_once_in_the_order_met() -> None:
    assert people(("a", ("小林", " 小林 ", "林")), ("a", ("林总", "小林"))).members()[0].names == ("小林", "林", "林总")


def test_somebody_without_a_name_is_called_by_the_id() -> None:
    assert people(("Ann Lee", ())).members() == (Member("Ann Lee", ("Ann Lee",)),)


def test_what_an_export_calls_its_owner_is_no_name() -> None:
    met = people((OWNER, ("我",)), (OWNER, ("Me", "周周")))
    assert met.members() == (Member(OWNER, ("周周",), owner=True),)
    assert met.unnamed_owner
    assert people((OWNER, ("我",))).members() == (Member(OWNER, (), owner=True),)


def test_the_owner_has_the_id_that_a_person_names() -> None:
    met = people((OWNER, ("我",)), ("wxid_me", ("周周",)), owner_id="wxid_me")
    assert met.members() == (Member("wxid_me", ("周周",), owner=True),)
    assert not met.unnamed_owner
    assert not met.owner_unseen


def test_the_owner_has_the_id_that_the_file_names_where_no_person_does() -> None:
    met = people((OWNER, ()), members=(Member("wxid_me", ("周周",), owner=True),))
    assert met.members() == (Member("wxid_me", ("周周",), owner=True),)


def test_what_a_person_names_goes_before_what_the_file_names() -> None:
    met = people((OWNER, ()), members=(Member("x", ("X",), owner=True),), owner_id="y")
    assert {member.person: member.owner for member in met.members()} == {"x": False, "y": True}


def test_an_owner_who_is_not_there_is_noticed() -> None:
    assert people(("a", ()), owner_id="wxid_typo").owner_unseen


def test_a_name_that_two_people_share_stands_for_nobody() -> None:
    callings = people(("a", ("小林", "林")), ("b", ("小林",)), (OWNER, ())).callings()
    assert callings == {"a": "a", "b": "b", "林": "a", OWNER: OWNER, "我": OWNER}


def test_a_persons_id_is_never_another_persons_name() -> None:
    assert people(("a", ("b",)), ("b", ("B",))).callings()["b"] == "b"


def test_hostile_names_can_be_stored() -> None:
    member = people(("a\ud83d\0", ("n\r\n\ud83d", "\0"))).members()[0]
    assert member == Member("a\ufffd", ("n\n\ufffd",))
