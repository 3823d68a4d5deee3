"""The plug-ins that the documentation shows are run as a reader would run them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import mldr
from mldr.eval import Evaluator
from mldr.retrievers import run_retriever
from tests.retrievers.support import rows_of

PLUGINS = Path(__file__).parents[2] / "docs" / "plugins"

pytestmark = pytest.mark.skipif(not PLUGINS.is_dir(), reason="the documentation is not here: the tests run elsewhere")


@pytest.mark.parametrize("name", ["shared_words:SharedWords", "counted_words:CountedWords"])
def test_a_plug_in_of_the_documentation_answers_the_demo_better_than_nothing_does(
    tmp_path: Path, demo_dataset: mldr.Dataset, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.syspath_prepend(str(PLUGINS))
    out = tmp_path / "p.jsonl"
    run_retriever(name, demo_dataset, "test", out)
    evaluator = Evaluator(demo_dataset, "test")
    scores = evaluator.score(evaluator.read(out))
    assert scores.outcomes["missing"] == 0
    assert (scores.measures["utt_f1"].value or 0.0) > 0.1


def test_the_one_that_is_fitted_says_what_was_fitted(
    tmp_path: Path, demo_dataset: mldr.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(PLUGINS))
    run_retriever("counted_words:CountedWords", demo_dataset, "test", tmp_path / "p.jsonl", limit=1)
    meta = json.loads(rows_of(tmp_path / "p.jsonl")[0]["meta"])
    assert meta["fitted_on"] == "validation"
    assert meta["fitted"]["least"] >= 1


def test_the_small_one_has_twenty_lines() -> None:
    lines = (PLUGINS / "shared_words.py").read_text(encoding="utf-8").splitlines()
    assert len([line for line in lines if line.strip()]) <= 20
