"""What cleaning and matching need of the sources' embeddings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mldr.builders.coherence import TurnVectors
from mldr.builders.neighbours import SourceVectors
from mldr.builders.pictures import Pictures
from mldr.builders.reading import Prepared
from mldr.progress import Progress


@dataclass(frozen=True, slots=True)
class Embedded:
    """The embeddings of a build's sources."""

    vectors: SourceVectors
    image_text: Mapping[str, float]
    """image ref -> its cosine to the text of its turn and caption; none where the embedder sees no images."""
    turn_vectors: TurnVectors


def embedded_sources(prepared: Prepared, pictures: Pictures, work: Path, progress: Progress) -> Embedded | None:
    """Embed the sources of a build; None where its recipe names no embedder."""
    if prepared.recipe.embedder is None:
        return None
    raise NotImplementedError
