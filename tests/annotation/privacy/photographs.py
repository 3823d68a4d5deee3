"""Photographs that come inside scikit-image, encoded in every way, and codes: what covering is tried on."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import numpy.typing as npt
import skimage.data
import zxingcpp
from PIL import Image

Pixels = npt.NDArray[np.uint8]

FACE = (181, 58, 270, 178)
"""Left, top, right, bottom of the only face in the astronaut's portrait."""


def astronaut() -> Image.Image:
    """The portrait of an astronaut, 512 x 512."""
    return Image.fromarray(skimage.data.astronaut())


def head(height: int, turn: int = 0) -> Image.Image:
    """The astronaut's head, the face of which has so many pixels from brow to chin; turned by quarter turns to the left."""
    cut = astronaut().crop((150, 20, 300, 200))
    scale = height / (FACE[3] - FACE[1])
    return cut.resize((round(150 * scale), round(180 * scale)), Image.Resampling.LANCZOS).rotate(90 * turn, expand=True)


def scene(name: str, size: tuple[int, int]) -> Image.Image:
    """A photograph without people, stretched."""
    return Image.fromarray(getattr(skimage.data, name)()).convert("RGB").resize(size)


def encoded(image: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    """The bytes of a picture."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def decoded(content: bytes) -> Image.Image:
    """The picture of some bytes."""
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def code(text: str = "https://example.org/invite/abcdef", kind: str = "QRCode", scale: int = 4) -> Image.Image:
    """A machine-readable code with its quiet zone."""
    made = zxingcpp.create_barcode(text, getattr(zxingcpp, kind))
    return Image.fromarray(np.array(zxingcpp.write_barcode_to_image(made, scale=scale))).convert("RGB")


def read_codes(image: Image.Image) -> list[str]:
    """The texts of the codes that can be read in a picture."""
    return [found.text for found in zxingcpp.read_barcodes(np.array(image.convert("L")))]


def black_share(image: Image.Image, box: tuple[int, int, int, int]) -> float:
    """How much of a part of a picture is black, up to what JPEG makes of black."""
    return float((np.array(image.convert("L").crop(box)) <= 8).mean())
