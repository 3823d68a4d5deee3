from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from PIL import Image

from mldr.images import ImageError
from mldr.retrievers import DialogueView, ViewImage, ViewUtterance
from mldr.retrievers.vlm.pixels import MAX_PIXELS, pictures_of, scaled


def encoded(mode: str = "RGB", size: tuple[int, int] = (40, 30), kind: str = "PNG", **more: object) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size, 128 if mode in ("L", "1", "P", "I;16") else "red").save(buffer, kind, **more)
    return buffer.getvalue()


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def seen(*contents: bytes | None) -> DialogueView:
    utterances = tuple(ViewUtterance("user1", f"word{i}", (i,)) for i in range(len(contents)))
    return DialogueView("en", utterances, tuple(ViewImage(content=content) for content in contents))


def animated() -> bytes:
    frames = [Image.new("RGB", (20, 10), colour) for colour in ("red", "blue", "green")]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    return buffer.getvalue()


@pytest.mark.parametrize("size", [(4000, 3000), (776, 777), (100_000, 10), (3, 1_000_000)])
def test_a_large_picture_has_at_most_the_papers_pixels_and_its_shape(size: tuple[int, int]) -> None:
    made = scaled(encoded(size=size, mode="L"), MAX_PIXELS)
    assert made.width * made.height <= MAX_PIXELS
    assert opened(made.content).size == (made.width, made.height)
    if min(size) > 500:
        assert made.width * made.height > 0.99 * MAX_PIXELS
        assert made.width / made.height == pytest.approx(size[0] / size[1], rel=0.01)


@pytest.mark.parametrize("size", [(1, 400), (4000, 1), (20_000, 3), (3, 1_000_000), (101, 1)])
@pytest.mark.parametrize("limit", [1, 4096, MAX_PIXELS])
def test_a_picture_that_is_no_more_than_a_line_gets_a_border(size: tuple[int, int], limit: int) -> None:
    made = scaled(encoded(size=size), limit)
    assert made.width * made.height <= limit
    assert max(made.width, made.height) <= 200 * min(made.width, made.height), "what processors of Qwen-VL take"
    if limit == MAX_PIXELS:
        assert opened(made.content).getpixel((0, 0)) != (0, 0, 0)
        assert opened(made.content).getpixel((made.width - 1, made.height - 1)) == (0, 0, 0)


def test_a_small_picture_is_not_made_larger() -> None:
    assert (scaled(encoded(size=(40, 30)), MAX_PIXELS).width, scaled(encoded(size=(40, 30)), 1).width) == (40, 1)


@pytest.mark.parametrize(
    "made",
    [
        lambda: encoded("CMYK", kind="JPEG"),
        lambda: encoded("RGBA"),
        lambda: encoded("L"),
        lambda: encoded("1"),
        lambda: encoded("P"),
        lambda: encoded("I;16"),
        lambda: encoded("LA"),
        animated,
        lambda: encoded(kind="WEBP"),
        lambda: encoded(kind="TIFF"),
        lambda: encoded(kind="BMP"),
    ],
)
def test_every_mode_and_format_becomes_rgb(made: Callable[[], bytes]) -> None:
    picture = scaled(made(), MAX_PIXELS)
    assert opened(picture.content).mode == "RGB"
    assert picture.media_type in ("image/png", "image/jpeg")


def test_a_photograph_stays_a_jpeg_and_a_drawing_a_png() -> None:
    assert scaled(encoded(kind="JPEG"), MAX_PIXELS).media_type == "image/jpeg"
    assert scaled(encoded(kind="PNG"), MAX_PIXELS).media_type == "image/png"


def test_metadata_does_not_travel() -> None:
    exif = Image.Exif()
    exif[0x010E] = "a private remark"
    assert b"a private remark" not in scaled(encoded(kind="JPEG", exif=exif.tobytes()), MAX_PIXELS).content


@pytest.mark.parametrize("content", [b"", b"no picture", encoded()[:40], b"\x89PNG\r\n\x1a\n" + b"\0" * 50])
def test_what_is_no_picture_is_refused_with_the_reason(content: bytes) -> None:
    with pytest.raises(ImageError):
        scaled(content, MAX_PIXELS)


def test_ids_never_shift_by_a_picture_that_cannot_be_shown() -> None:
    found = pictures_of(seen(encoded(), b"broken", None, encoded(size=(8, 8))), MAX_PIXELS, None)
    assert sorted(found.shown) == [0, 3]
    assert found.shown[3].width == 8
    assert (found.absent, sorted(found.broken)) == ((2,), [1])


def test_pictures_past_the_limit_of_a_prompt_are_named() -> None:
    found = pictures_of(seen(*[encoded()] * 4), MAX_PIXELS, 3)
    assert (sorted(found.shown), found.unshown) == ([0, 1, 2], (3,))
