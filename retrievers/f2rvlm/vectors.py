"""The vectors that order consistency compares: of every utterance and image of a split, made once, kept by content."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from mldr.embed import CachedEmbedder, Vectors, unit_rows
from mldr.errors import Faults, MldrError, fault
from mldr.images import ImageError, open_stored
from mldr.markup import Sees

if TYPE_CHECKING:
    from PIL import Image

    from mldr.dataset import Dataset
    from mldr.dialogue import Dialogue, StoredImage

DIALOGUES_A_BLOCK = 256
PICTURES_A_BLOCK = 64


@dataclass(frozen=True, slots=True, eq=False)
class DialogueVectors:
    """The vectors of one dialogue, in one text-image space; rows of length 1.

    Raises:
        MldrError: at once, if shapes do not fit one another or a vector is missing.
    """

    utterances: Vectors
    """float32 (n_utterances, d); a row of NaN for an utterance without text."""
    images: Vectors
    """float32 (n_images, d)."""
    carriers: npt.NDArray[np.int64]
    """(n_images,): the utterance that carries each image, ascending."""

    def __post_init__(self) -> None:
        shapes = f"utterances {self.utterances.shape}, images {self.images.shape}, carriers {self.carriers.shape}"
        if self.utterances.ndim != 2 or self.images.shape != (len(self.carriers), self.dimensions):
            raise MldrError(f"vectors of a dialogue do not fit one another: {shapes}")
        known = np.isfinite(self.utterances)
        if (known.any(axis=1) != known.all(axis=1)).any() or not np.isfinite(self.images).all():
            raise MldrError("a vector of a dialogue holds a value that is no finite number; build the table anew")
        for rows in (self.utterances[known.all(axis=1)], self.images):
            norms = np.linalg.norm(rows, axis=1)
            if ((np.abs(norms - 1) > 1e-3) & (norms > 0)).any():  # a zero row is a vector of which nothing is known
                raise MldrError("a vector of a dialogue is not of length 1; scale it with mldr.embed.unit_rows")
        inside = ((self.carriers >= 0) & (self.carriers < self.n_utterances)).all()
        if not inside or (np.diff(self.carriers) < 0).any():
            raise MldrError(f"carriers {self.carriers.tolist()} are no ascending utterance ids of the dialogue")

    @property
    def dimensions(self) -> int:
        """The length d of a vector."""
        return int(self.utterances.shape[1])

    @property
    def n_utterances(self) -> int:
        """The number of utterances, textless ones included."""
        return len(self.utterances)

    @property
    def n_images(self) -> int:
        """The number of images."""
        return len(self.images)

    @property
    def with_text(self) -> frozenset[int]:
        """The ids of the utterances that have text, so a vector."""
        return frozenset(np.flatnonzero(~np.isnan(self.utterances[:, :1]).any(axis=1)).tolist())


class VectorTable:
    """dialogue_id -> its vectors. In memory: 4 bytes x d for each utterance and image of the split.

    Args:
        rows: the vectors of each dialogue.
    """

    def __init__(self, rows: Mapping[str, DialogueVectors]) -> None:
        self._rows = dict(rows)

    @classmethod
    def build(cls, dataset: Dataset, split: str, embedder: CachedEmbedder, sees: Sees) -> VectorTable:
        """Embed the utterances and images of a split; what the cache holds already is not asked for again.

        Args:
            dataset: holds the split.
            split: the one that rewards are computed on.
            embedder: of texts and, for `pixels`, pictures, in one space; its cache is by content.
            sees: what stands for an image: its `pixels` or its `captions`; with `text`, no dialogue may carry one.

        Raises:
            InputError: with every image that has no vector: no bytes, a corrupt picture, no caption.
            MldrError: if the embedder sees no images and must, or returns what is no vector.
        """
        if sees == "pixels" and not embedder.sees_images:
            raise MldrError(f"embedder {embedder.identity}: sees no images; choose one that does, or sees: captions")
        _check_images(dataset, split, sees)
        pictures = _picture_vectors(dataset, split, embedder) if sees == "pixels" else {}
        rows: dict[str, DialogueVectors] = {}
        dialogues = dataset.dialogues(split)
        while block := list(islice(dialogues, DIALOGUES_A_BLOCK)):
            texts = _texts(block, embedder, captions=sees == "captions")
            rows |= {one.dialogue_id: _vectors(one, texts, pictures) for one in block}
        return cls(rows)

    def of(self, dialogue_id: str) -> DialogueVectors:
        """Return the vectors of a dialogue.

        Raises:
            MldrError: if the table does not have it.
        """
        try:
            return self._rows[dialogue_id]
        except KeyError:
            raise MldrError(
                f"dialogue {dialogue_id!r} has no vectors; build the table from the split it is in"
            ) from None

    def __len__(self) -> int:
        return len(self._rows)


def _check_images(dataset: Dataset, split: str, sees: Sees) -> None:
    """Say of every image that will have no vector, before anything is embedded."""
    faults = Faults()
    stored = _stored(dataset, split) if sees == "pixels" else frozenset()
    for dialogue in dataset.dialogues(split):
        for number, image in enumerate(dialogue.images):
            place = f"{dataset.folder}, dialogue {dialogue.dialogue_id}, image {number}"
            if sees == "text":
                faults.add(place, "has no vector where only text is seen; take captions or pixels for the order reward")
            elif sees == "captions" and not image.caption:
                faults.add(place, "has no caption, so no vector; take pixels, or leave the dialogue out")
            elif sees == "pixels" and image.image_key not in stored:
                faults.add(place, "has no stored bytes, so no vector; hydrate the dataset, or take captions")
    faults.check()


def _stored(dataset: Dataset, split: str) -> frozenset[str]:
    """Return the keys of the images that have bytes, without reading the bytes."""
    table = dataset.arrow("images", split, ["image_key", "status"])
    keys, statuses = (table.column(name).to_pylist() for name in ("image_key", "status"))
    return frozenset(key for key, status in zip(keys, statuses, strict=True) if status == "present")


def _picture_vectors(dataset: Dataset, split: str, embedder: CachedEmbedder) -> dict[str, Vectors]:
    """Return image key -> unit vector of the pictures of a split, some at a time in memory."""
    found: dict[str, Vectors] = {}
    images = (one for one in dataset.images(split) if one.content is not None)
    while block := {one.image_key: one for one in islice(images, PICTURES_A_BLOCK)}:
        opened = partial(_opened, dataset, block)
        rows = unit_rows(embedder.embed_pictures(list(block), opened))
        found |= dict(zip(block, rows, strict=True))
    return found


def _opened(dataset: Dataset, held: Mapping[str, StoredImage], key: str) -> Image.Image:
    try:
        return open_stored(held[key].content or b"")
    except ImageError as error:
        raise fault(f"{dataset.folder}, image {key}", f"cannot be decoded, so has no vector ({error})") from error


def _texts(dialogues: Sequence[Dialogue], embedder: CachedEmbedder, *, captions: bool) -> dict[str, Vectors]:
    """Return text -> unit vector of the texts of some dialogues, in the order in which they come."""
    distinct = list(dict.fromkeys(text for one in dialogues for text in _embedded_texts(one, captions)))
    rows = unit_rows(embedder.embed_texts(distinct))
    return dict(zip(distinct, rows, strict=True))


def _embedded_texts(dialogue: Dialogue, captions: bool) -> Iterator[str]:
    yield from (utterance.text for utterance in dialogue.utterances if utterance.text)
    if captions:
        yield from (image.caption for image in dialogue.images)


def _vectors(dialogue: Dialogue, texts: Mapping[str, Vectors], pictures: Mapping[str, Vectors]) -> DialogueVectors:
    width = next((len(row) for row in (*texts.values(), *pictures.values())), 1)
    utterances = np.full((dialogue.n_utterances, width), np.nan, dtype=np.float32)
    for position, utterance in enumerate(dialogue.utterances):
        if utterance.text:
            utterances[position] = texts[utterance.text]
    images = np.zeros((dialogue.n_images, width), dtype=np.float32)
    for number, image in enumerate(dialogue.images):
        images[number] = pictures[image.image_key] if pictures else texts[image.caption]
    carriers = np.zeros(dialogue.n_images, dtype=np.int64)
    for position, utterance in enumerate(dialogue.utterances):
        carriers[list(utterance.image_ids)] = position
    return DialogueVectors(utterances, images, carriers)
