from __future__ import annotations

from pathlib import Path

import pytest

import mldr
from mldr.dialogue import Gold
from mldr.errors import InputError, MldrError
from mldr.eval.goldset import read_gold, read_query_ids
from tests.conftest import Command, small_rows, write_dataset
from tests.eval.support import TEST_IDS, bare_images, dataset_of, mixed_dialogue, row, without_gold, write_jsonl


def test_gold_comes_with_the_universe_that_it_is_chosen_from(tmp_path: Path) -> None:
    dialogue = mixed_dialogue()
    gold = read_gold(
        dataset_of(tmp_path / "d", dialogue, [Gold("q", "", "fine", (1, 2), (1,))], bare_images(dialogue)), "test"
    )
    assert (gold.utt.size.tolist(), gold.utt.candidates.tolist(), gold.img.size.tolist()) == ([5], [4], [2])
    assert gold.utt.textless is not None
    assert gold.utt.textless.tolist() == [False, False, False, True, False]
    assert gold.ids(0) == ([1, 2], [1])
    assert (gold.kind(0), gold.n_clusters) == ("multimodal", 1)


def test_gold_keeps_the_order_of_the_queries_and_their_kinds(small_dataset: mldr.Dataset) -> None:
    gold = read_gold(small_dataset, "test")
    assert tuple(gold.query_ids.to_pylist()) == TEST_IDS
    assert [gold.kind(position) for position in range(4)] == ["multimodal", "utterance", "image", "negative"]
    assert gold.n_clusters == 2


def test_the_gold_hash_is_that_of_the_manifest(small_dataset: mldr.Dataset) -> None:
    for split in ("validation", "test"):
        assert read_gold(small_dataset, split).hash() == small_dataset.manifest.gold_hash[split]


def test_an_unknown_split_is_named_with_the_known_ones(small_dataset: mldr.Dataset) -> None:
    for read in (read_gold, read_query_ids):
        with pytest.raises(MldrError, match="no split 'dev'; it has validation, test"):
            read(small_dataset, "dev")


def test_query_ids_are_read_without_gold(tmp_path: Path) -> None:
    assert read_query_ids(without_gold(tmp_path / "d"), "test").to_pylist() == list(TEST_IDS)


def test_withheld_gold_is_said_and_not_scored(tmp_path: Path) -> None:
    with pytest.raises(MldrError, match="gold of test is withheld"):
        read_gold(without_gold(tmp_path / "d"), "test")


BAD_GOLD = [
    (Gold("q", "", "fine", (5,)), "utterance 5 does not exist"),
    (Gold("q", "", "fine", (-1,)), "utterance -1 does not exist"),
    (Gold("q", "", "fine", (), (2,)), "image 2 does not exist"),
    (Gold("q", "", "fine", (3,)), "utterance 3 has no text"),
    (Gold("q", "", "fine", (1, 1)), "utterance 1 stands twice"),
]


@pytest.mark.parametrize(("gold", "message"), BAD_GOLD)
def test_an_id_that_cannot_be_gold_is_a_fault_with_its_query(tmp_path: Path, gold: Gold, message: str) -> None:
    dialogue = mixed_dialogue()
    dataset = dataset_of(tmp_path / "d", dialogue, [gold], bare_images(dialogue))
    with pytest.raises(InputError) as caught:
        read_gold(dataset, "test")
    (fault,) = caught.value.faults
    assert message in fault.message
    assert fault.place == f"{dataset.folder}, gold of test, query q"


def test_every_bad_id_in_the_gold_is_told_at_once(tmp_path: Path) -> None:
    golds = [Gold("q1", "", "fine", (5, 9)), Gold("q2", "", "fine", (0,)), Gold("q3", "", "fine", (), (7,))]
    dataset = dataset_of(tmp_path / "d", mixed_dialogue(), golds, bare_images(mixed_dialogue()))
    with pytest.raises(InputError) as caught:
        read_gold(dataset, "test")
    assert [fault.place.rpartition(" ")[2] for fault in caught.value.faults] == ["q1", "q1", "q3"]


@pytest.mark.parametrize(("gold", "message"), BAD_GOLD)
def test_bad_gold_ends_the_command_with_1_and_no_traceback(
    tmp_path: Path, command: Command, gold: Gold, message: str
) -> None:
    dataset_of(tmp_path / "d", mixed_dialogue(), [gold], bare_images(mixed_dialogue()))
    path = write_jsonl(tmp_path / "p.jsonl", [row("q")])
    code, out, err = command("mldr-eval", "score", str(tmp_path / "d"), str(path), "--split", "test")
    assert (code, out) == (1, "")
    assert message in err
    assert "query q" in err


def test_a_query_without_gold_is_a_misfit_that_names_it(tmp_path: Path) -> None:
    rows = small_rows(16, "blue")
    del rows["gold"][1]
    with pytest.raises(MldrError, match=TEST_IDS[1]):
        read_gold(write_dataset(tmp_path / "d", {"test": rows}), "test")
