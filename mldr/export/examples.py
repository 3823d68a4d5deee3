"""One query with its dialogue and answer, as a model is trained on it: messages, images in their order, the gold answer."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

from mldr.answers import format_answer
from mldr.dataset import Asked, Dataset
from mldr.dialogue import Dialogue, Origin
from mldr.errors import MldrError
from mldr.markup import ImageSlot, Sees, render_parts
from mldr.prompts import Order, Prompt, PromptLanguage, prompt, prompt_language


@dataclass(frozen=True, slots=True)
class Rendering:
    """How dialogues and queries become messages."""

    sees: Sees = "pixels"
    """`pixels` leaves a slot for every image that the dataset has; the others show as captions."""
    order: Order = "query_first"
    language: PromptLanguage | Literal["auto"] = "auto"
    """Of the instruction; `auto` is the dialogue's."""
    own: Prompt | None = None
    """Used instead of the built-in prompts; then `order` and `language` do not count."""

    def prompt(self, language: str) -> Prompt:
        """Return the prompt for a dialogue of a language."""
        if self.own is not None:
            return self.own
        return prompt(prompt_language(language) if self.language == "auto" else self.language, self.order)


@dataclass(frozen=True, slots=True)
class Example:
    """One row of a training file."""

    query_id: str
    dialogue_id: str
    origin: Origin
    prompt: Prompt
    user: tuple[str | ImageSlot, ...]
    """The user message."""
    image_keys: tuple[str, ...]
    """Of the image slots, in their order."""
    solution: str
    """The gold answer in the papers' form, ids ascending."""


def examples(dataset: Dataset, split: str, rendering: Rendering, present: Collection[str]) -> Iterator[Example]:
    """Yield an example for each query of a split, by dialogue_id.

    Args:
        dataset: with gold in that split.
        split: of the dataset.
        rendering: how they look.
        present: the image keys whose pixels can be had; all others show as captions, so that no id shifts.

    Raises:
        MldrError: if the split shows no gold, or its tables do not fit one another.
    """
    if not dataset.has_gold(split):
        raise MldrError(f"{dataset.folder}: the gold of split {split!r} is withheld; there is nothing to train on")
    for asked in dataset.asked(split):
        if asked.queries:
            yield from _of_dialogue(asked, rendering, present)


def _of_dialogue(asked: Asked, rendering: Rendering, present: Collection[str]) -> Iterator[Example]:
    dialogue = asked.dialogue
    keys = [image.image_key for image in dialogue.images]
    without = [image_id for image_id, key in enumerate(keys) if key not in present]
    parts = render_parts(dialogue, rendering.sees, without=without)
    shown = tuple(keys[part.image_id] for part in parts if isinstance(part, ImageSlot))
    words = rendering.prompt(dialogue.language)
    for query, gold in zip(asked.queries, asked.gold, strict=True):
        yield Example(
            query_id=query.query_id,
            dialogue_id=dialogue.dialogue_id,
            origin=dialogue.origin,
            prompt=words,
            user=tuple(words.filled(parts, query.text)),
            image_keys=shown,
            solution=_solution(gold.utterance_ids, gold.image_ids, dialogue),
        )


def _solution(utterance_ids: tuple[int, ...], image_ids: tuple[int, ...], dialogue: Dialogue) -> str:
    for ids, size in ((utterance_ids, dialogue.n_utterances), (image_ids, dialogue.n_images)):
        if any(not 0 <= identifier < size for identifier in ids):
            raise MldrError(
                f"dialogue {dialogue.dialogue_id}: its gold names {sorted(ids)}, ids run from 0 to {size - 1}; "
                "see: mldr dataset verify"
            )
    return format_answer(sorted(utterance_ids), sorted(image_ids))
