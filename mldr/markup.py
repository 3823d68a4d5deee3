"""How a model sees a dialogue: the one renderer for every VLM system and trainer, and its exact inverse.

The tags are those of the papers' released code (`facts`: one line an utterance, images inline). Text is escaped, so that
no message can forge a tag or an image slot.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from mldr.dialogue import Dialogue, Utterance

Sees = Literal["text", "captions", "pixels"]

IMAGE_SLOT = "<image>"
MARKS = tuple(
    f"<|{name}_{side}|>" for name in ("utt_id", "img_id", "utt_ids", "img_ids", "query") for side in ("start", "end")
)
"""Every tag that prompts and answers use; a model may have been taught them as tokens."""
_ESCAPES = (("\\", "\\\\"), ("\n", "\\n"), ("<|", "<\\|"), (IMAGE_SLOT, "<\\image>"))
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_LINE = re.compile(r"<\|utt_id_start\|>(\d{1,9})<\|utt_id_end\|> (user\d{1,9}): (.*)", re.DOTALL)
_IMAGE = re.compile(
    r"(?: |^)<\|img_id_start\|>(\d{1,9})<\|img_id_end\|>(<image>|\[image(?:: (.*?))?\](?=\n|$| <\|))", re.DOTALL
)


def escape(text: str) -> str:
    """Return `text` on one line, without tags or image slots; `unescape` undoes it exactly."""
    for plain, escaped in _ESCAPES:
        text = text.replace(plain, escaped)
    return text


def unescape(text: str) -> str:
    """Return what was escaped by `escape`."""
    return _ESCAPED.sub(lambda match: "\n" if match[1] == "n" else match[1], text)


@dataclass(frozen=True, slots=True)
class ImageSlot:
    """A place in a rendered dialogue where the image itself goes."""

    image_id: int


def anonymous_speakers(utterances: Iterable[Utterance]) -> dict[str, str]:
    """Return speaker -> `user1`, `user2`, ... by first appearance."""
    names: dict[str, str] = {}
    for utterance in utterances:
        names.setdefault(utterance.speaker, f"user{len(names) + 1}")
    return names


def render_parts(dialogue: Dialogue, sees: Sees, *, without: Sequence[int] = ()) -> list[str | ImageSlot]:
    """Return the dialogue as text pieces and image slots in dialogue order.

    Args:
        dialogue: what to render.
        sees: `text` shows that an image is there, `captions` its caption, `pixels` leaves a slot for it.
        without: image ids whose pixels cannot be had; they are rendered as captions, so that no id shifts.
    """
    names = anonymous_speakers(dialogue.utterances)
    parts: list[str | ImageSlot] = []
    text = ""
    for index, utterance in enumerate(dialogue.utterances):
        start = "" if index == 0 else "\n"
        text += f"{start}<|utt_id_start|>{index}<|utt_id_end|> {names[utterance.speaker]}: {escape(utterance.text)}"
        for image_id in utterance.image_ids:
            text += f" <|img_id_start|>{image_id}<|img_id_end|>"
            if sees == "pixels" and image_id not in without:
                parts += [text, ImageSlot(image_id)]
                text = ""
            else:
                text += _placeholder(dialogue.images[image_id].caption if sees != "text" else "")
    return [*parts, text] if text else parts


def render(dialogue: Dialogue, sees: Sees) -> str:
    """Return the dialogue as one text; an image's pixels are the word `<image>`."""
    return "".join(IMAGE_SLOT if isinstance(part, ImageSlot) else part for part in render_parts(dialogue, sees))


def _placeholder(caption: str) -> str:
    return f"[image: {escape(caption)}]" if caption else "[image]"


@dataclass(frozen=True, slots=True)
class RenderedUtterance:
    """What one rendered line says."""

    utterance_id: int
    speaker: str
    text: str
    image_ids: tuple[int, ...]


def parse(rendered: str) -> list[RenderedUtterance]:
    """Return the utterances of a rendered dialogue.

    Raises:
        ValueError: at a line that `render` does not write.
    """
    return [_parse_line(line, number) for number, line in enumerate(rendered.split("\n"), 1)] if rendered else []


def _parse_line(line: str, number: int) -> RenderedUtterance:
    match = _LINE.fullmatch(line)
    if match is None:
        raise ValueError(f"line {number} is not a rendered utterance")
    body = match[3]
    # An escaped text holds no '<|', so the first image tag ends it.
    cut = body.find(" <|img_id_start|>")
    text, tail = (body, "") if cut < 0 else (body[:cut], body[cut:])
    image_ids: list[int] = []
    position = 0
    while position < len(tail):
        image = _IMAGE.match(tail, position)
        if image is None:
            raise ValueError(f"line {number} holds something other than an image after its text")
        image_ids.append(int(image[1]))
        position = image.end()
    if "<|" in text:
        raise ValueError(f"line {number} holds an unescaped tag in its text")
    return RenderedUtterance(int(match[1]), match[2], unescape(text), tuple(image_ids))
