from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import mldr
from mldr.errors import InputError, MldrError
from mldr.eval import Prediction, read_predictions
from tests.conftest import Command, picture
from tests.eval.support import IDS, TEST_IDS, faults_of, read_or_refuse, row, unhurried, write_jsonl

GOOD = json.dumps(row("q0", [0], [])).encode()


def lines(path: Path, *content: bytes) -> Path:
    path.write_bytes(b"\n".join(content) + b"\n")
    return path


def q1(**columns: Any) -> bytes:
    return json.dumps({"query_id": "q1", **columns}).encode()


BAD_LINES: dict[str, tuple[bytes, str]] = {
    "JSON that breaks off": (b'{"query_id": "q1", "utterance_ids": [1', "not JSON"),
    "no JSON at all": (b"query_id,utterance_ids,image_ids", "not JSON"),
    "single quotes": (b"{'query_id': 'q1'}", "not JSON"),
    "two objects on a line": (GOOD.replace(b"q0", b"q1") + b" " + GOOD.replace(b"q0", b"q2"), "not JSON: Extra data"),
    "a comma after the object": (GOOD.replace(b"q0", b"q1") + b",", "not JSON: Extra data"),
    "a list": (b"[1, 2]", "JSON object is expected"),
    "a number": (b"7", "JSON object is expected"),
    "null": (b"null", "JSON object is expected"),
    "a string": (b'"q1"', "JSON object is expected"),
    "no query id": (b'{"utterance_ids": [], "image_ids": []}', "query_id is missing"),
    "a number as query id": (b'{"query_id": 1, "response": ""}', "query_id is 1"),
    "an empty query id": (b'{"query_id": "", "response": ""}', "query_id is ''"),
    "ids as a string": (q1(utterance_ids="1, 2", image_ids=[]), "a list of integers is expected"),
    "ids as an object": (q1(utterance_ids={"1": True}, image_ids=[]), "a list of integers is expected"),
    "ids as null": (q1(utterance_ids=None, image_ids=[]), "utterance_ids is None"),
    "a string as id": (q1(utterance_ids=[1, "2"], image_ids=[]), "utterance_ids holds '2'; integers are expected"),
    "a string as image id": (q1(utterance_ids=[], image_ids=["0"]), "image_ids holds '0'"),
    "a boolean as id": (q1(utterance_ids=[True], image_ids=[]), "utterance_ids holds True"),
    "a float as id": (q1(utterance_ids=[2.5], image_ids=[]), "utterance_ids holds 2.5"),
    "a whole float as id": (q1(utterance_ids=[2.0], image_ids=[]), "utterance_ids holds 2.0"),
    "a list as id": (q1(utterance_ids=[[1]], image_ids=[]), "utterance_ids holds [1]"),
    "a negative id": (q1(utterance_ids=[-1], image_ids=[]), "utterance_ids holds -1; ids are positions from 0"),
    "a negative image id": (q1(utterance_ids=[], image_ids=[-3]), "image_ids holds -3"),
    "an id of 30 digits": (q1(utterance_ids=[10**29], image_ids=[]), "more than 20 digits"),
    "an id of 4,300 digits": (q1(utterance_ids=[], image_ids=[10**4299]), "more than 20 digits"),
    "an id of 5,000 digits": (
        b'{"query_id": "q1", "utterance_ids": [' + b"9" * 5000 + b'], "image_ids": []}',
        "digits",
    ),
    "NaN": (b'{"query_id": "q1", "response": "", "latency_s": NaN}', "NaN is not a JSON value"),
    "Infinity": (b'{"query_id": "q1", "response": "", "latency_s": Infinity}', "Infinity is not a JSON value"),
    "minus Infinity": (b'{"query_id": "q1", "utterance_ids": [-Infinity], "image_ids": []}', "-Infinity is not"),
    "a number too large": (b'{"query_id": "q1", "response": "", "latency_s": 1e999}', "latency_s is inf"),
    "a key twice": (b'{"query_id": "q1", "response": "a", "response": "b"}', "'response' stands twice"),
    "utterance ids alone": (q1(utterance_ids=[1]), "one id list without the other"),
    "image ids alone": (q1(image_ids=[1], response="x"), "one id list without the other"),
    "nothing answered": (q1(latency_s=1), "neither ids nor a response"),
    "scores of another length": (q1(utterance_ids=[1, 2], image_ids=[], utterance_scores=[0.5]), "1 numbers for 2"),
    "image scores too many": (q1(utterance_ids=[], image_ids=[], image_scores=[1]), "1 numbers for 0 image_ids"),
    "scores as strings": (q1(utterance_ids=[1], image_ids=[], utterance_scores=["1"]), "finite numbers"),
    "scores as booleans": (q1(utterance_ids=[1], image_ids=[], utterance_scores=[True]), "finite numbers"),
    "a score that no float holds": (q1(utterance_ids=[1], image_ids=[], utterance_scores=[10**400]), "finite numbers"),
    "a latency that no float holds": (q1(response="", latency_s=10**400), "latency_s is a number of more than"),
    "scores as one number": (q1(utterance_ids=[1], image_ids=[], utterance_scores=1), "finite numbers"),
    "scores without ids": (q1(response="", image_scores=[]), "image_scores without image_ids"),
    "an unknown column": (q1(utterance_ids=[], image_ids=[], rank=1), "unknown column 'rank'"),
    "a response that is a list": (q1(response=["a"]), "response is ['a']; a string"),
    "a response that is null": (q1(response=None), "response is None"),
    "an invented outcome": (q1(outcome="ok"), "outcome is 'ok'; only api_error, refused, parse_error"),
    "a negative latency": (q1(response="", latency_s=-0.1), "latency_s is -0.1"),
    "a latency as a string": (q1(response="", latency_s="1s"), "latency_s is '1s'"),
    "meta as an object": (q1(response="", meta={"a": 1}), "a JSON object as a string"),
    "meta as a list": (q1(response="", meta="[1]"), "meta is not a JSON object"),
    "meta as words": (q1(response="", meta="bm25"), "meta is not JSON"),
    "an unknown query": (GOOD.replace(b"q0", b"q9"), "query_id 'q9' is not among the split's queries"),
    "a query again": (GOOD, "query_id 'q0' again; its first row is line 1"),
    "bytes that are not UTF-8": (q1(response="X").replace(b"X", b"\xff\xfe"), "not UTF-8 text"),
    "a NUL": (q1(response="X").replace(b"X", b"\0"), "NUL"),
    "a raw control character": (q1(response="X").replace(b"X", b"\x01"), "not JSON"),
    "deep nesting": (
        b'{"query_id": "q1", "utterance_ids": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        "nested too deeply",
    ),
    "deep objects": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nested too deeply"),
}


@pytest.mark.parametrize("kind", BAD_LINES)
def test_a_bad_line_is_a_fault_with_its_line(tmp_path: Path, kind: str) -> None:
    bad, message = BAD_LINES[kind]
    path = lines(tmp_path / "p.jsonl", GOOD, b"", bad, GOOD.replace(b"q0", b"q3"))
    found = faults_of(path)
    assert [fault.place for fault in found] == [f"{path}, line 3"]
    assert message in found[0].message


@pytest.mark.parametrize("kind", BAD_LINES)
def test_a_bad_line_ends_the_command_with_1_and_no_traceback(
    tmp_path: Path, command: Command, small_dataset: mldr.Dataset, kind: str
) -> None:
    bad, _ = BAD_LINES[kind]
    path = lines(tmp_path / "p.jsonl", *(part.replace(b"q0", TEST_IDS[0].encode()) for part in (GOOD, bad)))
    for verb in ("validate", "score"):
        code, out, err = command("mldr-eval", verb, str(small_dataset.folder), str(path), "--split", "test")
        assert (code, out) == (1, "")
        assert f"{path}, line 2: " in err
        assert "Traceback" not in err
        assert all(line.isprintable() for line in err.splitlines())


def test_an_object_over_two_lines_is_a_fault_of_both(tmp_path: Path) -> None:
    path = lines(tmp_path / "p.jsonl", GOOD, b'{"query_id": "q1",', b'"response": "x"}')
    assert [fault.place for fault in faults_of(path)] == [f"{path}, line 2", f"{path}, line 3"]


def test_faults_of_different_kinds_are_told_together_in_the_order_of_lines(tmp_path: Path) -> None:
    path = lines(tmp_path / "p.jsonl", q1(utterance_ids=["1"], image_ids=[-1]), b"{", GOOD, GOOD)
    assert [fault.place.rpartition(" ")[2] for fault in faults_of(path)] == ["1", "1", "2", "4"]


def test_an_unknown_query_given_twice_is_named_both_times(tmp_path: Path) -> None:
    unknown = GOOD.replace(b"q0", b"q9")
    first, second = faults_of(lines(tmp_path / "p.jsonl", GOOD, unknown, unknown))
    assert "not among" in first.message
    assert "again; its first row is line 2" in second.message


def test_a_file_of_another_split_is_one_line_also_where_it_repeats_a_row(tmp_path: Path) -> None:
    unknown = GOOD.replace(b"q0", b"q9")
    with pytest.raises(MldrError, match="none of its 2 query ids is in this split") as raised:
        read_predictions(lines(tmp_path / "p.jsonl", unknown, unknown), set(IDS))
    assert not isinstance(raised.value, InputError)


def test_a_fault_before_a_line_that_ends_the_reading_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = lines(tmp_path / "p.jsonl", GOOD, b"not json", b"x" * 500)
    monkeypatch.setattr("mldr.files.read_lines.__defaults__", (300,))
    first, second = faults_of(path)
    assert first.place.endswith("line 2")
    assert "longer than 300 bytes" in second.message


@pytest.mark.parametrize("indent", [1, 2])
def test_an_indented_artefact_of_mldr_is_one_line(tmp_path: Path, indent: int) -> None:
    path = tmp_path / "c.json"
    document = {"differences": [{"measure": "x" * 50}] * 200, "format": "mldr/comparison@1"}
    path.write_text(json.dumps(document, indent=indent), encoding="utf-8")
    with pytest.raises(MldrError, match="holds comparison of mldr, not predictions"):
        read_predictions(path, set(IDS))


def test_gzip_is_named(tmp_path: Path) -> None:
    (tmp_path / "p.jsonl.gz").write_bytes(gzip.compress(GOOD + b"\n"))
    with pytest.raises(MldrError, match="packed with gzip"):
        read_predictions(tmp_path / "p.jsonl.gz", set(IDS))


@pytest.mark.skipif(os.name != "posix", reason="needs a named pipe")
def test_a_pipe_is_refused_because_it_can_be_read_only_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(MldrError, match="a pipe or device"):
        read_predictions(tmp_path / "pipe", set(IDS))


def test_a_query_given_three_times_names_its_first_line_twice(tmp_path: Path) -> None:
    found = faults_of(lines(tmp_path / "p.jsonl", GOOD, GOOD, GOOD))
    assert [fault.message for fault in found] == ["query_id 'q0' again; its first row is line 1"] * 2


def test_lines_are_counted_with_blank_ones(tmp_path: Path) -> None:
    path = lines(tmp_path / "p.jsonl", b"", b"  ", GOOD, b"", b"{")
    assert [fault.place for fault in faults_of(path)] == [f"{path}, line 5"]


def test_only_twenty_faults_are_shown_and_the_rest_is_counted(tmp_path: Path) -> None:
    path = lines(tmp_path / "p.jsonl", *[b"{"] * 1_234)
    with pytest.raises(InputError) as caught:
        read_predictions(path, set(IDS))
    told = str(caught.value).splitlines()
    assert caught.value.total == 1_234
    assert told[0] == "1,234 faults:"
    assert len(told) == 22
    assert f"{path}, line 20: " in told[20]
    assert told[21] == "  ... and 1,214 more"


# --- whole files


def test_an_empty_file_holds_no_prediction(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_bytes(b"")
    assert [str(fault) for fault in faults_of(path)] == [f"{path}: holds no prediction"]


@pytest.mark.parametrize("content", [b"\n\n\n", b" \t\r\n", b"\xef\xbb\xbf\n", b"\xef\xbb\xbf"])
def test_a_file_of_blank_lines_holds_no_prediction(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "p.jsonl"
    path.write_bytes(content)
    assert [fault.message for fault in faults_of(path)] == ["holds no prediction"]


def test_a_folder_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(MldrError, match="a folder; a predictions file"):
        read_predictions(tmp_path, set(IDS))


def test_a_missing_file_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(MldrError, match="no such file"):
        read_predictions(tmp_path / "none.jsonl", set(IDS))


@pytest.mark.parametrize("name", ["folder", "nothing.jsonl", "empty.jsonl", "picture.jsonl", "file/under/a/file"])
def test_what_is_no_predictions_file_ends_the_command_with_1_and_no_traceback(
    tmp_path: Path, command: Command, small_dataset: mldr.Dataset, name: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty.jsonl").touch()
    (tmp_path / "file").touch()
    (tmp_path / "picture.jsonl").write_bytes(picture())
    for verb in ("validate", "score", "report"):
        words = [str(small_dataset.folder), str(tmp_path / name), "--split", "test"]
        code, out, err = command(
            "mldr-eval", verb, *words, *(["--out", str(tmp_path / "r")] if verb == "report" else [])
        )
        assert (code, out) == (1, "")
        assert str(tmp_path / name) in err
        assert "Traceback" not in err


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF"])
def test_a_file_that_is_not_text_is_one_fault_and_not_one_a_line(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "p.jsonl"
    path.write_bytes(picture(size=(300, 200), kind=kind))
    assert faults_of(path)[0].place == f"{path}, line 1"


def test_utf_16_text_is_refused_at_its_first_line(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text(GOOD.decode() + "\n", encoding="utf-16")
    assert [fault.place for fault in faults_of(path)] == [f"{path}, line 1"]


def test_a_byte_order_mark_is_accepted(tmp_path: Path) -> None:
    path = lines(tmp_path / "p.jsonl", b"\xef\xbb\xbf" + GOOD)
    assert read_predictions(path, set(IDS)) == {"q0": Prediction("q0", (0,), ())}


def test_windows_line_ends_are_accepted(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_bytes(GOOD + b"\r\n\r\n" + GOOD.replace(b"q0", b"q1") + b"\r\n")
    assert set(read_predictions(path, set(IDS))) == {"q0", "q1"}


def test_a_last_line_without_its_line_end_is_read(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_bytes(GOOD)
    assert set(read_predictions(path, set(IDS))) == {"q0"}


def test_line_separators_of_unicode_inside_a_response_end_no_line(tmp_path: Path) -> None:
    path = lines(tmp_path / "p.jsonl", '{"query_id": "q1", "response": "a\u2028b\u0085c"}'.encode())
    assert read_predictions(path, set(IDS))["q1"].response == "a\u2028b\u0085c"


def test_any_order_and_any_part_of_the_queries_is_accepted(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "p.jsonl", [row("q3"), row("q1", [2], [1])])
    assert list(read_predictions(path, set(IDS))) == ["q3", "q1"]


def test_nesting_just_short_of_too_deep_is_told_and_crashes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    for depth in range(880, 1_000, 3):
        deep = "[" * depth + "]" * depth
        path.write_text(f'{{"query_id": "q1", "utterance_ids": {deep}, "image_ids": []}}\n', encoding="utf-8")
        assert len(faults_of(path)) == 1


# --- anything at all


PIECES = [
    GOOD,
    b"\n",
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b",",
    b":",
    b'"query_id"',
    b'"q1"',
    b"null",
    b"1e999",
    b"-",
    b"\\ud800",
    b"\0",
]


@unhurried
@given(st.binary() | st.lists(st.sampled_from(PIECES)).map(b"".join))
@example(b'{"query_id": "\\ud800", "response": "\\udfff"}')
@example(b'{"query_id": "q1", "\\ud800": 1}')
@example(b'{"query_id": "q1", "response": "x", "meta": "{\\"a\\": \\"\\ud800\\"}"}')
def test_arbitrary_bytes_are_read_or_refused_in_words(tmp_path: Path, content: bytes) -> None:
    read_or_refuse(tmp_path / "p.jsonl", content)
