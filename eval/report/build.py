"""Puts the page together: strict policy, no network, hostile text inert, under 15 MB on any input."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from mldr.dataset import Dataset
from mldr.eval.compare import Comparison
from mldr.eval.counts import count
from mldr.eval.evaluator import Evaluator, Predictions
from mldr.eval.report.queries import Browser, browse
from mldr.eval.report.scoresview import forest, measure_tables, other_measures, outcome_table, slice_charts
from mldr.eval.report.words import WORDS, Language
from mldr.eval.scores import Scores
from mldr.eval.table import notes
from mldr.files import write_text
from mldr.html import Content, Markup, page, tag


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """How a report is made."""

    language: Language = "en"
    with_content: bool = False
    """Show the chats of real people, too; never the default."""


def write_report(
    dataset: Dataset,
    evaluator: Evaluator,
    predictions: Mapping[str, Predictions],
    scores: Mapping[str, Scores],
    out: Path,
    comparison: Comparison | None = None,
    options: ReportOptions = ReportOptions(),
) -> None:
    """Write a report.

    Chats of real people are not shown unless asked for: for a dialogue of origin `real` the page holds ids and counts.

    Args:
        dataset: what was asked.
        evaluator: of one of its splits.
        predictions: system -> its predictions; the last system's are drawn on the dialogues.
        scores: system -> its scores.
        out: the HTML file.
        comparison: of the systems, where there are several.
        options: how.
    """
    words = WORDS[options.language]
    first = next(iter(scores.values()))
    system, given = list(predictions.items())[-1]
    judged = evaluator.judge(given)
    browser = browse(
        dataset, evaluator.gold, judged, count(evaluator.gold, judged), options.language, options.with_content
    )
    title = f"{first.dataset} · {first.split}"
    totals = {
        "outcome": scores[system].outcomes,
        "kind": Counter(str(kind) for kind in evaluator.gold.column("kind").to_pylist()),
    }
    clusters = words["cluster" if first.n_clusters == 1 else "clusters"]
    sub = (
        f"{first.n_queries:,} {words['queries']} · {first.n_clusters:,} {clusters} · "
        f"{words['gold']} {first.gold_hash[:16]} · mldr {first.mldr_version}"
    )
    charts = list(slice_charts(scores, options.language))
    body: list[Content] = [
        tag("h1", title),
        tag("p", sub, class_="sub"),
        *measure_tables(scores, options.language),
        other_measures(scores, options.language),
        outcome_table(scores, options.language),
        tag("ul", *(tag("li", note) for note in notes(scores)), class_="notes"),
        *([tag("h2", words["comparison"]), forest(comparison, options.language)] if comparison else []),
        *([tag("p", comparison.note, class_="sub")] if comparison else []),
        *([tag("h2", words["slices"]), tag("div", *charts, class_="charts")] if charts else []),
        *_browser(browser, system, totals, first.n_queries, options.language),
    ]
    folder = files("mldr.eval.report")
    style, script = (folder.joinpath(name).read_text(encoding="utf-8") for name in ("report.css", "report.js"))
    write_text(out, page(title, options.language, style, tag("main", *body), script=script))


def _browser(
    browser: Browser, system: str, totals: Mapping[str, Mapping[str, int]], n_queries: int, language: Language
) -> list[Content]:
    words = WORDS[language]
    filters = tag(
        "form",
        _select("outcome", browser.outcomes, totals["outcome"], language),
        _select("kind", browser.kinds, totals["kind"], language),
        tag("output", f"{len(browser.sections)} {words['shown_of']} {n_queries:,}", id="shown", aria_live="polite"),
        class_="filters",
        id="filters",
    )
    keys = (
        tag("span", f"{words[mark]}: {words[mark + '_text']}", class_=f"key {mark}")
        for mark in ("hit", "missed", "extra")
    )
    left_out = browser.pictures.left_out
    return [
        tag("h2", f"{words['browser']} {system}"),
        tag("p", words["browser_sub"] + (f"; {left_out} {words['too_large']}" if left_out else ""), class_="sub"),
        tag("p", *keys, class_="legend"),
        filters,
        tag("noscript", tag("p", words["script"])),
        tag("div", *browser.sections, id="queries"),
        _stored(browser.pictures.sources),
    ]


def _select(name: str, counts: Counter[str], totals: Mapping[str, int], language: Language) -> Markup:
    """Return a filter; where not all queries of a value are on the page, its option says how many there are."""
    words = WORDS[language]
    options = [tag("option", f"{words['all']} ({sum(counts.values())})", value="")]
    for value, number in sorted(counts.items()):
        shown = f"{number}" if number == totals[value] else f"{number} / {totals[value]:,}"
        options.append(tag("option", f"{value} ({shown})", value=value))
    return tag("label", f"{words[name]} ", tag("select", *options, name=name))


def _stored(sources: Mapping[str, str]) -> Markup:
    """Return the pictures as data that no browser runs; `<` cannot stand in it."""
    text = json.dumps(dict(sorted(sources.items()))).replace("<", "\\u003c")
    return Markup(f'<script type="application/json" id="pictures">{text}</script>')
