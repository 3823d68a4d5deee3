from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.annotation.chat import Member
from mldr.annotation.privacy.detectors import NameList, find_spans
from mldr.annotation.privacy.names import forms, split_chinese
from mldr.annotation.privacy.normal import folded, normal
from mldr.annotation.privacy.phrases import Phrases
from mldr.annotation.spans import SURE
from tests.annotation.privacy.finding import found, only, people


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("张小林", ("张", "小林")),
        ("王伟", ("王", "伟")),
        ("欧阳娜娜", ("欧阳", "娜娜")),
        ("司马光", ("司马", "光")),
        ("小林", None),
        ("快乐的小鱼", None),
        ("张", None),
        ("Amy", None),
        ("林林", None),
    ],
)
def test_a_chinese_name_is_split_into_surname_and_given_name(name: str, parts: tuple[str, str] | None) -> None:
    assert split_chinese(name) == parts


@pytest.mark.parametrize(
    ("said", "sure"),
    [
        ("张小林", True),
        ("小林", True),
        ("张 小林", True),
        ("老张", False),
        ("小张", False),
        ("张总", False),
        ("张老师", False),
        ("阿林", False),
        ("林哥", False),
        ("林林", False),
        ("小林老师", True),
    ],
)
def test_a_full_name_is_found_in_all_the_forms_in_which_people_write_it(said: str, sure: bool) -> None:
    text = f"昨天{said}来了"
    span = only(text, people("张小林"))
    assert (span.kind, text[span.start : span.end]) == ("name", said)
    assert (span.confidence >= SURE) is sure


def test_the_longest_form_stands() -> None:
    assert found("张小林和小林", people("张小林")) == [("name", "张小林"), ("name", "小林")]
    assert found("老张小林", people("张小林")) == [("name", "张小林")]


@pytest.mark.parametrize(
    "said",
    [
        "Kenneth Morris",
        "kenneth",
        "KENNETH",
        "Ｋｅｎｎｅｔｈ",
        "Morris",
        "KennethMorris",
        "kenneth_morris",
        "Morris, Kenneth",
        "Ken\u200bneth",
    ],
)
def test_a_latin_name_is_found_in_every_case_and_width_in_whole_and_in_part(said: str) -> None:
    assert [thing for _, thing in found(f"我问{said}了", people("Kenneth Morris"))] == [said]


@pytest.mark.parametrize("text", ["annual planning", "Banana", "Annie", "xAnn"])
def test_a_latin_name_is_never_found_inside_a_word(text: str) -> None:
    assert found(text, people("Ann Lee")) == []


def test_next_to_chinese_and_punctuation_a_latin_name_is_a_word() -> None:
    names = people("Amy")
    for text in ("问Amy吧", "Amy's", "(Amy)", "Amy2024", "@Amy", "amy_"):
        assert [thing.lower() for _, thing in found(text, names)] == ["amy"]


def test_a_mention_covers_the_name_and_leaves_the_sign_and_the_space() -> None:
    text = "@张小林\u2005你好"
    assert found(text, people("张小林")) == [("name", "张小林")]
    assert found("@小林你好", people("张小林")) == [("name", "小林")]


def test_a_name_is_found_without_its_accents_too() -> None:
    names = people("José García")
    assert [thing for _, thing in found("hola jose, Garcia, José", names)] == ["jose", "Garcia", "José"]


def test_words_that_are_names_too_are_doubtful() -> None:
    assert only("明天去", people("明天")).confidence < SURE
    assert only("开心就好", people("李开心")).confidence < SURE
    assert only("Crystal is here", people("Crystal")).confidence < SURE


def test_a_word_of_every_other_sentence_is_a_name_only_with_a_capital() -> None:
    names = people("Will May")
    assert found("i will go, may be", names) == []
    assert [thing for _, thing in found("so Will said", names)] == ["Will"]
    assert only("Will May", names).confidence >= SURE


def test_one_character_is_a_name_only_where_it_stands_alone() -> None:
    names = people("伟", "张明")
    assert found("伟大的，明天", names) == []
    assert only("伟，来一下", names).confidence < SURE


@pytest.mark.parametrize(
    ("card", "said"),
    [
        ("张小林-产品部", "张小林"),
        ("产品|张小林", "小林"),
        ("3班张小林妈妈", "张小林"),
        ("小林（出差中）", "小林"),
        ("A小林🌸", "小林"),
        ("🌸小林🌸", "小林"),
        ("Amy小林", "Amy"),
        ("Amy小林", "小林"),
        ("Dr. Kenneth Morris Jr.", "Kenneth"),
        ("檀志强", "志强"),
        ("檀志强", "檀老师"),
        ("阿卜杜·买买提", "买买提"),
        ("王姐", "王姐"),
        ("诸葛静怡", "诸葛"),
        ("林", "林姐"),
        ("林", "小林"),
        ("小馨馨", "馨馨"),
        ("A小馨馨", "馨馨"),
        ("买买提·艾力", "买买提"),
        ("Maeve O'Neil", "O’Neil"),
        ("kk", "kk"),
    ],
)
def test_the_name_inside_a_group_card_is_found(card: str, said: str) -> None:
    assert [thing for _, thing in found(f"问下{said}吧", people(card))] == [said]


def test_a_decorated_name_is_found_as_it_stands() -> None:
    assert found("小林🌸你好", people("小林🌸")) == [("name", "小林🌸")]


def test_a_name_of_signs_alone_is_found_in_a_mention_only() -> None:
    names = people("🌸")
    assert found("好看🌸🌸", names) == []
    assert found("@🌸\u2005好看", names) == [("name", "🌸")]


def test_all_names_of_a_member_lead_to_the_same_person() -> None:
    names = NameList.of([Member("wxid_1", ("小鱼", "张小林", "Fish Zhang")), Member("wxid_2", ("李雷",))])
    assert {names.forms[key].person for key in ("小鱼", "张小林", "小林", "老张", "fish zhang", "fish")} == {"wxid_1"}
    assert names.forms["李雷"].person == "wxid_2"


def test_a_shared_form_is_the_surer_persons_then_the_first_ones() -> None:
    names = NameList.of([Member("a", ("林志强",)), Member("b", ("小林",)), Member("c", ("林芳",))])
    assert names.forms["小林"].person == "b"
    assert names.forms["老林"].person in ("a", "b")
    assert names.forms["林总"].person == names.forms["老林"].person


def test_names_without_anything_in_them_are_no_names() -> None:
    assert found("你好 . \u200b", people("", " ", ".", "\u200b")) == []
    assert people(()).forms == {}


def test_hundreds_of_members_cost_little() -> None:
    members = [
        f"{surname}{given}"
        for surname in "王李张刘陈杨黄赵周吴"
        for given in ("小林", "志强", "美丽", "建军", "文文", "大海", "晓红", "子轩", "雨桐", "浩然")
    ]
    names = people(*members)
    text = "今天天气不错，" * 20_000
    assert find_spans(text, names) == ()


@given(st.text(min_size=1, max_size=12))
def test_whatever_a_member_is_called_the_whole_name_is_a_form(name: str) -> None:
    shown = folded(normal(name).text.strip()).strip()
    assert not shown or shown in forms(name, "p")


@given(st.lists(st.text("ab", min_size=1, max_size=4), max_size=6), st.text("ab", max_size=20))
def test_phrases_are_found_wherever_they_stand(phrases: list[str], text: str) -> None:
    expected = {(i, i + len(p), p) for p in phrases for i in range(len(text)) if text.startswith(p, i)}
    hits = list(Phrases(phrases).find(text))
    assert len(hits) == len(set(hits))
    assert set(hits) == expected
