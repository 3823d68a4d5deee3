"""Text that can be stored, and nothing else changed about it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.annotation.wording import clean, says_something

ANY = st.text(st.characters(), max_size=30)  # half characters, NUL and line ends among them


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("a\r\nb\rc\n", "a\nb\nc\n"),
        ("a\0b", "ab"),
        ("好\ud83d!", "好\ufffd!"),
        ("  e\u0301 \u2005", "  e\u0301 \u2005"),
    ],
)
def test_only_what_cannot_be_stored_is_changed(given: str, kept: str) -> None:
    assert clean(given) == kept


@given(ANY)
def test_every_text_can_be_stored_and_stays_as_it_is_then(text: str) -> None:
    kept = clean(text)
    assert kept.encode("utf-8").decode("utf-8") == kept == clean(kept)
    assert not {"\0", "\r"} & set(kept)


@pytest.mark.parametrize("text", ["", " \n\t", "\u200b\ufeff", "\u3000", "\0", "\u200e"])
def test_what_cannot_be_seen_says_nothing(text: str) -> None:
    assert not says_something(text)


@pytest.mark.parametrize("text", ["a", "。", "👍", " \u200b?", " " * 500 + "好"])
def test_one_character_that_can_be_seen_says_something(text: str) -> None:
    assert says_something(text)
