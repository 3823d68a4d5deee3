"""From a dialogue and its queries to prompts for a vision language model, and what is recorded of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from mldr.dialogue import Dialogue, DialogueImage, Utterance
from mldr.errors import MldrError
from mldr.markup import ImageSlot, Sees, render_parts
from mldr.prompts import AnswerForm, Order, Prompt, PromptLanguage, load_prompt, prompt, prompt_language
from mldr.retrievers.options import check_known, check_whole
from mldr.retrievers.protocol import Ask, DialogueView, Run
from mldr.retrievers.vlm.generator import ModelPrompt, Part
from mldr.retrievers.vlm.pixels import MAX_PIXELS, Pictures, pictures_of

FROM_RELEASE = "from-release"


@dataclass(frozen=True, slots=True)
class Prompting:
    """How a dialogue is put before a model."""

    sees: Sees = "pixels"
    order: Order = "dialogue_first"
    language: Literal["auto", "zh", "en"] = "auto"
    """Of the instruction; `auto` takes the dialogue's."""
    prompt: str = ""
    """'' for the built-in prompt, `from-release` for the one that `import-release` kept, or a YAML file of one's own."""
    answer: AnswerForm = "tags"
    """The form that the built-in prompt asks for."""
    max_pixels: int = MAX_PIXELS
    max_images: int | None = None
    """Of one prompt; the pictures after them are placeholders. None for all."""

    def __post_init__(self) -> None:
        check_known({"sees": self.sees}, get_args(Sees))
        check_known({"order": self.order}, get_args(Order))
        check_known({"language": self.language}, ("auto", *get_args(PromptLanguage)))
        check_known({"answer": self.answer}, get_args(AnswerForm))
        check_whole({"max_pixels": self.max_pixels, "max_images": self.max_images}, 1, optional=True)
        if not isinstance(self.prompt, str):
            raise ValueError(f"prompt is {self.prompt!r}; {FROM_RELEASE}, or a file, is expected")

    @property
    def declared(self) -> tuple[Sees, ...]:
        """What a system that is shown dialogues in this way declares that it sees."""
        return ("text",) if self.sees == "text" else ("text", self.sees)

    def own_prompt(self, run: Run) -> Prompt | None:
        """Return the prompt that replaces the built-in one, None for none.

        Raises:
            MldrError: if the set has no prompt of a release, or several; or the file is none.
        """
        if not self.prompt:
            return None
        if self.prompt != FROM_RELEASE:
            return load_prompt(Path(self.prompt))
        if len(run.templates) != 1:
            found = "no prompt" if not run.templates else f"{len(run.templates)} prompts"
            raise MldrError(
                f"prompt {FROM_RELEASE}: the dataset's manifest keeps {found} of a release; one is expected. "
                "Use the built-in prompt, or write yours into a YAML file (user, system)"
            )
        ((system, user),) = run.templates.values()
        return Prompt(FROM_RELEASE, system, user)

    def words(self, view: DialogueView, own: Prompt | None) -> Prompt:
        """Return the prompt for a dialogue."""
        if own is not None:
            return own
        return prompt(
            prompt_language(view.language) if self.language == "auto" else self.language, self.order, self.answer
        )


@dataclass(frozen=True, slots=True)
class Shown:
    """One dialogue as it was put before a model: a prompt a query, and what to record."""

    prompts: tuple[ModelPrompt, ...]
    meta: Mapping[str, Any]
    """`prompt`, `prompt_sha256` and `preprocessing`, for every prediction."""


def show(view: DialogueView, asks: list[Ask], how: Prompting, own: Prompt | None) -> Shown:
    """Return the prompts for the queries of one dialogue."""
    words = how.words(view, own)
    pictures = pictures_of(view, how.max_pixels, how.max_images) if how.sees == "pixels" else Pictures({}, (), {})
    dialogue = _dialogue(view)
    without = [i for i in range(len(view.images)) if i not in pictures.shown]
    rendered = render_parts(dialogue, how.sees, without=without)
    prompts = tuple(ModelPrompt(words.system, _parts(words.filled(rendered, ask.text), pictures)) for ask in asks)
    meta = {"prompt": words.name, "prompt_sha256": words.sha256, "preprocessing": _preprocessing(view, how, pictures)}
    return Shown(prompts, meta)


def _dialogue(view: DialogueView) -> Dialogue:
    """Return a view as the renderer takes it."""
    utterances = tuple(Utterance(one.speaker, one.text, one.image_ids) for one in view.utterances)
    images = tuple(DialogueImage("", one.caption) for one in view.images)
    return Dialogue("", view.language, "stitched", "", utterances, images)


def _parts(filled: list[str | ImageSlot], pictures: Pictures) -> tuple[Part, ...]:
    return tuple(pictures.shown[part.image_id] if isinstance(part, ImageSlot) else part for part in filled)


def _preprocessing(view: DialogueView, how: Prompting, pictures: Pictures) -> dict[str, Any]:
    if how.sees != "pixels":
        return {"images": len(view.images), "images_as": "captions" if how.sees == "captions" else "marks"}
    recorded: dict[str, Any] = {
        "images": len(view.images),
        "images_as": "pixels",
        "max_pixels": how.max_pixels,
        "pixels": sum(one.width * one.height for one in pictures.shown.values()),
    }
    if pictures.absent:
        recorded["images_absent"] = list(pictures.absent)
    if captions := [i for i in pictures.absent if view.images[i].caption]:
        recorded["images_as_captions"] = captions
    if pictures.broken:
        recorded["images_broken"] = {str(i): why for i, why in sorted(pictures.broken.items())}
    if pictures.unshown:
        recorded["images_unshown"] = list(pictures.unshown)
    return recorded
