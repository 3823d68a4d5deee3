"""`mldr annotate label-studio`: files out and in, for teams that have it. No logic."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mldr.console import application, show_text

app = application("Label Studio files, for teams that have it.")

CollectionPath = Annotated[Path, typer.Argument(metavar="COLLECTION", help="A folder of de-identified dialogues.")]


@app.command("out")
def out_(
    collection: CollectionPath,
    out: Annotated[Path, typer.Option(help="The folder for the configuration and the tasks.")],
    annotators: Annotated[str, typer.Option(help="Whose labels go along, with commas.", show_default="none")] = "",
    force: Annotated[bool, typer.Option("--force", help="Replace what stands there.")] = False,
) -> None:
    """Write a labelling configuration and a task for each dialogue."""
    from mldr.annotation.collection import open_collection
    from mldr.annotation.labelstudio import write_tasks

    names = [name.strip() for name in annotators.split(",") if name.strip()]
    tasks = write_tasks(open_collection(collection), out, names, force=force)
    show_text(f"{out}: {tasks:,} tasks")


@app.command("in")
def in_(
    collection: CollectionPath,
    export: Annotated[Path, typer.Argument(help="What Label Studio exported as JSON.")],
    who: Annotated[
        list[str] | None,
        typer.Option(help="Who somebody there is here: NUMBER=NAME or E-MAIL=NAME; may stand several times."),
    ] = None,
) -> None:
    """Append what people labelled there to their logs here."""
    from mldr.annotation.collection import open_collection
    from mldr.annotation.labelstudio_in import read_annotations

    known = dict(one.split("=", 1) for one in who or () if "=" in one)
    if len(known) < len(who or ()):
        raise typer.BadParameter("NUMBER=NAME or E-MAIL=NAME is expected, each once", param_hint="--who")
    done = read_annotations(export, open_collection(collection), known or None)
    show_text("\n".join(f"{count:>7,}  {what}" for what, count in sorted(done.items())) or "no label")
