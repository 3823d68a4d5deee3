"""The papers' figures beside a set's own: what was published, what was derived from it, and what was not published."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field

from mldr.card import bullets, plain, table
from mldr.manifest import Manifest
from mldr.summary import Range, SplitSummary, shown

PAPERS = ("MLDR", "WeChat-MDR", "DialogCC")
NOT_PUBLISHED = "not published"


class Figure(BaseModel):
    """One figure of a paper."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    value: str
    source: str
    derived: bool = False
    """Worked out from published numbers, and not published as such."""


class Row(BaseModel):
    """A figure of each set; None where it was looked for and is not published."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    what: str
    ours: str
    """How it is taken from a split: a key of `OURS`, or a field of the summary."""
    mldr: Figure | None = Field(default=None, alias="MLDR")
    wechat: Figure | None = Field(default=None, alias="WeChat-MDR")
    dialogcc: Figure | None = Field(default=None, alias="DialogCC")

    @property
    def figures(self) -> tuple[Figure | None, ...]:
        """In the order of `PAPERS`."""
        return self.mldr, self.wechat, self.dialogcc


@cache
def published() -> tuple[Row, ...]:
    """Return the rows of `papers.yaml`."""
    document: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("papers.yaml").read_text(encoding="utf-8"))
    return tuple(Row.model_validate(row) for row in document["rows"])


def _mean(value: Range) -> str:
    return f"{value.mean:.2f}" if value.count else "-"


def _mostly(summary: SplitSummary) -> str:
    if not summary.turns:
        return "-"
    peak = max(summary.turns, key=lambda name: summary.turns[name])
    return f"peak at {peak}"


def _a_query(summary: SplitSummary, total: float) -> str:
    asked = sum(summary.kinds.values())
    return f"{total / asked:.2f}" if asked else "-"


OURS: dict[str, Callable[[SplitSummary], str]] = {
    "dialogues": lambda s: f"{s.dialogues:,}",
    "images": lambda s: f"{int(s.images.total):,}",
    "utterances": lambda s: f"{int(s.utterances.total):,}",
    "utterances_mean": lambda s: _mean(s.utterances),
    "utterances_mostly": _mostly,
    "topics_mean": lambda s: _mean(s.topics),
    "images_mean": lambda s: _mean(s.images),
    "queries": lambda s: f"{int(s.queries.total):,}",
    "gold_utterances_all": lambda s: _a_query(s, s.gold_utterances.total),
    "gold_images_all": lambda s: _a_query(s, s.gold_images.total),
    "span_mean": lambda s: _mean(s.span),
}
"""How a figure is taken from a split, where it is no field of the summary."""


def papers_section(
    summaries: Mapping[str, SplitSummary],
    manifest: Manifest,
    floors: Mapping[str, Mapping[str, Mapping[str, float | None]]],
) -> str:
    """Return the section that puts the papers' figures beside the set's own.

    Args:
        summaries: split -> what it holds.
        manifest: of the set.
        floors: split -> system -> measure -> value, of splits with gold.
    """
    rows = []
    for row in published():
        ours = [_ours(row.ours, split, summary, manifest, floors) for split, summary in summaries.items()]
        rows.append([row.what, *ours, *(_cell(figure) for figure in row.figures)])
    sources: dict[str, list[str]] = {}
    for row in published():
        for paper, figure in zip(PAPERS, row.figures, strict=True):
            if figure is not None:
                sources.setdefault(figure.source, []).append(f"{row.what} ({paper})")
    return (
        "## Beside the papers\n\n"
        "MLDR is stitched from DialogCC and Chinese; WeChat-MDR is real chats, Chinese; both are the authors' (AAAI: F2RVLM, "
        "arXiv 2508.17714; IJCV: arXiv 2606.04591v1). A figure marked * is derived from published ones; `not published` was "
        "looked for and not found. Shares of gold are over all queries, negatives too.\n\n"
        + table(["", *(f"this set, {plain(split)}" for split in summaries), *PAPERS], rows)
        + "\nWhere they stand:\n\n"
        + bullets([f"{plain(source)}: {', '.join(figures)}" for source, figures in sources.items()])
    )


def _cell(figure: Figure | None) -> str:
    return NOT_PUBLISHED if figure is None else plain(figure.value) + ("\\*" if figure.derived else "")


def _ours(
    name: str,
    split: str,
    summary: SplitSummary,
    manifest: Manifest,
    floors: Mapping[str, Mapping[str, Mapping[str, float | None]]],
) -> str:
    if name == "all_joint_f1":
        value = floors.get(split, {}).get("all", {}).get("joint_f1")
        return "-" if value is None else f"{100 * value:.1f}"
    if name == "agreement":
        counts = manifest.verification.get(split, {}).values()
        asked = sum(count.get("asked", 0) for count in counts)
        return f"{100 * sum(count.get('agreed', 0) for count in counts) / asked:.1f} %" if asked else "not checked"
    return OURS[name](summary) if name in OURS else plain(shown(summary, name), 2_000)
