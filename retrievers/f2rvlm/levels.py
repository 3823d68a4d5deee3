"""How difficult a query is to the cold-start model: the papers' rule, and for comparison that of the released code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from mldr.errors import Faults
from mldr.eval.ragged import Bools, Floats

if TYPE_CHECKING:
    from mldr.retrievers.f2rvlm.grading import Grade

Level = Literal["easy", "medium", "hard", "confusing"]
Rule = Literal["paper", "released"]

EASY_TO_HARD: tuple[Level, ...] = ("easy", "medium", "confusing", "hard")
"""The order of training: hard means wrong and sure of it, confusing wrong and unsure."""


def levels(grades: Sequence[Grade], rule: Rule = "paper") -> dict[str, Level]:
    """Return query_id -> level, in the order of `grades`; no query is left out, negatives neither.

    With f the F1 and h the mean entropy of an answer, and Q25, Q50, Q75 their quartiles over all grades (linear between
    neighbours):

        paper (AAAI eq. 4, IJCV eq. 7)              released code, first that applies
        easy        f >= Q75 and h <= Q25           f >= Q75 and h <= Q25
        confusing   f <= Q25 and h >= Q75           f >= Q25 and h <= Q75
        hard        f <= Q25 and h <= Q25           the rest
        medium      the rest                        f >= Q50 and h <= Q50, before confusing

    Where many answers are equally good, quartiles fall together and the paper's conditions overlap. Then the first of the list
    counts, and two answers are told apart by what they are: an F1 of 0 is never easy, one of 1 never confusing or hard.

    `released` is meant to be laid beside `paper`, not to be trained on. As that code does, it takes for f the plain mean of
    the two F1, and for h the logarithm of the number of tokens, which is what its entropy comes to. It drops no negatives.

    Raises:
        InputError: if a query stands twice.
        ValueError: for an unknown rule.
    """
    if rule not in ("paper", "released"):
        raise ValueError(f"rule is {rule!r}; it is 'paper' or 'released'")
    faults = Faults()
    seen: set[str] = set()
    for row in grades:
        if row.query_id in seen:
            faults.add(f"grades, query {row.query_id}", "stands twice; one grade a query")
        seen.add(row.query_id)
    faults.check()
    if not grades:
        return {}
    found = _paper(grades) if rule == "paper" else _released(grades)
    return {row.query_id: level for row, level in zip(grades, found, strict=True)}


def _paper(grades: Sequence[Grade]) -> list[Level]:
    f = np.array([row.f1 for row in grades], dtype=np.float64)
    h = np.array([row.entropy for row in grades], dtype=np.float64)
    (f25, _, f75), (h25, _, h75) = _quartiles(f), _quartiles(h)
    low = (f <= f25) & (f < 1)
    return _first(
        ("easy", (f >= f75) & (f > 0) & (h <= h25)),
        ("confusing", low & (h >= h75)),
        ("hard", low & (h <= h25)),
        rest="medium",
    )


def _released(grades: Sequence[Grade]) -> list[Level]:
    f = np.array([(row.utterance_f1 + row.image_f1) / 2 for row in grades], dtype=np.float64)
    h = np.log([row.n_tokens for row in grades])
    (f25, f50, f75), (h25, h50, h75) = _quartiles(f), _quartiles(h)
    return _first(
        ("easy", (f >= f75) & (h <= h25)),
        ("medium", (f >= f50) & (h <= h50)),
        ("confusing", (f >= f25) & (h <= h75)),
        rest="hard",
    )


def _quartiles(values: Floats) -> Floats:
    quartiles: Floats = np.quantile(values, (0.25, 0.5, 0.75))
    return quartiles


def _first(*rules: tuple[Level, Bools], rest: Level) -> list[Level]:
    """Return for each query the first level whose condition holds."""
    conditions = np.stack([condition for _, condition in rules])
    first = np.where(conditions.any(axis=0), conditions.argmax(axis=0), len(rules))
    names = [*(level for level, _ in rules), rest]
    return [names[position] for position in first]
