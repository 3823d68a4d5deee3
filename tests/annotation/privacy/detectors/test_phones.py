from __future__ import annotations

import pytest

from mldr.annotation.spans import SURE
from tests.annotation.privacy.finding import found, only


@pytest.mark.parametrize(
    "number",
    [
        "13812345678",
        "138-1234-5678",
        "138 1234 5678",
        "138.1234.5678",
        "138 123 45678",
        "1381234 5678",
        "1 3 8 1 2 3 4 5 6 7 8",
        "+8613812345678",
        "+86 138 1234 5678",
        "+86-138-1234-5678",
        "(+86)13812345678",
        "008613812345678",
        "0086 138 1234 5678",
        "86-13812345678",
        "013812345678",
        "１３８１２３４５６７８",
        "138\u200b1234\u200b5678",
        "①③⑧①②③④⑤⑥⑦⑧",
        "一三八一二三四五六七八",
        "幺三八幺二三四五六七八",
        "一三八 一二三四 五六七八",
        "138，1234，5678",
        "138·1234·5678",
    ],
)
def test_a_chinese_mobile_is_found_between_chinese_characters_in_every_grouping(number: str) -> None:
    assert found(f"我手机{number}你记一下") == [("mobile", number)]
    assert only(f"我手机{number}你").confidence >= SURE


@pytest.mark.parametrize(
    "number",
    [
        "010-12345678",
        "0571 8765 4321",
        "(021)62345678",
        "02162345678",
        "0755-26543210转801",
        "021-6234-5678-02",
        "400-820-8820",
        "4008208820",
        "800-8208-820",
        "86-10-62345678",
    ],
)
def test_a_fixed_line_is_found_with_its_extension(number: str) -> None:
    assert found(f"公司座机{number}，找前台") == [("landline", number)]


@pytest.mark.parametrize(
    "number",
    [
        "001-986-583-4497x8690",
        "001-866-725-8517x8128",
        "207.504.9996x2283",
        "+1-683-268-5957",
        "(882)988-3607x5983",
        "(565)408-8995",
        "2075049996",
        "1-800-555-0199 ext. 12",
        "+44 20 7946 0958",
        "+852 9123 4567",
        "00 49 30 901820",
        "+81-90-1234-5678",
    ],
)
def test_numbers_of_other_countries_are_covered_wholly(number: str) -> None:
    assert [text for _, text in found(f"call me at {number} ok")] == [number]


@pytest.mark.parametrize(
    "text", ["我手机13812345678你", "13812345678", "打13812345678。", "x13812345678x", "tel:13812345678;"]
)
def test_no_word_boundary_is_needed(text: str) -> None:
    """`\\b` fails next to Chinese, where every character is a word character."""
    assert ("mobile", "13812345678") in found(text)


def test_a_number_inside_a_longer_run_of_digits_is_no_mobile_but_hidden_all_the_same() -> None:
    assert found("串号9138123456789999是") == [("bank_card", "9138123456789999")]


def test_a_number_whose_middle_its_owner_starred_out_is_found() -> None:
    assert found("我是138****8000") == [("mobile", "138****8000")]


def test_two_numbers_side_by_side_are_two() -> None:
    assert found("13812345678 13912345678") == [("mobile", "13812345678"), ("mobile", "13912345678")]
    assert found("13812345678，010-12345678") == [("mobile", "13812345678"), ("landline", "010-12345678")]


def test_ten_digits_in_a_row_are_an_american_telephone_unless_the_dialogue_is_chinese() -> None:
    assert found("2075049996") == [("mobile", "2075049996")]
    assert found("2075049996", language="zh") == [("number", "2075049996")]


def test_a_short_number_behind_the_word_telephone_is_found() -> None:
    assert found("家里电话 6234567 晚上打") == [("landline", "6234567")]
