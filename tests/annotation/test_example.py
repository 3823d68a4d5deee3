from __future__ import annotations

import json
from pathlib import Path

import pytest

from mldr.annotation.example import PICTURES, write_example
from mldr.errors import MldrError
from mldr.images import normalise


def test_the_example_is_an_export_whose_pictures_are_all_there(tmp_path: Path) -> None:
    path = write_example(tmp_path / "export")
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    named = {hint["path"] for line in lines for hint in line.get("message", {}).get("pictures", [])}
    assert named == {f"pictures/{name}.png" for name in PICTURES}
    assert all(normalise((path.parent / name).read_bytes()).width == 640 for name in named)


def test_the_example_is_the_same_every_time_and_replaces_nothing_unasked(tmp_path: Path) -> None:
    write_example(tmp_path / "export")
    before = {path.name: path.read_bytes() for path in (tmp_path / "export").rglob("*") if path.is_file()}
    with pytest.raises(MldrError, match="exists"):
        write_example(tmp_path / "export")
    write_example(tmp_path / "export", force=True)
    assert {path.name: path.read_bytes() for path in (tmp_path / "export").rglob("*") if path.is_file()} == before
