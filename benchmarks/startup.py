"""How long the command line takes to answer, as multiples of starting Python itself; all in one run.

python benchmarks/startup.py
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

RUNS = 15
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "import mldr": [sys.executable, "-c", "import mldr"],
    "mldr-eval --help": [
        sys.executable,
        "-c",
        "from mldr.eval.cli import main; import sys; sys.argv[1:] = ['--help']; main()",
    ],
    "mldr --help": [sys.executable, "-c", "from mldr.cli import main; import sys; sys.argv[1:] = ['--help']; main()"],
}


def seconds(command: list[str]) -> float:
    """Return the wall time of one run."""
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


def main() -> None:
    """Time the commands in turn and print medians and ratios."""
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(RUNS):
        for name, command in COMMANDS.items():
            times[name].append(seconds(command))
    base = statistics.median(times["python -c pass"])
    for name, taken in times.items():
        median = statistics.median(taken)
        sys.stdout.write(f"{name:<18} {1000 * median:7.1f} ms  {median / base:5.2f} x python\n")


if __name__ == "__main__":
    main()
