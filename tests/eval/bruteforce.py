"""The measures a second time, from the design's words alone: sets, fractions, one query after another, no arrays."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

FIGURES = ("p", "r", "f1", "mcc")


@dataclass(frozen=True)
class Case:
    """One query with its dialogue's size, its gold and what a system answered, None for a failure."""

    n_utterances: int
    textless: frozenset[int]
    n_images: int
    gold_utterances: frozenset[int]
    gold_images: frozenset[int]
    answer: tuple[Sequence[int], Sequence[int]] | None


@dataclass(frozen=True)
class Side:
    """One query in one modality."""

    universe: frozenset[int]
    gold: frozenset[int]
    answer: frozenset[int]
    failed: bool


def sides(cases: Iterable[Case], scope: str) -> list[Side]:
    """Return the queries of one modality; textless utterances are outside the universe and outside every answer."""
    found = []
    for case in cases:
        failed = case.answer is None
        utterances, images = case.answer or ((), ())
        if scope == "utt":
            universe = frozenset(range(case.n_utterances)) - case.textless
            found.append(Side(universe, case.gold_utterances, frozenset(utterances) - case.textless, failed))
        else:
            found.append(Side(frozenset(range(case.n_images)), case.gold_images, frozenset(images), failed))
    return found


def ratio(numerator: int | Fraction, denominator: int | Fraction) -> Fraction:
    return Fraction(numerator) / Fraction(denominator) if denominator else Fraction(0)


def harmonic(a: float | Fraction, b: float | Fraction) -> float:
    return float(2 * a * b / (a + b)) if a + b else 0.0


def mcc(tp: int, fp: int, fn: int, tn: int) -> float:
    product = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
    return (tp * tn - fp * fn) / math.sqrt(product) if product else 0.0


def table(side: Side) -> tuple[int, int, int, int]:
    """Return tp, fp, fn, tn."""
    return (
        len(side.answer & side.gold),
        len(side.answer - side.gold),
        len(side.gold - side.answer),
        len(side.universe - side.answer - side.gold),
    )


def figure(name: str, tp: int, fp: int, fn: int, tn: int) -> float:
    precision, recall = ratio(tp, tp + fp), ratio(tp, tp + fn)
    if name == "mcc":
        return mcc(tp, fp, fn, tn)
    return {"p": float(precision), "r": float(recall), "f1": harmonic(precision, recall)}[name]


def micro(found: Sequence[Side], name: str) -> float | None:
    if not any(side.gold for side in found):
        return None
    tables = [table(side) for side in found]
    tp, fp, fn, tn = (sum(column) for column in zip(*tables, strict=True))
    return figure(name, tp, fp, fn, tn)


def one_query(side: Side, name: str) -> float:
    if side.failed:
        return 0.0
    if name == "mcc" and side.gold in (frozenset(), side.universe):
        return float(side.answer == side.gold)
    if not side.answer and not side.gold:
        return 1.0
    if not side.answer or not side.gold:
        return 0.0
    return figure(name, *table(side))


def macro(found: Sequence[Side], name: str) -> float | None:
    values = [one_query(side, name) for side in found if side.universe]
    return math.fsum(values) / len(values) if values else None


def joint(name: str, utterances: float | None, images: float | None) -> float | None:
    if utterances is None:
        return images
    if images is None:
        return utterances
    return harmonic(utterances, images) if name in ("p", "r") else (utterances + images) / 2


def all_measures(cases: Sequence[Case]) -> dict[str, float | None]:
    """Return every measure by name."""
    values: dict[str, float | None] = {}
    for average, suffix in ((micro, ""), (macro, "(avg=macro)")):
        for name in FIGURES:
            utterances, images = (average(sides(cases, scope), name) for scope in ("utt", "img"))
            values[f"utt_{name}{suffix}"], values[f"img_{name}{suffix}"] = utterances, images
            values[f"joint_{name}{suffix}"] = joint(name, utterances, images)
    return values
