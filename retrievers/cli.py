"""`mldr retrieve`. No logic; see `runner.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from mldr.console import say, show_text


def _list(wanted: bool) -> None:
    if wanted:
        from mldr.retrievers.listing import listing

        show_text("\n".join(listing()))
        raise typer.Exit


def retrieve(
    retriever: Annotated[str, typer.Argument(help="A registered system (see --list), or module:Class.")],
    dataset: Annotated[str, typer.Argument(help="A dataset folder, or a Hub id (owner/name).")],
    split: Annotated[str, typer.Option(help="The split whose queries are answered.")],
    out: Annotated[Path, typer.Option(help="The predictions file (JSONL).")],
    option: Annotated[list[str] | None, typer.Option("--option", "-o", help="NAME=VALUE, given to the system.")] = None,
    seed: Annotated[int | None, typer.Option(help="For systems that draw.")] = None,
    limit: Annotated[int | None, typer.Option(help="Only so many dialogues.", min=0)] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Keep what OUT holds and answer the rest.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace OUT.")] = False,
    listed: Annotated[bool, typer.Option("--list", callback=_list, is_eager=True, help="List the systems.")] = False,
) -> None:
    """Run a reference system, or any plug-in, on a split and write its predictions as they come."""
    import mldr
    from mldr.progress import shown_progress
    from mldr.retrievers.runner import run_retriever

    options = dict(_option(text) for text in option or [])
    if seed is not None:
        options["seed"] = seed
    with shown_progress(lines=False) as progress:
        written = run_retriever(
            retriever,
            mldr.load(dataset),
            split,
            out,
            options=options,
            limit=limit,
            resume=resume,
            force=force,
            progress=progress,
        )
    say(f"{written:,} predictions written")
    show_text(str(out))


def _option(text: str) -> tuple[str, Any]:
    import yaml

    name, found, value = text.partition("=")
    if not found or not name.isidentifier():
        raise typer.BadParameter(f"{text!r} is not NAME=VALUE", param_hint="--option")
    try:
        given = yaml.safe_load(value)
    except (yaml.YAMLError, ValueError) as error:
        raise typer.BadParameter(f"the value of {name} cannot be read", param_hint="--option") from error
    if given is not None and not isinstance(given, (str, int, float, bool)):
        raise typer.BadParameter(
            f"{name} is {value!r}; a number, a word, true or false is expected", param_hint="--option"
        )
    return name, given
