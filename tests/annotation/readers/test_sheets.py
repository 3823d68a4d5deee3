from pathlib import Path

import pytest

from mldr.annotation.readers.opening import open_export
from mldr.annotation.readers.sheets import flag_of, header_of, id_of, table_of
from mldr.errors import InputError


def table(folder: Path, text: str, encoding: str = "utf-8") -> list[tuple[str, dict[str, str]]]:
    path = folder / "table.csv"
    path.write_bytes(text.encode(encoding))
    return list(table_of(open_export(path)))


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_any_separator_of_a_spreadsheet_is_found(mark: str, tmp_path: Path) -> None:
    assert table(tmp_path, f"A{mark}b\r\n1{mark}2\r\n") == [("line 2", {"a": "1", "b": "2"})]


def test_blank_rows_and_columns_without_a_name_are_passed_over(tmp_path: Path) -> None:
    assert table(tmp_path, "a,b,,\n1,2,,\n,,,\n\n3,4,,\n") == [
        ("line 2", {"a": "1", "b": "2"}),
        ("line 5", {"a": "3", "b": "4"}),
    ]


def test_a_row_that_is_too_short_has_blank_cells(tmp_path: Path) -> None:
    assert table(tmp_path, "a,b,c\n1\n") == [("line 2", {"a": "1", "b": "", "c": ""})]


def test_a_newline_inside_quotes_is_kept(tmp_path: Path) -> None:
    assert table(tmp_path, 'a,b\n"x\ny, ""z""",2\n') == [("line 3", {"a": 'x\ny, "z"', "b": "2"})]


def test_a_quote_that_nobody_closes_is_a_fault_and_eats_no_rows(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"table\.csv, line 2: is no CSV"):
        table(tmp_path, 'a,b\n"x,1\ny,2\n')


def test_a_cell_may_be_longer_than_python_allows_by_default(tmp_path: Path) -> None:
    assert len(table(tmp_path, f"a,b\n{'x' * 300_000},2\n")[0][1]["a"]) == 300_000


@pytest.mark.parametrize("head", ["", "\n", '"', 'a,"b', "\x00", "\ufeff"])
def test_a_head_that_is_no_header_names_no_columns_that_count(head: str) -> None:
    assert not header_of(head)[0] & {"msg", "talker"}


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("7123456789012345678", "7123456789012345678"),
        (7123456789012345678, "7123456789012345678"),
        ("'7123456789012345678", "7123456789012345678"),
        ('="7123456789012345678"', "7123456789012345678"),
        ("7.12E+18", ""),
        ("7.12346E+18", ""),
        ("7123456789012350000", ""),
        ("1000", "1000"),
        ("0", ""),
        ("000", ""),
        ("", ""),
        (None, ""),
        ("-5", ""),
        ("abc", ""),
        ("٣٤", ""),
        ("9" * 30, ""),
    ],
)
def test_an_id_that_a_spreadsheet_spoilt_is_none(cell: object, expected: str) -> None:
    assert id_of(cell) == expected


def test_a_flag_is_zero_or_one_in_any_dress() -> None:
    dresses: list[object] = ["0", " 1 ", 0, 1, False, True, "TRUE", "1.0"]
    assert [flag_of(cell) for cell in dresses] == [False, True, False, True, False, True, True, True]
    others: list[object] = ["", None, "2", "yes", [], "-1"]
    assert [flag_of(cell) for cell in others] == [None] * 6
