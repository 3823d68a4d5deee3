from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.errors import InputError
from mldr.jsontext import JsonText, whole_value


def pieces(content: bytes, size: int) -> list[bytes]:
    return [content[start : start + size] for start in range(0, len(content), size)]


@given(st.text(), st.integers(1, 7))
def test_the_text_comes_whole_whatever_the_pieces_cut_in_two(text: str, size: int) -> None:
    read = JsonText(pieces(text.encode("utf-8", "replace"), size), "x")
    while read.more():
        pass
    assert read.ended
    assert read.window == text.encode("utf-8", "replace").decode("utf-8").removeprefix("\ufeff")


def test_white_space_is_passed_over_across_pieces_and_what_was_read_is_dropped() -> None:
    read = JsonText([b"  \n", b"", b"\t a", b" b"], "x")
    assert read.char() == "a"
    read.at += 1
    assert read.char() == "b"
    assert len(read.window) <= 2
    read.at += 1
    assert read.char() == ""
    assert not read.more()


def test_bytes_that_are_no_text_are_named_by_their_place_in_the_file() -> None:
    read = JsonText([b"abcd", b"ef\xffgh"], "some.json")
    with pytest.raises(InputError, match=r"some\.json: not UTF-8 text \(near byte 6\)"):
        read.more(9)


def test_a_number_at_the_end_of_a_piece_may_go_on() -> None:
    read = JsonText([b"12", b"34"], "x")
    read.more()
    assert not whole_value(read, 12, 2)
    assert whole_value(read, "a text", 2)
    while read.more():
        pass
    assert whole_value(read, 1234, 4)
