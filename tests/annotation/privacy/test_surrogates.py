from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.annotation.privacy.detectors import NameList, find_spans
from mldr.annotation.privacy.personas import FAMILY, FIRST, GIVEN, SURNAMES, drawn
from mldr.annotation.privacy.surrogates import Surrogates, mask
from mldr.annotation.privacy.tags import EN, TAG, ZH, tag
from mldr.annotation.spans import SPAN_KINDS, Masked, Span
from mldr.markup import escape
from tests.annotation.privacy.finding import people

NAMES = people(("张小林", "小林🌸", "Shirley Zhang"), "李雷", "Kenneth Morris", "快乐的小鱼", "🌸")
PIECES = st.sampled_from(
    [
        "张小林",
        "小林",
        "老张",
        "@小林\u2005",
        "李雷",
        "雷哥",
        "，Kenneth，",
        "，morris，",
        "快乐的小鱼",
        "@🌸\u2005",
        "我叫",
        "王大锤",
        "韩梅梅",
        "王老师",
        "姓",
        "赵",
        "，",
        " ",
        "是",
        "说",
        "13812345678",
        "360426199101010071",
        "验证码",
        "482193",
        "QQ",
        "123456",
        "微信号",
        "lilei_99",
        "a@b.com",
        "https://x.cn/a",
        "西湖区文三路12号",
        "my name is ",
        "Laura Palmer",
        "@",
        "code: ",
        "[电话1]",
        "987654321",
        "SF1234567890123",
        "\n",
        "老师",
        "你看看",
    ]
)


def fresh(
    salt: bytes = b"salt", language: str = "zh", names: NameList = NAMES, taken: tuple[str, ...] = ()
) -> Surrogates:
    return Surrogates(salt, language, names, taken)


def masked(text: str, surrogates: Surrogates, names: NameList = NAMES, language: str = "zh") -> Masked:
    return mask(text, find_spans(text, names, language), surrogates)


def test_the_forms_of_one_name_become_the_forms_of_one_other_name() -> None:
    told = fresh()
    full = told.of("name", "张小林")
    surname, given_name = full[0], full[1:]
    assert full != "张小林"
    assert told.of("name", "小林") == given_name
    assert told.of("name", "老张") == "老" + surname
    assert told.of("name", "张总") == surname + "总"
    assert told.of("name", "张老师") == surname + "老师"
    assert told.of("name", "阿林") == "阿" + given_name[-1]
    assert masked("@小林\u2005 在吗", told).text == f"@{given_name}\u2005 在吗"


def test_a_latin_name_becomes_a_latin_one_whatever_its_case_and_width() -> None:
    told = fresh()
    full = told.of("name", "Kenneth Morris")
    first, family = full.split(" ")
    assert full.isascii()
    assert told.of("name", "kenneth") == told.of("name", "ＫＥＮＮＥＴＨ") == first
    assert told.of("name", "MORRIS") == family
    assert told.of("name", "kenneth_morris") == f"{first}_{family}"


def test_two_people_become_two() -> None:
    told = fresh()
    assert len({told.of("name", name) for name in ("张小林", "李雷", "Kenneth Morris", "快乐的小鱼")}) == 4


def test_another_dialogue_has_other_names_and_the_same_salt_the_same() -> None:
    one, two, again = fresh(b"one"), fresh(b"two"), fresh(b"one")
    names = ("张小林", "李雷", "Kenneth Morris")
    assert [one.of("name", name) for name in names] == [again.of("name", name) for name in names]
    assert any(one.of("name", name) != two.of("name", name) for name in names)


def test_no_surrogate_is_a_real_name_or_one_of_its_forms() -> None:
    everybody = [surname + given_name for surname in SURNAMES[:30] for given_name in GIVEN[:10]]
    names = people(*everybody[:60])
    told = fresh(names=names)
    given_out = [told.of("name", name) for name in everybody[:60]]
    assert not set(given_out) & set(names.forms)
    assert len(set(given_out)) == 60


def test_no_surrogate_stands_in_the_texts_of_the_dialogue() -> None:
    plain = fresh().of("name", "张小林")
    other = fresh(taken=(f"昨天碰到{plain}了",)).of("name", "张小林")
    assert other != plain


def test_when_all_names_are_given_out_people_become_tags() -> None:
    names = people(*(f"成员{chr(0x4E00 + i)}{chr(0x5E00 + i)}" for i in range(130)))
    told = Surrogates(b"s", "zh", names)
    given_out = [told.of("name", name) for name in (f"成员{chr(0x4E00 + i)}{chr(0x5E00 + i)}" for i in range(130))]
    assert len(set(given_out)) == 130
    assert any(TAG.fullmatch(name) for name in given_out), "a hundred given names cannot name 130 people"


def test_a_stranger_is_one_person_too() -> None:
    told = fresh()
    full = told.of("name", "王大锤")
    assert told.of("name", "大锤") == full[1:]
    assert told.of("name", "王老师").endswith("老师")
    assert told.of("name", "赵") in SURNAMES


def test_a_mention_with_more_than_the_name_is_of_the_same_person() -> None:
    told = fresh()
    assert told.of("name", "张小林-产品部") == told.of("name", "张小林")


@pytest.mark.parametrize(
    ("language", "tags"),
    [
        ("zh", ["[电话1]", "[电话2]", "[链接1]", "[身份证1]", "[地址1]"]),
        ("en", ["[phone1]", "[phone2]", "[link1]", "[id1]", "[address1]"]),
    ],
)
def test_other_things_become_tags_numbered_by_first_appearance(language: str, tags: list[str]) -> None:
    told = fresh(language=language)
    assert told.of("mobile", "13812345678") == tags[0]
    assert told.of("landline", "010-12345678") == tags[1]
    assert told.of("url", "https://x.cn") == tags[2]
    assert told.of("resident_id", "360426199101010071") == tags[3]
    assert told.of("address", "文三路12号") == tags[4]
    assert told.of("mobile", "+86 138-1234-5678") == tags[0]
    assert told.of("mobile", "１３８１２３４５６７８") == told.of("mobile", "一三八一二三四五六七八") == tags[0]


def test_a_long_thing_has_one_tag_whatever_it_was_taken_for() -> None:
    told = fresh()
    assert told.of("code", "482193") == told.of("number", "482193") == "[验证码1]"
    assert told.of("code", "4821") != told.of("qq", "4821")


def test_every_kind_has_its_tag_in_both_languages() -> None:
    assert set(ZH) == set(EN) == set(SPAN_KINDS)
    assert all(TAG.fullmatch(tag(kind, 9_999, language)) for kind in SPAN_KINDS for language in ("zh", "en"))
    assert not TAG.fullmatch("[电话10000]")


def test_a_mask_says_where_the_surrogate_stands() -> None:
    text = "打13812345678找张小林"
    result = masked(text, fresh())
    assert [(m.kind, result.text[m.start : m.end] == m.surrogate) for m in result.masks] == [
        ("mobile", True),
        ("name", True),
    ]
    assert result.text.startswith("打[电话1]找")


@pytest.mark.parametrize("spans", [[(0, 3), (2, 4)], [(3, 4), (0, 1)], [(0, 99)], [(-1, 2)], [(2, 2)]])
def test_spans_that_make_no_sense_raise(spans: list[tuple[int, int]]) -> None:
    with pytest.raises(ValueError, match="out of order"):
        mask("abcdef", [Span(start, end, "name", 0.9, "x") for start, end in spans], fresh())


def test_the_same_map_holds_for_queries_captions_and_notes() -> None:
    told = fresh()
    first = masked("我叫王大锤，验证码4821，找张小林", told).text
    name = first.removeprefix("我叫").split("，")[0]
    query = told.apply("大锤说的4821是什么？小林知道，电话13912345678").text
    assert query.startswith(f"{name[1:]}说的[验证码1]是什么？{told.of('name', '小林')}知道")
    assert query.endswith("电话[电话1]")


def test_a_doubtful_name_that_meets_a_given_out_one_is_none() -> None:
    told = fresh()
    once = masked("我叫赵张小林姓", told).text
    assert masked(once, told).text == once


def test_a_short_code_is_not_replaced_inside_a_longer_number() -> None:
    told = fresh()
    masked("验证码4821", told)
    assert told.apply("共48215个").text == "共48215个"


@pytest.mark.parametrize("language", ["zh", "en"])
@given(pieces=st.lists(PIECES, max_size=12))
def test_masking_a_masked_text_changes_nothing(language: str, pieces: list[str]) -> None:
    text = "，".join(pieces)
    told = fresh(language=language, taken=(text,))
    once = masked(text, told, language=language).text
    assert masked(once, told, language=language).text == once


@given(pieces=st.lists(PIECES, max_size=12))
def test_nothing_sure_is_left_in_a_masked_text(pieces: list[str]) -> None:
    text = "".join(pieces)
    out = masked(text, fresh(taken=(text,))).text
    for private in (
        "张小林",
        "小林",
        "李雷",
        "快乐的小鱼",
        "13812345678",
        "360426199101010071",
        "a@b.com",
        "SF1234567890123",
        "987654321",
    ):
        assert private not in out
    assert not re.search("kenneth|morris", out, re.IGNORECASE)


@given(st.lists(PIECES, max_size=12).map("".join))
def test_the_masks_tell_what_changed_and_nothing_else_did(text: str) -> None:
    spans = find_spans(text, NAMES, "zh")
    result = mask(text, spans, fresh(taken=(text,)))
    kept = "".join(part for part in _between(result))
    assert all(result.text[m.start : m.end] == m.surrogate for m in result.masks)
    assert len(kept) <= len(text)


def _between(result: Masked) -> list[str]:
    places = [(m.start, m.end) for m in result.masks]
    starts, ends = [0, *(end for _, end in places)], [*(start for start, _ in places), len(result.text)]
    return [result.text[start:end] for start, end in zip(starts, ends, strict=True)]


def test_surrogates_need_no_escape_in_markup() -> None:
    told = fresh()
    for kind in SPAN_KINDS:
        surrogate = told.of(kind, "13812345678" if kind != "name" else "张小林")
        assert escape(surrogate) == surrogate


def test_the_lists_are_long_and_without_doubles() -> None:
    for names, least in ((SURNAMES, 70), (GIVEN, 100), (FIRST, 100), (FAMILY, 100)):
        assert len(names) == len(set(names)) >= least
    assert drawn(b"a", "p", 0) != drawn(b"a", "p", 1)
