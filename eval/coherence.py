"""Fragment order consistency and query-fragment similarity, as the papers report them for their own protocol (AAAI Table 3).

Which embedder the papers used is not known, so a figure means something only beside the name of the one that was given.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict

from mldr.embed import Embedder, Vectors, unit_rows
from mldr.eval.published import Sample

if TYPE_CHECKING:
    from PIL import Image

_QUERY = re.compile(r"<\|query_start\|>(.*?)<\|query_end\|>", re.DOTALL)
_LINE = re.compile(r"<\|utt_id_start\|>(\d{1,9})<\|utt_id_end\|>\s*[^:：]*[:：]?(.*)")
_IMAGE = re.compile(r"<\|img_id_start\|>(\d{1,9})<\|img_id_end\|>(?:<image>)?")


class Coherence(BaseModel):
    """The two figures, times 100 as in the papers, averaged over samples."""

    model_config = ConfigDict(extra="forbid")

    order_consistency: float
    query_similarity: float
    n_samples: int
    n_empty: int
    """Samples without a retrieved element: 0 in both figures."""


def coherence(samples: Sequence[Sample], embedder: Embedder, open_image: Callable[[str], Image.Image]) -> Coherence:
    """Return the two figures of some answers.

    Order consistency: retrieved utterances and images in dialogue order, several images of one utterance averaged, mean
    cosine of neighbours; 0.5 for a single element (AAAI eq. 3). Query similarity: mean cosine of the query to each element.

    Args:
        samples: of an inference file.
        embedder: embeds texts and images into one space.
        open_image: opens a path of the sample.
    """
    orders, similarities, empty = [], [], 0
    for sample in samples:
        vectors = _retrieved(sample, embedder, open_image)
        if not len(vectors):
            empty += 1
            orders.append(0.0)
            similarities.append(0.0)
            continue
        orders.append(order_consistency(vectors))
        query = _QUERY.search(sample.prompt)
        similarities.append(query_similarity(embedder.embed_texts([query[1] if query else ""])[0], vectors))
    return Coherence(
        order_consistency=100 * float(np.mean(orders)) if orders else 0.0,
        query_similarity=100 * float(np.mean(similarities)) if similarities else 0.0,
        n_samples=len(samples),
        n_empty=empty,
    )


def order_consistency(vectors: Vectors) -> float:
    """Return the mean cosine of neighbouring rows; 0.5 for fewer than two."""
    unit = unit_rows(vectors)
    return float((unit[1:] * unit[:-1]).sum(axis=1).mean()) if len(unit) > 1 else 0.5


def query_similarity(query: Vectors, vectors: Vectors) -> float:
    """Return the mean cosine of a query's vector with each row."""
    return float((unit_rows(vectors) @ unit_rows(query[None, :])[0]).mean())


def _retrieved(sample: Sample, embedder: Embedder, open_image: Callable[[str], Image.Image]) -> Vectors:
    """Return the vectors of what was retrieved, in dialogue order: an utterance's text, then the mean of its images."""
    utterances, images = _ids(sample.answer["utt"]), _ids(sample.answer["img"])
    rows: list[Vectors] = []
    for line in sample.prompt.split("\n"):
        match = _LINE.search(line)
        if match is None:
            continue
        if int(match[1]) in utterances:
            rows.append(embedder.embed_texts([_IMAGE.sub("", match[2]).strip()])[0])
        carried = [int(image) for image in _IMAGE.findall(line)]
        pictures = [open_image(sample.image_paths[i]) for i in carried if i in images and i < len(sample.image_paths)]
        if pictures:
            rows.append(unit_rows(embedder.embed_images(pictures)).mean(axis=0))
    return np.stack(rows).astype(np.float32) if rows else np.zeros((0, 1), dtype=np.float32)


def _ids(found: object) -> set[int]:
    return {identifier for identifier in found if type(identifier) is int} if isinstance(found, list) else set()
