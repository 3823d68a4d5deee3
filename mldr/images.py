"""Pictures from strangers: decoded safely, turned upright, stripped of metadata, stored in one of two forms."""

from __future__ import annotations

import base64
import hashlib
import io
import struct
import warnings
import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image, ImageCms

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


def data_uri(content: bytes, media_type: str) -> str:
    """Return bytes as an address that holds them (RFC 2397)."""
    return f"data:{media_type};base64,{base64.b64encode(content).decode('ascii')}"


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

    The format is told by content. An EXIF orientation is applied, an embedded colour profile is converted to sRGB where it
    is another, alpha is laid on white, CMYK becomes RGB, and of an animation the first frame is kept. Grey stays grey.

    Raises:
        ImageError: for bytes that are too large, no picture, a broken or truncated one, or a decompression bomb.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of what is refused or dropped here anyway
        picture = _decoded(encoded)
        is_jpeg = picture.format in ("JPEG", "MPO")
        return stored(upright_rgb_or_grey(picture), is_jpeg=is_jpeg)


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
    """Return a decoded picture as an sRGB or grey one, upright and opaque; the one given may be changed."""
    from PIL import Image, ImageOps

    try:
        profile = picture.info.get("icc_profile")
        ImageOps.exif_transpose(picture, in_place=True)
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
        mode = "L" if is_grey else "RGB"
        return picture if picture.mode == mode else picture.convert(mode)  # `convert` copies where nothing changes
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
        transform = _to_srgb(profile, picture.mode)
        return picture if transform is None else transform.apply(picture)
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        return picture  # an unreadable profile says nothing about the colours: they are taken as sRGB


@lru_cache(maxsize=8)  # the pictures of one camera come together; a profile may have 16 MB
def _to_srgb(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Return what takes pictures of a profile to sRGB, None where that would move no colour by more than rounding does."""
    from PIL import ImageCms

    outcome = "RGBA" if mode == "RGBA" else "RGB"
    opened, srgb = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
    transform = ImageCms.buildTransform(opened, srgb, mode, outcome)
    return None if mode == outcome and _moves_nothing(transform, mode) else transform


def _moves_nothing(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """Try a grid of 18 x 18 x 18 colours, and every step of grey and of each channel."""
    import numpy as np
    from PIL import Image

    grid = np.stack(np.meshgrid(*[np.arange(0, 256, 15)] * 3), axis=-1).reshape(-1, 3)
    ramps = [np.outer(np.arange(256), channels) for channels in ((1, 1, 1), (1, 0, 0), (0, 1, 0), (0, 0, 1))]
    colours = np.concatenate([grid, *ramps]).astype(np.uint8)[None]
    moved = transform.apply(Image.fromarray(colours).convert(mode)).convert("RGB")
    return int(np.abs(np.asarray(moved, dtype=np.int16) - colours).max()) <= 1


def stored(picture: Image.Image, *, is_jpeg: bool) -> NormalisedImage:
    """Return a grey or RGB picture in its stored form, for who changed its pixels; its `info` is cleared."""
    picture.info.clear()  # else its comment, profile, resolution and transparency would go with it
    buffer = io.BytesIO()
    if is_jpeg:
        picture.save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling=0, optimize=False)
    else:
        picture.save(buffer, "PNG", compress_level=6)
    content = buffer.getvalue()
    return NormalisedImage(
        image_key="sha256:" + hashlib.sha256(content).hexdigest(),
        content=content,
        width=picture.width,
        height=picture.height,
        media_type="image/jpeg" if is_jpeg else "image/png",
    )
