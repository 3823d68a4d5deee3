"""Score tables for a terminal: percent with two decimals, outcome rates beside, and the notes that a reader needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mldr.errors import printable
from mldr.eval.outcomes import FAILURES, OUTCOMES
from mldr.eval.scores import Scores

if TYPE_CHECKING:
    from rich.table import Table

_FIGURES = ("p", "r", "f1", "mcc")
_SCOPES = ("utt", "img", "joint")
AVERAGES = {"micro": "", "macro": "(avg=macro)"}


def percent(value: float | None) -> str:
    """Return a fraction as percent with two decimals, `-` for none."""
    return "-" if value is None else f"{100 * value:.2f}"


def score_tables(scores: Mapping[str, Scores]) -> list[Table]:
    """Return the tables of some systems on one split: measures, then outcomes. They fit 80 columns.

    Args:
        scores: system -> its scores.
    """
    first = next(iter(scores.values()))
    table = _table(f"{first.dataset}, {first.split}: {first.n_queries:,} queries; percent")
    table.add_column("")
    for average in AVERAGES:
        for figure in _FIGURES:
            table.add_column(f"{average} {figure.upper()}", justify="right", max_width=7)
    for system, result in scores.items():
        for position, scope in enumerate(_SCOPES):
            names = [f"{scope}_{figure}{suffix}" for suffix in AVERAGES.values() for figure in _FIGURES]
            values = [percent(result.measures[name].value) for name in names]
            table.add_row(
                _label(system) if position == 0 else "", scope, *values, end_section=position == len(_SCOPES) - 1
            )
    return [table, _outcome_table(scores)]


def _outcome_table(scores: Mapping[str, Scores]) -> Table:
    table = _table("outcomes, percent of queries; * is a failure, which scores 0")
    for outcome in OUTCOMES:
        words = outcome.replace("_", " ") + ("*" if outcome in FAILURES else "")
        table.add_column(words, justify="right", max_width=8)
    for words in ("joint F1", "valid rows"):
        table.add_column(words, justify="right", max_width=8)
    for system, result in scores.items():
        rates = [percent(result.outcomes[outcome] / max(result.n_queries, 1)) for outcome in OUTCOMES]
        both = [percent(m["joint_f1"].value) for m in (result.measures, result.measures_valid)]
        table.add_row(_label(system), *rates, *both)
    return table


def _table(title: str) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
    table.add_column("system")
    return table


def _label(system: str) -> str:
    from rich.markup import escape

    return escape(printable(system, 40))


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
