"""An audit for people, and for the dataset that was audited: tables for a terminal, an entry in the manifest and on the card."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mldr.annotation.agreement.shown import shown
from mldr.annotation.auditing.models import AuditPlan, AuditReport, LabelQuality
from mldr.annotation.auditing.quality import interval, intervals
from mldr.annotation.auditing.sampling import PER_DIALOGUE
from mldr.card import record_audit
from mldr.dataset import Dataset
from mldr.manifest import AuditEntry, AuditFigures, HumanFigures

if TYPE_CHECKING:
    from rich.table import Table

_SCOPES = {"utt": "utterances", "img": "images", "joint": "both"}
_FIGURES = ("p", "r", "f1", "em")


def plan_lines(plan: AuditPlan) -> list[str]:
    """Return what was drawn, in words; whoever labels must not read it, since it counts kinds."""
    lines = [
        f"{plan.drawn:,} of {plan.of:,} queries of {plan.split}, about {plan.dialogues:,} dialogues, "
        f"at most {plan.most_of_one:,} about one"
    ]
    if plan.most_of_one > PER_DIALOGUE:
        lines.append("  so many about one dialogue make the later ones easier; a smaller -n draws fewer of each")
    lines += [f"  {one.kind}, {one.language}, {one.label_source}: {one.drawn:,} of {one.of:,}" for one in plan.strata]
    if plan.not_askable:
        lines.append(f"{plan.not_askable:,} queries cannot be asked: no text, or more than 2,000 characters")
    if plan.unseen_images:
        lines.append(
            f"{plan.unseen_images:,} of {plan.images:,} images have no bytes, so people see their caption alone"
        )
    return lines


def tables(report: AuditReport) -> list[Table]:
    """Return tables for a terminal: the labels against people's answers, and people against the labels."""
    from rich.table import Table

    first = Table(title=f"labels of {report.dataset}, {report.split}, against people; percent", title_justify="left")
    for column in ("labels", "against", "of", "queries", "precision", "recall", "F1", "same"):
        first.add_column(column, justify="left" if column in ("labels", "against", "of") else "right")
    _add(first, "all", "every answer", report.answers)
    _add(first, "all", "the answer that stands", report.labels)
    for kind, found in report.kinds.items():
        _add(first, kind, "the answer that stands", found)
    for annotator, found in report.against.items():
        _add(first, "all", annotator, found)
    second = Table(title="people against the labels, as systems are scored; percent", title_justify="left")
    for column in ("", "queries", "of", "joint F1, micro", "joint F1, macro", "same"):
        second.add_column(column, justify="right" if column else "left")
    for human in report.human:
        names = ("joint_f1", "joint_f1(avg=macro)", "joint_em")
        cells = [shown(name, human.measures[name]) if name in human.measures else "-" for name in names]
        second.add_row(human.annotator, f"{human.answered:,}", f"{human.of:,}", *cells)
    return [first, second]


def _add(table: Table, label: str, against: str, found: LabelQuality) -> None:
    for scope, words in _SCOPES.items():
        cells = [shown(figure, found.measures[f"{scope}_{figure}"]) for figure in _FIGURES]
        first = scope == "utt"
        queries = f"{found.queries:,}" if first else ""
        table.add_row(
            label if first else "", against if first else "", words, queries, *cells, end_section=scope == "joint"
        )


def manifest_entry(report: AuditReport) -> AuditEntry:
    """Return what a manifest keeps of an audit: no name of an annotator."""
    agreement = report.agreement
    alpha = None if agreement is None else agreement.overall.of["joint"].alpha_masi
    return AuditEntry(
        source=report.source,
        gold_hash=report.gold_hash,
        sampled=report.sampled,
        of=report.of,
        resolved=report.resolved,
        people=len(report.annotators),
        answers=_figures(report.answers),
        labels=_figures(report.labels),
        kinds={kind: _figures(found) for kind, found in report.kinds.items()},
        human=[HumanFigures(answered=one.answered, measures=intervals(one.measures)) for one in report.human],
        alpha_masi=None if alpha is None else interval(alpha),
        notes=report.notes,
    )


def _figures(found: LabelQuality) -> AuditFigures:
    return AuditFigures(queries=found.queries, measures=intervals(found.measures))


def record(dataset: Dataset, report: AuditReport) -> None:
    """Write an audit's result into the manifest and the card of the dataset that was audited.

    Raises:
        MldrError: if the dataset has other labels than were audited.
    """
    record_audit(dataset.folder, report.split, manifest_entry(report))
