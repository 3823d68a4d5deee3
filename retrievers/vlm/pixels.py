"""Pictures as a vision language model gets them: RGB, at most so many pixels, and never a reason for an id to shift."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mldr.images import JPEG_QUALITY, ImageError, open_stored, upright_rgb_or_grey
from mldr.retrievers.protocol import DialogueView
from mldr.retrievers.vlm.generator import Picture

if TYPE_CHECKING:
    from PIL import Image

MAX_PIXELS = 602_112
"""768 x 28 x 28, the papers' limit (their scripts' MAX_PIXELS): at most 768 visual tokens a picture for Qwen-VL."""

MAX_ASPECT = 100
"""Longer side over shorter: Qwen-VL's processors refuse over 200, and scaling rounds."""


@dataclass(frozen=True, slots=True)
class Pictures:
    """The pictures of one dialogue, as far as they can be shown."""

    shown: dict[int, Picture]
    """By image id."""
    absent: tuple[int, ...]
    """Image ids of which the dataset holds no bytes."""
    broken: dict[int, str]
    """Image id -> why its bytes are no picture."""
    unshown: tuple[int, ...] = ()
    """Image ids past the limit of a prompt."""


def pictures_of(view: DialogueView, max_pixels: int, max_images: int | None) -> Pictures:
    """Return the pictures of a dialogue, scaled; what cannot be shown is named and keeps its id.

    Args:
        view: with pixels.
        max_pixels: of one picture; a larger one is scaled down in proportion.
        max_images: of one prompt, the first ones; None for all.
    """
    shown: dict[int, Picture] = {}
    absent, unshown, broken = [], [], {}
    for image_id, image in enumerate(view.images):
        if image.content is None:
            absent.append(image_id)
        elif max_images is not None and len(shown) >= max_images:
            unshown.append(image_id)
        else:
            try:
                shown[image_id] = scaled(image.content, max_pixels)
            except ImageError as error:
                broken[image_id] = str(error)
    return Pictures(shown, tuple(absent), broken, tuple(unshown))


def scaled(content: bytes, max_pixels: int) -> Picture:
    """Return a picture in RGB with at most `max_pixels` pixels, as JPEG or, where PNG came in, as PNG.

    One that is no more than a line gets a black border, since processors of models refuse what is over 200 times as long as wide.

    Raises:
        ImageError: if the bytes are no picture that may be decoded.
    """
    from PIL import Image

    picture = open_stored(content)
    is_jpeg = picture.format in ("JPEG", "MPO")
    picture = upright_rgb_or_grey(picture).convert("RGB")
    picture = _no_thread(picture, max_pixels)
    width, height = picture.size
    if width * height > max_pixels:
        share = math.sqrt(max_pixels / (width * height))
        size = max(1, math.floor(width * share)), max(1, math.floor(height * share))
        if size[0] * size[1] > max_pixels:  # one side is 1 already
            size = min(size[0], max_pixels), min(size[1], max_pixels)
        picture = picture.resize(size, Image.Resampling.BICUBIC)
    picture.info.clear()
    buffer = io.BytesIO()
    if is_jpeg:
        picture.save(buffer, "JPEG", quality=JPEG_QUALITY)
    else:
        picture.save(buffer, "PNG")
    return Picture(buffer.getvalue(), "image/jpeg" if is_jpeg else "image/png", picture.width, picture.height)


def _no_thread(picture: Image.Image, max_pixels: int) -> Image.Image:
    """Return a picture whose longer side is at most `MAX_ASPECT` times its shorter one, with black beside what is too thin."""
    from PIL import Image

    longer, shorter = max(picture.size), min(picture.size)
    if longer <= MAX_ASPECT * shorter:
        return picture
    length = max(1, min(longer, math.isqrt(max_pixels * MAX_ASPECT)))  # the border must not cost memory without limit
    thickness = max(1, shorter * length // longer)
    is_wide = picture.width > picture.height
    own = (length, thickness) if is_wide else (thickness, length)
    if own != picture.size:
        picture = picture.resize(own, Image.Resampling.BICUBIC)
    least = math.ceil(length / MAX_ASPECT)
    framed = Image.new("RGB", (length, least) if is_wide else (least, length))
    framed.paste(picture)
    return framed
