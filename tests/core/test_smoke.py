from __future__ import annotations

from pathlib import Path

import mldr
from mldr.verify import verify
from tests.conftest import Command


def test_the_shared_small_dataset_verifies(small_dataset: mldr.Dataset) -> None:
    assert verify(small_dataset) == {}


def test_the_version_is_shown(command: Command) -> None:
    assert command("mldr", "--version") == (0, mldr.__version__ + "\n", "")


def test_an_unknown_dataset_is_one_line(command: Command, tmp_path: Path) -> None:
    code, out, err = command("mldr", "dataset", "stats", str(tmp_path / "nothing"))
    assert (code, out) == (1, "")
    assert "no such folder" in err
