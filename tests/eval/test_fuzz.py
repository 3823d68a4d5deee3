from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from mldr.eval.reader import read_predictions
from tests.soak import fuzz_predictions
from tests.soak.fuzz_predictions import Wrong, as_line, check, fuzz, main, one_input

COUNT = int(os.environ.get("MLDR_FUZZ", "300"))
"""`make soak` and CI ask for more."""

GOOD = as_line({"query_id": "q0", "utterance_ids": [1], "image_ids": []})


def test_mutated_predictions_files_are_read_rightly_or_refused_at_the_true_lines(tmp_path: Path) -> None:
    tally = fuzz(COUNT, 0, tmp_path)
    told = [f"input {number}: {message}\n  {content[:300]!r}" for number, message, content in tally.wrong[:10]]
    assert not told, "\n".join([f"{len(tally.wrong)} of {COUNT} inputs", *told])
    assert tally.outcomes["accepted"] + tally.outcomes["refused"] == COUNT
    assert min(tally.outcomes["accepted"], tally.outcomes["refused"]) > COUNT // 20


REFUSED: dict[str, bytes] = {
    "a response that is no UTF-8, beside ids": GOOD[:-1] + b', "response": "\xff"}',
    "a response alone that is no UTF-8": b'{"query_id": "q0", "response": "\xff"}',
    "a meta that is no UTF-8": GOOD[:-1] + b', "meta": "{\\"a\\": \\"\xff\\"}"}',
    "a surrogate as bytes": b'{"query_id": "q0", "response": "\xed\xa0\x80"}',
    "no scores for no ids": b'{"query_id": "q0", "response": "a", "utterance_scores": []}',
    "no image scores for a claimed failure": b'{"query_id": "q0", "outcome": "refused", "image_scores": []}',
    "two objects with a NUL between them": GOOD + b"\0" + GOOD.replace(b"q0", b"q1"),
    "an object and a half with a NUL between them": GOOD + b'\0"}',
    "two objects on a line and none on the next": GOOD + GOOD.replace(b"q0", b"q1") + b"\n" + b"{\0}",
    "an id in a float's form": GOOD.replace(b"[1]", b"[1e0]"),
    "a key twice, once escaped": GOOD[:-1] + b', "image_id\\u0073": []}',
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_arrow_reads_too_kindly_is_refused_all_the_same(tmp_path: Path, kind: str) -> None:
    assert check(tmp_path / "p.jsonl", REFUSED[kind] + b"\n") == "refused"


ACCEPTED: dict[str, bytes] = {
    "a score as an integer of 309 digits": GOOD[:-1] + b', "utterance_scores": [1' + b"0" * 308 + b"]}",
    "half of a surrogate pair, escaped": b'{"query_id": "q0", "response": "\\ud83d"}',
    "a lone carriage return between the columns": GOOD.replace(b", ", b",\r"),
    "a failure with ids and scores before a row with scores": GOOD[:-1]
    + b', "utterance_scores": [2], "outcome": "refused"}\n'
    + GOOD.replace(b"q0", b"q1")[:-1]
    + b', "utterance_scores": [3]}',
    "minus zero": GOOD.replace(b"[1]", b"[-0]"),
    "an escaped key": GOOD.replace(b"query_id", b"query\\u005fid"),
    "a number as small as none": GOOD[:-1] + b', "latency_s": 1e-999}',
}


@pytest.mark.parametrize("kind", ACCEPTED)
def test_what_is_odd_and_right_is_read_the_same_by_both_readers(tmp_path: Path, kind: str) -> None:
    assert check(tmp_path / "p.jsonl", ACCEPTED[kind] + b"\n") == "accepted"


def test_the_same_seed_gives_the_same_inputs() -> None:
    assert [one_input(3, number) for number in range(40)] == [one_input(3, number) for number in range(40)]
    assert one_input(3, 0) != one_input(4, 0)


def test_a_reader_that_drops_a_row_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def without_one(path: Path, query_ids: set[str]) -> object:
        found = read_predictions(path, query_ids)
        found.pop("q0")
        return found

    monkeypatch.setattr(fuzz_predictions, "read_predictions", without_one)
    with pytest.raises(Wrong, match="rows"):
        check(tmp_path / "p.jsonl", GOOD + b"\n")


def test_the_soak_prints_how_many_were_accepted_and_refused(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["--count", "20", "--seed", "1"])
    printed = re.match(r"20 inputs \(seed 1\): (\d+) accepted, (\d+) refused, (\d+) wrong", capsys.readouterr().out)
    assert printed
    accepted, refused, wrong = map(int, printed.groups())
    assert accepted + refused + wrong == 20
    assert code == (1 if wrong else 0)
