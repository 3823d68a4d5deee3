"""What an embedder is, and what it is made from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from PIL import Image

Vectors = npt.NDArray[np.float32]


class EmbedderSpec(Protocol):
    """How a recipe names an embedder. Every embedder, a plug-in too, is constructed with one of these alone."""

    @property
    def type(self) -> str:
        """A name in the entry-point group `mldr.embedders`, or `module:Class`."""
        ...

    @property
    def model(self) -> str:
        """A model's name or folder, '' where none was given."""
        ...

    @property
    def base_url(self) -> str:
        """Of an embeddings endpoint, '' where none was given."""
        ...

    @property
    def key_env(self) -> str:
        """The environment variable that holds the endpoint's key, '' for a server that asks for none."""
        ...

    @property
    def batch(self) -> int:
        """Texts or pictures at once; shapes no vector."""
        ...


class Embedder(Protocol):
    """Embeds texts and images into one space, so that their cosine means something.

    An embedder may also have a `block`, the number of texts or pictures that it likes to get in one call (64 where it has
    none): a cache stores what it makes after each.
    """

    @property
    def identity(self) -> str:
        """What makes two embedders the same: vectors are kept under it."""
        ...

    @property
    def sees_images(self) -> bool:
        """Whether `embed_images` works."""
        ...

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """Return a float32 row for each text, shape (texts, dimensions)."""
        ...

    def embed_images(self, images: Sequence[Image.Image]) -> Vectors:
        """Return a float32 row for each image, shape (images, dimensions), of the same dimensions.

        Raises:
            MldrError: if this embedder sees no images.
        """
        ...


def unit_rows(vectors: npt.NDArray[np.floating]) -> Vectors:
    """Return the rows scaled to length 1; a zero row stays zero."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: Vectors = np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0).astype(np.float32)
    return scaled
