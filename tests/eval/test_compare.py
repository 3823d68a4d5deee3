from __future__ import annotations

import importlib
import itertools
import json
from pathlib import Path
from typing import Any

import pytest

import mldr
from mldr.errors import MldrError
from mldr.eval import parse_measures
from mldr.eval.compare import Comparison, Difference, compare
from mldr.eval.evaluator import Evaluator
from mldr.eval.prediction import Prediction
from tests.conftest import Command
from tests.eval.bruteforce import Case, all_measures
from tests.eval.support import TEST_IDS, ask, gold_set, row, write_jsonl
from tests.eval.support_stats import answers, clustered, clustered_ids

stats: Any = importlib.import_module("scipy.stats")
"""The oracle; it has no type information."""
Rows = dict[str, Prediction]
RIGHT, HALF, WRONG = (1, 2), (1, 3), (4, 5)
"""Answers to the queries of `clustered`, whose gold is utterances 1 and 2 and the image."""


@pytest.fixture(scope="module")
def six(tmp_path_factory: pytest.TempPathFactory) -> Evaluator:
    return clustered(tmp_path_factory.mktemp("six") / "d", 6)


@pytest.fixture(scope="module")
def sixty(tmp_path_factory: pytest.TempPathFactory) -> Evaluator:
    return clustered(tmp_path_factory.mktemp("sixty") / "d", 60)


def some(n_clusters: int, *patterns: tuple[int, ...]) -> Rows:
    """Return answers that follow the patterns in turn."""
    return {
        name: Prediction(name, patterns[number % len(patterns)], (0,))
        for number, name in enumerate(clustered_ids(n_clusters))
    }


def only(comparison: Comparison, measure: str = "utt_f1") -> Difference:
    (found,) = [one for one in comparison.differences if one.measure == measure]
    return found


def brute(rows: list[Prediction], measure: str) -> float:
    cases = [
        Case(6, frozenset(), 1, frozenset({1, 2}), frozenset({0}), (one.utterance_ids or (), one.image_ids or ()))
        for one in rows
    ]
    value = all_measures(cases)[measure]
    assert value is not None
    return value


# --- difference, sign, p


def test_a_difference_is_the_first_minus_the_second(six: Evaluator) -> None:
    found = only(compare(six, {"good": some(6, RIGHT), "bad": some(6, HALF)}, parse_measures(["utt_f1"])))
    assert (found.a, found.b) == ("good", "bad")
    assert (found.value_a, found.value_b, found.difference) == (1.0, 0.5, 0.5)
    turned = only(compare(six, {"bad": some(6, HALF), "good": some(6, RIGHT)}, parse_measures(["utt_f1"])))
    assert (turned.difference, turned.p) == (-0.5, found.p)


@pytest.mark.parametrize("measure", ["utt_f1", "joint_f1(avg=macro)", "utt_mcc"])
def test_with_few_clusters_p_is_that_of_trying_every_swap(six: Evaluator, measure: str) -> None:
    first, second = some(6, RIGHT, HALF, RIGHT), some(6, HALF, WRONG, RIGHT, RIGHT)
    pairs = [(first[name], second[name]) for name in clustered_ids(6)]
    differences = []
    for swaps in itertools.product((0, 1), repeat=6):
        one = [pair[swap] for pair, swap in zip(pairs, swaps, strict=True)]
        two = [pair[1 - swap] for pair, swap in zip(pairs, swaps, strict=True)]
        differences.append(abs(brute(one, measure) - brute(two, measure)))
    expected = sum(value >= differences[0] - 1e-12 for value in differences) / 64
    comparison = compare(six, {"a": first, "b": second}, parse_measures([measure]))
    assert comparison.exact
    assert only(comparison, measure).p == pytest.approx(expected)


def test_the_same_answers_do_not_differ(six: Evaluator, sixty: Evaluator) -> None:
    for evaluator, size in ((six, 6), (sixty, 60)):
        rows = some(size, RIGHT, WRONG, HALF)
        for one in compare(evaluator, {"a": rows, "b": dict(rows)}, permutations=200).differences:
            assert (one.difference, one.p, one.p_holm) == (0.0, 1.0, 1.0)


def test_the_smallest_p_is_that_which_so_many_clusters_can_give(six: Evaluator) -> None:
    comparison = compare(six, {"good": some(6, RIGHT), "bad": some(6, WRONG)}, parse_measures(["utt_f1"]))
    assert comparison.smallest_p == only(comparison).p == 2 / 2**6
    assert "6 clusters can give no p below 0.031" in comparison.note
    assert "nothing can be significant" not in comparison.note


def test_few_clusters_that_can_show_nothing_say_so(tmp_path: Path) -> None:
    comparison = compare(clustered(tmp_path / "d", 4), {"a": some(4, RIGHT), "b": some(4, WRONG)})
    assert comparison.smallest_p == 0.125
    assert "nothing can be significant at 5 % here" in comparison.note
    assert "below 10 clusters no interval is given" in comparison.note


def test_a_query_that_one_system_leaves_out_is_compared_as_a_failure(six: Evaluator) -> None:
    whole, half = some(6, RIGHT), {name: row_ for i, (name, row_) in enumerate(some(6, RIGHT).items()) if i % 2}
    found = only(compare(six, {"whole": whole, "half": half}, parse_measures(["utt_r"])), "utt_r")
    assert found.difference == 0.5


# --- Holm, over all that was asked for


def test_holms_correction_runs_over_measures_times_pairs(six: Evaluator) -> None:
    systems = {"a": some(6, RIGHT), "b": some(6, WRONG), "c": some(6, HALF, RIGHT)}
    comparison = compare(six, systems, parse_measures(["utt_f1", "utt_r(avg=macro)"]))
    found = comparison.differences
    assert [(one.a, one.b) for one in found] == [("a", "b")] * 2 + [("a", "c")] * 2 + [("b", "c")] * 2
    p_values = [one.p for one in found]
    assert None not in p_values
    largest, expected = 0.0, {}
    for rank, position in enumerate(sorted(range(6), key=lambda i: p_values[i] or 0.0)):
        largest = max(largest, min(1.0, (6 - rank) * (p_values[position] or 0.0)))
        expected[position] = largest
    assert [one.p_holm for one in found] == pytest.approx([expected[position] for position in range(6)])
    assert found[0].p_holm != found[0].p


def test_one_test_alone_needs_no_correction(six: Evaluator) -> None:
    found = only(compare(six, {"a": some(6, RIGHT), "b": some(6, HALF)}, parse_measures(["utt_f1"])))
    assert found.p_holm == found.p


def test_a_measure_without_value_is_no_test_and_costs_the_others_nothing(tmp_path: Path) -> None:
    class Bare(Evaluator):
        gold_hash = ""

        def __init__(self) -> None:
            self.gold = gold_set([ask(n_images=0, gold_utterances=[0], query_id=f"q{i}") for i in range(3)])

    systems = {name: {f"q{i}": Prediction(f"q{i}", (i,), ()) for i in range(3)} for name in "ab"}
    first, second = compare(Bare(), systems, parse_measures(["img_f1", "utt_f1"])).differences
    assert (first.difference, first.p, first.p_holm) == (None, None, None)
    assert second.p_holm == second.p == 1.0


# --- intervals and power


def test_below_ten_clusters_there_is_no_interval_and_no_smallest_difference(tmp_path: Path) -> None:
    for n_clusters in (9, 10):
        evaluator = clustered(tmp_path / str(n_clusters), n_clusters)
        systems = {"a": some(n_clusters, RIGHT, HALF), "b": some(n_clusters, HALF, WRONG, HALF)}
        found = only(compare(evaluator, systems, parse_measures(["utt_f1"]), resamples=200))
        given = n_clusters >= 10
        assert [value is not None for value in (found.low, found.high, found.smallest_detectable)] == [given] * 3


def test_the_interval_and_the_smallest_difference_are_those_of_paired_differences(sixty: Evaluator) -> None:
    """Recall of queries with equal gold is a mean over clusters, so theory gives the error of its difference."""
    first, second = some(60, RIGHT, HALF, RIGHT), some(60, HALF, WRONG, RIGHT, WRONG, HALF)
    found = only(compare(sixty, {"a": first, "b": second}, parse_measures(["utt_r"]), resamples=4_000), "utt_r")
    recalls = [[len({1, 2} & set(rows[name].utterance_ids or ())) / 2 for rows in (first, second)] for name in first]
    deltas = [a - b for a, b in recalls]
    mean = sum(deltas) / 60
    error = (sum((delta - mean) ** 2 for delta in deltas) / 60) ** 0.5 / 60**0.5
    assert found.difference == pytest.approx(mean)
    assert found.smallest_detectable == pytest.approx(error * (stats.norm.ppf(0.975) + stats.norm.ppf(0.8)), rel=0.06)
    assert found.low == pytest.approx(mean - stats.norm.ppf(0.975) * error, abs=0.03)
    assert found.high == pytest.approx(mean + stats.norm.ppf(0.975) * error, abs=0.03)


def test_the_seed_decides_a_comparison(sixty: Evaluator) -> None:
    systems = {"a": some(60, RIGHT, HALF, WRONG), "b": some(60, HALF, RIGHT)}
    one, same, other = (
        compare(sixty, systems, resamples=100, permutations=100, seed=seed).model_dump() for seed in (1, 1, 2)
    )
    assert one == same
    assert one["differences"] != other["differences"]


# --- refusals


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_systems_are_refused(six: Evaluator, count: int) -> None:
    with pytest.raises(MldrError, match="two predictions files or more"):
        compare(six, dict(list({"a": some(6, RIGHT)}.items())[:count]))


def test_average_precision_without_scores_is_refused_in_words(six: Evaluator) -> None:
    scored = {
        name: Prediction(name, (1, 2), (0,), utterance_scores=(0.5, 0.25), image_scores=(1.0,))
        for name in clustered_ids(6)
    }
    measures = parse_measures(["utt_ap"])
    assert only(compare(six, {"a": scored, "b": scored}, measures), "utt_ap").value_a == 1.0
    with pytest.raises(MldrError, match="carry scores"):
        compare(six, {"a": scored, "b": answers(clustered_ids(6), RIGHT)}, measures)


# --- the command line


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """Files about the test split of `small_dataset`, and files that are not."""
    other = [f"{number:016x}-{position:08x}" for number, position in ((0, 0), (0, 1), (0, 2), (1, 3))]
    return {
        "good": str(write_jsonl(tmp_path / "good.jsonl", [row(TEST_IDS[0], [0, 2], [0]), row(TEST_IDS[3])])),
        "bad": str(write_jsonl(tmp_path / "bad.jsonl", [row(TEST_IDS[0], [1], [])])),
        "validation": str(write_jsonl(tmp_path / "validation.jsonl", [row(query_id) for query_id in other])),
        "elsewhere": str(write_jsonl(tmp_path / "elsewhere.jsonl", [row(f"x{number}") for number in range(30)])),
    }


def compared(command: Command, dataset: mldr.Dataset, *words: str) -> tuple[int, str, str]:
    return command("mldr-eval", "compare", str(dataset.folder), *words, "--split", "test")


def test_a_comparison_as_json_is_the_model(
    command: Command, small_dataset: mldr.Dataset, files: dict[str, str]
) -> None:
    code, out, err = compared(command, small_dataset, files["good"], files["bad"], "--json", "-m", "utt_r")
    assert (code, err) == (0, "")
    found = Comparison.model_validate_json(out)
    assert found == compare(
        Evaluator(small_dataset, "test"),
        {name: read(files[name]) for name in ("good", "bad")},
        parse_measures(["utt_r"]),
    )
    assert found.differences[0].value_a == 0.5


def read(path: str) -> Rows:
    rows: list[dict[str, Any]] = [json.loads(line) for line in Path(path).read_text().splitlines()]
    return {
        one["query_id"]: Prediction(one["query_id"], tuple(one["utterance_ids"]), tuple(one["image_ids"]))
        for one in rows
    }


def test_a_comparison_is_a_table_with_its_note(
    command: Command, small_dataset: mldr.Dataset, files: dict[str, str]
) -> None:
    code, out, err = compared(command, small_dataset, files["good"], files["bad"], files["good"])
    assert (code, err) == (0, "")
    assert "note: whole clusters are resampled and swapped; 2 clusters can give no p below 0.5" in out
    assert "joint_f1" in out


def test_one_system_or_none_is_refused_by_the_command(
    command: Command, small_dataset: mldr.Dataset, files: dict[str, str]
) -> None:
    code, out, err = compared(command, small_dataset, files["good"])
    assert (code, out, len(err.splitlines())) == (1, "", 1)
    assert "needs two" in err
    code, out, err = compared(command, small_dataset)
    assert (code, out) == (2, "")


@pytest.mark.parametrize("name", ["validation", "elsewhere"])
@pytest.mark.parametrize("position", [0, 1])
def test_a_file_of_another_split_or_dataset_is_refused_in_one_line(
    command: Command, small_dataset: mldr.Dataset, files: dict[str, str], name: str, position: int
) -> None:
    words = [files["good"], files["bad"]]
    words[position] = files[name]
    code, out, err = compared(command, small_dataset, *words)
    assert (code, out) == (1, "")
    assert len(err.splitlines()) == 1
    assert files[name] in err


@pytest.mark.parametrize("indent", [True, False])
@pytest.mark.parametrize("many", [True, False])
def test_a_score_file_given_in_place_of_predictions_is_refused_in_one_line(
    tmp_path: Path, command: Command, small_dataset: mldr.Dataset, files: dict[str, str], indent: bool, many: bool
) -> None:
    names = (files["good"], files["bad"]) if many else (files["good"],)
    _, out, _ = command("mldr-eval", "score", str(small_dataset.folder), *names, "--split", "test", "--json")
    scores = tmp_path / "scores.json"
    scores.write_text(out if indent else json.dumps(json.loads(out)) + "\n")
    for verb in ("compare", "score", "validate"):
        words = (files["good"], str(scores)) if verb == "compare" else (str(scores),)
        code, out, err = command("mldr-eval", verb, str(small_dataset.folder), *words, "--split", "test")
        assert (code, out) == (1, "")
        assert len(err.splitlines()) == 1, verb
        assert str(scores) in err


def test_a_file_with_some_queries_of_another_split_is_refused_with_each_line(
    tmp_path: Path, command: Command, small_dataset: mldr.Dataset, files: dict[str, str]
) -> None:
    path = write_jsonl(tmp_path / "mixed.jsonl", [row(TEST_IDS[0]), row("x1"), row(TEST_IDS[1]), row("x2")])
    code, out, err = compared(command, small_dataset, files["good"], str(path))
    assert (code, out) == (1, "")
    assert "line 2" in err
    assert "line 4" in err


@pytest.mark.parametrize(
    "options",
    [["-m", "utt_ap"], ["-m", "utt_f2"], ["-m", "joint_ap", "--json"]],
    ids=str,
)
def test_a_measure_that_cannot_be_compared_ends_with_1(
    command: Command, small_dataset: mldr.Dataset, files: dict[str, str], options: list[str]
) -> None:
    code, out, err = compared(command, small_dataset, files["good"], files["bad"], *options)
    assert (code, out) == (1, "")
    assert err


@pytest.mark.parametrize("options", [["--permutations", "0"], ["--resamples", "-1"], ["--seed", "x"]], ids=str)
def test_wrong_usage_of_compare_ends_with_2(
    command: Command, small_dataset: mldr.Dataset, files: dict[str, str], options: list[str]
) -> None:
    code, out, _ = compared(command, small_dataset, files["good"], files["bad"], *options)
    assert (code, out) == (2, "")
