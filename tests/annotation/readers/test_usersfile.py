import json
from pathlib import Path
from typing import Any

import pytest

from mldr.annotation.readers.opening import open_export
from mldr.annotation.readers.usersfile import names_beside
from mldr.errors import InputError
from tests.annotation.readers import exports_tables as story
from tests.annotation.readers.support_tables import read_path

HE = {
    "wxid": story.HE,
    "nickname": "何知远",
    "remark": "老何",
    "account": "hezhiyuan",
    "headImgUrl": "http://127.0.0.1/",
}
NAMES = ("老何", "何知远", "hezhiyuan")


def beside(folder: Path, value: Any) -> dict[str, tuple[str, ...]]:
    path = story.write_typename_csv(folder)
    (folder / "users.json").write_text(json.dumps(value), encoding="utf-8-sig")
    return names_beside(open_export(path))


@pytest.mark.parametrize("value", [{story.HE: HE}, [HE], {story.HE: {**HE, "nickname": "何知远 "}}])
def test_names_are_read_and_nothing_else(value: Any, tmp_path: Path) -> None:
    assert beside(tmp_path, value) == {story.HE: NAMES}


@pytest.mark.parametrize("value", [{}, [], None, 7, "a", {"a": 1}, {"a": {"nickname": 7}}, [{"nickname": "a"}], [[]]])
def test_what_names_nobody_gives_no_names(value: Any, tmp_path: Path) -> None:
    assert beside(tmp_path, value) == {}


def test_only_people_of_the_chat_become_members_and_the_room_gets_its_name(tmp_path: Path) -> None:
    beside(tmp_path, {story.HE: HE, "wxid_other": {"nickname": "别人"}, story.ROOM: {"nickname": story.ROOM_NAME}})
    (chat,), _ = read_path("typename-csv", tmp_path / f"{story.ROOM}_0_5000.csv")
    members = {member.person: member.names for member in chat.members}
    assert chat.name == story.ROOM_NAME
    assert members[story.HE] == (*NAMES, story.HE)
    assert "wxid_other" not in members


def test_a_list_that_cannot_be_read_is_a_fault(tmp_path: Path) -> None:
    path = story.write_typename_csv(tmp_path)
    (tmp_path / "users.json").write_text("{cut", encoding="utf-8")
    with pytest.raises(InputError, match=r"users\.json: is no JSON"):
        names_beside(open_export(path))


def test_a_list_that_leads_out_of_the_folder_is_not_read(tmp_path: Path) -> None:
    path = story.write_typename_csv(tmp_path / "export")
    (tmp_path / "users.json").write_text(json.dumps({story.HE: HE}), encoding="utf-8")
    (tmp_path / "export" / "users.json").symlink_to(tmp_path / "users.json")
    assert names_beside(open_export(path)) == {}
