"""A prediction: one row of a predictions file, its JSON Schema, and the check that says all that is wrong with a row."""

from __future__ import annotations

import json
import math
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mldr.files import parse_json

CLAIMABLE = ("api_error", "refused", "parse_error")
"""The outcomes that a row may claim for itself."""

MAX_ID = 2**31 - 1
COLUMNS = (
    "query_id",
    "utterance_ids",
    "image_ids",
    "response",
    "utterance_scores",
    "image_scores",
    "latency_s",
    "outcome",
    "meta",
)


@dataclass(frozen=True, slots=True)
class Prediction:
    """A system's answer to one query."""

    query_id: str
    utterance_ids: tuple[int, ...] | None = None
    """None where only a response was given."""
    image_ids: tuple[int, ...] | None = None
    response: str | None = None
    """The model's raw text."""
    utterance_scores: tuple[float, ...] | None = None
    """Parallel to `utterance_ids`; larger is surer."""
    image_scores: tuple[float, ...] | None = None
    latency_s: float | None = None
    """Seconds."""
    outcome: str = ""
    """One of `CLAIMABLE`, or ''."""
    meta: str = ""
    """A JSON object as a string, '' if none."""

    def to_json(self) -> str:
        """Return the row as one line of JSON; absent fields are left out."""
        row: dict[str, Any] = {}
        for name in COLUMNS:
            value = getattr(self, name)
            if value is not None and value != "":
                row[name] = list(value) if isinstance(value, tuple) else value
        if self.response == "":
            row["response"] = ""
        # Escaped: a model's text may end inside an emoji, and half of a surrogate pair is no UTF-8.
        return json.dumps(row, sort_keys=True, separators=(",", ":"))


_IDS = {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": MAX_ID}}
_SCORES = {"type": "array", "items": {"type": "number"}}


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a row.

    What it cannot say: ids and scores are equally long, meta is a JSON object, 3.0 is no id, numbers are finite.
    """
    ids, response = {"required": ["utterance_ids", "image_ids"]}, {"required": ["response"]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "mldr prediction",
        "description": "One row of a predictions file: the answer of a system to one query.",
        "type": "object",
        "properties": {
            "query_id": {"type": "string", "minLength": 1},
            "utterance_ids": _IDS,
            "image_ids": _IDS,
            "response": {"type": "string"},
            "utterance_scores": _SCORES,
            "image_scores": _SCORES,
            "latency_s": {"type": "number", "minimum": 0},
            "outcome": {"enum": list(CLAIMABLE)},
            "meta": {"type": "string"},
        },
        "required": ["query_id"],
        "anyOf": [ids, response, {"required": ["outcome"]}],
        "dependentRequired": {
            "utterance_ids": ["image_ids"],
            "image_ids": ["utterance_ids"],
            "utterance_scores": ["utterance_ids"],
            "image_scores": ["image_ids"],
        },
        "additionalProperties": False,
    }


def row_faults(row: Any) -> Iterator[str]:
    """Yield everything that is wrong with one row, in words."""
    if not isinstance(row, dict):
        yield "a JSON object is expected, one prediction a line"
        return
    for name in row:
        if name not in COLUMNS:
            yield f"unknown column {name!r}; a prediction has {', '.join(COLUMNS)}"
    query_id = row.get("query_id")
    if not isinstance(query_id, str) or not query_id:
        yield "query_id is missing" if query_id is None else f"query_id is {_shown(query_id)}; a string is expected"
    for name in ("utterance_ids", "image_ids"):
        yield from _id_faults(name, row)
    for name, ids in (("utterance_scores", "utterance_ids"), ("image_scores", "image_ids")):
        yield from _score_faults(name, ids, row)
    if "response" in row and not isinstance(row["response"], str):
        yield f"response is {_shown(row['response'])}; a string is expected"
    if "outcome" in row and row["outcome"] not in CLAIMABLE:
        yield f"outcome is {_shown(row['outcome'])}; only {', '.join(CLAIMABLE)} may be claimed"
    if "latency_s" in row and not (_is_number(row["latency_s"]) and row["latency_s"] >= 0):
        yield f"latency_s is {_shown(row['latency_s'])}; seconds, 0 or more, are expected"
    yield from _meta_faults(row)
    if ("utterance_ids" in row) != ("image_ids" in row):
        yield "one id list without the other; give both, [] for none"
    elif not {"utterance_ids", "response", "outcome"} & row.keys():
        yield "neither ids nor a response; give both id lists, [] for none"


def _id_faults(name: str, row: Mapping[str, Any]) -> Iterator[str]:
    if name not in row:
        return
    ids = row[name]
    if not isinstance(ids, list):
        yield f"{name} is {_shown(ids)}; a list of integers is expected"
        return
    for value in ids:
        if type(value) is not int:
            hint = "; ids are numbers, not strings" if isinstance(value, str) else ""
            yield f"{name} holds {_shown(value)}; integers are expected{hint}"
            return
        if not 0 <= value <= MAX_ID:
            yield f"{name} holds {_shown(value)}; ids are positions from 0, at most {MAX_ID}"
            return


def _score_faults(name: str, ids: str, row: Mapping[str, Any]) -> Iterator[str]:
    if name not in row:
        return
    scores = row[name]
    if not isinstance(scores, list) or not all(_is_number(score) for score in scores):
        yield f"{name} is {_shown(scores)}; a list of finite numbers is expected"
    elif isinstance(row.get(ids), list) and len(scores) != len(row[ids]):
        yield f"{name} has {len(scores)} numbers for {len(row[ids])} {ids}"
    elif ids not in row:
        yield f"{name} without {ids}"


def _meta_faults(row: Mapping[str, Any]) -> Iterator[str]:
    if "meta" not in row or row["meta"] == "":
        return
    if not isinstance(row["meta"], str):
        yield f"meta is {_shown(row['meta'])}; a JSON object as a string is expected"
        return
    try:
        value = parse_json(row["meta"])
    except ValueError as error:
        yield f"meta is {error}"
        return
    if not isinstance(value, dict):
        yield "meta is not a JSON object"


def _is_number(value: Any) -> bool:
    if type(value) is int:
        try:
            float(value)
        except OverflowError:
            return False
        return True
    return type(value) is float and math.isfinite(value)


def _shown(value: Any) -> str:
    if type(value) is int and abs(value) >= 10**20:
        return "a number of more than 20 digits"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def prediction_faults(query_id: str, prediction: Prediction, known: Container[str]) -> Iterator[str]:
    """Yield what is wrong with a prediction that was made in memory and not read from a file.

    Ids may be of any size here: those that a dialogue does not have are false positives.
    """
    if prediction.query_id != query_id:
        yield f"it answers {prediction.query_id!r}"
    if query_id not in known:
        yield "no such query in the split"
    if prediction.outcome and prediction.outcome not in CLAIMABLE:
        yield f"outcome is {_shown(prediction.outcome)}; only {', '.join(CLAIMABLE)} may be claimed"
    if (prediction.utterance_ids is None) != (prediction.image_ids is None):
        yield "one id list without the other; give both, () for none"
    for name, scores, ids in (
        ("utterance_scores", prediction.utterance_scores, prediction.utterance_ids),
        ("image_scores", prediction.image_scores, prediction.image_ids),
    ):
        if scores is not None and len(scores) != len(ids or ()):
            yield f"{name} has {len(scores)} numbers for {len(ids or ())} ids"


def from_row(row: Mapping[str, Any]) -> Prediction:
    """Return a row without faults as a prediction."""
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
    return Prediction(**values)
