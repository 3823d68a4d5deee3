from __future__ import annotations

from pathlib import Path

import pytest

import mldr
from tests.conftest import Command
from tests.eval.support import TEST_IDS, row, without_gold, write_jsonl


def test_validate_says_how_many_queries_are_answered(
    tmp_path: Path, command: Command, small_dataset: mldr.Dataset
) -> None:
    path = write_jsonl(tmp_path / "p.jsonl", [row(query_id) for query_id in TEST_IDS[:3]])
    code, out, err = command("mldr-eval", "validate", str(small_dataset.folder), str(path), "--split", "test")
    assert (code, err) == (0, "")
    assert out == f"{path}: good; 3 of 4 queries answered, 1 missing\n"


def test_validate_needs_no_gold_and_score_says_that_it_does(tmp_path: Path, command: Command) -> None:
    dataset = without_gold(tmp_path / "d")
    path = write_jsonl(tmp_path / "p.jsonl", [row(query_id) for query_id in TEST_IDS])
    words = (str(dataset.folder), str(path), "--split", "test")
    assert command("mldr-eval", "validate", *words)[0] == 0
    for verb in ("score", "report"):
        code, out, err = command(
            "mldr-eval", verb, *words, *(["--out", str(tmp_path / "r")] if verb == "report" else [])
        )
        assert (code, out) == (1, "")
        assert "the gold of test is withheld" in err


def test_score_prints_the_tables_and_the_notes_on_stdout(
    tmp_path: Path, command: Command, small_dataset: mldr.Dataset
) -> None:
    path = write_jsonl(tmp_path / "mine.jsonl", [row(TEST_IDS[0], [0, 0, 9])])
    code, out, err = command("mldr-eval", "score", str(small_dataset.folder), str(path), "--split", "test")
    assert (code, err) == (0, "")
    assert "note: no intervals: 2 clusters" in out
    assert "note: mine: 1 repeated ids" in out
    assert "note: mine: 1 ids outside their dialogue" in out
    assert "25.00" in out  # the rate of queries with ids outside; the others are missing
    assert "75.00" in out


def test_files_of_one_name_are_told_apart_by_their_folders(
    tmp_path: Path, command: Command, small_dataset: mldr.Dataset
) -> None:
    paths = []
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        paths.append(str(write_jsonl(tmp_path / folder / "p.jsonl", [row(TEST_IDS[0], [0] if folder == "a" else [9])])))
    code, out, _ = command("mldr-eval", "score", str(small_dataset.folder), *paths, "--split", "test", "--json")
    assert code == 0
    assert out.count('"predictions_hash"') == 2


@pytest.mark.parametrize("verb", ["validate", "score", "report"])
def test_an_unknown_split_is_one_line_with_the_known_ones(
    tmp_path: Path, command: Command, small_dataset: mldr.Dataset, verb: str
) -> None:
    path = write_jsonl(tmp_path / "p.jsonl", [row(TEST_IDS[0])])
    words = [str(small_dataset.folder), str(path), "--split", "dev"]
    code, out, err = command("mldr-eval", verb, *words, *(["--out", str(tmp_path / "r")] if verb == "report" else []))
    assert (code, out) == (1, "")
    assert "no split 'dev'; it has validation, test" in err


@pytest.mark.parametrize("words", [["score"], ["score", "a", "b"], ["grade"], ["score", "a", "b", "--splt", "test"]])
def test_wrong_usage_ends_with_2(command: Command, words: list[str]) -> None:
    code, out, err = command("mldr-eval", *words)
    assert (code, out) == (2, "")
    assert "Usage" in err


def test_a_folder_that_is_no_dataset_is_one_line(tmp_path: Path, command: Command) -> None:
    code, _, err = command("mldr-eval", "score", str(tmp_path), "p.jsonl", "--split", "test")
    assert code == 1
    assert len(err.splitlines()) == 1
    assert "no manifest.json" in err
