"""Stitching without a language model: three sources one after another, with a bridge before each new topic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from mldr.builders.plan import PlanRow
from mldr.builders.sources.record import SourceDialogue
from mldr.dialogue import Dialogue, DialogueImage, Utterance
from mldr.files import sha256_text


@dataclass(frozen=True, slots=True)
class Stitched:
    """A stitched dialogue, and where each of its sources went."""

    dialogue: Dialogue
    utterance_ids: tuple[tuple[int, ...], ...]
    """Source -> turn -> utterance id."""
    image_ids: tuple[tuple[int, ...], ...]
    """Source -> image -> image id."""


@cache
def bridges() -> dict[str, list[str]]:
    """Return language -> the written bridge utterances."""
    document = yaml.safe_load(Path(__file__).with_name("bridges.yaml").read_text(encoding="utf-8"))
    return {str(language): list(texts) for language, texts in document.items()}


def stitch(row: PlanRow, sources: Sequence[SourceDialogue], image_keys: Mapping[str, str], seed: int) -> Stitched:
    """Return one dialogue of the sources in their order: every turn and every image once, bridges between.

    The people of the first source tell all of it: the second person of each source is the same person, and so on. A bridge
    is said by whoever starts the next topic. No bridge stands twice in a dialogue.

    Args:
        row: the plan's row.
        sources: its source dialogues, in order.
        image_keys: image ref -> key.
        seed: draws the bridges.
    """
    names = _names(sources)
    drawn = sorted(bridges()[row.language], key=lambda text: sha256_text(f"{seed}/bridge/{row.dialogue_id}/{text}"))
    utterances: list[Utterance] = []
    images: list[DialogueImage] = []
    utterance_ids: list[tuple[int, ...]] = []
    image_ids: list[tuple[int, ...]] = []
    for position, source in enumerate(sources):
        if position:
            utterances.append(Utterance(names[source.turns[0].speaker], drawn[position - 1]))
        base = len(images)
        images += [DialogueImage(image_keys[image.ref], image.caption) for image in source.images]
        utterance_ids.append(tuple(range(len(utterances), len(utterances) + len(source.turns))))
        image_ids.append(tuple(range(base, len(images))))
        for turn in source.turns:
            carried = () if turn.image is None else (base + turn.image,)
            utterances.append(Utterance(names[turn.speaker], turn.text, carried))
    dialogue = Dialogue(
        dialogue_id=row.dialogue_id,
        language=row.language,
        origin="stitched",
        cluster_id=row.cluster_id,
        utterances=tuple(utterances),
        images=tuple(images),
        licence=_together(source.licence for source in sources),
        attribution=_together(source.attribution for source in sources),
    )
    return Stitched(dialogue, tuple(utterance_ids), tuple(image_ids))


def _names(sources: Sequence[SourceDialogue]) -> list[str]:
    """Return the names of the dialogue's people: the first source's, then further ones where another has more."""
    names = list(sources[0].speakers)
    for source in sources[1:]:
        for extra in source.speakers[len(names) :]:
            number = 2
            name = extra
            while name in names:
                name, number = f"{extra} {number}", number + 1
            names.append(name)
    return names


def _together(words: Iterable[str]) -> str:
    return "; ".join(sorted({word for word in words if word}))
