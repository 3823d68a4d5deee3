from __future__ import annotations

import hashlib
import io
import struct
import zlib
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageCms, ImageOps, PngImagePlugin

from mldr import images
from mldr.images import MAX_PIXELS, ImageError, NormalisedImage, normalise, open_stored
from tests.conftest import picture

ORIENTATION = ExifTags.Base.Orientation


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def corners(size: tuple[int, int] = (48, 32)) -> Image.Image:
    """A picture whose four corners have four colours, so that turns and mirrors show."""
    image = Image.new("RGB", size, "white")
    width, height = size[0] // 2, size[1] // 2
    for colour, at in (("red", (0, 0)), ("lime", (width, 0)), ("blue", (0, height)), ("black", (width, height))):
        image.paste(colour, (*at, at[0] + width, at[1] + height))
    return image


def pixels(stored: NormalisedImage) -> np.ndarray[Any, np.dtype[np.int16]]:
    return np.asarray(open_stored(stored.content), dtype=np.int16)


def swapped_profile() -> bytes:
    """An sRGB profile in which red and blue have changed places: whoever converts by it, turns red to blue."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    entries = {}
    for index in range(struct.unpack_from(">I", profile, 128)[0]):
        start = 132 + 12 * index
        entries[bytes(profile[start : start + 4])] = start
    red, blue = entries[b"rXYZ"], entries[b"bXYZ"]
    profile[red : red + 4], profile[blue : blue + 4] = b"bXYZ", b"rXYZ"
    return bytes(profile)


def samples() -> dict[str, bytes]:
    noise = Image.effect_noise((20, 12), 60)
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    rgb = noise.convert("RGB")
    return {
        "jpeg": encoded(rgb, "JPEG", exif=exif, icc_profile=profile, comment=b"hello"),
        "cmyk": encoded(rgb.convert("CMYK"), "JPEG"),
        "progressive": encoded(rgb, "JPEG", progressive=True),
        "png": encoded(rgb.convert("RGBA"), "PNG", exif=exif, icc_profile=profile),
        "palette": encoded(rgb.convert("P"), "PNG", transparency=3),
        "sixteen": encoded(Image.fromarray(np.arange(240, dtype=np.uint16).reshape(12, 20) * 200), "PNG"),
        "gif": encoded(rgb.convert("P"), "GIF", save_all=True, append_images=[rgb.rotate(90).convert("P")]),
        "webp": encoded(rgb.convert("RGBA"), "WEBP"),
        "bmp": encoded(rgb, "BMP"),
        "tiff": encoded(rgb, "TIFF", compression="tiff_deflate"),
    }


SAMPLES = samples()


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_a_picture_of_every_known_format_is_stored(name: str) -> None:
    stored = normalise(SAMPLES[name])
    shown = open_stored(stored.content)
    assert shown.size == (stored.width, stored.height)
    assert stored.media_type == ("image/jpeg" if name in ("jpeg", "cmyk", "progressive") else "image/png")
    assert shown.mode in ("RGB", "L")


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_the_key_is_the_hash_of_the_stored_bytes_and_the_same_twice(name: str) -> None:
    stored = normalise(SAMPLES[name])
    assert stored.image_key == "sha256:" + hashlib.sha256(stored.content).hexdigest()
    assert normalise(SAMPLES[name]) == stored


def test_a_jpeg_stays_a_jpeg_of_quality_92_without_subsampling() -> None:
    stored = normalise(encoded(corners(), "JPEG", quality=40, subsampling=2))
    shown = open_stored(stored.content)
    reference = Image.open(io.BytesIO(encoded(corners(), "JPEG", quality=92, subsampling=0)))
    assert shown.format == "JPEG"
    assert shown.quantization == reference.quantization  # type: ignore[attr-defined]
    assert [part[1:3] for part in shown.layer] == [(1, 1)] * 3  # type: ignore[attr-defined]


def test_a_png_keeps_every_pixel() -> None:
    image = Image.effect_noise((31, 17), 80).convert("RGB")
    assert np.array_equal(pixels(normalise(encoded(image, "PNG"))), np.asarray(image))
    assert np.array_equal(pixels(normalise(encoded(image, "WEBP", lossless=True))), np.asarray(image))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_the_orientation_of_a_phone_is_applied(orientation: int, kind: str) -> None:
    upright = corners()
    turned = {
        1: upright,
        2: upright.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        3: upright.transpose(Image.Transpose.ROTATE_180),
        4: upright.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
        5: upright.transpose(Image.Transpose.TRANSPOSE),
        6: upright.transpose(Image.Transpose.ROTATE_90),
        7: upright.transpose(Image.Transpose.TRANSVERSE),
        8: upright.transpose(Image.Transpose.ROTATE_270),
    }[orientation]  # what the camera wrote: the inverse of what the viewer must do
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    stored = normalise(encoded(turned, kind, exif=exif))
    assert (stored.width, stored.height) == upright.size
    difference = np.abs(pixels(stored) - np.asarray(upright, dtype=np.int16))
    assert np.median(difference) <= 2
    assert difference[4, 4].max() < 30
    assert difference[-4, -4].max() < 30


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_nothing_but_the_picture_is_kept(kind: str) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "SecretCamera"
    exif[ExifTags.Base.ImageDescription] = "SecretPlace"
    options: dict[str, Any] = {"exif": exif}
    if kind == "JPEG":
        options["comment"] = b"SecretComment"
    if kind == "PNG":
        chunks = PngImagePlugin.PngInfo()
        chunks.add_text("Author", "SecretAuthor")
        chunks.add_itxt("XML:com.adobe.xmp", "<x>SecretXmp</x>")
        options["pnginfo"] = chunks
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    original = encoded(corners(), kind, icc_profile=profile, **options)
    assert b"Secret" in original
    stored = normalise(original)
    assert b"Secret" not in stored.content
    shown = open_stored(stored.content)
    assert not shown.getexif()
    assert not {"exif", "icc_profile", "comment", "xmp", "photoshop"} & set(shown.info)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_an_embedded_colour_profile_is_converted_to_srgb(mode: str) -> None:
    red = Image.new("RGB", (16, 16), "red").convert(mode)
    assert pixels(normalise(encoded(red, "PNG")))[8, 8].tolist() == [255, 0, 0]
    converted = pixels(normalise(encoded(red, "PNG", icc_profile=swapped_profile())))[8, 8]
    assert converted[2] > 240
    assert converted[0] < 16


def test_an_unreadable_profile_is_dropped() -> None:
    stored = normalise(encoded(Image.new("RGB", (8, 8), "red"), "PNG", icc_profile=b"no profile"))
    assert pixels(stored)[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_alpha_is_laid_on_white(kind: str) -> None:
    image = Image.new("RGBA", (8, 4), (255, 0, 0, 0))
    image.paste((0, 0, 255, 255), (4, 0, 8, 4))
    image.putpixel((0, 0), (0, 0, 0, 128))
    shown = pixels(normalise(encoded(image, kind, **({"lossless": True} if kind == "WEBP" else {}))))
    assert shown[2, 2].tolist() == [255, 255, 255]
    assert shown[2, 6].tolist() == [0, 0, 255]
    assert abs(int(shown[0, 0][0]) - 127) <= 1


def test_a_transparent_palette_colour_becomes_white() -> None:
    image = Image.new("P", (4, 4), 0)
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.putpixel((1, 1), 1)
    shown = pixels(normalise(encoded(image, "PNG", transparency=0)))
    assert shown[0, 0].tolist() == [255, 255, 255]
    assert shown[1, 1].tolist() == [0, 0, 255]


@pytest.mark.parametrize("mode", ["L", "1"])
def test_grey_stays_grey(mode: str) -> None:
    stored = normalise(encoded(Image.new(mode, (5, 5), 1), "PNG"))
    assert open_stored(stored.content).mode == "L"


def test_cmyk_becomes_rgb() -> None:
    stored = normalise(encoded(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG", quality=95))
    red, green, blue = pixels(stored)[8, 8]
    assert red > 240
    assert green < 16
    assert blue < 16


def test_sixteen_bits_become_eight_over_the_whole_range() -> None:
    values = np.array([[0, 257, 32_768, 65_535]], dtype=np.uint16)
    assert pixels(normalise(encoded(Image.fromarray(values), "PNG"))).tolist() == [[0, 1, 128, 255]]


def test_floats_are_spread_over_their_own_range() -> None:
    values = np.array([[-1.0, 0.0, 1.0]], dtype=np.float32)
    assert pixels(normalise(encoded(Image.fromarray(values), "TIFF"))).tolist() == [[0, 128, 255]]
    broken = np.array([[np.nan, np.inf, -np.inf]], dtype=np.float32)
    assert normalise(encoded(Image.fromarray(broken), "TIFF")).width == 3


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_the_first_frame_of_several_is_kept(kind: str) -> None:
    first, second = Image.new("RGB", (10, 10), "red"), Image.new("RGB", (10, 10), "blue")
    options = {"lossless": True} if kind == "WEBP" else {}
    stored = normalise(encoded(first, kind, save_all=True, append_images=[second], **options))
    assert pixels(stored)[5, 5].tolist() == [255, 0, 0]
    assert getattr(open_stored(stored.content), "n_frames", 1) == 1


def test_the_pictures_of_a_phone_that_hold_several_are_jpegs() -> None:
    stored = normalise(encoded(corners(), "MPO", save_all=True, append_images=[Image.new("RGB", (48, 32))]))
    assert stored.media_type == "image/jpeg"
    assert pixels(stored)[4, 4][0] > 240


@pytest.mark.parametrize("ending", [4, 60, 200, -20])
def test_a_truncated_jpeg_is_refused_with_a_reason(ending: int) -> None:
    whole = encoded(Image.effect_noise((64, 64), 90).convert("RGB"), "JPEG")
    with pytest.raises(ImageError, match=r"\w+"):
        normalise(whole[:ending])


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7", b"\0" * 99]
)
def test_what_is_no_picture_is_refused(content: bytes) -> None:
    with pytest.raises(ImageError, match="not a picture in a known format"):
        normalise(content)


@pytest.mark.parametrize("kind", ["EPS", "ICO", "PPM", "TGA", "PCX"])
def test_other_formats_are_refused(kind: str) -> None:
    with pytest.raises(ImageError, match="not a picture in a known format"):
        normalise(encoded(Image.new("RGB", (16, 16)), kind))


def bomb(width: int, height: int) -> bytes:
    """A PNG that says it is huge; its pixels would not decode, so whoever tries to, gives another reason."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", b"not deflated") + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(8_001, 8_000), (20_000, 20_000), (2**31 - 1, 2**31 - 1), (MAX_PIXELS + 1, 1)])
def test_a_decompression_bomb_is_refused_before_it_is_decoded(size: tuple[int, int]) -> None:
    for read in (normalise, open_stored):
        with pytest.raises(ImageError, match=r"pixels.* decoded"):
            read(bomb(*size))


def test_a_picture_within_the_limit_is_decoded() -> None:
    with pytest.raises(ImageError, match="broken"):
        normalise(bomb(8_000, 8_000))


def test_the_limits_count_every_pixel_and_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    content = picture("red", (10, 10))
    monkeypatch.setattr(images, "MAX_PIXELS", 100)
    monkeypatch.setattr(images, "MAX_BYTES", len(content))
    assert normalise(content).width == 10
    monkeypatch.setattr(images, "MAX_PIXELS", 99)
    with pytest.raises(ImageError, match="10 x 10 pixels"):
        normalise(content)
    monkeypatch.setattr(images, "MAX_BYTES", len(content) - 1)
    with pytest.raises(ImageError, match="bytes; at most"):
        normalise(content)


@given(
    st.binary(max_size=200),
    st.sampled_from([b"", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"II*\0"]),
)
@settings(deadline=None)
def test_arbitrary_bytes_give_a_picture_or_an_image_error(content: bytes, start: bytes) -> None:
    for read in (normalise, open_stored):
        with suppress(ImageError):
            assert read(start + content).width > 0


@given(
    st.sampled_from(sorted(SAMPLES)),
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=6),
    st.none() | st.integers(1, 10_000),
)
@settings(max_examples=300, deadline=None)
def test_a_damaged_picture_gives_a_picture_or_an_image_error(
    name: str, damage: list[tuple[int, int]], cut: int | None
) -> None:
    content = bytearray(SAMPLES[name])
    for position, value in damage:
        content[position % len(content)] = value
    with suppress(ImageError):
        stored = normalise(bytes(content[:cut]))
        assert Image.open(io.BytesIO(stored.content)).size == (stored.width, stored.height)


@given(st.binary(min_size=1, max_size=300))
@settings(deadline=None)
def test_a_hostile_profile_does_no_harm(profile: bytes) -> None:
    assert normalise(encoded(Image.new("RGB", (4, 4), "red"), "JPEG", icc_profile=profile)).width == 4


def test_warnings_of_the_decoder_stay_inside(recwarn: pytest.WarningsRecorder) -> None:
    for content in SAMPLES.values():
        normalise(content)
    assert list(recwarn) == []


def by_fresh_copy(original: bytes) -> bytes:
    """The stored form by the long way: every step a new image, the last one without anything but pixels."""
    shown = Image.open(io.BytesIO(original))
    shown.load()
    kind, profile = shown.format, shown.info.get("icc_profile")
    upright = ImageOps.exif_transpose(shown)
    if profile and upright.mode in ("RGB", "RGBA", "CMYK"):
        outcome = "RGBA" if upright.mode == "RGBA" else "RGB"
        srgb = ImageCms.createProfile("sRGB")
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        upright = ImageCms.profileToProfile(upright, source, srgb, outputMode=outcome) or upright
    clean = Image.new("RGB", upright.size)
    clean.paste(upright.convert("RGB"))
    options: dict[str, Any] = {"quality": 92, "subsampling": 0} if kind == "JPEG" else {"compress_level": 6}
    return encoded(clean, "JPEG" if kind == "JPEG" else "PNG", **options)


def full_of_extras(kind: str, orientation: int, profile: bytes) -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    exif[ExifTags.Base.Artist] = "somebody"
    options: dict[str, Any] = {"exif": exif, "icc_profile": profile, "dpi": (300, 300)}
    if kind == "PNG":
        options["pnginfo"] = PngImagePlugin.PngInfo()
        options["pnginfo"].add_text("Comment", "where I live")
    if kind == "JPEG":
        options |= {"comment": b"where I live", "xmp": b"<x:xmpmeta>where I live</x:xmpmeta>", "quality": 97}
    return encoded(corners(), kind, **options)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("swapped", [False, True])
def test_the_stored_bytes_are_those_of_a_fresh_image_of_the_same_pixels(
    kind: str, orientation: int, swapped: bool
) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    original = full_of_extras(kind, orientation, swapped_profile() if swapped else srgb)
    assert normalise(original).content == by_fresh_copy(original)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_stored_file_has_no_part_that_a_picture_can_do_without(kind: str) -> None:
    content = normalise(full_of_extras(kind, 6, swapped_profile())).content
    assert b"where I live" not in content
    if kind == "PNG":
        parts, at = set(), 8
        while at < len(content):
            (size,) = struct.unpack_from(">I", content, at)
            parts.add(content[at + 4 : at + 8])
            at += 12 + size
        assert parts == {b"IHDR", b"IDAT", b"IEND"}
        return
    markers, at = [], 2
    while content[at + 1] != 0xDA:  # the start of the scan
        markers.append(content[at + 1])
        at += 2 + struct.unpack_from(">H", content, at + 2)[0]
    assert set(markers) == {0xE0, 0xDB, 0xC0, 0xC4}  # JFIF, tables, frame: no APP1 to APP15, no comment
    assert markers.count(0xE0) == 1


def test_a_profile_that_is_srgb_already_leaves_every_pixel_as_it_was() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    noise = Image.effect_noise((64, 64), 90).convert("RGB")
    assert np.array_equal(pixels(normalise(encoded(noise, "PNG", icc_profile=srgb))), np.asarray(noise))
    assert images._to_srgb(srgb, "RGB") is None
    assert images._to_srgb(swapped_profile(), "RGB") is not None
    assert images._to_srgb(swapped_profile(), "RGB") is images._to_srgb(swapped_profile(), "RGB")


def test_one_profile_serves_pictures_of_several_modes() -> None:
    for mode, red in (("RGB", (255, 0, 0)), ("RGBA", (255, 0, 0, 255))):
        stored = normalise(encoded(Image.new(mode, (16, 16), red), "PNG", icc_profile=swapped_profile()))
        assert pixels(stored)[8, 8].argmax() == 2
