from __future__ import annotations

import csv
from pathlib import Path

from mldr.annotation.readers.opening import open_export, rows_of


def test_a_long_cell_is_read_and_the_limit_of_the_process_stays_what_it_was(tmp_path: Path) -> None:
    before = csv.field_size_limit()
    (tmp_path / "x.csv").write_text(f"a,b\n1,{'x' * 200_000}\n2,y\n", encoding="utf-8")
    rows = rows_of(open_export(tmp_path / "x.csv"))
    assert len(next(rows)[1]["b"]) == 200_000
    assert csv.field_size_limit() == before
    assert [row["b"] for _, row in rows] == ["y"]
    assert csv.field_size_limit() == before
