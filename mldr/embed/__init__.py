"""Texts and pictures as vectors: the protocol of an embedder, the ones that come with mldr, and a cache for any of them."""

from __future__ import annotations

from mldr.embed.cache import CachedEmbedder
from mldr.embed.opening import open_embedder
from mldr.embed.protocol import Embedder, EmbedderSpec, Vectors, unit_rows

__all__ = [
    "CachedEmbedder",
    "Embedder",
    "EmbedderSpec",
    "Vectors",
    "open_embedder",
    "unit_rows",
]
