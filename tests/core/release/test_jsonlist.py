from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.errors import InputError
from mldr.release.jsonlist import TWICE, json_records

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def pieces(content: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


def read(content: bytes, size: int = 7) -> list[Any]:
    return [value for _, value in json_records(pieces(content, size), "x.json")]


@given(st.lists(values, max_size=5), st.integers(1, 9), st.sampled_from([None, 1]), st.booleans())
def test_a_list_is_read_the_same_in_pieces_of_any_size(
    items: list[Any], size: int, indent: int | None, ascii: bool
) -> None:
    text = json.dumps(items, ensure_ascii=ascii, indent=indent)
    try:
        content = text.encode("utf-8")
    except UnicodeEncodeError:
        return
    assert read(content, size) == json.loads(text)
    assert read(b"\xef\xbb\xbf " + content + b" \n", size) == json.loads(text)


@given(st.lists(st.dictionaries(st.text("ab"), st.text('xyz"\\')), min_size=1, max_size=3), st.data())
def test_a_list_cut_anywhere_is_a_fault(items: list[Any], data: st.DataObject) -> None:
    content = json.dumps(items).encode()
    cut = data.draw(st.integers(0, len(content) - 1))
    with pytest.raises(InputError):
        read(content[:cut])


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is no JSON list"),
        (b'{"a": 1}', "is no JSON list"),
        (b"[1, 2] 3", "goes on after"),
        (b"[1 2]", "record 0: a comma"),
        (b"[1,]", "record 1: not JSON"),
        (b'[{"a": }]', "record 0: not JSON"),
        (b"[1, 2", "the file ends here"),
        (b'["\xff"]', "not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[" + b"1" * 10_000 + b"]", "thousands of digits"),
    ],
)
def test_a_fault_says_where(content: bytes, told: str) -> None:
    with pytest.raises(InputError, match=told):
        read(content, 1_000)


def test_a_key_that_stands_twice_is_marked() -> None:
    assert TWICE in read(b'[{"a": 1, "a": 2}]')[0]
    assert TWICE not in read(b'[{"a": 1, "b": 2}]')[0]


def test_memory_holds_no_more_than_a_few_pieces() -> None:
    def long() -> Iterator[bytes]:
        yield b"["
        for _ in range(300):
            yield (json.dumps({"text": "x" * 100_000}) + ",").encode()
        yield b"{}]"

    tracemalloc.start()
    count = sum(1 for _ in json_records(long(), "x"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 301
    assert peak < 3_000_000  # of 30 MB
