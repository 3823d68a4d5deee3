"""Tokens are estimated by script, near enough for a price."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.chat import tokens_of, tokens_of_request
from tests.core.chat.support import question


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("a", 1),
        ("word " * 80, 100),
        ("你好吗" * 50, 100),
        ("ありがとう" * 30, 100),
        ("감사합니다" * 30, 100),
        ("你好吗 abc", 3),
    ],
)
def test_spaced_scripts_take_four_characters_a_token_and_dense_ones_one_and_a_half(text: str, tokens: int) -> None:
    assert tokens_of(text) == tokens


@given(st.text(), st.text())
def test_more_text_is_never_fewer_tokens(one: str, two: str) -> None:
    assert max(tokens_of(one), tokens_of(two)) <= tokens_of(one + two) <= tokens_of(one) + tokens_of(two)


def test_a_request_counts_its_messages_and_its_schema() -> None:
    longer = question("word " * 400)
    assert 500 < tokens_of_request(longer) < 600
    assert tokens_of_request(question()) > tokens_of("You tag.") + tokens_of("additionalProperties required")
