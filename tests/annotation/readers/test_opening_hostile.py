from pathlib import Path
from typing import Any

import pytest

from mldr.annotation.readers.opening import items_of, open_export
from mldr.errors import InputError


def values(path: Path, text: bytes) -> list[Any]:
    path.write_bytes(text)
    return list(items_of(open_export(path), "m.item"))


@pytest.mark.parametrize("before", [0, 65_000, 65_530, 1_048_000])
def test_a_number_of_thousands_of_digits_is_a_fault_wherever_it_stands(tmp_path: Path, before: int) -> None:
    with pytest.raises(InputError, match="thousands of digits"):
        values(tmp_path / "a.json", b'{"a":"' + b"x" * before + b'","m":[' + b"9" * 5000 + b"]}")


def test_a_number_of_thousands_of_digits_is_a_fault_in_any_encoding(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="thousands of digits"):
        values(tmp_path / "a.json", ('{"a":"好","m":[' + "9" * 5000 + "]}").encode("gb18030"))


def test_numbers_of_hundreds_of_digits_and_long_texts_pass(tmp_path: Path) -> None:
    number = int("9" * 900)
    assert values(tmp_path / "a.json", b'{"m":[%d,"%s"]}' % (number, b"a1" * 5000)) == [number, "a1" * 5000]


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[1,"b",', b'{"a": 1.5, "b":\n'])
@pytest.mark.parametrize("depth", [4_100, 300_000])
def test_nesting_without_end_is_a_fault(tmp_path: Path, opening: bytes, depth: int) -> None:
    with pytest.raises(InputError, match="nested too deeply"):
        values(tmp_path / "a.json", b'{"m":[' + opening * depth + b"0")


def test_nesting_that_is_cut_by_the_pieces_of_a_file_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nested too deeply"):
        values(tmp_path / "a.json", b'{"a":"' + b"x" * 65_000 + b'","m":[' + b"[" * 4100 + b"]" * 4100 + b"]}")


def test_long_lists_and_brackets_in_texts_are_no_nesting(tmp_path: Path) -> None:
    rows = b",".join([b'{"a":[1,[2]]}'] * 5000)
    assert len(values(tmp_path / "a.json", b'{"m":[' + rows + b',"' + b"[]" * 5000 + b'"]}')) == 5001
