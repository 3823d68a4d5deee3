"""What published P, R and MCC imply: the universe that they were counted over, and which rows do not fit one universe.

For micro counts, P, R and MCC determine how many candidates there were for each gold item: with one gold item, tp = R,
fp = R (1 - P) / P and fn = 1 - R, and MCC rises with the number of true negatives. The audit says what numbers imply
and how far rounding can move them; it leaves open why a row does not fit.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, product
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from mldr.errors import Faults, MldrError, printable
from mldr.formats import format_line

if TYPE_CHECKING:
    from rich.table import Table

NUMBERS = ("p", "r", "mcc")
_MOST_CANDIDATES = 1e9
"""For each gold item: above it, MCC no longer tells the universe from an endless one."""

Verdict = Literal["fits", "does not fit", "no universe", "zero or clipped", "no answer", "perfect"]
WORDS: dict[Verdict, str] = {
    "fits": "consistent with the group's universe",
    "does not fit": "not consistent with one universe of micro counts",
    "no universe": "no universe gives this MCC with this P and R",
    "zero or clipped": "MCC is 0: precision equals the share of gold, or a negative MCC was clipped",
    "no answer": "P or R is 0, which implies nothing",
    "perfect": "P and R are 100, which any universe gives",
}


@dataclass(frozen=True, slots=True)
class PublishedRow:
    """A row of a published table, as fractions."""

    group: str
    """Rows of one group should have been counted over one universe."""
    system: str
    p: float
    r: float
    mcc: float
    half_unit: float
    """Half of the last printed digit: how far rounding can have moved a number."""


class AuditedRow(BaseModel):
    """What a row implies."""

    model_config = ConfigDict(extra="forbid")

    group: str
    system: str
    share: float | None
    """Implied share of gold among the candidates, a fraction."""
    low: float | None
    """Its bounds under rounding."""
    high: float | None
    verdict: Verdict


class AuditedGroup(BaseModel):
    """The rows of one group and the share that most of them agree on."""

    model_config = ConfigDict(extra="forbid")

    format: str = Field(default_factory=lambda: format_line("audit"))
    group: str
    share: float | None
    """The share that lies within the bounds of most rows."""
    agreeing: int
    return_everything_f1: float | None
    """What a system that returns everything gets at this share: 2p / (1 + p)."""
    rows: list[AuditedRow]


def read_table(path: Path) -> list[PublishedRow]:
    """Return the rows of a CSV with the columns `system`, `p`, `r`, `mcc` in percent, and optionally `dataset`, `modality`.

    Raises:
        InputError: with each fault and its line.
        MldrError: if the file is no CSV text.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MldrError(f"{path}: not UTF-8 text (byte {error.start})") from error
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    faults = Faults()
    rows: list[PublishedRow] = []
    try:
        names = list(reader.fieldnames or ())
        for name in sorted({name for name in names if names.count(name) > 1}):
            faults.add(f"{path}, line 1", f"has two columns {name!r}")
        for name in ("system", *NUMBERS):
            if name not in (reader.fieldnames or ()):
                faults.add(f"{path}, line 1", f"lacks the column {name!r}")
        faults.check()
        for record in reader:
            if (row := _row(record, f"{path}, line {reader.line_num}", faults)) is not None:
                rows.append(row)
    except csv.Error as error:
        raise MldrError(f"{path}, line {reader.line_num}: not CSV ({error})") from error
    if not rows and not faults:
        faults.add(str(path), "holds no row")
    faults.check()
    return rows


def _row(record: dict[str, str | None], place: str, faults: Faults) -> PublishedRow | None:
    values: dict[str, float] = {}
    decimals = 0
    for name in NUMBERS:
        text = (record.get(name) or "").strip()
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not (-100.0 if name == "mcc" else 0.0) <= value <= 100.0:
            faults.add(place, f"{name} is {printable(text, 40)!r}; a number in percent is expected")
            return None
        values[name] = value / 100
        decimals = max(decimals, len(text.partition(".")[2]))
    parts = [record.get(name) or "" for name in ("dataset", "modality")]
    group = ", ".join(part for part in parts if part) or "all rows"
    return PublishedRow(group, record.get("system") or "", **values, half_unit=0.005 * 10.0**-decimals)


def audit(rows: Sequence[PublishedRow]) -> list[AuditedGroup]:
    """Return what each group of rows implies, groups and rows in the order given."""
    order = list(dict.fromkeys(row.group for row in rows))
    grouped = groupby(sorted(rows, key=lambda row: order.index(row.group)), key=lambda row: row.group)
    return [_audit_group(name, list(members)) for name, members in grouped]


def _audit_group(name: str, rows: list[PublishedRow]) -> AuditedGroup:
    audited = [_audit_row(row) for row in rows]
    share, agreeing = _agreed([(row.low, row.high) for row in audited if row.low is not None and row.high is not None])
    for row in audited:
        if row.low is not None and row.high is not None and share is not None and not row.low <= share <= row.high:
            row.verdict = "does not fit"
    everything = None if share is None else 2 * share / (1 + share)
    return AuditedGroup(group=name, share=share, agreeing=agreeing, return_everything_f1=everything, rows=audited)


def _audit_row(row: PublishedRow) -> AuditedRow:
    if row.p <= 0 or row.r <= 0:
        return AuditedRow(group=row.group, system=row.system, share=None, low=None, high=None, verdict="no answer")
    if abs(row.mcc) <= row.half_unit:
        return AuditedRow(
            group=row.group, system=row.system, share=None, low=None, high=None, verdict="zero or clipped"
        )
    if min(row.p, row.r, row.mcc) + row.half_unit >= 1:
        return AuditedRow(group=row.group, system=row.system, share=None, low=None, high=None, verdict="perfect")
    corners = list(_corners(row))
    if not corners:
        return AuditedRow(group=row.group, system=row.system, share=None, low=None, high=None, verdict="no universe")
    share = implied_share(row.p, row.r, row.mcc)
    return AuditedRow(
        group=row.group, system=row.system, share=share, low=min(corners), high=max(corners), verdict="fits"
    )


def _corners(row: PublishedRow) -> Iterator[float]:
    """Yield the shares that the numbers imply anywhere within their rounding; nothing where no universe does."""
    within = [[value + sign * row.half_unit for sign in (-1, 0, 1)] for value in (row.p, row.r, row.mcc)]
    for p, r in product(*([min(max(value, 1e-9), 1.0) for value in side] for side in within[:2])):
        fp, fn = r * (1 - p) / p, 1 - r
        least, most = (_mcc(r, fp, fn, candidates) for candidates in (1.0 + fp, _MOST_CANDIDATES))
        if within[2][0] <= most and within[2][2] >= least:  # the rounding of MCC is cut to what some universe gives
            for mcc in within[2]:
                share = implied_share(p, r, min(max(mcc, least), most))
                if share is not None:
                    yield share


def implied_share(p: float, r: float, mcc: float) -> float | None:
    """Return the share of gold among the candidates that gives this MCC with this P and R (fractions); None for none."""
    fp, fn = r * (1 - p) / p, 1 - r
    low, high = 1.0 + fp, _MOST_CANDIDATES
    if not _mcc(r, fp, fn, low) <= mcc <= _mcc(r, fp, fn, high):
        return None
    for _ in range(200):
        middle = math.sqrt(low * high)
        if _mcc(r, fp, fn, middle) < mcc:
            low = middle
        else:
            high = middle
    return 1 / high


def _mcc(tp: float, fp: float, fn: float, candidates: float) -> float:
    tn = candidates - tp - fp - fn
    product_ = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
    return (tp * tn - fp * fn) / math.sqrt(product_) if product_ > 0 else 0.0


def _agreed(bounds: list[tuple[float, float]]) -> tuple[float | None, int]:
    """Return the middle of the stretch that most bounds share, and how many share it."""
    if not bounds:
        return None, 0
    best: tuple[int, float, float] = (0, 0.0, 0.0)
    edges = sorted({edge for bound in bounds for edge in bound})
    for edge in edges:
        inside = [bound for bound in bounds if bound[0] <= edge <= bound[1]]
        if len(inside) > best[0]:
            best = (len(inside), max(bound[0] for bound in inside), min(bound[1] for bound in inside))
    return (best[1] + best[2]) / 2, best[0]


def audit_tables(groups: Sequence[AuditedGroup]) -> list[Table]:
    """Return a table for each group, for a terminal."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    tables = []
    for group in groups:
        share = "-" if group.share is None else f"{100 * group.share:.2f} %"
        title = (
            f"{printable(group.group)}: {group.agreeing} of {len(group.rows)} rows agree on a share of gold of {share}"
        )
        if group.return_everything_f1 is not None:
            title += f"; returning everything gives F1 {100 * group.return_everything_f1:.1f}"
        table = Table(title=Text(title), title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
        for words in ("system", "share %", "within rounding", "verdict"):
            table.add_column(words)
        for row in group.rows:
            numbers = ["-", "-"]
            if row.low is not None and row.high is not None:
                share = "-" if row.share is None else f"{100 * row.share:.2f}"
                numbers = [share, f"{100 * row.low:.2f} to {100 * row.high:.2f}"]
            table.add_row(Text(printable(row.system, 48)), *numbers, WORDS[row.verdict])
        tables.append(table)
    return tables
