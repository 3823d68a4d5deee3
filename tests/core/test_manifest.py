from __future__ import annotations

import hashlib
import json
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mldr
from mldr import formats
from mldr.dialogue import Dialogue, Gold
from mldr.errors import InputError, MldrError
from mldr.files import canonical_json
from mldr.manifest import Manifest, ShardEntry, gold_hash, read_manifest, write_manifest
from tests.conftest import small_dialogue, stored_picture
from tests.core.support import textless

SMALLEST: dict[str, Any] = {"format": "mldr/dataset@1", "name": "mldr-ffr-a"}

IMAGE = stored_picture("red")
ROWS = [
    (Gold("q1", "f1", "fine", (0, 2), (0,)), small_dialogue(1, images=[IMAGE])),
    (Gold("q2", "", "fine"), small_dialogue(1, images=[IMAGE])),
    (Gold("q3", "f3", "topic", (1,)), textless(small_dialogue(2, 5), 4)),
]


def put(folder: Path, content: bytes | dict[str, Any]) -> Path:
    (folder / "manifest.json").write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return folder


def test_a_manifest_reads_back_as_it_was_written(tmp_path: Path) -> None:
    manifest = Manifest(
        name="mldr-ffr-a",
        recipe={"seed": 7, "名": [1, None]},
        seed=7,
        counts={"test": {"dialogues": 3}},
        gold_hash={"test": "ab"},
        consent_scopes=[],
        files={"dialogues/test-00000-of-00001.parquet": ShardEntry(rows=3, sha256="cd")},
    )
    write_manifest(tmp_path, manifest)
    assert read_manifest(tmp_path) == manifest


def test_scopes_that_nobody_was_asked_for_are_absent_and_not_empty(tmp_path: Path) -> None:
    write_manifest(tmp_path, Manifest(name="mldr-ffr-a"))
    assert "consent_scopes" not in json.loads((tmp_path / "manifest.json").read_text())
    assert read_manifest(tmp_path).consent_scopes is None


def test_a_folder_without_a_manifest_is_no_dataset(tmp_path: Path) -> None:
    with pytest.raises(MldrError, match="is not an mldr dataset"):
        read_manifest(tmp_path)


def test_a_manifest_that_cannot_be_read_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").mkdir()
    with pytest.raises(MldrError, match="cannot be read"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[]", b"3", b'{"format": 1, "format": 2}', b"[" * 50_000])
def test_a_manifest_that_is_no_json_object_is_one_fault(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InputError) as caught:
        read_manifest(put(tmp_path, content))
    assert caught.value.total == 1
    assert caught.value.faults[0].place == str(tmp_path / "manifest.json")


def test_every_fault_of_a_manifest_is_told_at_once(tmp_path: Path) -> None:
    files = {"a": {"rows": -1, "sha256": "b"}, "c": {"rows": 1}}
    with pytest.raises(InputError) as caught:
        read_manifest(put(tmp_path, {**SMALLEST, "seed": "x", "colour": "red", "files": files}))
    keys = {fault.place.rpartition(", ")[2] for fault in caught.value.faults}
    assert keys == {"seed", "colour", "files.a.rows", "files.c.sha256"}


def test_a_newer_dataset_is_refused_in_one_line(tmp_path: Path) -> None:
    put(tmp_path, {**SMALLEST, "format": "mldr/dataset@999", "something": "new"})
    with pytest.raises(MldrError, match=r"^.*manifest\.json: format mldr/dataset@999 is newer than this mldr reads"):
        mldr.load(tmp_path)


def test_an_older_dataset_is_upgraded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def rename(document: dict[str, Any]) -> dict[str, Any]:
        return {"name" if key == "title" else key: value for key, value in document.items()}

    monkeypatch.setitem(formats.CURRENT, "dataset", 2)
    monkeypatch.setitem(formats._UPGRADES, ("dataset", 1), rename)
    manifest = read_manifest(put(tmp_path, {"format": "mldr/dataset@1", "title": "mldr-ffr-old"}))
    assert (manifest.format, manifest.name) == ("mldr/dataset@2", "mldr-ffr-old")


@given(st.permutations(ROWS))
def test_the_gold_hash_does_not_depend_on_the_order_of_rows(rows: list[tuple[Gold, Dialogue]]) -> None:
    assert gold_hash(rows) == gold_hash(ROWS)


def test_the_gold_hash_does_not_depend_on_the_order_of_ids_or_on_what_decides_no_score() -> None:
    gold, dialogue = ROWS[0]
    other = replace(gold, utterance_ids=(2, 0), level="topic", label_source="human", verified=True, meta="{}")
    said = replace(dialogue, language="zh", cluster_id="x", licence="CC0")
    assert gold_hash([(other, said), *ROWS[1:]]) == gold_hash(ROWS)


@given(
    st.integers(0, 2),
    st.sampled_from(["utterance_ids", "image_ids"]),
    st.lists(st.integers(0, 9), max_size=4, unique=True).map(sorted).map(tuple),
)
def test_the_gold_hash_changes_with_any_id(row: int, field: str, ids: tuple[int, ...]) -> None:
    gold, dialogue = ROWS[row]
    changed = replace(gold, utterance_ids=ids) if field == "utterance_ids" else replace(gold, image_ids=ids)
    rows = [*ROWS[:row], (changed, dialogue), *ROWS[row + 1 :]]
    assert (gold_hash(rows) == gold_hash(ROWS)) == (changed == gold)


def test_the_gold_hash_changes_with_the_universe_and_the_queries() -> None:
    gold, dialogue = ROWS[2]
    hashes = {
        gold_hash(ROWS),
        gold_hash(ROWS[:2]),
        gold_hash([]),
        gold_hash([*ROWS[:2], (replace(gold, query_id="q4"), dialogue)]),
        gold_hash([*ROWS[:2], (gold, small_dialogue(2, 5))]),
        gold_hash([*ROWS[:2], (gold, textless(small_dialogue(2, 6), 4))]),
        gold_hash([*ROWS[:2], (gold, textless(small_dialogue(2, 5, [IMAGE]), 4))]),
    }
    assert len(hashes) == 7


def by_definition(rows: list[tuple[Gold, Dialogue]]) -> str:
    """The hash as the format says it: canonical JSON of all items, sorted by query_id."""
    items = [
        [g.query_id, sorted(g.utterance_ids), sorted(g.image_ids), d.n_utterances, list(d.textless_ids), d.n_images]
        for g, d in rows
    ]
    ordered = sorted(items, key=lambda item: (str(item[0]), canonical_json(item)))
    return hashlib.sha256(canonical_json(ordered).encode()).hexdigest()


drawn_ids = st.lists(st.integers(0, 9), max_size=3, unique=True).map(tuple)
golds = st.builds(
    Gold, st.sampled_from(["", "a", "b", "c\n", "\u2028", "é", '"', "\U0001f600"]), st.just("f"), st.just("fine")
)
drawn_golds = st.builds(lambda gold, u, i: replace(gold, utterance_ids=u, image_ids=i), golds, drawn_ids, drawn_ids)


@given(st.lists(drawn_golds, max_size=8), st.booleans(), st.booleans())
def test_the_gold_hash_is_that_of_its_definition_in_any_order(drawn: list[Gold], ordered: bool, once: bool) -> None:
    rows = [(gold, small_dialogue(1)) for gold in drawn]
    rows = sorted(rows, key=lambda row: row[0].query_id) if ordered else rows
    assert gold_hash(iter(rows) if once else rows) == by_definition(rows)


def test_a_late_row_out_of_order_changes_nothing_but_the_way() -> None:
    dialogue = small_dialogue(1)
    rows = [(Gold(f"q{i:05d}", "f", "fine", (i % 6,)), dialogue) for i in range(3_000)]
    assert gold_hash(iter([*rows[:2_990], *reversed(rows[2_990:])])) == gold_hash(iter(rows)) == by_definition(rows)
    assert gold_hash([*rows[1:], rows[0]]) == gold_hash(rows)


def test_rows_in_order_are_not_held() -> None:
    dialogue = small_dialogue(1)

    def peak(count: int) -> int:
        tracemalloc.start()
        gold_hash((Gold(f"{i:0500d}", "f", "fine", (1, 2)), dialogue) for i in range(count))
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(10)
    assert peak(16_000) < 1.2 * peak(4_000)  # a megabyte waits in memory; held, they would be four times as much


@pytest.mark.parametrize("release", [5, {"shared": 5}, {"shared": {"a": "b"}}, {"other": 1}])
def test_a_release_of_another_shape_is_a_fault(tmp_path: Path, release: object) -> None:
    write_manifest(tmp_path, Manifest(name="x"))
    document = json.loads((tmp_path / "manifest.json").read_text())
    assert "release" not in document
    (tmp_path / "manifest.json").write_text(json.dumps({**document, "release": release}))
    with pytest.raises(InputError, match="release"):
        read_manifest(tmp_path)
