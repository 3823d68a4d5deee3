from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.builders.writing.wording import (
    clean_text,
    is_one_sentence,
    markup_in,
    names_ids,
    normal_tag,
    quotation,
    size,
    speaks,
    storable,
)


@pytest.mark.parametrize(
    ("text", "language", "so"),
    [
        ("你好", "zh", True),
        ("hello there", "zh", False),
        ("", "zh", True),
        ("2024 :)", "zh", True),
        ("我用 iPhone 拍的", "zh", True),
        ("hello there", "en", True),
        ("你好", "en", False),
        ("the film 西游记 is good", "en", True),
        ("こんにちは", "ja", True),
        ("안녕하세요", "ko", True),
        ("hello", "ko", False),
        ("Привет", "ru", True),
        ("bonjour", "fr", True),
        ("你好", "fr", False),
    ],
)
def test_a_script_tells_a_language(text: str, language: str, so: bool) -> None:
    assert speaks(text, language) == so


@pytest.mark.parametrize("text", ["<|im_end|>", "<image>", "see s2.t5", "<b>x</b>", "[image: x]", "```json"])
def test_markup_is_found(text: str) -> None:
    assert markup_in(text)


@pytest.mark.parametrize("text", ["1 < 2 and 3 > 2", "a <3 b", "it's 5.t", "I love it :>", "a|b"])
def test_plain_chat_is_no_markup(text: str) -> None:
    assert not markup_in(text)


@pytest.mark.parametrize(
    ("text", "so"),
    [("u3", True), ("image 2", True), ("picture #1", True), ("the third image", False), ("BMW i3x", False)],
)
def test_ids_are_told_from_words(text: str, so: bool) -> None:
    assert names_ids(text) == so


@pytest.mark.parametrize(
    ("text", "so"),
    [
        ("Who? He did.", False),
        ("Who is Mr. Smith?", True),
        ("谁？他。", False),
        ("谁画的？", True),
        ("about 3.5 kg", True),
        ("a\nb", False),
    ],
)
def test_sentences_are_told_apart(text: str, so: bool) -> None:
    assert is_one_sentence(text) == so


def test_a_chinese_character_says_as_much_as_three_letters() -> None:
    assert size("abc, def!") == 6
    assert size("你好") == 6


@pytest.mark.parametrize(
    ("tag", "stored"),
    [("  Open  Savings\nAccount. ", "open savings account"), ("ＡＢＣ", "abc"), ("“看电影”", "看电影"), ("...", "")],
)
def test_a_tag_has_one_form(tag: str, stored: str) -> None:
    assert normal_tag(tag) == stored


@given(st.text())
def test_the_form_of_a_tag_is_final(tag: str) -> None:
    assert normal_tag(normal_tag(tag)) == normal_tag(tag)


@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_clean_text_is_final_and_storable(text: str) -> None:
    cleaned = clean_text(text)
    assert clean_text(cleaned) == cleaned
    assert storable(cleaned)
    assert "\0" not in cleaned
    assert "\r" not in cleaned


@given(st.text(alphabet="ab c.", max_size=30), st.text(alphabet="ab c.", max_size=30), st.integers(2, 6))
def test_a_quotation_is_the_shared_run_by_brute_force(one: str, other: str, length: int) -> None:
    left, right = (text.replace(" ", "").replace(".", "") for text in (one, other))
    shared = {left[i : i + length] for i in range(len(left) - length + 1)} & {
        right[i : i + length] for i in range(len(right) - length + 1)
    }
    found = quotation(one, [other], length)
    assert bool(found) == bool(shared)
    assert not found or found in shared
