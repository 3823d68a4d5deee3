from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import mldr
from mldr.errors import InputError, MldrError
from mldr.eval import read_predictions
from mldr.retrievers import run_retriever
from mldr.retrievers.runner import make_retriever
from tests.conftest import Command
from tests.eval.support import TEST_IDS, without_gold
from tests.retrievers import plugins
from tests.retrievers.support import plug_in, rows_of, steady


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a module of plug-ins that go wrong."""
    return plug_in(plugins.SOURCE, tmp_path / "plug_ins", monkeypatch)


# --- what is written


def test_each_query_gets_one_row_in_the_order_of_the_dataset(
    tmp_path: Path, module: str, small_dataset: mldr.Dataset
) -> None:
    out = tmp_path / "deep" / "folder" / "p.jsonl"
    assert run_retriever(f"{module}:Echo", small_dataset, "test", out) == 4
    assert [row["query_id"] for row in rows_of(out)] == list(TEST_IDS)
    assert set(read_predictions(out, set(TEST_IDS))) == set(TEST_IDS)


def test_a_row_records_its_system_what_it_sees_and_its_options_beside_its_own_meta(
    tmp_path: Path, module: str, small_dataset: mldr.Dataset
) -> None:
    run_retriever(f"{module}:Echo", small_dataset, "test", tmp_path / "p.jsonl", options={"word": "hm"})
    metas = [json.loads(row["meta"]) for row in rows_of(tmp_path / "p.jsonl")]
    assert metas == [
        {"own": "好", "system": f"{module}:Echo", "sees": ["text"], "mldr": mldr.__version__, "options": {"word": "hm"}}
    ] * len(TEST_IDS)


def test_gold_of_the_answered_split_is_not_needed(tmp_path: Path, module: str) -> None:
    assert run_retriever(f"{module}:Echo", without_gold(tmp_path / "d"), "test", tmp_path / "p.jsonl") == 4


def test_predictions_are_written_as_they_come(tmp_path: Path, module: str, small_dataset: mldr.Dataset) -> None:
    with pytest.raises(Exception, match="broke half-way"):
        run_retriever(f"{module}:FailsHalfWay", small_dataset, "test", tmp_path / "p.jsonl")
    assert [row["query_id"] for row in rows_of(tmp_path / "p.jsonl")] == list(TEST_IDS[:2])


def test_a_retriever_that_fails_is_said_to_have_failed(
    tmp_path: Path, module: str, small_dataset: mldr.Dataset
) -> None:
    with pytest.raises(MldrError, match=r"FailsHalfWay.*broke half-way"):
        run_retriever(f"{module}:FailsHalfWay", small_dataset, "test", tmp_path / "p.jsonl")


@pytest.mark.parametrize("name", ["Stranger", "Twice"])
def test_an_answer_to_a_query_that_is_not_open_is_refused(
    tmp_path: Path, module: str, small_dataset: mldr.Dataset, name: str
) -> None:
    with pytest.raises(MldrError, match="not asked, or twice"):
        run_retriever(f"{module}:{name}", small_dataset, "test", tmp_path / "p.jsonl")


def test_a_query_that_is_left_out_is_missing_and_no_fault(
    tmp_path: Path, module: str, small_dataset: mldr.Dataset
) -> None:
    assert run_retriever(f"{module}:LeavesOut", small_dataset, "test", tmp_path / "p.jsonl") == 2


def test_a_response_that_broke_off_inside_a_character_is_written_and_read_back(
    tmp_path: Path, module: str, small_dataset: mldr.Dataset
) -> None:
    run_retriever(f"{module}:Surrogates", small_dataset, "test", tmp_path / "p.jsonl")
    assert set(read_predictions(tmp_path / "p.jsonl", set(TEST_IDS))) == set(TEST_IDS)


@pytest.mark.parametrize(("limit", "expected"), [(0, 0), (1, 3), (2, 4), (99, 4)])
def test_a_limit_counts_dialogues(
    tmp_path: Path, module: str, small_dataset: mldr.Dataset, limit: int, expected: int
) -> None:
    out = tmp_path / "p.jsonl"
    assert run_retriever(f"{module}:Echo", small_dataset, "test", out, limit=limit) == expected
    assert len(rows_of(out)) == expected


def test_an_unknown_split_is_refused_before_anything_is_written(
    tmp_path: Path, module: str, small_dataset: mldr.Dataset
) -> None:
    with pytest.raises(MldrError, match="no split 'dev'"):
        run_retriever(f"{module}:Echo", small_dataset, "dev", tmp_path / "p.jsonl")
    assert not (tmp_path / "p.jsonl").exists()


# --- what stands there already


def test_a_file_is_not_overwritten_without_force(tmp_path: Path, module: str, small_dataset: mldr.Dataset) -> None:
    out = tmp_path / "p.jsonl"
    out.write_text("mine", encoding="utf-8")
    with pytest.raises(MldrError, match=r"--resume.*--force"):
        run_retriever(f"{module}:Echo", small_dataset, "test", out)
    assert out.read_text(encoding="utf-8") == "mine"
    assert run_retriever(f"{module}:Echo", small_dataset, "test", out, force=True) == 4
    assert len(rows_of(out)) == 4


def test_force_keeps_the_old_file_when_the_system_cannot_be_made(
    tmp_path: Path, module: str, small_dataset: mldr.Dataset
) -> None:
    out = tmp_path / "p.jsonl"
    out.write_text("mine", encoding="utf-8")
    with pytest.raises(MldrError):
        run_retriever(f"{module}:Absent", small_dataset, "test", out, force=True)
    assert out.read_text(encoding="utf-8") == "mine"


def test_a_run_cut_at_any_byte_resumes_to_the_same_rows(
    tmp_path: Path, module: str, small_dataset: mldr.Dataset
) -> None:
    whole, cut = tmp_path / "whole.jsonl", tmp_path / "cut.jsonl"
    run_retriever(f"{module}:Echo", small_dataset, "test", whole)
    expected = whole.read_bytes()
    ends = [position for position, byte in enumerate(expected) if byte == ord("\n")]
    for keep in sorted({0, 1, *range(7, len(expected), 41), *ends, *(end + 1 for end in ends), len(expected) - 1}):
        cut.write_bytes(expected[:keep])
        written = run_retriever(f"{module}:Echo", small_dataset, "test", cut, resume=True)
        assert steady(cut) == steady(whole)
        assert cut.read_bytes().startswith(expected[:keep].rpartition(b"\n")[0])  # what was there is not answered again
        assert written == len(TEST_IDS) - expected[:keep].count(b"\n")


@pytest.mark.parametrize("name", ["all", "none", "random", "bm25"])
def test_the_reference_systems_resume_to_the_same_rows(tmp_path: Path, small_dataset: mldr.Dataset, name: str) -> None:
    run_retriever(name, small_dataset, "test", tmp_path / "whole.jsonl")
    expected = (tmp_path / "whole.jsonl").read_bytes()
    (tmp_path / "cut.jsonl").write_bytes(expected[: len(expected) * 2 // 5])
    run_retriever(name, small_dataset, "test", tmp_path / "cut.jsonl", resume=True)
    assert steady(tmp_path / "cut.jsonl") == steady(tmp_path / "whole.jsonl")


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX")
def test_a_killed_run_resumes_to_the_rows_of_an_undisturbed_one(
    tmp_path: Path, module: str, small_dataset: mldr.Dataset
) -> None:
    def run(out: str, *words: str) -> int:
        call = [sys.executable, "-c", "from mldr.cli import main; main()", "retrieve", f"{module}:KilledHalfWay"]
        place = [str(small_dataset.folder), "--split", "test", "--out", str(tmp_path / out)]
        return subprocess.run(
            [*call, *place, *words], cwd=tmp_path / "plug_ins", check=False, capture_output=True
        ).returncode

    assert run("p.jsonl") < 0
    assert [row["query_id"] for row in rows_of(tmp_path / "p.jsonl")] == list(TEST_IDS[:2])
    with (tmp_path / "p.jsonl").open("ab") as stream:
        stream.write('{"image_ids":[],"meta":"{\\"own\\":\\"好'.encode()[:-1])
    assert run("p.jsonl", "--resume") == 0
    assert run("undisturbed.jsonl") == 0
    assert steady(tmp_path / "p.jsonl") == steady(tmp_path / "undisturbed.jsonl")


def test_a_limited_run_resumes_to_the_whole(tmp_path: Path, module: str, small_dataset: mldr.Dataset) -> None:
    run_retriever(f"{module}:Echo", small_dataset, "test", tmp_path / "whole.jsonl")
    run_retriever(f"{module}:Echo", small_dataset, "test", tmp_path / "p.jsonl", limit=1)
    assert run_retriever(f"{module}:Echo", small_dataset, "test", tmp_path / "p.jsonl", resume=True) == 1
    assert steady(tmp_path / "p.jsonl") == steady(tmp_path / "whole.jsonl")


def test_resuming_a_finished_run_changes_nothing(tmp_path: Path, module: str, small_dataset: mldr.Dataset) -> None:
    out = tmp_path / "p.jsonl"
    run_retriever(f"{module}:Echo", small_dataset, "test", out)
    before = out.read_bytes()
    assert run_retriever(f"{module}:Echo", small_dataset, "test", out, resume=True) == 0
    assert out.read_bytes() == before


def test_resuming_what_was_never_begun_begins_it(tmp_path: Path, module: str, small_dataset: mldr.Dataset) -> None:
    assert run_retriever(f"{module}:Echo", small_dataset, "test", tmp_path / "p.jsonl", resume=True) == 4


def test_resume_refuses_another_system_or_other_options(
    tmp_path: Path, module: str, small_dataset: mldr.Dataset
) -> None:
    out = tmp_path / "p.jsonl"
    run_retriever(f"{module}:Echo", small_dataset, "test", out, options={"word": "a"}, limit=1)
    before = out.read_bytes()
    for name, options in (("all", {}), (f"{module}:Echo", {}), (f"{module}:Echo", {"word": "b"})):
        with pytest.raises(MldrError, match="another system or other options"):
            run_retriever(name, small_dataset, "test", out, options=options, resume=True)
    assert out.read_bytes() == before


def test_resume_refuses_a_system_that_was_fitted_otherwise(tmp_path: Path, small_dataset: mldr.Dataset) -> None:
    out = tmp_path / "p.jsonl"
    run_retriever("bm25", small_dataset, "test", out, limit=1)
    changed = out.read_text(encoding="utf-8").replace('utterances_threshold\\":', 'utterances_threshold\\":9')
    assert changed != out.read_text(encoding="utf-8")
    out.write_text(changed, encoding="utf-8")
    with pytest.raises(MldrError, match="another system or other options"):
        run_retriever("bm25", small_dataset, "test", out, resume=True)


def test_resume_refuses_a_file_that_is_no_predictions_file(
    tmp_path: Path, module: str, small_dataset: mldr.Dataset
) -> None:
    out = tmp_path / "p.jsonl"
    out.write_text("my notes\n", encoding="utf-8")
    with pytest.raises(InputError, match="line 1"):
        run_retriever(f"{module}:Echo", small_dataset, "test", out, resume=True)
    assert out.read_text(encoding="utf-8") == "my notes\n"


def test_resume_refuses_the_predictions_of_another_split(
    tmp_path: Path, module: str, small_dataset: mldr.Dataset
) -> None:
    out = tmp_path / "p.jsonl"
    run_retriever(f"{module}:Echo", small_dataset, "validation", out)
    with pytest.raises(MldrError, match="it answers another split or dataset"):
        run_retriever(f"{module}:Echo", small_dataset, "test", out, resume=True)


# --- finding and making a system


def test_an_option_that_a_system_does_not_take_is_named_with_those_that_it_takes(module: str) -> None:
    with pytest.raises(MldrError, match=r"takes no option colour, size; it takes word, upper"):
        make_retriever(f"{module}:Echo", {"size": 1, "word": "x", "colour": 2})
    with pytest.raises(MldrError, match=r"all takes no option seed; it takes none"):
        make_retriever("all", {"seed": 1})


@pytest.mark.parametrize(
    "name", ["bm26", "", "mldr", "no_such_module:Class", "mldr.retrievers.trivial:Some", ":", "a:", ":b"]
)
def test_a_name_of_no_system_is_refused_in_words(name: str) -> None:
    with pytest.raises(MldrError, match=r"not registered; known are all, bm25|cannot be loaded"):
        make_retriever(name, {})


@pytest.mark.parametrize("name", ["NoRetriever", "CONSTANT", "annotations"])
def test_what_is_no_retriever_is_refused_in_words(module: str, name: str) -> None:
    with pytest.raises(MldrError, match="is no retriever"):
        make_retriever(f"{module}:{name}", {})


def test_a_module_of_the_current_folder_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command, small_dataset: mldr.Dataset
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine_in_cwd.py").write_text(plugins.SOURCE.read_text(encoding="utf-8"), encoding="utf-8")
    words = [str(small_dataset.folder), "--split", "test", "--out", "p.jsonl", "-o", "word=hm", "-o", "upper=true"]
    code, out, err = command("mldr", "retrieve", "mine_in_cwd:Echo", *words)
    assert (code, out) == (0, "p.jsonl\n")
    assert "4 predictions written" in err
    assert all(row["response"].startswith("HM问") for row in rows_of(tmp_path / "p.jsonl"))
