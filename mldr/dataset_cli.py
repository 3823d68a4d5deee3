"""`mldr dataset`: stats, verify, show, withhold. No logic."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mldr.console import application, say, show_json, show_table, show_text

app = application("Look at a dataset: its statistics, whether it is what it says, one of its dialogues.")

DatasetPath = Annotated[str, typer.Argument(metavar="DATASET", help="A dataset folder, or a Hub id (owner/name).")]


@app.command()
def stats(dataset: DatasetPath, json: Annotated[bool, typer.Option("--json", help="For machines.")] = False) -> None:
    """Show the statistics of every split."""
    from rich.table import Table

    import mldr
    from mldr.summary import ROWS, shown, summarise

    loaded = mldr.load(dataset)
    summaries = {split: summarise(loaded, split) for split in loaded.splits}
    if json:
        show_json({split: summary.model_dump() for split, summary in summaries.items()})
        return
    table = Table("", *summaries, title=loaded.name, title_justify="left")
    for field, words in ROWS:
        table.add_row(words, *(shown(summary, field) for summary in summaries.values()))
    show_table(table)


@app.command()
def verify(dataset: DatasetPath) -> None:
    """Check hashes, columns, references, ids and leaks between splits. Says everything that does not hold."""
    import mldr
    from mldr.verify import verify as check

    for path, columns in check(mldr.load(dataset)).items():
        say(f"note: {path} has extra columns: {', '.join(columns)}")
    show_text("good: hashes, columns, references, ids; nothing is in two splits")


@app.command()
def show(
    dataset: DatasetPath,
    dialogue_id: Annotated[str, typer.Argument(help="A dialogue_id.")],
    html: Annotated[
        Path | None, typer.Option(help="Write chat bubbles with pictures to this HTML file instead.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the HTML file.")] = False,
) -> None:
    """Show one dialogue with its queries, in the terminal or as HTML."""
    import mldr
    from mldr.show import shown_html, shown_text

    loaded = mldr.load(dataset)
    if html is None:
        show_text(shown_text(loaded, dialogue_id))
        return
    shown_html(loaded, dialogue_id, html, force=force)
    show_text(str(html))


@app.command()
def withhold(
    dataset: DatasetPath,
    split: Annotated[
        list[str], typer.Option("--split", help="A split to withhold the gold of; may stand several times.")
    ],
    out: Annotated[Path, typer.Option(help="The folder of the public copy.")],
    force: Annotated[bool, typer.Option("--force", help="Replace a dataset that stands there.")] = False,
    without_salt: Annotated[
        bool, typer.Option("--without-salt", help="Withhold a split that anybody can build again, too.")
    ] = False,
) -> None:
    """Write a copy for the public, in which some splits have no gold."""
    import mldr
    from mldr.withhold import withhold as write

    loaded = mldr.load(dataset)
    told = write(loaded, split, out, force=force, without_salt=without_salt)
    for table, rows in sorted(told.rows.items()):
        say(f"withheld: {rows:,} rows of {table} ({', '.join(told.splits)})")
    for what, rows in sorted(told.stripped.items()):
        if rows:
            say(f"left out of rows that stay: {what} ({rows:,})")
    if not loaded.manifest.salt_sha256:
        say("warning: built without a secret salt; whoever has the sources and the recipe can build this gold again")
    show_text(str(out))
