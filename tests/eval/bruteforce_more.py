"""Exact match, Jaccard, answerability, average precision and the oracle's F1 a second time: from the words, no arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tests.eval.bruteforce import Case, joint, sides

Scores = Sequence[float] | None


def outcome(case: Case) -> str:
    """Return what became of a query: failure, out_of_range, empty or ok."""
    if case.answer is None:
        return "failure"
    utterances = [i for i in case.answer[0] if i not in case.textless]
    if any(not 0 <= i < case.n_utterances for i in utterances):
        return "out_of_range"
    if any(not 0 <= i < case.n_images for i in case.answer[1]):
        return "out_of_range"
    return "ok" if utterances or case.answer[1] else "empty"


def mean(values: Sequence[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None


def agreement(cases: Sequence[Case]) -> dict[str, float | None]:
    """Return exact match and Jaccard by name."""
    found: dict[str, float | None] = {}
    both = []
    for scope in ("utt", "img"):
        exact, near = [], []
        for side in sides(cases, scope):
            union = side.answer | side.gold
            right = not side.failed and side.answer == side.gold
            if side.universe:
                exact.append(float(right))
                shared = len(side.answer & side.gold) / len(union) if union else 1.0
                near.append(0.0 if side.failed else shared)
        found[f"{scope}_em"], found[f"{scope}_jaccard"] = mean(exact), mean(near)
    for utterances, images in zip(sides(cases, "utt"), sides(cases, "img"), strict=True):
        right = not utterances.failed and utterances.answer == utterances.gold and images.answer == images.gold
        both.append(float(right))
    found["joint_em"] = mean(both)
    found["joint_jaccard"] = joint("jaccard", found["utt_jaccard"], found["img_jaccard"])
    return found


def answerability(cases: Sequence[Case]) -> dict[str, float | None]:
    """Return abstention, response and their mean by name."""
    without = [case for case in cases if not case.gold_utterances and not case.gold_images]
    with_gold = [case for case in cases if case.gold_utterances or case.gold_images]
    abstention = mean([float(outcome(case) == "empty") for case in without])
    response = mean([float(outcome(case) == "ok") for case in with_gold])
    both = None if abstention is None or response is None else (abstention + response) / 2
    return {"abstention": abstention, "response": response, "answerability": both}


def kept(ids: Sequence[int], scores: Scores, left_out: frozenset[int]) -> dict[int, float | None]:
    """Return id -> its score, None without: each id once, with the first of its scores."""
    found: dict[int, float | None] = {}
    for position, identifier in enumerate(ids):
        if identifier not in left_out:
            found.setdefault(identifier, None if scores is None else scores[position])
    return found


def average_precision(gold: frozenset[int], marks: dict[int, float | None]) -> float:
    """Return the mean over gold of the precision at its rank, 0 where it is not ranked; ties go by id."""
    ranking = sorted(marks, key=lambda i: (-(marks[i] or 0.0), i))
    if any(mark is None for mark in marks.values()):
        ranking = sorted(marks)
    precisions = [
        sum(other in gold for other in ranking[: rank + 1]) / (rank + 1)
        for rank, identifier in enumerate(ranking)
        if identifier in gold
    ]
    return math.fsum(precisions) / len(gold)


def best_f1(golds: Sequence[frozenset[int]], marks: Sequence[dict[int, float | None]]) -> tuple[float, float] | None:
    """Return the best micro F1 over all thresholds and the largest threshold that gives it."""
    thresholds = sorted({mark for one in marks for mark in one.values() if mark is not None}, reverse=True)
    total = sum(len(gold) for gold in golds)
    if not thresholds or not total:
        return None
    best: tuple[float, float] | None = None
    for threshold in thresholds:
        answers = [{i for i, mark in one.items() if mark is not None and mark >= threshold} for one in marks]
        tp = sum(len(answer & gold) for answer, gold in zip(answers, golds, strict=True))
        f1 = 2 * tp / (sum(len(answer) for answer in answers) + total)
        if best is None or f1 > best[0]:
            best = (f1, threshold)
    return best
