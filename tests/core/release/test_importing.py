from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import mldr
from mldr.errors import InputError, MldrError
from mldr.release import Findings, Import, import_release, look
from mldr.release.importing import report
from mldr.verify import verify
from tests.core.release.support import (
    HEAD,
    LINES,
    MIDDLE,
    PICTURES,
    SYSTEM,
    answer,
    mldr_record,
    mldr_release,
    wechat_record,
    write_release,
)


def imported(release: Path, out: Path, **options: Any) -> tuple[mldr.Dataset, Findings]:
    """Import a release; what comes out always verifies."""
    findings = import_release(Import(release, **options), out)
    dataset = mldr.load(out)
    verify(dataset)
    return dataset, findings


def test_a_record_becomes_a_dialogue_with_its_query_and_gold(tmp_path: Path) -> None:
    dataset, findings = imported(mldr_release(tmp_path, mldr_record()), tmp_path / "out")
    (asked,) = dataset.asked("validation")
    dialogue = asked.dialogue
    assert (dialogue.dialogue_id, dialogue.language, dialogue.origin) == ("d1", "zh", "stitched")
    assert [(u.speaker, u.text, u.image_ids) for u in dialogue.utterances] == [
        ("user1", "周末去哪里？", ()),
        ("user2", "去爬山，看这张", (0,)),
        ("user1", "", (1,)),
        ("user2", "好的，几点出发", ()),
    ]
    (query,), (gold,) = asked.queries, asked.gold
    assert (query.text, query.language) == ("爬山", "zh")
    assert (gold.utterance_ids, gold.image_ids, gold.label_source, gold.level) == ((1, 3), (0,), "release", "free")
    assert not findings.oddities
    assert not findings.unusable


def test_pictures_are_stored_and_their_order_is_kept(tmp_path: Path) -> None:
    dataset, _ = imported(mldr_release(tmp_path, mldr_record()), tmp_path / "out")
    (dialogue,) = dataset.dialogues("validation")
    colours = [
        mldr.images.open_stored(dataset.image(i.image_key).content or b"").getpixel((0, 0)) for i in dialogue.images
    ]
    assert colours == [(255, 0, 0), (0, 0, 255)]


def test_the_prompt_is_kept_once_and_each_query_names_it(tmp_path: Path) -> None:
    records = [mldr_record(), mldr_record(query="出发时间", gold=answer([3], []))]
    dataset, _ = imported(mldr_release(tmp_path, *records), tmp_path / "out")
    templates = dataset.manifest.release.templates if dataset.manifest.release else {}
    (name,) = templates
    assert templates[name] == {"system": SYSTEM, "user": HEAD + "{query}" + MIDDLE + "{dialogue}"}
    assert {json.loads(query.meta)["template"] for query in dataset.queries("validation")} == {name}


def test_the_files_go_to_their_splits_and_validation_is_never_a_test(tmp_path: Path) -> None:
    files = {
        "MLDR_train_cold_start.json": [mldr_record("a")],
        "MLDR_train_GRPO.json": [mldr_record("b")],
        "MLDR_val.json": [mldr_record("c")],
    }
    dataset, _ = imported(write_release(tmp_path / "MLDR", files), tmp_path / "out")
    assert dataset.splits == ("train_sft", "train_grpo", "validation")
    assert [d.dialogue_id for s in dataset.splits for d in dataset.dialogues(s)] == ["a", "b", "c"]


def test_what_splits_share_is_said_in_the_manifest_and_checked_by_verify(tmp_path: Path) -> None:
    files = {"MLDR_train_GRPO.json": [mldr_record("a")], "MLDR_val.json": [mldr_record("a"), mldr_record("c")]}
    dataset, _ = imported(write_release(tmp_path / "MLDR", files, PICTURES), tmp_path / "out")
    manifest = dataset.manifest
    assert manifest.release is not None
    assert manifest.release.shared == {
        "image_key: train_grpo and validation": 2,
        "dialogue_id: train_grpo and validation": 1,
    }
    card = (tmp_path / "out" / "README.md").read_text("utf-8")
    assert "- image\\_key: train\\_grpo and validation: 2" in card
    manifest.release.shared["image_key: train_grpo and validation"] = 1
    with pytest.raises(InputError, match="is in two splits"):
        verify(dataset)


def test_one_file_alone_is_read_with_the_pictures_beside_it(tmp_path: Path) -> None:
    folder = mldr_release(tmp_path, mldr_record(), name="mine.json")
    with pytest.raises(MldrError, match="tells no split"):
        look(Import(folder / "mine.json"))
    dataset, _ = imported(folder / "mine.json", tmp_path / "out", splits=("train_sft",))
    assert dataset.splits == ("train_sft",)
    assert {image.status for image in dataset.images("train_sft")} == {"present"}


def test_only_the_wanted_splits_are_read(tmp_path: Path) -> None:
    files = {"MLDR_train_GRPO.json": [mldr_record("a")], "MLDR_val.json": [mldr_record("c")]}
    release = write_release(tmp_path / "MLDR", files)
    dataset, _ = imported(release, tmp_path / "out", splits=("validation",))
    assert dataset.splits == ("validation",)
    with pytest.raises(MldrError, match="no file of the split train_sft; there is train_grpo, validation"):
        look(Import(release, ("train_sft",)))
    with pytest.raises(MldrError, match="no split dev"):
        look(Import(release, ("dev",)))


def test_the_name_says_release_and_a_canary_is_there(tmp_path: Path) -> None:
    dataset, _ = imported(mldr_release(tmp_path, mldr_record()), tmp_path / "out")
    assert dataset.name == "mldr-release-mldr"
    assert dataset.manifest.canary.startswith("mldr canary ")
    assert dataset.manifest.canary in (tmp_path / "out" / "README.md").read_text("utf-8")
    assert "not redistributable" in (tmp_path / "out" / "README.md").read_text("utf-8")
    shards = [path for path in (tmp_path / "out").rglob("*.parquet")]
    assert {pq.ParquetFile(p).metadata.metadata[b"canary"].decode() for p in shards} == {dataset.manifest.canary}


def test_the_card_speaks_of_consent_where_there_are_real_chats_alone(tmp_path: Path) -> None:
    imported(mldr_release(tmp_path, mldr_record()), tmp_path / "stitched")
    assert "consent" not in (tmp_path / "stitched" / "README.md").read_text("utf-8")
    chats = write_release(tmp_path / "w", {"wechat.json": [wechat_record()]})
    for scopes, words in ((None, "no consent scope stated"), (("images",), "the consent scopes images, as stated at")):
        imported(chats, tmp_path / words[:4], consent_scopes=scopes)
        assert f"Its real chats have {words}" in (tmp_path / words[:4] / "README.md").read_text("utf-8")


def test_the_card_says_what_was_odd_and_what_could_not_be_used(tmp_path: Path) -> None:
    imported(mldr_release(tmp_path, mldr_record(gold=answer([1, 77], [])), {"x": 1}), tmp_path / "out")
    card = (tmp_path / "out" / "README.md").read_text("utf-8")
    assert "- gold utterance ids outside their dialogue: left out: 1" in card
    assert "- records: has no list of messages: 1" in card


def test_the_card_loads_with_datasets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from datasets import load_dataset

    imported(mldr_release(tmp_path, mldr_record()), tmp_path / "out")
    loaded = load_dataset(str(tmp_path / "out"), "gold", cache_dir=str(tmp_path / "cache"))
    assert loaded["validation"][0]["utterance_ids"] == [1, 3]


def test_two_imports_have_the_same_bytes(tmp_path: Path) -> None:
    release = mldr_release(tmp_path, mldr_record(), mldr_record("d0", "出发"), mldr_record("d1", "出发"))
    for name in ("one", "two"):
        imported(release, tmp_path / name)
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file())
    assert files
    assert all((tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes() for path in files)


def test_a_dry_run_tells_the_layout_and_writes_nothing(tmp_path: Path) -> None:
    release = mldr_release(tmp_path, mldr_record(), mldr_record(images=["images/a.png", "images/gone.png"]), {"x": 1})
    before = sorted(tmp_path.rglob("*"))
    told = report(look(Import(release)))
    assert sorted(tmp_path.rglob("*")) == before
    assert "MLDR_val.json: messages -> validation, 3 records" in told
    assert "dialogue_id 2" in told
    assert "pictures that are there: 2" in told
    assert "pictures that are not there: status missing: 1" in told
    assert "record 2: has no list of messages" in told


def test_nothing_is_overwritten_without_force(tmp_path: Path) -> None:
    release = mldr_release(tmp_path, mldr_record())
    imported(release, tmp_path / "out")
    with pytest.raises(MldrError, match="--force"):
        import_release(Import(release), tmp_path / "out")
    import_release(Import(release), tmp_path / "out", force=True)
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("mine")
    with pytest.raises(MldrError, match="not replaced"):
        import_release(Import(release), tmp_path / "thesis", force=True)
    assert (tmp_path / "thesis" / "chapter.txt").read_text() == "mine"


def test_a_failed_import_leaves_nothing_behind(tmp_path: Path) -> None:
    release = mldr_release(tmp_path, {"messages": []})
    with pytest.raises(MldrError, match="no record can be used"):
        import_release(Import(release), tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["MLDR"]


def test_real_chats_get_the_test_split_and_no_consent_scope(tmp_path: Path) -> None:
    release = write_release(tmp_path / "wechat", {"wechat.json": [wechat_record()]}, {"pics/a.png": "red"})
    dataset, _ = imported(release, tmp_path / "out")
    (asked,) = dataset.asked("test")
    assert asked.dialogue.origin == "real"
    assert dataset.manifest.consent_scopes is None
    assert "no consent scope" in (tmp_path / "out" / "README.md").read_text("utf-8")
    found = {
        query.text: (gold.utterance_ids, gold.image_ids, gold.kind)
        for query, gold in zip(asked.queries, asked.gold, strict=True)
    }
    assert found == {"论文": ((0,), (0,), "multimodal"), "没有的事": ((), (), "negative")}
    assert [(u.speaker, u.text) for u in asked.dialogue.utterances][1] == ("user2", "")
    assert asked.dialogue.images[0].caption == "一张图"


def test_the_holder_of_an_agreement_states_the_consent_scopes(tmp_path: Path) -> None:
    release = write_release(tmp_path / "wechat", {"wechat.json": [wechat_record()]})
    dataset, _ = imported(release, tmp_path / "out", consent_scopes=("research", "images"))
    assert dataset.manifest.consent_scopes == ["images", "research"]
    with pytest.raises(MldrError, match="no consent scope everything"):
        look(Import(release, consent_scopes=("everything",)))
    with pytest.raises(MldrError, match="real chats, and there are none"):
        look(Import(mldr_release(tmp_path, mldr_record()), consent_scopes=("research",)))


def test_pieces_of_one_chat_are_one_cluster(tmp_path: Path) -> None:
    records = [wechat_record(name, query_text="论文", gt_turns=[0]) for name in ("c7_0", "c7_1", "c8")]
    for number, record in enumerate(records):
        record["dialogue"] = [{"utterance_idx": 0, "speaker": "a", "utterance": f"论文 {number}"}]
    dataset, findings = imported(write_release(tmp_path / "w", {"wechat.json": records}), tmp_path / "out")
    cluster = {d.dialogue_id: d.cluster_id for d in dataset.dialogues("test")}
    assert cluster["c7_0"] == cluster["c7_1"] != cluster["c8"]
    assert findings.oddities["dialogues that are pieces of one chat, by their ids: one cluster a chat"] == 2


def test_dialogues_that_share_a_picture_are_one_cluster(tmp_path: Path) -> None:
    other = mldr_record("c", images=["images/c.png", "images/d.png"])
    release = mldr_release(tmp_path, mldr_record("a"), mldr_record("b", lines=LINES[:2]), other)
    dataset, _ = imported(release, tmp_path / "out")
    cluster = {d.dialogue_id: d.cluster_id for d in dataset.dialogues("validation")}
    assert cluster["a"] == cluster["b"] != cluster["c"]
