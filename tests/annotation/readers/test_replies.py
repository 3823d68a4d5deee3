from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from mldr.annotation.readers.contract import Quote, RawMessage
from mldr.annotation.readers.replies import ITSELF, LATER, NOT_FOUND, normalised, quoted, resolve

START = datetime(2025, 3, 1, 12, 0, tzinfo=UTC)
PERSONS = {"u1": "u1", "小林": "u1", "u2": "u2", "阿旭": "u2"}


def said(second: float, sender: str, text: str = "", **more: object) -> RawMessage:
    message = RawMessage(sender, START + timedelta(seconds=second), "text", f"messages[{second}]", text=text)
    return replace(message, **more)  # type: ignore[arg-type]


def only(messages: list[RawMessage]) -> tuple[int | None, str, dict[str, int]]:
    """Return what the last message answers, how it was found, and the counts."""
    replies = resolve(messages, PERSONS)
    return replies.targets[-1], replies.methods[-1], dict(replies.counts)


def test_a_quote_is_found_by_its_id_whatever_else_it_says() -> None:
    messages = [
        said(0, "u1", "去爬山吗", message_id="7"),
        said(1, "u1", "好", message_id="8"),
        said(9, "u2", "去", quote=Quote("7", "阿旭", START, "好")),
    ]
    assert only(messages) == (0, "id", {"id": 1})


def test_without_an_id_it_is_found_by_sender_time_and_kind() -> None:
    messages = [
        said(0, "u1", "", kind="image"),
        said(0, "u1", "看这张"),
        said(0, "u2", "", kind="image"),
        said(9, "u2", "好看", quote=Quote(sender="小林", time=START + timedelta(seconds=2), kind="image")),
    ]
    assert only(messages) == (0, "time", {"time": 1})


def test_two_seconds_are_near_and_more_is_not() -> None:
    for gap, target in ((2.0, 0), (-2.0, 0), (2.001, None), (-2.001, None)):
        quote = Quote(sender="u1", time=START + timedelta(seconds=10 + gap))
        assert only([said(10, "u1", "a"), said(60, "u2", "b", quote=quote)])[0] == target, gap


def test_the_nearest_in_time_wins_and_of_two_equally_near_ones_the_later() -> None:
    quote = Quote(sender="u1", time=START + timedelta(seconds=1))
    assert only([said(1, "u1", "a"), said(2, "u1", "b"), said(9, "u2", quote=quote)])[0] == 0
    assert only([said(0, "u1", "a"), said(2, "u1", "b"), said(9, "u2", quote=quote)])[0] == 1


def test_messages_of_one_second_are_told_apart_by_their_words() -> None:
    quote = Quote(sender="u1", time=START, text="第一句")
    assert only([said(0, "u1", "第一句"), said(0, "u1", "第二句"), said(9, "u2", quote=quote)])[:2] == (0, "time")


def test_a_message_of_that_second_with_other_words_is_not_the_quoted_one() -> None:
    quote = Quote(sender="u1", time=START, text="已经删掉的话")
    assert only([said(0, "u1", "哈哈"), said(9, "u2", quote=quote)]) == (None, "", {NOT_FOUND: 1})


def test_a_clock_without_a_zone_is_never_compared_with_an_instant() -> None:
    quote = Quote(sender="u1", time=START.replace(tzinfo=None))
    assert only([said(0, "u1", "a"), said(9, "u2", quote=quote)])[0] is None
    naive = said(0, "u1", "a", time=START.replace(tzinfo=None))
    assert only([naive, said(9, "u2", quote=quote)])[:2] == (0, "time")


def test_without_id_and_time_it_is_the_last_earlier_message_with_that_beginning() -> None:
    messages = [
        said(0, "u1", "周六去爬香山，八点集合"),
        said(1, "u1", "周六去爬香山，九点集合"),
        said(2, "u2", "周六去爬香山，十点集合"),
        said(9, "u2", "好", quote=Quote(sender="小林", text="周六去 爬香山…")),
        said(10, "u1", "周六去爬香山，十一点集合"),
    ]
    replies = resolve(messages, PERSONS)
    assert (replies.targets[3], replies.methods[3]) == (1, "text")


def test_the_whole_text_goes_before_a_nearer_message_that_only_begins_so() -> None:
    quote = Quote(sender="u1", text="明天见吧")
    messages = [said(0, "u1", "明天见吧"), said(1, "u1", "明天见吧，记得带伞"), said(9, "u2", quote=quote)]
    assert only(messages)[:2] == (0, "text")


def test_a_short_quote_is_a_whole_message_or_nothing() -> None:
    quote = Quote(sender="u1", text="好")
    assert only([said(0, "u1", "好的，我这就去"), said(9, "u2", quote=quote)])[0] is None
    assert only([said(0, "u1", "好"), said(1, "u1", "好的"), said(9, "u2", quote=quote)])[0] == 0


def test_long_messages_that_share_their_beginning_are_told_apart() -> None:
    lists = ["接龙：周末聚餐报名" * 20 + name for name in ("小林", "阿旭", "小林阿旭")]
    messages = [said(i, "u1", text) for i, text in enumerate(lists)]
    for index, text in enumerate(lists):
        assert only([*messages, said(9, "u2", quote=Quote(sender="u1", text=text))])[0] == index
    shortened = Quote(sender="u1", text=lists[0][:100] + "...")
    assert only([*messages, said(9, "u2", quote=shortened)])[0] == 2
    assert only([*messages, said(9, "u2", quote=Quote(sender="u1", text=lists[0][:100] + "完"))])[0] is None


def test_the_kind_of_a_quote_holds_for_words_too() -> None:
    quote = Quote(sender="u1", text="看这张照片", kind="image")
    messages = [said(0, "u1", "看这张照片", kind="image"), said(1, "u1", "看这张照片"), said(9, "u2", quote=quote)]
    assert only(messages)[0] == 0


def test_a_name_that_no_list_knows_is_looked_for_in_the_rows() -> None:
    messages = [
        said(0, "u3", "周末都有空吗", names=("大山",)),
        said(1, "u4", "周末都有空吗", names=("小山",)),
        said(9, "u2", quote=Quote(sender="大山", text="周末都有空吗")),
    ]
    assert only(messages)[:2] == (0, "text")


def test_a_name_in_the_list_of_persons_is_not_looked_for_in_the_rows() -> None:
    messages = [
        said(0, "u3", "周末都有空吗", names=("小林",)),
        said(9, "u2", quote=Quote(sender="小林", text="周末都有空吗")),
    ]
    assert only(messages)[0] is None


def test_a_quote_without_a_sender_is_found_by_its_id_alone() -> None:
    messages = [said(0, "u1", "周末都有空吗"), said(9, "u2", quote=Quote(time=START, text="周末都有空吗"))]
    assert only(messages) == (None, "", {NOT_FOUND: 1})


def test_a_quote_never_points_at_itself_or_forward() -> None:
    itself = said(0, "u1", "自己说的话", message_id="1", quote=Quote("1", "u1", START, "自己说的话"))
    later = said(
        1, "u1", "后面的话呢", message_id="2", quote=Quote("3", "u1", START + timedelta(seconds=2), "自己说的话")
    )
    replies = resolve([itself, later, said(2, "u1", "c", message_id="3")], PERSONS)
    assert replies.targets == [None, None, None]
    assert replies.methods == ["", "", ""]
    assert replies.counts == {ITSELF: 1, LATER: 1}


def test_by_time_and_by_words_a_quote_does_not_point_at_itself_or_forward() -> None:
    itself = said(0, "u1", "自己说的话", quote=Quote(sender="u1", time=START, text="自己说的话"))
    assert resolve([itself, said(1, "u1", "自己说的话")], PERSONS).targets == [None, None]


def test_an_id_that_stands_twice_means_the_last_one_before() -> None:
    messages = [said(0, "u1", message_id="7"), said(1, "u1", message_id="7"), said(2, "u2", quote=Quote("7"))]
    assert only([*messages])[0] == 1
    assert resolve([*messages, said(3, "u1", message_id="7")], {}).targets[2] == 1


def test_an_empty_quote_is_counted_as_not_found() -> None:
    assert only([said(0, "u1", ""), said(1, "u2", quote=Quote())]) == (None, "", {NOT_FOUND: 1})


def test_texts_are_compared_without_width_case_space_and_invisible_marks() -> None:
    assert normalised("@小林\u2005ＯＫ\u200b 好\n") == "@小林ok好"
    assert quoted("去爬山……") == quoted("去爬山...") == "去爬山"


@st.composite
def chats(draw: st.DrawFn) -> list[RawMessage]:
    ids = st.sampled_from(["", "1", "2", "3", "4"])
    quotes = st.none() | st.builds(
        Quote,
        ids,
        st.sampled_from(["", "u1", "u2", "小林", "x"]),
        st.none() | st.integers(0, 9).map(lambda s: START + timedelta(seconds=s)),
        st.sampled_from(["", "甲", "甲乙丙丁", "甲乙丙丁戊"]),
        st.sampled_from(["", "text", "image"]),
    )
    message = st.builds(
        said,
        st.integers(0, 9),
        st.sampled_from(["", "u1", "u2", "x"]),
        st.sampled_from(["", "甲", "甲乙丙丁", "甲乙丙丁戊"]),
        message_id=ids,
        quote=quotes,
        kind=st.sampled_from(["text", "image"]),
    )
    return draw(st.lists(message, max_size=12))


@given(chats())
def test_every_quote_ends_in_one_count_and_every_target_stands_before(messages: list[RawMessage]) -> None:
    replies = resolve(messages, PERSONS)
    assert sum(replies.counts.values()) == sum(message.quote is not None for message in messages)
    for index, (target, method, message) in enumerate(zip(replies.targets, replies.methods, messages, strict=True)):
        assert (target is None) == (method == "")
        if target is not None:
            assert message.quote is not None
            assert target < index
            if method == "id":
                assert messages[target].message_id == message.quote.message_id
            else:
                asked = PERSONS.get(message.quote.sender, message.quote.sender)
                found = PERSONS.get(messages[target].sender, messages[target].sender)
                assert found == asked or (
                    method == "time" and asked not in {*PERSONS, *(one.sender for one in messages)}
                )
                assert message.quote.kind in ("", messages[target].kind)


@given(chats())
def test_what_comes_after_a_message_does_not_change_what_it_answers_but_by_id(messages: list[RawMessage]) -> None:
    whole = resolve(messages, PERSONS).targets
    for end in range(len(messages)):
        cut = resolve(messages[: end + 1], PERSONS)
        if whole[end] is not None:
            assert cut.targets[end] == whole[end]


def test_many_messages_of_one_second_do_not_slow_it_down() -> None:
    quote = Quote(sender="u1", time=START, text="别的话")
    messages = [said(0, "u1", "哈哈哈", quote=quote) for _ in range(20_000)]
    assert resolve(messages, PERSONS).counts == {NOT_FOUND: 20_000}


def test_a_name_that_stands_nowhere_else_is_whoever_alone_said_so_at_that_time() -> None:
    quote = Quote("", "备注名", START, "去爬山吗")
    messages = [said(0, "u1", "去爬山吗"), said(1, "u2", "好累"), said(9, "u2", "去", quote=quote)]
    assert only(messages) == (0, "time", {"time": 1})
    assert only([said(0, "u1", "去爬山吗"), said(1, "u2", "去爬山吗"), messages[2]])[0] is None
    assert only([said(0, "u1", "别的"), messages[2]])[0] is None
    bare = replace(quote, text="")
    assert only([said(0, "u1", "去爬山吗"), said(9, "u2", "去", quote=bare)])[0] is None
    picture = replace(bare, kind="image")
    assert only([said(0, "u1", kind="image"), said(9, "u2", "好看", quote=picture)])[1] == "time"
