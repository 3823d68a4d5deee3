"""What cleaning and matching need of the sources' embeddings, made once and kept in the work folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mldr.builders.pictures import Pictures
from mldr.builders.reading import Prepared
from mldr.builders.sourcevectors import SourceVectors
from mldr.builders.spool import Spool
from mldr.builders.vectors import image_fits, source_vectors, turn_vectors
from mldr.embed import CachedEmbedder, Vectors, open_embedder
from mldr.progress import Progress


@dataclass(frozen=True, slots=True)
class Embedded:
    """The embeddings of a build's sources."""

    vectors: SourceVectors
    image_text: Mapping[str, float]
    """image ref -> its cosine to the text of its turn and caption; empty where the recipe sets no floor."""
    spool: Spool
    embedder: CachedEmbedder

    def turn_vectors(self) -> Iterator[tuple[str, Vectors]]:
        """Start a pass over each source and the vectors of its turns that have text, shape (turns, dimensions)."""
        return turn_vectors(self.spool, self.embedder)


@contextmanager
def embedded_sources(
    prepared: Prepared, pictures: Pictures, cache: Path, progress: Progress
) -> Iterator[Embedded | None]:
    """Embed the sources of a build; None where its recipe names no embedder, or no step needs one.

    Passes over the turns are made inside the block; the vectors of the sources stay on disk behind it.

    Args:
        prepared: the sources.
        pictures: their images.
        cache: the file of vectors; what it holds is not embedded again.
        progress: shows how far it is.

    Raises:
        MldrError: if the embedder cannot be had, or sees no images and must.
        InterruptedRun: if its server failed; the run can go on.
    """
    recipe = prepared.recipe
    clean = recipe.clean
    wanted = recipe.match.method == "embeddings" or clean.coherence is not None or clean.image_text_floor is not None
    if recipe.embedder is None or not wanted:
        yield None
        return
    spool = prepared.spool
    progress.start("embedding, sources", len(spool.heads))
    done = 0

    def say(count: int) -> None:
        nonlocal done
        progress.advance(max(0, count - done))
        done = max(done, count)

    with CachedEmbedder(open_embedder(recipe.embedder), cache) as embedder:
        vectors = source_vectors(spool, pictures, embedder, cache.parent / "vectors", say)
        yield Embedded(vectors, _fits(spool, pictures, embedder, clean.image_text_floor), spool, embedder)


def _fits(spool: Spool, pictures: Pictures, embedder: CachedEmbedder, floor: float | None) -> dict[str, float]:
    """Return the lowest cosine of each image, over the turns that show it."""
    found: dict[str, float] = {}
    if floor is None:
        return found
    for fit in image_fits(spool, pictures, embedder):
        if fit.cosine is not None:
            ref = spool.heads[fit.source_id].image_refs[fit.image]
            found[ref] = min(fit.cosine, found.get(ref, fit.cosine))
    return found
