"""`mldr-eval`: validate, score, compare, report, audit. No logic; see the modules that each command names."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mldr.console import application, run, say, show_json, show_table, show_text

if TYPE_CHECKING:
    from mldr.eval.evaluator import Evaluator
    from mldr.eval.intake import PredictionTable
    from mldr.eval.measures import Measure
    from mldr.eval.scores import Scores
    from mldr.eval.slices import Slicing

app = application("Score the fragments that a retriever found, compare systems, and see where they fail.")

DatasetPath = Annotated[str, typer.Argument(metavar="DATASET", help="A dataset folder, or a Hub id (owner/name).")]
PredictionsPath = Annotated[Path, typer.Argument(metavar="PREDICTIONS", help="A predictions file, JSONL or Parquet.")]
ManyPredictions = Annotated[list[Path], typer.Argument(metavar="PREDICTIONS...", help="One file a system.")]
SplitName = Annotated[str, typer.Option(help="The split that the predictions answer.")]
Measures = Annotated[list[str] | None, typer.Option("--measure", "-m", help="Only this measure; may be repeated.")]
By = Annotated[
    list[str] | None, typer.Option(help="Slices: kind, level, language, n_utterances, ...; may be repeated.")
]
TablePath = Annotated[Path | None, typer.Option(help="A Parquet keyed by query_id, whose columns --by may name.")]
Resamples = Annotated[int, typer.Option(help="Of the bootstrap; 0 for no intervals.", min=0, max=100_000)]
Seed = Annotated[int, typer.Option(help="Of bootstrap and permutations.", min=0)]
Json = Annotated[bool, typer.Option("--json", help="For machines.")]


@app.command()
def validate(dataset: DatasetPath, predictions: PredictionsPath, split: SplitName) -> None:
    """Check a predictions file; needs no gold. Says everything that is wrong with it, with places."""
    import mldr
    from mldr.eval.goldset import read_query_ids
    from mldr.eval.intake import read_table

    query_ids = read_query_ids(mldr.load(dataset), split)
    found = len(read_table(predictions, query_ids))
    missing = len(query_ids) - found
    show_text(f"{predictions}: good; {found:,} of {len(query_ids):,} queries answered, {missing:,} missing")


@app.command()
def score(
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="A dataset; of --protocol published, the answers.")],
    predictions: Annotated[
        list[Path] | None, typer.Argument(metavar="PREDICTIONS...", help="One file a system.")
    ] = None,
    split: Annotated[str, typer.Option(help="The split that the predictions answer.")] = "",
    by: By = None,
    table: TablePath = None,
    measure: Measures = None,
    resamples: Resamples = 1_000,
    seed: Seed = 0,
    protocol: Annotated[Literal["mldr", "published"], typer.Option(help="How to count.")] = "mldr",
    hub_yaml: Annotated[
        Path | None, typer.Option(help="Also write the Hub's evaluation results, for a model's .eval_results/ folder.")
    ] = None,
    hub_id: Annotated[str, typer.Option(help="The dataset on the Hub, ORG/NAME; by default DATASET.")] = "",
    hub_revision: Annotated[str, typer.Option(help="Its version (tag) or commit.")] = "",
    force: Annotated[bool, typer.Option("--force", help="Replace what stands at --hub-yaml.")] = False,
    json: Json = False,
) -> None:
    """Score predictions, with 95 % intervals, outcome rates and what trivial systems get on the same gold.

    With --protocol published, DATASET is the authors' inference output (JSON Lines with response, labels and messages), and
    the figures are those of their evaluator, quirks included.
    """
    from mldr.eval.table import notes, score_tables

    if protocol == "published":
        if split or by or table or measure or hub_yaml:
            raise typer.BadParameter("--protocol published takes no --split, --by, --table, --measure or --hub-yaml")
        _score_published(dataset, predictions or [], json)
        return
    if not predictions or not split:
        raise typer.BadParameter("PREDICTIONS and --split are needed")
    _check_resamples(resamples)
    evaluator = _evaluator(dataset, split)
    slices, measures = _slices(evaluator, by, table), _measures(measure)
    scores = {
        name: evaluator.score(given, measures, by=slices, resamples=resamples, seed=seed).model_copy(
            update={"system": name}
        )
        for name, given in _read(evaluator, predictions).items()
    }
    if hub_yaml is not None:
        _write_hub_yaml(scores, hub_yaml, hub_id or dataset, hub_revision, force)
    if json:
        documents = [result.model_dump() for result in scores.values()]
        show_json(documents[0] if len(documents) == 1 else documents)
        return
    for shown in score_tables(scores):
        show_table(shown)
        show_text("")
    for note in notes(scores):
        show_text(f"note: {note}")


@app.command()
def compare(
    dataset: DatasetPath,
    predictions: ManyPredictions,
    split: SplitName,
    measure: Measures = None,
    resamples: Resamples = 1_000,
    permutations: Annotated[int, typer.Option(help="Drawn where not all can be tried.", min=1, max=1_000_000)] = 10_000,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Compare systems on the same queries: differences with intervals, a permutation test, Holm's correction."""
    from mldr.eval.compare import compare as compare_systems
    from mldr.eval.measures import HEADLINE
    from mldr.eval.table import comparison_table

    _check_resamples(resamples)
    evaluator = _evaluator(dataset, split)
    found = compare_systems(
        evaluator,
        _read(evaluator, predictions),
        _measures(measure) or HEADLINE,
        resamples=resamples,
        permutations=permutations,
        seed=seed,
    )
    if json:
        show_json(found.model_dump())
        return
    show_table(comparison_table(found))
    show_text(f"note: {found.note}")


@app.command()
def report(
    dataset: DatasetPath,
    predictions: ManyPredictions,
    split: SplitName,
    out: Annotated[Path, typer.Option(help="The HTML file.")] = Path("report.html"),
    by: By = None,
    table: TablePath = None,
    language: Annotated[Literal["en", "zh"], typer.Option(help="Of the page.")] = "en",
    with_content: Annotated[bool, typer.Option("--with-content", help="Show real people's chats, too.")] = False,
    resamples: Resamples = 1_000,
    seed: Seed = 0,
    force: Annotated[bool, typer.Option("--force", help="Replace what stands at OUT.")] = False,
) -> None:
    """Make one self-contained HTML page: scores, slices, a comparison, and single queries, the worst first."""
    import mldr
    from mldr.errors import MldrError
    from mldr.eval.compare import compare as compare_systems
    from mldr.eval.report import ReportOptions, write_report

    if out.exists() and not force:
        raise MldrError(f"{out} exists; choose another --out, or replace it with --force")
    _check_resamples(resamples)
    evaluator = _evaluator(dataset, split)
    given = _read(evaluator, predictions)
    slices = _slices(evaluator, by or ["kind"], table)
    scores = {
        name: evaluator.score(table_, by=slices, resamples=resamples, seed=seed) for name, table_ in given.items()
    }
    comparison = compare_systems(evaluator, given, resamples=resamples, seed=seed) if len(given) > 1 else None
    options = ReportOptions(language, with_content)
    write_report(mldr.load(dataset), evaluator, given, scores, out, comparison, options)
    say("open it in a browser:")
    show_text(str(out))


@app.command()
def audit(
    table: Annotated[
        Path, typer.Argument(metavar="TABLE", help="CSV: system, p, r, mcc in percent; dataset, modality.")
    ],
    json: Json = False,
) -> None:
    """Work out the universe that published P, R and MCC imply, and which rows do not fit one universe."""
    from mldr.eval.audit import audit as audit_rows
    from mldr.eval.audit import audit_tables, read_table

    groups = audit_rows(read_table(table))
    if json:
        show_json([group.model_dump() for group in groups])
        return
    for shown in audit_tables(groups):
        show_table(shown)
        show_text("")


def _score_published(answers: str, others: list[Path], json: bool) -> None:
    from mldr.eval.published import NOTES, published_table, score_published

    if others:
        raise typer.BadParameter("--protocol published takes one file, the inference output, and no dataset")
    found = score_published(Path(answers))
    if json:
        show_json(found.model_dump())
        return
    show_table(published_table(found))
    for name, count in found.events.items():
        if count:
            show_text(f"note: {count:,} {NOTES[name]}")


def _write_hub_yaml(scores: dict[str, Scores], path: Path, hub_id: str, revision: str, force: bool) -> None:
    from mldr.eval.hubresults import write_hub_results

    if len(scores) != 1:
        raise typer.BadParameter("a model's results are of one file of predictions", param_hint="--hub-yaml")
    write_hub_results(next(iter(scores.values())), path, hub_id, revision, force=force)
    say(f"the Hub's evaluation results: {path}")


def _check_resamples(resamples: int) -> None:
    if 0 < resamples < 100:
        raise typer.BadParameter("an interval needs 100 resamples or more; 0 is for none", param_hint="--resamples")


def _evaluator(dataset: str, split: str) -> Evaluator:
    import mldr
    from mldr.eval.evaluator import Evaluator

    return Evaluator(mldr.load(dataset), split)


def _read(evaluator: Evaluator, paths: list[Path]) -> dict[str, PredictionTable]:
    """Return each file's predictions by its name without ending, or by its path where that tells the files apart."""
    stems = [path.stem for path in paths]
    found: dict[str, PredictionTable] = {}
    for path in paths:
        name = path.stem if stems.count(path.stem) == 1 else str(path)
        name = os.fsencode(name).decode("utf-8", "replace")  # a file may have a name that is no UTF-8
        found[name if name not in found else f"{name} ({len(found) + 1})"] = evaluator.read(path)
    return found


def _measures(names: list[str] | None) -> list[Measure] | None:
    from mldr.eval.measures import parse_measures

    return parse_measures(names) if names else None


def _slices(evaluator: Evaluator, by: list[str] | None, table: Path | None) -> list[Slicing]:
    from mldr.eval.slices import slicings

    return slicings(evaluator.gold, by or [], table)


def main() -> None:
    """Run the command line."""
    run(app)


if __name__ == "__main__":
    main()
