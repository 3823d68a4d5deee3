"""`mldr build`: check, preview, create. No logic; see `pipeline.py`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mldr.console import application, show_json, show_text

if TYPE_CHECKING:
    from mldr.builders.recipe import Recipe

app = application("Build a dataset from a recipe: check what it would do, preview a few dialogues, create it.")

RecipePath = Annotated[Path, typer.Argument(help="A recipe (YAML), or the word demo for the bundled one.")]


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
) -> None:
    """Stitch a few dialogues and show them with their queries. Writes nothing."""
    from mldr.builders.check import preview_recipe

    for text in preview_recipe(*_loaded(recipe), number):
        show_text(text)


@app.command()
def create(
    recipe: RecipePath,
    out: Annotated[Path, typer.Option(help="The dataset's folder.")],
    workers: Annotated[int, typer.Option(help="Processes; the bytes are the same for any number.", min=1)] = 1,
    force: Annotated[bool, typer.Option("--force", help="Replace what stands at OUT.")] = False,
) -> None:
    """Build the dataset. A build that was interrupted goes on; a finished one is left as it is."""
    from mldr.builders.pipeline import create as build
    from mldr.progress import shown_progress

    loaded, folder = _loaded(recipe)
    with shown_progress() as progress:
        built = build(loaded, folder, out, workers=workers, force=force, progress=progress)
    show_text(str(built))


def _loaded(path: Path) -> tuple[Recipe, Path]:
    from mldr.builders.recipe import load_recipe
    from mldr.builders.sources.demo import DEMO_FOLDER

    if str(path) == "demo" and not path.exists():
        path = DEMO_FOLDER / "recipe.yaml"
    return load_recipe(path), path.parent
