"""A million predictions over 40,000 dialogues: how long scoring takes, as ratios measured in one run.

    python benchmarks/million.py [--queries N] [--work FOLDER]

What is timed: reading the gold, validating the predictions strictly, every set measure micro and macro, five slicings and
1,000 resamples, against (a) what `pyarrow.json.read_json` takes for the same file, (b) the published way of counting
(a regular expression, json.loads, Python sets and a universe for each row), which computes no interval.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.json as pj
import pyarrow.parquet as pq

from mldr.answers import format_answer
from mldr.files import sha256_file
from mldr.manifest import Manifest, ShardEntry, write_manifest
from mldr.tables import arrow_schema

QUERIES_A_DIALOGUE = 25
SLICES = ("kind", "language", "n_utterances", "gold_density", "scatter")
RUNS = 5
PUBLISHED_ROWS = 40_000


def ragged(draw: np.random.Generator, size: np.ndarray, share: float) -> pa.Array:
    """Return for each query ascending ids below its size, each with a chance of `share`."""
    offsets = np.concatenate([[0], np.cumsum(size)])
    kept = draw.random(int(offsets[-1])) < share
    flat = (np.arange(int(offsets[-1])) - np.repeat(offsets[:-1], size))[kept]
    lengths = np.add.reduceat(np.append(kept, False).astype(np.int64), offsets[:-1])
    lengths[size == 0] = 0
    ends = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(ends), pa.array(flat.astype(np.int32)))


def make(folder: Path, n_queries: int) -> tuple[Path, Path, Path]:
    """Write a dataset and the predictions of one system, as JSONL and as Parquet; return the three paths."""
    draw = np.random.default_rng(0)
    n_dialogues = n_queries // QUERIES_A_DIALOGUE
    n_utterances, n_images = draw.integers(10, 101, n_dialogues), draw.integers(0, 12, n_dialogues)
    names = [f"{i:016x}" for i in range(n_dialogues)]
    dialogue = np.repeat(np.arange(n_dialogues), QUERIES_A_DIALOGUE)
    query_ids = [f"{names[d]}-{i % QUERIES_A_DIALOGUE:08x}" for i, d in enumerate(dialogue)]
    size, images = n_utterances[dialogue], n_images[dialogue]
    gold = ragged(draw, size, 8 / 55), ragged(draw, images, 2 / 5.5)
    answer = ragged(draw, size, 8 / 55), ragged(draw, images, 2 / 5.5)
    some = [np.asarray(one.value_lengths()) > 0 for one in gold]
    kinds = np.array(["negative", "utterance", "image", "multimodal"])[some[0] * 1 + some[1] * 2]
    columns: dict[str, dict[str, Any]] = {
        "dialogues": {
            "dialogue_id": names,
            "language": np.where(np.arange(n_dialogues) % 2, "en", "zh"),
            "cluster_id": [f"c{i}" for i in range(n_dialogues)],
            "n_utterances": n_utterances,
            "n_images": n_images,
        },
        "queries": {"query_id": query_ids, "dialogue_id": [names[d] for d in dialogue]},
        "gold": {"query_id": query_ids, "kind": kinds, "utterance_ids": gold[0], "image_ids": gold[1]},
    }
    manifest = Manifest(name="mldr-ffr-million")
    for table, known in columns.items():
        write(folder / "set", table, known, manifest)
    write_manifest(folder / "set", manifest)
    predictions = pa.table({"query_id": query_ids, "utterance_ids": answer[0], "image_ids": answer[1]})
    predictions = predictions.take(pa.array(draw.permutation(n_queries)))  # any order is allowed, so none is helped
    pq.write_table(predictions, folder / "answers.parquet", compression="zstd")
    with (folder / "answers.jsonl").open("w", encoding="utf-8") as stream:
        for batch in predictions.to_batches(max_chunksize=50_000):
            stream.writelines(json.dumps(row) + "\n" for row in batch.to_pylist())
    return folder / "set", folder / "answers.jsonl", folder / "answers.parquet"


def write(folder: Path, table: str, known: dict[str, Any], manifest: Manifest) -> None:
    """Write one table, its other columns empty."""
    schema = arrow_schema(table)  # type: ignore[arg-type]
    rows = len(next(iter(known.values())))
    arrays = []
    for field in schema:
        if field.name in known:
            arrays.append(pa.array(known[field.name]).cast(field.type))
        elif pa.types.is_list(field.type):
            arrays.append(pa.array([[]] * rows, field.type))
        else:
            arrays.append(pa.array([False if pa.types.is_boolean(field.type) else ""] * rows, field.type))
    path = f"{table}/test-00000-of-00001.parquet"
    (folder / table).mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(arrays, schema=schema), folder / path, compression="zstd")
    manifest.files[path] = ShardEntry(rows=rows, sha256=sha256_file(folder / path))


def score(dataset: Path, predictions: Path) -> None:
    """Score as `mldr-eval score --by ...` does; runs in a process of its own, whose peak memory is printed."""
    import mldr
    from mldr.eval.evaluator import Evaluator
    from mldr.eval.measures import SET_MEASURES
    from mldr.eval.slices import slicings

    start = time.perf_counter()
    evaluator = Evaluator(mldr.load(dataset), "test")
    table = evaluator.read(predictions)
    scores = evaluator.score(table, SET_MEASURES, by=slicings(evaluator.gold, SLICES))
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    value = scores.measures["joint_f1"]
    sys.stdout.write(json.dumps({"seconds": seconds, "peak_mb": peak, "joint_f1": value.model_dump()}))


def write_inference(path: Path, out: Path) -> None:
    """Write the first rows of a predictions file as inference output, answers as text.

    A prompt has 55 utterances of some forty characters and five images, as the dialogues have on average.
    """
    said = "and then we could meet at the station at noon"
    lines = [f"<|utt_id_start|>{i}<|utt_id_end|> user{1 + i % 2}: {said}" for i in range(55)]
    images = [f"<|img_id_start|>{i}<|img_id_end|><image>" for i in range(5)]
    message = {"role": "user", "content": "\n".join([*lines, *images])}
    with path.open(encoding="utf-8") as stream, out.open("w", encoding="utf-8") as written:
        for line, _ in zip(stream, range(PUBLISHED_ROWS), strict=False):
            row = json.loads(line)
            text = format_answer(row["utterance_ids"], row["image_ids"])
            written.write(json.dumps({"labels": text, "response": text, "messages": [message]}) + "\n")


def published_rows_a_second(path: Path) -> float:
    """Return the rows a second of the published way of counting, from an inference file, reading included as in ours.

    First every line becomes ids and the largest tags of its prompt, then sets are compared row by row.
    """
    start = time.perf_counter()
    samples: list[tuple[list[list[int]], list[list[int]], list[int]]] = []
    with path.open(encoding="utf-8") as stream:
        for line in stream:
            row = json.loads(line)
            gold, answer = ([listed(row[key], kind) for kind in ("utt", "img")] for key in ("labels", "response"))
            prompt = row["messages"][0]["content"]
            samples.append((gold, answer, [largest(prompt, kind) for kind in ("utt", "img")]))
    counts = [0] * 8
    for gold_ids, answer_ids, last in samples:
        for side in (0, 1):
            wanted, given, universe = set(gold_ids[side]), set(answer_ids[side]), set(range(last[side] + 1))
            counts[4 * side] += len(wanted & given)
            counts[4 * side + 1] += len(given - wanted)
            counts[4 * side + 2] += len(wanted - given)
            counts[4 * side + 3] += len(universe - (wanted | given))
    return len(samples) / (time.perf_counter() - start)


def listed(text: str, kind: str) -> list[int]:
    """Return the ids of one list of an answer."""
    match = re.search(rf"<\|{kind}_ids_start\|>(.*?)<\|{kind}_ids_end\|>", text)
    ids: list[int] = json.loads(match.group(1).strip()) if match else []
    return ids


def largest(prompt: str, kind: str) -> int:
    """Return the largest id tag of a prompt."""
    return max(int(digits) for digits in re.findall(rf"<\|{kind}_id_start\|>(\d+)<\|{kind}_id_end\|>", prompt))


def read_json(path: Path) -> None:
    """Read the file with Arrow, no schema given and nothing checked; print what that took."""
    start = time.perf_counter()
    pj.read_json(path)
    sys.stdout.write(json.dumps({"seconds": time.perf_counter() - start}))


def in_process(*words: str | Path) -> dict[str, Any]:
    """Run one of the timed things in a fresh process, imports not counted, and return what it printed."""
    command = [sys.executable, __file__, *map(str, words)]
    found: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found


def main() -> None:
    """Make the data, time everything in turn, print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queries", type=int, default=1_000_000)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--score", nargs=2, type=Path)
    parser.add_argument("--read", type=Path)
    arguments = parser.parse_args()
    if arguments.score:
        score(*arguments.score)
        return
    if arguments.read:
        read_json(arguments.read)
        return
    work = arguments.work or Path(tempfile.mkdtemp())
    work.mkdir(parents=True, exist_ok=True)
    dataset, jsonl, parquet = make(work, arguments.queries)
    write_inference(jsonl, work / "inference.jsonl")
    in_process("--read", jsonl)
    found: dict[str, list[float]] = {"read_json": [], "jsonl": [], "parquet": [], "ratio": [], "published": []}
    peak = 0.0
    for _ in range(RUNS):
        found["read_json"].append(in_process("--read", jsonl)["seconds"])
        for name, path in (("jsonl", jsonl), ("parquet", parquet)):
            result = in_process("--score", dataset, path)
            found[name].append(result["seconds"])
            peak = max(peak, result["peak_mb"])
        found["ratio"].append(found["jsonl"][-1] / found["read_json"][-1])
        found["published"].append(published_rows_a_second(work / "inference.jsonl"))
    middle = {name: statistics.median(values) for name, values in found.items()}
    rows = arguments.queries / middle["jsonl"]
    lines = [
        f"{arguments.queries:,} predictions, {jsonl.stat().st_size / 1e6:.0f} MB as JSONL; medians of {RUNS} runs",
        f"pyarrow.json.read_json       {middle['read_json']:7.2f} s",
        f"score from JSONL             {middle['jsonl']:7.2f} s   {middle['ratio']:5.1f} x read_json",
        f"score from Parquet           {middle['parquet']:7.2f} s   {middle['parquet'] / middle['jsonl']:5.2f} x from JSONL",
        f"rows a second                {rows:9,.0f}   {rows / middle['published']:5.1f} x the published way "
        f"({middle['published']:,.0f}, no intervals)",
        f"peak memory                  {peak:7.0f} MB",
    ]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
