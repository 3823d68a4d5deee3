"""Builds that are killed at random moments and started again, whatever the command that builds."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import mldr
from mldr.verify import verify
from tests.builders.support import tree_bytes


def build_words(recipe: Path, out: Path, *options: str) -> list[str]:
    """Return the command that builds a recipe."""
    return [sys.executable, "-m", "mldr", "build", "create", str(recipe), "--out", str(out), *options]


def started(words: Sequence[str], environment: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Start a command in a process group of its own."""
    environ = {**os.environ, **(environment or {})}
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True, env=environ)


def finished(words: Sequence[str], environment: Mapping[str, str] | None = None) -> float:
    """Run a command to its end, which must be a good one; return its seconds."""
    begun = time.monotonic()
    process = started(words, environment)
    _, err = process.communicate()
    assert process.returncode == 0, err.decode()
    return time.monotonic() - begun


def endured(
    words: Sequence[str],
    out: Path,
    whole: Mapping[str, bytes],
    *,
    kills: int,
    seed: int,
    duration: float,
    environment: Mapping[str, str] | None = None,
) -> Counter[str]:
    """Kill a build so many times, each time it was started again; say what was in its work folder when it was killed.

    A dataset at `out` must be whole whenever there is one, and the same bytes as `whole` when the last run has ended.

    Args:
        words: the command, which builds `out`.
        out: the dataset's folder.
        whole: path -> bytes of the same dataset, built without a disturbance.
        kills: SIGKILL to the whole process group, workers too.
        seed: draws the moments.
        duration: seconds of a build without a disturbance.
        environment: of the command, beside this process's own.
    """
    draw = random.Random(seed)
    found: Counter[str] = Counter()
    while found.total() < kills:
        process = started(words, environment)
        time.sleep(draw.uniform(0.1, 1.0) * duration)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            found[stage(out)] += 1
        else:  # it came to its end: start again from nothing, and kill earlier
            _, err = process.communicate()
            assert process.returncode == 0, err.decode()
            assert tree_bytes(out) == whole
            duration = max(0.5, duration * 0.8)
            shutil.rmtree(out)
        assert not out.exists() or verify(mldr.load(out)) == {}
    finished(words, environment)
    assert tree_bytes(out) == whole
    assert not out.with_name(out.name + ".partial").exists()
    return found


def stage(out: Path) -> str:
    """Return how far a killed build had come, as its folders tell."""
    partial = out.with_name(out.name + ".partial")
    if out.exists():
        return "dataset in place"
    for place, name in (
        ("dataset", "shards"),
        ("work/units", "units"),
        ("work/drafts", "drafts"),
        ("work/plan", "plan"),
        ("work/images", "pictures"),
    ):
        if (partial / place).exists():
            return name
    return "sources" if partial.exists() else "nothing yet"
