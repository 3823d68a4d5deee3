"""An embedder that asks another one only for what is not on disk yet."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np

from mldr.embed.protocol import Embedder, Vectors
from mldr.embed.store import VectorStore
from mldr.errors import MldrError, printable

if TYPE_CHECKING:
    from PIL import Image

BLOCK = 64


class CachedEmbedder:
    """Keeps the vectors of an embedder by its identity and the hash of each text or picture.

    What is missing is asked for in blocks, in the order in which it comes, and stored after each. So a run that was killed goes
    on with the same blocks that it would have had, and no answer is asked for twice. Memory: the vectors of one call.

    Args:
        embedder: makes what is missing.
        path: of the SQLite file.

    Attributes:
        made: how many vectors were made, not found.
    """

    def __init__(self, embedder: Embedder, path: Path) -> None:
        self._embedder = embedder
        self._block = max(1, int(getattr(embedder, "block", BLOCK)))
        self._store = VectorStore(path, embedder.identity)
        self.made = 0

    @property
    def identity(self) -> str:
        """Of the embedder."""
        return self._embedder.identity

    @property
    def sees_images(self) -> bool:
        """Whether the embedder does."""
        return self._embedder.sees_images

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """Return a float32 row for each text, shape (texts, dimensions); equal texts are asked for once."""
        keys = [_key("text", text.encode("utf-8")) for text in texts]
        return self._rows(keys, lambda missing: self._embedder.embed_texts([texts[i] for i in missing]))

    def embed_images(self, images: Sequence[Image.Image]) -> Vectors:
        """Return a float32 row for each image, shape (images, dimensions), kept by its pixels."""
        keys = [
            _key("pixels", f"{image.mode} {image.width} {image.height}".encode(), image.tobytes()) for image in images
        ]
        return self._rows(keys, lambda missing: self._embedder.embed_images([images[i] for i in missing]))

    def embed_pictures(self, names: Sequence[str], opened: Callable[[str], Image.Image]) -> Vectors:
        """Return a float32 row for each picture, which is decoded only where its vector is missing.

        Args:
            names: what tells pictures apart for ever, such as the hash of their bytes.
            opened: decodes the picture of a name.
        """
        keys = [_key("picture", name.encode("utf-8")) for name in names]
        return self._rows(keys, lambda missing: self._embedder.embed_images([opened(names[i]) for i in missing]))

    def close(self) -> None:
        """Close the file."""
        self._store.close()

    def __enter__(self) -> CachedEmbedder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _rows(self, keys: Sequence[bytes], make: Callable[[list[int]], Vectors]) -> Vectors:
        positions: dict[bytes, int] = {}
        for position, key in enumerate(keys):
            positions.setdefault(key, position)
        found = self._store.get(list(positions))
        missing = [key for key in positions if key not in found]
        for start in range(0, len(missing), self._block):
            drawn = missing[start : start + self._block]
            vectors = self._checked(make([positions[key] for key in drawn]), len(drawn))
            made = dict(zip(drawn, vectors, strict=True))
            self._store.put(made)
            self.made += len(made)
            found.update(made)
        if not keys:
            return np.zeros((0, self._store.dimensions), dtype=np.float32)
        return np.stack([found[key] for key in keys])

    def _checked(self, vectors: Vectors, count: int) -> Vectors:
        """Refuse what is no vector: a plug-in may return anything, and a NaN would spoil every comparison."""
        made: Vectors = np.asarray(vectors, dtype=np.float32)
        if made.ndim != 2 or len(made) != count or not made.shape[1]:
            raise MldrError(f"embedder {printable(self.identity)}: returned shape {made.shape} for {count} elements")
        if not np.isfinite(made).all():
            raise MldrError(f"embedder {printable(self.identity)}: returned a value that is no finite number")
        return made


def _key(kind: str, *parts: bytes) -> bytes:
    digest = hashlib.sha256(kind.encode())
    for part in parts:
        digest.update(b"\0" + part)
    return digest.digest()
