"""A build that is killed at random moments, with one worker and with two, and goes on to the same bytes each time.

python -m tests.soak.kill_builds --count 50 --seed 0
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.builders.clerk_server import clerk_answers
from tests.builders.killing import build_words, endured, finished
from tests.builders.support import corpus, tree_bytes
from tests.builders.test_model_build import recipe_of
from tests.fakes.chat_server import ChatServer

Command = Callable[[Path, int], list[str]]
"""Takes the dataset's folder and a number of workers; returns the words that build it."""


def soak(command: Command, folder: Path, count: int, seed: int) -> None:
    """Kill a build `count` times, half of them with two workers, and print at which stages it was.

    Raises:
        AssertionError: where a resumed build failed, or its bytes were others than those of an undisturbed one.
    """
    finished(command(folder / "whole", 1))
    whole = tree_bytes(folder / "whole")
    for workers, kills in ((1, count - count // 2), (2, count // 2)):
        duration = finished(command(folder / f"timed{workers}", workers))
        assert tree_bytes(folder / f"timed{workers}") == whole
        words = command(folder / f"out{workers}", workers)
        stages = endured(words, folder / f"out{workers}", whole, kills=kills, seed=seed + workers, duration=duration)
        told = ", ".join(f"{stage} {times}" for stage, times in sorted(stages.items()))
        sys.stdout.write(f"{kills} kills, {workers} worker{'s' * (workers > 1)}: the same bytes; killed at {told}\n")


def main() -> None:
    """Build a corpus of 900 sources and 100 pictures by rule, and one of 60 with a model; half of the kills each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    by_rule = given.count - given.count // 2
    with tempfile.TemporaryDirectory() as folder:
        recipe = corpus(Path(folder) / "in", 900, n_images=100)
        soak(command_of(recipe), Path(folder), by_rule, given.seed)
    with tempfile.TemporaryDirectory() as folder, ChatServer(clerk_answers(), latency_s=0.05) as server:
        recipe = recipe_of(Path(folder) / "in", server, n=60, endpoint={"concurrency": 4})
        sys.stdout.write("with a model behind a server:\n")
        soak(command_of(recipe), Path(folder), given.count - by_rule, given.seed)


def command_of(recipe: Path) -> Command:
    """Return the command that builds a recipe."""
    return lambda out, workers: build_words(recipe, out, "--workers", str(workers))


if __name__ == "__main__":
    main()
