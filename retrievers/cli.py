"""`mldr retrieve`. No logic; see `runner.py`."""

from __future__ import annotations

from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from mldr.console import say, show_text


class Executors(StrEnum):
    """Where dialogues are answered."""

    local = "local"
    ray = "ray"


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
    model: Annotated[str | None, typer.Option(help="The same as -o model=...")] = None,
    prompt: Annotated[
        str | None, typer.Option(help="from-release, or a YAML file (user, system); the same as -o prompt=...")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="For systems that draw.")] = None,
    limit: Annotated[int | None, typer.Option(help="Only so many dialogues.", min=0)] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Keep what OUT holds and answer the rest.")] = False,
    retry_errors: Annotated[
        bool, typer.Option("--retry-errors", help="With --resume: ask again where OUT claims api_error.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace OUT.")] = False,
    responses: Annotated[
        Path | None, typer.Option(help="Where models' answers are kept; left out: OUT.responses.sqlite.")
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Ask no server; take the kept answers.")] = False,
    budget: Annotated[
        float | None, typer.Option(help="What may be spent, in the currency of the price.", min=0)
    ] = None,
    workers: Annotated[int, typer.Option(help="Processes that answer; 1 answers here.", min=1)] = 1,
    executor: Annotated[Executors, typer.Option(help="Where dialogues are answered.")] = Executors.local,
    ray_address: Annotated[str, typer.Option(help="Of a Ray cluster; left out: Ray starts here.")] = "",
    depot: Annotated[
        str,
        typer.Option(help="With ray: a folder or fsspec URL that all machines reach; left out: they share this disk."),
    ] = "",
    listed: Annotated[bool, typer.Option("--list", callback=_list, is_eager=True, help="List the systems.")] = False,
) -> None:
    """Run a reference system, or any plug-in, on a split and write its predictions as they come."""
    import mldr
    from mldr.progress import shown_progress
    from mldr.retrievers.runner import Asking, run_retriever

    options = dict(_option(text) for text in option or [])
    options |= {k: v for k, v in (("model", model), ("prompt", prompt), ("seed", seed)) if v is not None}
    with ExitStack() as stack:
        progress = stack.enter_context(shown_progress(lines=False))
        chosen = None
        if executor is Executors.ray or workers > 1 or ray_address or depot:
            from mldr.executors import open_executor

            chosen = stack.enter_context(open_executor(executor.value, workers, ray_address, depot))
        written = run_retriever(
            retriever,
            mldr.load(dataset),
            split,
            out,
            options=options,
            limit=limit,
            resume=resume,
            retry_errors=retry_errors,
            force=force,
            asking=Asking(responses, offline, budget),
            executor=chosen,
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
    except (yaml.YAMLError, ValueError):
        return name, value
    if given is not None and not isinstance(given, (str, int, float, bool)):
        return name, value  # a text such as `query: `, or a JSON object, that only looks like YAML
    return name, given
