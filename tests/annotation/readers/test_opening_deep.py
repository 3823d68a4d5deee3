"""JSON that is nested so deeply that reading it would take all memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.annotation.readers.opening import _Levels, items_of, open_export
from mldr.errors import InputError


def values(path: Path, text: str, encoding: str = "utf-8") -> list[Any]:
    path.write_bytes(text.encode(encoding))
    return list(items_of(open_export(path), "m.item"))


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"' + "a" * 100 + '":'])
@pytest.mark.parametrize("before", ["", "x" * 65_530, '\\"' * 32_765, "\\\\" * 32_700 + "["])
def test_a_file_of_many_levels_is_a_fault_however_they_are_opened(tmp_path: Path, opening: str, before: str) -> None:
    with pytest.raises(InputError, match="nested too deeply"):
        values(tmp_path / "a.json", '{"a":"' + before + '","m":[' + opening * 30_000)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_brackets_in_texts_are_no_levels(tmp_path: Path, encoding: str) -> None:
    text = "周末[[{" * 50_000 + '\\"' + "爬山[" * 50_000
    assert values(tmp_path / "a.json", json.dumps({"m": [text, text]}, ensure_ascii=False), encoding) == [text, text]


TEXTS = st.text(st.sampled_from('[]{}"\\,:a山\n'), max_size=30)
VALUES = st.recursive(
    TEXTS | st.integers(), lambda v: st.lists(v, max_size=3) | st.dictionaries(TEXTS, v, max_size=3), max_leaves=8
)


@given(VALUES, st.integers(1, 7), st.booleans())
def test_at_the_end_of_a_file_its_depth_is_zero_wherever_it_was_cut(value: Any, size: int, ascii_only: bool) -> None:
    text = json.dumps([value], ensure_ascii=ascii_only).encode()
    levels = _Levels()
    for start in range(0, len(text), size):
        levels.take(text[start : start + size])
    assert (levels._depth, levels._in_text, levels._half) == (0, False, b"")
