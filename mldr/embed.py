"""The embedder protocol: any object that turns texts and images into vectors of one space. Backends come later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from PIL import Image

Vectors = npt.NDArray[np.float32]


class Embedder(Protocol):
    """Embeds texts and images into one space, so that their cosine means something."""

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """Return a float32 row for each text, shape (texts, dimensions)."""
        ...

    def embed_images(self, images: Sequence[Image.Image]) -> Vectors:
        """Return a float32 row for each image, shape (images, dimensions), of the same dimensions."""
        ...


def unit_rows(vectors: npt.NDArray[np.floating]) -> Vectors:
    """Return the rows scaled to length 1; a zero row stays zero."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: Vectors = np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0).astype(np.float32)
    return scaled
