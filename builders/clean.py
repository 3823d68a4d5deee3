"""Cleaning: the papers' four filters (IJCV B.1), each a function over ids that names what it drops and what it cannot judge."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from mldr.builders.coherence import TurnPass, incoherent
from mldr.builders.filtered import Filtered
from mldr.builders.settings import CleanSettings
from mldr.builders.spool import SourceHead
from mldr.dialogue import StoredImage
from mldr.errors import Faults

Heads = Mapping[str, SourceHead]


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What cleaning left."""

    kept: tuple[str, ...]
    """Ids of the sources that every filter passed or could not judge, in the order of reading."""
    dropped: Counter[str] = field(default_factory=Counter)
    """reason -> sources; each counts under the first filter that dropped it."""
    not_judged: Counter[str] = field(default_factory=Counter)
    """reason -> sources that a filter had to pass over, and that are kept as far as it is concerned."""


def clean(
    heads: Heads,
    settings: CleanSettings,
    *,
    images: Mapping[str, StoredImage] | None = None,
    image_text: Mapping[str, float] | None = None,
    turn_vectors: TurnPass | None = None,
    seed: int = 0,
) -> Cleaned:
    """Return the sources that pass the filters which the settings turn on; a later filter sees what an earlier one left.

    A picture that fails costs its whole dialogue: a text that speaks of a missing picture would be no source. (The papers drop
    the picture; whether its dialogue stays, they do not say.)

    Args:
        heads: source_id -> head.
        settings: the thresholds.
        images: image ref -> stored image; for the filter of sizes.
        image_text: image ref -> its cosine to the text of its turn and caption; for the floor.
        turn_vectors: called for each pass over the turns' embeddings; for the coherence filter.
        seed: of the clusters.

    Raises:
        InputError: with each cosine or vector that is not finite.
        MissingExtra: if coherence is asked for and scikit-learn is absent.
    """
    kept = dict(heads)
    dropped: Counter[str] = Counter()
    not_judged: Counter[str] = Counter()

    def apply(found: Filtered) -> None:
        dropped.update(found.dropped.values())
        not_judged.update(found.not_judged)
        for source_id in found.dropped:
            del kept[source_id]

    if settings.alternating_turns:
        apply(rarely_alternating(kept, settings.alternating_turns))
    if settings.min_side or settings.max_aspect:
        apply(misshapen_images(kept, images or {}, settings.min_side, settings.max_aspect))
    if settings.image_text_floor is not None:
        apply(unlike_images(kept, image_text or {}, settings.image_text_floor))
    if settings.coherence is not None:
        apply(incoherent(kept, turn_vectors or (lambda: iter(())), settings.coherence, seed))
    return Cleaned(tuple(kept), dropped, not_judged)


def rarely_alternating(heads: Heads, at_least: int) -> Filtered:
    """Drop sources without so many turns in a row in which two speakers alternate (papers: 3, user1-user2-user1)."""
    reason = f"sources without {at_least} alternating turns in a row"
    return Filtered({source_id: reason for source_id, head in heads.items() if head.alternation < at_least})


def misshapen_images(heads: Heads, images: Mapping[str, StoredImage], min_side: int, max_aspect: float) -> Filtered:
    """Drop sources with a picture that is too small or too long (papers: under 500 pixels, longer than 7.5 : 1).

    Args:
        heads: source_id -> head.
        images: image ref -> stored image.
        min_side: pixels of the shorter side.
        max_aspect: longer side / shorter side; 0 allows any.
    """
    found = Filtered()
    for source_id, head in heads.items():
        sides = [_sides(images.get(ref)) for ref in head.image_refs]
        known = [pair for pair in sides if pair is not None]
        if any(short < min_side for short, _ in known):
            found.dropped[source_id] = f"sources with a picture under {min_side} pixels on its shorter side"
        elif max_aspect and any(long > max_aspect * short for short, long in known):
            found.dropped[source_id] = f"sources with a picture longer than {max_aspect:g} : 1"
        elif len(known) < len(sides):
            found.not_judged["sources with a picture of unknown size (no image file)"] += 1
    return found


def _sides(image: StoredImage | None) -> tuple[int, int] | None:
    if image is None or image.width is None or image.height is None:
        return None
    return min(image.width, image.height), max(image.width, image.height)


def unlike_images(heads: Heads, image_text: Mapping[str, float], floor: float) -> Filtered:
    """Drop sources with a picture that is unlike its text (the papers' CLIP floor; its value is not known).

    Args:
        heads: source_id -> head.
        image_text: image ref -> cosine to the text of its turn and caption.
        floor: the smallest cosine that passes.

    Raises:
        InputError: with each cosine that is NaN or infinite.
    """
    found, faults = Filtered(), Faults()
    for source_id, head in heads.items():
        cosines = [image_text[ref] for ref in head.image_refs if ref in image_text]
        if not all(math.isfinite(cosine) for cosine in cosines):
            faults.add(f"source {source_id}", "the cosine of a picture to its text is NaN or infinite")
        elif any(cosine < floor for cosine in cosines):
            found.dropped[source_id] = f"sources with a picture unlike its text (cosine under {floor:g})"
        elif len(cosines) < len(head.image_refs):
            found.not_judged["sources with a picture without an embedding"] += 1
    faults.check()
    return found
