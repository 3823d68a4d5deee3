from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldr.annotation.chat import Member
from mldr.annotation.readers.contract import DateOrder, PictureHint, RawMessage, ReadOptions
from mldr.errors import InputError
from tests.annotation.readers.support_tables import knowing, messages_of, read_text

WORDS = st.text(st.characters(whitelist_categories=["L", "N", "Zs"]), min_size=1, max_size=30)
FIRST = "13/10/2024, 09:00 - Ann: hello\n"


def read(folder: Path, text: str, order: DateOrder = "") -> list[RawMessage]:
    return messages_of("dated-text", folder, text, ReadOptions(date_order=order))


def said(folder: Path, *heads: str) -> list[tuple[str, str, str]]:
    text = FIRST + "".join(f"13/10/2024, 09:01 - {head}\n" for head in heads)
    return [(message.sender, message.kind, message.text) for message in read(folder, text)[1:]]


@pytest.mark.parametrize(
    "opening",
    [
        "13/10/2024, 21:05 - ",
        "13/10/24, 9:05 pm - ",
        "10/13/24, 9:05\u202fPM - ",
        "13/10/24 21:05 - ",
        "13.10.24, 21:05 - ",
        "13.10.2024, 21:05 – ",
        "13-10-2024 21:05 - ",
        "2024-10-13, 21:05 - ",
        "2024-10-13, 9:05 p.m. - ",
        "13/10/24, 9:05 p. m. - ",
        "2024/10/13 下午9:05 - ",
        "2024/10/13 晚上9:05 - ",
        "2024. 10. 13. 오후 9:05 - ",
        "24. 10. 13. 오후 9:05 - ",
        "[13/10/2024, 21:05:00] ",
        "[13.10.24, 21:05:00] ",
        "[10/13/24, 9:05:00\u202fPM] ",
        "[2024/10/13 下午9:05:00] ",
        "[2024-10-13, 21:05:00] ",
        "\u200e[13/10/24, 9:05:00 pm] ",
        "[24. 10. 13. 오후 9:05:00] ",
        "[2024. 10. 13. 오후 9:05:00] ",
        "\ufeff[13/10/2024,\u200921:05:00] ",
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_lines_of_many_locales_are_read(opening: str, end: str, tmp_path: Path) -> None:
    messages = read(tmp_path, f"{opening}Ann: 好 a: b{end}second{end}{end}fourth{end}{opening}Ben: ok{end}")
    assert [(m.sender, m.time, m.text, m.place) for m in messages] == [
        ("Ann", datetime(2024, 10, 13, 21, 5), "好 a: b\nsecond\n\nfourth", "line 1"),
        ("Ben", datetime(2024, 10, 13, 21, 5), "ok", "line 5"),
    ]


def test_one_day_after_the_twelfth_tells_the_order_of_all(tmp_path: Path) -> None:
    lines = ["03/04/24, 10:00 - Ann: a"] * 300
    assert read(tmp_path, "\n".join([*lines, "13/04/24, 10:00 - Ann: b"]))[0].time == datetime(2024, 4, 3, 10)
    assert read(tmp_path, "\n".join([*lines, "04/13/24, 10:00 - Ann: b"]))[0].time == datetime(2024, 3, 4, 10)


def test_an_open_order_is_a_fault_that_says_what_to_do_unless_it_is_said(tmp_path: Path) -> None:
    text = "03/04/24, 10:00 - Ann: a\n04/05/24, 10:00 - Ann: b\n"
    with pytest.raises(InputError, match=r"may be dmy or mdy .* pass --date-order"):
        read(tmp_path, text)
    assert [m.time.month for m in read(tmp_path, text, "dmy")] == [4, 5]
    assert [m.time.month for m in read(tmp_path, text, "mdy")] == [3, 4]
    assert read(tmp_path, "24/10/12, 10:00 - Ann: a", "ymd")[0].time == datetime(2024, 10, 12, 10)


def test_an_order_under_which_time_never_goes_back_is_taken_where_it_does_in_the_other(tmp_path: Path) -> None:
    assert [m.time.month for m in read(tmp_path, "03/04/24, 10:00 - Ann: a\n01/05/24, 10:00 - Ann: b\n")] == [4, 5]
    assert [m.time.month for m in read(tmp_path, "04/03/24, 10:00 - Ann: a\n05/01/24, 10:00 - Ann: b\n")] == [4, 5]


def test_dates_that_are_the_same_in_every_order_leave_nothing_open(tmp_path: Path) -> None:
    assert read(tmp_path, "05/05/24, 10:00 - Ann: a\n")[0].time == datetime(2024, 5, 5, 10)


def test_an_order_that_the_dates_contradict_is_a_fault_with_a_place(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="line 1: its date cannot be mdy"):
        read(tmp_path, FIRST, "mdy")
    with pytest.raises(InputError, match="line 2: its date fits the other dates in no order"):
        read(tmp_path, "13/10/24, 10:00 - Ann: a\n10/13/24, 10:00 - Ann: b\n")


def test_a_stray_date_that_cannot_be_is_counted_with_its_place(tmp_path: Path) -> None:
    text = FIRST * 200 + "31/02/2024, 09:00 - Ann: pasted\n"
    (chat,), tally = read_text("dated-text", tmp_path, text)
    assert (len(chat.messages), tally.rows) == (200, 201)
    assert tally.located == ["line 201: its date is no day in the order of the other dates"]


def test_lines_of_another_chat_that_somebody_pasted_belong_to_the_message(tmp_path: Path) -> None:
    pasted = "[13.10.24, 08:00:00] Zoe: hi\n10/12/24, 8:00 AM - Zoe: hi"
    (message,) = read(tmp_path, FIRST + pasted)
    assert message.text == f"hello\n{pasted}"


def test_the_twelve_hour_clock_is_read_at_noon_and_midnight(tmp_path: Path) -> None:
    text = "13/10/24, 12:01 AM - A: a\n13/10/24, 12:01 PM - A: b\n13/10/24, 1:01 PM - A: c\n"
    assert [message.time.hour for message in read(tmp_path, text)] == [0, 12, 13]


def test_a_line_that_names_nobody_is_a_system_line_and_makes_nobody_a_member(tmp_path: Path) -> None:
    heads = (
        "Messages and calls are end-to-end encrypted.",
        'Ann changed the subject to "Trip: May"',
        "Ann changed the subject from “A: b” to “c”",
        "\u200eBen added Cem",
        "您创建了群组“周末：爬山”",
    )
    assert said(tmp_path, *heads) == [("", "system", "")] * 5


def test_what_the_programme_wrote_under_the_name_of_the_chat_is_a_system_line(tmp_path: Path) -> None:
    text = "[13/10/24, 09:00:00] Family: \u200eMessages and calls are end-to-end encrypted.\n[13/10/24, 09:00:01] Ann: hi\n"
    (chat,), _ = read_text("dated-text", tmp_path, text)
    assert [(message.sender, message.kind) for message in chat.messages] == [("", "system"), ("Ann", "text")]
    assert chat.members == (Member("Ann", ("Ann",)),)
    (same,), _ = read_text("dated-text", tmp_path, text.replace("\u200e", ""))
    assert same.members == chat.members


def test_a_picture_has_its_file_and_its_caption(tmp_path: Path) -> None:
    for line, name in (
        ("\u200e<attached: 00000012-PHOTO-2024-10-13-09-00-00.jpg>", "00000012-PHOTO-2024-10-13-09-00-00.jpg"),
        ("IMG-20241013-WA0001.jpg (file attached)", "IMG-20241013-WA0001.jpg"),
        ("\u200eIMG-20241013-WA0001.jpg (文件附件)", "IMG-20241013-WA0001.jpg"),
        ("IMG-20241013-WA0001.jpg (in einer unbekannten Sprache)", "IMG-20241013-WA0001.jpg"),
        ("<附件：00000012-PHOTO.jpg>", "00000012-PHOTO.jpg"),
        ("<附件: 00000012-PHOTO.jpg>", "00000012-PHOTO.jpg"),
        ("2024-10-13-PHOTO-00000012.jpg <\u200eattached>", "2024-10-13-PHOTO-00000012.jpg"),
    ):
        message = read(tmp_path, f"{FIRST}13/10/2024, 09:01 - Ann: {line}\nat the lake\nagain\n")[1]
        assert (message.kind, message.text) == ("image", "at the lake\nagain")
        assert message.pictures == (PictureHint((name,), (name.rpartition(".")[0],)),)


def test_a_caption_may_stand_before_the_file(tmp_path: Path) -> None:
    text = "[13/10/24, 09:00:00] Ann: at the lake \u200e<attached: 00000012-PHOTO.jpg>\n"
    assert [(m.kind, m.text) for m in read(tmp_path, text)] == [("image", "at the lake")]


def test_words_beside_a_film_are_a_message_of_their_own(tmp_path: Path) -> None:
    text = f"{FIRST}13/10/2024, 09:01 - Ann: VID-20241013-WA0001.mp4 (file attached)\nat the lake\n"
    (chat,), tally = read_text("dated-text", tmp_path, text)
    assert [(m.kind, m.text, m.place) for m in chat.messages[1:]] == [
        ("video", "", "line 2"),
        ("text", "at the lake", "line 2, caption"),
    ]
    assert tally.rows == len(chat.messages)


def test_the_pages_of_a_document_are_not_the_senders_words(tmp_path: Path) -> None:
    text = "[13/10/24, 09:00:00] Ann: Plan.pdf • \u200e3 pages \u200e<attached: 00000013-Plan.pdf>\n"
    assert [(m.kind, m.text) for m in read(tmp_path, text)] == [("file", "")]


def test_the_mark_of_an_edit_is_taken_off(tmp_path: Path) -> None:
    lines = ("Ann: hi \u200e<This message was edited>", "Ann: hi <消息已编辑>", "Ann: hi <This is typed>")
    assert [text for _, _, text in said(tmp_path, *lines)] == ["hi", "hi", "hi <This is typed>"]


def test_a_person_whose_name_holds_a_colon_is_one_person(tmp_path: Path) -> None:
    lines = ("Dr: Who: one", "Dr: Who: two: three", "Dr: Who: \u200eimage omitted", "Ben: Note: a", "Ben: b")
    assert [(sender, text) for sender, _, text in said(tmp_path, *lines)] == [
        ("Dr: Who", "one"),
        ("Dr: Who", "two: three"),
        ("Dr: Who", ""),
        ("Ben", "Note: a"),
        ("Ben", "b"),
    ]


def test_a_number_and_an_unsaved_name_lose_what_nobody_sees_and_keep_every_name(tmp_path: Path) -> None:
    text = f"{FIRST}13/10/2024, 09:01 - \u202a+86\u00a0138\u00a00000\u00a00000\u202c: a\n13/10/2024, 09:01 - ~\u202fBen: b\n"
    (chat,), _ = read_text("dated-text", tmp_path, text)
    assert chat.members[1:] == (
        Member("+86 138 0000 0000", ("+86 138 0000 0000",)),
        Member("~ Ben", ("Ben", "~ Ben")),
    )


def test_the_chat_is_named_by_its_file_and_a_group_by_its_people(tmp_path: Path) -> None:
    (pair,), _ = read_text("dated-text", tmp_path, f"{FIRST}13/10/2024, 09:01 - Ben: b\n")
    (group,), _ = read_text("dated-text", tmp_path, f"{FIRST}13/10/2024, 09:01 - Ben: b\n13/10/2024, 09:01 - Cem: c\n")
    assert (pair.name, pair.group, group.group) == ("an export", False, True)


def test_the_owner_is_who_was_said_to_be(tmp_path: Path) -> None:
    (chat,), _ = read_text("dated-text", tmp_path, FIRST, ReadOptions(owner_id="Ann"))
    assert chat.members == (Member("Ann", ("Ann",), owner=True),)


def test_an_empty_message_is_an_event(tmp_path: Path) -> None:
    assert said(tmp_path, "Ann: ", "Ann:", "Ann: \u200e") == [
        ("Ann", "other", ""),
        ("Ann", "other", ""),
        ("", "system", ""),
    ]


@pytest.mark.parametrize(
    "head",
    [
        "",
        "hello\n13/10/2024, 09:00 - Ann: a",
        "13/10/2024, 09:00",
        "13/10/2024, 09:00 - Ann joined\n",
        "[1] a: b",
        "2024-10-13 09:00:00 Ann\nhi\n\n",
    ],
)
def test_other_texts_are_not_known(head: str) -> None:
    assert "dated-text" not in knowing(head)


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["Ann", "小林", "김"]),
            st.text(st.characters(whitelist_categories=["L", "N", "Zs"]), min_size=1, max_size=30),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_what_people_wrote_comes_back(tmp_path_factory: pytest.TempPathFactory, lines: list[tuple[str, str]]) -> None:
    folder = tmp_path_factory.mktemp("chat")
    text = "".join(f"[13/10/2024, 09:00:00] {name}: x{words}x\n" for name, words in lines)
    assert [(m.sender, m.text) for m in read(folder, text)] == [(name, f"x{words}x") for name, words in lines]
