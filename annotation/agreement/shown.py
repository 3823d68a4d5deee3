"""Agreement for people: tables for a terminal, and the section of a dataset card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mldr.annotation.agreement.models import FIGURES, MODALITIES, Agreement, Compared, Value
from mldr.annotation.agreement.reading import ADJUDICATED
from mldr.card import bullets
from mldr.card import table as markdown_table

if TYPE_CHECKING:
    from rich.table import Table

_WORDS = {
    "f1": "F1, mean over queries",
    "jaccard": "Jaccard, mean over queries",
    "exact": "equal answers",
    "alpha_masi": "alpha, MASI",
    "alpha_jaccard": "alpha, Jaccard",
    "kappa": "kappa of messages in or out",
    "positive": "positive agreement",
}
_BY_CHANCE = ("alpha_masi", "alpha_jaccard", "kappa")
"""Coefficients, shown as such; everything else is a share, shown in percent."""


def shown(name: str, value: Value, *, interval: bool = True) -> str:
    """Return a figure as people read it, `-` for none."""
    if value.value is None:
        return "-"

    def number(one: float) -> str:
        return f"{one:.3f}" if name in _BY_CHANCE else f"{100 * one:.1f}"

    if not interval or value.low is None or value.high is None:
        return number(value.value)
    return f"{number(value.value)} [{number(value.low)}, {number(value.high)}]"


def tables(agreement: Agreement) -> list[Table]:
    """Return tables for a terminal: all annotators in full, then each pair, and each against the adjudicated answers."""
    from rich.table import Table

    first = Table(title=f"{', '.join(agreement.annotators)}, before adjudication", title_justify="left")
    for column in ("", *MODALITIES):
        first.add_column(column, justify="right" if column else "left")
    for row in _in_full(agreement.overall):
        first.add_row(*row)
    second = Table(title="two by two, without intervals", title_justify="left")
    for column in ("", "of", "queries", "F1", "equal", "alpha, MASI", "kappa", "positive", "own fragments, F1"):
        second.add_column(column, justify="left" if column in ("", "of") else "right")
    for compared in [*agreement.pairs, *agreement.adjudicated]:
        for position, row in enumerate(_in_short(compared)):
            who = " - ".join(compared.annotators) if position == 0 else ""
            second.add_row(who, *row, end_section=position == len(MODALITIES) - 1)
    return [first, second]


def _in_full(compared: Compared) -> list[list[str]]:
    rows = [["queries", *(f"{compared.of[modality].n_queries:,}" for modality in MODALITIES)]]
    rows += [[_WORDS[name], *(shown(name, getattr(compared.of[m], name)) for m in MODALITIES)] for name in FIGURES]
    if compared.own is not None:
        rows.append(["own fragments, F1", *(shown("f1", compared.own.f1[modality]) for modality in MODALITIES)])
    return rows


def _in_short(compared: Compared) -> list[list[str]]:
    rows = []
    for modality in MODALITIES:
        of = compared.of[modality]
        names = ("f1", "exact", "alpha_masi", "kappa", "positive")
        own = "-" if compared.own is None else shown("f1", compared.own.f1[modality], interval=False)
        values = [shown(name, getattr(of, name), interval=False) for name in names]
        rows.append([modality, f"{of.n_queries:,}", *values, own])
    return rows


def notes(agreement: Agreement) -> list[str]:
    """Return what a reader of the figures must know, a sentence each."""
    overall = agreement.overall
    found = [_counted(agreement)]
    if overall.interval_note:
        found.append(overall.interval_note)
    found += _reasons(overall)
    own = overall.own
    if own is not None:
        alone = ", ".join(f"{n:,} of {name}" for name, n in own.single.items())
        found.append(
            f"own fragments of {own.dialogues:,} dialogues that two were done with: {own.matched:,} matched by what they hold, "
            f"left over {alone}; those count as 0"
        )
    if agreement.unfinished:
        found.append(f"unfinished, and so not answered: {_named(agreement.unfinished)}")
    if agreement.textless:
        found.append(f"ids of utterances without text, ignored: {_named(agreement.textless)}")
    if agreement.repeated:
        found.append(f"answers beside a later one to the same query, ignored: {_named(agreement.repeated)}")
    return found


def _counted(agreement: Agreement) -> str:
    overall = agreement.overall
    alone = ", ".join(f"{n:,} by {name} alone" for name, n in overall.only.items())
    asked = (
        f"{agreement.asked:,} queries were asked of everybody, {agreement.unanswered:,} of them answered by nobody; "
    )
    return (asked if agreement.asked else "") + f"{overall.shared:,} queries were answered by two or more, {alone}"


def _named(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{n:,} of {name}" for name, n in counts.items())


def _reasons(compared: Compared) -> list[str]:
    """Return why figures have no value, each reason once."""
    found: dict[tuple[str, str], list[str]] = {}
    for modality in MODALITIES:
        for name in FIGURES:
            value: Value = getattr(compared.of[modality], name)
            if value.reason:
                found.setdefault((modality, value.reason), []).append(name.replace("_", ", "))
    return [
        f"{modality}: {'no figure' if len(names) == len(FIGURES) else 'no ' + '; '.join(names)} ({reason})"
        for (modality, reason), names in found.items()
    ]


def card_section(agreement: Agreement) -> str:
    """Return the section of a card. Annotators are numbered there, in the order of the agreement: their names stay out."""
    names = {name: f"annotator {n}" for n, name in enumerate(agreement.annotators, 1)}
    names[ADJUDICATED] = "the adjudicated answer"
    agreement = _renamed(agreement, names)
    head = (
        "## Agreement\n\n"
        f"{len(agreement.annotators)} people labelled, apart from one another; the figures are those before adjudication, over "
        "queries that at least two answered. Alpha is Krippendorff's with a query as the item and the whole set as its value "
        "(two empty sets are 0 apart); .800 is usually asked for, .667 for tentative conclusions. Kappa is inflated by the many "
        "messages that all leave out: read it beside the positive agreement. Shares are percent.\n\n"
    )
    parts = [head + markdown_table(["", *MODALITIES], _in_full(agreement.overall))]
    short = ["", "of", "queries", "F1", "equal", "alpha, MASI", "kappa", "positive", "own fragments, F1"]
    two = [*(agreement.pairs if len(agreement.annotators) > 2 else []), *agreement.adjudicated]
    if two:
        rows = [
            [" and ".join(one.annotators) if n == 0 else "", *row]
            for one in two
            for n, row in enumerate(_in_short(one))
        ]
        parts.append("Two by two, and each against what stood after adjudication:\n\n" + markdown_table(short, rows))
    if agreement.adjudicated:
        dropped = f"; queries left out: {agreement.dropped:,}" if agreement.dropped else ""
        parts.append(f"{agreement.adjudicated_queries:,} answers stand after adjudication{dropped}.\n")
    parts.append(bullets(notes(agreement)))
    return "\n".join(parts)


def _renamed(agreement: Agreement, names: Mapping[str, str]) -> Agreement:
    def of(compared: Compared) -> Compared:
        own = compared.own
        if own is not None:
            own = own.model_copy(update={"single": _keyed(own.single, names)})
        update = {"annotators": _each(compared.annotators, names), "only": _keyed(compared.only, names), "own": own}
        return compared.model_copy(update=update)

    return agreement.model_copy(
        update={
            "annotators": _each(agreement.annotators, names),
            "overall": of(agreement.overall),
            "pairs": [of(one) for one in agreement.pairs],
            "adjudicated": [of(one) for one in agreement.adjudicated],
            "unfinished": _keyed(agreement.unfinished, names),
            "textless": _keyed(agreement.textless, names),
            "repeated": _keyed(agreement.repeated, names),
        }
    )


def _each(people: Sequence[str], names: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(names[name] for name in people)


def _keyed(counts: Mapping[str, int], names: Mapping[str, str]) -> dict[str, int]:
    return {names[name]: n for name, n in counts.items()}
