from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import mldr
from mldr.answers import format_answer
from mldr.eval import intake
from mldr.eval.evaluator import Evaluator
from mldr.eval.intake import PredictionTable, from_predictions, read_table
from mldr.eval.prediction import CLAIMABLE, Prediction
from tests.conftest import Command, small_rows, write_dataset
from tests.eval.support import IDS, TEST_IDS, row, unhurried, write_jsonl, write_parquet
from tests.eval.support_stats import answers, json_line, lists_of, outcome_of, rows_of, strict_table

GOOD = json_line(query_id="q0", utterance_ids=[1], image_ids=[])


@pytest.fixture(scope="module")
def evaluator(tmp_path_factory: pytest.TempPathFactory) -> Evaluator:
    folder = tmp_path_factory.mktemp("intake") / "d"
    return Evaluator(write_dataset(folder, {"test": small_rows(16, "blue")}), "test")


ids = st.lists(st.integers(0, 7) | st.just(2**31 - 1), max_size=4)
finite = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def valid_rows(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> list[dict[str, Any]]:
    """Draw rows without fault for some of the queries, in any order: ids, responses, claims, scores, latencies, metas."""
    rows = []
    for query_id in draw(st.permutations(TEST_IDS))[: draw(st.integers(1, 4))]:
        item: dict[str, Any] = {"query_id": query_id}
        utterances, images = draw(ids), draw(ids)
        form = draw(st.sampled_from(["ids", "response", "both", "claim", "claim and ids"]))
        if form in ("ids", "both", "claim and ids"):
            item |= {"utterance_ids": utterances, "image_ids": images}
            for name, own in (("utterance_scores", utterances), ("image_scores", images)):
                if draw(st.booleans()):
                    item[name] = draw(st.lists(finite, min_size=len(own), max_size=len(own)))
        if form in ("response", "both"):
            item["response"] = draw(texts | st.just("draft " + format_answer(utterances, images)))
        if form.startswith("claim"):
            item["outcome"] = draw(st.sampled_from(CLAIMABLE))
        if draw(st.booleans()):
            item["latency_s"] = draw(st.floats(0, 1e300) | st.integers(0, 10**6))
        if draw(st.booleans()):
            item["meta"] = draw(st.sampled_from(["", "{}", '{"a": ["\\u00e9"]}']))
        rows.append(item)
    return rows


plain_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
any_text = st.text(max_size=8)


def same(path: Path, evaluator: Evaluator) -> PredictionTable:
    """Read a file both ways and compare rows and hash; return the table of the quick way."""
    quick, strict = evaluator.read(path), strict_table(path, TEST_IDS)
    assert rows_of(quick) == rows_of(strict)
    hashes = [evaluator.score(table, resamples=0).predictions_hash for table in (quick, strict)]
    assert hashes[0] == hashes[1]
    return quick


# --- the quick way and the strict one agree on every good file


@unhurried
@given(valid_rows(any_text), st.sampled_from(["\n", "\r\n"]), st.booleans())
@example([{"query_id": TEST_IDS[0], "response": "\udc00"}], "\n", True)
@example([{"query_id": TEST_IDS[0], "response": "half an emoji \ud83d"}], "\n", True)
def test_a_good_jsonl_file_is_the_same_read_quickly_and_row_by_row(
    tmp_path: Path, evaluator: Evaluator, rows: list[dict[str, Any]], newline: str, ended: bool
) -> None:
    path = tmp_path / "p.jsonl"
    path.write_bytes((newline.join(json.dumps(item) for item in rows) + newline * ended).encode())
    same(path, evaluator)


@unhurried
@given(valid_rows(plain_text))
def test_a_good_jsonl_file_without_escapes_is_the_same_read_quickly_and_row_by_row(
    tmp_path: Path, evaluator: Evaluator, rows: list[dict[str, Any]]
) -> None:
    path = tmp_path / "p.jsonl"
    path.write_bytes("".join(json.dumps(item, ensure_ascii=False) + "\n" for item in rows).encode())
    same(path, evaluator)


@unhurried
@given(valid_rows(plain_text))
def test_a_good_parquet_file_is_the_same_read_quickly_and_row_by_row_and_the_same_as_jsonl(
    tmp_path: Path, evaluator: Evaluator, rows: list[dict[str, Any]]
) -> None:
    table = same(write_parquet(tmp_path / "p.parquet", rows), evaluator)
    lines = evaluator.read(write_jsonl(tmp_path / "p.jsonl", rows))
    assert rows_of(table) == rows_of(lines)


@unhurried
@given(valid_rows(any_text), st.randoms())
def test_the_order_of_rows_changes_no_predictions_hash(
    tmp_path: Path, evaluator: Evaluator, rows: list[dict[str, Any]], random: Any
) -> None:
    before = evaluator.score(evaluator.read(write_jsonl(tmp_path / "p.jsonl", rows)), resamples=0)
    random.shuffle(rows)
    after = evaluator.score(evaluator.read(write_jsonl(tmp_path / "p.jsonl", rows)), resamples=0)
    assert before.predictions_hash == after.predictions_hash


def test_a_plain_file_is_read_without_the_strict_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("read row by row")

    monkeypatch.setattr(intake, "read_predictions", refuse)
    rows = [row("q0", [1, 2], [0], utterance_scores=[0.5, 1]), {"query_id": "q1", "response": "x"}]
    for path in (write_jsonl(tmp_path / "p.jsonl", rows), write_parquet(tmp_path / "p.parquet", rows)):
        assert len(read_table(path, pa.array(IDS))) == 2


def test_a_file_above_the_limit_is_read_row_by_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_jsonl(tmp_path / "p.jsonl", [row("q0", [1])])
    quick = read_table(path, pa.array(IDS))
    monkeypatch.setattr(intake, "_LARGEST", 10)
    assert rows_of(read_table(path, pa.array(IDS))) == rows_of(quick)


def test_a_file_of_many_blocks_is_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"q{number}" for number in range(300)]
    path = write_jsonl(tmp_path / "p.jsonl", [row(name, [number]) for number, name in enumerate(names)])
    monkeypatch.setattr(intake, "_BLOCK", 200)
    table = read_table(path, pa.array(names))
    assert lists_of(table.utterances) == [[number] for number in range(300)]


# --- claims, scores, responses


def test_scores_stay_with_their_ids_beside_a_row_that_claims_an_outcome() -> None:
    claiming = Prediction("q0", (1, 2), (), utterance_scores=(0.1, 0.2), outcome="refused")
    scored = Prediction("q1", (3,), (), utterance_scores=(0.9,))
    table = from_predictions([claiming, scored], {"q0": 0, "q1": 1})
    assert rows_of(table)[1] == (1, 0, [3], [0.9], [], None, None)


def test_scores_of_a_claim_change_no_average_precision_of_others(tmp_path: Path, evaluator: Evaluator) -> None:
    """What counts is that of an evaluation in memory, of a file, and of a file without the claim's ids."""
    claim = Prediction(TEST_IDS[0], (0, 1), (0,), utterance_scores=(0.1, 0.2), outcome="api_error")
    other = Prediction(TEST_IDS[1], (0, 1, 4), (), utterance_scores=(0.9, 0.5, 0.7))
    bare = Prediction(TEST_IDS[0], outcome="api_error")
    found = [
        evaluator.score({one.query_id: one, other.query_id: other}, resamples=0).measures["utt_ap"].value
        for one in (claim, bare)
    ]
    path = tmp_path / "p.jsonl"
    path.write_text(f"{claim.to_json()}\n{other.to_json()}\n")
    found.append(evaluator.score(evaluator.read(path), resamples=0).measures["utt_ap"].value)
    assert found == [pytest.approx((0 + (1 / 2 + 2 / 3) / 2) / 2)] * 3


def test_a_response_is_parsed_between_rows_of_ids_and_scores(tmp_path: Path) -> None:
    rows = [
        row("q0", [5], [], utterance_scores=[0.5]),
        {"query_id": "q1", "response": format_answer([7, 8], [1])},
        row("q2", [6], [0], utterance_scores=[0.25]),
        {"query_id": "q3", "response": "no"},
    ]
    table = read_table(write_jsonl(tmp_path / "p.jsonl", rows), pa.array(IDS))
    parse_error = 1 + CLAIMABLE.index("parse_error")
    assert rows_of(table) == [
        (0, 0, [5], [0.5], [], None, None),
        (1, 0, [7, 8], None, [1], None, None),
        (2, 0, [6], [0.25], [0], None, None),
        (3, parse_error, None),
    ]


def test_ids_beyond_64_bits_in_a_response_are_outside_of_every_dialogue(evaluator: Evaluator, tmp_path: Path) -> None:
    rows = [{"query_id": TEST_IDS[0], "response": format_answer([10**30, -(10**30)], [])}]
    scores = evaluator.score(evaluator.read(write_jsonl(tmp_path / "p.jsonl", rows)), resamples=0)
    assert scores.outcomes["out_of_range"] == 1
    assert scores.ignored["out_of_range"] == 2


def test_predictions_in_memory_of_other_queries_are_left_out() -> None:
    table = from_predictions(answers(["q0", "x"], [1]).values(), {"q0": 4})
    assert table.query.tolist() == [4]


def test_ids_of_predictions_in_memory_may_be_of_any_size(evaluator: Evaluator) -> None:
    given_row = Prediction(TEST_IDS[0], (0, 2**31, 2**63, 10**30), (2**40,))
    scores = evaluator.score({TEST_IDS[0]: given_row}, resamples=0)
    assert scores.outcomes["out_of_range"] == 1


# --- whatever is not a good file gives the error of the strict way

BAD: dict[str, bytes] = {
    "a null for ids": b'{"query_id": "q1", "utterance_ids": null, "image_ids": []}',
    "a null among ids": b'{"query_id": "q1", "utterance_ids": [1, null], "image_ids": []}',
    "a null response": b'{"query_id": "q1", "response": null}',
    "two objects on a line": GOOD.replace(b"q0", b"q1") + GOOD.replace(b"q0", b"q2"),
    "two objects with a blank": GOOD.replace(b"q0", b"q1") + b" " + GOOD.replace(b"q0", b"q2"),
    "an object over two lines": b'{"query_id": "q1",\n"utterance_ids": [1], "image_ids": []}',
    "an object over two lines and two on one": b'{"query_id": "q1",\n"response": ""}\n{"query_id": "q2", "response": ""}'
    b'{"query_id": "q3", "response": ""}',
    "a line that ends and one that begins an object": b'{"query_id": "q1", "meta": {}\n{}, "response": ""}',
    "a key twice": b'{"query_id": "q1", "response": "a", "response": "b"}',
    "the query id twice": b'{"query_id": "q1", "response": "a", "query_id": "q2"}',
    "an escaped key twice": b'{"query_id": "q1", "response": "a", "respons\\u0065": "b"}',
    "an id of 20 digits": b'{"query_id": "q1", "utterance_ids": [99999999999999999999], "image_ids": []}',
    "an id of 31 bits": b'{"query_id": "q1", "utterance_ids": [2147483648], "image_ids": []}',
    "an id of 5,000 digits": b'{"query_id": "q1", "utterance_ids": [' + b"9" * 5000 + b'], "image_ids": []}',
    "a whole float as id": b'{"query_id": "q1", "utterance_ids": [1.0], "image_ids": []}',
    "an exponent as id": b'{"query_id": "q1", "utterance_ids": [1e0], "image_ids": []}',
    "a negative id": b'{"query_id": "q1", "utterance_ids": [-1], "image_ids": []}',
    "NaN as id": b'{"query_id": "q1", "utterance_ids": [NaN], "image_ids": []}',
    "NaN as score": b'{"query_id": "q1", "utterance_ids": [1], "image_ids": [], "utterance_scores": [NaN]}',
    "Infinity as latency": b'{"query_id": "q1", "response": "", "latency_s": Infinity}',
    "Inf as latency": b'{"query_id": "q1", "response": "", "latency_s": Inf}',
    "a latency beyond floats": b'{"query_id": "q1", "response": "", "latency_s": 1e999}',
    "a negative latency": b'{"query_id": "q1", "response": "", "latency_s": -1}',
    "a latency of 310 digits": b'{"query_id": "q1", "response": "", "latency_s": ' + b"9" * 310 + b"}",
    "a string for ids": b'{"query_id": "q1", "utterance_ids": "1", "image_ids": []}',
    "a string among ids": b'{"query_id": "q1", "utterance_ids": ["1"], "image_ids": []}',
    "a boolean among ids": b'{"query_id": "q1", "utterance_ids": [true], "image_ids": []}',
    "nested lists": b'{"query_id": "q1", "utterance_ids": [[1]], "image_ids": []}',
    "deeply nested lists": b'{"query_id": "q1", "utterance_ids": ' + b"[" * 5000 + b"]" * 5000 + b', "image_ids": []}',
    "an object for ids": b'{"query_id": "q1", "utterance_ids": {}, "image_ids": []}',
    "a number as query id": b'{"query_id": 1, "response": ""}',
    "no query id": b'{"response": ""}',
    "an unknown query": b'{"query_id": "q9", "response": ""}',
    "an answered query": GOOD,
    "an unknown key": b'{"query_id": "q1", "response": "", "rank": 1}',
    "an invented outcome": b'{"query_id": "q1", "outcome": "ok"}',
    "an empty outcome": b'{"query_id": "q1", "outcome": "", "response": ""}',
    "one id list": b'{"query_id": "q1", "utterance_ids": [1], "response": ""}',
    "nothing said": b'{"query_id": "q1"}',
    "too few scores": b'{"query_id": "q1", "utterance_ids": [1], "image_ids": [], "utterance_scores": []}',
    "scores without ids": b'{"query_id": "q1", "response": "", "image_scores": [0.5]}',
    "no scores without ids": b'{"query_id": "q1", "response": "", "image_scores": []}',
    "no scores without ids in a claim": b'{"query_id": "q1", "outcome": "refused", "utterance_scores": []}',
    "a score as a string": b'{"query_id": "q1", "utterance_ids": [1], "image_ids": [], "utterance_scores": ["1"]}',
    "a meta that is no object": b'{"query_id": "q1", "response": "", "meta": "[]"}',
    "a meta that is an object": b'{"query_id": "q1", "response": "", "meta": {}}',
    "a meta with a key twice": b'{"query_id": "q1", "response": "", "meta": "{\\"a\\": 1, \\"a\\": 2}"}',
    "a trailing comma": b'{"query_id": "q1", "response": "",}',
    "a number with a leading zero": b'{"query_id": "q1", "utterance_ids": [01], "image_ids": []}',
    "an unknown escape": b'{"query_id": "q1", "response": "\\x"}',
    "a raw tab in a string": b'{"query_id": "q1", "response": "a\tb"}',
    "a form feed between": b'{\x0c"query_id": "q1", "response": ""}',
    "a NUL": b'{"query_id": "q1", "response": "\0"}',
    "bad UTF-8 in a response": b'{"query_id": "q1", "response": "\xff"}',
    "bad UTF-8 beside ids": b'{"query_id": "q1", "utterance_ids": [1], "image_ids": [], "response": "\xff"}',
    "an overlong form in UTF-8": b'{"query_id": "q1", "utterance_ids": [], "image_ids": [], "response": "\xc0\x80"}',
    "half a surrogate pair in UTF-8": b'{"query_id": "q1", "outcome": "refused", "response": "\xed\xa0\x80"}',
    "bad UTF-8 in meta": b'{"query_id": "q1", "outcome": "refused", "meta": "\xff"}',
    "bad UTF-8 in a query id": b'{"query_id": "q\xff", "outcome": "refused"}',
    "half a surrogate pair as query id": b'{"query_id": "\\ud83d", "outcome": "refused"}',
    "a list": b"[]",
    "an empty object": b"{}",
    "no JSON": b"{query_id}",
    "a comment": b'{"query_id": "q1", "response": ""} // {}',
    "single quotes": b"{'query_id': 'q1', 'response': ''}",
}


@pytest.mark.parametrize("where", [0, 1, 2])
@pytest.mark.parametrize("name", BAD)
def test_a_bad_line_gives_the_error_of_the_strict_way(tmp_path: Path, name: str, where: int) -> None:
    content = [GOOD, json_line(query_id="q3", response="")]
    content.insert(where, BAD[name])
    path = tmp_path / "p.jsonl"
    path.write_bytes(b"\n".join(content) + b"\n")
    strict = outcome_of(path, IDS, strict=True)
    assert strict.split(":")[0].endswith(("fault", "faults"))
    assert outcome_of(path, IDS, strict=False) == strict


ODD: dict[str, bytes] = {
    "a BOM": b"\xef\xbb\xbf" + GOOD,
    "trailing blanks": GOOD + b" \t",
    "leading blanks": b"  " + GOOD,
    "CRLF": GOOD + b"\r",
    "two CRs": GOOD + b"\r\r",
    "a lone CR between two": GOOD + b"\r" + GOOD.replace(b"q0", b"q1"),
    "blank lines": b"\n\n" + GOOD + b"\n\n",
    "blanks within": GOOD.replace(b" ", b"  \t "),
    "minus zero": GOOD.replace(b"[1]", b"[-0]"),
    "a latency too small for floats": GOOD[:-1] + b', "latency_s": 1e-999}',
    "a latency of minus zero": GOOD[:-1] + b', "latency_s": -0.0}',
    "a latency of 309 digits": GOOD[:-1] + b', "latency_s": 1' + b"0" * 308 + b"}",
    "a score of 309 digits": GOOD[:-1] + b', "utterance_scores": [1' + b"0" * 308 + b"]}",
    "a score with 400 decimals": GOOD[:-1] + b', "utterance_scores": [0.' + b"3" * 400 + b"]}",
    "the word null": GOOD[:-1] + b', "response": "null"}',
    "an escaped NUL": GOOD[:-1] + b', "response": "\\u0000"}',
    "an escaped key": GOOD.replace(b"query_id", b"query\\u005fid"),
    "an escaped half of a surrogate pair": GOOD[:-1] + b', "response": "\\udc00"}',
    "an escaped half of a surrogate pair alone": b'{"query_id": "q0", "response": "\\ud83d"}',
    "an empty file": b"",
    "a line feed alone": b"\n",
    "a gzip header": b"\x1f\x8b\x08\x00",
    "a very long response": b'{"query_id": "q0", "response": "' + b"x" * (17 * 1024 * 1024) + b'"}',
    "a line of very many ids": json_line(query_id="q0", utterance_ids=list(range(200_000)), image_ids=[]),
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_file_is_what_the_strict_way_says(tmp_path: Path, name: str) -> None:
    path = tmp_path / "p.jsonl"
    path.write_bytes(ODD[name] + b"\n" * (name != "an empty file"))
    said = outcome_of(path, IDS, strict=True)
    assert outcome_of(path, IDS, strict=False) == said
    if said == "good":
        assert rows_of(read_table(path, pa.array(IDS))) == rows_of(strict_table(path, IDS))


PARTS = rb"""{ } [ ] , " \ \ud800 null 1 - e5 . : {} [] "query_id" "q1" "utterance_ids" "response":"" "utterance_scores":[]"""
parts = st.sampled_from([*PARTS.split(), b"\n", b"\r", b" ", b"\xff", b"\0"])


@unhurried
@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 12), parts), min_size=1, max_size=3), st.data())
def test_a_mutated_file_is_what_the_strict_way_says(
    tmp_path: Path, edits: list[tuple[int, int, bytes]], data: st.DataObject
) -> None:
    rows = [row("q0", [1, 2], [0], utterance_scores=[0.5, 1]), {"query_id": "q1", "response": "x", "meta": "{}"}]
    rows.append({"query_id": "q2", "outcome": "refused", "latency_s": 1.5})
    content = "".join(json.dumps(item) + "\n" for item in rows).encode()
    for start, length, part in edits:
        content = content[:start] + part + content[start + data.draw(st.integers(0, length)) :]
    path = tmp_path / "p.jsonl"
    path.write_bytes(content)
    said = outcome_of(path, IDS, strict=True)
    assert outcome_of(path, IDS, strict=False) == said
    if said == "good":
        assert rows_of(read_table(path, pa.array(IDS))) == rows_of(strict_table(path, IDS))


# --- Parquet of strangers


def parquet(path: Path, **columns: pa.Array) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


def column(values: list[Any], kind: pa.DataType) -> pa.Array:
    return pa.array(values, kind)


LISTS = pa.list_(pa.int64())
PARQUETS: dict[str, dict[str, pa.Array]] = {
    "categories and small integers": {
        "query_id": pa.array(["q1", "q0"]).dictionary_encode(),
        "utterance_ids": column([[1], []], pa.list_(pa.int8())),
        "image_ids": column([[], [2]], pa.large_list(pa.uint16())),
        "utterance_scores": column([[0.5], None], pa.list_(pa.float32())),
        "latency_s": column([3, None], pa.int32()),
    },
    "a response of nothing but nulls": {
        "query_id": column(["q0"], pa.string()),
        "utterance_ids": column([[1]], LISTS),
        "image_ids": column([[]], pa.list_(pa.null())),
        "response": pa.nulls(1),
    },
    "ids of unsigned 64 bits": {
        "query_id": column(["q0"], pa.string()),
        "utterance_ids": column([[2**64 - 1]], pa.list_(pa.uint64())),
        "image_ids": column([[]], LISTS),
    },
    "a null among ids": {
        "query_id": column(["q0"], pa.string()),
        "utterance_ids": column([[1, None]], LISTS),
        "image_ids": column([[]], LISTS),
    },
    "a null query": {"query_id": column([None], pa.string()), "response": column([""], pa.string())},
    "a query twice": {"query_id": column(["q0", "q0"], pa.string()), "response": column(["", ""], pa.string())},
    "an unknown query": {"query_id": column(["q9"], pa.string()), "response": column([""], pa.string())},
    "one id list": {"query_id": column(["q0"], pa.string()), "image_ids": column([[1]], LISTS)},
    "a NaN latency": {
        "query_id": column(["q0"], pa.string()),
        "response": column([""], pa.string()),
        "latency_s": column([float("nan")], pa.float64()),
    },
    "a latency of 2**60": {
        "query_id": column(["q0"], pa.string()),
        "response": column([""], pa.string()),
        "latency_s": column([2**60 + 1], pa.int64()),
    },
    "an infinite score": {
        "query_id": column(["q0"], pa.string()),
        "utterance_ids": column([[1]], LISTS),
        "image_ids": column([[]], LISTS),
        "utterance_scores": column([[float("inf")]], pa.list_(pa.float64())),
    },
    "no scores without ids": {
        "query_id": column(["q0"], pa.string()),
        "response": column([""], pa.string()),
        "utterance_scores": column([[]], pa.list_(pa.float64())),
    },
    "half floats": {
        "query_id": column(["q0"], pa.string()),
        "utterance_ids": column([[1]], LISTS),
        "image_ids": column([[]], LISTS),
        "utterance_scores": pa.array([[np.float16(0.5)]], pa.list_(pa.float16())),
    },
    "an empty outcome": {
        "query_id": column(["q0"], pa.string()),
        "outcome": column([""], pa.string()),
        "response": column([""], pa.string()),
    },
    "floats as ids": {
        "query_id": column(["q0"], pa.string()),
        "utterance_ids": column([[1.0]], pa.list_(pa.float64())),
        "image_ids": column([[]], LISTS),
    },
    "bad UTF-8": {
        "query_id": column(["q0"], pa.string()),
        "response": pa.Array.from_buffers(
            pa.string(), 1, [None, pa.py_buffer(np.array([0, 1], dtype=np.int32).tobytes()), pa.py_buffer(b"\xff")]
        ),
    },
    "no rows": {"query_id": column([], pa.string()), "response": column([], pa.string())},
    "no query id": {"response": column([""], pa.string())},
}


@pytest.mark.parametrize("name", PARQUETS)
def test_a_strangers_parquet_is_what_the_strict_way_says(tmp_path: Path, name: str) -> None:
    path = parquet(tmp_path / "p.parquet", **PARQUETS[name])
    said = outcome_of(path, IDS, strict=True)
    assert outcome_of(path, IDS, strict=False) == said
    if said == "good":
        assert rows_of(read_table(path, pa.array(IDS))) == rows_of(strict_table(path, IDS))


@pytest.mark.parametrize("name", ["bad UTF-8 in a response", "bad UTF-8 in meta", "no scores without ids"])
def test_a_bad_line_is_a_fault_on_the_command_line_and_never_a_traceback(
    tmp_path: Path, command: Command, small_dataset: mldr.Dataset, name: str
) -> None:
    path = tmp_path / "p.jsonl"
    path.write_bytes(BAD[name].replace(b'"q1"', json.dumps(TEST_IDS[0]).encode()) + b"\n")
    for verb in ("validate", "score", "compare"):
        code, out, err = command("mldr-eval", verb, str(small_dataset.folder), str(path), "--split", "test")
        assert (code, out) == (1, "")
        assert err.startswith("1 fault:")
        assert "line 1" in err
