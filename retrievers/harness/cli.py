"""`mldr harness`: tasks for other people's harnesses. No logic."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from mldr.console import application, say, show_text

app = application("Let other harnesses run the benchmark, with mldr's own prompt, answer parser and measures.")


@app.callback()
def root() -> None:
    """Let other harnesses run the benchmark, with mldr's own prompt, answer parser and measures."""


@app.command("lmms-eval")
def lmms_eval(
    dataset: Annotated[Path, typer.Argument(help="A dataset folder.")],
    split: Annotated[str, typer.Option(help="A split whose gold is there.")],
    out: Annotated[Path, typer.Option(help="The folder for --include_path.")],
    sees: Annotated[
        Literal["pixels", "captions", "text"], typer.Option(help="What the model sees of an image.")
    ] = "pixels",
    order: Annotated[
        Literal["query_first", "dialogue_first"], typer.Option(help="query_first is the papers'.")
    ] = "dialogue_first",
    max_new_tokens: Annotated[int, typer.Option(help="Of an answer.", min=16)] = 1_024,
    on_this_machine: Annotated[
        bool, typer.Option("--on-this-machine", help="The model runs here: real chats may be shown to it.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace an earlier task.")] = False,
) -> None:
    """Write the folder of an lmms-eval task. For inspect_ai nothing is written: inspect eval mldr/mldr_ffr -T dataset=..."""
    from mldr.retrievers.harness.lmms_folder import LmmsFolder, write_lmms_folder

    wanted = LmmsFolder(dataset, split, sees, order, max_new_tokens, on_this_machine)
    for path in write_lmms_folder(wanted, out, force=force):
        show_text(str(path))
    say(f"run it: lmms-eval --include_path {out} --tasks {wanted.task} --model ...")
