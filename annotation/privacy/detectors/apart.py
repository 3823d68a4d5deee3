"""Which of overlapping finds stands. Nothing that one of them covered is uncovered by another's winning."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from mldr.annotation.spans import SURE, Span


def apart(found: Iterable[Span], text: str) -> tuple[list[Span], bytearray]:
    """Return spans that do not overlap, and a byte a character that is 1 where a span covers it.

    The sure come first, then the long, then the surer. What a loser covered besides stays masked as its own kind; only of a
    doubtful name that met a sure find nothing is left, as it was none.
    """
    ranked = sorted(set(found), key=_rank)
    n_sure = sum(span.confidence >= SURE for span in ranked)
    covered = bytearray(len(text))
    kept = _laid(ranked[:n_sure], text, covered)
    sure = bytes(covered)
    doubtful = [span for span in ranked[n_sure:] if span.kind != "name" or sure.find(1, span.start, span.end) < 0]
    return kept + _laid(doubtful, text, covered), covered


def _laid(spans: Iterable[Span], text: str, covered: bytearray) -> list[Span]:
    kept = []
    for span in spans:
        for start, end in _open_runs(covered, span.start, span.end):
            if (start, end) == (span.start, span.end) or any(c.isalnum() for c in text[start:end]):
                kept.append(replace(span, start=start, end=end))
                covered[start:end] = b"\1" * (end - start)
    return kept


def _rank(span: Span) -> tuple[bool, int, float, int, str, str]:
    return span.confidence < SURE, span.start - span.end, -span.confidence, span.start, span.kind, span.detector


def _open_runs(covered: bytearray, start: int, end: int) -> Iterator[tuple[int, int]]:
    while start < end:
        first = covered.find(0, start, end)
        if first < 0:
            return
        last = covered.find(1, first, end)
        last = end if last < 0 else last
        yield first, last
        start = last
