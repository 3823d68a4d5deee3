"""How far two answers to one query agree, for the adjudicator's eye; the full measures are those of the agreement report."""

from __future__ import annotations

from collections.abc import Iterable, Set
from statistics import fmean

Member = tuple[str, int]
"""`("u", 3)`, `("i", 0)`: a message's text or a picture."""


def members(utterance_ids: Iterable[int], image_ids: Iterable[int]) -> frozenset[Member]:
    """Return an answer as one set."""
    return frozenset([("u", one) for one in utterance_ids] + [("i", one) for one in image_ids])


def set_f1(one: Set[Member], other: Set[Member]) -> float:
    """Return 2|A and B| / (|A| + |B|); 1 where both are empty: both said that nothing answers."""
    total = len(one) + len(other)
    return 2 * len(one & other) / total if total else 1.0


def set_jaccard(one: Set[Member], other: Set[Member]) -> float:
    """Return |A and B| / |A or B|; 1 where both are empty."""
    both = one | other
    return len(one & other) / len(both) if both else 1.0


def mean(figures: Iterable[float]) -> float | None:
    """Return the mean, None of nothing."""
    kept = list(figures)
    return fmean(kept) if kept else None


def chosen_alpha(units: Iterable[tuple[int, int]]) -> float | None:
    """Return Krippendorff's alpha, nominal, over units that were rated by how many of how many annotators chose them.

    Args:
        units: (annotators that chose it, annotators) of every message and picture of every query.

    Source: Krippendorff, Content Analysis (2004), section 11.3: 1 - (N - 1) * observed / expected disagreement of the
    coincidences; two values, no missing ones inside a unit, units of one annotator left out.
    """
    disagreed, ones, total = 0.0, 0, 0
    for chose, of in units:
        if of < 2:
            continue
        disagreed += 2 * chose * (of - chose) / (of - 1)
        ones += chose
        total += of
    expected = 2 * ones * (total - ones)
    if not expected:
        return None
    return 1 - (total - 1) * disagreed / expected
