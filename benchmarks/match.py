"""Nearest-neighbour matching of many sources: time and peak memory, against a bare blocked matrix product in the same run.

    python benchmarks/match.py [--sources N] [--dimensions D]

The product is what any exact search has to compute; what lies above it is the selection of the best, the reranking and the
choice of triplets. Each part runs in a process of its own, whose peak memory is printed.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable

import numpy as np

from mldr.builders.apart import Apart
from mldr.builders.neighbours import COARSE, COLUMNS, ROWS, nearest, on_grid
from mldr.builders.settings import MatchSettings
from mldr.builders.sourcevectors import SourceVectors
from mldr.builders.spool import SourceHead
from mldr.builders.triplets import match_nearest
from mldr.embed import Vectors

PICTURES = 256


def made(n: int, dimensions: int) -> tuple[Vectors, list[frozenset[str]]]:
    """Return vectors in 200 clusters, and marks of which every second is shared by two sources."""
    draw = np.random.default_rng(0)
    centres = draw.standard_normal((200, dimensions), dtype=np.float32)
    vectors = draw.standard_normal((n, dimensions), dtype=np.float32)
    vectors += 2 * centres[draw.integers(0, len(centres), n)]
    return vectors, [frozenset({f"text:{i}", f"picture:{i % (3 * n // 4)}"}) for i in range(n)]


def product(n: int, dimensions: int) -> None:
    """Multiply every pair of blocks, and drop the products."""
    grid = on_grid(made(n, dimensions)[0], COARSE)
    out = np.empty((ROWS, COLUMNS), dtype=np.float32)
    start = time.perf_counter()
    for first in range(0, n, ROWS):
        rows = grid[first : first + ROWS]
        for column in range(0, n, COLUMNS):
            columns = grid[column : column + COLUMNS]
            np.matmul(rows, columns.T, out=out[: len(rows), : len(columns)])
    report(time.perf_counter() - start)


def search(n: int, dimensions: int) -> None:
    """Find the 50 nearest of every source."""
    vectors, marks = made(n, dimensions)
    grid = on_grid(vectors, COARSE)
    del vectors
    start = time.perf_counter()
    nearest(grid, MatchSettings().candidates, Apart(marks))
    report(time.perf_counter() - start)


def whole(n: int, dimensions: int, split: str) -> None:
    """Match as a build does, with a picture vector for half of the sources."""
    vectors, marks = made(n, dimensions)
    ids = [f"source-{i:07d}" for i in range(n)]
    heads = {name: SourceHead(name, "en", "", 8, (), "", 0) for name in ids}
    pictures = np.random.default_rng(1).standard_normal((n, PICTURES), dtype=np.float32)
    held = SourceVectors(ids, vectors, pictures, np.arange(n) % 2 == 0)
    dropped: Counter[str] = Counter()
    start = time.perf_counter()
    own = dict(zip(ids, marks, strict=True))
    matches = match_nearest(heads, dict.fromkeys(ids, split), held, own, MatchSettings(), 0, dropped)
    report(time.perf_counter() - start, matches=len(matches), left_over=dropped.total())


def report(seconds: float, **more: int) -> None:
    """Print what one part took."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(json.dumps({"seconds": seconds, "peak_mb": peak, **more}))


PARTS: dict[str, Callable[[int, int], None]] = {
    "bare product": product,
    "50 nearest": search,
    "whole, training": lambda n, d: whole(n, d, "train_sft"),
    "whole, test": lambda n, d: whole(n, d, "test"),
}


def main() -> None:
    """Run each part in a process of its own and print the comparison."""
    parser = argparse.ArgumentParser(description="Time and memory of nearest-neighbour matching.")
    parser.add_argument("--sources", type=int, default=100_000)
    parser.add_argument("--dimensions", type=int, default=384)
    parser.add_argument("--part", choices=PARTS)
    asked = parser.parse_args()
    if asked.part:
        PARTS[asked.part](asked.sources, asked.dimensions)
        return
    sys.stdout.write(f"{asked.sources:,} sources of {asked.dimensions} dimensions\n")
    bare = 0.0
    for part in PARTS:
        size = ["--sources", str(asked.sources), "--dimensions", str(asked.dimensions)]
        command = [sys.executable, __file__, "--part", part, *size]
        found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        bare = bare or found["seconds"]
        line = f"{part:<16}{found['seconds']:8.1f} s{found['seconds'] / bare:8.2f} x bare{found['peak_mb']:8.0f} MB"
        extra = f"   {found['matches']:,} dialogues, {found['left_over']} sources left" if "matches" in found else ""
        sys.stdout.write(line + extra + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
