from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import mldr
from mldr.dataset import Dataset
from mldr.dialogue import DialogueImage, Gold, Query, StoredImage
from mldr.errors import InputError, MldrError
from mldr.export import Rendering, export
from mldr.export import trl as trl_module
from mldr.prompts import load_prompt
from tests.conftest import small_dialogue, small_rows, stored_picture, write_dataset

PICTURES = [stored_picture(colour) for colour in ("red", "blue", "green")]


def dataset(folder: Path, *, images: int = 2, bare: int = 1, gold: bool = True, present: bool = True) -> Dataset:
    """Three dialogues with `images` pictures, `bare` of them without any."""
    stored = PICTURES[:images] if present else [StoredImage(f"ref:x/{i}", "missing") for i in range(images)]
    shown = [small_dialogue(i, images=[] if i < bare else stored) for i in range(3)]
    queries = [Query(f"{d.dialogue_id}-{i}", d.dialogue_id, "en", f"question {i}?") for d in shown for i in range(2)]
    golds = [
        Gold(q.query_id, "", "free", (1, 3), (0,) if q.dialogue_id > shown[bare - 1].dialogue_id else ())
        for q in queries
    ]
    rows: Any = {"dialogues": shown, "queries": queries, "gold": golds if gold else [], "images": stored}
    return write_dataset(folder, {"test": rows})


def test_a_record_has_the_published_structure(tmp_path: Path) -> None:
    export(dataset(tmp_path / "set"), "test", "ms-swift", tmp_path / "out")
    records = json.loads((tmp_path / "out" / "test.json").read_text("utf-8"))
    assert len(records) == 6
    record = records[-1]
    assert {"dialogue_id", "images", "messages", "solution"} <= set(record)
    assert [message["role"] for message in record["messages"]] == ["system", "user", "assistant"]
    user = record["messages"][1]["content"]
    assert "<|query_start|>question 1?<|query_end|>" in user
    assert (
        "<|utt_id_start|>0<|utt_id_end|> user1: dialogue 2 says word0 <|img_id_start|>0<|img_id_end|><image>\n" in user
    )
    assert record["solution"] == "<|utt_ids_start|>[1, 3]<|utt_ids_end|>;<|img_ids_start|>[0]<|img_ids_end|>"
    assert record["messages"][2]["content"] == record["solution"]
    assert all((tmp_path / "out" / path).is_file() for path in record["images"])
    assert user.count("<image>") == len(record["images"]) == 2


def test_the_query_goes_where_it_is_wanted(tmp_path: Path) -> None:
    made = dataset(tmp_path / "set")
    export(made, "test", "ms-swift", tmp_path / "out", Rendering(order="dialogue_first", language="zh"))
    users = [r["messages"][1]["content"] for r in json.loads((tmp_path / "out" / "test.json").read_text("utf-8"))]
    for one, other in pairwise(users[:2]):
        prefix, found, _ = one.partition("<|query_start|>")
        assert found
        assert "word5" in prefix
        assert other.startswith(prefix + found)


@pytest.mark.parametrize(("sees", "shown"), [("captions", "[image: picture 0]"), ("text", "[image]")])
@pytest.mark.parametrize("target", ["ms-swift", "trl"])
def test_without_pixels_there_are_no_images(tmp_path: Path, sees: Any, shown: str, target: Any) -> None:
    import pyarrow.parquet as pq

    export(dataset(tmp_path / "set"), "test", target, tmp_path / "out", Rendering(sees=sees))
    assert not (tmp_path / "out" / "images").exists()
    if target == "trl":
        table = pq.read_table(tmp_path / "out" / "test-00000-of-00001.parquet")
        assert "images" not in table.column_names
        (part,) = table.column("prompt").to_pylist()[-1][1]["content"]
        text = part["text"]
    else:
        record = json.loads((tmp_path / "out" / "test.json").read_text("utf-8"))[-1]
        assert record["images"] == []
        text = record["messages"][1]["content"]
    assert f"<|img_id_start|>0<|img_id_end|>{shown}" in text
    assert "<image>" not in text


def test_the_parquet_loads_with_datasets_and_gives_pictures(tmp_path: Path) -> None:
    from datasets import load_dataset
    from PIL import Image

    written = export(dataset(tmp_path / "set"), "test", "trl", tmp_path / "out")
    loaded = load_dataset(
        "parquet", data_files=str(tmp_path / "out" / "*.parquet"), cache_dir=str(tmp_path / "cache"), split="train"
    )
    assert loaded.num_rows == written.rows == 6
    row = loaded[5]
    assert [image.getpixel((0, 0)) for image in row["images"]] == [(255, 0, 0), (0, 0, 255)]
    assert all(isinstance(image, Image.Image) for image in row["images"])
    assert [message["role"] for message in row["prompt"]] == ["system", "user"]
    assert [part["type"] for part in row["prompt"][1]["content"]] == ["text", "image", "text", "image", "text"]
    assert row["completion"] == [{"role": "assistant", "content": [{"type": "text", "text": row["solution"]}]}]
    assert loaded[0]["images"] == []


def test_a_folder_loads_under_its_split(tmp_path: Path) -> None:
    from datasets import load_dataset

    export(dataset(tmp_path / "set"), "test", "trl", tmp_path / "out")
    assert load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))["test"].num_rows == 6


def test_rows_without_images_are_told(tmp_path: Path) -> None:
    written = export(dataset(tmp_path / "set", bare=1), "test", "trl", tmp_path / "out")
    assert written.rows_without_images == 2
    (note,) = written.notes(Rendering())
    assert note.startswith("2 of 6 rows have no image; TRL fails on a batch that mixes them")
    assert json.loads((tmp_path / "out" / "export.json").read_text())["counts"]["rows_without_images"] == 2


def test_dialogues_without_a_query_are_told(small_dataset: mldr.Dataset, tmp_path: Path) -> None:
    rows = small_rows(0, "red")
    rows["dialogues"].append(small_dialogue(9))
    bare = write_dataset(tmp_path / "bare", {"test": rows})
    for target in ("ms-swift", "trl"):
        written = export(bare, "test", target, tmp_path / target)
        assert "1 dialogues have no query and are not in the files" in list(written.notes(Rendering()))
    assert export(small_dataset, "test", "trl", tmp_path / "whole").unasked == 0


def test_a_set_without_pictures_shows_captions_and_keeps_every_id(tmp_path: Path) -> None:
    written = export(dataset(tmp_path / "set", present=False), "test", "trl", tmp_path / "out")
    (note,) = written.notes(Rendering())
    assert "captions only" in note
    export(dataset(tmp_path / "set2", present=False), "test", "ms-swift", tmp_path / "out2")
    record = json.loads((tmp_path / "out2" / "test.json").read_text("utf-8"))[-1]
    assert record["images"] == []
    assert "<|img_id_start|>1<|img_id_end|>[image: picture 1]" in record["messages"][1]["content"]


def test_a_picture_that_is_missing_shifts_no_id(tmp_path: Path) -> None:
    made = dataset(tmp_path / "set", images=1)
    dialogue = next(d for d in made.dialogues("test") if d.n_images)
    first = replace(
        dialogue,
        images=(DialogueImage("ref:x/gone", "a gone one"), *dialogue.images),
        utterances=tuple(replace(u, image_ids=(i,) if i < 2 else ()) for i, u in enumerate(dialogue.utterances)),
    )
    rows: Any = {
        "dialogues": [first],
        "queries": [Query("q", first.dialogue_id, "en", "what?")],
        "gold": [Gold("q", "", "free", (), (1,))],
        "images": [PICTURES[0], StoredImage("ref:x/gone", "missing")],
    }
    written = export(write_dataset(tmp_path / "two", {"test": rows}), "test", "ms-swift", tmp_path / "out")
    (record,) = json.loads((tmp_path / "out" / "test.json").read_text("utf-8"))
    user = record["messages"][1]["content"]
    assert "<|img_id_start|>0<|img_id_end|>[image: a gone one]" in user
    assert "<|img_id_start|>1<|img_id_end|><image>" in user
    assert record["images"] == [f"images/{PICTURES[0].file_name}"]
    assert record["solution"].endswith("<|img_ids_start|>[1]<|img_ids_end|>")
    assert written.captioned == 1


def test_a_split_without_gold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MldrError, match="gold of split 'test' is withheld"):
        export(dataset(tmp_path / "set", gold=False), "test", "trl", tmp_path / "out")
    with pytest.raises(MldrError, match="no split 'train_sft'"):
        export(dataset(tmp_path / "set2"), "train_sft", "trl", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("target", ["ms-swift", "trl"])
def test_two_exports_have_the_same_bytes(tmp_path: Path, target: Any) -> None:
    made = dataset(tmp_path / "set")
    for name in ("one", "two"):
        export(made, "test", target, tmp_path / name)
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file())
    assert files
    assert all((tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes() for path in files)


def test_nothing_but_an_export_is_replaced(tmp_path: Path) -> None:
    made = dataset(tmp_path / "set")
    export(made, "test", "trl", tmp_path / "out")
    with pytest.raises(MldrError, match="--force"):
        export(made, "test", "trl", tmp_path / "out")
    export(made, "test", "ms-swift", tmp_path / "out", force=True)
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["export.json", "images", "test.json"]
    with pytest.raises(MldrError, match="not replaced"):
        export(made, "test", "trl", tmp_path / "set", force=True)
    assert mldr.load(tmp_path / "set").splits == ("test",)


def test_large_sets_go_into_several_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from datasets import load_dataset

    size = sum(len(picture.content or b"") for picture in PICTURES[:2])
    monkeypatch.setattr(trl_module, "BYTES_A_GROUP", size)
    monkeypatch.setattr(trl_module, "BYTES_A_SHARD", 3 * size)
    written = export(dataset(tmp_path / "set"), "test", "trl", tmp_path / "out")
    assert written.files == ["test-00000-of-00002.parquet", "test-00001-of-00002.parquet"]
    loaded = load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))["test"]
    assert [row["query_id"] for row in loaded] == sorted(row["query_id"] for row in loaded)
    assert loaded.num_rows == 6


@pytest.mark.parametrize("key", ["sha256:../../../evil", "sha256:" + "0" * 63, "evil"])
def test_a_hostile_image_key_names_no_file(tmp_path: Path, key: str) -> None:
    made = dataset(tmp_path / "set")
    rows: Any = {
        "dialogues": list(made.dialogues("test")),
        "queries": list(made.queries("test")),
        "gold": list(made.gold("test")),
        "images": [replace(PICTURES[0], image_key=key)],
    }
    hostile = write_dataset(tmp_path / "hostile", {"test": rows})
    with pytest.raises(InputError, match="its key is not their SHA-256"):
        export(hostile, "test", "ms-swift", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_gold_of_nothing_is_refused(tmp_path: Path) -> None:
    made = dataset(tmp_path / "set")
    rows: Any = {
        "dialogues": list(made.dialogues("test")),
        "queries": list(made.queries("test")),
        "gold": [replace(gold, utterance_ids=(99,)) for gold in made.gold("test")],
        "images": list(made.images("test")),
    }
    with pytest.raises(MldrError, match="dataset verify"):
        export(write_dataset(tmp_path / "bad", {"test": rows}), "test", "trl", tmp_path / "out")


def test_ones_own_prompt_is_used(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("user: |-\n  Q <|query_start|>{query}<|query_end|>\n  {dialogue}\n  END\n", "utf-8")
    export(dataset(tmp_path / "set"), "test", "ms-swift", tmp_path / "out", Rendering(own=load_prompt(own)))
    record = json.loads((tmp_path / "out" / "test.json").read_text("utf-8"))[0]
    assert [message["role"] for message in record["messages"]] == ["user", "assistant"]
    assert record["messages"][0]["content"].startswith("Q <|query_start|>question 0?<|query_end|>\n<|utt_id_start|>0")
    assert record["messages"][0]["content"].endswith("\nEND")


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    import tracemalloc

    def peak(count: int) -> int:
        shown = [small_dialogue(i) for i in range(count)]
        rows: Any = {
            "dialogues": shown,
            "queries": [Query(f"{d.dialogue_id}-0", d.dialogue_id, "en", "q?") for d in shown],
            "gold": [Gold(f"{d.dialogue_id}-0", "", "free", (1,)) for d in shown],
        }
        made = write_dataset(tmp_path / f"set{count}", {"test": rows})
        tracemalloc.start()
        export(made, "test", "ms-swift", tmp_path / f"out{count}", Rendering(sees="text"))
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    assert peak(3_000) < 1.2 * peak(1_500)
