"""The command `mldr`: composes the commands of the packages, each imported only when it is used."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mldr.annotation.cli import app as annotate_app
from mldr.builders.cli import app as build_app
from mldr.console import application, run, say, show_text
from mldr.dataset_cli import app as dataset_app
from mldr.retrievers.cli import retrieve
from mldr.retrievers.harness.cli import app as harness_app

app = application(
    "Build, annotate, answer, score and rank long multimodal dialogues (Fine-grained Fragment Retrieval)."
)
app.add_typer(build_app, name="build")
app.add_typer(annotate_app, name="annotate")
app.add_typer(dataset_app, name="dataset")
app.command("retrieve")(retrieve)
app.add_typer(harness_app, name="harness")


def _version(wanted: bool) -> None:
    if wanted:
        from mldr.version import __version__

        show_text(__version__)
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Build, annotate, answer, score and rank long multimodal dialogues (Fine-grained Fragment Retrieval)."""


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="The folder for everything that the demo makes.")] = Path("demo"),
    force: Annotated[bool, typer.Option("--force", help="Replace what an earlier demo left there.")] = False,
) -> None:
    """The whole way on the bundled demo: build, answer, score, report."""
    from mldr.demo import run_demo

    run_demo(out, force=force, say=say)


def main() -> None:
    """Run the command line."""
    run(app)
