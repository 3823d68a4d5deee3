from __future__ import annotations

from pathlib import Path

import pytest
from filelock import FileLock

from mldr.errors import MldrError
from mldr.folders import check_free, fresh_folder


def make(out: Path, text: str, *, force: bool = False) -> None:
    with fresh_folder(out, "mark.json", force=force) as workshop:
        (workshop.work / "scrap").write_text("scrap")
        (workshop.new / "mark.json").write_text(text)


def fail(out: Path) -> None:
    with fresh_folder(out, "mark.json", force=True) as workshop:
        (workshop.new / "mark.json").write_text("half")
        (workshop.work / "nowhere").read_text()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_folder_appears_whole_and_alone(tmp_path: Path) -> None:
    make(tmp_path / "deep" / "out", "one")
    assert names(tmp_path / "deep") == ["out"]
    assert names(tmp_path / "deep" / "out") == ["mark.json"]


def test_an_earlier_one_is_replaced_with_force_only(tmp_path: Path) -> None:
    make(tmp_path / "out", "one")
    with pytest.raises(MldrError, match="--force"):
        make(tmp_path / "out", "two")
    make(tmp_path / "out", "three", force=True)
    assert (tmp_path / "out" / "mark.json").read_text() == "three"
    assert names(tmp_path) == ["out"]


def test_a_failure_leaves_what_stood_there(tmp_path: Path) -> None:
    make(tmp_path / "out", "one")
    with pytest.raises(FileNotFoundError):
        fail(tmp_path / "out")
    assert (tmp_path / "out" / "mark.json").read_text() == "one"
    assert names(tmp_path) == ["out"]


def test_what_is_not_ours_is_never_touched(tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "x").write_text("mine")
    with pytest.raises(MldrError, match="not replaced"):
        make(tmp_path / "thesis", "two", force=True)
    (tmp_path / "out.partial" / "new").mkdir(parents=True)
    (tmp_path / "out.partial" / "letters").mkdir()
    with pytest.raises(MldrError, match="is not ours"):
        make(tmp_path / "out", "one")
    assert names(tmp_path / "out.partial") == ["letters", "new"]


def test_the_rest_of_a_killed_run_is_cleared(tmp_path: Path) -> None:
    (tmp_path / "out.partial" / "new").mkdir(parents=True)
    (tmp_path / "out.partial" / "new" / "stale").write_text("old")
    make(tmp_path / "out", "one")
    assert names(tmp_path / "out") == ["mark.json"]


def test_two_commands_do_not_work_on_one_folder(tmp_path: Path) -> None:
    with FileLock(tmp_path / ".out.lock"), pytest.raises(MldrError, match="another command is writing"):
        make(tmp_path / "out", "one")


@pytest.mark.parametrize("name", ["/", "."])
def test_a_folder_that_cannot_be_made_is_told(name: str) -> None:
    with pytest.raises(MldrError, match="choose another"):
        check_free(Path(name), "mark.json", force=True)


def test_a_file_in_the_way_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(MldrError, match="not replaced"):
        make(tmp_path / "out", "one", force=True)
