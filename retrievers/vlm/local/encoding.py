"""From a prompt to what a model's forward pass takes: token ids, and the pictures as its processor makes them."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mldr.errors import MldrError, first_line, printable
from mldr.markup import MARKS
from mldr.retrievers.vlm.generator import ModelPrompt, Picture
from mldr.retrievers.vlm.local.loading import LoadedModel


class Unreadable(Exception):
    """The model's processor cannot take this prompt."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """One prompt as a model takes it."""

    ids: tuple[int, ...]
    pictures: Mapping[str, Any]
    """Tensors of the pictures (`pixel_values`, `image_grid_thw`, ...); the same objects for every prompt of a dialogue."""
    kinds: tuple[int, ...]
    """1 where a token stands for a part of a picture, for the models whose processor says so; else empty."""
    last_picture: int
    """The position after the last token that stands for a part of a picture, 0 without pictures."""


class Encoder:
    """Encodes prompts for one model; the pictures of a dialogue are prepared once for all its queries."""

    def __init__(self, loaded: LoadedModel) -> None:
        self._tokenizer, self._processor = loaded.tokenizer, loaded.processor
        self._picture_ids = _picture_ids(loaded)
        self._defused = _special(loaded.tokenizer)
        self._prepared: tuple[tuple[Picture, ...], Any] | None = None

    def encode(self, prompt: ModelPrompt) -> Encoded:
        """Return the token ids of a prompt.

        Raises:
            MldrError: if it holds pictures and the model reads none.
            Unreadable: if the model's processor cannot take it.
        """
        if prompt.pictures and self._processor is None:
            raise MldrError("this model reads no pictures; use -o sees=captions or -o sees=text")
        text = self.written(prompt)
        if self._processor is None or not prompt.pictures:
            ids = self._tokenizer(text, add_special_tokens=not self._has_template)["input_ids"]
            return Encoded(tuple(ids), {}, (), 0)
        made = self._with_pictures(text, prompt.pictures)
        ids = tuple(int(one) for one in made.pop("input_ids")[0])
        made.pop("attention_mask", None)
        kinds = tuple(int(one) for row in made.pop("mm_token_type_ids", ()) for one in row)
        spots = [position for position, one in enumerate(ids) if one in self._picture_ids]
        return Encoded(ids, made, kinds, spots[-1] + 1 if spots else 0)

    def written(self, prompt: ModelPrompt) -> str:
        """Return a prompt as the model's chat template puts it, ready for an answer.

        What looks like one of the model's own special tokens in the prompt's text gets a backslash, so that no message of a chat
        can end the turn, open another, or claim to be a picture. The tags of the markup stay: a model may have learnt them.
        """
        parts = [self._defuse(part) if isinstance(part, str) else part for part in prompt.parts]
        system = self._defuse(prompt.system)
        if not self._has_template:
            mark = getattr(self._processor, "image_token", "")
            body = "".join(part if isinstance(part, str) else mark for part in parts)
            return f"{system}\n\n{body}\n\n" if system else f"{body}\n\n"
        try:
            return self._templated(system, parts)
        except Exception as error:  # templates raise what they like, most often that they know no system message
            if not system:
                raise MldrError(f"the model's chat template cannot be used ({type(error).__name__})") from error
            return self._templated("", [f"{system}\n\n", *parts])

    def _templated(self, system: str, parts: Sequence[str | Picture]) -> str:
        template = self._processor if getattr(self._processor, "chat_template", None) else self._tokenizer
        if self._processor is None:
            content: Any = "".join(part for part in parts if isinstance(part, str))
            first: Any = system
        else:
            content = [{"type": "text", "text": p} if isinstance(p, str) else {"type": "image"} for p in parts]
            first = [{"type": "text", "text": system}]
        messages = [{"role": "system", "content": first}] if system else []
        messages.append({"role": "user", "content": content})
        return str(template.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))

    @property
    def _has_template(self) -> bool:
        return any(getattr(one, "chat_template", None) for one in (self._processor, self._tokenizer))

    def _defuse(self, text: str) -> str:
        return self._defused.sub(lambda found: found[0][0] + "\\" + found[0][1:], text) if self._defused else text

    def _with_pictures(self, text: str, pictures: tuple[Picture, ...]) -> dict[str, Any]:
        opened = [picture.opened() for picture in pictures]
        own = self._processor.image_processor
        self._processor.image_processor = _Remembering(own, self, pictures)
        try:
            return dict(self._processor(text=[text], images=opened, return_tensors="pt"))
        except ValueError as error:  # of one dialogue's pictures; the run goes on
            raise Unreadable(
                f"the model's processor refuses the pictures ({printable(first_line(error), 200)})"
            ) from error
        finally:
            self._processor.image_processor = own

    def remembered(self, pictures: tuple[Picture, ...], make: Any) -> Any:
        """Return what `make` makes of the pictures, made once as long as they are the same."""
        if self._prepared is None or self._prepared[0] != pictures:
            self._prepared = pictures, make()
        return copy.copy(self._prepared[1])  # processors take keys out of it


class _Remembering:
    """An image processor that prepares the pictures of a dialogue once; all else is the one it stands for."""

    def __init__(self, own: Any, encoder: Encoder, pictures: tuple[Picture, ...]) -> None:
        self._own, self._encoder, self._pictures = own, encoder, pictures

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return self._encoder.remembered(self._pictures, lambda: self._own(*arguments, **options))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._own, name)


def _picture_ids(loaded: LoadedModel) -> frozenset[int]:
    """Return the ids of the tokens that are replaced by parts of a picture."""
    named = (getattr(loaded.model.config, name, None) for name in ("image_token_id", "image_token_index"))
    return frozenset(int(one) for one in named if one is not None)


def _special(tokenizer: Any) -> re.Pattern[str] | None:
    """Return a pattern of the model's special tokens, without the tags of the markup; None where there is none."""
    added = {str(token) for token in tokenizer.added_tokens_decoder.values()} | set(tokenizer.all_special_tokens)
    dangerous = sorted(
        (one for one in added if len(one) > 1 and one.strip() and one not in MARKS), key=len, reverse=True
    )
    return re.compile("|".join(map(re.escape, dangerous))) if dangerous else None
