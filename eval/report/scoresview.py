"""The report's numbers: score tables, outcomes, slices and the comparison."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mldr.eval.compare import Comparison
from mldr.eval.outcomes import FAILURES, OUTCOMES
from mldr.eval.report.charts import Dot, dots, shortened
from mldr.eval.report.words import WORDS, Language
from mldr.eval.scores import MeasureValue, Scores
from mldr.eval.table import AVERAGES, percent
from mldr.html import Content, Markup, tag

_FIGURES = ("p", "r", "f1", "mcc")
_SCOPES = ("utt", "img", "joint")
_CHARTED = "joint_f1"
CHART_SLICES = 40
"""Slices that a chart draws at most."""
_SLICED = "joint_f1(avg=macro)"


def measure_tables(scores: Mapping[str, Scores], language: Language) -> Iterator[Markup]:
    """Yield a table for each average: systems, then what trivial systems get."""
    words = WORDS[language]
    first = next(iter(scores.values()))
    names = [f"{scope}_{figure}" for scope in _SCOPES for figure in _FIGURES]
    for average, suffix in AVERAGES.items():
        head = _row(words["system"], *(name.replace("_", " ") for name in names), header=True)
        rows = [
            _row(system, *(_with_interval(result.measures.get(name + suffix)) for name in names))
            for system, result in scores.items()
        ]
        rows += [
            _row(f"[{system}]", *(percent(values.get(name + suffix)) for name in names), class_="trivial")
            for system, values in first.trivial.items()
        ]
        caption = f"{words['measures']}, {average} {words['average']}; [ ] = {words['trivial']}"
        yield _table(caption, head, rows)


def other_measures(scores: Mapping[str, Scores], language: Language) -> Markup:
    """Return a table of the measures that are neither P, R, F1 nor MCC."""
    shown = {f"{s}_{f}{a}" for s in _SCOPES for f in _FIGURES for a in AVERAGES.values()}
    names = [name for name in next(iter(scores.values())).measures if name not in shown]
    head = _row(WORDS[language]["system"], *(name.replace("_", " ") for name in names), header=True)
    rows = [
        _row(system, *(_with_interval(result.measures.get(name)) for name in names))
        for system, result in scores.items()
    ]
    return _table(WORDS[language]["measures"], head, rows) if names else Markup("")


def outcome_table(scores: Mapping[str, Scores], language: Language) -> Markup:
    """Return the rates of the outcomes, and the score over all rows beside the one over valid rows."""
    words = WORDS[language]
    titles = [outcome.replace("_", " ") + ("*" if outcome in FAILURES else "") for outcome in OUTCOMES]
    head = _row(words["system"], *titles, "joint f1", f"joint f1, {words['valid']}", header=True)
    rows = []
    for system, result in scores.items():
        rates = [percent(result.outcomes[outcome] / max(result.n_queries, 1)) for outcome in OUTCOMES]
        both = [percent(_value(measures)) for measures in (result.measures, result.measures_valid)]
        rows.append(_row(system, *rates, *both))
    return _table(words["outcomes"], head, rows)


def _value(measures: Mapping[str, MeasureValue]) -> float | None:
    return measures[_CHARTED].value if _CHARTED in measures else None


def slice_charts(scores: Mapping[str, Scores], language: Language) -> Iterator[Markup]:
    """Yield a chart for each slicing: macro joint F1, in which negatives count, of each slice and system."""
    words = WORDS[language]
    for name, slices in next(iter(scores.values())).slices.items():
        rows = []
        for position, one in enumerate(slices[:CHART_SLICES]):
            for system, result in scores.items():
                value = result.slices[name][position].measures.get(_SLICED, MeasureValue(value=None))
                note = f" ({one.note})" if one.note else ""
                low, high = (None if edge is None else 100 * edge for edge in (value.low, value.high))
                middle = None if value.value is None else 100 * value.value
                shown = percent(value.value) + (
                    f" [{low:.2f}, {high:.2f}]" if low is not None and high is not None else ""
                )
                label = f"{shortened(one.label, 20)} ({one.n_queries:,}) · {shortened(system, 14)}"
                rows.append(Dot(label, middle, low, high, shown + note))
        title = f"{words['average_f1']} · {name.replace('_', ' ')}"
        if len(slices) > CHART_SLICES:
            title += f"; {len(slices) - CHART_SLICES:,} {words['more_slices']}"
        yield tag("figure", tag("figcaption", title), dots(title, rows, 0, 100), class_="plot")


def forest(comparison: Comparison, language: Language) -> Markup:
    """Return the differences of a comparison as a forest plot."""
    words = WORDS[language]
    rows = []
    largest = 1.0
    for one in comparison.differences:
        numbers = [None if n is None else 100 * n for n in (one.difference, one.low, one.high)]
        largest = max([largest, *(abs(n) for n in numbers if n is not None)])
        p = "-" if one.p_holm is None else f"{one.p_holm:.3g}"
        interval = words["no_interval"] if numbers[1] is None else f"[{numbers[1]:+.2f}, {numbers[2]:+.2f}]"
        value = "-" if numbers[0] is None else f"{numbers[0]:+.2f}"
        label = f"{shortened(one.a, 11)} − {shortened(one.b, 11)} · {one.measure}"
        rows.append(Dot(label, numbers[0], numbers[1], numbers[2], f"{value} {interval} p {p}"))
    title = f"{words['comparison']}: {words['comparison_sub']}"
    return tag("figure", tag("figcaption", title), dots(title, rows, -largest, largest, zero=0.0), class_="plot")


def _with_interval(value: MeasureValue | None) -> Content:
    if value is None or value.value is None:
        return "-"
    if value.low is None or value.high is None:
        return percent(value.value)
    interval = f"{percent(value.low)}–{percent(value.high)}"
    return tag("span", percent(value.value), tag("small", interval, class_="ci"))


def _row(first: str, *cells: Content, header: bool = False, class_: str = "") -> Markup:
    if header:
        return tag("tr", tag("th", first, scope="col"), *(tag("th", cell, scope="col") for cell in cells))
    row = (tag("th", first, scope="row"), *(tag("td", cell) for cell in cells))
    return tag("tr", *row, class_=class_) if class_ else tag("tr", *row)


def _table(caption: str, head: Markup, rows: list[Markup]) -> Markup:
    table = tag("table", tag("caption", caption), tag("thead", head), tag("tbody", *rows))
    return tag("div", table, class_="wide", tabindex="0", role="region", aria_label=caption)
