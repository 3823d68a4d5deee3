"""How a prompt names the elements of a dialogue: `u3` is utterance 3, `i0` image 0; each on a line of JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from mldr.builders.sources.record import SourceDialogue
from mldr.dialogue import Dialogue, DialogueImage, Utterance


def utterance_name(utterance_id: int) -> str:
    """Return the name of an utterance in a prompt."""
    return f"u{utterance_id}"


def image_name(image_id: int) -> str:
    """Return the name of an image in a prompt."""
    return f"i{image_id}"


def names_of(utterance_ids: Iterable[int], image_ids: Iterable[int]) -> list[str]:
    """Return the names of the elements of a fragment."""
    return [*map(utterance_name, utterance_ids), *map(image_name, image_ids)]


def element_lines(dialogue: Dialogue, bridge_ids: Iterable[int] = ()) -> str:
    """Return a dialogue, a JSON object a line: utterances with text, and images by caption; bridges have no name."""
    bridges = set(bridge_ids)
    lines: list[dict[str, Any]] = []
    for index, utterance in enumerate(dialogue.utterances):
        if utterance.text:
            name = {} if index in bridges else {"element": utterance_name(index)}
            lines.append({**name, "speaker": utterance.speaker, "text": utterance.text})
        for image_id in utterance.image_ids:
            lines.append({"element": image_name(image_id), "picture": dialogue.images[image_id].caption})
    return "\n".join(json.dumps(line, ensure_ascii=False) for line in lines)


def element_names(dialogue: Dialogue, bridge_ids: Iterable[int] = ()) -> list[str]:
    """Return the names of all elements that `element_lines` shows, in its order."""
    bridges = set(bridge_ids)
    names: list[str] = []
    for index, utterance in enumerate(dialogue.utterances):
        if utterance.text and index not in bridges:
            names.append(utterance_name(index))
        names += [image_name(image_id) for image_id in utterance.image_ids]
    return names


def alone(source: SourceDialogue) -> Dialogue:
    """Return a source dialogue by itself in the form of a dialogue, for questions about it; its image ids are its own."""
    carried: set[int] = set()
    utterances = []
    for turn in source.turns:
        new = () if turn.image is None or turn.image in carried else (turn.image,)
        carried.update(new)
        utterances.append(Utterance(source.speakers[turn.speaker], turn.text, new))
    images = tuple(DialogueImage(image.ref, image.caption) for image in source.images)
    return Dialogue(source.source_id, source.language, "stitched", "", tuple(utterances), images)
