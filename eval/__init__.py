"""Eval: predictions of any retriever to numbers that one can trust, under one set of conventions."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mldr.eval.evaluator import Evaluator
    from mldr.eval.measures import MEASURES, Measure, parse_measure, parse_measures
    from mldr.eval.prediction import Prediction
    from mldr.eval.reader import read_predictions
    from mldr.eval.scores import MeasureValue, Scores

__all__ = [
    "MEASURES",
    "Evaluator",
    "Measure",
    "MeasureValue",
    "Prediction",
    "Scores",
    "parse_measure",
    "parse_measures",
    "read_predictions",
]

_HOME = {
    "mldr.eval.evaluator": ("Evaluator",),
    "mldr.eval.measures": ("MEASURES", "Measure", "parse_measure", "parse_measures"),
    "mldr.eval.prediction": ("Prediction",),
    "mldr.eval.reader": ("read_predictions",),
    "mldr.eval.scores": ("MeasureValue", "Scores"),
}


def __getattr__(name: str) -> Any:
    for module, names in _HOME.items():
        if name in names:
            return getattr(import_module(module), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
