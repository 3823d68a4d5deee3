from __future__ import annotations

import pytest

from mldr.annotation.privacy.normal import folded, normal
from mldr.annotation.privacy.words import (
    ALL_SURNAMES,
    COMMON_SURNAMES,
    COMMON_WORDS,
    COMPOUND_SURNAMES,
    EVERYBODY,
    FREQUENT_WORDS,
    KIN,
    LONG_TITLES,
    SURNAMES,
    TITLES,
)


def test_surnames_are_characters_and_compound_ones_are_two() -> None:
    assert all(len(surname) == 1 and "\u4e00" <= surname <= "\u9fff" for surname in ALL_SURNAMES)
    assert all(len(surname) == 2 for surname in COMPOUND_SURNAMES)


def test_the_narrower_lists_are_within_the_wider_ones() -> None:
    assert COMMON_SURNAMES < SURNAMES < ALL_SURNAMES
    assert set(LONG_TITLES) <= set(TITLES)
    assert FREQUENT_WORDS < COMMON_WORDS


def test_what_stands_before_a_name_is_no_surname() -> None:
    assert not ALL_SURNAMES & set("阿老小大")


@pytest.mark.parametrize("words", [COMMON_WORDS, EVERYBODY, set(TITLES), set(KIN)])
def test_words_are_written_as_the_search_reads_them(words: set[str]) -> None:
    assert all(folded(normal(word).text) == word for word in words)
