"""The folder that is sent: sound, the same each time, and apart from the dataset that it is made of."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

import mldr
from mldr.dialogue import StoredImage
from mldr.errors import InputError
from mldr.hub.staging import BY_ADDRESS, LEFT_OUT, Staged, stage
from mldr.licences import RESEARCH_ONLY
from mldr.manifest import read_manifest, write_manifest
from mldr.verify import verify
from tests.core.hub.test_allowed import consented, licensed, picture_under, told

PAGE = "https://hub.example.org/datasets/tests/demo"


def staged(dataset: mldr.Dataset, folder: Path) -> Staged:
    folder.mkdir()
    return stage(dataset, folder, "tests/demo", PAGE)


def digests(done: Staged) -> dict[str, str]:
    return {one.path: one.sha256 for one in done.files}


def test_what_is_staged_is_a_sound_dataset_of_the_same_benchmark(demo_dataset: mldr.Dataset, tmp_path: Path) -> None:
    staged(demo_dataset, tmp_path / "out")
    copy = tmp_path / "copy"
    for path in sorted((tmp_path / "out").rglob("*")):
        if path.is_file():
            (copy / path.relative_to(tmp_path / "out")).parent.mkdir(parents=True, exist_ok=True)
            (copy / path.relative_to(tmp_path / "out")).write_bytes(path.read_bytes())
    assert verify(mldr.load(copy)) == {}
    assert mldr.load(copy).manifest.gold_hash == demo_dataset.manifest.gold_hash


def test_the_same_dataset_is_staged_to_the_same_bytes(demo_dataset: mldr.Dataset, tmp_path: Path) -> None:
    assert digests(staged(demo_dataset, tmp_path / "a")) == digests(staged(demo_dataset, tmp_path / "b"))


def test_a_dataset_whose_files_cannot_be_linked_is_copied(
    demo_dataset: mldr.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    linked = digests(staged(demo_dataset, tmp_path / "a"))

    def refused(*arguments: object, **settings: object) -> None:
        raise OSError("no right to make links")

    monkeypatch.setattr(os, "symlink", refused)
    assert digests(staged(demo_dataset, tmp_path / "b")) == linked
    assert not any(path.is_symlink() for path in (tmp_path / "b").rglob("*"))


def test_staging_writes_nothing_into_the_dataset(tmp_path: Path) -> None:
    dataset = licensed(tmp_path / "d", picture_under("red", "", "https://example.org/red.png"))
    before = {path: path.read_bytes() for path in sorted(dataset.folder.rglob("*")) if path.is_file()}
    staged(dataset, tmp_path / "out")
    assert {path: path.read_bytes() for path in sorted(dataset.folder.rglob("*")) if path.is_file()} == before


def test_a_set_that_was_staged_before_is_staged_to_the_same_bytes_again(tmp_path: Path) -> None:
    dataset = licensed(tmp_path / "d", picture_under("red", "CC-BY-4.0"))
    first = staged(dataset, tmp_path / "a")
    assert first.dataset is not None
    again = staged(mldr.Dataset(first.dataset.folder), tmp_path / "b")
    assert digests(again) == digests(first)


@pytest.mark.parametrize(
    ("licence", "url", "count"),
    [
        ("CC-BY-4.0", "", None),
        ("CC0-1.0; MIT", "", None),
        ("MIT OR proprietary", "", None),
        ("CC-BY-NC-SA-4.0", "https://e.org/x", None),
        ("proprietary", "https://e.org/x", BY_ADDRESS),
        ("CC-BY-4.0; all rights reserved", "https://e.org/x", BY_ADDRESS),
        (RESEARCH_ONLY, "", LEFT_OUT),
        ("", "", LEFT_OUT),
        ("a licence that nobody knows", "", LEFT_OUT),
    ],
)
def test_bytes_stay_where_every_licence_lets_others_pass_them_on(
    tmp_path: Path, licence: str, url: str, count: str | None
) -> None:
    dataset = licensed(tmp_path / "d", picture_under("red", licence, url))
    done = staged(dataset, tmp_path / "out")
    assert dict(done.counts) == ({} if count is None else {count: 1})


def test_what_had_no_bytes_before_is_left_as_it_is(tmp_path: Path) -> None:
    bare = StoredImage("ref:tests/1", "url_only", url="https://e.org/x", source="tests", licence="proprietary")
    dataset = licensed(tmp_path / "d", bare)
    done = staged(dataset, tmp_path / "out")
    assert not done.counts
    assert done.dataset is not None
    assert done.dataset.image("ref:tests/1").status == "url_only"


def test_an_extra_column_of_images_is_counted_where_it_is_lost(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from mldr.files import sha256_file

    dataset = licensed(tmp_path / "d", picture_under("red", ""))
    (path,) = dataset.files("images", "test")
    table = pq.read_table(path)
    pq.write_table(table.append_column("colour", pa.array(["x"] * table.num_rows)), path)

    def entered(manifest: object) -> None:
        entry = manifest.files["images/test-00000-of-00001.parquet"]  # type: ignore[attr-defined]
        name = "images/test-00000-of-00001.parquet"
        manifest.files[name] = entry.model_copy(update={"sha256": sha256_file(path)})  # type: ignore[attr-defined]

    done = staged(told(dataset, entered), tmp_path / "out")
    assert done.counts["extra columns of images that are not sent"] == 1


def test_consent_to_pictures_keeps_those_of_the_release_alone(tmp_path: Path) -> None:
    own = picture_under("red", RESEARCH_ONLY, source="collection")
    dataset = consented(licensed(tmp_path / "d", own, origin="real"), "images")
    assert not staged(dataset, tmp_path / "a").counts
    without = consented(mldr.Dataset(dataset.folder), "research")
    assert staged(without, tmp_path / "b").counts == {LEFT_OUT: 1}


@pytest.mark.parametrize("name", ["../x.txt", ".env", "a b.txt"])
def test_a_manifest_that_names_files_elsewhere_is_not_sent(tmp_path: Path, name: str) -> None:
    dataset = licensed(tmp_path / "d")
    manifest = read_manifest(dataset.folder)
    manifest.files[name] = manifest.files["README.md"]
    write_manifest(dataset.folder, manifest)
    with pytest.raises(InputError, match="is no name that a file of a dataset has"):
        staged(mldr.Dataset(dataset.folder), tmp_path / "out")


def test_a_file_that_is_gone_is_named(tmp_path: Path) -> None:
    dataset = licensed(tmp_path / "d")
    (dataset.folder / "README.md").unlink()
    with pytest.raises(InputError, match=r"README\.md: is in the manifest and not in the folder"):
        staged(dataset, tmp_path / "out")


def test_the_page_stands_in_the_description_for_machines(tmp_path: Path) -> None:
    done = staged(licensed(tmp_path / "d"), tmp_path / "out")
    (path,) = [one.source for one in done.files if one.path == "croissant.json"]
    assert json.loads(path.read_text("utf-8"))["url"] == PAGE


def test_other_files_of_the_folder_are_not_sent(tmp_path: Path) -> None:
    dataset = licensed(tmp_path / "d")
    (dataset.folder / "secrets.txt").write_text("the salt", encoding="utf-8")
    done = staged(dataset, tmp_path / "out")
    assert "secrets.txt" not in digests(done)
