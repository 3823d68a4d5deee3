"""From read sources to the plan: pictures, clean, duplicates, split, match. Holds ids and vectors, never dialogues."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from mldr.builders.clean import Cleaned, clean
from mldr.builders.duplicates import Duplicates, Marks, find_duplicates, source_marks, with_components
from mldr.builders.embedded import Embedded, embedded_sources
from mldr.builders.match import Match, match
from mldr.builders.pictures import Pictures, normalised, perceptual_hashes
from mldr.builders.plan import PlanRow, plan
from mldr.builders.reading import Prepared
from mldr.builders.recipe import Recipe
from mldr.builders.rulequery import RuleQueries
from mldr.builders.sourcevectors import SourceVectors
from mldr.builders.split import SourceSplit, split_sources
from mldr.builders.spool import SourceHead, Spool
from mldr.builders.triplets import match_nearest
from mldr.components import ties_of_shared
from mldr.errors import Fault, InputError
from mldr.executors import Executor
from mldr.identity import secret_seed
from mldr.progress import Progress
from mldr.versions import shaping_versions


@dataclass(frozen=True, slots=True)
class Planned:
    """A planned build."""

    prepared: Prepared
    pictures: Pictures
    split: SourceSplit
    rows: list[PlanRow]
    noted: Counter[str] = field(default_factory=Counter)
    """What was kept and should be known: what no filter could judge, what was grouped."""


def plan_build(prepared: Prepared, work: Path, executor: Executor, progress: Progress, salt: bytes = b"") -> Planned:
    """Normalise the pictures, clean and split the sources, match them and plan every dialogue.

    Args:
        prepared: the sources; what is left out is added to its counts.
        work: the work folder.
        executor: runs what is done for each picture.
        progress: shows how far it is.
        salt: of a secret build, else empty.

    Raises:
        InputError: with each picture that cannot be used; or if nothing can be matched.
        InterruptedRun: if an embeddings server stopped the run; it can go on.
    """
    recipe = prepared.recipe
    pictures = normalised(prepared.images, work / "images", recipe.images == "optional", executor, progress)
    with embedded_sources(prepared, pictures, work / "embeddings.sqlite", progress) as embedded:
        cleaned = _cleaned(prepared, pictures, embedded)
    heads = {source_id: prepared.spool.heads[source_id] for source_id in cleaned.kept}
    duplicates = _duplicates(prepared, heads, pictures, executor, progress)
    marks = source_marks(heads, pictures.keys(), duplicates)
    ties = ties_of_shared(marks)
    split = split_sources(heads, pictures.keys(), recipe.splits, secret_seed(recipe.seed, salt, "split"), ties)
    prepared.dropped.update(cleaned.dropped)
    prepared.dropped.update(split.dropped)
    progress.start("matching", None)
    vectors = None if embedded is None else embedded.vectors
    matches = _matched(prepared, heads, pictures, split, marks, vectors, secret_seed(recipe.seed, salt, "match"))
    if not matches:
        raise InputError([Fault("sources", _nothing(prepared, heads))])
    rows = plan(matches, heads, split, recipe.queries.negatives, recipe.seed, salt, recipe.stitch.language)
    noted = cleaned.not_judged + duplicates.counts()
    for name in sorted(set(recipe.splits) - {row.split for row in rows}):
        noted[f"splits without a dialogue, too few sources fell to them ({name})"] = 1
    return Planned(prepared, pictures, split, rows, +noted)


def _cleaned(prepared: Prepared, pictures: Pictures, embedded: Embedded | None) -> Cleaned:
    recipe = prepared.recipe
    return clean(
        prepared.spool.heads,
        recipe.clean,
        images=pictures.by_ref,
        image_text=None if embedded is None else embedded.image_text,
        turn_vectors=None if embedded is None else embedded.turn_vectors,
        seed=recipe.seed,
    )


def _duplicates(
    prepared: Prepared, heads: Mapping[str, SourceHead], pictures: Pictures, executor: Executor, progress: Progress
) -> Duplicates:
    settings = prepared.recipe.clean
    hashes = perceptual_hashes(pictures, executor, progress) if settings.near_image_bits else {}
    if settings.near_text:
        progress.start("near-duplicate texts", None)
    return find_duplicates(prepared.spool, heads, hashes, settings)


def _matched(
    prepared: Prepared,
    heads: Mapping[str, SourceHead],
    pictures: Pictures,
    split: SourceSplit,
    marks: Marks,
    vectors: SourceVectors | None,
    seed: int,
) -> Sequence[Match]:
    settings = prepared.recipe.match
    if settings.method == "topics" or vectors is None:
        wanted = settings.neighbours if prepared.recipe.queries.near else 0
        return match(heads, split.split_of, pictures.keys(), seed, prepared.dropped, marks=marks, neighbours=wanted)
    apart = with_components(marks, heads, split.split_of, split.component_of)
    return match_nearest(heads, split.split_of, vectors, apart, settings, seed, prepared.dropped)


def _nothing(prepared: Prepared, heads: Mapping[str, SourceHead]) -> str:
    if not heads:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in sorted(prepared.dropped.items()))
        return f"the filters left none ({reasons}); mend `clean` in the recipe"
    return "no three sources of different topics in one split and language"


def shaping(recipe: Recipe) -> dict[str, str]:
    """Return the versions of what shapes the bytes of a build, the embedder's libraries among them."""
    found = shaping_versions()
    libraries = ["sentence-transformers", "torch"] if recipe.embedder is not None else []
    libraries += ["scikit-learn"] if recipe.clean.coherence is not None else []
    for library in libraries:
        with suppress(PackageNotFoundError):  # an endpoint or a plug-in needs none of them
            found[library] = version(library)
    return found


def rule_queries(spool: Spool, split: SourceSplit) -> dict[str, RuleQueries]:
    """Return `<split>/<language>` -> the term statistics of its sources."""
    rules: dict[str, RuleQueries] = {}
    for dialogue in spool:
        if (name := split.split_of.get(dialogue.source_id)) is not None:
            rules.setdefault(f"{name}/{dialogue.language}", RuleQueries()).add(dialogue)
    return rules
