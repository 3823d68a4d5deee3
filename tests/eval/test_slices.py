from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import mldr
from mldr.dialogue import Gold, Query
from mldr.errors import InputError, MldrError
from mldr.eval.evaluator import Evaluator
from mldr.eval.prediction import Prediction
from mldr.eval.slices import BUILT_IN, NOT_IN_TABLE, slicings
from tests.conftest import Command, Rows, small_dialogue, stored_picture, write_dataset
from tests.eval.bruteforce import Case, all_measures
from tests.eval.bruteforce_more import agreement, answerability
from tests.eval.support import TEST_IDS, Answered, answered_queries, gold_set, row, unhurried, write_jsonl
from tests.eval.support_stats import clustered, clustered_ids

Q = [f"{number:016x}-{0:08x}" for number in range(6)]


def varied_rows() -> Rows:
    """Return six dialogues of different sizes with a query each, so that every built-in slicing parts them."""
    picture = stored_picture("green")
    sizes = ((6, 0), (12, 1), (24, 2), (36, 3), (70, 8), (101, 9))
    golds = (
        Gold(Q[0], "f0", "topic", (0, 1, 2), (), label_source="human"),
        Gold(Q[1], "f1", "coarse", (1, 2, 6), (0,), label_source="model", label_model="m-1"),
        Gold(Q[2], "f2", "fine", (16, 23), (1,), label_source="model", label_model="m-2"),
        Gold(Q[3], "", "free", (), (), label_source="human", negative_type="near"),
        Gold(Q[4], "f4", "fine", (), (0, 7)),
        Gold(Q[5], "f5", "fine", (*range(3, 98, 2), 98, 99, 100), tuple(range(9))),
    )
    rows: Rows = {"dialogues": [], "queries": [], "gold": list(golds), "fragments": [], "images": [picture]}
    for number, (n_utterances, n_images) in enumerate(sizes):
        dialogue = small_dialogue(number, n_utterances, [picture] * n_images)
        language, origin = ("zh" if number % 2 else "en"), ("real" if number >= 3 else "stitched")
        rows["dialogues"].append(
            replace(dialogue, language=language, origin="real" if origin == "real" else "stitched")
        )
        rows["queries"].append(Query(Q[number], dialogue.dialogue_id, language, "where?"))
    return rows


@pytest.fixture(scope="module")
def varied(tmp_path_factory: pytest.TempPathFactory) -> Evaluator:
    return Evaluator(write_dataset(tmp_path_factory.mktemp("varied") / "d", {"test": varied_rows()}), "test")


def labels(evaluator: Evaluator, name: str, table: Path | None = None) -> list[str]:
    """Return the label of each query."""
    (found,) = slicings(evaluator.gold, [name], table)
    assert found.name == name
    return [found.labels[code] for code in found.code]


def table_file(path: Path, **columns: Any) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


# --- what is built in

EXPECTED: dict[str, list[str]] = {
    "kind": ["utterance", "multimodal", "multimodal", "negative", "image", "multimodal"],
    "level": ["topic", "coarse", "fine", "free", "fine", "fine"],
    "label_source": ["human", "model", "model", "human", "rule", "rule"],
    "label_model": ["(none)", "m-1", "m-2", "(none)", "(none)", "(none)"],
    "negative_type": ["(none)", "(none)", "(none)", "near", "(none)", "(none)"],
    "language": ["en", "zh", "en", "zh", "en", "zh"],
    "origin": ["stitched", "stitched", "stitched", "real", "real", "real"],
    "n_utterances": ["up to 10", "11 to 20", "21 to 35", "36 to 65", "66 to 100", "more than 100"],
    "n_images": ["0", "1", "2", "3 to 4", "5 to 8", "more than 8"],
    "gold_density": ["up to 50 %", "up to 50 %", "up to 25 %", "0 %", "up to 10 %", "more than 50 %"],
    "scatter": ["1 (contiguous)", "up to 2", "up to 4", "no gold utterance", "no gold utterance", "up to 2"],
    "topic_position": [
        "first third",
        "first third",
        "last third",
        "no gold utterance",
        "no gold utterance",
        "middle third",
    ],
}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_each_built_in_slicing_parts_the_queries_as_worked_out_by_hand(varied: Evaluator, name: str) -> None:
    assert labels(varied, name) == EXPECTED[name]


def test_every_built_in_slicing_is_worked_out_here() -> None:
    assert set(EXPECTED) == set(BUILT_IN)


# --- a table keyed by query_id


def test_words_of_a_table_part_the_queries_by_their_ids(varied: Evaluator, tmp_path: Path) -> None:
    path = table_file(tmp_path / "t.parquet", query_id=[Q[4], "x", Q[0], Q[1]], difficulty=["easy", "odd", "hard", ""])
    expected = ["hard", "(none)", NOT_IN_TABLE, NOT_IN_TABLE, "easy", NOT_IN_TABLE]
    assert labels(varied, "difficulty", path) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([3, 1, 3, 2, 1, 3], ["3", "1", "3", "2", "1", "3"]),
        ([0.5, 0.25, 0.5, 2.0, 0.25, 1.5], ["0.5", "0.25", "0.5", "2", "0.25", "1.5"]),
        ([True, False, None, True, True, True], ["true", "false", NOT_IN_TABLE, "true", "true", "true"]),
    ],
)
def test_few_numbers_of_a_table_are_slices_of_their_own(
    varied: Evaluator, tmp_path: Path, values: list[Any], expected: list[str]
) -> None:
    assert labels(varied, "x", table_file(tmp_path / "t.parquet", query_id=Q, x=values)) == expected


def test_categories_of_a_table_are_words(varied: Evaluator, tmp_path: Path) -> None:
    words = pa.array(["a", "b", "a", None, "b", "a"]).dictionary_encode()
    path = table_file(tmp_path / "t.parquet", query_id=pa.array(Q).dictionary_encode(), x=words)
    assert labels(varied, "x", path) == ["a", "b", "a", NOT_IN_TABLE, "b", "a"]


@pytest.mark.parametrize("kind", [pa.float64(), pa.int32(), pa.float32()])
def test_many_numbers_of_a_table_are_cut_at_the_quartiles(tmp_path: Path, kind: pa.DataType) -> None:
    evaluator, names = clustered(tmp_path / "d", 14), clustered_ids(14)
    path = table_file(tmp_path / "t.parquet", query_id=names[:13], x=pa.array(list(range(0, 130, 10)), kind))
    expected = ["up to 30"] * 4 + ["30 to 60"] * 3 + ["60 to 90"] * 3 + ["above 90"] * 3 + [NOT_IN_TABLE]
    assert labels(evaluator, "x", path) == expected


def test_quartiles_that_look_alike_are_still_slices_of_different_names(tmp_path: Path) -> None:
    evaluator, names = clustered(tmp_path / "d", 16), clustered_ids(16)
    values = pa.array([1_000_000 + number for number in range(16)], pa.int64())
    path = table_file(tmp_path / "t.parquet", query_id=names, x=values)
    (found,) = slicings(evaluator.gold, ["x"], path)
    assert len(set(found.labels)) == len(found.labels) == 4


def test_a_table_about_other_queries_is_refused_in_one_line(tmp_path: Path) -> None:
    evaluator = clustered(tmp_path / "d", 3)
    path = table_file(tmp_path / "t.parquet", query_id=[f"x{i}" for i in range(20)], x=[i / 7 for i in range(20)])
    with pytest.raises(MldrError, match="names no query of this split"):
        labels(evaluator, "x", path)


def test_a_column_of_too_many_words_parts_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    evaluator = clustered(tmp_path / "d", 3)
    ids = evaluator.gold.query_ids.to_pylist()
    path = table_file(tmp_path / "t.parquet", query_id=ids, x=[f"note {i}" for i in range(len(ids))])
    monkeypatch.setattr("mldr.eval.slices._MOST_SLICES", 2)
    with pytest.raises(MldrError, match="at most 2 slices"):
        labels(evaluator, "x", path)


def test_a_column_of_the_table_goes_before_a_built_in_of_its_name(varied: Evaluator, tmp_path: Path) -> None:
    path = table_file(tmp_path / "t.parquet", query_id=Q, level=["mine"] * 6)
    assert set(labels(varied, "level", path)) == {"mine"}
    assert labels(varied, "kind", path) == EXPECTED["kind"]


def test_a_name_asked_for_twice_is_one_slicing(varied: Evaluator) -> None:
    assert [one.name for one in slicings(varied.gold, ["kind", "level", "kind"])] == ["kind", "level"]


def test_unknown_names_are_reported_all_at_once_with_what_is_known(varied: Evaluator, tmp_path: Path) -> None:
    path = table_file(tmp_path / "t.parquet", query_id=Q, mine=Q)
    with pytest.raises(InputError) as caught:
        slicings(varied.gold, ["colour", "kind", "query_id", "difficulty"], path)
    assert [fault.message.split("'")[1] for fault in caught.value.faults] == ["colour", "query_id", "difficulty"]
    assert all("kind" in fault.message and fault.message.endswith("mine") for fault in caught.value.faults)


BAD_TABLES: dict[str, tuple[dict[str, Any], str]] = {
    "a query twice": ({"query_id": [TEST_IDS[0], TEST_IDS[1], TEST_IDS[0]], "x": [1, 2, 3]}, "names a query twice"),
    "no query_id": ({"id": TEST_IDS, "x": TEST_IDS}, "lacks the column 'query_id'"),
    "lists": ({"query_id": TEST_IDS, "x": [[1]] * 4}, "numbers or words are expected"),
    "records": ({"query_id": TEST_IDS, "x": [{"a": 1}] * 4}, "numbers or words are expected"),
    "bytes": ({"query_id": TEST_IDS, "x": [b"\xff"] * 4}, "x"),
    "lists as query ids": ({"query_id": [[name] for name in TEST_IDS], "x": TEST_IDS}, "query_id"),
    "bytes as query ids": ({"query_id": [b"\xff", b"b", b"a"], "x": [1, 2, 3]}, "query_id"),
}


@pytest.mark.parametrize("name", BAD_TABLES)
def test_a_wrong_table_is_one_line_and_no_traceback(
    tmp_path: Path, command: Command, small_dataset: mldr.Dataset, name: str
) -> None:
    columns, words = BAD_TABLES[name]
    table = table_file(tmp_path / "t.parquet", **columns)
    path = write_jsonl(tmp_path / "p.jsonl", [row(TEST_IDS[0], [0])])
    options = ("--split", "test", "--by", "x", "--table", str(table))
    code, out, err = command("mldr-eval", "score", str(small_dataset.folder), str(path), *options)
    assert (code, out) == (1, "")
    assert len(err.splitlines()) == 1
    assert words in err


@pytest.mark.parametrize("content", [None, b"", b"PAR1", b"query_id,x\nq0,1\n"])
def test_a_table_that_is_no_parquet_is_one_line(varied: Evaluator, tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "t.parquet"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(MldrError, match=r"t\.parquet: (no such file|not a Parquet file)"):
        slicings(varied.gold, ["x"], path)


def test_a_table_with_a_column_twice_is_refused_in_words(varied: Evaluator, tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.Table.from_arrays([pa.array(Q), pa.array(Q), pa.array(Q)], ["query_id", "x", "x"]), path)
    with pytest.raises(MldrError):
        slicings(varied.gold, ["x"], path)


# --- what a slice is worth

FROM_COUNTS = ["kind", "language", "origin", "n_utterances", "n_images", "gold_density", "scatter", "topic_position"]


@unhurried
@given(st.lists(answered_queries(failures=False), min_size=1, max_size=6))
def test_the_slices_part_the_queries(queries: list[Answered]) -> None:
    gold = gold_set([item.asked(f"q{position}") for position, item in enumerate(queries)])
    for slicing in slicings(gold, FROM_COUNTS):
        assert len(slicing.code) == len(queries)
        assert sorted(set(slicing.code.tolist())) == list(range(len(slicing.labels))), slicing.name
        assert len(set(slicing.labels)) == len(slicing.labels)


some_answers = st.lists(
    st.none() | st.tuples(st.lists(st.integers(0, 110), max_size=9), st.lists(st.integers(0, 9), max_size=4)),
    min_size=6,
    max_size=6,
)


@unhurried
@given(some_answers, st.sampled_from(sorted(BUILT_IN)))
def test_a_slices_value_is_that_of_its_queries_alone(
    varied: Evaluator, given_answers: Sequence[tuple[list[int], list[int]] | None], name: str
) -> None:
    rows = {
        query_id: Prediction(query_id, tuple(answer[0]), tuple(answer[1]))
        for query_id, answer in zip(Q, given_answers, strict=True)
        if answer is not None
    }
    scores = varied.score(rows, by=slicings(varied.gold, [name]), resamples=0)
    cases = [
        Case(
            int(varied.gold.utt.size[i]),
            frozenset(),
            int(varied.gold.img.size[i]),
            frozenset(varied.gold.ids(i)[0]),
            frozenset(varied.gold.ids(i)[1]),
            answer,
        )
        for i, answer in enumerate(given_answers)
    ]
    assert sum(part.n_queries for part in scores.slices[name]) == 6
    for part in scores.slices[name]:
        inside = [case for case, label in zip(cases, EXPECTED[name], strict=True) if label == part.label]
        assert part.n_queries == part.n_clusters == len(inside)
        expected = {**all_measures(inside), **agreement(inside), **answerability(inside)}
        for measure, value in expected.items():
            found = part.measures[measure].value
            assert found == (None if value is None else pytest.approx(value)), (part.label, measure)


def test_a_slice_of_fewer_than_twenty_clusters_says_so(tmp_path: Path) -> None:
    evaluator, names = clustered(tmp_path / "d", 39), clustered_ids(39)
    table = table_file(tmp_path / "t.parquet", query_id=names, x=["few"] * 19 + ["many"] * 20)
    scores = evaluator.score({}, by=slicings(evaluator.gold, ["x"], table), resamples=0)
    few, many = scores.slices["x"]
    assert (few.label, few.n_clusters, many.label, many.n_clusters) == ("few", 19, "many", 20)
    assert "only 19 clusters" in few.note
    assert many.note == ""


def test_a_slices_interval_stands_on_its_own_clusters(tmp_path: Path) -> None:
    evaluator, names = clustered(tmp_path / "d", 60), clustered_ids(60)
    table = table_file(tmp_path / "t.parquet", query_id=names, x=["nine"] * 9 + ["others"] * 51)
    rows = {name: Prediction(name, (1, i % 3), (0,)) for i, name in enumerate(names)}
    scores = evaluator.score(rows, by=slicings(evaluator.gold, ["x"], table), resamples=200)
    nine, others = scores.slices["x"]
    assert nine.measures["utt_f1"].low is None
    low, high = others.measures["utt_f1"].low, others.measures["utt_f1"].high
    assert low is not None
    assert high is not None
    assert low < (others.measures["utt_f1"].value or 0.0) < high


# --- the command line


def test_slices_are_printed_and_unknown_ones_end_with_1(
    tmp_path: Path, command: Command, small_dataset: mldr.Dataset
) -> None:
    path = write_jsonl(tmp_path / "p.jsonl", [row(TEST_IDS[0], [0])])
    words = ("mldr-eval", "score", str(small_dataset.folder), str(path), "--split", "test")
    code, out, err = command(*words, "--by", "kind", "--by", "language")
    assert (code, err) == (0, "")
    assert all(label in out for label in ("multimodal", "negative", "language"))
    code, out, err = command(*words, "--by", "colour", "--by", "size")
    assert (code, out) == (1, "")
    assert err.startswith("2 faults:")


@pytest.mark.parametrize(
    ("options", "exit_code"),
    [
        (["--measure", "utt_f2"], 1),
        (["--measure", "utt_ap"], 1),
        (["--by", "kind", "--measure", "joint_ap"], 1),
        (["--resamples", "-1"], 2),
        (["--resamples", "many"], 2),
        (["--protocol", "theirs"], 2),
        (["--seed", "-1"], 2),
        (["--by", "x", "--table", "nowhere.parquet"], 1),
    ],
    ids=str,
)
def test_what_cannot_be_scored_is_said_in_words(
    tmp_path: Path, command: Command, small_dataset: mldr.Dataset, options: list[str], exit_code: int
) -> None:
    path = write_jsonl(tmp_path / "p.jsonl", [row(TEST_IDS[0], [0])])
    code, out, err = command("mldr-eval", "score", str(small_dataset.folder), str(path), "--split", "test", *options)
    assert (code, out) == (exit_code, "")
    assert err
    assert "Traceback" not in err


def test_only_the_measures_asked_for_are_shown(tmp_path: Path, command: Command, small_dataset: mldr.Dataset) -> None:
    path = write_jsonl(tmp_path / "p.jsonl", [row(TEST_IDS[0], [0])])
    words = (
        "score",
        str(small_dataset.folder),
        str(path),
        "--split",
        "test",
        "-m",
        "utt_em",
        "-m",
        "joint_f1",
        "--json",
    )
    code, out, _ = command("mldr-eval", *words)
    assert code == 0
    assert '"utt_em"' in out
    assert '"utt_f1"' not in out
