"""What a build would make, before it is made: the check of a recipe, and a preview of a few dialogues."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import BaseModel, ConfigDict

from mldr.builders.planfile import row_inputs
from mldr.builders.planning import Planned, plan_build, rule_queries
from mldr.builders.reading import prepare
from mldr.builders.recipe import Recipe
from mldr.builders.units import Context, make_one
from mldr.errors import printable
from mldr.executors import LocalExecutor
from mldr.markup import render
from mldr.progress import Progress


class BuildCheck(BaseModel):
    """What a recipe would make."""

    model_config = ConfigDict(extra="forbid")

    name: str
    sources: dict[str, int]
    """source and language -> dialogues."""
    images: dict[str, int]
    """status -> distinct images."""
    dialogues: dict[str, int]
    """split and language -> dialogues that would be stitched."""
    dropped: dict[str, int]
    """reason -> records left out."""
    model_calls: int
    """Calls of a language model that the build would pay for."""

    def in_words(self) -> str:
        """Return the check as lines for a person."""
        lines = [f"{self.name}: the recipe is good"]
        for title, counts in (
            ("sources", self.sources),
            ("images", self.images),
            ("dialogues", self.dialogues),
            ("left out", self.dropped),
        ):
            lines += [f"{title}:", *(f"  {count:>8,}  {what}" for what, count in counts.items())]
        return "\n".join([*lines, f"calls of a language model: {self.model_calls} (costs nothing)"])


def check_recipe(recipe: Recipe, folder: Path) -> BuildCheck:
    """Read the sources of a recipe and plan its build, in a temporary folder.

    Raises:
        InputError: with every fault of the sources and images.
    """
    with TemporaryDirectory() as work:
        planned = _planned(recipe, folder, Path(work))
        heads = planned.prepared.spool.heads
        images = {image.image_key: image.status for image in planned.pictures.all()}
        dropped = planned.prepared.dropped + planned.prepared.reading.counts
        return BuildCheck(
            name=f"mldr-ffr-{recipe.name}",
            sources=_counted(f"{head.source_id.partition('/')[0]} {head.language}" for head in heads.values()),
            images=_counted(images.values()),
            dialogues=_counted(f"{row.split} {row.language}" for row in planned.rows),
            dropped=dict(sorted(dropped.items())),
            model_calls=0,
        )


def preview_recipe(recipe: Recipe, folder: Path, number: int) -> Iterator[str]:
    """Yield the first dialogues of a recipe's plan as text: each with its fragments and queries.

    Raises:
        InputError: as `check_recipe`.
    """
    with TemporaryDirectory() as work:
        planned = _planned(recipe, folder, Path(work))
        spool = planned.prepared.spool
        context = Context(recipe.seed, recipe.queries.negatives, rule_queries(spool, planned.split))
        for row in sorted(planned.rows, key=lambda row: row.dialogue_id)[:number]:
            dialogue, labelled = make_one(row_inputs(row, spool, planned.pictures), spool.path, context)
            lines = [f"# {dialogue.dialogue_id} ({row.split}, {row.language}): {', '.join(row.source_ids)}"]
            lines.append(render(dialogue, "captions"))
            for query, gold in zip(labelled.queries, labelled.gold, strict=True):
                ids = f"utterances {list(gold.utterance_ids)}, images {list(gold.image_ids)}"
                lines.append(f"? {query.text}  [{gold.kind}, {gold.level}] {ids}")
            yield "\n".join(printable(line, 10_000) for line in "\n".join(lines).split("\n")) + "\n"


def _planned(recipe: Recipe, folder: Path, work: Path) -> Planned:
    return plan_build(prepare(recipe, folder, work), work, LocalExecutor(), Progress())


def _counted(items: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(items).items()))
