from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import mldr
from mldr.dialogue import Dialogue, Fragment, Gold, Query, StoredImage
from mldr.errors import InputError
from mldr.images import normalise
from mldr.manifest import Manifest, ShardEntry, read_manifest, write_manifest
from mldr.shards import shard_name
from mldr.tables import Record, Table
from mldr.verify import verify
from tests.conftest import picture, small_dialogue, small_rows, stored_picture, write_dataset
from tests.core.support import Change, add_shard, edit_rows, put_table, textless

Broken = Callable[[Any], Any]
FIRST = f"{16:016x}"


def said(dataset: mldr.Dataset) -> str:
    """Return what verify holds against a dataset."""
    with pytest.raises(InputError) as caught:
        verify(dataset)
    return str(caught.value)


def with_record(folder: Path, table: Table, position: int, change: Broken) -> mldr.Dataset:
    """Write the small dataset with one record changed, manifest and all, as a faulty builder would."""
    rows = small_rows(16, "blue")
    rows[table][position] = change(rows[table][position])
    return write_dataset(folder / "broken", {"validation": small_rows(0, "red"), "test": rows})


def change_manifest(dataset: mldr.Dataset, change: Callable[[Manifest], None]) -> mldr.Dataset:
    manifest = read_manifest(dataset.folder)
    change(manifest)
    write_manifest(dataset.folder, manifest)
    return mldr.Dataset(dataset.folder)


def test_the_demo_verifies(demo_dataset: mldr.Dataset) -> None:
    assert verify(demo_dataset) == {}


def test_a_split_without_its_gold_verifies_and_keeps_its_hash(tmp_path: Path) -> None:
    rows = small_rows(0, "red")
    del rows["gold"], rows["fragments"]
    dataset = write_dataset(tmp_path, {"test": rows})
    assert verify(change_manifest(dataset, lambda manifest: manifest.gold_hash.update(test="ab" * 32))) == {}


def test_extra_columns_are_allowed_and_named(small_dataset: mldr.Dataset) -> None:
    path = small_dataset.files("queries", "test")[0]
    extra = pq.read_table(path).append_column("difficulty", pa.array(range(4)))
    assert verify(put_table(small_dataset, "queries", "test", extra)) == {
        "queries/test-00000-of-00001.parquet": ["difficulty"]
    }


# files


@pytest.mark.parametrize("position", [0, 40, -1])
def test_a_flipped_byte_is_found(position: int, small_dataset: mldr.Dataset) -> None:
    path = small_dataset.files("gold", "test")[0]
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)
    assert "gold/test-00000-of-00001.parquet: its bytes are not those that the manifest names" in said(small_dataset)


def test_a_missing_and_an_extra_file_are_found(small_dataset: mldr.Dataset) -> None:
    small_dataset.files("gold", "test")[0].unlink()
    (small_dataset.folder / "notes.txt").write_text("x")
    words = said(small_dataset)
    assert "gold/test-00000-of-00001.parquet: is in the manifest and not in the folder" in words
    assert "notes.txt: is in the folder and not in the manifest" in words


def test_hidden_files_of_git_and_the_hub_are_no_faults(small_dataset: mldr.Dataset) -> None:
    (small_dataset.folder / ".gitattributes").write_text("x")
    (small_dataset.folder / ".cache").mkdir()
    (small_dataset.folder / ".cache" / "x").write_text("x")
    assert verify(small_dataset) == {}


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "a\\b", "link/passwd", "loop", "x" * 5_000])
def test_a_manifest_that_names_a_file_outside_is_a_fault(name: str, small_dataset: mldr.Dataset) -> None:
    (small_dataset.folder / "link").symlink_to("/etc")
    (small_dataset.folder / "loop").symlink_to("loop")
    entry = ShardEntry(rows=0, sha256="ab" * 32)
    broken = change_manifest(small_dataset, lambda manifest: manifest.files.update({name: entry}))
    assert name[:50] in said(broken)


def test_a_link_out_of_the_folder_is_a_fault(small_dataset: mldr.Dataset, tmp_path: Path) -> None:
    path = small_dataset.files("gold", "test")[0]
    path.rename(tmp_path / "elsewhere.parquet")
    path.symlink_to(tmp_path / "elsewhere.parquet")
    assert "leads out of its folder" in said(small_dataset)


def test_links_of_the_hubs_cache_are_no_faults(small_dataset: mldr.Dataset, tmp_path: Path) -> None:
    snapshot = tmp_path / "cache" / "snapshots" / "abc"
    blobs = tmp_path / "cache" / "blobs"
    blobs.mkdir(parents=True)
    for number, path in enumerate(sorted(p for p in small_dataset.folder.rglob("*") if p.is_file())):
        link = snapshot / path.relative_to(small_dataset.folder)
        link.parent.mkdir(parents=True, exist_ok=True)
        path.rename(blobs / str(number))
        link.symlink_to(os.path.relpath(blobs / str(number), link.parent))
    assert verify(mldr.load(snapshot)) == {}


# columns and values


def test_a_missing_column_and_a_wrong_type_are_found(small_dataset: mldr.Dataset) -> None:
    content = pq.read_table(small_dataset.files("queries", "test")[0])
    wrong = content.drop_columns(["language"]).set_column(3, "meta", pa.array([1, 2, 3, 4]))
    words = said(put_table(small_dataset, "queries", "test", wrong))
    assert "lacks the column 'language'" in words
    assert "column 'meta' is int64; string is expected" in words


NULLS: list[tuple[Table, Change, str]] = [
    ("queries", lambda rows: rows[0].update(text=None), "text is null"),
    ("queries", lambda rows: rows[0].update(query_id=None), "query_id is null"),
    ("dialogues", lambda rows: rows[0].update(dialogue_id=None), "dialogue_id is null"),
    ("gold", lambda rows: rows[0].update(utterance_ids=None), "utterance_ids is null"),
    ("gold", lambda rows: rows[0].update(utterance_ids=[None]), "utterance_ids is null"),
    ("gold", lambda rows: rows[0].update(level=None), "level is null"),
    ("gold", lambda rows: (rows[0].update(level=None), rows[1].update(level="x"))[0], "level is null"),
    ("gold", lambda rows: rows[0].update(verified=None), "verified is null"),
    ("dialogues", lambda rows: rows[0]["utterances"][1].update(text=None), "utterances.text is null"),
    ("dialogues", lambda rows: rows[0]["images"][0].update(caption=None), "images.caption is null"),
    ("images", lambda rows: rows[0].update(url=None), "url is null"),
]


@pytest.mark.parametrize(("table", "change", "words"), NULLS, ids=[f"{table} {words}" for table, _, words in NULLS])
def test_a_null_where_none_may_be_is_found(
    table: Table, change: Change, words: str, small_dataset: mldr.Dataset
) -> None:
    assert words in said(edit_rows(small_dataset, table, "test", change))


VALUES: list[tuple[Table, str]] = [
    ("gold", "kind"),
    ("gold", "level"),
    ("gold", "label_source"),
    ("gold", "negative_type"),
    ("fragments", "level"),
    ("images", "status"),
    ("dialogues", "origin"),
]


@pytest.mark.parametrize(("table", "column"), VALUES)
def test_a_value_that_is_not_on_the_list_is_found(table: Table, column: str, small_dataset: mldr.Dataset) -> None:
    broken = edit_rows(small_dataset, table, "test", lambda rows: rows[0].update({column: "strange"}))
    assert f"{column} is 'strange'" in said(broken)


DERIVED: list[tuple[Table, str, Any]] = [
    ("gold", "kind", "negative"),
    ("dialogues", "n_utterances", 99),
    ("dialogues", "n_images", 7),
    ("dialogues", "textless_ids", [0]),
]


@pytest.mark.parametrize(("table", "column", "value"), DERIVED)
def test_a_derived_column_that_does_not_fit_its_row_is_found(
    table: Table, column: str, value: object, small_dataset: mldr.Dataset
) -> None:
    assert column in said(edit_rows(small_dataset, table, "test", lambda rows: rows[0].update({column: value})))


@pytest.mark.parametrize("table", ["dialogues", "fragments"])
def test_rows_that_are_not_sorted_are_found(table: Table, small_dataset: mldr.Dataset) -> None:
    assert "rows are not sorted by" in said(edit_rows(small_dataset, table, "test", lambda rows: rows.reverse()))


@pytest.mark.parametrize("table", ["dialogues", "fragments", "images"])
def test_a_row_that_stands_twice_is_found(table: Table, small_dataset: mldr.Dataset) -> None:
    words = said(edit_rows(small_dataset, table, "test", lambda rows: rows.insert(0, rows[0])))
    assert "or it stands twice" in words


@pytest.mark.parametrize("table", ["dialogues", "fragments", "images"])
def test_a_row_that_stands_in_two_shards_is_found(table: Table, small_dataset: mldr.Dataset) -> None:
    content = pq.read_table(small_dataset.files(table, "test")[0]).slice(0, 1)
    count = small_dataset.manifest.counts["test"][table] + 1
    broken = add_shard(small_dataset, shard_name(table, "test", 1, 2), content, {("test", table): count})
    assert "twice" in said(broken)


def test_queries_that_stand_twice_are_found(tmp_path: Path) -> None:
    rows = small_rows(16, "blue")
    rows["queries"].append(rows["queries"][-1])
    rows["gold"].append(rows["gold"][-1])
    assert "stands twice" in said(write_dataset(tmp_path, {"test": rows}))


# references and ids


RECORDS: list[tuple[str, Table, int, Broken, str]] = [
    ("unknown fragment's dialogue", "fragments", 0, lambda f: replace(f, dialogue_id="x"), "its dialogue x is not in"),
    ("unknown fragment", "gold", 0, lambda g: replace(g, fragment_id="x"), "its fragment x is not in the split"),
    ("utterance out of range", "gold", 0, lambda g: replace(g, utterance_ids=(6,)), "utterance 6 does not exist"),
    ("negative utterance id", "gold", 0, lambda g: replace(g, utterance_ids=(-1,)), "utterance -1 does not exist"),
    ("image out of range", "gold", 0, lambda g: replace(g, image_ids=(1,)), "image 1 does not exist"),
    ("fragment out of range", "fragments", 0, lambda f: replace(f, utterance_ids=(6,)), "utterance 6 does not exist"),
    ("repeated id", "gold", 0, lambda g: replace(g, utterance_ids=(1, 1)), "utterance ids stand twice"),
    ("textless gold", "dialogues", 0, lambda d: textless(d, 2), "utterance 2 has no text"),
    ("unknown image", "dialogues", 1, lambda d: carrying(d, "sha256:ab"), "image sha256:ab is not among"),
    ("empty utterance", "dialogues", 1, lambda d: textless(d, 3), "utterance 3 has neither text nor an image"),
    ("reply to nothing", "dialogues", 1, lambda d: replying(d, 6), "utterance 0 answers 6, which does not exist"),
    ("reply before all", "dialogues", 1, lambda d: replying(d, -1), "utterance 0 answers -1, which does not exist"),
    ("image ids", "dialogues", 0, lambda d: numbered(d, (1,)), "image ids are [1]; they run from 0 to 0"),
    ("image not carried", "dialogues", 0, lambda d: numbered(d, ()), "image ids are []"),
    ("image carried twice", "dialogues", 0, lambda d: numbered(d, (0, 0)), "image ids are [0, 0]"),
    ("unused image", "images", 0, lambda i: stored_picture("lime"), "no dialogue of the split carries it"),
    ("key is no hash", "images", 0, lambda i: replace(i, content=picture()), "its key is not the hash of its bytes"),
    ("no picture", "images", 0, lambda i: replace(i, content=b"x"), "not a picture in a known format"),
    ("no bytes", "images", 0, lambda i: replace(i, content=None), "is present and has no bytes"),
    ("wrong size", "images", 0, lambda i: replace(i, width=7), "is 40 x 30 pixels; the table says 7 x 30"),
    ("bytes of nothing", "images", 0, lambda i: replace(i, status="missing"), "has bytes and is said to be missing"),
    ("cut meta", "dialogues", 0, lambda d: replace(d, meta='{"a": '), "meta is no JSON object"),
    ("meta that is a list", "gold", 0, lambda g: replace(g, meta="[]"), "meta is no JSON object"),
]


def carrying(dialogue: Dialogue, key: str) -> Dialogue:
    first, *rest = dialogue.utterances
    carried = small_dialogue(0, images=[StoredImage(key, "present")]).images
    return replace(dialogue, utterances=(replace(first, image_ids=(0,)), *rest), images=carried)


def replying(dialogue: Dialogue, to: int) -> Dialogue:
    first, *rest = dialogue.utterances
    return replace(dialogue, utterances=(replace(first, reply_to=to), *rest))


def numbered(dialogue: Dialogue, image_ids: tuple[int, ...]) -> Dialogue:
    first, *rest = dialogue.utterances
    return replace(dialogue, utterances=(replace(first, image_ids=image_ids), *rest))


@pytest.mark.parametrize(
    ("table", "position", "change", "words"), [case[1:] for case in RECORDS], ids=[c[0] for c in RECORDS]
)
def test_a_record_that_does_not_fit_the_others_is_found(
    table: Table, position: int, change: Broken, words: str, tmp_path: Path
) -> None:
    assert words in said(with_record(tmp_path, table, position, change))


@pytest.mark.parametrize(
    ("table", "column", "words"),
    [("queries", "dialogue_id", "have no dialogue in their place"), ("gold", "query_id", "has no gold in its place")],
)
def test_a_row_that_belongs_to_nothing_is_found(
    table: Table, column: str, words: str, small_dataset: mldr.Dataset
) -> None:
    assert words in said(edit_rows(small_dataset, table, "test", lambda rows: rows[3].update({column: "x"})))


def test_missing_gold_of_one_query_is_found(small_dataset: mldr.Dataset) -> None:
    assert "has no gold in its place" in said(
        edit_rows(small_dataset, "gold", "test", lambda rows: rows.remove(rows[0]))
    )


def test_rows_of_a_split_that_has_no_dialogues_are_found(small_dataset: mldr.Dataset) -> None:
    content = pq.read_table(small_dataset.files("queries", "test")[0])
    broken = add_shard(small_dataset, shard_name("queries", "other", 0, 1), content, {("other", "queries"): 4})
    assert "other" in said(broken)


# counts and hashes


def test_wrong_counts_are_found(small_dataset: mldr.Dataset) -> None:
    broken = change_manifest(small_dataset, lambda manifest: manifest.counts["test"].update(queries=5, gold=3))
    words = said(broken)
    assert "counts.test.queries: is 5; the shards hold 4 rows" in words
    assert "counts.test.gold: is 3; the shards hold 4 rows" in words


def test_a_wrong_count_of_a_files_rows_is_found(small_dataset: mldr.Dataset) -> None:
    name = "queries/test-00000-of-00001.parquet"

    def change(manifest: Manifest) -> None:
        manifest.files[name] = manifest.files[name].model_copy(update={"rows": 77})

    assert name in said(change_manifest(small_dataset, change))


def test_gold_that_is_not_the_benchmarks_is_found(small_dataset: mldr.Dataset) -> None:
    changed = edit_rows(small_dataset, "gold", "test", lambda rows: rows[1].update(utterance_ids=[1, 5]))
    assert "gold_hash.test: is not the hash of the gold that is here" in said(changed)
    missing = change_manifest(changed, lambda manifest: manifest.gold_hash.clear())
    assert "gold_hash.test" in said(missing)


# leaks


def leaking(folder: Path, table: Table, change: Broken) -> mldr.Dataset:
    """Two splits whose second repeats something of the first."""
    first, second = small_rows(0, "red"), small_rows(16, "blue")
    second[table][0] = change((first[table][0], second[table][0]))
    return write_dataset(folder, {"validation": first, "test": second})


def test_an_image_in_two_splits_is_found(tmp_path: Path) -> None:
    rows = {"validation": small_rows(0, "red"), "test": small_rows(16, "red")}
    key = stored_picture("red").image_key
    assert f"image_key {key}: is in two splits, validation and test" in said(write_dataset(tmp_path, rows))


def test_a_cluster_in_two_splits_is_found(tmp_path: Path) -> None:
    broken = leaking(tmp_path, "dialogues", lambda pair: replace(pair[1], cluster_id=pair[0].cluster_id))
    assert "cluster_id cluster0: is in two splits, validation and test" in said(broken)


def test_a_source_in_two_splits_is_found(tmp_path: Path) -> None:
    broken = leaking(tmp_path, "fragments", lambda pair: replace(pair[1], source_id=pair[0].source_id))
    assert "source_id source/0-0: is in two splits, validation and test" in said(broken)


def test_a_dialogue_in_two_splits_is_found(tmp_path: Path) -> None:
    rows = small_rows(0, "red")
    words = said(write_dataset(tmp_path, {"validation": rows, "test": rows}))
    assert f"dialogue_id {0:016x}: is in two splits, validation and test" in words


def test_what_is_unknown_is_no_leak(tmp_path: Path) -> None:
    def anonymous(record: Record) -> Record:
        if isinstance(record, Fragment):
            return replace(record, source_id="")
        return replace(record, cluster_id="") if isinstance(record, Dialogue) else record

    def quiet(first: int, colour: str) -> dict[Table, list[Record]]:
        return {table: [anonymous(record) for record in rows] for table, rows in small_rows(first, colour).items()}

    assert verify(write_dataset(tmp_path, {"validation": quiet(0, "red"), "test": quiet(16, "blue")})) == {}


# everything at once


def test_all_faults_are_told_at_once_and_on_lines_of_their_own(tmp_path: Path) -> None:
    rows = small_rows(16, "blue")
    first = rows["gold"][0]
    assert isinstance(first, Gold)
    rows["gold"][0] = replace(first, utterance_ids=(6,), image_ids=(1,))
    rows["queries"][0] = replace_text(rows["queries"][0], "evil\x1b[2J")
    rows["images"].append(normalised("lime"))
    words = said(write_dataset(tmp_path, {"test": rows}))
    assert words.startswith("3 faults:\n")
    assert len(words.splitlines()) == 4


def replace_text(record: Record, text: str) -> Record:
    assert isinstance(record, Query)
    return replace(record, text=text)


def normalised(colour: str) -> StoredImage:
    clean = normalise(picture(colour))
    return replace(stored_picture(colour), content=clean.content, image_key=clean.image_key)
