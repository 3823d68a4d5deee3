from __future__ import annotations

import pytest

from mldr.annotation.spans import SURE
from tests.annotation.privacy.finding import found, only


def test_a_mention_that_the_messenger_wrote_is_sure_whoever_it_is() -> None:
    span = only("@不认识的 人\u2005看下")
    assert (span.kind, span.start, span.end) == ("name", 1, 7)
    assert span.confidence >= SURE


@pytest.mark.parametrize(
    ("text", "name"),
    [("@王大锤 你好", "王大锤"), ("@王大锤你看看", "王大锤"), ("@lilei_99 hey", "lilei_99"), ("hi @Bob!", "Bob")],
)
def test_a_mention_that_somebody_typed_is_doubtful(text: str, name: str) -> None:
    assert found(text) == [("name", name)]
    assert only(text).confidence < SURE


@pytest.mark.parametrize("text", ["@所有人 开会", "@all hi", "@everyone\u2005hi", "@全体成员 放假"])
def test_a_mention_of_everybody_is_of_nobody(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("我叫李明华", "李明华"),
        ("我叫张伟，你呢", "张伟"),
        ("名字是欧阳娜娜", "欧阳娜娜"),
        ("姓名：王芳 年龄", "王芳"),
        ("收件人：刘强", "刘强"),
        ("他叫陈静吧", "陈静"),
        ("我姓赵", "赵"),
        ("王老师在吗", "王老师"),
        ("my name is Laura Palmer.", "Laura Palmer"),
        ("ask Dr. Whitfield", "Whitfield"),
        ("call me Ishmael", "Ishmael"),
    ],
)
def test_words_that_lead_to_a_name_give_a_doubtful_one(text: str, name: str) -> None:
    assert found(text) == [("name", name)]
    assert only(text).confidence < SURE


@pytest.mark.parametrize(
    "text",
    [
        "我叫车了",
        "叫外卖",
        "贵姓",
        "老百姓",
        "我是学生",
        "this is Great",
        "it is Monday",
        "这是什么",
        "好老师",
        "call me later",
        "张口就来",
    ],
)
def test_other_words_are_no_names(text: str) -> None:
    assert found(text) == []
