"""A dialogue without some of its utterances: the rest numbered anew, and where every old id went."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from mldr.dialogue import Dialogue

Moved = dict[int, "int | None"]
"""Old id -> new id, None for what is gone; of every old id, ascending."""


@dataclass(frozen=True, slots=True)
class Renumbered:
    """What is left of a dialogue."""

    dialogue: Dialogue
    utterances: Moved
    images: Moved


def without_utterances(dialogue: Dialogue, gone: Collection[int]) -> Renumbered:
    """Return a dialogue without utterances and the images that they carry; a reply to one of them answers nothing any more."""
    stays = [number for number in range(dialogue.n_utterances) if number not in gone]
    shown = [image_id for number in stays for image_id in dialogue.utterances[number].image_ids]
    place = {old: new for new, old in enumerate(shown)}
    utterances, images = _moved(dialogue.n_utterances, stays), _moved(dialogue.n_images, shown)
    return Renumbered(
        replace(
            dialogue,
            utterances=tuple(
                replace(
                    dialogue.utterances[number],
                    image_ids=tuple(place[image_id] for image_id in dialogue.utterances[number].image_ids),
                    reply_to=_answered(dialogue.utterances[number].reply_to, utterances),
                )
                for number in stays
            ),
            images=tuple(dialogue.images[image_id] for image_id in shown),
        ),
        utterances,
        images,
    )


def _answered(reply_to: int | None, moved: Moved) -> int | None:
    return None if reply_to is None else moved.get(reply_to)


def _moved(total: int, stays: list[int]) -> Moved:
    new: Moved = dict.fromkeys(range(total))
    new.update({old: place for place, old in enumerate(stays)})
    return new
