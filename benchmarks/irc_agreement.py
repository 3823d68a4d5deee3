"""How far real annotators agree: ten logs of an IRC channel, each linked by two people and then adjudicated.

python benchmarks/irc_agreement.py FOLDER

FOLDER holds `<log>.annotation.txt` (adjudicated), `<log>.annotation.<who>.txt` (before adjudication) and, where there is one,
`<log>.ascii.txt` (a message a line), in any folders below it. A conversation is a fragment; conversations are matched by overlap.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np

from mldr.annotation.agreement.links import Link, LogAgreement, link_kappa, log_agreement, read_links
from mldr.annotation.agreement.measures import figures
from mldr.statistics import Floats, bootstrap

NAME = re.compile(r"(?P<log>.+)\.annotation(\.(?P<who>[\w-]+))?\.txt")
GOLD = "adjudicated"
COLUMNS = ("fragment F1", "of 2 and more", "1-1", "1 - VI scaled", "VI bits", "ARI", "exact F1", "link F1")


def read(folder: Path) -> dict[str, dict[str, frozenset[Link]]]:
    """Return log -> who -> links, for logs that two annotated."""
    found: dict[str, dict[str, frozenset[Link]]] = {}
    for path in sorted(folder.rglob("*.annotation*.txt")):
        if match := NAME.fullmatch(path.name):
            found.setdefault(match["log"], {})[match["who"] or GOLD] = read_links(path)
    return {log: own for log, own in found.items() if len(own) > 1}


def lengths(folder: Path, logs: dict[str, dict[str, frozenset[Link]]]) -> dict[str, int]:
    """Return how many messages each log has: lines of its text, or what its links reach."""
    texts = {path.name: path for path in folder.rglob("*.ascii.txt")}
    found = {}
    for log, own in logs.items():
        reached = 1 + max(late for links in own.values() for _, late in links)
        path = texts.get(f"{log}.ascii.txt")
        found[log] = max(reached, path.read_bytes().count(b"\n")) if path else reached
    return found


def row(log: LogAgreement) -> list[float]:
    """Return the figures of one log; NaN where there is none."""
    part = log.partition
    large = log.large_sum / log.large_count if log.large_count else None
    values = (log.f1, large, part.one_to_one, part.vi_scaled, part.vi, part.rand, part.exact_f1, log.link_f1)
    return [float("nan") if value is None else value for value in values]


def shown(name: str, values: Sequence[float] | Floats) -> str:
    """Return a line of the table: percent, VI in bits."""
    cells = [
        f"{v:13.3f}" if column == "VI bits" else f"{100 * v:13.2f}" for column, v in zip(COLUMNS, values, strict=True)
    ]
    return f"{name:<28}" + " ".join(cells) + "\n"


def compare(title: str, pairs: dict[str, LogAgreement]) -> None:
    """Print a table of one pair of sides, a log a line."""
    rows = np.array([row(log) for log in pairs.values()])
    sys.stdout.write(f"\n{title}\n{'log':<28}" + " ".join(f"{column:>13}" for column in COLUMNS) + "\n")
    for name, values in zip(pairs, rows, strict=True):
        n = "/".join(map(str, pairs[name].conversations))
        sys.stdout.write(shown(f"{name} ({n})", values))
    sys.stdout.write(shown(f"mean of {len(rows)} logs", rows.mean(axis=0)))
    boot = bootstrap(rows, lambda sums: sums / len(rows))
    if not np.isnan(boot.low).any():
        sys.stdout.write(shown("  95 % from", boot.low) + shown("  to", boot.high))
    items = [item for log in pairs.values() for item in log.items]
    found = figures(items, 2, nothing="no message")
    alpha = {"MASI": found.alpha_masi, "Jaccard": found.alpha_jaccard}
    words = []
    for distance, value in alpha.items():
        between = "" if value.low is None else f" [{value.low:.3f}, {value.high:.3f}]"
        words.append(f"{value.value:.3f}{between} ({distance})")
    sys.stdout.write(f"alpha, item a message, value its conversation: {', '.join(words)}\n")
    sys.stdout.write(f"kappa over all pairs of messages, linked or not: {link_kappa(list(pairs.values())):.3f}\n")


def main(folder: Path) -> None:
    """Print the annotators against one another, then each against the adjudicated answer."""
    logs = read(folder)
    ends = lengths(folder, logs)
    names = sorted({who for own in logs.values() for who in own} - {GOLD})
    for first, second in [*combinations(names, 2), *((name, GOLD) for name in names)]:
        pairs = {
            log: log_agreement(log, own[first], own[second], ends[log])
            for log, own in logs.items()
            if first in own and second in own
        }
        if pairs:
            compare(f"{first} against {second}", pairs)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python benchmarks/irc_agreement.py FOLDER")
    main(Path(sys.argv[1]))
