"""Exports come into the private store whole, with every row accounted for."""

from __future__ import annotations

import io
import os
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from mldr.annotation.chat import KINDS, Chat, Member
from mldr.annotation.chatfile import read_chat
from mldr.annotation.importing import Import, chat_folder, chat_path, image_path, import_chats
from mldr.annotation.importreport import ImportReport, read_report, report_table, write_report
from mldr.annotation.readers import detect
from mldr.annotation.store import Store, open_store
from mldr.errors import InputError, MldrError
from tests.annotation.exports import LinesReader, at, said, shown, write_export
from tests.conftest import picture


@pytest.fixture(autouse=True, scope="module")
def _known() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        readers = (LinesReader(), LinesReader("test-other", "other_chat"))
        patch.setattr(detect, "readers", lambda: readers)
        yield


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store", create=True)


def brought(path: Path, store: Store, **wanted: Any) -> tuple[Chat, ImportReport]:
    """Import an export of one chat."""
    reports = import_chats(path, store, Import(**wanted))
    assert len(reports) == 1
    return read_chat(chat_path(store, reports[0].chat_key)), reports[0]


def test_a_chat_comes_in_with_its_people_times_and_words(tmp_path: Path, store: Store) -> None:
    rows = [said("a", 0, "去爬山吗", names=["小林"], id="7"), said("b", 60, "去", id="8", quote={"message_id": "7"})]
    chat, report = brought(write_export(tmp_path / "x" / "x.json", rows, members=[["a", ["林总"], False]]), store)
    assert chat.members == (Member("a", ("林总", "小林")), Member("b", ("b",)))
    assert [(m.message_id, m.sender, m.text, m.reply_to, m.reply_method) for m in chat.messages] == [
        ("7", "a", "去爬山吗", "", ""),
        ("8", "b", "去", "7", "id"),
    ]
    assert chat.messages[0].time == datetime(2025, 2, 5, 8, tzinfo=UTC)
    assert (chat.name, chat.platform, chat.group, chat.zone) == ("周末爬山", "wechat", True, "UTC")
    assert (report.rows, report.utterances, report.events, report.dropped) == (2, 2, {}, {})
    assert report.replies == {"id": 1}
    assert report.reader == "test-lines"


def test_the_report_stands_beside_the_chat(tmp_path: Path, store: Store) -> None:
    _, report = brought(write_export(tmp_path / "x" / "x.json", [said("a", 0, "hi")]), store)
    assert read_report(chat_folder(store, report.chat_key)) == report


def test_events_keep_their_kind_sender_and_time_and_no_words(tmp_path: Path, store: Store) -> None:
    rows = [
        {**said("a", 0, "a secret place"), "kind": "location", "pictures": [{"paths": ["map.png"]}]},
        {**said("", 5, "b joined the group"), "kind": "system"},
        said("a", 9, "hi"),
    ]
    chat, report = brought(write_export(tmp_path / "x" / "x.json", rows), store)
    assert [(m.kind, m.sender, m.text, m.pictures) for m in chat.messages[:2]] == [
        ("location", "a", "", ()),
        ("system", "", "", ()),
    ]
    assert report.events == {"location": 1, "system": 1}
    assert "secret" not in chat_path(store, report.chat_key).read_text(encoding="utf-8")
    assert report.images_missing == {}


def test_what_is_dropped_is_counted_by_reason_with_its_place(tmp_path: Path, store: Store) -> None:
    rows = [
        said("a", 0, "hi", id="1"),
        said("a", 1, " \u200b\n"),
        said("", 2, "who said this?"),
        {"bad": "with a time that cannot be read"},
        said("a", 0, "hi", id="1"),
        {**said("a", 0, "too early"), "time": "0001-01-01T00:00:00+05:00"},
    ]
    _, report = brought(write_export(tmp_path / "x" / "x.json", rows), store)
    assert report.dropped == {
        "repeated from another row": 1,
        "with a time that no chat has": 1,
        "with a time that cannot be read": 1,
        "without a sender": 1,
        "without words or a picture": 1,
    }
    assert (report.rows, report.utterances) == (6, 1)
    assert "line 3: without words or a picture" in report.places
    assert "line 5: with a time that cannot be read" in report.places


def test_ids_become_unique_and_replies_go_to_the_right_message(tmp_path: Path, store: Store) -> None:
    rows = [
        said("a", 0, "one", id="1"),
        said("a", 1, "two", id="1"),
        said("a", 2, "three", id="1~2"),
        said("b", 3, "four"),
        said("b", 4, "five", id="m3"),
        said("b", 5, "six", quote={"message_id": "1~2"}),
        said("b", 5, "seven", quote={"message_id": "m5"}),
    ]
    chat, report = brought(write_export(tmp_path / "x" / "x.json", rows), store)
    ids = [message.message_id for message in chat.messages]
    assert len(set(ids)) == 7
    assert (ids[0], ids[2], ids[4]) == ("1", "1~2", "m3")
    assert chat.messages[5].reply_to == "1~2"
    assert (ids[5], chat.messages[6].reply_to) == ("m5", "")  # an id that was made here answers to nobody
    assert any("1 messages have an id that an earlier one has" in note for note in report.notes)


def test_ids_that_a_spreadsheet_rounded_name_nothing(tmp_path: Path, store: Store) -> None:
    rows = [said("a", 0, "哈哈", id="6.1169E+18"), said("a", 0, "哈哈", id="6.1169E+18")]
    chat, report = brought(write_export(tmp_path / "x" / "x.json", rows), store)
    assert len(chat.messages) == 2
    assert report.dropped == {}


def test_the_order_of_the_file_is_kept_and_steps_back_are_counted(tmp_path: Path, store: Store) -> None:
    rows = [said("a", second, str(second)) for second in (50, 10, 20, 0)]
    chat, report = brought(write_export(tmp_path / "x" / "x.json", rows), store)
    assert [message.text for message in chat.messages] == ["50", "10", "20", "0"]
    assert report.steps_back == 2


def test_times_without_a_zone_need_one(tmp_path: Path, store: Store) -> None:
    path = write_export(tmp_path / "x" / "x.json", [{**said("a", 0, "hi"), "time": "2025-02-05T08:00:00"}])
    with pytest.raises(
        InputError, match="line 2: shows times without a zone; say which it is, with --tz Asia/Shanghai"
    ):
        import_chats(path, store, Import())
    assert not any(store.chats.iterdir())
    chat, report = brought(path, store, zone="Asia/Shanghai")
    assert chat.messages[0].time == datetime(2025, 2, 5, tzinfo=UTC)
    assert (chat.zone, report.zone, report.notes) == ("Asia/Shanghai", "Asia/Shanghai", [])


def test_odd_clock_times_are_counted(tmp_path: Path, store: Store) -> None:
    times = ("2025-03-30T02:30:00", "2025-10-26T02:30:00", "2025-10-26T04:30:00")
    path = write_export(tmp_path / "x" / "x.json", [{**said("a", 0, "hi"), "time": time} for time in times])
    _, report = brought(path, store, zone="Europe/Berlin")
    assert (report.nonexistent_times, report.ambiguous_times) == (1, 1)


def test_pictures_are_stored_once_and_missing_ones_by_reason(tmp_path: Path, store: Store) -> None:
    path = tmp_path / "x" / "x.json"
    rows = [
        shown("a", 0, "a.png"),
        shown("a", 1, "b.png"),
        shown("a", 2, "../../secret.png"),
        shown("a", 3),
        shown("a", 4, "no.png"),
    ]
    write_export(path, rows)
    for name in ("a.png", "b.png", "../secret.png"):
        (path.parent / name).write_bytes(picture())
    chat, report = brought(path, store)
    assert (report.images, report.images_stored) == (2, 1)
    assert report.images_missing == {
        "a path that leads out of the export": 1,
        "no such file in the export": 1,
        "the export names no file": 1,
    }
    keys = [message.pictures[0].image_key for message in chat.messages]
    stored = image_path(store, report.chat_key, keys[0])
    assert stored is not None
    assert stored.stem == keys[0].removeprefix("sha256:")
    assert keys[1:] == [keys[0], "", "", ""]
    assert image_path(store, report.chat_key, "ref:missing/0") is None
    assert report.utterances == 5


def test_a_link_to_a_file_outside_is_no_picture_and_its_bytes_go_nowhere(tmp_path: Path, store: Store) -> None:
    path = write_export(tmp_path / "x" / "x.json", [shown("a", 0, "passwd.png")])
    (path.parent / "passwd.png").symlink_to("/etc/passwd")
    _, report = brought(path, store)
    assert report.images_missing == {"a link, which is not followed": 1}
    assert not list((chat_folder(store, report.chat_key) / "images").iterdir())


def test_pictures_beside_a_folder_of_texts_are_found_by_a_relative_path_too(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_export(tmp_path / "x" / "texts" / "x.json", [shown("a", 0, "../images/a.png")])
    (tmp_path / "x" / "images").mkdir()
    (tmp_path / "x" / "images" / "a.png").write_bytes(picture())
    for folder, path in ((tmp_path / "x", "texts/x.json"), (tmp_path / "x" / "texts", "x.json"), (tmp_path, "x")):
        monkeypatch.chdir(folder)
        _, report = brought(Path(path), store, force=True)
        assert (report.images, report.images_missing) == (1, {})


def test_nobody_else_can_read_the_store(tmp_path: Path, store: Store) -> None:
    path = write_export(tmp_path / "x" / "x.json", [shown("a", 0, "a.png")])
    (path.parent / "a.png").write_bytes(picture())
    old = os.umask(0)
    try:
        brought(path, store)
    finally:
        os.umask(old)
    for found in (store.chats, *store.chats.rglob("*")):
        mode = stat.S_IMODE(found.stat().st_mode)
        assert mode == (0o700 if found.is_dir() else 0o600), found


def test_the_same_chat_again_is_refused_and_replaced_by_force(tmp_path: Path, store: Store) -> None:
    path = write_export(tmp_path / "x" / "x.json", [said("a", 0, "old")])
    brought(path, store)
    write_export(path, [said("a", 0, "new")])
    with pytest.raises(InputError, match=r"is in the store already, as chats/[0-9a-f]{16}; --force replaces it"):
        import_chats(path, store, Import())
    chat, report = brought(path, store, force=True)
    assert [message.text for message in chat.messages] == ["new"]
    assert len(list(store.chats.iterdir())) == 1
    assert any("an earlier import was replaced" in note for note in report.notes)


def test_nothing_is_imported_where_one_chat_of_several_is_there_already(tmp_path: Path, store: Store) -> None:
    folder = tmp_path / "x"
    path = write_export(folder / "b.json", [said("a", 0, "hi")], id="b")
    brought(path, store)
    write_export(folder / "a.json", [said("a", 0, "hi")], id="a")
    with pytest.raises(InputError, match="1 fault"):
        import_chats(folder, store, Import())
    assert len(list(store.chats.iterdir())) == 1


def test_an_import_that_fails_leaves_what_was_there(tmp_path: Path, store: Store) -> None:
    path = write_export(tmp_path / "x" / "x.json", [said("a", 0, "old")])
    _, before = brought(path, store)
    write_export(path, [said("a", 0, "new"), {**said("a", 1, "no zone"), "time": "2025-02-05T08:00:00"}])
    with pytest.raises(InputError, match="shows times without a zone"):
        import_chats(path, store, Import(force=True))
    assert [path.name for path in store.chats.iterdir()] == [before.chat_key]
    assert read_report(chat_folder(store, before.chat_key)) == before


def test_every_chat_of_a_file_and_of_a_folder_comes_in(tmp_path: Path, store: Store) -> None:
    folder = tmp_path / "x"
    two = write_export(folder / "two.json", [said("a", 0, "hi")], id="1").read_text()
    write_export(folder / "two.json", [said("a", 0, "ho"), said("b", 1, "hu")], id="2")
    (folder / "two.json").write_text(two + (folder / "two.json").read_text())
    write_export(folder / "one.json", [said("a", 0, "ha")], id="3", platform="qq")
    reports = import_chats(folder, store, Import())
    assert [(report.platform, report.rows) for report in reports] == [("qq", 1), ("wechat", 1), ("wechat", 2)]


def test_pages_of_one_chat_become_one_in_the_order_of_their_numbers(tmp_path: Path, store: Store) -> None:
    folder = tmp_path / "x"
    write_export(folder / "page_10.json", [said("a", 20, "three", id="3")])
    write_export(folder / "page_2.json", [said("a", 10, "two", id="2"), said("a", 20, "three", id="3")])
    write_export(folder / "page_1.json", [said("a", 0, "one", id="1")])
    chat, report = brought(folder, store)
    assert [message.text for message in chat.messages] == ["one", "two", "three"]
    assert (report.files, report.rows, report.steps_back) == (3, 4, 0)
    assert report.dropped == {"repeated from another row": 1}


def test_one_chat_in_two_formats_is_refused(tmp_path: Path, store: Store) -> None:
    write_export(tmp_path / "x" / "a.json", [said("a", 0, "hi")])
    write_export(tmp_path / "x" / "b.json", [said("a", 0, "hi")], "other_chat")
    with pytest.raises(
        InputError, match=r"b\.json: is the same chat as .*a\.json, in another format; choose one with --format"
    ):
        import_chats(tmp_path / "x", store, Import())
    _, report = brought(tmp_path / "x", store, format="test-other")
    assert report.reader == "test-other"


def test_two_chats_under_one_id_are_refused(tmp_path: Path, store: Store) -> None:
    write_export(tmp_path / "x" / "a.json", [said("a", 0, "hi")], name="A")
    write_export(tmp_path / "x" / "b.json", [said("a", 0, "hi")], name="B")
    with pytest.raises(InputError, match=r"b\.json: has the same id of a chat as .*a\.json, and another name"):
        import_chats(tmp_path / "x", store, Import())


def test_a_chat_without_messages_is_refused(tmp_path: Path, store: Store) -> None:
    with pytest.raises(InputError, match="holds no messages"):
        import_chats(write_export(tmp_path / "x" / "x.json", []), store, Import())


@pytest.mark.parametrize("given", ["store", "store/chats", "."])
def test_the_store_is_not_taken_for_an_export(tmp_path: Path, store: Store, given: str) -> None:
    store.chats.mkdir()
    with pytest.raises(InputError, match="private store"):
        import_chats(tmp_path / given, store, Import())


def test_a_zone_that_nobody_knows_is_refused_before_anything_is_read(tmp_path: Path, store: Store) -> None:
    with pytest.raises(MldrError, match="--tz Asia/Peking"):
        import_chats(tmp_path / "nowhere", store, Import(zone="Asia/Peking"))


def test_the_owner_has_one_id(tmp_path: Path, store: Store) -> None:
    path = write_export(tmp_path / "x" / "x.json", [said("owner", 0, "hi", names=["我"]), said("b", 1, "ho")])
    chat, report = brought(path, store, owner_id="wxid_me")
    assert chat.messages[0].sender == "wxid_me"
    assert chat.members[0].owner
    assert not any("--owner-id" in note for note in report.notes)
    _, report = brought(path, store, force=True)
    assert any("--owner-id" in note for note in report.notes)


@pytest.mark.parametrize("chat_key", ["../x", "", "0" * 15, "g" * 16, "0" * 16 + "\n"])
def test_only_keys_are_folders_of_chats(store: Store, chat_key: str) -> None:
    with pytest.raises(MldrError, match="16 hex digits"):
        chat_folder(store, chat_key)


def test_the_table_names_no_person_and_no_chat(tmp_path: Path, store: Store) -> None:
    _, report = brought(
        write_export(tmp_path / "x" / "x.json", [said("a", 0, "hi"), said("a", 0, ""), shown("a", 3)]), store
    )
    shown_to = Console(file=io.StringIO(), width=160)
    shown_to.print(report_table([report]))
    text = shown_to.file.getvalue()  # type: ignore[attr-defined]
    for word in ("test-lines", "0 (+1 missing)", "1 without words or a picture", report.chat_key):
        assert word in text
    assert "周末爬山" not in text


def test_a_report_that_was_tampered_with_is_a_fault(tmp_path: Path) -> None:
    write_report(tmp_path, ImportReport(reader="x", chat_key="y", platform="z", rows=0, utterances=0, zone="UTC"))
    text = (tmp_path / "report.json").read_text()
    for broken in (text.replace('"rows": 0', '"rows": "many"'), "[]", "{", text.replace("@1", "@9")):
        (tmp_path / "report.json").write_text(broken)
        with pytest.raises(MldrError, match=r"report\.json"):
            read_report(tmp_path)


ROW = st.fixed_dictionaries(
    {
        "sender": st.sampled_from(["", "a", "b", "owner", "\ud800", "x\0"]),
        "time": st.integers(-100, 100).map(at),
        "kind": st.sampled_from(KINDS),
        "text": st.text(max_size=6),
        "id": st.sampled_from(["", "1", "2", "m1", "1~2", "m3~2", "1E+18"]),
        "names": st.lists(st.sampled_from(["我", "小林", "a", "\ud800"]), max_size=2),
        "pictures": st.lists(
            st.fixed_dictionaries({"paths": st.lists(st.sampled_from(["a.png", "../b"]), max_size=2)}), max_size=2
        ),
    },
    optional={
        "quote": st.fixed_dictionaries(
            {"message_id": st.sampled_from(["", "1", "2", "m1", "9"]), "sender": st.just("a")}
        )
    },
)
ROWS = st.lists(st.one_of(ROW, st.just({"bad": "unreadable"})), min_size=1, max_size=25)


@given(ROWS)
@settings(max_examples=60)
def test_every_row_is_an_utterance_an_event_or_a_drop(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]]
) -> None:
    folder = tmp_path_factory.mktemp("any")
    store = open_store(folder / "store", create=True)
    path = write_export(folder / "x" / "x.json", rows)
    (path.parent / "a.png").write_bytes(picture())
    chat, report = brought(path, store)
    assert report.rows == len(rows) == report.messages + sum(report.dropped.values())
    assert report.messages == len(chat.messages)
    ids = [message.message_id for message in chat.messages]
    assert len(set(ids)) == len(ids)
    assert all(
        message.sender in {member.person for member in chat.members} for message in chat.messages if message.sender
    )
    place = {message_id: number for number, message_id in enumerate(ids)}
    assert all(place[message.reply_to] < number for number, message in enumerate(chat.messages) if message.reply_to)
    spoken = [message for message in chat.messages if message.kind in ("text", "image")]
    assert all(message.text or message.pictures for message in spoken)
    assert sum(len(message.pictures) for message in spoken) == report.images + sum(report.images_missing.values())
