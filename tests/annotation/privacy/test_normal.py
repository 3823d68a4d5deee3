from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.annotation.privacy.normal import BLANK, blanked, folded, normal


@pytest.mark.parametrize(
    ("given_text", "reads"),
    [
        ("１３８", "138"),
        ("1️⃣3️⃣8️⃣", "138"),
        ("①③⑧", "138"),
        ("❶❸❽", "138"),
        ("⒈⑶⑻", "138"),
        ("١٣٨", "138"),
        ("𝟏𝟑𝟖", "138"),
        ("1\u200b3\u200d8", "138"),
        ("1\u20603\ufeff8", "138"),
        ("1\u00ad3\u202e8", "138"),
        ("a＠b．com", "a@b.com"),
        ("010–1234—5678", "010-1234-5678"),
        ("ＡＢｃ", "ABc"),
        ("Jose\u0301", "José"),
        ("\r\nx", "\nx"),
        ("a\u3000b\xa0c", "a b c"),
    ],
)
def test_the_same_thing_reads_the_same_however_it_was_typed(given_text: str, reads: str) -> None:
    assert normal(given_text).text == reads


def test_the_space_behind_a_mention_is_kept_apart_from_others() -> None:
    assert normal("@小林\u2005你\u2004x").text == "@小林\u2005你 x"


@pytest.mark.parametrize(
    ("said", "digits"),
    [
        ("一三八零零一三八零零零", "13800138000"),
        ("幺三八，零零一三，八零零零", "138,0013,8000"),
        ("壹叁捌 零零一三", "138 0013"),
        ("一三8零零138000", "13800138000"),
        ("二〇二四年", "2024年"),
    ],
)
def test_numerals_read_out_one_by_one_are_digits(said: str, digits: str) -> None:
    view = normal(said)
    assert view.digits == digits
    assert len(view.text) == len(view.digits)


@pytest.mark.parametrize("text", ["三里屯", "一二三", "林一", "一五一十", "九零后", "周一2024年"])
def test_numerals_in_words_stay_as_they_are(text: str) -> None:
    assert normal(text).digits == text


def test_a_place_in_the_reading_leads_back_to_the_text_as_given() -> None:
    text = "电话：１\u200b３８1️⃣x"
    view = normal(text)
    start = view.text.index("138")
    assert text[slice(*view.place(start, start + 3))] == "１\u200b３８"
    assert text[slice(*view.place(start + 3, start + 4))] == "1️⃣"


def test_a_character_that_reads_as_several_is_one_place() -> None:
    view = normal("5㎏糖")
    assert view.text == "5kg糖"
    assert view.place(1, 2) == view.place(2, 3) == (1, 2)


@given(st.text())
def test_every_character_read_has_its_place_in_order(text: str) -> None:
    view = normal(text)
    assert len(view.text) == len(view.digits) == len(view.folded) == len(view.starts) == len(view.ends)
    assert all(0 <= start < end <= len(text) for start, end in zip(view.starts, view.ends, strict=True))
    assert list(view.starts) == sorted(view.starts)


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cf", "Cc", "Cs", "No", "Me", "Pd", "Mn"])))
def test_the_reading_is_nfkc_where_nothing_is_hidden(text: str) -> None:
    expected = unicodedata.normalize("NFKC", text)
    view = normal(text)
    if all(c.isalpha() and c.isascii() for c in expected):
        assert view.text == expected


@given(st.text())
def test_reading_twice_changes_nothing(text: str) -> None:
    once = normal(text).text
    assert normal(once).text == once or any(unicodedata.combining(c) or "\u1100" <= c <= "\u11ff" for c in once)


@given(st.text())
def test_lower_case_keeps_the_length(text: str) -> None:
    assert len(folded(text)) == len(text)


@pytest.mark.parametrize("text", ["①E12345678", "1️⃣E12345678", "①张三 ②李四", "❶看13812345678"])
def test_a_circled_digit_alone_numbers_a_list_and_is_no_digit(text: str) -> None:
    assert normal(text).text[0] == "•"


@pytest.mark.parametrize("text", ["①③⑧", "① ③ ⑧", "1️⃣-3️⃣-8️⃣", "①③⑧2"])
def test_circled_digits_side_by_side_spell_a_number(text: str) -> None:
    assert normal(text).text.startswith("1")
    assert "•" not in normal(text).text


def test_many_marks_on_one_letter_take_no_quadratic_time() -> None:
    assert len(normal("a" + "\u0301\u0316" * 50_000).starts) > 0


def test_what_is_blanked_is_found_by_no_rule() -> None:
    view = normal("电话[phone1]尾").without(re.compile(r"\[phone\d\]"))
    assert view.text == view.digits == view.folded == "电话" + BLANK * 8 + "尾"
    assert blanked("abc", [(0, 1), (2, 3)]) == BLANK + "b" + BLANK
    assert BLANK not in normal("a" + BLANK + "b").text
