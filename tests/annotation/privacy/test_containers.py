"""Whatever a picture's file holds beside its pixels is named."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from mldr.annotation.privacy.containers import beside_pixels
from mldr.images import normalise
from tests.annotation.privacy.test_pictures import METADATA


def sample(kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise((64, 48), 90).convert("RGB").save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("name", sorted(METADATA))
def test_a_stored_picture_holds_pixels_alone(name: str) -> None:
    assert beside_pixels(normalise(METADATA[name]).content) == []


@pytest.mark.parametrize("options", [{"progressive": True}, {"optimize": True}, {"restart_marker_blocks": 2}])
def test_every_way_of_coding_pixels_is_pixels(options: dict[str, bool]) -> None:
    assert beside_pixels(sample("JPEG", **options)) == []


def test_what_is_beside_pixels_is_named() -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "x")
    assert beside_pixels(sample("PNG", pnginfo=text)) == ["chunk tEXt"]
    assert beside_pixels(sample("JPEG", comment=b"x")) == ["a comment"]
    assert beside_pixels(sample("JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0")) == ["segment APP1"]
    assert beside_pixels(sample("JPEG", icc_profile=b"x" * 200)) == ["segment APP2"]
    assert beside_pixels(sample("JPEG") + b"x") == ["bytes behind its end"]
    assert beside_pixels(sample("PNG") + b"x") == ["bytes behind its end"]
    assert beside_pixels(sample("GIF")) == ["neither JPEG nor PNG"]
    thumbnail = sample("JPEG").replace(b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0", b"JFIF\0\x01\x01\0\0\x01\0\x01\x01\x01", 1)
    assert beside_pixels(thumbnail) == ["segment APP0"]


@pytest.mark.parametrize("name", ["mpo", "thumbnail", "jpeg", "png"])
def test_every_picture_as_phones_write_it_is_found_out(name: str) -> None:
    assert beside_pixels(METADATA[name])


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_picture_that_is_cut_short_has_no_end(kind: str) -> None:
    content = sample(kind)
    for length in range(8, len(content) - 1, 97):
        assert beside_pixels(content[:length])[-1] in ("no end", "bytes that belong to nothing")


@given(st.sampled_from([b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b""]), st.binary(max_size=200))
def test_arbitrary_bytes_are_never_taken_for_a_clean_picture_and_never_crash(head: bytes, rest: bytes) -> None:
    assert beside_pixels(head + rest)
