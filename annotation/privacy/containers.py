"""What a picture's file holds beside its pixels: EXIF, XMP, profiles, comments, thumbnails, and bytes behind its end."""

from __future__ import annotations

import struct
from collections.abc import Iterator

_PNG = b"\x89PNG\r\n\x1a\n"
_PIXELS = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
_NEEDED = {0xC0, 0xC1, 0xC2, 0xC4, 0xDB, 0xDD}
"""JPEG: frames, Huffman and quantisation tables, restart intervals."""
_SOI, _EOI, _SOS, _APP0, _COM = 0xD8, 0xD9, 0xDA, 0xE0, 0xFE


def beside_pixels(content: bytes) -> list[str]:
    """Return what a picture's file holds that is not needed to show it, in its order; empty for one as mldr stores it.

    Sources: ITU-T T.81, annex B; JFIF 1.02; PNG (third edition), section 5.
    """
    if content.startswith(_PNG):
        return list(_of_png(content))
    if content.startswith(b"\xff\xd8"):
        return list(_of_jpeg(content))
    return ["neither JPEG nor PNG"]


def _of_png(content: bytes) -> Iterator[str]:
    at = len(_PNG)
    while at + 12 <= len(content):
        length, name = struct.unpack_from(">I4s", content, at)
        if name not in _PIXELS:
            yield f"chunk {name.decode('latin-1')}"
        at += 12 + length
        if name == b"IEND":
            if at < len(content) or length:
                yield "bytes behind its end"
            return
    yield "no end"


def _of_jpeg(content: bytes) -> Iterator[str]:
    at = 2
    while at + 4 <= len(content):
        if content[at] != 0xFF:
            yield "bytes that belong to nothing"
            return
        marker = content[at + 1]
        if marker == 0xFF:  # fill
            at += 1
            continue
        length = struct.unpack_from(">H", content, at + 2)[0]
        body = content[at + 4 : at + 2 + length]
        if marker == _APP0:
            if body[:5] != b"JFIF\0" or len(body) != 14 or body[12:] != b"\0\0":
                yield "segment APP0"
        elif marker != _SOS and marker not in _NEEDED:
            yield (
                "a comment"
                if marker == _COM
                else f"segment APP{marker - _APP0}"
                if 0xE0 < marker < 0xF0
                else "a segment"
            )
        at += 2 + length
        if marker == _SOS:
            at = _scan_end(content, at)
            if content[at : at + 2] == bytes((0xFF, _EOI)):
                if at + 2 < len(content):
                    yield "bytes behind its end"
                return
    yield "no end"


def _scan_end(content: bytes, at: int) -> int:
    """Return where the next marker after coded pixels stands; restarts belong to them."""
    while True:
        at = content.find(b"\xff", at)
        if at < 0 or at + 1 >= len(content):
            return len(content)
        if content[at + 1] != 0 and not 0xD0 <= content[at + 1] <= 0xD7:
            return at
        at += 2
