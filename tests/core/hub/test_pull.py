"""Pulling, loading and `datasets.load_dataset` on a local server; no real Hub was reached."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import mldr
from mldr.errors import InputError, MldrError
from mldr.hub import Wanted, pull, push
from mldr.verify import verify
from tests.conftest import Command
from tests.core.hub.conftest import OTHER, Shell
from tests.core.hub.test_push import HERE, changed_card, copied
from tests.fakes.hub_server import HubServer
from tests.fakes.hub_store import Blob

BOTH = """
import json, sys
import mldr
from datasets import load_dataset
ours = mldr.load("tests/demo")
split = sys.argv[1]
told = {}
for table in ("dialogues", "queries", "gold", "fragments", "images"):
    theirs = load_dataset("tests/demo", table, split=split)
    if table == "images":
        theirs = theirs.remove_columns("image")
    mine = ours.arrow(table, split, theirs.column_names)
    told[table] = [len(theirs), theirs.data.table.to_pylist() == mine.to_pylist()]
picture = load_dataset("tests/demo", "images", split=split)[0]["image"]
told["size"] = list(picture.size)
print(json.dumps(told))
"""


def test_what_was_pushed_comes_back_byte_by_byte_and_verifies(
    server: HubServer, demo_dataset: mldr.Dataset, tmp_path: Path
) -> None:
    push(demo_dataset, HERE)
    done = pull("tests/demo", tmp_path / "back")
    back = mldr.load(tmp_path / "back")
    assert verify(back) == {}
    assert back.manifest.gold_hash == demo_dataset.manifest.gold_hash
    for name in demo_dataset.manifest.files:
        assert (back.folder / name).read_bytes() == (demo_dataset.folder / name).read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir() if p.name.startswith("back")) == ["back"]
    assert done.files == len([p for p in back.folder.rglob("*") if p.is_file()])


def test_a_pulled_set_pushed_again_changes_nothing(
    server: HubServer, demo_dataset: mldr.Dataset, tmp_path: Path
) -> None:
    push(demo_dataset, HERE)
    pull("tests/demo", tmp_path / "back")
    assert not push(mldr.load(tmp_path / "back"), HERE).difference


def test_mldr_and_datasets_load_the_same_rows(
    server: HubServer, demo_dataset: mldr.Dataset, environment: dict[str, str], tmp_path: Path
) -> None:
    push(demo_dataset, HERE)
    done = subprocess.run(
        [sys.executable, "-c", BOTH, "test"], cwd=tmp_path, capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    counts = demo_dataset.manifest.counts["test"]
    assert {table: told[table] for table in counts} == {table: [rows, True] for table, rows in counts.items()}
    assert min(told["size"]) > 1


def test_an_older_version_can_be_pulled(server: HubServer, demo_dataset: mldr.Dataset, tmp_path: Path) -> None:
    dataset = copied(demo_dataset, tmp_path / "d")
    first = push(dataset, replace(HERE, tag="v1"))
    push(changed_card(dataset), replace(HERE, tag="v2"))
    assert pull("tests/demo", tmp_path / "one", revision="v1").commit == first.commit
    assert "One line more." not in (tmp_path / "one/README.md").read_text("utf-8")
    pull("tests/demo", tmp_path / "two")
    assert "One line more." in (tmp_path / "two/README.md").read_text("utf-8")


def test_a_file_that_was_changed_on_the_hub_is_refused_with_its_name(
    server: HubServer, demo_dataset: mldr.Dataset, tmp_path: Path
) -> None:
    push(demo_dataset, HERE)
    repository = server.store.repositories["tests/demo"]
    repository.commit({**repository.files(), "README.md": Blob(b"somebody else's words", False)}, "edited")
    with pytest.raises(InputError, match=r"README\.md: its bytes are not those that the manifest names"):
        pull("tests/demo", tmp_path / "back")
    assert not (tmp_path / "back").exists()


@pytest.mark.parametrize("name", ["../out.txt", "/etc/passwd", "a/../../b", ".hidden", "images/*.parquet"])
def test_a_manifest_whose_names_lead_out_of_the_folder_is_refused(
    server: HubServer, demo_dataset: mldr.Dataset, tmp_path: Path, name: str
) -> None:
    push(demo_dataset, HERE)
    repository = server.store.repositories["tests/demo"]
    manifest = json.loads(repository.files()["manifest.json"].content)
    manifest["files"][name] = {"rows": 0, "sha256": "0" * 64}
    hostile = Blob(json.dumps(manifest).encode(), False)
    repository.commit({**repository.files(), "manifest.json": hostile}, "hostile")
    with pytest.raises(InputError, match="is no name that a file of a dataset has"):
        pull("tests/demo", tmp_path / "back")


def test_what_is_no_dataset_of_mldr_is_said_so(server: HubServer, tmp_path: Path) -> None:
    from huggingface_hub import HfApi

    HfApi(endpoint=server.url).create_repo("tests/empty", repo_type="dataset")
    with pytest.raises(MldrError, match="is not an mldr dataset"):
        pull("tests/empty", tmp_path / "back")
    assert not (tmp_path / "back.partial").exists()


def test_what_is_not_there_is_said_in_one_line(server: HubServer, tmp_path: Path, command: Command) -> None:
    code, out, err = command("mldr", "dataset", "pull", "tests/none", "--out", str(tmp_path / "back"))
    assert code == 1
    assert out == ""
    assert err.startswith("looking up main of tests/none: status 404")
    assert err.count("\n") == 1


def test_a_private_set_is_hidden_from_others_and_a_gated_one_shut(
    server: HubServer, demo_dataset: mldr.Dataset, tmp_path: Path, shell: Shell
) -> None:
    push(demo_dataset, HERE)
    push(demo_dataset, Wanted("tests/gated", "gated"))
    private = shell("dataset", "pull", "tests/demo", "--out", "a", HF_TOKEN=OTHER)
    gated = shell("dataset", "pull", "tests/gated", "--out", "b", HF_TOKEN=OTHER)
    assert (private.returncode, gated.returncode) == (1, 1)
    assert "it is private and the token may not see it" in private.stderr
    assert "has not let you in" in gated.stderr
    assert OTHER not in private.stderr + gated.stderr
    server.store.repositories["tests/gated"].let_in.add("somebody")
    assert shell("dataset", "pull", "tests/gated", "--out", "b", HF_TOKEN=OTHER).returncode == 0


def test_nothing_is_overwritten_without_force(server: HubServer, demo_dataset: mldr.Dataset, tmp_path: Path) -> None:
    push(demo_dataset, HERE)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.tex").write_text("all my work", encoding="utf-8")
    with pytest.raises(MldrError, match="so it is not replaced"):
        pull("tests/demo", tmp_path / "mine", force=True)
    pull("tests/demo", tmp_path / "back")
    with pytest.raises(MldrError, match="replace it with --force"):
        pull("tests/demo", tmp_path / "back")
    pull("tests/demo", tmp_path / "back", force=True)
    assert (tmp_path / "mine/thesis.tex").read_text(encoding="utf-8") == "all my work"
