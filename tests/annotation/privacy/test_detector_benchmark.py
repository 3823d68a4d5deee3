"""The aims of the detectors, on a small draw of the benchmark's messages."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
BENCHMARK = ROOT / "benchmarks" / "detectors.py"


@pytest.fixture(scope="module")
def benchmark() -> Iterator[Any]:
    if not BENCHMARK.exists():
        pytest.skip("the benchmarks are not here: the tests run away from the checkout")
    pytest.importorskip("faker", reason="faker is not installed")
    sys.path.insert(0, str(ROOT))
    import benchmarks.detectors

    yield benchmarks.detectors
    sys.path.remove(str(ROOT))


@pytest.fixture(scope="module")
def tally(benchmark: Any) -> Any:
    return benchmark.measure(messages=1_200, names=800, seed=99)


def test_numbers_are_found_as_the_aim_says(benchmark: Any, tally: Any) -> None:
    assert sum(tally.known[kind] for kind in benchmark.NUMBERS) > 500
    assert tally.recall(benchmark.NUMBERS) >= benchmark.AIM_NUMBERS, tally.misses


def test_members_names_are_found_as_the_aim_says(benchmark: Any, tally: Any) -> None:
    assert tally.known["name"] >= 800
    assert tally.recall(["name"]) >= benchmark.AIM_NAMES, tally.misses


def test_what_is_masked_is_private(benchmark: Any, tally: Any) -> None:
    assert tally.precision(sorted(tally.found)) >= 0.98


def test_sentences_written_after_the_rules_reach_the_aims_too(benchmark: Any) -> None:
    tally = benchmark.measure(messages=1_200, names=800, seed=98, frames=benchmark.HELD_OUT)
    assert tally.recall(benchmark.NUMBERS) >= benchmark.AIM_NUMBERS, tally.misses
    assert tally.recall(["name"]) >= benchmark.AIM_NAMES, tally.misses
    assert len({text for _, text in benchmark.false_alarms(200, 98, benchmark.HARMLESS)}) <= 4


def test_harmless_messages_stay_as_they_are(benchmark: Any) -> None:
    alarms = benchmark.false_alarms(400, 99)
    assert len({text for _, text in alarms}) <= 8, alarms


def test_the_messages_are_the_same_for_the_same_seed(benchmark: Any) -> None:
    def drawn(seed: int) -> list[Any]:
        return list(benchmark.private_messages(benchmark.Inventor(seed), 60))

    assert drawn(3) == drawn(3) != drawn(4)
    assert all(message.text[k.start : k.end] for message in drawn(3) for k in message.known)


def test_a_miss_lowers_recall_and_a_mask_of_nothing_precision(benchmark: Any) -> None:
    message = benchmark.Message("ab13812345678", (benchmark.Known(2, 13, "mobile"),), "en")
    tally = benchmark.Tally()
    span = benchmark.Span
    tally.add(message, [span(2, 13, "mobile", 0.9, "x")])
    tally.add(message, [span(3, 13, "mobile", 0.9, "x"), span(0, 2, "mobile", 0.9, "x")])
    assert tally.recall(["mobile"]) == 0.5
    assert tally.precision(["mobile"]) == pytest.approx(2 / 3)


def test_it_prints_a_markdown_table(benchmark: Any) -> None:
    command = [sys.executable, "-m", "benchmarks.detectors", "--messages", "60", "--names", "40", "--harmless", "20"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "| kind | known | recall | masks | precision |" in done.stdout
    assert "**numbers**" in done.stdout
