"""A private string is found however it is written, and a hash is not taken for one."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.annotation.privacy.searching import Strings, numbers, plain

ALPHABET = st.text("ab1 _@张伟\u200b三-", max_size=12)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("张伟", "问张伟吧"),
        ("张伟", "问张 伟吧"),
        ("张伟", "问张\u200b伟吧"),
        ("张伟", "问张·伟吧"),
        ("Zoë Chan", "with ZOE\u0308  CHAN."),
        ("Ｋｅｖｉｎ", "@kevin\u2005看"),
        ("kevin", "问Kevin吧"),
        ("wxid_abc123", "id=wxid_abc123,"),
        ("🌸小花", "谢谢🌸️小花!"),
        ("a@b.example", "mail a@b.example."),
        ("/home/zhang", "in /home/zhang/x"),
    ],
)
def test_a_string_is_found_in_every_writing_of_it(name: str, text: str) -> None:
    assert [found for _, found in Strings([plain(name)]).find(plain(text))] == [plain(name)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("kevin", "kevinsson"),
        ("kevin", "mckevin"),
        ("ann", "annual"),
        ("abc12", "xabc12"),
        ("abc12", "abc123"),
        ("张伟", "张大伟"),
    ],
)
def test_a_piece_of_a_longer_word_is_none(name: str, text: str) -> None:
    assert not list(Strings([plain(name)]).find(plain(text)))


def test_strings_that_overlap_are_all_found() -> None:
    assert {found for _, found in Strings(["张伟", "伟明", "张伟明", "li wei", "li"]).find("张伟明 li wei")} == {
        "张伟",
        "伟明",
        "张伟明",
        "li wei",
        "li",
    }


@given(st.lists(ALPHABET, max_size=6), ALPHABET, ALPHABET)
def test_the_search_finds_what_looking_everywhere_finds(strings: list[str], before: str, after: str) -> None:
    known = {string for string in map(plain, strings) if string}
    text = plain(before + random.Random(0).choice([*sorted(known), ""]) + after)
    word = re.compile(r"[ab1]")
    expected = {
        (start, string)
        for string in known
        for start in range(len(text))
        if text.startswith(string, start)
        and not (word.match(string[0]) and start and word.match(text[start - 1]))
        and not (word.match(string[-1]) and word.match(text[start + len(string) :][:1]))
    }
    assert set(Strings(known).find(text)) == expected


@given(st.text(max_size=30))
def test_the_plain_form_of_a_plain_text_is_itself(text: str) -> None:
    once = plain(text)
    assert plain(plain(once)) == plain(once)


def test_digits_are_found_in_every_width_and_with_their_groups_joined() -> None:
    shown = plain("１３８ 1234 5678 或 ٠١٢٣٤٥ 010-65529988 2024-05-01 12:30")
    assert {"13812345678", "012345", "01065529988"} <= set(numbers(shown, alone=False))
    assert "2024050112" not in set(numbers(shown, alone=False))


def test_digits_amid_letters_count_in_what_people_write_and_not_in_a_hash() -> None:
    text = "sf1234567 da39a12345678e 7654321"
    assert set(numbers(text, alone=False)) == {"1234567", "39", "12345678", "7654321"}
    assert set(numbers(text, alone=True)) == {"7654321"}
