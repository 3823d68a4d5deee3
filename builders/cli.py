"""`mldr build`: check, preview, create. No logic; see `pipeline.py`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mldr.console import application, show_json, show_text

if TYPE_CHECKING:
    from mldr.builders.recipe import Recipe

app = application("Build a dataset from a recipe: check what it would do, preview a few dialogues, create it.")


class Executors(StrEnum):
    """Where steps without a model run."""

    local = "local"
    ray = "ray"


RecipePath = Annotated[Path, typer.Argument(help="A recipe (YAML), or the word demo for the bundled one.")]

Offline = Annotated[bool, typer.Option("--offline", help="Ask no language model; take the kept answers.")]
Budget = Annotated[float | None, typer.Option(help="What may be spent, in the currency of the prices.", min=0)]


@app.command()
def check(recipe: RecipePath, json: Annotated[bool, typer.Option("--json", help="For machines.")] = False) -> None:
    """Validate a recipe and its sources, and say what a build would make and cost. Writes nothing."""
    from mldr.builders.check import check_recipe

    report = check_recipe(*_loaded(recipe))
    if json:
        show_json(report.model_dump())
    else:
        show_text(report.in_words())


@app.command()
def preview(
    recipe: RecipePath,
    number: Annotated[int, typer.Option("-n", help="How many dialogues to show.", min=1)] = 3,
    responses: Annotated[
        Path | None, typer.Option(help="Where models' answers are kept; give `create` the same.")
    ] = None,
    offline: Offline = False,
    budget: Budget = None,
) -> None:
    """Make a few dialogues to the end and show them with their queries. Writes no dataset."""
    from mldr.builders.check import preview_recipe
    from mldr.builders.models import ModelAccess
    from mldr.progress import shown_progress

    loaded, folder = _loaded(recipe)
    store = responses or Path(f"{loaded.name}.preview.responses.sqlite")
    with shown_progress() as progress:
        texts = list(preview_recipe(loaded, folder, number, ModelAccess(store, offline, budget), progress))
    for text in texts:
        show_text(text)


@app.command()
def create(
    recipe: RecipePath,
    out: Annotated[Path, typer.Option(help="The dataset's folder.")],
    workers: Annotated[int, typer.Option(help="Processes; the bytes are the same for any number.", min=1)] = 1,
    executor: Annotated[Executors, typer.Option(help="Where steps without a model run.")] = Executors.local,
    ray_address: Annotated[
        str, typer.Option(help="Of a Ray cluster: all of it where --workers is 1; left out: Ray starts here.")
    ] = "",
    depot: Annotated[
        str,
        typer.Option(
            help="With ray: a folder or fsspec URL that all its machines reach; left out: they share this disk."
        ),
    ] = "",
    responses: Annotated[
        Path | None, typer.Option(help="Where models' answers are kept; left out: OUT.responses.sqlite.")
    ] = None,
    offline: Offline = False,
    budget: Budget = None,
    force: Annotated[bool, typer.Option("--force", help="Replace what stands at OUT.")] = False,
) -> None:
    """Build the dataset. A build that was interrupted goes on; a finished one is left as it is."""
    from mldr.builders.pipeline import create as build
    from mldr.executors import open_executor
    from mldr.progress import shown_progress

    loaded, folder = _loaded(recipe)
    with shown_progress() as progress, open_executor(executor.value, workers, ray_address, depot) as chosen:
        built = build(
            loaded,
            folder,
            out,
            executor=chosen,
            responses=responses,
            offline=offline,
            budget=budget,
            force=force,
            progress=progress,
        )
    show_text(str(built))


def _loaded(path: Path) -> tuple[Recipe, Path]:
    from mldr.builders.recipe import load_recipe
    from mldr.builders.sources.demo import DEMO_FOLDER

    if str(path) == "demo" and not path.exists():
        path = DEMO_FOLDER / "recipe.yaml"
    return load_recipe(path), path.parent
