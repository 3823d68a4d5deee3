"""mldr's own chat format as people write it."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.annotation.chat import KINDS, SPOKEN, Member
from mldr.annotation.readers import neutral_jsonl
from mldr.annotation.readers.contract import PictureHint, Quote, RawChat
from mldr.annotation.readers.neutral_lines import json_schema
from mldr.errors import InputError, MldrError
from tests.annotation.readers.exports_other import write_neutral_jsonl
from tests.annotation.readers.support_json import known, read_file

DOCS = Path(__file__).parents[3] / "docs"
HEAD = {"format": "mldr/chat@1", "chat_id": "walk"}
SAID = {"time": "2025-02-05T08:00:00+08:00", "sender": "lin", "text": "去吗"}


def written(folder: Path, *rows: Any, encoding: str = "utf-8", ends: str = "\n") -> Path:
    path = folder / "chat.jsonl"
    lines = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows]
    path.write_bytes("".join(line + ends for line in lines).encode(encoding))
    return path


def chat(folder: Path, *messages: dict[str, Any], **head: Any) -> RawChat:
    (one,), tally = read_file(neutral_jsonl, written(folder, HEAD | head, *({"message": one} for one in messages)))
    assert (tally.rows, tally.dropped) == (len(messages), {})
    return one


def faults(path: Path) -> list[str]:
    with pytest.raises(InputError) as caught:
        read_file(neutral_jsonl, path)
    return [str(fault).removeprefix(str(path)).lstrip(", ") for fault in caught.value.faults]


def test_little_need_be_said(tmp_path: Path) -> None:
    one = chat(tmp_path, SAID)
    assert (one.chat_id, one.name, one.platform, one.group, one.members) == ("walk", "", "other", True, ())
    (message,) = one.messages
    assert (message.sender, message.kind, message.text, message.place) == ("lin", "text", "去吗", "line 2")


@pytest.mark.parametrize(
    ("time", "read"),
    [
        ("2025-02-05T08:00:00+08:00", datetime(2025, 2, 5, tzinfo=UTC)),
        ("2025-02-05T00:00:00.5Z", datetime(2025, 2, 5, 0, 0, 0, 500000, tzinfo=UTC)),
        (1738713600, datetime(2025, 2, 5, tzinfo=UTC)),
        (1738713600.25, datetime(2025, 2, 5, 0, 0, 0, 250000, tzinfo=UTC)),
        (1738713600000, datetime(2025, 2, 5, tzinfo=UTC)),
        ("1738713600", datetime(2025, 2, 5, tzinfo=UTC)),
        ("2025-02-05T08:00:00", datetime(2025, 2, 5, 8)),
        ("2025-02-05 08:00", datetime(2025, 2, 5, 8)),
    ],
    ids=str,
)
def test_a_time_is_an_instant_or_a_clock_that_is_left_to_the_import(tmp_path: Path, time: Any, read: datetime) -> None:
    found = chat(tmp_path, SAID | {"time": time}).messages[0].time
    assert (found, found.tzinfo is None) == (read, read.tzinfo is None)


def test_the_zone_of_the_chat_makes_an_instant_of_a_clock_and_leaves_instants(tmp_path: Path) -> None:
    one = chat(tmp_path, SAID | {"time": "2025-02-05T08:00:00"}, SAID, zone="America/New_York")
    assert one.messages[0].time == datetime(2025, 2, 5, 8, tzinfo=ZoneInfo("America/New_York"))
    assert one.messages[1].time == datetime(2025, 2, 5, tzinfo=UTC)
    assert one.zone == "America/New_York"


def test_pictures_are_named_by_path_or_by_stem(tmp_path: Path) -> None:
    pictures = [{"path": "pictures/a.png"}, {"stem": "b"}]
    (message,) = chat(tmp_path, {**SAID, "pictures": pictures}).messages
    assert (message.kind, message.text) == ("image", "去吗")
    assert message.pictures == (PictureHint(("pictures/a.png",)), PictureHint(stems=("b",)))


def test_a_reply_names_the_message_that_it_answers(tmp_path: Path) -> None:
    one = chat(tmp_path, SAID | {"message_id": "1"}, SAID | {"reply_to": "1"})
    assert [message.quote for message in one.messages] == [None, Quote("1")]


def test_people_are_listed_with_all_their_names_and_the_owner(tmp_path: Path) -> None:
    rows = [{"member": {"person": "lin", "names": ["林晚舟", "林"]}}, {"member": {"person": "me", "owner": True}}]
    (one,), _ = read_file(neutral_jsonl, written(tmp_path, HEAD, *rows, {"message": SAID}))
    assert one.members == (Member("lin", ("林晚舟", "林")), Member("me", (), True))


def test_the_owner_may_be_said_at_the_import(tmp_path: Path) -> None:
    (one,), _ = read_file(neutral_jsonl, written(tmp_path, HEAD, {"message": SAID}), owner_id="lin")
    assert one.members == (Member("lin", (), True),)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("ends", ["\r\n", "\n\n"])
def test_any_encoding_and_line_end_of_an_editor_will_do(tmp_path: Path, encoding: str, ends: str) -> None:
    path = written(tmp_path, HEAD, {"message": SAID}, encoding=encoding, ends=ends)
    (one,), _ = read_file(neutral_jsonl, path)
    assert one.messages[0].text == "去吗"


def test_every_fault_of_a_file_is_told_at_once_each_with_its_line(tmp_path: Path) -> None:
    rows = [
        {**HEAD, "zone": "Mars/Base", "mood": 1},
        {"member": {"person": "lin", "age": 3}},
        {"message": {**SAID, "time": "2025-02-05"}},
        {"message": {**SAID, "pictures": [{"path": "a", "stem": "b"}]}},
        "{not json",
        '{"message": {}, "message": {}}',
        [1],
        {"message": {**SAID, "message_id": 7}},
        {"word": 1},
    ]
    told = faults(written(tmp_path, *rows))
    assert [re.match(r"line \d+", one)[0] for one in told] == [  # type: ignore[index]
        *["line 1"] * 2, "line 2", "line 3", "line 4", "line 5", "line 6", "line 7", "line 8", *["line 9"] * 2,
    ]  # fmt: skip
    assert "zone: no zone is called so" in told[0]
    assert "mood: an unknown key" in told[1]
    assert "message.time: its time is no date with a time; ISO 8601 or seconds since 1970" in told[3]
    assert "either `path` or `stem` is expected" in told[4]
    assert "the key 'message' stands twice" in told[6]


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({"kind": "voice", "text": "喂"}, "an event (voice) has no text"),
        ({"kind": "system", "text": "", "reply_to": "1"}, "an event (system) has no text"),
        ({"text": ""}, "has neither text nor pictures"),
        ({"text": " \n"}, "has neither text nor pictures"),
        ({"kind": "image"}, "a message of kind image has pictures"),
        ({"kind": "text", "pictures": [{"path": "a"}]}, "a message with pictures is of kind image"),
        ({"sender": ""}, "`sender` is missing"),
        ({"kind": "shout"}, "message.kind"),
        ({"pictures": [{}]}, "either `path` or `stem`"),
        ({"pictures": {"path": "a"}}, "message.pictures"),
        ({"time": True}, "message.time"),
        ({"time": None}, "message.time"),
        ({"image_key": "sha256:00"}, "message.image_key: an unknown key"),
        ({"sender": "x" * 1_001}, "message.sender"),
    ],
    ids=str,
)
def test_a_message_that_cannot_be_is_a_fault(tmp_path: Path, message: dict[str, Any], words: str) -> None:
    assert words in faults(written(tmp_path, HEAD, {"message": {**SAID, **message}}))[0]


def test_an_id_a_person_and_an_owner_stand_once(tmp_path: Path) -> None:
    rows = [{"member": {"person": "lin", "owner": True}}, {"member": {"person": "xu", "owner": True}}]
    path = written(tmp_path, HEAD, *rows, rows[0], *[{"message": SAID | {"message_id": "1"}}] * 2)
    assert [one[:32] for one in faults(path)] == [
        "line 3: a second owner; a chat f",
        "line 4: a second line for this p",
        "line 4: a second owner; a chat f",
        "line 6: line 5 has the same mess",
    ]


@pytest.mark.parametrize("head", [{"format": "mldr/chat@2", "chat_id": "a"}, {"format": "mldr/recipe@1"}, SAID])
def test_another_or_a_newer_format_is_refused_in_one_line(tmp_path: Path, head: dict[str, Any]) -> None:
    with pytest.raises(MldrError, match=r"line 1: format"):
        read_file(neutral_jsonl, written(tmp_path, head, {"message": SAID}))


def test_an_empty_file_is_a_fault(tmp_path: Path) -> None:
    assert "is empty" in faults(written(tmp_path, ""))[0]


def test_the_format_is_known_by_its_first_line_alone() -> None:
    assert known(neutral_jsonl, json.dumps(HEAD) + "\n")
    assert known(neutral_jsonl, "\ufeff\n" + json.dumps({"chat_id": "x", "format": "mldr/chat@9"}))
    assert not known(neutral_jsonl, '{"text": "a"}\n' + json.dumps(HEAD))
    assert not known(neutral_jsonl, {"format": "mldr/chats@1"})
    assert not known(neutral_jsonl, {"text": '"format": "mldr/chat@1"'})


def test_the_schema_knows_what_the_reader_reads_and_no_other_key(tmp_path: Path) -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())
    check = jsonschema.Draft202012Validator(json_schema())
    for line in write_neutral_jsonl(tmp_path).read_text(encoding="utf-8").splitlines():
        assert check.is_valid(json.loads(line)), line
    wrong: list[dict[str, Any]] = [
        {**HEAD, "x": 1},
        {"message": {**SAID, "x": 1}},
        {"member": {}},
        {"message": {"text": "a"}},
        {},
    ]
    for row in wrong:
        assert not check.is_valid(row), row


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)
TIMES = st.datetimes(datetime(2000, 1, 2), datetime(2099, 12, 30), timezones=st.just(UTC))


@st.composite
def messages(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(KINDS))
    zone = timezone(timedelta(minutes=draw(st.integers(-12 * 60, 14 * 60))))
    row: dict[str, Any] = {"kind": kind, "time": draw(TIMES).astimezone(zone).isoformat(), "sender": "a" + draw(TEXT)}
    if kind in SPOKEN:
        row |= {"text": "文" + draw(TEXT), "reply_to": draw(TEXT)}
    if kind == "image":
        row["pictures"] = draw(st.lists(st.builds(lambda word: {"path": "p" + word}, TEXT), min_size=1, max_size=2))
    return row


@given(st.lists(messages(), max_size=4))
def test_what_is_written_is_what_is_read(tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]]) -> None:
    one = chat(tmp_path_factory.mktemp("chat"), *rows)
    for row, message in zip(rows, one.messages, strict=True):
        assert message.time == datetime.fromisoformat(row["time"])
        assert (message.kind, message.text, message.sender) == (row["kind"], row.get("text", ""), row["sender"])
        assert [hint.paths[0] for hint in message.pictures] == [one["path"] for one in row.get("pictures", [])]
        assert (message.quote.message_id if message.quote else "") == row.get("reply_to", "")


@pytest.mark.skipif(not DOCS.is_dir(), reason="the tests run away from the checkout")
@pytest.mark.parametrize("page", ["chat.md", "chat.zh.md"])
def test_the_example_of_the_page_is_read(tmp_path: Path, page: str) -> None:
    (example,) = re.findall(
        r"^```jsonl\n(.*?)^```", (DOCS / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    (one,), tally = read_file(neutral_jsonl, written(tmp_path, example))
    assert (tally.rows, tally.dropped, len(one.members)) == (5, {}, 2)
    assert [message.kind for message in one.messages] == ["text", "image", "text", "voice", "system"]
    assert one.messages[2].quote == Quote(one.messages[1].message_id)


@pytest.mark.skipif(not DOCS.is_dir(), reason="the tests run away from the checkout")
@pytest.mark.parametrize("page", ["chat.md", "chat.zh.md"])
def test_the_page_describes_every_key_and_kind(page: str) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    definitions = json_schema()["$defs"]
    keys = {key for name in ("Header", "Person", "Said", "PictureFile") for key in definitions[name]["properties"]}
    assert [key for key in sorted(keys | set(KINDS)) if f"`{key}`" not in text and f'`{{"{key}":' not in text] == []
