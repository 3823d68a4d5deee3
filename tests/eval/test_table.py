from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import mldr
from mldr.console import show_table
from mldr.dialogue import Gold
from mldr.eval import Evaluator, Prediction, Scores
from mldr.eval.table import notes, percent, score_tables
from tests.conftest import small_rows, write_dataset
from tests.eval.support import TEST_IDS, bare_images, dataset_of, mixed_dialogue


def shown(scores: dict[str, Scores], capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    for table in score_tables(scores):
        show_table(table)
    return capsys.readouterr().out


def small_scores(dataset: mldr.Dataset, **predictions: Any) -> Scores:
    return Evaluator(dataset, "test").score({TEST_IDS[0]: Prediction(TEST_IDS[0], **predictions)})


@pytest.mark.parametrize(
    ("value", "words"),
    [(None, "-"), (0.0, "0.00"), (1.0, "100.00"), (2 / 3, "66.67"), (-0.5, "-50.00"), (0.00004, "0.00")],
)
def test_a_fraction_is_shown_as_percent_with_two_decimals(value: float | None, words: str) -> None:
    assert percent(value) == words


def test_the_tables_show_every_measure_and_outcome_rate(
    small_dataset: mldr.Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    scores = small_scores(small_dataset, utterance_ids=(0, 2, 5), image_ids=(0,))
    rows = [line.split() for line in shown({"mine": scores}, capsys).splitlines()]
    for scope in ("utt", "img", "joint"):
        cells = next(cells for cells in rows if scope in cells[:2] and len(cells) >= 9)
        names = [f"{scope}_{f}{suffix}" for suffix in ("", "(avg=macro)") for f in ("p", "r", "f1", "mcc")]
        assert cells[-8:] == [percent(scores.measures[name].value) for name in names]
    (rates,) = [cells for cells in rows if cells[:2] == ["mine", "75.00"] and len(cells) == 10]
    assert rates[1:8] == ["75.00", "0.00", "0.00", "0.00", "0.00", "0.00", "25.00"]
    assert rates[8:] == [percent(m["joint_f1"].value) for m in (scores.measures, scores.measures_valid)]


def test_the_table_says_what_was_scored(small_dataset: mldr.Dataset, capsys: pytest.CaptureFixture[str]) -> None:
    scores = small_scores(small_dataset, utterance_ids=(), image_ids=())
    assert "mldr-ffr-tests, test: 4 queries; percent" in shown({"mine": scores}, capsys)


def test_failures_are_marked_in_the_head_of_the_outcomes(
    small_dataset: mldr.Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    text = " ".join(shown({"mine": small_scores(small_dataset, utterance_ids=(), image_ids=())}, capsys).split())
    for word in ("missing*", "refused*", "empty", "ok"):
        assert word in text
    assert "empty*" not in text
    assert "ok*" not in text


def test_nothing_is_cut_in_a_terminal_of_eighty_columns(small_dataset: mldr.Dataset) -> None:
    perfect = Evaluator(small_dataset, "test").score({TEST_IDS[0]: Prediction(TEST_IDS[0], (0, 2), (0,))})
    for table in score_tables({"bm25": perfect, "random": perfect}):
        narrow = io.StringIO()
        Console(file=narrow, width=80).print(table)
        assert "…" not in narrow.getvalue()
        assert any(number in narrow.getvalue() for number in ("100.00", "33.33"))
        assert max(map(len, narrow.getvalue().splitlines())) <= 80


def test_several_systems_stand_below_one_another(
    small_dataset: mldr.Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    scores = small_scores(small_dataset, utterance_ids=(0, 2), image_ids=(0,))
    text = shown({"first": scores, "second": scores}, capsys)
    assert text.count("first ") >= 2
    assert text.count("second ") >= 2
    assert text.index("first") < text.index("second")


HOSTILE = ["[red]x[/red]", "[/]", "x[/bold]", "\x1b[31mred\x1b[0m", "run:x:1"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_system_name_is_shown_as_text(
    small_dataset: mldr.Dataset, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    text = shown({name: small_scores(small_dataset, utterance_ids=(), image_ids=())}, capsys)
    assert "\x1b" not in text
    assert name.replace("\x1b", "\\x1b") in text


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_dataset_name_is_shown_as_text(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    dataset = write_dataset(tmp_path / "d", {"test": small_rows(16, "blue")}, name=name)
    text = shown({"mine": Evaluator(dataset, "test").score({})}, capsys)
    assert "\x1b" not in text
    assert name.replace("\x1b", "\\x1b") in text


# --- notes


def told(scores: Scores) -> str:
    return "\n".join(notes({"mine": scores}))


def test_notes_give_the_reason_why_there_is_no_interval(tmp_path: Path) -> None:
    dialogue = mixed_dialogue(n_images=0)
    scores = Evaluator(dataset_of(tmp_path / "d", dialogue, [Gold("q", "", "fine", (1,))]), "test").score({})
    assert "no intervals: 1 cluster; at least 10 are needed" in told(scores)


def test_notes_say_what_happened_to_ids(tmp_path: Path) -> None:
    dialogue = mixed_dialogue()
    dataset = dataset_of(tmp_path / "d", dialogue, [Gold("q", "", "fine", (1,), (0,))], bare_images(dialogue))
    scores = Evaluator(dataset, "test").score({"q": Prediction("q", (3, 1, 1, 1, 8, 9, 10), ())})
    text = told(scores)
    assert "mine: 1 ids of utterances without text were ignored" in text
    assert "mine: 2 repeated ids were counted once" in text
    assert "mine: 3 ids outside their dialogue were counted as false positives" in text
    assert "captions only: 2 of 2 images" in text


def test_nothing_is_said_about_ids_that_are_all_in_order(small_dataset: mldr.Dataset) -> None:
    text = told(small_scores(small_dataset, utterance_ids=(0, 2), image_ids=(0,)))
    for word in ("textless", "without text", "repeated", "outside", "captions only", "stand on"):
        assert word not in text


def test_notes_mark_a_joint_figure_that_stands_on_one_modality(tmp_path: Path) -> None:
    dialogue = mixed_dialogue()
    dataset = dataset_of(tmp_path / "d", dialogue, [Gold("q", "", "fine", (1,))], bare_images(dialogue))
    text = told(Evaluator(dataset, "test").score({}))
    assert "joint figures (micro) stand on utterances alone" in text
    assert "joint figures (macro)" not in text


def test_a_note_that_holds_for_two_systems_is_said_once(small_dataset: mldr.Dataset) -> None:
    scores = small_scores(small_dataset, utterance_ids=(0, 0), image_ids=())
    lines = notes({"a": scores, "b": scores})
    assert len(lines) == len(set(lines))
    assert sum(line.startswith("no intervals") for line in lines) == 1
    assert sum("repeated" in line for line in lines) == 2


def test_a_hostile_system_name_stays_on_one_line_of_the_notes(small_dataset: mldr.Dataset) -> None:
    scores = small_scores(small_dataset, utterance_ids=(0, 0), image_ids=())
    assert all(line.isprintable() for line in notes({"a\nb\x1b[2J": scores}))


def test_systems_with_and_without_scores_stand_in_one_table(
    small_dataset: mldr.Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    bare = small_scores(small_dataset, utterance_ids=(0,), image_ids=())
    scored = small_scores(small_dataset, utterance_ids=(0,), image_ids=(), utterance_scores=(0.5,), image_scores=())
    assert "utt_ap" not in bare.measures
    for systems in ({"bare": bare, "scored": scored}, {"scored": scored, "bare": bare}):
        (line,) = [line for line in shown(systems, capsys).splitlines() if line.startswith("utt_ap")]
        assert "-" in line.split()[1:]
