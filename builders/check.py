"""What a build would make, before it is made: the check of a recipe, and a preview of a few dialogues."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import repeat
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import BaseModel, ConfigDict

from mldr.builders.context import context_of, material_of
from mldr.builders.drafting import draft_path
from mldr.builders.labels import Labelled
from mldr.builders.models import ModelAccess, ask_models
from mldr.builders.plan import PlanRow
from mldr.builders.planfile import read_rows, row_inputs, slice_path, write_plan
from mldr.builders.planning import Planned, plan_build, rule_queries
from mldr.builders.pricing import StepPrice, price_steps
from mldr.builders.reading import prepare
from mldr.builders.recipe import Recipe
from mldr.builders.writing.draft import read_drafts
from mldr.builders.writing.realise import realise
from mldr.dialogue import Dialogue
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
    noted: dict[str, int]
    """What was kept and should be known: what no filter could judge, what was grouped."""
    models: list[StepPrice]
    """What each step will ask, and its price; empty where no model is asked."""

    def in_words(self) -> str:
        """Return the check as lines for a person."""
        lines = [f"{self.name}: the recipe is good"]
        for title, counts in (
            ("sources", self.sources),
            ("images", self.images),
            ("dialogues", self.dialogues),
            ("left out", self.dropped),
            ("kept, but note", self.noted),
        ):
            if not counts:
                continue
            lines += [f"{title}:", *(f"  {count:>8,}  {what}" for what, count in counts.items())]
        return "\n".join([*lines, *self._prices()])

    def _prices(self) -> list[str]:
        if not self.models:
            return ["models: none is asked, it costs nothing"]
        lines = [
            "models, estimated from a sample, if every first answer holds:",
            *(row.in_words() for row in self.models),
        ]
        priced = [row for row in self.models if row.cost is not None]
        if priced:
            total = sum(row.cost or 0.0 for row in priced)
            unpriced = len(priced) < len(self.models)
            lines.append(f"  in all {total:,.2f} {priced[0].currency}" + (" and what has no price" if unpriced else ""))
        return lines


def check_recipe(recipe: Recipe, folder: Path) -> BuildCheck:
    """Read the sources of a recipe, plan its build in a temporary folder, and price its models; nothing is asked.

    Raises:
        InputError: with every fault of the sources and images.
    """
    with TemporaryDirectory() as work:
        planned = _planned(recipe, folder, Path(work))
        spool, pictures = planned.prepared.spool, planned.pictures
        images = {image.image_key: image.status for image in pictures.all()}
        context = context_of(recipe, rule_queries(spool, planned.split))
        rows = [row_inputs(row, spool, pictures) for row in planned.rows] if recipe.asks_models else []
        return BuildCheck(
            name=f"mldr-ffr-{recipe.name}",
            sources=_counted(f"{head.source_id.partition('/')[0]} {head.language}" for head in spool.heads.values()),
            images=_counted(images.values()),
            dialogues=_counted(f"{row.split} {row.language}" for row in planned.rows),
            dropped=planned.prepared.left_out,
            noted=dict(sorted(planned.noted.items())),
            models=price_steps(recipe, rows, spool.path, context),
        )


def preview_recipe(
    recipe: Recipe, folder: Path, number: int, access: ModelAccess, progress: Progress | None = None
) -> Iterator[str]:
    """Yield the first dialogues of a recipe's plan as text, made to the end: each with its fragments and queries.

    Models are asked as in a build, and the build will find their answers in the store.

    Raises:
        InputError: as `check_recipe`.
        InterruptedRun: if a model cannot be asked now.
    """
    with TemporaryDirectory() as temporary:
        work = Path(temporary)
        planned = _planned(recipe, folder, work)
        spool = planned.prepared.spool
        context = context_of(recipe, rule_queries(spool, planned.split))
        first = sorted(planned.rows, key=lambda row: row.dialogue_id)[:number]
        plan = write_plan(sorted(first, key=lambda row: row.split), spool, planned.pictures, work, {}, {})
        if recipe.asks_models:
            ask_models(plan, work, recipe, context, access, progress or Progress())
        shown = {}
        for unit in plan.units:
            rows = read_rows(slice_path(work, unit))
            drafts = read_drafts(draft_path(work, unit)) if recipe.asks_models else repeat(None, unit.rows)
            for inputs, draft in zip(rows, drafts, strict=True):
                made = realise(material_of(inputs, spool.path), inputs.image_keys, context.of(inputs.row), draft)
                shown[inputs.row.dialogue_id] = _shown(inputs.row, *made)
        yield from (text for _, text in sorted(shown.items()))


def _shown(row: PlanRow, dialogue: Dialogue | None, labelled: Labelled) -> str:
    lines = [f"# {row.dialogue_id} ({row.split}, {row.language}): {', '.join(row.source_ids)}"]
    lines.append("dropped" if dialogue is None else render(dialogue, "captions"))
    for query, gold in zip(labelled.queries, labelled.gold, strict=True):
        ids = f"utterances {list(gold.utterance_ids)}, images {list(gold.image_ids)}"
        kind = gold.kind if gold.kind != "negative" else f"negative, {gold.negative_type}"
        lines.append(f"? {query.text}  [{kind}, {gold.level}, {gold.label_source}] {ids}")
    lines += [f"({count} x {reason})" for reason, count in sorted(labelled.counts.items())]
    return "\n".join(printable(line, 10_000) for line in "\n".join(lines).split("\n")) + "\n"


def _planned(recipe: Recipe, folder: Path, work: Path) -> Planned:
    return plan_build(prepare(recipe, folder, work), work, LocalExecutor(), Progress())


def _counted(values: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(values).items()))
