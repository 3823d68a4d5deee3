"""The one place that makes HTML from strings: everything is escaped, and a page may load nothing from anywhere."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from html import escape as _escape  # noqa: TID251 - this module is the one place
from typing import TYPE_CHECKING

from mldr.dialogue import Dialogue, StoredImage
from mldr.images import ImageError, data_uri, open_stored, upright_rgb_or_grey

if TYPE_CHECKING:
    from PIL import Image

THUMBNAIL = 320
"""Pixels of a thumbnail's longer side."""


@dataclass(frozen=True, slots=True)
class Markup:
    """HTML that is safe to write: made by `tag`, never from a string of unknown origin."""

    html: str

    def __str__(self) -> str:
        return self.html

    def __add__(self, other: Markup) -> Markup:
        return Markup(self.html + other.html)


Content = Markup | str


def tag(element: str, /, *content: Content, **attributes: str | int | bool) -> Markup:
    """Return an element; strings are escaped, in content and attributes alike.

    Args:
        element: its name, a constant of ours.
        content: strings, which are escaped, and markup.
        attributes: a trailing underscore is dropped and others become hyphens (`class_`, `aria_label`); False is left out,
            True stands without a value.
    """
    words = [element]
    for key, value in attributes.items():
        if value is False:
            continue
        attribute = key.rstrip("_").replace("_", "-")
        words.append(attribute if value is True else f'{attribute}="{_escape(str(value))}"')
    start = f"<{' '.join(words)}>"
    if element in ("img", "meta", "br", "input"):
        return Markup(start)
    return Markup(f"{start}{joined(*content)}</{element}>")


def joined(*content: Content) -> Markup:
    """Return contents one after another, strings escaped."""
    return Markup("".join(part.html if isinstance(part, Markup) else _escape(part) for part in content))


def page(title: str, language: str, style: str, *body: Content, script: str = "") -> str:
    """Return a whole self-contained page under a strict Content-Security-Policy.

    Args:
        title: the page's title.
        language: of the page's own words, `en` or `zh`.
        style: CSS of ours, inlined.
        body: the page.
        script: JavaScript of ours, inlined and allowed by its hash; '' for none.
    """
    scripts = f"'sha256-{_digest(script)}'" if script else "'none'"
    policy = (
        f"default-src 'none'; img-src data:; style-src 'sha256-{_digest(style)}'; script-src {scripts}; "
        "base-uri 'none'; form-action 'none'"
    )
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", title),
        Markup(f"<style>{style}</style>"),
    )
    end = Markup(f"<script>{script}</script>") if script else Markup("")
    return f"<!DOCTYPE html>\n{tag('html', head, tag('body', *body, end), lang=language)}\n"


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


def thumbnail(image: StoredImage, alt: str) -> Markup:
    """Return a stored image as a small inlined JPEG, or words where it has no bytes that can be shown."""
    if image.content is None:
        return tag("span", f"[{image.status}] {alt}", class_="no-image")
    try:
        picture = open_stored(image.content)
    except ImageError as error:
        return tag("span", f"[broken: {error}] {alt}", class_="no-image")
    picture.thumbnail((THUMBNAIL, THUMBNAIL))
    return tag("img", src=_data_uri(picture), alt=alt, width=picture.width, height=picture.height)


def thumbnail_source(image: StoredImage) -> str:
    """Return a stored image as the data URI of a small JPEG, '' where it has no bytes that can be shown."""
    if image.content is None:
        return ""
    try:
        picture = open_stored(image.content)
    except ImageError:
        return ""  # a page of many pictures shows its caption instead; `mldr dataset verify` names the broken one
    picture.thumbnail((THUMBNAIL, THUMBNAIL))
    return _data_uri(picture)


def _data_uri(picture: Image.Image) -> str:
    buffer = io.BytesIO()
    upright_rgb_or_grey(picture).save(buffer, "JPEG", quality=80)
    return data_uri(buffer.getvalue(), "image/jpeg")


@dataclass(frozen=True, slots=True)
class Marks:
    """Which ids of a dialogue are marked: as gold, as predicted."""

    gold: Collection[int] = ()
    predicted: Collection[int] = ()

    def __call__(self, position: int) -> str:
        """Return the CSS class of an id: what it is, in one word."""
        wanted, given = position in self.gold, position in self.predicted
        return "hit" if wanted and given else "missed" if wanted else "extra" if given else "plain"


MARK_WORDS: Mapping[str, str] = {"hit": "✓ found", "missed": "✗ missed", "extra": "! extra", "plain": ""}
"""What a mark is called beside its colour, for eyes that do not tell colours apart."""


def bubbles(
    dialogue: Dialogue,
    images: Mapping[str, StoredImage],
    utterances: Marks = Marks(),
    pictures: Marks = Marks(),
    *,
    words: Mapping[str, str] = MARK_WORDS,
    picture: Callable[[StoredImage, str], Markup] = thumbnail,
) -> Markup:
    """Return a dialogue as chat bubbles, with its images as thumbnails and marks in colour and words.

    Args:
        dialogue: what to show.
        images: image_key -> stored image, of those that the dialogue carries.
        utterances: the marks of its utterance ids.
        pictures: the marks of its image ids.
        words: what marks are called.
        picture: (image, caption) -> how an image is shown.
    """
    order = list(dict.fromkeys(utterance.speaker for utterance in dialogue.utterances))
    rows = []
    for index, utterance in enumerate(dialogue.utterances):
        side = "left" if order.index(utterance.speaker) % 2 == 0 else "right"
        parts: list[Content] = [tag("span", f"{index} · {utterance.speaker}", class_="who")]
        mark = utterances(index) if utterance.text else "plain"
        if utterance.text:
            parts.append(tag("p", utterance.text, _mark(mark, words), class_=mark))
        for image_id in utterance.image_ids:
            held = dialogue.images[image_id]
            shown = picture(images.get(held.image_key, StoredImage(held.image_key, "missing")), held.caption)
            caption = tag("figcaption", f"{words.get('image', 'image')} {image_id}", _mark(pictures(image_id), words))
            parts.append(tag("figure", shown, caption, class_=pictures(image_id)))
        rows.append(tag("li", *parts, class_=f"bubble {side}"))
    return tag("ol", *rows, class_="chat")


def _mark(mark: str, words: Mapping[str, str]) -> Content:
    return tag("span", words[mark], class_="mark") if words.get(mark) else ""
