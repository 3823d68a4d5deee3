"""`mldr-eval`: validate, score, report. No logic; see `evaluator.py` and `report.py`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mldr.console import application, run, say, show_json, show_table, show_text

if TYPE_CHECKING:
    from mldr.eval.evaluator import Evaluator

app = application("Score the fragments that a retriever found: validate a predictions file, score it, make a report.")

DatasetPath = Annotated[str, typer.Argument(metavar="DATASET", help="A dataset folder, or a Hub id (owner/name).")]
PredictionsPath = Annotated[Path, typer.Argument(metavar="PREDICTIONS", help="A predictions file, JSONL or Parquet.")]
SplitName = Annotated[str, typer.Option(help="The split that the predictions answer.")]


@app.command()
def validate(dataset: DatasetPath, predictions: PredictionsPath, split: SplitName) -> None:
    """Check a predictions file; needs no gold. Says everything that is wrong with it, with places."""
    import mldr
    from mldr.eval.goldset import read_query_ids
    from mldr.eval.reader import read_predictions

    query_ids = read_query_ids(mldr.load(dataset), split)
    found = read_predictions(predictions, query_ids)
    missing = len(query_ids) - len(found)
    show_text(f"{predictions}: good; {len(found):,} of {len(query_ids):,} queries answered, {missing:,} missing")


@app.command()
def score(
    dataset: DatasetPath,
    predictions: Annotated[list[Path], typer.Argument(metavar="PREDICTIONS...", help="One file a system.")],
    split: SplitName,
    json: Annotated[bool, typer.Option("--json", help="For machines: an object; of several files, a list.")] = False,
) -> None:
    """Score predictions: P, R, F1 and MCC of utterances, images and both, micro and macro, with outcome rates."""
    from mldr.eval.table import notes, score_tables

    evaluator = _evaluator(dataset, split)
    scores = {_system(path, predictions): evaluator.score(evaluator.read(path)) for path in predictions}
    if json:
        documents = [result.model_dump() for result in scores.values()]
        show_json(documents[0] if len(documents) == 1 else documents)
        return
    for table in score_tables(scores):
        show_table(table)
    for note in notes(scores):
        show_text(f"note: {note}")


@app.command()
def report(
    dataset: DatasetPath,
    predictions: PredictionsPath,
    split: SplitName,
    out: Annotated[Path, typer.Option(help="The HTML file.")] = Path("report.html"),
    force: Annotated[bool, typer.Option("--force", help="Replace what stands at OUT.")] = False,
) -> None:
    """Make one self-contained HTML page: the scores, and ten queries with gold and prediction marked."""
    import mldr
    from mldr.errors import MldrError
    from mldr.eval.report import write_report

    if out.exists() and not force:
        raise MldrError(f"{out} exists; choose another --out, or replace it with --force")
    evaluator = _evaluator(dataset, split)
    write_report(mldr.load(dataset), evaluator, {predictions.stem: evaluator.read(predictions)}, out)
    say("open it in a browser:")
    show_text(str(out))


def _evaluator(dataset: str, split: str) -> Evaluator:
    import mldr
    from mldr.eval.evaluator import Evaluator

    return Evaluator(mldr.load(dataset), split)


def _system(path: Path, paths: list[Path]) -> str:
    """Return a file's name without its ending, where that tells the files apart."""
    return path.stem if sum(other.stem == path.stem for other in paths) == 1 else str(path)


def main() -> None:
    """Run the command line."""
    run(app)


if __name__ == "__main__":
    main()
