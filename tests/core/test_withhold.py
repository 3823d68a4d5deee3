from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

import mldr
from mldr.dialogue import Dialogue, Fragment, Gold, Query, StoredImage
from mldr.errors import InputError, MldrError
from mldr.eval import Evaluator
from mldr.files import sha256_file
from mldr.manifest import Manifest, Release, ShardEntry, read_manifest, write_manifest
from mldr.retrievers.runner import run_retriever
from mldr.shards import shard_name, write_shard
from mldr.tables import KEYS, TABLES
from mldr.verify import verify
from mldr.withhold import withhold
from tests.conftest import Command, Rows, small_rows, write_dataset
from tests.core.support import edit_rows

SALTED = "ab" * 32


def changed(dataset: mldr.Dataset, change: Callable[[Manifest], None]) -> mldr.Dataset:
    manifest = read_manifest(dataset.folder)
    change(manifest)
    write_manifest(dataset.folder, manifest)
    return mldr.Dataset(dataset.folder)


def salted(dataset: mldr.Dataset) -> mldr.Dataset:
    return changed(dataset, lambda manifest: setattr(manifest, "salt_sha256", SALTED))


def every_byte(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def every_row(dataset: mldr.Dataset) -> str:
    tables = (dataset.arrow(table, split) for table in TABLES for split in dataset.splits)
    return "".join(str(row.get("meta")) + str(row) for table in tables for row in table.to_pylist())


def test_the_copy_has_no_gold_of_the_split_and_everything_else(small_dataset: mldr.Dataset, tmp_path: Path) -> None:
    private = salted(small_dataset)
    told = withhold(private, ["test"], tmp_path / "public")
    public = mldr.load(tmp_path / "public")
    assert verify(public) == {}
    assert (public.has_gold("test"), public.has_gold("validation")) == (False, True)
    assert (list(public.gold("test")), list(public.fragments("test"))) == ([], [])
    assert told.rows == {"gold": 4, "fragments": 3}
    for split in ("validation", "test"):
        assert list(public.dialogues(split)) == list(private.dialogues(split))
        assert list(public.queries(split)) == list(private.queries(split))
        assert list(public.images(split)) == list(private.images(split))
    for path in (private.folder / "gold").glob("validation-*"):
        assert (public.folder / "gold" / path.name).read_bytes() == path.read_bytes()


def test_a_score_on_the_private_set_names_the_hash_that_the_public_one_shows(
    small_dataset: mldr.Dataset, tmp_path: Path
) -> None:
    private = salted(small_dataset)
    withhold(private, ["test"], tmp_path / "public")
    public = mldr.load(tmp_path / "public")
    run_retriever("all", public, "test", tmp_path / "all.jsonl")
    evaluator = Evaluator(private, "test")
    scores = evaluator.score(evaluator.read(tmp_path / "all.jsonl"), resamples=0)
    assert scores.outcomes["ok"] == 4
    assert scores.gold_hash == public.manifest.gold_hash["test"]
    with pytest.raises(MldrError, match="is withheld"):
        Evaluator(public, "test")


def test_the_public_manifest_keeps_no_recipe_seed_or_number_that_needs_the_gold(
    small_dataset: mldr.Dataset, tmp_path: Path
) -> None:
    def change(manifest: Manifest) -> None:
        manifest.salt_sha256 = SALTED
        manifest.recipe = {
            "notice": "Careful.",
            "secret": "of the recipe",
            "models": {"m": {"model": "big", "terms": "MIT"}, "n": {"model": "small", "terms": "CC0-1.0"}},
            "stitch": {"model": "m"},
            "tag": {"model": "n"},
        }
        manifest.recipe_hash = "cafe" * 16
        manifest.seed = 1234567
        manifest.canary = f"mldr canary {manifest.recipe_hash[:32]}: keep out"
        manifest.dropped = {"negatives for which no unrelated query was found": 3}
        manifest.model_usage = {"stitch": {"model": "big", "provider": "p", "requests": 4242, "cost": 1.25}}
        manifest.verification = {split: {"negative": {"asked": 977, "agreed": 976}} for split in ("validation", "test")}

    withhold(changed(small_dataset, change), ["test"], tmp_path / "public")
    manifest = read_manifest(tmp_path / "public")
    assert (manifest.recipe, manifest.recipe_hash, manifest.seed, manifest.dropped) == ({}, "", 0, {})
    assert manifest.model_usage == {
        "small": {"model": "small", "terms": "CC0-1.0"},
        "stitch": {"model": "big", "provider": "p", "terms": "MIT"},
    }
    assert set(manifest.verification) == {"validation"}
    assert manifest.salt_sha256 == SALTED
    assert manifest.canary.startswith("mldr canary ")
    everything = every_byte(tmp_path / "public")
    for trace in (b"of the recipe", b"cafecafe", b"1234567", b"4242"):
        assert trace not in everything
    card = (tmp_path / "public" / "README.md").read_text(encoding="utf-8")
    assert "**Careful.**" in card
    assert "what big wrote: MIT" in card
    assert manifest.gold_hash["test"] in card


def test_the_card_shows_no_number_that_needs_the_gold(small_dataset: mldr.Dataset, tmp_path: Path) -> None:
    withhold(salted(small_dataset), ["test"], tmp_path / "public")
    card = (tmp_path / "public" / "README.md").read_text(encoding="utf-8")
    assert "| queries by kind | image 1, multimodal 1, negative 1, utterance 1 | - |" in card
    assert "| topics a dialogue | - | - |" in card
    assert "| queries with scattered gold | 2 | - |" in card
    front = yaml.safe_load(card.split("---\n")[1])
    shown = {config["config_name"]: [one["split"] for one in config["data_files"]] for config in front["configs"]}
    assert shown["gold"] == shown["fragments"] == ["validation"]
    assert shown["queries"] == ["validation", "test"]


def test_meta_and_extra_columns_that_could_tell_labels_are_taken_out_and_counted(tmp_path: Path) -> None:
    rows = small_rows(0, "red")
    meta = [json.dumps({"boundaries": [2, 4], "changes": ["cut"]}), "{sources: broken"]
    rows["dialogues"] = [
        replace(d, meta=m) for d, m in zip(rows["dialogues"], meta, strict=True) if isinstance(d, Dialogue)
    ]
    rows["queries"] = [replace(q, meta='{"kind": "negative"}') for q in rows["queries"] if isinstance(q, Query)]
    rows["images"] = [replace(i, meta='{"from": "a"}') for i in rows["images"] if isinstance(i, StoredImage)]
    dataset = salted(write_dataset(tmp_path / "private", {"test": rows}))

    path = dataset.files("queries", "test")[0]
    table = pq.read_table(path).append_column("topic_of_query", pa.array(["weddings"] * 4))
    pq.write_table(table, path)
    name = path.relative_to(dataset.folder).as_posix()
    kept = changed(
        dataset, lambda manifest: manifest.files.update({name: ShardEntry(rows=4, sha256=sha256_file(path))})
    )
    told = withhold(kept, ["test"], tmp_path / "public")
    public = mldr.load(tmp_path / "public")
    assert verify(public) == {}
    assert [d.meta for d in public.dialogues("test")] == ['{"changes":["cut"]}', ""]
    assert {q.meta for q in public.queries("test")} == {i.meta for i in public.images("test")} == {""}
    assert told.stripped == {
        "meta of dialogues": 2,
        "meta of queries": 4,
        "meta of images": 1,
        f"columns of {name}: topic_of_query": 4,
    }
    for trace in ("weddings", "boundaries", '"kind": "negative"', "broken"):
        assert trace in every_row(kept)
        assert trace not in every_row(public)


def test_the_order_of_queries_tells_no_kind(tmp_path: Path) -> None:
    dataset = salted(write_dataset(tmp_path / "private", {"test": small_rows(0, "red")}))

    def swap(rows: list[dict[str, object]]) -> None:
        rows[0], rows[2] = rows[2], rows[0]

    for table in ("queries", "gold"):
        dataset = edit_rows(dataset, table, "test", swap)
    withhold(dataset, ["test"], tmp_path / "public")
    ids = [query.query_id for query in mldr.load(tmp_path / "public").queries("test")]
    assert ids == sorted(ids)
    assert ids != [query.query_id for query in dataset.queries("test")]


def test_several_shards_stay_several(tmp_path: Path, demo_dataset: mldr.Dataset) -> None:
    shutil.copytree(demo_dataset.folder, tmp_path / "private")
    dialogues = list(demo_dataset.dialogues("test"))
    (tmp_path / "private" / shard_name("dialogues", "test", 0, 1)).unlink()

    def change(manifest: Manifest) -> None:
        del manifest.files[shard_name("dialogues", "test", 0, 1)]
        for position, part in enumerate((dialogues[:5], dialogues[5:])):
            name = shard_name("dialogues", "test", position, 2)
            write_shard(tmp_path / "private" / name, "dialogues", part)
            manifest.files[name] = ShardEntry(rows=len(part), sha256=sha256_file(tmp_path / "private" / name))

    private = salted(changed(mldr.load(tmp_path / "private"), change))
    withhold(private, ["test", "validation"], tmp_path / "public")
    public = mldr.load(tmp_path / "public")
    assert verify(public) == {}
    assert [path.name for path in public.files("dialogues", "test")] == [
        "test-00000-of-00002.parquet",
        "test-00001-of-00002.parquet",
    ]
    assert list(public.dialogues("test")) == dialogues
    assert not any(public.has_gold(split) for split in public.splits)


def test_a_set_without_a_salt_is_refused_with_the_reason_unless_said_otherwise(
    small_dataset: mldr.Dataset, tmp_path: Path, command: Command
) -> None:
    words = ("mldr", "dataset", "withhold", str(small_dataset.folder), "--split", "test", "--out", str(tmp_path / "p"))
    code, out, err = command(*words)
    assert (code, out) == (1, "")
    assert "without a secret salt" in err
    assert not (tmp_path / "p").exists()
    code, out, err = command(*words, "--without-salt")
    assert (code, out.strip()) == (0, str(tmp_path / "p"))
    assert "warning: built without a secret salt" in err
    assert "withheld: 4 rows of gold (test)" in err
    assert command("mldr", "dataset", "verify", str(tmp_path / "p"))[0] == 0


def test_what_cannot_be_withheld_is_refused(small_dataset: mldr.Dataset, tmp_path: Path) -> None:
    private = salted(small_dataset)
    with pytest.raises(MldrError, match="no split 'tset'"):
        withhold(private, ["tset"], tmp_path / "p")
    with pytest.raises(MldrError, match="no split is named"):
        withhold(private, [], tmp_path / "p")
    withhold(private, ["test"], tmp_path / "p")
    with pytest.raises(MldrError, match="is withheld already"):
        withhold(mldr.load(tmp_path / "p"), ["test"], tmp_path / "q")


def test_a_source_that_another_split_names_is_a_fault(tmp_path: Path) -> None:
    splits: dict[str, Rows] = {"validation": small_rows(0, "red"), "test": small_rows(16, "blue")}
    splits["validation"]["fragments"] = [
        replace(f, source_id="source/16-1") for f in splits["validation"]["fragments"] if isinstance(f, Fragment)
    ]
    with pytest.raises(InputError, match="source source/16-1: is in a withheld split too"):
        withhold(salted(write_dataset(tmp_path / "private", splits)), ["test"], tmp_path / "p")
    assert not (tmp_path / "p").exists()


def test_nothing_is_overwritten_that_is_no_dataset_or_without_force(
    small_dataset: mldr.Dataset, tmp_path: Path
) -> None:
    private, out = salted(small_dataset), tmp_path / "p"
    out.mkdir()
    (out / "thesis.txt").write_text("years of work", encoding="utf-8")
    for force in (False, True):
        with pytest.raises(MldrError, match="not replaced"):
            withhold(private, ["test"], out, force=force)
    assert (out / "thesis.txt").read_text(encoding="utf-8") == "years of work"
    (out / "thesis.txt").unlink()
    withhold(private, ["test"], out)
    before = every_byte(out)
    with pytest.raises(MldrError, match="replace it with --force"):
        withhold(private, ["test"], out)
    withhold(private, ["test"], out, force=True)
    assert every_byte(out) == before
    for place in (private.folder, private.folder / "public", private.folder.parent):
        with pytest.raises(MldrError, match="lie in one another"):
            withhold(private, ["test"], place, force=True)


def test_a_failure_leaves_what_stood_there_and_no_litter(small_dataset: mldr.Dataset, tmp_path: Path) -> None:
    private, out = salted(small_dataset), tmp_path / "out" / "p"
    withhold(private, ["test"], out)
    before = every_byte(out)
    path = private.files("gold", "validation")[0]
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(InputError, match="its bytes are not those"):
        withhold(private, ["test"], out, force=True)
    assert every_byte(out) == before
    assert [entry.name for entry in (tmp_path / "out").iterdir()] == ["p"]


@pytest.mark.parametrize("rows", [1, 3])
def test_a_manifest_that_counts_other_rows_is_a_fault(small_dataset: mldr.Dataset, tmp_path: Path, rows: int) -> None:
    name = "dialogues/test-00000-of-00001.parquet"

    def change(manifest: Manifest) -> None:
        manifest.files[name] = ShardEntry(rows=rows, sha256=manifest.files[name].sha256)

    with pytest.raises(InputError, match="rows than the manifest says"):
        withhold(salted(changed(small_dataset, change)), ["test"], tmp_path / "p")


def test_ids_of_the_copy_are_those_of_the_private_set(small_dataset: mldr.Dataset, tmp_path: Path) -> None:
    private = salted(small_dataset)
    withhold(private, ["test"], tmp_path / "p")
    golds = {gold.query_id for gold in private.gold("test") if isinstance(gold, Gold)}
    assert {getattr(q, KEYS["queries"]) for q in mldr.load(tmp_path / "p").queries("test")} == golds


def test_gold_that_the_public_hash_would_not_name_is_not_withheld(small_dataset: mldr.Dataset, tmp_path: Path) -> None:
    private = salted(small_dataset)
    other = changed(private, lambda manifest: manifest.gold_hash.update(test="0" * 64))
    with pytest.raises(MldrError, match="gold_hash of test is not that of the gold here"):
        withhold(other, ["test"], tmp_path / "public")
    assert not (tmp_path / "public").exists()
    withhold(other, ["validation"], tmp_path / "public")


def test_every_shard_of_the_copy_holds_the_public_canary_and_none_the_private_one(
    demo_dataset: mldr.Dataset, tmp_path: Path
) -> None:
    withhold(demo_dataset, ["test"], tmp_path / "public", without_salt=True)
    public = mldr.load(tmp_path / "public")
    assert verify(public) == {}
    shards = list(public.folder.rglob("*.parquet"))
    assert {pq.ParquetFile(path).metadata.metadata[b"canary"].decode() for path in shards} == {public.manifest.canary}
    assert demo_dataset.manifest.recipe_hash[:32].encode() not in every_byte(public.folder)
    for table in TABLES:
        assert public.arrow(table, "validation").equals(demo_dataset.arrow(table, "validation"), check_metadata=False)


def test_the_copy_of_a_release_verifies_and_its_card_says_whose_it_is(tmp_path: Path) -> None:
    shared = {"test": small_rows(0, "red"), "validation": small_rows(16, "red")}
    one = write_dataset(tmp_path / "set", shared)
    release = Release(shared={"image_key: validation and test": 1}, unusable=["a, record 1: secret"])
    withhold(changed(one, lambda m: setattr(m, "release", release)), ["test"], tmp_path / "public", without_salt=True)
    public = mldr.load(tmp_path / "public")
    assert verify(public) == {}
    assert public.manifest.release == Release(shared=release.shared)
    card = (public.folder / "README.md").read_text("utf-8")
    assert "The release of the authors of F2RVLM" in card
    assert "The gold of `test` is withheld" in card
