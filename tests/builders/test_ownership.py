from __future__ import annotations

from pathlib import Path

import pytest

from mldr.builders.ownership import check_own, claim, forget, is_finished
from mldr.errors import MldrError
from mldr.manifest import Manifest, write_manifest


def test_only_what_a_build_put_there_makes_a_folder_its_own(tmp_path: Path) -> None:
    partial = tmp_path / "out.partial"
    check_own(partial)
    (partial / "work").mkdir(parents=True)
    check_own(partial)
    (partial / "thesis.txt").write_text("years of work")
    with pytest.raises(MldrError, match="is not one"):
        check_own(partial)


def test_forgetting_a_build_leaves_what_is_not_its_own(tmp_path: Path) -> None:
    partial = tmp_path / "out.partial"
    for name in ("work", "dataset", "mine"):
        (partial / name).mkdir(parents=True)
    forget(partial)
    assert [path.name for path in partial.iterdir()] == ["mine"]
    (partial / "mine").rmdir()
    forget(partial)
    assert not partial.exists()


def test_a_finished_build_is_known_by_its_canary(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert not is_finished(out, "canary", force=False)
    out.mkdir()
    assert not is_finished(out, "canary", force=False)
    write_manifest(out, Manifest(name="x", canary="canary"))
    assert is_finished(out, "canary", force=False)
    assert not is_finished(out, "canary", force=True)
    with pytest.raises(MldrError, match="not a build of this recipe"):
        is_finished(out, "another", force=False)


def test_work_of_another_recipe_is_not_gone_on_with(tmp_path: Path) -> None:
    work = tmp_path / "out.partial" / "work"
    claim(work, {"build": "one"}, force=False)
    (work / "half.done").write_text("half")
    claim(work, {"build": "one"}, force=False)
    assert (work / "half.done").exists()
    with pytest.raises(MldrError, match="unfinished build of another recipe"):
        claim(work, {"build": "two"}, force=False)
    claim(work, {"build": "two"}, force=True)
    assert not (work / "half.done").exists()
