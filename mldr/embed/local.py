"""An embedder that runs here: any model of sentence-transformers, in a folder or by its name on the Hub."""

from __future__ import annotations

import logging
import os
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mldr.embed.protocol import EmbedderSpec, Vectors
from mldr.errors import MissingExtra, MldrError, printable
from mldr.files import canonical_json, sha256_file, sha256_text

if TYPE_CHECKING:
    from PIL import Image

_HUB_NAME = re.compile(r"[\w-][\w.-]*(/[\w.-]+)?", re.ASCII)
_TOKENISED = 256
_LIBRARIES = ("sentence-transformers", "transformers", "torch")
ROWS = 8
"""Of every batch, whatever `batch` says: another shape may take another path through the processor."""
BLOCK = 2048
"""Texts in one call, so that there are full batches of texts of one length."""
ASKING_S = 10.0
"""How long the Hub may take to say whether it has a model."""


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
        folder = _folder(spec.model)
        self._model = _loaded(spec.model if folder is None else str(folder), folder is not None)
        self.sees_images: bool = _sees_images(self._model)
        libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
        origin = f"{spec.model}@{_revision(self._model)}" if folder is None else files_hash(folder)
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


def _folder(model: str) -> Path | None:
    """Return the folder that `model` is, None for a name on the Hub."""
    if not model:
        raise MldrError("embedder.model: empty; give a model's folder, or its name on the Hub")
    if Path(model).is_dir():
        return Path(model)
    if model.startswith(("/", ".", "~")) or os.sep == "\\" in model or not _HUB_NAME.fullmatch(model):
        raise MldrError(f"embedder.model: {printable(model)} is no folder, and no name that the Hub could have")
    return None


def _loaded(model: str, is_folder: bool) -> Any:
    """Return the model, in float32 and without chatter; from the library's cache where it is there."""
    with _quiet():
        try:
            if is_folder:
                return _opened(model, local_files_only=True)
            try:
                return _opened(model, local_files_only=True)
            except (OSError, ValueError):  # not in the cache, or not all of it
                from huggingface_hub import model_info

                model_info(model, timeout=ASKING_S)  # the library itself would knock for a minute and a half
                return _opened(model, local_files_only=False)
        except Exception as error:  # whatever a hostile or half a folder provokes in three libraries
            reason = printable(f"{type(error).__name__}: {' '.join(str(error).split())}", 300)
            raise MldrError(f"embedder.model: {printable(model)} cannot be loaded ({reason})") from error


def _opened(model: str, local_files_only: bool) -> Any:
    return (
        import_module("sentence_transformers")
        .SentenceTransformer(model, trust_remote_code=False, local_files_only=local_files_only)
        .float()
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep progress bars and warnings of the libraries off stderr; what fails is told by the error."""
    bars: Any = import_module("transformers.utils.logging")
    loggers = [logging.getLogger(name) for name in ("huggingface_hub", "sentence_transformers", "transformers")]
    levels = [logger.level for logger in loggers]
    was_enabled = bars.is_progress_bar_enabled()
    bars.disable_progress_bar()
    try:
        for logger in loggers:
            logger.setLevel(logging.CRITICAL)
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
        if was_enabled:
            bars.enable_progress_bar()


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


def files_hash(folder: Path) -> str:
    """Return a hash of the weights and configuration in a folder: its place and its prose do not matter."""
    names = sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file()
        and path.suffix != ".md"
        and not any(p.startswith(".") for p in path.relative_to(folder).parts)
    )
    try:
        return "sha256:" + sha256_text(canonical_json([[name, sha256_file(folder / name)] for name in names]))
    except OSError as error:
        raise MldrError(f"embedder.model: {error.filename}: {error.strerror}") from error
