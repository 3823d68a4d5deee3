from __future__ import annotations

import re
from pathlib import Path

import pytest

import mldr
from mldr.builders.card import card
from mldr.builders.floor import floor
from mldr.builders.papers import OURS, PAPERS, published
from mldr.eval import Evaluator
from mldr.eval.measures import SET_MEASURES
from mldr.retrievers.runner import run_retriever
from mldr.summary import SplitSummary, summarise
from mldr.tables import Record
from tests.conftest import small_dialogue, small_rows, write_dataset


@pytest.mark.parametrize("system", ["all", "none", "random"])
def test_the_floor_is_what_the_retrievers_score(demo_dataset: mldr.Dataset, system: str, tmp_path: Path) -> None:
    found = floor(demo_dataset, "test", SET_MEASURES)[system]
    out = tmp_path / "predictions.jsonl"
    run_retriever(system, demo_dataset, "test", out)
    evaluator = Evaluator(demo_dataset, "test")
    scores = evaluator.score(evaluator.read(out), SET_MEASURES, resamples=0)
    assert found == pytest.approx({name: value.value for name, value in scores.measures.items()})


def test_the_floor_does_not_depend_on_how_many_queries_are_held(
    demo_dataset: mldr.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = floor(demo_dataset, "test", SET_MEASURES)
    monkeypatch.setattr("mldr.builders.floor._CHUNK", 7)
    for system, values in floor(demo_dataset, "test", SET_MEASURES).items():
        assert values == pytest.approx(whole[system])


def test_a_modality_without_gold_has_no_floor(tmp_path: Path) -> None:
    rows = small_rows(0, "red")
    kept = [g for g in rows["gold"] if isinstance(g, mldr.Gold) and not g.image_ids]
    rows["gold"] = list[Record](kept)
    names = {gold.query_id for gold in kept}
    rows["queries"] = [q for q in rows["queries"] if isinstance(q, mldr.Query) and q.query_id in names]
    found = floor(write_dataset(tmp_path, {"test": rows}), "test", SET_MEASURES)
    assert found["all"]["img_f1"] is None
    assert found["none"]["utt_f1"] == 0


def test_figures_that_were_not_published_are_said_so_and_none_lacks_its_source() -> None:
    rows = published()
    assert any(figure is None for row in rows for figure in row.figures)
    for row in rows:
        assert row.ours in OURS or row.ours in {*SplitSummary.model_fields, "all_joint_f1", "agreement"}
        for figure in row.figures:
            assert figure is None or figure.source
    by_name = {row.ours: row for row in rows}
    assert by_name["dialogues"].mldr is not None
    assert by_name["dialogues"].mldr.value == "37,030"
    assert by_name["queries"].mldr is None


def test_the_papers_figures_stand_beside_the_sets_own(demo_dataset: mldr.Dataset) -> None:
    text = card(demo_dataset, "")
    mean = f"{summarise(demo_dataset, 'test').utterances.mean:.2f}"
    assert f"\n| utterances a dialogue | {mean} | {mean} | 25.45 | 145.38 (75.38 a sample) | 8.20 |\n" in text
    assert "| 31.3 %\\* |" in text
    assert "not published" in text
    for paper in PAPERS:
        assert paper in text


def figure(ours: str, paper: str) -> float:
    """Return the first number of a published figure."""
    found = next(row for row in published() if row.ours == ours).figures[PAPERS.index(paper)]
    assert found is not None
    return float(re.findall(r"[0-9.,]*[0-9]", found.value)[0].replace(",", ""))


def test_derived_figures_agree_with_the_published_ones_that_they_come_from() -> None:
    dialogues = figure("dialogues", "MLDR")
    assert figure("images", "MLDR") / dialogues == pytest.approx(figure("images_mean", "MLDR"), abs=0.005)
    assert figure("utterances", "MLDR") / dialogues == pytest.approx(figure("utterances_mean", "MLDR"), abs=0.005)
    for paper in ("MLDR", "WeChat-MDR"):
        shares = [figure(f"{modality}_share_all", paper) / 100 for modality in ("utterance", "image")]
        joint = sum(2 * share / (1 + share) for share in shares) / 2
        assert 100 * joint == pytest.approx(figure("all_joint_f1", paper), abs=0.06)
    for modality in ("utterance", "image"):
        share, size = figure(f"{modality}_share_all", "MLDR"), figure(f"{modality}s_mean", "MLDR")
        assert share / 100 * size == pytest.approx(figure(f"gold_{modality}s_all", "MLDR"), abs=0.05)


def test_a_card_of_a_set_without_gold_shows_no_floor(tmp_path: Path) -> None:
    dataset = write_dataset(tmp_path, {"test": {"dialogues": [small_dialogue(1)]}})
    text = card(dataset, "Careful.")
    assert "What a system gets" not in text
    assert "| queries by kind | - | not published | not published | not published |" in text


def test_the_card_is_the_same_each_time_and_markdown_of_the_notice_is_dead(demo_dataset: mldr.Dataset) -> None:
    text = card(demo_dataset, "<script>")
    assert text == card(demo_dataset, "<script>")
    assert "<script>" not in text
