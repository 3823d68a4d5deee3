"""All measures, their names parsed, and the function that values many of them at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import get_args

import numpy as np

from mldr.errors import Fault, InputError
from mldr.eval.counts import MODALITIES, CountTable
from mldr.eval.measures.agreement import Agreement
from mldr.eval.measures.answerability import Answerability
from mldr.eval.measures.base import AVERAGE, Average, Measure, Scope
from mldr.eval.measures.ranked import AveragePrecision
from mldr.eval.measures.sets import FIGURES, SetMeasure
from mldr.eval.ragged import Floats

_SCOPES: tuple[Scope, ...] = get_args(Scope)
_AVERAGES: tuple[Average, ...] = get_args(Average)
_CALL = re.compile(r"([a-z0-9_]+)(?:\(([^()]*)\))?")

SET_MEASURES: tuple[SetMeasure, ...] = tuple(
    SetMeasure(scope, figure, average) for average in _AVERAGES for scope in _SCOPES for figure in FIGURES
)
MEASURES: tuple[Measure, ...] = (
    *SET_MEASURES,
    *(Agreement(scope, "em") for scope in _SCOPES),
    *(Agreement(scope, "jaccard") for scope in _SCOPES),
    Answerability("abstention"),
    Answerability("response"),
    Answerability("answerability"),
    *(AveragePrecision(scope) for scope in _SCOPES),
)
"""All of them, in the order in which they are shown."""

HEADLINE: tuple[Measure, ...] = (SetMeasure("joint", "f1"), SetMeasure("joint", "f1", "macro"))
"""Joint F1, micro for comparison with the papers and macro, in which negatives count."""

_BY_NAME = {measure.name: measure for measure in MEASURES}


def available(table: CountTable) -> list[Measure]:
    """Return the measures that a table can give: those of rankings only where predictions carry scores."""
    ranked = [modality for modality in MODALITIES if table.precision.get(modality) is not None]
    return [
        measure
        for measure in MEASURES
        if not isinstance(measure, AveragePrecision)
        or (measure.scope in ranked if measure.scope != "joint" else len(ranked) == len(MODALITIES))
    ]


def parse_measure(name: str) -> Measure:
    """Return the measure of a name; `utt_f1(avg=micro)` is `utt_f1`.

    Raises:
        ValueError: if there is no such measure, or it takes no such parameter.
    """
    known = f"measures are {', '.join(_BY_NAME)}"
    match = _CALL.fullmatch(re.sub(r"\s", "", name))
    base = match[1] if match else ""
    if match is None or base not in _BY_NAME:
        raise ValueError(f"no measure {name!r}; {known}")
    average = AVERAGE.default
    for argument in filter(None, (match[2] or "").split(",")):
        key, _, value = argument.partition("=")
        if key != AVERAGE.name or f"{base}(avg=macro)" not in _BY_NAME:
            raise ValueError(f"no measure {name!r}: {base} takes no parameter {key!r}; {known}")
        try:
            average = AVERAGE.parse(value)
        except ValueError as error:
            raise ValueError(f"no measure {name!r}: {error}; {known}") from error
    return _BY_NAME[base if average == "micro" else f"{base}(avg=macro)"]


def parse_measures(names: Iterable[str]) -> list[Measure]:
    """Return the measures of some names.

    Raises:
        InputError: with every name that is none.
    """
    measures: list[Measure] = []
    faults: list[Fault] = []
    for name in names:
        try:
            measures.append(parse_measure(name))
        except ValueError as error:
            faults.append(Fault("measures", str(error)))
    if faults:
        raise InputError(faults)
    return list(dict.fromkeys(measures))


def statistic(measures: Sequence[Measure]) -> tuple[tuple[str, ...], Callable[[Floats], Floats]]:
    """Return the columns that some measures need, and the function from sums of those columns to their values.

    The function takes sums of shape (rows, columns) and gives values of shape (rows, measures).
    """
    columns = tuple(dict.fromkeys(column for measure in measures for column in measure.columns))

    def values(sums: Floats) -> Floats:
        by_name = {name: sums[:, position] for position, name in enumerate(columns)}
        return np.stack([measure.value(by_name) for measure in measures], axis=1)

    return columns, values
