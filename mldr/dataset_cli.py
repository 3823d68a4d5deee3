"""`mldr dataset`: stats, verify, show, hydrate. No logic."""

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
def hydrate(
    dataset: DatasetPath,
    downloads: Annotated[
        Path, typer.Option(help="The folder for what is fetched; a recipe's `downloads` can name it.")
    ],
    out: Annotated[
        Path | None, typer.Option(help="Also write a copy of the dataset with those images present.")
    ] = None,
    delay: Annotated[float, typer.Option(help="Seconds between two requests to a host.", min=0)] = 1.0,
    max_bytes: Annotated[int, typer.Option(help="Bytes of one image at most.", min=1, max=67_108_864)] = 67_108_864,
    max_total: Annotated[int, typer.Option(help="Bytes of all images of this run at most; 0: no limit.", min=0)] = 0,
    limit: Annotated[int, typer.Option(help="Ask for so many urls only; 0: all.", min=0)] = 0,
    again: Annotated[bool, typer.Option("--again", help="Ask again for what was refused or unusable.")] = False,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Ask addresses that are not public too: servers of your own.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a dataset that stands at --out.")] = False,
    json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Fetch the images that a dataset names by url only. Run it again to go on; exit 3 says that this is worth it."""
    import mldr
    from mldr.console import progress
    from mldr.downloads.polite import Manners
    from mldr.errors import InterruptedRun
    from mldr.hydrate import hydrate as fetch
    from mldr.hydrate import write_hydrated

    loaded = mldr.load(dataset)
    manners = Manners(delay, max_bytes, max_total, allow_private=allow_private, again=again)
    done = fetch(
        loaded, downloads, manners, limit=limit, watch=lambda items, number: progress(items, number, "fetching")
    )
    written = {} if out is None else write_hydrated(loaded, downloads, out, force=force)
    if json:
        show_json({"urls": dict(done.counts), "failures": done.failures, "copy": dict(written)})
    else:
        lines = [f"{count:>9,}  {what}" for counts in (done.counts, written) for what, count in sorted(counts.items())]
        show_text("\n".join(lines) or "no image is named by url only")
    for failure in done.failures:
        say(failure)
    if done.passing:
        hint = "" if out is None else " (with --force, to replace the copy)"
        raise InterruptedRun(
            f"{done.passing:,} urls failed for reasons that may pass; run the same command again{hint}"
        )
