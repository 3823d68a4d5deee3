"""Score tables for a terminal: percent with two decimals, outcome rates beside, and the notes that a reader needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mldr.errors import printable
from mldr.eval.outcomes import FAILURES, OUTCOMES
from mldr.eval.scores import MeasureValue, Scores

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from mldr.eval.compare import Comparison

_FIGURES = ("p", "r", "f1", "mcc")
_SCOPES = ("utt", "img", "joint")
_WIDEST_NAME = 16
AVERAGES = {"micro": "", "macro": "(avg=macro)"}


def percent(value: float | None) -> str:
    """Return a fraction as percent with two decimals, `-` for none."""
    return "-" if value is None else f"{100 * value:.2f}"


def score_tables(scores: Mapping[str, Scores]) -> list[Table]:
    """Return the tables of some systems on one split: P, R, F1 and MCC, other measures, slices, outcomes.

    The first and the last fit 80 columns. In brackets stands what systems get that do not read.

    Args:
        scores: system -> its scores.
    """
    first = next(iter(scores.values()))
    table = _table(f"{first.dataset}, {first.split}: {first.n_queries:,} queries; percent")
    table.add_column("")
    for average in AVERAGES:
        for figure in _FIGURES:
            table.add_column(f"{average}\n{figure.upper()}", justify="right")
    for system, result in scores.items():
        _add_rows(table, system, {name: value.value for name, value in result.measures.items()})
    for system, values in first.trivial.items():
        _add_rows(table, f"[{system}]", values)
    return [table, *_others(scores), *_slices(scores), _outcome_table(scores)]


def _add_rows(table: Table, system: str, values: Mapping[str, float | None]) -> None:
    scopes = [
        scope for scope in _SCOPES if any(f"{scope}_{f}{s}" in values for f in _FIGURES for s in AVERAGES.values())
    ]
    for position, scope in enumerate(scopes):
        names = [f"{scope}_{figure}{suffix}" for suffix in AVERAGES.values() for figure in _FIGURES]
        label = _label(system if position == 0 else "")
        table.add_row(
            label, scope, *(percent(values.get(name)) for name in names), end_section=position == len(scopes) - 1
        )


def _others(scores: Mapping[str, Scores]) -> list[Table]:
    """Return the measures that the first table has no place for, a row a measure, with intervals."""
    placed = {f"{scope}_{figure}{suffix}" for scope in _SCOPES for figure in _FIGURES for suffix in AVERAGES.values()}
    table = _table("figures with their 95 % intervals, percent", "measure")
    for system in scores:
        table.add_column(_label(system), justify="right")
    found = list(dict.fromkeys(name for result in scores.values() for name in result.measures))
    chosen = not placed <= set(found)  # measures were named: each has its row here
    names = [name for name in found if chosen or name not in placed or "_f1" in name or "_mcc" in name]
    for name in names:
        # Average precision is measured of systems alone whose predictions carry scores.
        table.add_row(name, *(interval(r.measures[name]) if name in r.measures else "-" for r in scores.values()))
    for name in dict.fromkeys(name for result in scores.values() for name in result.oracle):
        table.add_row(name, *(percent(r.oracle[name].value) if name in r.oracle else "-" for r in scores.values()))
    return [table] if names else []


def _slices(scores: Mapping[str, Scores]) -> list[Table]:
    """Return a table for each slicing: joint F1 of each slice, micro and macro."""
    tables = []
    for system, result in scores.items():
        for name, slices in result.slices.items():
            table = _table(f"{printable(system, 48)} by {name}, percent, with 95 % intervals", "slice")
            for words in ("queries", "clusters"):
                table.add_column(words, justify="right")
            shown = [measure for measure in ("joint_f1", "joint_f1(avg=macro)") if measure in result.measures]
            for measure in shown or list(result.measures)[:2]:
                table.add_column(measure, justify="right")
            table.add_column("")
            for one in slices:
                values = [interval(one.measures[measure]) for measure in shown or list(result.measures)[:2]]
                table.add_row(_label(one.label), f"{one.n_queries:,}", f"{one.n_clusters:,}", *values, one.note)
            tables.append(table)
    return tables


def comparison_table(comparison: Comparison) -> Table:
    """Return the differences of a comparison, in percentage points."""
    table = _table(f"{comparison.dataset}, {comparison.split}: {comparison.n_queries:,} queries; points", "systems")
    table.columns[0].overflow = "fold"
    table.add_column("measure", overflow="fold")
    for words in ("a", "b", "a - b", "95 %", "p", "p Holm", "80 %\npower"):
        table.add_column(words, justify="right", overflow="fold")
    for one in comparison.differences:
        edges = "-" if one.low is None or one.high is None else f"{100 * one.low:+.2f} to {100 * one.high:+.2f}"
        table.add_row(
            _label(f"{one.a} - {one.b}"),
            one.measure,
            percent(one.value_a),
            percent(one.value_b),
            "-" if one.difference is None else f"{100 * one.difference:+.2f}",
            edges,
            *("-" if p is None else f"{p:.4f}" for p in (one.p, one.p_holm)),
            percent(one.smallest_detectable),
        )
    return table


def interval(value: MeasureValue) -> str:
    """Return a value in percent, with its interval where it has one."""
    if value.low is None or value.high is None:
        return percent(value.value)
    return f"{percent(value.value)} ({percent(value.low)} to {percent(value.high)})"


def _outcome_table(scores: Mapping[str, Scores]) -> Table:
    table = _table("outcomes, percent of queries; * is a failure, which scores 0")
    for outcome in OUTCOMES:
        words = outcome.replace("_", "\n") + ("*" if outcome in FAILURES else "")
        table.add_column(words, justify="right")
    for words in ("joint\nF1", "valid\nrows"):
        table.add_column(words, justify="right")
    for system, result in scores.items():
        rates = [percent(result.outcomes[outcome] / max(result.n_queries, 1)) for outcome in OUTCOMES]
        both = [
            percent(m["joint_f1"].value if "joint_f1" in m else None) for m in (result.measures, result.measures_valid)
        ]
        table.add_row(_label(system), *rates, *both)
    return table


def _table(title: str, first: str = "system") -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    shown = _label(title, 200)
    table = Table(title=shown, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
    table.add_column(first, max_width=_WIDEST_NAME if first == "system" else None)
    return table


def _label(text: str, limit: int = 48) -> Text:
    """Return foreign text as it is: no markup, no emoji codes, no control characters."""
    from rich.text import Text

    return Text(printable(text, limit))


def notes(scores: Mapping[str, Scores]) -> list[str]:
    """Return what must be said below the tables, each once."""
    lines: list[str] = []
    for system, result in scores.items():
        lines += [result.interval_note, result.images_note]
        for average, basis in result.joint_from.items():
            if basis not in ("both", "none"):
                lines.append(f"joint figures ({average}) stand on {basis} alone: the other has nothing to measure")
        for name, words in (
            ("textless", "ids of utterances without text were ignored"),
            ("repeated", "repeated ids were counted once"),
            ("out_of_range", "ids outside their dialogue were counted as false positives"),
        ):
            if result.ignored[name]:
                lines.append(f"{printable(system, 40)}: {result.ignored[name]:,} {words}")
    return [line for line in dict.fromkeys(lines) if line]
