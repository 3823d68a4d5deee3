from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import mldr
from mldr import shards
from mldr.dialogue import Dialogue, Gold, Query
from mldr.errors import MldrError
from mldr.images import open_stored
from mldr.manifest import read_manifest, write_manifest
from mldr.tables import TABLES, Record, Table, arrow_schema
from tests.conftest import Rows, small_dialogue, small_rows, stored_picture, write_dataset
from tests.core.support import edit_rows, put_table


def test_a_folder_is_loaded_by_path_or_by_its_name(small_dataset: mldr.Dataset) -> None:
    for way in (small_dataset.folder, str(small_dataset.folder)):
        loaded = mldr.load(way)
        assert loaded.name == "mldr-ffr-tests"
        assert loaded.splits == ("validation", "test")
        assert repr(loaded) == "Dataset('mldr-ffr-tests', validation: 2 dialogues, test: 2 dialogues)"


@pytest.mark.parametrize(
    "name", ["nothing", "", "/no/such/folder", "a/b/c", "../nothing", "./nothing", "a--b/c", "x/.y"]
)
def test_what_is_neither_folder_nor_hub_id_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MldrError, match=r"no such folder|is not an mldr dataset"):
        mldr.load(name)


def test_a_file_is_no_dataset(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(MldrError, match="no such folder"):
        mldr.load(tmp_path / "file")


def test_records_come_back_as_they_were_written(small_dataset: mldr.Dataset) -> None:
    rows = small_rows(16, "blue")
    assert list(small_dataset.dialogues("test")) == rows["dialogues"]
    assert list(small_dataset.queries("test")) == rows["queries"]
    assert list(small_dataset.gold("test")) == rows["gold"]
    assert list(small_dataset.fragments("test")) == rows["fragments"]
    assert list(small_dataset.images("test")) == rows["images"]


def test_an_unknown_split_is_refused_with_those_that_are_there(small_dataset: mldr.Dataset) -> None:
    with pytest.raises(MldrError, match="no split 'train'; it has validation, test"):
        next(small_dataset.dialogues("train"))
    with pytest.raises(MldrError, match="no split"):
        small_dataset.has_gold("")


def test_splits_are_shown_with_training_first(tmp_path: Path) -> None:
    names = ["test", "zoo", "validation", "train_grpo", "alpha", "train_sft"]
    dataset = write_dataset(tmp_path, {name: {"dialogues": [small_dialogue(i)]} for i, name in enumerate(names)})
    assert dataset.splits == ("train_sft", "train_grpo", "validation", "test", "alpha", "zoo")


def test_a_dialogue_and_an_image_are_found_by_their_ids_in_any_split(small_dataset: mldr.Dataset) -> None:
    for number, colour in ((0, "red"), (16, "blue")):
        image = stored_picture(colour)
        assert small_dataset.dialogue(f"{number:016x}") == small_dialogue(number, images=[image])
        assert small_dataset.image(image.image_key) == image
    assert open_stored(small_dataset.image(stored_picture("red").image_key).content or b"").size == (40, 30)
    with pytest.raises(KeyError):
        small_dataset.dialogue("nothing")
    with pytest.raises(KeyError):
        small_dataset.image("nothing")


def test_a_record_is_found_in_every_row_group_and_shard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "ROWS_A_GROUP", 3)
    dialogues: list[Record] = [small_dialogue(number, 1) for number in range(8)]
    dataset = write_dataset(
        tmp_path, {"test": {"dialogues": dialogues[:4]}, "validation": {"dialogues": dialogues[4:]}}
    )
    assert [dataset.dialogue(f"{number:016x}") for number in range(8)] == dialogues


def test_asked_joins_each_dialogue_with_its_queries_and_gold(small_dataset: mldr.Dataset) -> None:
    asked = list(small_dataset.asked("test"))
    assert [len(one.queries) for one in asked] == [3, 1]
    for one in asked:
        assert {query.dialogue_id for query in one.queries} == {one.dialogue.dialogue_id}
        assert [gold.query_id for gold in one.gold] == [query.query_id for query in one.queries]
    assert list(itertools.chain(*(one.gold for one in asked))) == list(small_dataset.gold("test"))


def test_dialogues_that_nobody_asks_about_are_there_too(tmp_path: Path) -> None:
    dialogues = [small_dialogue(number) for number in range(4)]
    rows: Rows = {
        "dialogues": list(dialogues),
        "queries": [Query("q", dialogues[2].dialogue_id, "en", "a")],
        "gold": [Gold("q", "", "fine")],
    }
    dataset = write_dataset(tmp_path, {"test": rows, "validation": {"dialogues": [small_dialogue(9)]}})
    assert [len(asked.queries) for asked in dataset.asked("test")] == [0, 0, 1, 0]
    assert [asked.gold for asked in dataset.asked("validation")] == [()]


def test_a_split_whose_gold_is_withheld_has_queries_without_answers(tmp_path: Path) -> None:
    rows = small_rows(0, "red")
    del rows["gold"], rows["fragments"]
    dataset = write_dataset(tmp_path, {"test": rows})
    assert not dataset.has_gold("test")
    assert list(dataset.gold("test")) == []
    assert list(dataset.fragments("test")) == []
    assert [len(asked.queries) for asked in dataset.asked("test")] == [3, 1]
    assert all(asked.gold == () for asked in dataset.asked("test"))


@pytest.mark.parametrize(
    ("table", "rows", "words"),
    [
        ("gold", slice(0, 3), "has no gold in its place"),
        ("gold", slice(1, 4), "has no gold in its place"),
        ("queries", slice(0, 3), "gold has more rows than queries"),
        ("dialogues", slice(0, 1), "have no dialogue in their place"),
        ("dialogues", slice(None, None, -1), "have no dialogue in their place"),
    ],
)
def test_tables_that_do_not_fit_one_another_are_said_so(
    table: Table, rows: slice, words: str, small_dataset: mldr.Dataset
) -> None:

    def keep(found: list[dict[str, object]]) -> None:
        found[:] = found[rows]

    broken = edit_rows(small_dataset, table, "test", keep)
    with pytest.raises(MldrError, match=f"{words}.*mldr dataset verify"):
        list(broken.asked("test"))


@pytest.mark.parametrize("table", TABLES)
def test_tables_are_had_as_arrow_and_as_pandas(table: Table, small_dataset: mldr.Dataset) -> None:
    content = small_dataset.arrow(table, "test")
    frame = small_dataset.to_pandas(table, "test")
    assert content.schema == arrow_schema(table)
    assert list(frame.columns) == content.column_names
    assert len(frame) == content.num_rows == small_dataset.manifest.counts["test"][table]
    assert small_dataset.arrow(table, "test", [content.column_names[0]]).column_names == content.column_names[:1]


def test_images_in_a_frame_stay_encoded(small_dataset: mldr.Dataset) -> None:
    frame = small_dataset.to_pandas("images", "test")
    assert frame["image"][0]["bytes"] == stored_picture("blue").content


def test_a_table_without_rows_is_an_empty_table_of_its_columns(tmp_path: Path) -> None:
    dataset = write_dataset(tmp_path, {"test": {"dialogues": [small_dialogue(1)]}})
    assert dataset.arrow("gold", "test").schema == arrow_schema("gold")
    assert dataset.arrow("gold", "test", ["kind"]).column_names == ["kind"]
    assert dataset.to_pandas("images", "test").empty


def test_extra_columns_are_reported_and_kept_in_arrow(small_dataset: mldr.Dataset) -> None:
    content = pq.read_table(small_dataset.files("gold", "test")[0])
    extra = content.append_column("difficulty", pa.array([1.0, 2.0, 3.0, 4.0]))
    dataset = put_table(small_dataset, "gold", "test", extra)
    assert dataset.extra_columns() == {"gold/test-00000-of-00001.parquet": ["difficulty"]}
    assert dataset.arrow("gold", "test").column("difficulty").to_pylist() == [1.0, 2.0, 3.0, 4.0]
    assert list(dataset.gold("test")) == list(small_rows(16, "blue")["gold"])
    assert small_dataset.extra_columns() != {}


def test_a_manifest_cannot_name_a_shard_outside_the_folder(small_dataset: mldr.Dataset) -> None:
    manifest = read_manifest(small_dataset.folder)
    entry = manifest.files["queries/test-00000-of-00001.parquet"]
    manifest.files = {
        **manifest.files,
        "../queries/other-00000-of-00001.parquet": entry,
        "queries/../../x.parquet": entry,
    }
    write_manifest(small_dataset.folder, manifest)
    for table in TABLES:
        for path in mldr.Dataset(small_dataset.folder).files(table, "test"):
            assert path.resolve().is_relative_to(small_dataset.folder.resolve())


def test_reading_starts_only_when_it_is_asked_for(small_dataset: mldr.Dataset) -> None:
    for table in TABLES:
        small_dataset.files(table, "test")[0].unlink()
    loaded = mldr.load(small_dataset.folder)
    assert loaded.splits == ("validation", "test")
    assert len(list(loaded.dialogues("validation"))) == 2
    with pytest.raises(MldrError, match="no such file"):
        next(loaded.dialogues("test"))


def test_the_demo_is_whole(demo_dataset: mldr.Dataset) -> None:
    for split in demo_dataset.splits:
        asked = list(demo_dataset.asked(split))
        assert sum(len(one.queries) for one in asked) == demo_dataset.manifest.counts[split]["queries"] > 0
        for one in asked:
            assert demo_dataset.dialogue(one.dialogue.dialogue_id) == one.dialogue
            assert all(demo_dataset.image(image.image_key).content for image in one.dialogue.images)


def test_a_dialogue_is_read_with_the_words_it_was_written_with(tmp_path: Path) -> None:
    words = ["line\nbreak", "e\u0301", "\u202e", "<|utt_id_start|>", "👩‍👧", "\\", " "]
    base = small_dialogue(1, len(words))
    said: Dialogue = replace(
        base,
        utterances=tuple(replace(u, text=word) for u, word in zip(base.utterances, words, strict=True)),
    )
    dataset = write_dataset(tmp_path, {"test": {"dialogues": [said]}})
    assert next(dataset.dialogues("test")) == said == dataset.dialogue(said.dialogue_id)
