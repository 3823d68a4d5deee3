"""Vectors of the sources: a mean text vector and a mean image vector of each, its turns', and how well images fit their texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image

from mldr.builders.sources.record import SourceDialogue
from mldr.builders.sourcevectors import SourceVectors
from mldr.builders.spool import Spool
from mldr.embed import CachedEmbedder, Vectors, unit_rows
from mldr.errors import MldrError
from mldr.files import written_whole
from mldr.images import open_stored

BLOCK = 2048
"""Texts that are embedded, and held, at once."""
IMAGES_A_BLOCK = 64
"""Pictures that are decoded, and held, at once."""

Say = Callable[[int], None]


class PictureBytes(Protocol):
    """Where the bytes of images are; `Pictures` is one."""

    def key(self, ref: str) -> str:
        """Return the key of an image, `sha256:...` where there are bytes."""
        ...

    def content(self, ref: str) -> bytes:
        """Return the stored bytes of an image that has them."""
        ...


@dataclass(frozen=True, slots=True)
class ImageFit:
    """How well an image fits the text of its turn and its caption."""

    source_id: str
    image: int
    """Position in `SourceDialogue.images`."""
    cosine: float | None
    """None where there are no pixels or no text, so nothing to compare."""


def source_vectors(
    spool: Spool, pictures: PictureBytes, embedder: CachedEmbedder, folder: Path, say: Say = lambda _: None
) -> SourceVectors:
    """Embed every source of a spool. An interrupted run goes on where the embedder's cache ends.

    Args:
        spool: the sources; those without a head are passed over.
        pictures: the bytes of their images.
        embedder: with its cache.
        folder: where `text.npy` and `image.npy` are written, whole or not at all.
        say: takes the number of sources done, now and then; the images are a second round.

    Returns:
        Of each source in the order of the spool: as text the mean of the unit vectors of its turns and captions, scaled to length
        1, zero where it has no text; as image the same of its images. No image rows where the embedder sees none or there are none.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ids = list(spool.heads)
    text, _ = _written(_text_mean_blocks(spool, embedder, say), folder / "text.npy", len(ids))
    has_image = np.zeros(len(ids), dtype=np.bool_)
    image: Vectors | None = None
    if embedder.sees_images and any(_seen(refs, pictures) for refs in (h.image_refs for h in spool.heads.values())):
        blocks = _image_mean_blocks(spool, pictures, embedder, say)
        image, has_image = _written(blocks, folder / "image.npy", len(ids))
    return SourceVectors(ids, text, image, has_image)


def turn_vectors(spool: Spool, embedder: CachedEmbedder) -> Iterator[tuple[str, Vectors]]:
    """Yield each source with unit rows for its turns that have text, shape (turns, dimensions); some thousand are made at once.

    Args:
        spool: the sources; those without a head are passed over.
        embedder: with its cache.
    """
    for dialogues in _blocks(spool):
        texts = [_turn_texts(dialogue) for dialogue in dialogues]
        vectors = unit_rows(embedder.embed_texts([text for own in texts for text in own]))
        start = 0
        for dialogue, own in zip(dialogues, texts, strict=True):
            yield dialogue.source_id, vectors[start : start + len(own)]
            start += len(own)


def image_fits(spool: Spool, pictures: PictureBytes, embedder: CachedEmbedder) -> Iterator[ImageFit]:
    """Yield how well each image of each source fits the text of its turn and its caption, in the order of the spool.

    Raises:
        MldrError: if the embedder sees no images.
    """
    if not embedder.sees_images:
        raise MldrError(
            f"clean.image_text_floor: the embedder {embedder.identity} sees no images; use another, or null"
        )
    for dialogues in _blocks(spool):
        shown = [
            (dialogue.source_id, position, image.ref, _text_of_image(dialogue, position))
            for dialogue in dialogues
            for position, image in enumerate(dialogue.images)
        ]
        for start in range(0, len(shown), IMAGES_A_BLOCK):
            drawn = shown[start : start + IMAGES_A_BLOCK]
            both = [(ref, text) for _, _, ref, text in drawn if text and _seen([ref], pictures)]
            texts = unit_rows(embedder.embed_texts([text for _, text in both]))
            images = unit_rows(_embedded_pictures([ref for ref, _ in both], pictures, embedder))
            cosines = iter((texts * images).sum(axis=1).tolist() if both else [])
            for source_id, position, ref, text in drawn:
                yield ImageFit(source_id, position, next(cosines) if text and _seen([ref], pictures) else None)


def _blocks(spool: Spool) -> Iterator[list[SourceDialogue]]:
    """Yield runs of dialogues with about `BLOCK` texts."""
    block: list[SourceDialogue] = []
    size = 0
    for dialogue in spool:
        if dialogue.source_id not in spool.heads:
            continue
        block.append(dialogue)
        size += len(dialogue.turns) + len(dialogue.images)
        if size >= BLOCK:
            yield block
            block, size = [], 0
    if block:
        yield block


def _turn_texts(dialogue: SourceDialogue) -> list[str]:
    return [turn.text for turn in dialogue.turns if turn.text.strip()]


def _text_of_image(dialogue: SourceDialogue, position: int) -> str:
    """Return what is said where an image is shown: the text of its turn, then its caption."""
    said = [turn.text for turn in dialogue.turns if turn.image == position]
    return "\n".join(text for text in [*said, dialogue.images[position].caption] if text.strip())


def _text_mean_blocks(spool: Spool, embedder: CachedEmbedder, say: Say) -> Iterator[tuple[Vectors, list[bool]]]:
    done = 0
    for dialogues in _blocks(spool):
        texts = [
            _turn_texts(dialogue) + [image.caption for image in dialogue.images if image.caption.strip()]
            for dialogue in dialogues
        ]
        vectors = embedder.embed_texts([text for own in texts for text in own])
        yield _means(unit_rows(vectors), [len(own) for own in texts])
        done += len(dialogues)
        say(done)


def _image_mean_blocks(
    spool: Spool, pictures: PictureBytes, embedder: CachedEmbedder, say: Say
) -> Iterator[tuple[Vectors, list[bool]]]:
    done = 0
    for dialogues in _blocks(spool):
        refs = [[i.ref for i in dialogue.images if _seen([i.ref], pictures)] for dialogue in dialogues]
        vectors = _embedded_pictures([ref for own in refs for ref in own], pictures, embedder)
        yield _means(unit_rows(vectors), [len(own) for own in refs])
        done += len(dialogues)
        say(done)


def _means(unit: Vectors, counts: Sequence[int]) -> tuple[Vectors, list[bool]]:
    """Return the unit mean of each run of rows, zero for a run of none, and which runs have rows."""
    means: Vectors = np.zeros((len(counts), unit.shape[1]), dtype=np.float32)
    start = 0
    for row, count in enumerate(counts):
        if count:
            means[row] = unit[start : start + count].mean(axis=0, dtype=np.float64)
        start += count
    return unit_rows(means), [count > 0 for count in counts]


def _written(blocks: Iterable[tuple[Vectors, list[bool]]], path: Path, n: int) -> tuple[Vectors, npt.NDArray[np.bool_]]:
    """Write blocks of rows to one array on disk; return it, read-only, and which rows mean something.

    A block of rows that all mean nothing may not know how long a row is: rows start as zeros and need no writing.
    """
    filled = np.zeros(n, dtype=np.bool_)
    rows: np.memmap[tuple[int, int], np.dtype[np.float32]] | None = None
    with written_whole(path) as temporary:
        start = 0
        for vectors, mask in blocks:
            if any(mask):
                if rows is None:
                    shape = (n, vectors.shape[1])
                    rows = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.float32, shape=shape)
                rows[start : start + len(mask)] = vectors
                filled[start : start + len(mask)] = mask
            start += len(mask)
        if rows is None:
            with temporary.open("wb") as stream:
                np.save(stream, np.zeros((n, 1), dtype=np.float32))
        else:
            rows.flush()
            del rows
    read: Vectors = np.load(path, mmap_mode="r" if n else None)
    return read, filled


def _seen(refs: Iterable[str], pictures: PictureBytes) -> bool:
    return any(pictures.key(ref).startswith("sha256:") for ref in refs)


def _embedded_pictures(refs: Sequence[str], pictures: PictureBytes, embedder: CachedEmbedder) -> Vectors:
    """Return a row for each picture; only pictures without a vector are opened, `IMAGES_A_BLOCK` at once."""
    by_key = {pictures.key(ref): ref for ref in reversed(refs)}

    def opened(key: str) -> Image.Image:
        return open_stored(pictures.content(by_key[key]))

    keys = [pictures.key(ref) for ref in refs]
    parts = [
        embedder.embed_pictures(keys[start : start + IMAGES_A_BLOCK], opened)
        for start in range(0, len(keys), IMAGES_A_BLOCK)
    ]
    return np.concatenate(parts) if parts else np.zeros((0, 1), dtype=np.float32)
