import io
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.annotation.readers import jsliterals
from mldr.annotation.readers.jsliterals import CutShort, elements_of, value_of

START = re.compile(r"const rows = \[")
NASTY = st.lists(
    st.sampled_from(["'", '"', "`", "\\", "\n", "];", "</script>", "//", "/*", "*/", "{", "}", "[", ",", "${a}", "好", "😀", "\t"])
    | st.characters(blacklist_categories=["Cs", "Cc"]),
    max_size=8,
).map("".join)  # fmt: skip


def literal(text: str, quote: str) -> str:
    escaped = text.replace("\\", "\\\\").replace(quote, f"\\{quote}").replace("\t", "\\t")
    return quote + (escaped if quote == "`" else escaped.replace("\n", "\\n")) + quote


def values(source: str) -> list[Any]:
    return [value_of(element) for element in elements_of(io.StringIO(source), START)]


@given(
    st.lists(st.dictionaries(st.sampled_from(["text", "type", "a_b"]), NASTY, min_size=1), max_size=5),
    st.sampled_from("'\"`"),
)
def test_what_is_written_as_literals_is_read_back(rows: list[dict[str, str]], quote: str) -> None:
    written = ",\n".join("{" + ", ".join(f"{key}: {literal(v, quote)}" for key, v in row.items()) + "}" for row in rows)
    assert values(f"<script>const rows = [{written}]; more('];')</script>") == rows


@given(st.lists(NASTY, min_size=1, max_size=4), st.integers(1, 40))
def test_where_the_pieces_of_a_file_end_does_not_matter(texts: list[str], piece: int) -> None:
    rows = "".join(f"/* a ' */ {{t: {literal(text, chr(39))}}}, // it's\n" for text in texts)
    source = f"var x = 'y';\nconst rows = [{rows}];"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jsliterals, "_PIECE", piece)
        patch.setattr(jsliterals, "_OVERLAP", 64)
        assert [row["t"] for row in values(source)] == texts


@pytest.mark.parametrize(
    ("source", "value"),
    [
        (r"{a: '\x41\u4f60\u{1F600}\v\0\d\'\"'}", {"a": "A你😀\x0bd'\""}),
        ("{a: 'x\\\ny'}", {"a": "xy"}),
        (r"{a: `\`${b}\``}", {"a": "`${b}`"}),
        ("{a: 7123456789012345678, b: -1, c: .5, d: true, e: null, f: [1, 2,],}",
         {"a": 7123456789012345678, "b": -1, "c": 0.5, "d": True, "e": None, "f": [1, 2]}),
        ('{"a": "b"}', {"a": "b"}),
        (r"{a: '\u{22}\u{5c}\u{27}'}", {"a": "\"\\'"}),
        ("{}", {}),
    ],
)  # fmt: skip
def test_literals_of_every_dress_are_read(source: str, value: Any) -> None:
    assert values(f"const rows = [{source}]") == [value]


@pytest.mark.parametrize(
    "source",
    ["", "const rows", "const rows = [{a: 'x", "const rows = [{a: 1}", "const rows = [/* ", "const rows = [{a: '\\"],
)
def test_a_list_that_does_not_end_is_cut_short(source: str) -> None:
    with pytest.raises(CutShort):
        values(source)


def test_what_came_whole_before_the_cut_is_told_first() -> None:
    elements = elements_of(io.StringIO("const rows = [{a: 1}, {a: "), START)
    assert next(elements) == "{a: 1}"
    with pytest.raises(CutShort):
        next(elements)


@pytest.mark.parametrize(
    "element", ["{a: 'x' b}", "{a: 'x' + f('y')}", "{a: " + "[" * 100_000 + "]" * 100_000 + "}", "x", "'"]
)
def test_what_is_no_literal_is_refused_and_never_run(element: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        value_of(element)


def test_a_number_of_ten_thousand_digits_is_refused() -> None:
    with pytest.raises(ValueError, match=r"."):
        value_of("{a: " + "9" * 10_000 + "}")


def test_a_string_that_nobody_closes_ends_the_reading_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsliterals, "LIMIT", 100_000)
    monkeypatch.setattr(jsliterals, "_PIECE", 10_000)
    with pytest.raises(CutShort, match="100,000 characters"):
        values("const rows = ['" + "x" * 1_000_000)


def test_the_list_may_begin_far_down_and_is_looked_for_behind_the_first_mark() -> None:
    source = "const rows = [{a: 0}]" + " " * 3_000_000 + "<script> const rows = [{a: 1}]"
    found = list(elements_of(io.StringIO(source), re.compile("<script"), START))
    assert found == ["{a: 1}"]
