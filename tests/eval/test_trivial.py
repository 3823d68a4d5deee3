from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mldr
from mldr.eval import MEASURES
from mldr.eval.counts import count
from mldr.eval.evaluator import Evaluator
from mldr.eval.goldset import GoldSet
from mldr.eval.intake import from_predictions
from mldr.eval.measures.ranked import AveragePrecision
from mldr.eval.outcomes import judge
from mldr.eval.prediction import Prediction
from mldr.eval.trivial import THIRDS, trivial_values
from tests.conftest import Command
from tests.eval.support import Answered, answered_queries, gold_set, row, unhurried, write_jsonl

MEASURED = [measure for measure in MEASURES if not isinstance(measure, AveragePrecision)]


def third_of(size: int, part: int) -> list[int]:
    """Return the ids whose place, as a fraction of the dialogue, lies in a third of it."""
    return [i for i in range(size) if Fraction(part, 3) <= Fraction(i, size) < Fraction(part + 1, 3)]


def answer_of(system: str, n_utterances: int, n_images: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    if system == "none":
        return (), ()
    if system == "all":
        return tuple(range(n_utterances)), tuple(range(n_images))
    part = next(position for position, name in enumerate(THIRDS) if name in system)
    return tuple(third_of(n_utterances, part)), tuple(third_of(n_images, part))


def real_values(gold: GoldSet, system: str) -> dict[str, float | None]:
    """Score a predictions file that says what a trivial system says."""
    names = gold.query_ids.to_pylist()
    sizes = zip(gold.utt.size.tolist(), gold.img.size.tolist(), strict=True)
    rows = [Prediction(name, *answer_of(system, *size)) for name, size in zip(names, sizes, strict=True)]
    table = count(gold, judge(from_predictions(rows, {name: i for i, name in enumerate(names)}), gold))
    return {str(measure): measure(table) for measure in MEASURED}


@unhurried
@given(st.lists(answered_queries(failures=False), min_size=1, max_size=6))
def test_a_trivial_systems_values_are_those_of_a_file_that_says_the_same(queries: list[Answered]) -> None:
    gold = gold_set([item.asked(f"q{position}") for position, item in enumerate(queries)])
    found = dict(trivial_values(gold, MEASURED))
    assert list(found)[:2] == ["all", "none"]
    assert len(found) == 3
    for system, values in found.items():
        for name, expected in real_values(gold, system).items():
            assert values[name] == (None if expected is None else pytest.approx(expected)), (system, name)


@unhurried
@given(st.lists(answered_queries(failures=False), min_size=1, max_size=6))
def test_the_third_that_is_shown_has_the_best_joint_f1_on_this_gold(queries: list[Answered]) -> None:
    gold = gold_set([item.asked(f"q{position}") for position, item in enumerate(queries)])
    shown = list(trivial_values(gold, MEASURED))[-1]
    scores = {name: real_values(gold, name)["joint_f1"] or 0.0 for name in THIRDS}
    assert shown[0] in {f"best third ({name})" for name in THIRDS}
    assert (shown[1]["joint_f1"] or 0.0) == pytest.approx(max(scores.values()))


def test_every_id_lies_in_exactly_one_third() -> None:
    for size in range(20):
        assert [i for part in range(3) for i in third_of(size, part)] == list(range(size))


def test_the_demo_shows_what_systems_get_that_do_not_read(
    tmp_path: Path, command: Command, demo_dataset: mldr.Dataset
) -> None:
    evaluator = Evaluator(demo_dataset, "test")
    path = write_jsonl(tmp_path / "p.jsonl", [row(evaluator.gold.query_ids[0].as_py())])
    found = evaluator.score(evaluator.read(path), resamples=0).trivial
    assert found["none"]["joint_f1"] == 0.0
    for system, values in found.items():
        assert values == pytest.approx(real_values(evaluator.gold, system))
    code, out, _ = command("mldr-eval", "score", str(demo_dataset.folder), str(path), "--split", "test")
    assert code == 0
    assert all(f"[{system}]" in out.replace("\n", " ") for system in ("all", "none"))
