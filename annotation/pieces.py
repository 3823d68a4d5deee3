"""Where a chat is cut: at long pauses, and where a piece is still too long, at least cost; threads stay whole if they can."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mldr.annotation.merging import Draft

BRIDGED_S = 24 * 3600
"""A reply holds a thread together over a pause of less than a day, not over a longer one."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a piece may be."""

    pause_s: float
    longest: int
    """Utterances, at most."""
    shortest: int
    """Utterances, at least: a shorter piece is not used."""
    images: int
    """Pictures that are there, at least."""


def pieces(drafts: Sequence[Draft], limits: Limits) -> list[tuple[int, int]]:
    """Return the pieces of a chat as (first, one past the last), in order, none longer than the limit; they cover all drafts.

    It is cut at each pause of `pause_s` or more, save where a reply reaches over a pause of less than a day. A piece that is
    still too long is cut where the sum is least of: replies torn, pieces that are then unfit for use, and, of equal ones,
    the shortness of the pauses.
    """
    gaps = _gaps(drafts)
    crossed = _crossed(drafts, limits.longest)
    found: list[tuple[int, int]] = []
    start = 0
    for at in range(1, len(drafts) + 1):
        ends = at == len(drafts)
        if ends or (gaps[at] >= limits.pause_s and (not crossed[at] or gaps[at] >= BRIDGED_S)):
            inner = _parts(drafts[start:at], gaps[start:at], crossed[start:at], limits)
            found += [(start + first, start + past) for first, past in inner]
            start = at
    return found


def _gaps(drafts: Sequence[Draft]) -> list[float]:
    """Return the seconds before each draft; a step back in time is as much of a break as a pause."""
    gaps = [0.0] * len(drafts)
    for at in range(1, len(drafts)):
        gaps[at] = abs((drafts[at].time - drafts[at - 1].end).total_seconds())
    return gaps


def _crossed(drafts: Sequence[Draft], longest: int) -> list[int]:
    """Return how many replies a cut before each draft tears; one that reaches over more than a whole piece is torn anyway."""
    change = [0] * (len(drafts) + 1)
    for number, draft in enumerate(drafts):
        if draft.reply_to is not None and number - draft.reply_to < longest:
            change[draft.reply_to + 1] += 1
            change[number + 1] -= 1
    crossed, height = [], 0
    for step in change[:-1]:
        height += step
        crossed.append(height)
    return crossed


def _parts(
    drafts: Sequence[Draft], gaps: Sequence[float], crossed: Sequence[int], limits: Limits
) -> list[tuple[int, int]]:
    """Cut one stretch into parts that are not too long, at least cost: the shortest way through its possible cuts."""
    import numpy as np

    count, longest = len(drafts), limits.longest
    if count <= longest:
        return [(0, count)]
    cut = np.array([torn + 0.5 / (1.0 + gap / 60.0) for torn, gap in zip(crossed, gaps, strict=True)])
    cut[0] = 0.0  # where the stretch begins, nothing is torn by us
    images = np.concatenate([[0], np.cumsum([draft.present for draft in drafts])])
    best, came = np.zeros(count + 1), np.zeros(count + 1, dtype=np.int64)
    onset = cut.copy()
    """The least cost of everything up to a cut before each draft, the cut's own included."""
    sizes = np.arange(longest, 0, -1)
    too_short = sizes < limits.shortest
    for past in range(1, count + 1):
        low = max(0, past - longest)
        unfit = too_short[low - past :] | (images[past] - images[low:past] < limits.images)
        costs = onset[low:past] + unfit
        choice = int(costs.argmin())
        best[past], came[past] = costs[choice], low + choice
        if past < count:
            onset[past] = best[past] + cut[past]
    return _way(came.tolist(), count)


def _way(came: Sequence[int], count: int) -> list[tuple[int, int]]:
    parts: list[tuple[int, int]] = []
    past = count
    while past > 0:
        first = int(came[past])
        parts.append((first, past))
        past = first
    return parts[::-1]
