"""An embedder that runs here: any model of sentence-transformers, in a folder or by its name on the Hub."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from mldr.embed.protocol import EmbedderSpec, Vectors
from mldr.errors import MissingExtra, MldrError, printable
from mldr.localmodels import files_hash, loaded, model_folder

if TYPE_CHECKING:
    from PIL import Image

_TOKENISED = 256
_LIBRARIES = ("sentence-transformers", "transformers", "torch")
ROWS = 8
"""Of every batch, whatever `batch` says: another shape may take another path through the processor."""
BLOCK = 2048
"""Texts in one call, so that there are full batches of texts of one length."""
PLACE = "embedder.model"


class SentenceTransformersEmbedder:
    """Embeds texts, and images where the model can (CLIP and its like), with sentence-transformers.

    `model` is a folder, which is read and nothing else, or a name on the Hub, which the library looks for in its own cache
    and then on the Hub (`HF_HUB_OFFLINE=1` stops at the cache). Code that comes with a model is never run.

    What is guaranteed: float32 weights and arithmetic; the same text gives the same bytes on the same machine and libraries,
    in any company and order. For this, every batch has `ROWS` rows of texts of exactly as many tokens (the last row is repeated
    to fill it), so that nothing is padded and the shape follows from the text alone; `batch` is not used. What is not
    guaranteed: other processors, a GPU and other library versions differ in the last bits, so the versions are part of
    `identity`. Vectors are not rounded: a difference of 1e-7 would move some of many values over any edge of rounding.

    Raises:
        MissingExtra: if sentence-transformers is not installed.
        MldrError: if the model cannot be had or loaded.
    """

    def __init__(self, spec: EmbedderSpec) -> None:
        if find_spec("sentence_transformers") is None:
            raise MissingExtra("the embedder sentence-transformers", "embed")
        self.block = BLOCK
        folder = model_folder(PLACE, spec.model)
        self._model = _loaded(spec.model if folder is None else str(folder), folder is not None)
        self.sees_images: bool = _sees_images(self._model)
        libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
        origin = f"{spec.model}@{_revision(self._model)}" if folder is None else files_hash(PLACE, folder)
        self.identity = f"sentence-transformers:{origin} ({libraries})"

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """Return a float32 row for each text, shape (texts, dimensions); a text longer than the model reads is cut by it."""
        groups: dict[int, list[int]] = defaultdict(list)
        for position, length in enumerate(self._lengths(texts)):
            groups[length].append(position)
        batches = [
            group[start : start + ROWS] for _, group in sorted(groups.items()) for start in range(0, len(group), ROWS)
        ]
        return self._embedded(texts, batches)

    def embed_images(self, images: Sequence[Image.Image]) -> Vectors:
        """Return a float32 row for each image, shape (images, dimensions).

        Raises:
            MldrError: if the model sees no images.
        """
        if not self.sees_images:
            raise MldrError(
                f"{printable(self.identity)}: sees no images; choose a model such as CLIP, or leave images out"
            )
        starts = range(0, len(images), ROWS)
        batches = [list(range(start, min(start + ROWS, len(images)))) for start in starts]
        return self._embedded([image.convert("RGB") for image in images], batches)

    def _embedded(self, elements: Sequence[Any], batches: list[list[int]]) -> Vectors:
        vectors: Vectors = np.zeros((len(elements), self._dimensions()), dtype=np.float32)
        for batch in batches:
            drawn = [elements[position] for position in batch + batch[-1:] * (ROWS - len(batch))]
            vectors[batch] = self._model.encode(drawn, batch_size=ROWS, show_progress_bar=False)[: len(batch)]
        return vectors

    def _lengths(self, texts: Sequence[str]) -> Iterator[int]:
        """Yield the tokens of each text as the model will see it; all 0 for a model without attention."""
        tokenised = getattr(self._model, "preprocess", None) or self._model.tokenize  # tokenize: before 6.0
        prompt = self._model.prompts.get(self._model.default_prompt_name) or ""
        for start in range(0, len(texts), _TOKENISED):
            drawn = [prompt + text for text in texts[start : start + _TOKENISED]]
            mask = tokenised(drawn).get("attention_mask")
            yield from [0] * len(drawn) if mask is None else mask.sum(1).tolist()

    def _dimensions(self) -> int:
        model = self._model
        found = getattr(model, "get_embedding_dimension", None) or model.get_sentence_embedding_dimension  # before 6.0
        dimensions: int | None = found()
        if dimensions is None:  # a CLIP of older versions does not say
            dimensions = len(model.encode("a", show_progress_bar=False))
        return dimensions


def _loaded(model: str, is_folder: bool) -> Any:
    """Return the model, in float32."""
    library: Any = import_module("sentence_transformers")

    def opened(local_files_only: bool) -> Any:
        return library.SentenceTransformer(model, trust_remote_code=False, local_files_only=local_files_only).float()

    return loaded(PLACE, model, is_folder, opened)


def _sees_images(model: Any) -> bool:
    supports = getattr(model, "supports", None)
    return bool(supports("image")) if supports else type(model[0]).__name__ == "CLIPModel"  # supports: since 6.0


def _revision(model: Any) -> str:
    """Return the commit on the Hub that a model was loaded from, as far as it tells."""
    for holder in (model[0], getattr(model[0], "auto_model", None), getattr(model[0], "model", None)):
        commit = getattr(getattr(holder, "config", None), "_commit_hash", None)
        if commit:
            return str(commit)
    return "unknown"
