from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldr.builders.sources import listing
from mldr.builders.sources.listing import listed, records, stem_of
from mldr.builders.sources.record import Reading
from mldr.errors import InputError
from tests.builders.sources.support import put

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


def read(path: Path) -> tuple[list[Any], list[str]]:
    reading = Reading()
    found = [record.value for record in records(path, reading)]
    return found, [f"{Path(fault.place).name}: {fault.message}" for fault in reading.faults]


@settings(max_examples=80, deadline=None)
@given(
    items=st.lists(values, max_size=6), piece=st.integers(1, 9), indent=st.sampled_from([None, 2]), raw=st.booleans()
)
def test_a_list_read_in_pieces_of_any_size_gives_its_items(
    tmp_path_factory: pytest.TempPathFactory, items: list[Any], piece: int, indent: int | None, raw: bool
) -> None:
    path = tmp_path_factory.mktemp("list") / "a.json"
    path.write_text(json.dumps(items, ensure_ascii=not raw, indent=indent), encoding="utf-8", errors="surrogatepass")
    before, listing.PIECE = listing.PIECE, piece
    try:
        reading = Reading()
        with path.open("rb") as stream:
            found = [record.value for record in listing._items(stream, path, reading)]
    except InputError as error:  # half of a surrogate pair written raw is no UTF-8
        if not raw or "not UTF-8" not in str(error):
            raise
        return
    finally:
        listing.PIECE = before
    assert found == items
    assert not reading.faults


@pytest.mark.parametrize(
    ("text", "good", "said"),
    [
        ('[{"a": 1}, {"b": 2}', 2, "a.json[1]: is not followed by a comma or the end of the list (the file ends here"),
        ('[{"a": 1}, {"b": "tw', 1, "a.json[1]: is not JSON: Unterminated string"),
        ("[", 0, "a.json[0]: is not JSON: Expecting value (the file ends here: it was cut off)"),
        ('[{"a": 1} {"b": 2}]', 1, "a.json[0]: is not followed by a comma"),
        ('[{"a": 1},]', 1, "a.json[1]: is not JSON"),
        ('[{"a": 1}] and more', 1, "a.json: has more text after the end of its list"),
        ("", 0, "a.json: not JSON"),
        ("[" * 50_000, 0, "a.json[0]: nested too deeply"),
        ('[{"a": ' + "9" * 5000 + "}, 1]", 0, "a.json[0]: "),
    ],
)
def test_a_broken_list_gives_what_came_before_and_one_fault_at_its_place(
    tmp_path: Path, text: str, good: int, said: str
) -> None:
    found, faults = read(put(tmp_path / "a.json", text))
    assert len(found) == good
    assert len(faults) == 1
    assert faults[0].startswith(said)


@pytest.mark.parametrize("bad", ['{"a": 1, "a": 2}', '{"a": NaN}'])
def test_an_item_that_strict_json_refuses_is_a_fault_and_the_next_ones_are_read(tmp_path: Path, bad: str) -> None:
    found, faults = read(put(tmp_path / "a.json", f"[1, {bad}, 3]"))
    assert found == [1, 3]
    assert [fault.partition(": ")[0] for fault in faults] == ["a.json[1]"]


def test_text_that_is_no_utf8_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b'[{"a": "\xff\xfe"}]')
    assert "not UTF-8" in read(path)[1][0]


def test_a_bom_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"\xef\xbb\xbf[1]")
    (tmp_path / "b.jsonl").write_bytes(b'\xef\xbb\xbf{"a": 1}\n')
    assert read(tmp_path / "a.json") == ([1], [])
    assert read(tmp_path / "b.jsonl") == ([{"a": 1}], [])


def test_objects_by_line_are_records_whatever_the_ending_says(tmp_path: Path) -> None:
    assert read(put(tmp_path / "a.json", '{"a": 1}\n\n{"a": 2}\n')) == ([{"a": 1}, {"a": 2}], [])
    found, faults = read(put(tmp_path / "a.jsonl", '{"a": 1}\n{"a": \n{"a": 3}\n'))
    assert found == [{"a": 1}, {"a": 3}]
    assert faults[0].startswith("a.jsonl, line 2: not JSON")


def test_one_object_over_many_lines_is_one_record(tmp_path: Path) -> None:
    assert read(put(tmp_path / "a.json", '{\n"a": 1\n}\n')) == ([{"a": 1}], [])


def test_a_record_without_end_is_refused_before_it_fills_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "RECORD_LIMIT", 1000)
    monkeypatch.setattr(listing, "PIECE", 100)
    _, faults = read(put(tmp_path / "a.json", '[{"a": "' + "x" * 5000 + '"}]'))
    assert "longer than 1,000 characters" in faults[0]


def test_a_parquet_file_that_is_none_is_a_fault(tmp_path: Path) -> None:
    _, faults = read(put(tmp_path / "a.parquet", "PAR1 or so"))
    assert faults[0].startswith("a.parquet[0]: not Parquet that can be read")


def test_files_of_a_folder_come_in_order_and_stems_tell_them_apart(tmp_path: Path) -> None:
    for name in ("b/0000.json", "a/0000.json", "c.json", "note.txt"):
        put(tmp_path / name, "[]")
    files = listed(tmp_path, (".json",))
    assert [stem_of(file, tmp_path, files) for file in files] == ["a/0000", "b/0000", "c"]


def test_a_missing_path_an_empty_folder_and_a_link_out_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    with pytest.raises(InputError, match="no such file"):
        listed(tmp_path / "none", (".json",))
    with pytest.raises(InputError, match=r"has no file that ends in \.json"):
        listed(folder, (".json",))
    (folder / "a.json").symlink_to(put(tmp_path / "out.json", "[]"))
    with pytest.raises(InputError, match="leads out of its folder"):
        listed(folder, (".json",))
