"""The language of a dialogue, by the script of its characters."""

from __future__ import annotations

import pytest

from mldr.annotation.tongue import language_of


@pytest.mark.parametrize(
    ("texts", "language"),
    [
        (["今天去爬山吗", "OK, see you at nine"], "zh"),
        (["see you at nine tomorrow morning", "好"], "en"),
        (["https", "don't", "好的好的"], "zh"),
        ([], "en"),
        (["123 👍"], "en"),
        (["\U00020000\U00020001"], "zh"),
        (["naïve café über"], "en"),
    ],
)
def test_chinese_characters_are_weighed_against_latin_words(texts: list[str], language: str) -> None:
    assert language_of(texts) == language
