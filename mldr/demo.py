"""The whole way on the bundled demo, as one function: build, answer with every reference system, score, report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import mldr
from mldr.builders.pipeline import create
from mldr.builders.recipe import load_recipe
from mldr.builders.sources.demo import DEMO_FOLDER
from mldr.console import show_table, show_text
from mldr.errors import MldrError
from mldr.eval.compare import compare
from mldr.eval.evaluator import Evaluator
from mldr.eval.report import write_report
from mldr.eval.slices import slicings
from mldr.eval.table import notes, score_tables
from mldr.files import write_json
from mldr.progress import Lines
from mldr.retrievers.runner import run_retriever

SYSTEMS = ("all", "none", "random", "bm25")
SPLIT = "test"


def run_demo(out: Path, *, force: bool, say: Callable[[str], None]) -> None:
    """Leave `dataset/`, `predictions/*.jsonl`, `scores.json` and `report.html` in a folder; print the scores.

    Args:
        out: the folder; what an earlier demo left there is replaced with `force` only.
        force: replace it.
        say: takes one-line messages.

    Raises:
        MldrError: if something else stands in the folder.
    """
    if out.exists() and not out.is_dir():
        raise MldrError(f"{out} is no folder; choose another --out")
    foreign = [name for name in ("predictions", "scores.json", "report.html") if (out / name).exists()]
    if foreign and not force:
        raise MldrError(f"{out} holds {', '.join(foreign)} already; choose another --out, or replace them with --force")
    folder = create(
        load_recipe(DEMO_FOLDER / "recipe.yaml"), DEMO_FOLDER, out / "dataset", force=force, progress=Lines(say)
    )
    dataset = mldr.load(folder)
    evaluator = Evaluator(dataset, SPLIT)
    predictions = {}
    for system in SYSTEMS:
        path = out / "predictions" / f"{system}.jsonl"
        run_retriever(system, dataset, SPLIT, path, force=True)
        predictions[system] = evaluator.read(path)
    slices = slicings(evaluator.gold, ["kind", "language"])
    scores = {system: evaluator.score(given, by=slices) for system, given in predictions.items()}
    comparison = compare(evaluator, predictions)
    write_json(out / "scores.json", {system: result.model_dump() for system, result in scores.items()})
    write_report(dataset, evaluator, predictions, scores, out / "report.html", comparison)
    for table in score_tables({system: result.model_copy(update={"slices": {}}) for system, result in scores.items()}):
        show_table(table)
        show_text("")
    for note in notes(scores):
        show_text(f"note: {note}")
    show_text("a demonstration: nobody should quote these numbers as a benchmark\n")
    for name, words in (
        ("dataset", "24 stitched dialogues with real photographs, five Parquet tables"),
        ("predictions", "one file a system"),
        ("scores.json", "every measure"),
        ("report.html", "open it in a browser: ten queries with gold and answer on the dialogue"),
    ):
        show_text(f"{out / name}: {words}")
