from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.tokens import is_unspaced, ngrams, tokens
from tests.core.support import hostile_text


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Hello, WORLD! it's 2024", ["hello", "world", "it", "s", "2024"]),
        ("猫在睡", ["猫", "在", "睡", "猫在", "在睡"]),
        ("猫", ["猫"]),
        ("看iPhone手机", ["看", "iphone", "手", "机", "手机"]),
        ("ＡＢＣ１２", ["abc12"]),
        ("ﾈｺ", ["ネ", "コ", "ネコ"]),
        ("ภาษา", ["ภ", "า", "ษ", "า", "ภา", "าษ", "ษา"]),
        ("한국어 문장", ["한국어", "문장"]),
        ("snake_case", ["snake", "case"]),
        ("", []),
        ("!? …，。", []),
    ],
)
def test_words_are_split_by_the_script_that_writes_them(text: str, found: list[str]) -> None:
    assert tokens(text) == found


def test_the_sizes_of_ngrams_can_be_chosen() -> None:
    assert tokens("一二三", (2, 3)) == ["一二", "二三", "一二三"]
    assert tokens("一二", (3,)) == ["一二"]


@given(st.text("一二三四", min_size=1), st.lists(st.integers(1, 5), min_size=1, max_size=3, unique=True))
def test_ngrams_are_all_the_pieces_of_their_sizes(run: str, sizes: list[int]) -> None:
    pieces = [run[i:j] for size in sizes for i in range(len(run)) for j in range(i, len(run) + 1) if j - i == size]
    assert sorted(ngrams(run, tuple(sizes))) == sorted(pieces or [run])


@given(hostile_text)
def test_no_letter_or_digit_is_lost(text: str) -> None:
    folded = unicodedata.normalize("NFKC", text).lower()
    letters = [c for c in folded if c.isalnum()]
    found = "".join(tokens(text, (1,)))
    assert [c for c in found if c.isalnum()] == letters
    assert all(token for token in tokens(text))


@given(st.text(st.characters(categories=["Ll", "Lu"], max_codepoint=0x24F), max_size=30))
def test_tokens_do_not_depend_on_case_or_width(text: str) -> None:
    assert tokens(text) == tokens(unicodedata.normalize("NFKC", text).lower())


def test_a_token_tells_its_script() -> None:
    assert [is_unspaced(token) for token in ("猫", "ネコ", "cat", "7", "한")] == [True, True, False, False, False]
