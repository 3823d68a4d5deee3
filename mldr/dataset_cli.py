"""`mldr dataset`: look at one, and turn it into another: withheld, hydrated, exported, imported. No logic."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from mldr.console import application, say, show_json, show_table, show_text
from mldr.errors import printable

app = application("Look at a dataset, check it, and turn it into another: withheld, hydrated, exported, imported.")

DatasetPath = Annotated[str, typer.Argument(metavar="DATASET", help="A dataset folder, or a Hub id (owner/name).")]


@app.command()
def stats(dataset: DatasetPath, json: Annotated[bool, typer.Option("--json", help="For machines.")] = False) -> None:
    """Show the statistics of every split."""
    from rich.table import Table

    import mldr
    from mldr.summary import rows_of, shown, summarise

    loaded = mldr.load(dataset)
    summaries = {split: summarise(loaded, split) for split in loaded.splits}
    if json:
        show_json({split: summary.model_dump() for split, summary in summaries.items()})
        return
    table = Table("", *summaries, title=loaded.name, title_justify="left")
    for field, words in rows_of(summaries.values()):
        table.add_row(words, *(shown(summary, field) for summary in summaries.values()))
    show_table(table)


@app.command()
def verify(dataset: DatasetPath) -> None:
    """Check hashes, columns, references, ids and leaks between splits. Says everything that does not hold."""
    import mldr
    from mldr.verify import verify as check

    loaded = mldr.load(dataset)
    for path, columns in check(loaded).items():
        say(f"note: {path} has extra columns: {', '.join(columns)}")
    if loaded.manifest.release and loaded.manifest.release.shared:
        for place, count in sorted(loaded.manifest.release.shared.items()):
            say(f"note: the release itself has {count:,} in two splits, {printable(place)}")
        show_text("good: hashes, columns, references, ids")
        return
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


@app.command()
def export(
    dataset: DatasetPath,
    split: Annotated[str, typer.Option(help="A split whose gold is shown.")],
    to: Annotated[
        Literal["ms-swift", "trl"],
        typer.Option(help="ms-swift: JSON with pictures beside; trl: Parquet that holds them."),
    ],
    out: Annotated[Path, typer.Option(help="The folder to be.")],
    sees: Annotated[
        Literal["pixels", "captions", "text"], typer.Option(help="What the model sees of an image.")
    ] = "pixels",
    order: Annotated[
        Literal["query_first", "dialogue_first"], typer.Option(help="query_first is the papers'.")
    ] = "query_first",
    prompt_language: Annotated[
        Literal["auto", "zh", "en"], typer.Option(help="Of the instruction; auto is the dialogue's.")
    ] = "auto",
    prompt: Annotated[
        Path | None, typer.Option(help="A YAML file with `user` (with {query} and {dialogue}) and `system`.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an earlier export.")] = False,
) -> None:
    """Write the queries of a split as training files."""
    import mldr
    from mldr.export import Rendering
    from mldr.export import export as write
    from mldr.prompts import load_prompt

    own = None if prompt is None else load_prompt(prompt)
    rendering = Rendering(sees, order, prompt_language, own)
    written = write(mldr.load(dataset), split, to, out, rendering, force=force)
    for note in written.notes(rendering):
        say(f"note: {note}")
    show_text(
        "\n".join(str(out / name) for name in written.files) + f"\n{written.rows:,} rows, {written.images:,} images"
    )


@app.command("import-release")
def import_release(
    path: Annotated[Path, typer.Argument(help="The release: a folder, a .tar or .tar.gz, or one JSON file.")],
    out: Annotated[Path | None, typer.Option(help="The dataset's folder.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what is there and write nothing.")] = False,
    split: Annotated[
        list[str] | None,
        typer.Option(help="Only this split; repeatable. One alone names the split of a file that tells none."),
    ] = None,
    consent_scopes: Annotated[
        str | None,
        typer.Option(help="What the people in real chats agreed to, with commas, if you hold that agreement."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a dataset that stands there.")] = False,
) -> None:
    """Read the authors' own release, MLDR or WeChat-MDR, as a dataset. It stays under their terms."""
    from mldr.progress import shown_progress
    from mldr.release import Import, look
    from mldr.release import import_release as write
    from mldr.release.importing import report

    scopes = (
        None if consent_scopes is None else tuple(scope.strip() for scope in consent_scopes.split(",") if scope.strip())
    )
    wanted = Import(path, tuple(split or ()), scopes)
    if dry_run:
        with shown_progress() as progress:
            found = look(wanted, progress)
        show_text(report(found))
        return
    if out is None:
        raise typer.BadParameter("where shall the dataset stand?", param_hint="--out")
    with shown_progress() as progress:
        findings = write(wanted, out, force=force, progress=progress)
    say(report(findings))
    show_text(str(out))


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
    from mldr.downloads.polite import Manners
    from mldr.errors import InterruptedRun
    from mldr.hydrate import check_place, write_hydrated
    from mldr.hydrate import hydrate as fetch
    from mldr.progress import shown_progress

    loaded = mldr.load(dataset)
    check_place(loaded, downloads, out, force=force)
    manners = Manners(delay, max_bytes, max_total, allow_private=allow_private, again=again)
    with shown_progress() as progress:
        done = fetch(loaded, downloads, manners, limit=limit, progress=progress)
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


@app.command()
def push(
    folder: Annotated[str, typer.Argument(metavar="DIR", help="A dataset folder.")],
    hub_id: Annotated[str, typer.Argument(metavar="ORG/NAME", help="Where on the Hub.")],
    public: Annotated[bool, typer.Option("--public", help="Everybody may see it; by default nobody else may.")] = False,
    gated: Annotated[bool, typer.Option("--gated", help="Those may see it whom you let in.")] = False,
    tag: Annotated[str, typer.Option(help="The name of this version; one that exists is refused.")] = "",
    message: Annotated[str, typer.Option(help="Of the commit.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and send nothing.")] = False,
    with_gold: Annotated[
        bool, typer.Option("--with-gold", help="Show others the gold of a set that was built with a secret salt.")
    ] = False,
    with_history: Annotated[
        bool, typer.Option("--with-history", help="Open a page though its earlier versions held other files.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace another dataset that stands there.")] = False,
    json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Push a dataset to the Hugging Face Hub, or to HF_ENDPOINT: only what changed, private unless you say otherwise."""
    import mldr
    from mldr.hub import Hub, Wanted
    from mldr.hub import push as send
    from mldr.hub.words import as_json, as_text
    from mldr.progress import shown_progress

    if public and gated:
        raise typer.BadParameter("a page is one or the other", param_hint="--public, --gated")
    wanted = Wanted(
        hub_id,
        "public" if public else "gated" if gated else "private",
        tag,
        message,
        dry_run=dry_run,
        force=force,
        with_gold=with_gold,
        with_history=with_history,
    )
    with shown_progress() as progress:
        done = send(mldr.Dataset(Path(folder)), wanted, hub=Hub(say=progress.say), progress=progress)
    for note in done.notes:
        say(f"note: {note}")
    if json:
        show_json(as_json(done))
    else:
        show_text(as_text(done))


@app.command()
def pull(
    hub_id: Annotated[str, typer.Argument(metavar="ORG/NAME", help="Where on the Hub.")],
    out: Annotated[Path, typer.Option(help="The folder to be.")],
    revision: Annotated[str, typer.Option(help="A version (tag), a branch, or a commit.")] = "main",
    force: Annotated[bool, typer.Option("--force", help="Replace a dataset that stands there.")] = False,
) -> None:
    """Bring a dataset from the Hub into a folder, every file held against its hash."""
    from mldr.hub import Hub
    from mldr.hub import pull as bring

    done = bring(hub_id, out, revision=revision, force=force, hub=Hub(say=say))
    say(f"{done.files:,} files, {done.size:,} bytes, commit {done.commit}; every hash holds")
    show_text(str(out))
