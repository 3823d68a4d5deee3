"""`mldr annotate`: from exports of real chats to a test set that may be shared. No logic."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from mldr.annotation.consent_cli import Today, consent_app, day_of
from mldr.annotation.labelstudio_cli import app as studio_app
from mldr.console import application, say, show_json, show_table, show_text

app = application("Real chats, with everybody's consent, to a test set that may be shared.")
app.add_typer(consent_app, name="consent")
app.add_typer(studio_app, name="label-studio")

StorePath = Annotated[Path, typer.Argument(metavar="STORE", help="The private store, on the giver's own machine.")]
CollectionPath = Annotated[Path, typer.Argument(metavar="COLLECTION", help="A folder of de-identified dialogues.")]
StoreOption = Annotated[Path, typer.Option("--store", help="The private store; made where nothing stands.")]
Language = Annotated[Literal["en", "zh"], typer.Option(help="Of the page.")]
Port = Annotated[int, typer.Option(help="Of the page on this machine; 0: any free one.", min=0, max=65535)]


@app.command("formats")
def formats() -> None:
    """List the formats of exports that can be read, each with how it is recognised."""
    from rich.table import Table

    from mldr.annotation.readers.detect import readers

    table = Table("format", "recognised by")
    for reader in readers():
        table.add_row(reader.NAME, reader.SUMMARY)
    show_table(table)


@app.command("import")
def import_(
    path: Annotated[Path, typer.Argument(help="A finished export (a file or its folder), or a sealed bundle.")],
    store: Annotated[
        Path | None, typer.Option("--store", help="The private store for an export; made where nothing stands.")
    ] = None,
    collection: Annotated[Path | None, typer.Option("--collection", help="The collection for a bundle.")] = None,
    format: Annotated[str, typer.Option(help="The format, where two fit; `mldr annotate formats` lists them.")] = "",
    tz: Annotated[str, typer.Option(help="The zone of times that have none (Asia/Shanghai), and of the clock.")] = "",
    owner_id: Annotated[str, typer.Option(help="The id of the person whose export it is.")] = "",
    date_order: Annotated[
        Literal["", "ymd", "dmy", "mdy"],
        typer.Option(help="Of dates such as 03/04/25.", show_default="told by the file"),
    ] = "",
    force: Annotated[bool, typer.Option("--force", help="Replace a chat that was imported before.")] = False,
    json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Read an export into the private store, or a sealed bundle into a collection. Every message is accounted for."""
    from mldr.annotation.bundle import is_bundle, receive
    from mldr.annotation.collection import open_collection
    from mldr.annotation.importing import Import, import_chats, report_table
    from mldr.annotation.store import open_store
    from mldr.progress import shown_progress

    if path.is_file() and (is_bundle(path) or (collection is not None and store is None)):
        if collection is None:
            raise typer.BadParameter("a bundle goes into a collection", param_hint="--collection")
        told = receive(path, open_collection(collection, create=True))
        say(f"seal {told.seal}")
        show_text(f"{told.dialogues:,} dialogues, {told.pictures:,} pictures, {told.subjects:,} people's consent")
        return
    if store is None:
        raise typer.BadParameter("an export goes into a private store", param_hint="--store")
    wanted = Import(format=format, zone=tz, owner_id=owner_id, date_order=date_order, force=force)
    with shown_progress() as progress:
        reports = import_chats(path, open_store(store, create=True), wanted, progress)
    if json:
        show_json([report.model_dump(mode="json") for report in reports])
        return
    show_table(report_table(reports))


@app.command()
def cut(
    store: StorePath,
    merge_gap: Annotated[
        float, typer.Option(help="Seconds up to which one speaker's messages are one utterance; 0: never.", min=0)
    ] = 120.0,
    pause: Annotated[float, typer.Option(help="Hours of silence at which a chat is cut.", min=0)] = 3.0,
    max_utterances: Annotated[int, typer.Option(help="Of a dialogue at most.", min=2)] = 100,
    min_utterances: Annotated[int, typer.Option(help="Of a dialogue at least.", min=1)] = 20,
    min_images: Annotated[int, typer.Option(help="Pictures of a dialogue at least.", min=0)] = 2,
    language: Annotated[
        Literal["", "zh", "en"], typer.Option(help="Of all dialogues.", show_default="told by the script")
    ] = "",
    force: Annotated[bool, typer.Option("--force", help="Cut anew what somebody reviewed already.")] = False,
    json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Cut the chats of a store into dialogues."""
    from mldr.annotation.cutreport import CutSettings
    from mldr.annotation.cutting import cut_chats
    from mldr.annotation.store import open_store
    from mldr.progress import shown_progress

    settings = CutSettings(
        merge_gap_s=merge_gap,
        pause_s=pause * 3600,
        max_utterances=max_utterances,
        min_utterances=min_utterances,
        min_images=min_images,
        language=language,
    )
    with shown_progress() as progress:
        report = cut_chats(open_store(store), settings, progress, force=force)
    if json:
        show_json(report.model_dump(mode="json"))
        return
    show_text(str(report))


@app.command()
def privacy(
    store: StorePath,
    out: Annotated[Path | None, typer.Option("--out", help="The collection for the de-identified copies.")] = None,
    review: Annotated[
        bool, typer.Option("--review", help="Decide on a page, over the raw texts of the store.")
    ] = False,
    language: Language = "en",
    port: Port = 0,
    json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Mask texts, cover faces and codes, rename speakers and days; write the copies that annotators may see."""
    from mldr.annotation.collection import open_collection
    from mldr.annotation.privacy.protect import protect
    from mldr.annotation.serving.apps import review_app
    from mldr.annotation.serving.storereview import StoreReview
    from mldr.annotation.store import open_store
    from mldr.progress import shown_progress
    from mldr.web import serve as serve_page

    if review == (out is not None):
        raise typer.BadParameter("decide on a page with --review, or write the copies with --out", param_hint="--out")
    if out is None:
        page = review_app(StoreReview(open_store(store)), language=language)
        serve_page(page, port=port, say=show_text, note=say)
        return
    with shown_progress() as progress:
        told = protect(open_store(store), open_collection(out, create=True), progress)
    if json:
        show_json(told.as_json())
        return
    for dialogue_id, reason in sorted(told.withheld.items()):
        say(f"withheld: {dialogue_id}: {reason}")
    show_text(str(told))


@app.command()
def donate(
    export: Annotated[Path | None, typer.Argument(help="A finished export; it can also be chosen on the page.")] = None,
    store: StoreOption = Path("private-chats"),
    out: Annotated[Path, typer.Option("--out", help="The sealed bundle, all that leaves this machine.")] = Path(
        "donation.zip"
    ),
    language: Language = "en",
    port: Port = 0,
    open_browser: Annotated[bool, typer.Option("--open/--no-open", help="Open the page in your browser.")] = True,
) -> None:
    """Give a chat, step by step on a page of this machine: import, read and mask, consents, a sealed bundle. Nothing is sent."""
    from mldr.annotation.serving.donation import donation_app
    from mldr.annotation.store import open_store
    from mldr.web import serve as serve_page

    page = donation_app(open_store(store, create=True), out, export=export, language=language)
    serve_page(page, port=port, open_browser=open_browser, say=show_text, note=say)


@app.command()
def serve(
    collection: CollectionPath,
    annotator: Annotated[str, typer.Option(help="Your name in the labels: a-z, 0-9, - and _.")],
    privacy: Annotated[bool, typer.Option("--privacy", help="The privacy pass instead of labelling.")] = False,
    given_only: Annotated[
        bool, typer.Option("--given-only", help="Label the queries that are asked; write none.")
    ] = False,
    language: Language = "en",
    port: Port = 0,
) -> None:
    """Open the labelling page on this machine."""
    from mldr.annotation.collection import open_collection
    from mldr.annotation.privacy.detectors import NameList, find_spans
    from mldr.annotation.serving.apps import label_app, privacy_app
    from mldr.web import serve as serve_page

    opened = open_collection(collection)
    if privacy:
        serve_page(privacy_app(opened, language=language), port=port, say=show_text, note=say)
        return
    nobody = NameList.of(())
    page = label_app(
        opened,
        annotator,
        given_only=given_only,
        language=language,
        find_spans=lambda text: find_spans(text, nobody),
    )
    serve_page(page, port=port, say=show_text, note=say)


@app.command()
def ask(
    collection: CollectionPath,
    of: Annotated[str, typer.Option("--of", help="The annotator whose queries everybody shall be asked.")],
) -> None:
    """Ask everybody the queries that one annotator wrote, without that annotator's answers."""
    from mldr.annotation.asking import ask_of
    from mldr.annotation.collection import open_collection

    counts = ask_of(open_collection(collection), of)
    show_text("\n".join(f"{count:>7,}  {what}" for what, count in sorted(counts.items())) or "no query")


@app.command()
def adjudicate(
    collection: CollectionPath,
    between: Annotated[str, typer.Option(help="The annotators, with commas.")],
    by: Annotated[str, typer.Option(help="Who decides on the page.")] = "",
    rule: Annotated[
        Literal["", "agreed", "majority", "union", "intersection"],
        typer.Option(help="Decide by rule instead of on the page."),
    ] = "",
    language: Language = "en",
    port: Port = 0,
) -> None:
    """Make one answer of several, on the page or by rule. What annotators said stays as it is."""
    if not (by or rule):
        raise typer.BadParameter("who decides? (or --rule)", param_hint="--by")
    from mldr.annotation.adjudicating import adjudicate_by_rule
    from mldr.annotation.collection import open_collection
    from mldr.annotation.serving.apps import adjudicate_app
    from mldr.web import serve as serve_page

    opened = open_collection(collection)
    names = [name.strip() for name in between.split(",") if name.strip()]
    if rule:
        done = adjudicate_by_rule(opened, names, rule)
        show_text("\n".join(f"{count:>7,}  {what}" for what, count in sorted(done.items())) or "no query")
        return
    serve_page(adjudicate_app(opened, names, by, language=language), port=port, say=show_text, note=say)


@app.command()
def agreement(
    collection: CollectionPath,
    annotators: Annotated[str, typer.Option(help="With commas.", show_default="all who labelled")] = "",
    seed: Annotated[int, typer.Option(help="Of the bootstrap.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Measure how far annotators agree: F1, Jaccard, exact match, alpha over sets, kappa a message; images apart."""
    from mldr.annotation.agreement import agreement_of, notes, tables
    from mldr.annotation.collection import open_collection

    opened = open_collection(collection)
    names = [name.strip() for name in annotators.split(",") if name.strip()] or opened.annotators()
    told = agreement_of(opened, names, seed=seed)
    if json:
        show_json(told.model_dump(mode="json"))
        return
    for table in tables(told):
        show_table(table)
    for note in notes(told):
        say(f"note: {note}")


@app.command()
def example(
    out: Annotated[Path, typer.Option(help="The folder of the export to be.")] = Path("export"),
    force: Annotated[bool, typer.Option("--force", help="Replace an earlier one.")] = False,
) -> None:
    """Write an invented chat with pictures, as an export, to try every step on."""
    from mldr.annotation.example import write_example

    show_text(str(write_example(out, force=force)))


@app.command()
def release(
    collection: CollectionPath,
    out: Annotated[Path, typer.Option(help="The dataset's folder.")],
    name: Annotated[str, typer.Option(help="The set will be called mldr-ffr-NAME.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(help="What every speaker must have agreed to; may stand several times.", show_default="research"),
    ] = None,
    without_consent: Annotated[
        Literal["drop_dialogue", "drop_speaker"],
        typer.Option(help="What goes where a speaker has not agreed."),
    ] = "drop_dialogue",
    single: Annotated[
        str, typer.Option(help="Take this annotator's answers where nobody adjudicated; not `verified`.")
    ] = "",
    split: Annotated[str, typer.Option(help="The split's name.")] = "test",
    version: Annotated[int, typer.Option(help="Of this release; one more after a withdrawal.", min=1)] = 1,
    store: Annotated[
        list[Path] | None,
        typer.Option("--store", help="A private store whose names and numbers must stand nowhere; repeatable."),
    ] = None,
    today: Today = "",
    force: Annotated[bool, typer.Option("--force", help="Replace a dataset that stands there.")] = False,
    json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Write the collection as a dataset, with everybody's consent and no leak, or not at all."""
    from mldr.annotation.releasing import release_from

    settings = {
        "name": name,
        "version": version,
        "split": split,
        "scopes": tuple(scope or ("research",)),
        "without_consent": without_consent,
        "single": single,
    }
    from mldr.progress import shown_progress

    with shown_progress() as progress:
        told = release_from(collection, out, settings, day_of(today), store or [], progress, force=force)
    if json:
        show_json(told.as_json())
        return
    for reason, count in sorted(told.left_out.items()):
        if count:
            say(f"{count:>7,}  {reason}")
    show_text(f"{out}: {told}")


@app.command()
def audit(
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="A built dataset with its gold.")],
    split: Annotated[str, typer.Option(help="The split that is audited.")],
    out: Annotated[Path | None, typer.Option(help="Draw a sample into this folder, to be labelled blind.")] = None,
    n: Annotated[int, typer.Option("-n", help="Queries to draw.", min=1)] = 200,
    seed: Annotated[int, typer.Option(help="Of the draw and of the bootstrap.")] = 0,
    flagged: Annotated[
        Path | None, typer.Option(help="Draw from the queries that a build flagged (OUT.flagged.jsonl).")
    ] = None,
    judge: Annotated[Path | None, typer.Option(help="Judge the labels by this labelled folder.")] = None,
    annotators: Annotated[str, typer.Option(help="With commas.", show_default="all who labelled")] = "",
    write: Annotated[
        bool, typer.Option("--write", help="Write the result into the dataset's card and manifest.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Draw a sample of a built set's queries for people to label blind, then say how good the labels are."""
    import mldr
    from mldr.annotation.auditing.drawing import draw, draw_flagged
    from mldr.annotation.auditing.judging import judge as judged
    from mldr.annotation.auditing.shown import plan_lines, record, tables
    from mldr.annotation.collection import open_collection

    if (out is None) == (judge is None):
        raise typer.BadParameter("draw a sample with --out, or judge a labelled one with --judge")
    loaded = mldr.load(dataset)
    if out is not None:
        plan = (
            draw(loaded, split, n, seed, out) if flagged is None else draw_flagged(loaded, split, flagged, n, seed, out)
        )
        show_json(plan.model_dump(mode="json")) if json else show_text("\n".join(plan_lines(plan)))
        return
    assert judge is not None  # one of the two was given
    opened = open_collection(judge)
    names = [name.strip() for name in annotators.split(",") if name.strip()] or opened.annotators()
    report = judged(loaded, split, opened, names, seed=seed)
    if write:
        record(loaded, report)
    if json:
        show_json(report.model_dump(mode="json"))
        return
    for table in tables(report):
        show_table(table)
    for note in report.notes:
        say(f"note: {note}")
