from __future__ import annotations

import time
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.annotation.privacy.detectors import find_spans
from mldr.annotation.privacy.detectors.find import DIGIT_RULES
from mldr.annotation.privacy.detectors.rules import Rule, pattern, said, scan
from mldr.annotation.spans import SPAN_KINDS, Span
from tests.annotation.privacy.finding import NOBODY, found, people

PIECES = st.sampled_from(
    [
        "13812345678",
        "我",
        "的",
        "张小林",
        "小林",
        "@",
        "\u2005",
        "验证码",
        "4821",
        "号",
        "路",
        "市",
        "a@b.com",
        "1",
        "8",
        " ",
        "-",
        "ＱＱ",
        "１２",
        "\u200b",
        "Amy",
        "code ",
        "微信",
        "：",
        "https://x.cn/",
        "[电话1]",
        "ﬃ",
        "e\u0301",
        "\n",
        "😂",
        "三",
        "京A",
        "叫",
    ]
)
NAMES = people(("张小林", "小林🌸"), "Amy Evans")


@given(st.one_of(st.text(), st.lists(PIECES).map("".join)))
def test_spans_are_in_the_text_as_given_in_order_and_apart(text: str) -> None:
    last = 0
    for span in find_spans(text, NAMES):
        assert last <= span.start < span.end <= len(text)
        assert 0 < span.confidence <= 1
        assert span.kind in SPAN_KINDS
        assert span.detector
        last = span.end


@given(st.lists(PIECES).map("".join), st.sampled_from(["zh", "en", ""]))
def test_the_same_text_gives_the_same_spans(text: str, language: str) -> None:
    assert find_spans(text, NAMES, language) == find_spans(text, NAMES, language)


@given(
    st.text("0123456789", min_size=9, max_size=25),
    st.text("我在的了啊说，。", max_size=6),
    st.text("我在的了啊说，。", max_size=6),
)
def test_no_digit_of_a_long_number_is_left_between_chinese_characters(digits: str, before: str, after: str) -> None:
    assert "".join(thing for _, thing in found(before + digits + after)) == digits


def test_one_message_with_everything_is_covered_kind_by_kind() -> None:
    text = (
        "我是张小林，手机１３８-１２３４-５６７８，身份证360426199101010071，微信号zxl_1990，"
        "寄SF1234567890123到西湖区文三路12号，密码abc123!"
    )
    kinds = ["name", "mobile", "resident_id", "wechat_id", "order_number", "address", "code"]
    assert [kind for kind, _ in found(text, NAMES)] == kinds


def test_a_tag_that_stands_for_something_is_no_find_and_hides_no_number() -> None:
    assert found("验证码[验证码1]打[电话12]") == []
    assert found("call [phone3] or [link2]") == []
    assert found("打[电话13812345678]") == [("mobile", "13812345678")]


def test_something_that_raises_is_not_swallowed() -> None:
    """Whoever calls withholds the text then; a silent empty answer would let it pass."""
    with pytest.raises(TypeError):
        find_spans(None, NOBODY)  # type: ignore[arg-type]


def test_a_character_that_stands_for_several_is_in_one_span_only() -> None:
    text = "㋀13812345678㋁"
    assert [(span.start, span.end) for span in find_spans(text, NOBODY)] in ([(1, 12)], [(0, 13)], [(0, 12)], [(1, 13)])


def test_a_word_of_a_rule_stands_apart_from_latin_letters_and_next_to_chinese() -> None:
    word = pattern(said("密码 v信 code pass_word"))
    assert [bool(word.search(text)) for text in ("我的密码", "加v信a", "xcode", "codes", "我code你", "pass word")] == [
        True,
        True,
        False,
        False,
        True,
        True,
    ]


def test_a_rule_without_its_word_or_without_a_digit_is_not_asked() -> None:
    rule = Rule("r", "code", pattern(r"key(?P<x>\w+)"), 0.9, "key")
    assert list(scan("key12 kex", [rule])) == [Span(3, 5, "code", 0.9, "r")]
    assert list(scan("keyab", [rule])) == []
    assert list(scan("kex12", [rule])) == []


def test_digits_far_apart_are_looked_at_apart_and_all_are_seen() -> None:
    text = ("13812345678" + "说" * 500) * 3
    assert [thing for _, thing in found(text)] == ["13812345678"] * 3


HOSTILE = [
    "1",
    "1 ",
    "1-",
    "1.",
    "a",
    "a.",
    "a@",
    "@",
    "A-1 ",
    "Ab ",
    "中",
    "市",
    "1号",
    "路1号",
    "密码",
    "code is ",
    "微信：",
    "叫王",
    "@王小",
    "+1(",
    "(",
    ":",
    "a:",
    "1:",
    "京A",
    "John Smith, NY ",
    "12 Ab ",
    "http://",
    "e\u0301",
    "①",
    "一",
    "AB12 ",
    "¥1",
    "20",
    "2024-",
    "é",
    "\u200b",
    "d dot ",
    "x at ",
    "号码",
    "订单号",
    "qq",
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_the_time_grows_with_the_length_of_a_hostile_text_and_no_faster(piece: str) -> None:
    def seconds(length: int) -> float:
        text = piece * (length // len(piece))
        took = []
        for _ in range(3):
            start = time.perf_counter()
            find_spans(text, NAMES)
            took.append(time.perf_counter() - start)
        return median(took)

    assert seconds(40_000) < 16 * seconds(10_000) + 0.05, (
        "four times the length; quadratic would be sixteen times the time"
    )


def test_every_rule_has_a_name_and_a_kind_of_its_family() -> None:
    assert all(rule.detector and rule.kind in SPAN_KINDS for rule in DIGIT_RULES)
