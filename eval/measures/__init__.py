"""Measures as values. A measure's string is its identity, and `parse_measure` gives the measure back.

A family a file; each measure says which columns it needs and how their sums become its value, so that one definition
serves the score, its slices, the bootstrap and the permutation test.
"""

from __future__ import annotations

from mldr.eval.measures.base import Measure, Parameter
from mldr.eval.measures.registry import (
    HEADLINE,
    MEASURES,
    SET_MEASURES,
    available,
    parse_measure,
    parse_measures,
    statistic,
)

__all__ = [
    "HEADLINE",
    "MEASURES",
    "SET_MEASURES",
    "Measure",
    "Parameter",
    "available",
    "parse_measure",
    "parse_measures",
    "statistic",
]
