"""Pictures from strangers: decoded safely, turned upright, stripped of metadata, stored in one of two forms."""

from __future__ import annotations

import hashlib
import io
import struct
import warnings
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

MAX_BYTES = 64 * 1024 * 1024
"""An encoded picture larger than this is refused unread."""
MAX_PIXELS = 64_000_000
"""A picture of more pixels (all of one frame) is refused before decoding; a 48-megapixel phone photo passes."""
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF")
"""JPEG covers the multi-picture files (MPO) of phones."""
JPEG_QUALITY = 92

_DECODING_FAULTS = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    struct.error,
    zlib.error,
)


class ImageError(ValueError):
    """A picture that cannot or must not be decoded; its text is the reason."""


@dataclass(frozen=True, slots=True)
class NormalisedImage:
    """A picture as mldr stores it."""

    image_key: str
    content: bytes
    width: int
    """Pixels, after the orientation was applied."""
    height: int
    media_type: str


def normalise(encoded: bytes) -> NormalisedImage:
    """Return a picture in its stored form: JPEG (quality 92, 4:4:4) where JPEG came in, else PNG; no metadata.

    The format is told by content. An EXIF orientation is applied, an embedded colour profile is converted to sRGB, alpha
    is laid on white, CMYK becomes RGB, and of an animation the first frame is kept. Grey stays grey.

    Raises:
        ImageError: for bytes that are too large, no picture, a broken or truncated one, or a decompression bomb.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of what is refused or dropped here anyway
        picture = _decoded(encoded)
        is_jpeg = picture.format in ("JPEG", "MPO")
        return _stored(upright_rgb_or_grey(picture), is_jpeg)


def open_stored(content: bytes) -> Image.Image:
    """Return stored bytes as a decoded Pillow image, under the same limits.

    Raises:
        ImageError: as `normalise`.
    """
    return _decoded(content)


def _decoded(encoded: bytes) -> Image.Image:
    from PIL import Image, UnidentifiedImageError

    if len(encoded) > MAX_BYTES:
        raise ImageError(f"{len(encoded):,} bytes; at most {MAX_BYTES:,} are read")
    try:
        picture = Image.open(io.BytesIO(encoded), formats=FORMATS)
        width, height = picture.size
        if width * height > MAX_PIXELS:
            raise ImageError(f"{width} x {height} pixels; at most {MAX_PIXELS:,} are decoded")
        picture.load()
    except ImageError:
        raise
    except UnidentifiedImageError as error:
        raise ImageError(f"not a picture in a known format ({', '.join(FORMATS)})") from error
    except Image.DecompressionBombError as error:
        raise ImageError(f"more pixels than may be decoded ({MAX_PIXELS:,})") from error
    except _DECODING_FAULTS as error:
        raise ImageError(f"a broken picture ({type(error).__name__}: {error})") from error
    return picture


def upright_rgb_or_grey(picture: Image.Image) -> Image.Image:
    """Return a decoded picture as an sRGB or grey one, upright and opaque."""
    from PIL import Image, ImageOps

    try:
        profile = picture.info.get("icc_profile")
        picture = ImageOps.exif_transpose(picture)
        if picture.mode.startswith(("I", "F")):
            picture = _eight_bits(picture)
        if profile and picture.mode in ("P", "PA"):
            picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
        if profile and picture.mode in ("RGB", "RGBA", "CMYK"):
            picture = _in_srgb(picture, profile)
        is_grey = picture.mode in ("1", "L", "LA", "La")
        if picture.has_transparency_data:
            rgba = picture.convert("RGBA")
            picture = Image.new("RGBA", rgba.size, "white")
            picture.alpha_composite(rgba)
        return picture.convert("L" if is_grey else "RGB")
    except _DECODING_FAULTS as error:
        raise ImageError(f"a broken picture ({type(error).__name__}: {error})") from error


def _eight_bits(picture: Image.Image) -> Image.Image:
    """Return a 16-bit, 32-bit or float picture in grey, its own range spread over 0..255."""
    import numpy as np
    from PIL import Image

    values = np.nan_to_num(np.asarray(picture, dtype=np.float64))
    low, high = (0.0, 65535.0) if picture.mode.startswith("I;16") else (float(values.min()), float(values.max()))
    scaled = (values - low) * (255.0 / (high - low) if high > low else 0.0)
    return Image.fromarray(scaled.round().clip(0, 255).astype(np.uint8))


def _in_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    from PIL import ImageCms

    try:
        converted = ImageCms.profileToProfile(
            picture,
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            outputMode="RGBA" if picture.mode == "RGBA" else "RGB",
        )
    except (ImageCms.PyCMSError, OSError):
        return picture  # an unreadable profile says nothing about the colours: they are taken as sRGB
    return picture if converted is None else converted


def _stored(picture: Image.Image, is_jpeg: bool) -> NormalisedImage:
    from PIL import Image

    clean = Image.new(picture.mode, picture.size)  # a new image carries no EXIF, comment or profile into the encoder
    clean.paste(picture)
    buffer = io.BytesIO()
    if is_jpeg:
        clean.save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling=0, optimize=False)
    else:
        clean.save(buffer, "PNG", compress_level=6)
    content = buffer.getvalue()
    return NormalisedImage(
        image_key="sha256:" + hashlib.sha256(content).hexdigest(),
        content=content,
        width=clean.width,
        height=clean.height,
        media_type="image/jpeg" if is_jpeg else "image/png",
    )
