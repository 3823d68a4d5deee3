"""Answers, targets and vectors for the tests of rewards, and slow definitions to hold them against."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from mldr.answers import format_answer, parse_answer
from mldr.embed import Vectors, unit_rows
from mldr.retrievers.f2rvlm.rewards import Target
from mldr.retrievers.f2rvlm.vectors import DialogueVectors


def target(utterance_ids: Sequence[int] = (), image_ids: Sequence[int] = ()) -> Target:
    return Target(frozenset(utterance_ids), frozenset(image_ids))


def answer(utterance_ids: Sequence[int] = (), image_ids: Sequence[int] = ()) -> str:
    return format_answer(utterance_ids, image_ids)


def drawn_vectors(n_utterances: int, carriers: Sequence[int] = (), seed: int = 0, width: int = 5) -> DialogueVectors:
    """Return random unit vectors of a dialogue whose utterances all have text."""
    draw = np.random.default_rng(seed)
    return DialogueVectors(
        unit_rows(draw.normal(size=(n_utterances, width)).astype(np.float32)),
        unit_rows(draw.normal(size=(len(carriers), width)).astype(np.float32)),
        np.array(sorted(carriers), dtype=np.int64),
    )


def vectors_of(
    utterances: Sequence[Sequence[float]], images: Sequence[tuple[int, Sequence[float]]] = ()
) -> DialogueVectors:
    """Return the vectors of a dialogue, scaled to length 1; `images` = (the utterance that carries it, its vector)."""
    width = len(utterances[0])
    texts = np.array(utterances, dtype=np.float32)
    texts /= np.linalg.norm(texts, axis=1, keepdims=True)  # a row of NaN, an utterance without text, stays one
    return DialogueVectors(
        texts,
        unit_rows(np.array([row for _, row in images], dtype=np.float32).reshape(-1, width)),
        np.array([carrier for carrier, _ in images], dtype=np.int64),
    )


def slow_f1(text: str, gold: Target, form: str) -> float:
    """The F1 reward from its equation, one answer at a time, without arrays."""
    parsed = parse_answer(text)
    if parsed is None:
        return 0.0
    pairs = [
        (set(parsed.utterance_ids) - gold.textless_ids, set(gold.utterance_ids)),
        (set(parsed.image_ids), set(gold.image_ids)),
    ]
    worth = [1.0 if not p and not g else 2 * len(p & g) / (len(p) + len(g)) for p, g in pairs]
    values = [v * 0.95 ** abs(len(p) - len(g)) for v, (p, g) in zip(worth, pairs, strict=True)]
    compared = [value for value, (p, g) in zip(values, pairs, strict=True) if p or g]
    if form == "paper":
        return sum(values) / 2
    return sum(compared) / len(compared) if compared else 1.0


def slow_order(text: str, gold: Target, vectors: DialogueVectors, over: str) -> float:
    """The order reward from its equation, one answer at a time."""
    parsed = parse_answer(text)
    if parsed is None:
        return 0.0
    textless = {i for i, row in enumerate(vectors.utterances) if np.isnan(row).any()}
    utterances, images = set(parsed.utterance_ids) - textless, set(parsed.image_ids)
    if not (utterances or images) and gold.is_negative:
        return 1.0
    if not (utterances or images) or gold.is_negative:
        return 0.0
    if over == "relevant":
        utterances, images = utterances & gold.utterance_ids, images & gold.image_ids
    elements: list[Vectors] = []
    for position in range(vectors.n_utterances):
        if position in utterances:
            elements.append(vectors.utterances[position])
        carried = [
            vectors.images[i] for i in range(vectors.n_images) if vectors.carriers[i] == position and i in images
        ]
        if carried:
            elements.append(np.mean(carried, axis=0))
    if len(elements) < 2:
        return 0.5 * len(elements)
    pairs = pairwise(elements)
    mean = float(np.mean([a @ b / (np.linalg.norm(a) * np.linalg.norm(b)) for a, b in pairs]))
    return max(0.0, mean) if over == "relevant" else mean
