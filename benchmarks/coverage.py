"""How often the 95 % intervals hold the truth, and how often the test cries wolf, with queries that depend on one another.

    python benchmarks/coverage.py [--runs N]

Each simulated benchmark has G clusters of some dialogues; a cluster shifts all of its queries (an easy or a hard chat),
and two systems answer the same queries. The truth is the measure over a very large benchmark of the same kind. Reported
are, for macro and micro F1: the share of intervals that hold the truth (95 % is the aim), and the share of tests between
two equally good systems that come out below 5 % (5 % is the aim).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

import numpy as np

from mldr.eval.counts import Counts, CountTable
from mldr.eval.measures import parse_measures, statistic
from mldr.eval.ragged import Floats, Ints
from mldr.statistics import bootstrap, group_sums, permutation_test

CLUSTERS = (10, 20, 50, 100, 300)
QUERIES_A_CLUSTER = 12
UNIVERSE, GOLD = 40, 6
SPREAD = 0.8
"""Standard deviation of a cluster's shift of the hit rate, in logits."""
NAMES = ("utt_f1", "utt_f1(avg=macro)")


def benchmark(draw: np.random.Generator, n_clusters: int, systems: int) -> tuple[Ints, list[CountTable]]:
    """Return the cluster of each query, and the counts of equally good systems on those queries."""
    sizes = draw.integers(QUERIES_A_CLUSTER // 2, 2 * QUERIES_A_CLUSTER, n_clusters)
    cluster = np.repeat(np.arange(n_clusters), sizes)
    shift = draw.normal(0.0, SPREAD, n_clusters)[cluster]
    own = [draw.normal(0.0, SPREAD / 2, n_clusters)[cluster] for _ in range(systems)]
    tables = []
    for part in own:
        chance = 1 / (1 + np.exp(-(0.4 + shift + part)))
        tp = draw.binomial(GOLD, chance)
        fp = draw.binomial(UNIVERSE - GOLD, 0.12 * (1 - chance) + 0.02)
        utt = counts(tp, fp, np.full(len(tp), GOLD), np.full(len(tp), UNIVERSE))
        nothing = np.zeros(len(tp), dtype=np.int64)
        tables.append(CountTable(utt, counts(nothing, nothing, nothing, nothing), nothing))
    return cluster, tables


def counts(tp: Ints, fp: Ints, gold: Ints, universe: Ints) -> Counts:
    """Return counts of queries that did not fail."""
    fn = gold - tp
    return Counts(tp, fp, fn, universe - tp - fp - fn, universe, np.zeros(len(tp), dtype=np.bool_))


def sums_of(table: CountTable, cluster: Ints, n_clusters: int, columns: tuple[str, ...]) -> Floats:
    """Return the cluster sums of a table's columns."""
    return group_sums([table.column(name) for name in columns], cluster, n_clusters)


def truth() -> Floats:
    """Return the measures over a very large benchmark."""
    columns, values = statistic(parse_measures(NAMES))
    cluster, (table,) = benchmark(np.random.default_rng(1), 200_000, 1)
    found: Floats = values(sums_of(table, cluster, 200_000, columns).sum(axis=0, keepdims=True))[0]
    return found


def rows(runs: int) -> Iterator[str]:
    """Yield a line for each number of clusters."""
    columns, values = statistic(parse_measures(NAMES))
    known = truth()
    for n_clusters in CLUSTERS:
        held, wolf = np.zeros(len(NAMES)), np.zeros(len(NAMES))
        for run in range(runs):
            cluster, (first, second) = benchmark(np.random.default_rng([n_clusters, run]), n_clusters, 2)
            sums = [sums_of(table, cluster, n_clusters, columns) for table in (first, second)]
            boot = bootstrap(sums[0], values, 1_000, run)
            held += (boot.low <= known) & (known <= boot.high)
            wolf += permutation_test(sums[0], sums[1], values, 1_000, run).p < 0.05
        numbers = [
            *(f"{100 * share:5.1f} %" for share in held / runs),
            *(f"{100 * share:5.1f} %" for share in wolf / runs),
        ]
        yield f"{n_clusters:>8}  " + "  ".join(f"{number:>14}" for number in numbers)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2_000)
    runs = parser.parse_args().runs
    head = "  ".join(f"{words:>14}" for words in ("micro holds", "macro holds", "micro p < 5 %", "macro p < 5 %"))
    sys.stdout.write(f"{runs:,} simulated benchmarks a row\nclusters  {head}\n")
    for row in rows(runs):
        sys.stdout.write(row + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
