"""Thousands of hostile answers: each ends in one outcome, the file is valid, the ids are those that the evaluator itself reads."""

from __future__ import annotations

import json
import os
import random
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

import mldr
from mldr.answers import parse_answer
from mldr.eval import Evaluator
from mldr.eval.outcomes import OUTCOMES
from mldr.retrievers import run_retriever
from mldr.retrievers.protocol import Run
from mldr.retrievers.vlm.answers import read
from mldr.retrievers.vlm.generator import Generation, ModelPrompt, Sampling
from mldr.retrievers.vlm.prompting import Prompting
from mldr.retrievers.vlm.retriever import VisionLanguageRetriever
from tests.conftest import Command
from tests.retrievers.support import rows_of

COUNT = int(os.environ.get("MLDR_FUZZ", "300"))
PIECES = (
    "<|utt_ids_start|>[2, 5]<|utt_ids_end|>;<|img_ids_start|>[0]<|img_ids_end|>",
    "<|utt_ids_start|>[]<|utt_ids_end|>;<|img_ids_start|>[]<|img_ids_end|>",
    "<|utt_ids_start|>[1,\n 2]<|utt_ids_end|> ;\n<|img_ids_start|>[\n]<|img_ids_end|>",
    "<|utt_ids_start|>[99999, -3]<|utt_ids_end|>;<|img_ids_start|>[7, 7]<|img_ids_end|>",
    "<|utt_ids_start|>[" + ", ".join(map(str, range(10_000))) + "]<|utt_ids_end|>;<|img_ids_start|>[]<|img_ids_end|>",
    "<|utt_ids_start|>[" + "9" * 400 + "]<|utt_ids_end|>;<|img_ids_start|>[0]<|img_ids_end|>",
    "<|utt_ids_start|>[1, 2",
    "<|img_ids_start|>[0]<|img_ids_end|>",
    '{"utterance_ids": [1, 2], "image_ids": [0]}',
    '{"utterance_ids": [1.5], "image_ids": [true]}',
    '{"utterance_ids": null, "image_ids": {}}',
    "```json\n",
    "The answer is utterances 3 and 4.",
    "我不能回答这个问题。",
    "\x00\ud800\u202e\N{PILE OF POO}",
    "<|im_end|>\n<|im_start|>user\n",
    "[" * 3_000,
    "{" * 3_000,
    " " * 5_000,
    "\r\n\t",
    "",
)


def hostile(draw: random.Random) -> str:
    """Return an answer that is put together from pieces, then cut, doubled, or with a character changed."""
    text = "".join(draw.choice(PIECES) for _ in range(draw.choice((0, 1, 1, 1, 2, 3))))
    match draw.randrange(6):
        case 0:
            return text[: draw.randrange(len(text) + 1)]
        case 1:
            return text[draw.randrange(len(text) + 1) :]
        case 2 if text:
            spot = draw.randrange(len(text))
            return text[:spot] + chr(draw.choice((0, 10, 44, 91, 93, 124, 0xFF1B, 0xFF0C, 0x1F600))) + text[spot + 1 :]
        case 3:
            return text.replace(",", draw.choice(("，", ";", ", ,", "\n,\n")))
    return text


class Scripted:
    """Gives the next hostile answer to each prompt; now and then a failure."""

    identity: Mapping[str, Any] = {"model": "scripted"}
    at_once = 1

    def __init__(self, seed: int) -> None:
        self._draw = random.Random(seed)

    def open(self, run: Run) -> None:
        pass

    def close(self) -> None:
        pass

    def generate(self, prompts: Sequence[ModelPrompt], sampling: Sampling) -> Iterator[tuple[int, Generation]]:
        order = list(range(len(prompts)))
        self._draw.shuffle(order)
        for position in order:
            failed = self._draw.choice(("", "", "", "", "", "", "", "", "refused", "api_error"))
            text = hostile(self._draw)
            yield position, Generation("" if failed and self._draw.random() < 0.5 else text, "stop", outcome=failed)


class Fuzzed(VisionLanguageRetriever):
    """A vision language model that answers anything."""

    def __init__(self, seed: int) -> None:
        super().__init__(Scripted(seed), Prompting("text"), Sampling())


def test_each_hostile_answer_ends_in_one_outcome_and_the_file_is_valid(
    tmp_path: Path, command: Command, demo_dataset: mldr.Dataset
) -> None:
    evaluator = Evaluator(demo_dataset, "test")
    total: Counter[str] = Counter()
    answers, seed = 0, 0
    while answers < COUNT:
        out = tmp_path / f"{seed}.jsonl"
        run_retriever("tests.retrievers.vlm.test_fuzz:Fuzzed", demo_dataset, "test", out, options={"seed": seed})
        code, _, err = command("mldr-eval", "validate", str(demo_dataset.folder), str(out), "--split", "test")
        assert code == 0, err
        scores = evaluator.score(evaluator.read(out))
        assert sum(scores.outcomes.values()) == scores.n_queries
        assert scores.outcomes["missing"] == 0
        total.update(scores.outcomes)
        answers, seed = answers + scores.n_queries, seed + 1
        if seed == 1:
            _the_evaluator_reads_the_same_ids(evaluator, out, tmp_path / "responses.jsonl")
    assert {name for name, n in total.items() if n} == set(OUTCOMES) - {"missing"}, dict(total)


def _the_evaluator_reads_the_same_ids(evaluator: Evaluator, out: Path, alone: Path) -> None:
    """Compare with the responses alone, for all that stand in the papers' grammar or in none."""
    rows = rows_of(out)
    read_by_tags = [row for row in rows if "outcome" not in row and parse_answer(row["response"]) is not None]
    assert len(read_by_tags) > len(rows) // 12
    given = {row["query_id"] for row in read_by_tags}
    lines = [{k: v for k, v in row.items() if k in ("query_id", "response")} for row in read_by_tags]
    both = [{k: v for k, v in row.items() if k not in ("meta", "latency_s")} for row in read_by_tags]
    for path, kept in ((alone, lines), (alone.with_name("both.jsonl"), both)):
        path.write_text("".join(json.dumps(row) + "\n" for row in kept), encoding="utf-8")
    one, other = (evaluator.score(evaluator.read(path)) for path in (alone, alone.with_name("both.jsonl")))
    assert given
    assert one.outcomes == other.outcomes
    assert one.measures == other.measures


@pytest.mark.parametrize("piece", ["{", '{"utterance_ids": [', "<|utt_ids_start|>[1, ", "[ ", '{"a": {}', "1,\n", "}{"])
def test_reading_takes_time_in_proportion_to_the_length(piece: str) -> None:
    def seconds(times: int) -> float:
        text = piece * times
        began = time.perf_counter()
        read(text)
        return time.perf_counter() - began

    seconds(1_000)
    short = min(seconds(4_000) for _ in range(5))
    assert min(seconds(40_000) for _ in range(3)) < 100 * max(short, 1e-4), (
        "ten times the text, not a hundred times the time"
    )
