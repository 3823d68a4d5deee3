"""One self-contained HTML page: the scores of some systems, and a few queries with gold and predictions on the dialogue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path

from mldr.dataset import Dataset
from mldr.dialogue import Dialogue, Query
from mldr.eval.evaluator import Evaluator
from mldr.eval.goldset import Asked
from mldr.eval.outcomes import FAILURES, OUTCOMES, Judged
from mldr.eval.prediction import Prediction
from mldr.eval.scores import Scores
from mldr.eval.table import AVERAGES, notes, percent
from mldr.files import sha256_text, write_text
from mldr.html import Content, Marks, Markup, bubbles, page, tag

SHOWN = 10
"""Queries that are shown with their dialogue."""


def write_report(
    dataset: Dataset, evaluator: Evaluator, predictions: Mapping[str, Mapping[str, Prediction]], out: Path
) -> None:
    """Write a report.

    Chats of real people are not shown: for a dialogue of origin `real` the page holds ids alone.

    Args:
        dataset: what was asked.
        evaluator: of one of its splits.
        predictions: system -> its predictions; the last system's are drawn on the dialogues.
        out: the HTML file.
    """
    scores = {system: evaluator.score(given) for system, given in predictions.items()}
    system, given = list(predictions.items())[-1]
    judged = dict(zip(evaluator.gold.asked, evaluator.judge(given), strict=True))
    first = next(iter(scores.values()))
    title = f"{first.dataset} · {first.split}"
    style = files("mldr.eval").joinpath("report.css").read_text(encoding="utf-8")
    body: list[Content] = [
        tag("h1", title),
        tag("p", f"{first.n_queries:,} queries; gold {first.gold_hash[:16]}; mldr {first.mldr_version}", class_="sub"),
        *(_measure_table(scores, average, suffix) for average, suffix in AVERAGES.items()),
        _outcome_table(scores),
        tag("ul", *(tag("li", note) for note in notes(scores)), class_="notes"),
        tag("h2", f"{SHOWN} queries, as {system} answers them"),
        _legend(),
        *_queries(dataset, evaluator, judged),
    ]
    write_text(out, page(title, "en", style, tag("main", *body)))


def _measure_table(scores: Mapping[str, Scores], average: str, suffix: str) -> Markup:
    figures = [f"{scope}_{figure}" for scope in ("utt", "img", "joint") for figure in ("p", "r", "f1", "mcc")]
    head = tag(
        "tr", tag("th", "system", scope="col"), *(tag("th", name.replace("_", " "), scope="col") for name in figures)
    )
    rows = [
        tag(
            "tr",
            tag("th", system, scope="row"),
            *(tag("td", percent(result.measures[name + suffix].value)) for name in figures),
        )
        for system, result in scores.items()
    ]
    caption = tag("caption", f"{average} average, percent")
    return tag("div", tag("table", caption, tag("thead", head), tag("tbody", *rows)), class_="wide")


def _outcome_table(scores: Mapping[str, Scores]) -> Markup:
    words = [outcome.replace("_", " ") + ("*" if outcome in FAILURES else "") for outcome in OUTCOMES]
    head = tag("tr", *(tag("th", word, scope="col") for word in ("system", *words, "joint f1", "joint f1, valid rows")))
    rows = []
    for system, result in scores.items():
        rates = [percent(result.outcomes[outcome] / max(result.n_queries, 1)) for outcome in OUTCOMES]
        both = [percent(measures["joint_f1"].value) for measures in (result.measures, result.measures_valid)]
        rows.append(tag("tr", tag("th", system, scope="row"), *(tag("td", value) for value in rates + both)))
    caption = tag("caption", "Outcomes, percent of queries; * is a failure, which scores 0")
    return tag("div", tag("table", caption, tag("thead", head), tag("tbody", *rows)), class_="wide")


def _legend() -> Markup:
    items = (("hit", "in the gold and in the answer"), ("missed", "in the gold only"), ("extra", "in the answer only"))
    words = {"hit": "✓ found", "missed": "✗ missed", "extra": "! extra"}
    return tag(
        "p", *(tag("span", f"{words[mark]}: {text}", class_=f"key {mark}") for mark, text in items), class_="legend"
    )


def _queries(dataset: Dataset, evaluator: Evaluator, judged: Mapping[str, Judged]) -> Iterator[Markup]:
    wanted = _sample(evaluator.gold.asked)
    for group in dataset.asked(evaluator.gold.split):
        for query in group.queries:
            if query.query_id in wanted:
                asked = evaluator.gold.asked[query.query_id]
                yield _one(dataset, group.dialogue, query, asked, judged[query.query_id])


def _sample(asked: Mapping[str, Asked]) -> set[str]:
    """Return the ids of the queries to show: of each kind in turn, by the hash of their ids."""
    by_kind: dict[str, list[str]] = {}
    for query_id in sorted(asked, key=sha256_text):
        by_kind.setdefault(asked[query_id].kind, []).append(query_id)
    chosen: list[str] = []
    while len(chosen) < SHOWN and any(by_kind.values()):
        chosen += [own.pop(0) for _, own in sorted(by_kind.items()) if own]
    return set(chosen[:SHOWN])


def _one(dataset: Dataset, dialogue: Dialogue, query: Query, asked: Asked, judgement: Judged) -> Markup:
    facts = f"{asked.kind} · outcome {judgement.outcome} · {query.query_id}"
    head = [tag("h3", query.text if dialogue.origin == "stitched" else query.query_id), tag("p", facts, class_="sub")]
    if dialogue.origin == "real":
        return tag("section", *head, tag("p", _ids(asked, judgement)), class_="query")
    images = {image.image_key: dataset.image_or_missing(image.image_key) for image in dialogue.images}
    chat = bubbles(
        dialogue,
        images,
        Marks(asked.gold_utterances, judgement.utterance_ids),
        Marks(asked.gold_images, judgement.image_ids),
    )
    return tag(
        "section", *head, tag("p", _ids(asked, judgement), class_="sub"), chat, class_="query", lang=dialogue.language
    )


def _ids(asked: Asked, judgement: Judged) -> str:
    gold = f"gold: utterances {sorted(asked.gold_utterances)}, images {sorted(asked.gold_images)}"
    return f"{gold} · answer: utterances {list(judgement.utterance_ids)}, images {list(judgement.image_ids)}"
