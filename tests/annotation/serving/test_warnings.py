from __future__ import annotations

from dataclasses import replace

import pytest

from mldr.annotation.labels import Put
from mldr.annotation.privacy.detectors import NameList, find_spans
from mldr.annotation.serving.warnings import query_warnings
from mldr.dialogue import Dialogue
from tests.annotation.support_labels import collected_dialogue, put

CHINESE = "六点半在楼下集合，别忘了带伞和热水。"
ENGLISH = "We meet at half past six in front of the old station."


def dialogue() -> Dialogue:
    made = collected_dialogue(1, 6).dialogue
    utterances = list(made.utterances)
    utterances[2] = replace(utterances[2], text=CHINESE)
    utterances[4] = replace(utterances[4], text=ENGLISH)
    return replace(made, utterances=tuple(utterances))


def codes(text: str, fragment: Put | None = None) -> list[str]:
    nobody = NameList.of(())
    held = fragment or put("f1", text, [1, 2])
    return [
        one.code for one in query_warnings(text, dialogue(), held, find_spans=lambda text: find_spans(text, nobody))
    ]


@pytest.mark.parametrize(
    "text",
    [
        "几点集合？",
        "谁忘了带伞？",
        "他们约在哪里见面？",
        "when do they meet?",
        "the part about the old station",
        "",
        "  ",
    ],
)
def test_a_good_query_and_none_at_all_are_not_warned_of(text: str) -> None:
    assert codes(text) == []


@pytest.mark.parametrize(
    ("text", "utterance", "copied"),
    [
        ("什么时候别忘了带伞和热水？", 2, "别忘了带伞和热水"),
        ("Who MEET at half, past six there?", 4, "meet at half past six"),
    ],
)
def test_a_copy_is_named_with_its_message(text: str, utterance: int, copied: str) -> None:
    (one,) = query_warnings(text, dialogue(), put("f1", text, [1, 2]))
    assert (one.code, one.values["utterance"], one.values["text"]) == ("copies", utterance, copied)


def test_seven_chinese_characters_and_four_words_are_no_copy() -> None:
    assert codes("什么时候别忘了带伞和热？") == []
    assert codes("who meets in front of the new place?") == []


def test_private_things_are_named_by_kind_and_not_repeated() -> None:
    text = "谁的电话是13812345678，邮箱是 a.b@example.org？"
    nobody = NameList.of(())
    (one,) = query_warnings(text, dialogue(), put("f", text, [1, 2]), find_spans=lambda text: find_spans(text, nobody))
    assert (one.code, one.values) == ("private", {"kinds": "email, mobile"})


def test_a_query_that_one_message_or_picture_answers_is_warned_of() -> None:
    text = "几点集合？"
    assert codes(text, put("f1", text, [1])) == ["one_message"]
    assert codes(text, put("f1", text, [], [0])) == ["one_message"]
    assert codes(text, put("f1", text, [1], [0])) == []
    assert codes(text, put("f1", text, negative=True)) == []


@pytest.mark.parametrize("text", ["hello there everybody", "station", "哈哈哈哈", "晴天"])
def test_what_asks_nothing_is_warned_of(text: str) -> None:
    assert "asks_nothing" in codes(text)


def test_the_longest_query_over_long_messages_is_looked_at_in_time() -> None:
    made = collected_dialogue(1, 100, text="go {index} " + "长话 ab " * 2_000).dialogue
    assert query_warnings("ab 长话 " * 300, made, put("f", "x", [1, 2]))[0].code == "copies"
