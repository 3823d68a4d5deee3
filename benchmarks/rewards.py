"""What the rewards of GRPO cost: 8 answers to each of 1,000 queries, against a plain loop over the same answers; all in one run.

python benchmarks/rewards.py
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import numpy as np

from mldr.answers import format_answer, is_bare_answer, parse_answer
from mldr.embed import unit_rows
from mldr.retrievers.f2rvlm.rewards import Floats, Target, f1_reward, format_reward, order_reward
from mldr.retrievers.f2rvlm.vectors import DialogueVectors

RUNS = 5
QUERIES, GENERATIONS = 1_000, 8
UTTERANCES, IMAGES, DIMENSIONS = 25, 5, 512
"""A dialogue of MLDR on average; the dimensions of a small CLIP."""

Case = tuple[list[str], list[Target], list[DialogueVectors]]


def drawn() -> Case:
    """Return answers that share about half of their ids with the gold, one in twenty unreadable, one query in ten negative."""
    draw = np.random.default_rng(0)
    case: Case = ([], [], [])
    for query in range(QUERIES):
        vectors = DialogueVectors(
            unit_rows(draw.normal(size=(UTTERANCES, DIMENSIONS)).astype(np.float32)),
            unit_rows(draw.normal(size=(IMAGES, DIMENSIONS)).astype(np.float32)),
            np.sort(draw.integers(0, UTTERANCES, IMAGES)),
        )
        share = 0.0 if query % 10 == 0 else 0.32
        gold, gold_images = draw.random(UTTERANCES) < share, draw.random(IMAGES) < share
        target = Target(frozenset(np.flatnonzero(gold).tolist()), frozenset(np.flatnonzero(gold_images).tolist()))
        for _ in range(GENERATIONS):
            named = np.flatnonzero(gold ^ (draw.random(UTTERANCES) < 0.15)).tolist()
            images = np.flatnonzero(gold_images ^ (draw.random(IMAGES) < 0.15)).tolist()
            text = "I see no answer." if draw.random() < 0.05 else format_answer(named, images)
            case[0].append(text)
            case[1].append(target)
            case[2].append(vectors)
    return case


def plain_f1(text: str, target: Target) -> float:
    parsed = parse_answer(text)
    if parsed is None:
        return 0.0
    values = []
    for named, gold in ((set(parsed.utterance_ids), target.utterance_ids), (set(parsed.image_ids), target.image_ids)):
        if named or gold:
            values.append(2 * len(named & gold) / (len(named) + len(gold)) * 0.95 ** abs(len(named) - len(gold)))
    return sum(values) / len(values) if values else 1.0


def plain_order(text: str, target: Target, vectors: DialogueVectors) -> float:
    parsed = parse_answer(text)
    if parsed is None:
        return 0.0
    utterances, images = set(parsed.utterance_ids), set(parsed.image_ids)
    if target.is_negative or not (utterances or images):
        return float(target.is_negative and not (utterances or images))
    utterances, images = utterances & target.utterance_ids, images & target.image_ids
    elements = []
    for position in range(vectors.n_utterances):
        if position in utterances:
            elements.append(vectors.utterances[position])
        carried = [vectors.images[i] for i in sorted(images) if vectors.carriers[i] == position]
        if carried:
            elements.append(np.mean(carried, axis=0))
    if len(elements) < 2:
        return 0.5 * len(elements)
    pairs = zip(elements, elements[1:], strict=False)  # noqa: RUF007
    return max(0.0, float(np.mean([a @ b / np.linalg.norm(a) / np.linalg.norm(b) for a, b in pairs])))


def seconds(work: Callable[[], Floats]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    """Time the rewards and the plain loops in turn; print medians and ratios."""
    answers, targets, vectors = case = drawn()
    work: dict[str, tuple[Callable[[], Floats], Callable[[], Floats]]] = {
        "F1": (
            lambda: f1_reward(answers, targets),
            lambda: np.array([plain_f1(text, target) for text, target in zip(answers, targets, strict=True)]),
        ),
        "order consistency": (
            lambda: order_reward(answers, targets, vectors),
            lambda: np.array([plain_order(*one) for one in zip(*case, strict=True)]),
        ),
        "format": (
            lambda: format_reward(answers),
            lambda: np.array([float(is_bare_answer(text)) for text in answers]),
        ),
    }
    sys.stdout.write(f"{GENERATIONS} x {QUERIES:,} completions, {DIMENSIONS} dimensions; medians of {RUNS} runs\n")
    times: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in work}
    for name, both in work.items():
        np.testing.assert_allclose(both[0](), both[1](), atol=1e-5)
        for _ in range(RUNS):
            for taken, one in zip(times[name], both, strict=True):
                taken.append(seconds(one))
    total = [0.0, 0.0]
    for name, both_times in times.items():
        ours, plain = (statistics.median(taken) for taken in both_times)
        total = [total[0] + ours, total[1] + plain]
        sys.stdout.write(f"{name:<20} {ours:6.3f} s    {ours / plain:5.2f} x a plain loop ({plain:.3f} s)\n")
    sys.stdout.write(
        f"{'all three':<20} {total[0]:6.3f} s    {total[0] / total[1]:5.2f} x a plain loop ({total[1]:.3f} s)\n"
    )


if __name__ == "__main__":
    main()
