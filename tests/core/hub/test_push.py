"""Pushing through the real huggingface_hub client to a local server; no real Hub was reached."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import mldr
from mldr.errors import InputError, MldrError
from mldr.files import sha256_file
from mldr.hub import Wanted, push
from mldr.manifest import ShardEntry, read_manifest, write_manifest
from mldr.publishing import Visibility
from mldr.verify import verify
from tests.conftest import Command
from tests.core.hub.conftest import OTHER, Shell
from tests.fakes.hub_server import HubServer

HERE = Wanted("tests/demo")


def copied(dataset: mldr.Dataset, folder: Path) -> mldr.Dataset:
    shutil.copytree(dataset.folder, folder)
    return mldr.Dataset(folder)


def changed_card(dataset: mldr.Dataset) -> mldr.Dataset:
    """Change one file of a dataset, and its manifest with it."""
    card = dataset.folder / "README.md"
    card.write_text(card.read_text("utf-8") + "\nOne line more.\n", encoding="utf-8")
    manifest = read_manifest(dataset.folder)
    manifest.files["README.md"] = ShardEntry(rows=0, sha256=sha256_file(card))
    write_manifest(dataset.folder, manifest)
    return mldr.Dataset(dataset.folder)


def test_a_dataset_is_pushed_whole_private_and_in_one_commit(server: HubServer, demo_dataset: mldr.Dataset) -> None:
    done = push(demo_dataset, replace(HERE, tag="v1"))
    repository = server.store.repositories["tests/demo"]
    assert repository.private
    assert not repository.seen_public
    assert done.created
    assert repository.tags == {"v1": done.commit}
    assert len(repository.commits) == 2  # the Hub's own first one, and this
    held = repository.files()
    for name, entry in demo_dataset.manifest.files.items():
        assert held[name].sha256 == entry.sha256
    assert set(held) - set(demo_dataset.manifest.files) == {
        "manifest.json",
        "croissant.json",
        "eval.yaml",
        ".gitattributes",
    }


def test_a_dry_run_lists_what_would_go_and_asks_without_writing(
    server: HubServer, demo_dataset: mldr.Dataset, command: Command
) -> None:
    code, out, _ = command("mldr", "dataset", "push", str(demo_dataset.folder), "tests/demo", "--dry-run")
    assert code == 0
    assert "queries/test-00000-of-00001.parquet" in out
    assert "14 files to send; 0 are there already" in out
    assert "dry run: nothing was sent" in out
    assert server.store.count("^(POST|PUT)") == 0
    assert server.store.repositories == {}


def test_pushing_the_same_again_sends_nothing_and_makes_no_commit(
    server: HubServer, demo_dataset: mldr.Dataset
) -> None:
    first = push(demo_dataset, HERE)
    before = server.store.count("^PUT")
    again = push(demo_dataset, HERE)
    assert again.commit == first.commit
    assert not again.difference
    assert server.store.count("^PUT") == before
    assert len(server.store.repositories["tests/demo"].commits) == 2


def test_only_what_changed_is_sent(server: HubServer, demo_dataset: mldr.Dataset, tmp_path: Path) -> None:
    dataset = copied(demo_dataset, tmp_path / "d")
    push(dataset, HERE)
    before = server.store.count("^PUT")
    done = push(changed_card(dataset), HERE)
    assert [one.path for one in done.difference.changed] == ["README.md", "manifest.json"]
    assert server.store.count("^PUT") == before  # no large file changed


def test_shards_that_the_new_version_lacks_are_removed_and_other_files_stay(
    server: HubServer, demo_dataset: mldr.Dataset, tmp_path: Path
) -> None:
    from tests.fakes.hub_store import Blob

    push(demo_dataset, HERE)
    repository = server.store.repositories["tests/demo"]
    more = {"queries/old-00000-of-00001.parquet": Blob(b"x", True), "paper.pdf": Blob(b"%PDF", False)}
    repository.commit({**repository.files(), **more}, "by hand")
    done = push(demo_dataset, HERE)
    assert done.difference.gone == ("queries/old-00000-of-00001.parquet",)
    assert "paper.pdf" in repository.files()
    assert "queries/old-00000-of-00001.parquet" not in repository.files()


def test_a_version_that_exists_is_refused_and_never_moved(
    server: HubServer, demo_dataset: mldr.Dataset, tmp_path: Path
) -> None:
    dataset = copied(demo_dataset, tmp_path / "d")
    first = push(dataset, replace(HERE, tag="v1"))
    with pytest.raises(InputError, match="is a version of tests/demo already"):
        push(changed_card(dataset), replace(HERE, tag="v1"))
    repository = server.store.repositories["tests/demo"]
    assert repository.tags == {"v1": first.commit}
    assert len(repository.commits) == 2
    second = push(mldr.Dataset(dataset.folder), replace(HERE, tag="v2"))
    assert repository.tags == {"v1": first.commit, "v2": second.commit}


def test_the_same_version_pushed_again_unchanged_is_no_fault(server: HubServer, demo_dataset: mldr.Dataset) -> None:
    first = push(demo_dataset, replace(HERE, tag="v1"))
    assert push(demo_dataset, replace(HERE, tag="v1")).commit == first.commit


@pytest.mark.parametrize("visibility", ["gated", "public"])
def test_a_page_is_opened_after_everything_is_there(
    server: HubServer, demo_dataset: mldr.Dataset, visibility: Visibility
) -> None:
    push(demo_dataset, replace(HERE, visibility=visibility))
    repository = server.store.repositories["tests/demo"]
    assert not repository.private
    assert repository.gated == ("manual" if visibility == "gated" else False)
    asked = [str(one) for one in server.store.asked if one.method != "GET"]
    settings = [position for position, line in enumerate(asked) if "/settings" in line]
    commit = next(position for position, line in enumerate(asked) if "/commit/" in line)
    assert settings[-1] > commit
    assert repository.seen_public == (visibility == "public")


def test_a_gated_set_was_never_open(server: HubServer, demo_dataset: mldr.Dataset) -> None:
    push(demo_dataset, replace(HERE, visibility="gated"))
    push(demo_dataset, replace(HERE, visibility="gated"))
    assert not server.store.repositories["tests/demo"].seen_public


def test_a_page_more_open_than_wanted_is_refused(server: HubServer, demo_dataset: mldr.Dataset) -> None:
    push(demo_dataset, replace(HERE, visibility="public"))
    with pytest.raises(MldrError, match="is there and public, which is more open than private: push with --public"):
        push(demo_dataset, HERE)


def test_another_dataset_is_not_replaced_without_force(
    server: HubServer, demo_dataset: mldr.Dataset, tmp_path: Path
) -> None:
    push(demo_dataset, HERE)
    other = copied(demo_dataset, tmp_path / "d")
    manifest = read_manifest(other.folder)
    manifest.name = "mldr-ffr-other"
    write_manifest(other.folder, manifest)
    with pytest.raises(MldrError, match="holds another dataset, 'mldr-ffr-demo'; replace it with --force"):
        push(mldr.Dataset(other.folder), HERE)
    push(mldr.Dataset(other.folder), replace(HERE, force=True))
    held = json.loads(server.store.repositories["tests/demo"].files()["manifest.json"].content)
    assert held["name"] == "mldr-ffr-other"


def test_a_repository_of_something_else_is_not_replaced_without_force(
    server: HubServer, demo_dataset: mldr.Dataset
) -> None:
    from huggingface_hub import HfApi

    api = HfApi(endpoint=server.url)
    api.create_repo("tests/demo", repo_type="dataset", private=True)
    api.upload_file(path_or_fileobj=b"a,b\n", path_in_repo="train.csv", repo_id="tests/demo", repo_type="dataset")
    with pytest.raises(MldrError, match=r"holds other files \(train.csv, ...\)"):
        push(demo_dataset, HERE)


def test_a_dataset_that_is_not_what_its_manifest_says_is_not_sent(
    server: HubServer, demo_dataset: mldr.Dataset, tmp_path: Path
) -> None:
    dataset = copied(demo_dataset, tmp_path / "d")
    for name in ("queries/test-00000-of-00001.parquet", "README.md"):
        (dataset.folder / name).write_bytes(b"damaged")
    with pytest.raises(InputError) as caught:
        push(dataset, HERE)
    assert caught.value.total == 2
    assert server.store.count("^(POST|PUT)") == 0


@pytest.mark.parametrize("hub_id", ["demo", "a/b/c", "tests/../demo", "tests/de mo", "-a/b", ""])
def test_what_is_no_hub_id_is_refused_at_once(server: HubServer, demo_dataset: mldr.Dataset, hub_id: str) -> None:
    with pytest.raises(InputError, match="is no Hub id"):
        push(demo_dataset, Wanted(hub_id))
    assert server.store.asked == []


@pytest.mark.parametrize("tag", ["main", "a b", "a" * 40, "../x", "-x"])
def test_what_is_no_name_of_a_version_is_refused_at_once(
    server: HubServer, demo_dataset: mldr.Dataset, tag: str
) -> None:
    with pytest.raises(InputError, match="is no name of a version"):
        push(demo_dataset, replace(HERE, tag=tag))
    assert server.store.asked == []


def test_an_account_may_not_push_under_another_name_and_is_told_so_without_its_token(
    server: HubServer, demo_dataset: mldr.Dataset, shell: Shell
) -> None:
    done = shell("dataset", "push", str(demo_dataset.folder), "tests/demo", HF_TOKEN=OTHER)
    assert done.returncode == 1
    assert "making tests/demo: status 403" in done.stderr
    assert "the token may not do that" in done.stderr
    assert "Traceback" not in done.stderr
    assert OTHER not in done.stderr + done.stdout
    assert OTHER[3:] not in done.stderr + done.stdout


def test_without_a_token_one_is_told_to_log_in(server: HubServer, demo_dataset: mldr.Dataset, shell: Shell) -> None:
    done = shell("dataset", "push", str(demo_dataset.folder), "tests/demo", HF_TOKEN="")
    assert done.returncode == 1
    assert "log in with `hf auth login`, or set HF_TOKEN" in done.stderr
    assert "Traceback" not in done.stderr


def test_both_public_and_gated_is_wrong_usage(demo_dataset: mldr.Dataset, command: Command) -> None:
    code, _, _ = command("mldr", "dataset", "push", str(demo_dataset.folder), "tests/demo", "--public", "--gated")
    assert code == 2


def test_what_was_sent_can_be_read_by_a_machine(
    server: HubServer, demo_dataset: mldr.Dataset, command: Command
) -> None:
    _, out, _ = command("mldr", "dataset", "push", str(demo_dataset.folder), "tests/demo", "--json", "--tag", "v1")
    told = json.loads(out)
    assert told["tag"] == "v1"
    assert told["commit"] == server.store.repositories["tests/demo"].tags["v1"]
    assert {one["path"] for one in told["sent"]} >= {"manifest.json", "eval.yaml", "croissant.json"}


def test_the_dataset_at_home_stays_as_it_is(server: HubServer, demo_dataset: mldr.Dataset, tmp_path: Path) -> None:
    dataset = copied(demo_dataset, tmp_path / "d")
    before = {p: p.read_bytes() for p in sorted(dataset.folder.rglob("*")) if p.is_file()}
    push(dataset, HERE)
    assert {p: p.read_bytes() for p in sorted(dataset.folder.rglob("*")) if p.is_file()} == before
    verify(dataset)
