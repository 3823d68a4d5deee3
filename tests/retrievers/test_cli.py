from __future__ import annotations

from pathlib import Path

import pytest

import mldr
from tests.conftest import Command
from tests.retrievers.support import rows_of


def retrieve(command: Command, dataset: mldr.Dataset, out: Path, *words: str) -> tuple[int, str, str]:
    return command("mldr", "retrieve", *words, str(dataset.folder), "--split", "test", "--out", str(out))


def test_the_path_goes_to_stdout_and_the_count_to_stderr(
    tmp_path: Path, command: Command, small_dataset: mldr.Dataset
) -> None:
    code, out, err = retrieve(command, small_dataset, tmp_path / "p.jsonl", "all")
    assert (code, out, err) == (0, f"{tmp_path / 'p.jsonl'}\n", "4 predictions written\n")


@pytest.mark.parametrize("name", ["all", "none", "random", "bm25"])
def test_what_every_reference_system_writes_validates_and_scores(
    tmp_path: Path, command: Command, small_dataset: mldr.Dataset, name: str
) -> None:
    assert retrieve(command, small_dataset, tmp_path / "p.jsonl", name)[0] == 0
    words = (str(small_dataset.folder), str(tmp_path / "p.jsonl"), "--split", "test")
    code, out, _ = command("mldr-eval", "validate", *words)
    assert code == 0
    assert "4 of 4 queries answered, 0 missing" in out
    assert command("mldr-eval", "score", *words)[0] == 0


def test_options_are_read_as_yaml(tmp_path: Path, command: Command, small_dataset: mldr.Dataset) -> None:
    out = tmp_path / "p.jsonl"
    assert retrieve(command, small_dataset, out, "random", "-o", "chance=1", "--option", "seed=5")[0] == 0
    assert all(row["utterance_ids"] == list(range(6)) for row in rows_of(out))
    assert '\\"options\\":{\\"chance\\":1,\\"seed\\":5}' in out.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["bm26"], "not registered; known are all, bm25"),
        (["no_such_module:X"], "cannot be loaded"),
        (["all", "--seed", "1"], "all takes no option seed"),
        (["bm25", "-o", "k1=2"], "bm25 takes no option k1; it takes captions"),
        (["random", "-o", "chance=often"], "chance"),
        (["random", "-o", "chance=["], "chance"),
        (["random", "-o", "chance=2024-99-99"], "chance"),
        (["random", "-o", "seed=2024-01-01"], "seed"),
        (["bm25", "-o", "utterance_threshold=high"], "utterance_threshold"),
        ([".relative:X"], ".relative:X"),
        (["json:decoder"], "is no retriever"),
    ],
)
def test_a_bad_system_or_option_is_told_in_words(
    tmp_path: Path, command: Command, small_dataset: mldr.Dataset, words: list[str], message: str
) -> None:
    code, out, err = retrieve(command, small_dataset, tmp_path / "p.jsonl", *words)
    assert code in (1, 2)
    assert out == ""
    assert message in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "words", [["all", "-o", "chance"], ["all", "-o", "=1"], ["all", "-o", "a b=1"], ["all", "--limit", "-1"]]
)
def test_a_flag_that_is_malformed_is_wrong_usage(
    tmp_path: Path, command: Command, small_dataset: mldr.Dataset, words: list[str]
) -> None:
    code, _, err = retrieve(command, small_dataset, tmp_path / "p.jsonl", *words)
    assert code == 2
    assert "Usage" in err


def test_overwriting_resuming_and_limits_are_flags(
    tmp_path: Path, command: Command, small_dataset: mldr.Dataset
) -> None:
    out = tmp_path / "p.jsonl"
    assert "3 predictions" in retrieve(command, small_dataset, out, "all", "--limit", "1")[2]
    code, _, err = retrieve(command, small_dataset, out, "all")
    assert code == 1
    assert "--resume" in err
    assert "--force" in err
    assert "1 predictions" in retrieve(command, small_dataset, out, "all", "--resume")[2]
    assert "4 predictions" in retrieve(command, small_dataset, out, "all", "--force")[2]


def test_a_folder_as_out_is_one_line(tmp_path: Path, command: Command, small_dataset: mldr.Dataset) -> None:
    for words in (["all"], ["all", "--force"], ["all", "--resume"]):
        code, out, err = retrieve(command, small_dataset, tmp_path, *words)
        assert (code, out) == (1, "")
        assert len(err.splitlines()) == 1


def test_a_file_in_the_way_of_a_folder_is_one_line(
    tmp_path: Path, command: Command, small_dataset: mldr.Dataset
) -> None:
    (tmp_path / "file").touch()
    code, _, err = retrieve(command, small_dataset, tmp_path / "file" / "p.jsonl", "all")
    assert code == 1
    assert len(err.splitlines()) == 1
