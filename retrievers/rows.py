"""Predictions as lines of a predictions file: written with what is known of their system, and read again to go on."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from mldr.errors import MldrError
from mldr.eval.prediction import Prediction, row_faults
from mldr.eval.reader import read_predictions
from mldr.files import canonical_json, parse_json

SAME = ("system", "options", "fitted", "sees", "oracle")
"""What all predictions of one file must say alike."""


def prediction_line(name: str, prediction: Any, latency_s: float, meta: Mapping[str, Any]) -> str:
    """Return a prediction as a line of a predictions file, with what is known of its system.

    Args:
        name: of the system, for messages.
        prediction: what it yielded.
        latency_s: seconds that it took, recorded where the system itself says nothing.
        meta: what every prediction says of the system; it wins over what the prediction says.

    Raises:
        MldrError: if it is none, or `mldr-eval` would refuse it.
    """
    if not isinstance(prediction, Prediction):
        raise MldrError(f"{name} yielded {type(prediction).__name__}; a Prediction is expected")
    values = {field.name: _plain(getattr(prediction, field.name)) for field in fields(prediction)}
    if values["latency_s"] is None:
        values["latency_s"] = round(latency_s, 4)
    try:
        known = parse_json(prediction.meta) if prediction.meta else {}
        line = Prediction(**{**values, "meta": canonical_json({**known, **meta})}).to_json()
        wrong = list(row_faults(json.loads(line)))
    except (TypeError, ValueError) as error:
        raise MldrError(f"{name}: a prediction for {prediction.query_id!r} cannot be written ({error})") from error
    if wrong:
        raise MldrError(f"{name}: a prediction for {prediction.query_id!r} is wrong: {'; '.join(wrong)}")
    return line


def _plain(value: Any) -> Any:
    """Return numbers of numpy as Python's, and any sequence as a tuple."""
    if value is None or isinstance(value, (str, bytes)):
        return value
    if isinstance(value, Iterable):
        return tuple(_plain(one) for one in value)
    return value.item() if hasattr(value, "item") else value


def answered_in(out: Path, known: Collection[str], meta: Mapping[str, Any]) -> set[str]:
    """Return the query ids that `out` answers, after cutting a last line that was not finished.

    Args:
        out: a predictions file, as an interrupted run left it.
        known: the query ids of the split.
        meta: what the run that goes on says of its system.

    Raises:
        MldrError: if the file is another system's, or of other options or another fit.
        InputError: if it is no predictions file, or answers another split.
    """
    whole = out.read_bytes()
    if whole and not whole.endswith(b"\n"):
        with out.open("rb+") as stream:
            stream.truncate(whole.rfind(b"\n") + 1)
    if not out.stat().st_size:
        return set()
    found = read_predictions(out, set(known))
    for prediction in found.values():
        before = json.loads(prediction.meta) if prediction.meta else {}
        if any(before.get(key) != meta.get(key) for key in SAME):
            raise MldrError(f"{out} holds predictions of another system or other options; use --force to replace it")
    return set(found)


def without_failures(out: Path) -> int:
    """Take the rows that claim `api_error` out of a predictions file, so that they are asked again; return how many."""
    kept, gone = [], 0
    for line in out.read_bytes().splitlines(keepends=True):
        try:
            row = json.loads(line)
            failed = isinstance(row, dict) and row.get("outcome") == "api_error"
        except ValueError:  # the reader says what is wrong with it, or cuts it where it was not finished
            failed = False
        gone += failed
        if not failed:
            kept.append(line)
    if gone:
        partial = out.with_name(out.name + ".partial")
        partial.write_bytes(b"".join(kept))
        partial.replace(out)
    return gone
