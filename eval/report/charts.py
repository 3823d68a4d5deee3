"""The report's small charts, as inline SVG: a dot with its interval on a scale, a row each, with the numbers beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mldr.html import Markup, tag

_WIDTH, _ROW, _PLOT_START, _PLOT_END = 840, 26, 290, 560


@dataclass(frozen=True, slots=True)
class Dot:
    """One row of a chart; numbers in percent or percentage points."""

    label: str
    value: float | None
    low: float | None
    high: float | None
    words: str
    """What stands to the right: the numbers in words."""


def dots(title: str, rows: Sequence[Dot], low: float, high: float, zero: float | None = None) -> Markup:
    """Return a chart of rows on a scale from `low` to `high`; `zero` draws a line to compare with.

    The chart is an image with its title for a screen reader; every number also stands in it as text.
    """
    height = _ROW * len(rows) + 30
    parts = [tag("title", title)]
    for mark in (low, (low + high) / 2, high):
        parts.append(_line(_x(mark, low, high), 0, _x(mark, low, high), height - 24, "grid"))
        parts.append(_text(_x(mark, low, high), height - 8, f"{round(mark, 1):g}", "middle", "tick"))
    if zero is not None:
        parts.append(_line(_x(zero, low, high), 0, _x(zero, low, high), height - 24, "zero"))
    for position, row in enumerate(rows):
        y = _ROW * position + _ROW // 2 + 2
        parts.append(_text(_PLOT_START - 12, y + 4, shortened(row.label, 48), "end", "label"))
        if row.low is not None and row.high is not None:
            parts.append(_line(_x(row.low, low, high), y, _x(row.high, low, high), y, "interval"))
        if row.value is not None:
            parts.append(tag("circle", cx=_round(_x(row.value, low, high)), cy=str(y), r="4.5"))
        parts.append(_text(_PLOT_END + 12, y + 4, row.words, "start", "words"))
    return tag("svg", *parts, viewBox=f"0 0 {_WIDTH} {height}", role="img", class_="chart", aria_label=title)


def shortened(text: str, limit: int) -> str:
    """Return a label that fits: its end is left out, and marked so."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _x(value: float, low: float, high: float) -> float:
    inside = min(max(value, low), high)
    return _PLOT_START + (inside - low) / ((high - low) or 1.0) * (_PLOT_END - _PLOT_START)


def _round(value: float) -> str:
    return f"{value:.1f}"


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    return tag("line", x1=_round(x1), y1=_round(y1), x2=_round(x2), y2=_round(y2), class_=kind)


def _text(x: float, y: float, words: str, anchor: str, kind: str) -> Markup:
    return tag("text", words, x=_round(x), y=_round(y), text_anchor=anchor, class_=kind)
