"""Where words are new, order still tells: the turns of known sources are laid along a dialogue by length and pictures alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

from mldr.builders.attack.trace import Trace, Turn
from mldr.builders.sources.record import SourceDialogue
from mldr.dialogue import Dialogue

_GAP = -0.6
"""What it costs to leave an utterance (a bridge) or a turn (merged, dropped) without a partner."""


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a rewriting leaves of a message."""

    n_images: int
    length: float
    """Characters, as a share of the mean of its dialogue: translation changes lengths together."""


def positioned(dialogue: Dialogue, sources: Sequence[SourceDialogue]) -> Trace | None:
    """Return the trace of a dialogue that tells these sources one after another in some order; None for no source.

    Every order is tried, and the best alignment (Needleman and Wunsch, 1970) is taken.
    """
    said = _shapes([(one.text, len(one.image_ids)) for one in dialogue.utterances])
    best: tuple[float, list[tuple[int, Turn]]] | None = None
    for order in permutations(sorted(sources, key=lambda source: source.source_id)):
        turns = [(source.source_id, position) for source in order for position in range(len(source.turns))]
        shapes = _shapes([(turn.text, turn.image is not None) for source in order for turn in source.turns])
        score, pairs = _aligned(said, shapes)
        if turns and (best is None or score > best[0]):
            best = score, [(number, turns[position]) for number, position in pairs]
    return None if best is None else _trace(dialogue, dict(best[1]), {source.source_id: source for source in sources})


def _shapes(messages: Sequence[tuple[str, int]]) -> list[_Shape]:
    mean = sum(len(text) for text, _ in messages) / max(1, len(messages)) or 1.0
    return [_Shape(n_images, len(text) / mean) for text, n_images in messages]


def _likeness(said: _Shape, turn: _Shape) -> float:
    pictures = 1.5 if said.n_images and turn.n_images else 0.0 if not (said.n_images or turn.n_images) else -1.5
    longer = max(said.length, turn.length)
    return pictures + (min(said.length, turn.length) / longer if longer else 1.0)


def _aligned(said: Sequence[_Shape], turns: Sequence[_Shape]) -> tuple[float, list[tuple[int, int]]]:
    """Return the best score and the pairs of positions that get it, both ascending."""
    height, width = len(said) + 1, len(turns) + 1
    score = [[_GAP * (i + j) if i == 0 or j == 0 else 0.0 for j in range(width)] for i in range(height)]
    for i in range(1, height):
        for j in range(1, width):
            score[i][j] = max(
                score[i - 1][j - 1] + _likeness(said[i - 1], turns[j - 1]),
                score[i - 1][j] + _GAP,
                score[i][j - 1] + _GAP,
            )
    pairs = []
    i, j = height - 1, width - 1
    while i and j:
        if score[i][j] == score[i - 1][j - 1] + _likeness(said[i - 1], turns[j - 1]):
            i, j = i - 1, j - 1
            pairs.append((i, j))
        elif score[i][j] == score[i - 1][j] + _GAP:
            i -= 1
        else:
            j -= 1
    return score[-1][-1], pairs[::-1]


def _trace(dialogue: Dialogue, told: dict[int, Turn], sources: dict[str, SourceDialogue]) -> Trace:
    images = {}
    for number, (name, position) in told.items():
        image = sources[name].turns[position].image
        if image is not None:
            images.update({image_id: (name, image) for image_id in dialogue.utterances[number].image_ids})
    return Trace(told, images, ())
