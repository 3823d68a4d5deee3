"""What a dataset of a release looks like on disk: shards, order, ids; and that it holds whatever the records' order."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

import mldr
from mldr.assembly import ROWS_A_SHARD
from mldr.release import Import, import_release
from mldr.verify import verify
from tests.core.release.support import LINES, answer, mldr_record, mldr_release


def records(count: int, queries: int = 2) -> list[dict[str, Any]]:
    return [
        mldr_record(f"d{number:03d}", f"问题{query}", [*LINES, f"<|utt_id_start|>4<|utt_id_end|> user1: 第{number}个"])
        for number in range(count)
        for query in range(queries)
    ]


def test_large_splits_go_into_several_shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mldr.release.writing.ROWS_A_SHARD", dict.fromkeys(ROWS_A_SHARD, 3))
    monkeypatch.setattr("mldr.assembly.BYTES_A_SHARD", 10)
    import_release(Import(mldr_release(tmp_path, *records(5))), tmp_path / "out")
    dataset = mldr.load(tmp_path / "out")
    verify(dataset)
    tables = ("dialogues", "queries", "gold", "fragments", "images")
    assert [len(dataset.files(table, "validation")) for table in tables] == [2, 4, 4, 2, 2]  # type: ignore[arg-type]
    assert len(list(dataset.asked("validation"))) == 5


def test_the_order_of_records_shapes_nothing_but_repeats(tmp_path: Path) -> None:
    shuffled = records(6)
    random.Random(3).shuffle(shuffled)
    for name, given in (("one", records(6)), ("two", shuffled)):
        import_release(Import(mldr_release(tmp_path / name, *given)), tmp_path / f"{name}_out")
    one, two = mldr.load(tmp_path / "one_out"), mldr.load(tmp_path / "two_out")
    assert one.manifest.gold_hash == two.manifest.gold_hash
    for table in ("dialogues", "queries", "gold", "fragments", "images"):
        assert one.arrow(table, "validation") == two.arrow(table, "validation")


def test_queries_with_the_same_answer_share_a_fragment_and_a_negative_has_none(tmp_path: Path) -> None:
    given = [
        mldr_record(query=q, gold=gold)
        for q, gold in zip("abc", [answer([0], []), answer([0], []), answer([], [])], strict=True)
    ]
    import_release(Import(mldr_release(tmp_path, *given)), tmp_path / "out")
    dataset = mldr.load(tmp_path / "out")
    (fragment,) = dataset.fragments("validation")
    assert fragment.utterance_ids == (0,)
    told = [(gold.kind, gold.fragment_id) for gold in dataset.gold("validation")]
    assert sorted(told) == [("negative", ""), ("utterance", fragment.fragment_id), ("utterance", fragment.fragment_id)]


def test_ids_and_order_tell_nothing_of_the_answer(tmp_path: Path) -> None:
    one = [mldr_record(query=q, gold=answer([0], [])) for q in "abc"]
    other = [mldr_record(query=q, gold=answer([], [])) for q in "abc"]
    for name, given in (("one", one), ("two", other)):
        import_release(Import(mldr_release(tmp_path / name, *given)), tmp_path / f"{name}_out")
    one_queries, two_queries = (
        [query.query_id for query in mldr.load(tmp_path / f"{name}_out").queries("validation")]
        for name in ("one", "two")
    )
    assert one_queries == two_queries == sorted(one_queries)
