"""The best-threshold F1: what the scores of a system could give if somebody told it the threshold. An oracle, marked so."""

from __future__ import annotations

import numpy as np

from mldr.eval.goldset import GoldSet, Universe
from mldr.eval.outcomes import Answered, Judged


def best_threshold_f1(gold: GoldSet, judged: Judged) -> dict[str, tuple[float, float]]:
    """Return `utt_best_f1 (oracle)` and `img_best_f1 (oracle)` -> (micro F1, threshold), where predictions carry scores.

    One threshold for all queries of the split, chosen on its own gold; only what was returned can be kept.
    """
    found = {}
    for name, universe, answered in (("utt", gold.utt, judged.utt), ("img", gold.img, judged.img)):
        best = _best(universe, answered)
        if best is not None:
            found[f"{name}_best_f1 (oracle)"] = best
    return found


def _best(universe: Universe, answered: Answered) -> tuple[float, float] | None:
    if answered.scores is None:
        return None
    scored = ~np.isnan(answered.scores)
    scores, right = answered.scores[scored], answered.right[scored]
    total = int(universe.gold_count.sum())
    if not len(scores) or not total:
        return None
    order = np.argsort(-scores, kind="stable")
    scores, tp = scores[order], np.cumsum(right[order])
    kept = np.arange(1, len(scores) + 1)
    last = np.append(scores[1:] != scores[:-1], True)  # a threshold keeps all equal scores or none
    f1 = np.where(last, 2 * tp / (kept + total), -1.0)
    position = int(np.argmax(f1))
    return float(f1[position]), float(scores[position])
