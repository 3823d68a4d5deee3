"""The papers' topic coherence filter (IJCV B.1): clusters of turn embeddings, and how much of a dialogue lies in one of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np

from mldr.builders.filtered import Filtered
from mldr.builders.settings import CoherenceSettings
from mldr.builders.spool import SourceHead
from mldr.embed import Vectors, unit_rows
from mldr.errors import Faults, MissingExtra
from mldr.files import sha256_text

TurnPass = Callable[[], Iterable[tuple[str, Vectors]]]
"""Starts a pass over (source id, embeddings of its turns, shape (turns, dimensions)). A zero row is a turn without text."""
SAMPLE = 20_000
"""Turns of a language that the clusters are fitted to; all turns are then put into them."""
_STARTS = 4
_ROUNDS = 100


def incoherent(
    heads: Mapping[str, SourceHead], turn_vectors: TurnPass, settings: CoherenceSettings, seed: int
) -> Filtered:
    """Drop sources of which too small a share of the turns lies in their commonest cluster.

    For each language, k-means is fitted to the turns of a seeded sample of sources, and a second pass puts every turn into
    the nearest cluster. The order of the stream makes no difference; one thread, so the clusters are the same everywhere.

    Args:
        heads: source_id -> head; of others the stream's vectors are passed over.
        turn_vectors: starts a pass; called twice.
        settings: k and the floor. k is at most the number of different turns.
        seed: of the sample and of the first centres.

    Raises:
        InputError: with each source whose vectors hold NaN or infinity, or are of another dimension.
        MissingExtra: if scikit-learn is absent.
    """
    chosen = _sample(heads, seed)
    rows: dict[str, dict[str, Vectors]] = defaultdict(dict)
    for source_id, vectors in _checked(heads, turn_vectors()):
        if source_id in chosen:
            rows[heads[source_id].language][source_id] = vectors
    centres = {
        language: _centres(np.concatenate([own[source_id] for source_id in sorted(own)]), settings.clusters, seed)
        for language, own in sorted(rows.items())
    }
    del rows
    found, seen = Filtered(), set()
    reason = f"sources that stray from one topic (under {settings.floor:.0%} of the turns in one cluster)"
    for source_id, vectors in _checked(heads, turn_vectors()):
        seen.add(source_id)
        own = centres.get(heads[source_id].language, vectors[:0])
        if len(vectors) and len(own):
            if _share(vectors, own) < settings.floor:
                found.dropped[source_id] = reason
        else:
            found.not_judged["sources whose turns have no embedding"] += 1
    if missing := len(heads) - len(seen):
        found.not_judged["sources whose turns have no embedding"] += missing
    return found


def _sample(heads: Mapping[str, SourceHead], seed: int) -> set[str]:
    """Return sources, drawn by a seeded hash, with about `SAMPLE` turns of each language."""
    turns: dict[str, int] = defaultdict(int)
    chosen = set()
    for source_id in sorted(heads, key=lambda s: sha256_text(f"{seed}/coherence/{s}")):
        head = heads[source_id]
        if turns[head.language] < SAMPLE:
            turns[head.language] += head.n_turns
            chosen.add(source_id)
    return chosen


def _checked(heads: Mapping[str, SourceHead], stream: Iterable[tuple[str, Vectors]]) -> Iterator[tuple[str, Vectors]]:
    """Yield the vectors of known sources as unit rows, without those of turns that have no text."""
    faults = Faults()
    dimensions, seen = 0, set()
    for source_id, vectors in stream:
        if source_id not in heads:
            continue
        if source_id in seen:
            faults.add(f"source {source_id}", "its turn embeddings come twice; one block holds all of a source")
        elif vectors.ndim != 2 or (dimensions and vectors.shape[1] != dimensions):
            faults.add(f"source {source_id}", f"its turn embeddings have shape {vectors.shape}, unlike the others'")
        elif not np.isfinite(vectors).all():
            faults.add(f"source {source_id}", "an embedding of its turns holds NaN or infinity")
        else:
            seen.add(source_id)
            dimensions = vectors.shape[1]
            unit = unit_rows(np.asarray(vectors, dtype=np.float32))
            yield source_id, unit[np.any(unit != 0, axis=1)]
    faults.check()


def _centres(turns: Vectors, k: int, seed: int) -> Vectors:
    """Return the centres of at most k clusters, shape (clusters, dimensions)."""
    try:
        from sklearn.cluster import KMeans
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # comes with scikit-learn
    except ImportError as error:
        raise MissingExtra("clean.coherence", "embed") from error
    clusters = min(k, len(np.unique(turns, axis=0)))
    if not clusters:
        return turns[:0]
    with threadpool_limits(1):  # sums in another order would move the centres
        fitted = KMeans(clusters, n_init=_STARTS, max_iter=_ROUNDS, random_state=seed % 2**32).fit(turns)
    centres: Vectors = fitted.cluster_centers_.astype(np.float32)
    return centres


def _share(turns: Vectors, centres: Vectors) -> float:
    """Return the share of the turns that lies nearest to the same centre as the most others."""
    distances = (centres * centres).sum(axis=1) - 2 * np.einsum("td,cd->tc", turns, centres)
    return float(np.bincount(distances.argmin(axis=1)).max()) / len(turns)
