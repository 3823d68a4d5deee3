"""From read sources to the plan: pictures, clean, split, match. Holds ids and vectors, never dialogues."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mldr.builders.match import match
from mldr.builders.pictures import Pictures, normalised
from mldr.builders.plan import PlanRow, plan
from mldr.builders.reading import Prepared
from mldr.builders.recipe import Recipe
from mldr.builders.rulequery import RuleQueries
from mldr.builders.split import SourceSplit, split_sources
from mldr.builders.spool import Spool
from mldr.errors import Fault, InputError
from mldr.executors import Executor
from mldr.progress import Progress
from mldr.versions import shaping_versions


@dataclass(frozen=True, slots=True)
class Planned:
    """A planned build."""

    prepared: Prepared
    pictures: Pictures
    split: SourceSplit
    rows: list[PlanRow]


def plan_build(prepared: Prepared, work: Path, executor: Executor, progress: Progress, salt: bytes = b"") -> Planned:
    """Normalise the pictures, split the sources, match them and plan every dialogue.

    Raises:
        InputError: with each picture that cannot be used; or if nothing can be matched.
    """
    recipe, heads = prepared.recipe, prepared.spool.heads
    pictures = normalised(prepared.images, work / "images", recipe.images == "optional", executor, progress)
    split = split_sources(heads, pictures.keys(), recipe.splits, recipe.seed)
    prepared.dropped.update(split.dropped)
    matches = match(heads, split.split_of, pictures.keys(), recipe.seed, prepared.dropped)
    if not matches:
        raise InputError([Fault("sources", "no three sources of different topics in one split and language")])
    rows = plan(matches, heads, split, recipe.queries.negatives, recipe.seed, salt, recipe.stitch.language)
    return Planned(prepared, pictures, split, rows)


def shaping(recipe: Recipe) -> dict[str, str]:
    """Return the versions of what shapes the bytes of a build."""
    return shaping_versions()


def rule_queries(spool: Spool, split: SourceSplit) -> dict[str, RuleQueries]:
    """Return `<split>/<language>` -> the term statistics of its sources."""
    rules: dict[str, RuleQueries] = {}
    for dialogue in spool:
        if (name := split.split_of.get(dialogue.source_id)) is not None:
            rules.setdefault(f"{name}/{dialogue.language}", RuleQueries()).add(dialogue)
    return rules
