"""Predictions files, JSONL or Parquet, from strangers: every fault with its line, never half of the rows."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from mldr.errors import Faults, InputError, MldrError, fault, first_line
from mldr.eval.prediction import COLUMNS, Prediction, from_row, row_faults
from mldr.files import parse_json, read_lines

PARQUET_MAGIC = b"PAR1"
_GZIP_MAGIC = b"\x1f\x8b"
_ARTEFACT = re.compile(rb'"format":\s*"mldr/([\w-]+)@')
_LOOKED_AT = 1024 * 1024


def read_predictions(path: Path, query_ids: Container[str]) -> dict[str, Prediction]:
    """Return query_id -> prediction of a whole file.

    Args:
        path: a JSONL or Parquet file; which of them is told by its first bytes.
        query_ids: the queries of the split that it answers.

    Raises:
        InputError: with every fault: no such text, bad JSON, wrong types, unknown columns, unknown and duplicate ids.
        MldrError: if it cannot be read at all.
    """
    faults = Faults()
    found: dict[str, Prediction] = {}
    places: dict[str, str] = {}
    rows = _parquet_rows(path, faults) if is_parquet(path) else _json_rows(path, faults)
    count = unknown = 0
    for place, row in _until_it_fails(rows, faults):
        count += 1
        wrong = list(row_faults(row))
        for message in wrong:
            faults.add(f"{path}, {place}", message)
        if wrong:
            continue
        prediction = from_row(row)
        unknown += prediction.query_id not in query_ids
        if prediction.query_id in places:
            message = f"query_id {prediction.query_id!r} again; its first row is {places[prediction.query_id]}"
            faults.add(f"{path}, {place}", message)
        elif prediction.query_id not in query_ids:
            faults.add(f"{path}, {place}", f"query_id {prediction.query_id!r} is not among the split's queries")
        else:
            found[prediction.query_id] = prediction
        places.setdefault(prediction.query_id, place)
    if count and unknown == count:
        raise MldrError(
            f"{path}: none of its {count:,} query ids is in this split; it answers another split or dataset"
        )
    if not count and not faults:
        faults.add(str(path), "holds no prediction")
    faults.check()
    return found


def _until_it_fails(rows: Iterator[tuple[str, Any]], faults: Faults) -> Iterator[tuple[str, Any]]:
    """Yield rows; what ends the reading early joins the faults that were found before it."""
    try:
        yield from rows
    except InputError as error:
        faults.extend(error.faults)


def is_parquet(path: Path) -> bool:
    """Say whether a predictions file is Parquet, by its first bytes.

    Raises:
        MldrError: if there is no such file, or it holds another artefact of mldr (scores, a manifest).
    """
    if path.is_dir():
        raise MldrError(f"{path}: a folder; a predictions file (JSONL or Parquet) is expected")
    if path.exists() and not path.is_file():
        raise MldrError(f"{path}: a pipe or device, which can be read only once; save the predictions to a file first")
    try:
        with path.open("rb") as stream:
            start = stream.read(4_096)
            if start.lstrip()[:2] in (b"{\n", b"[\n"):  # an indented document, as our commands print them
                start += stream.read(_LOOKED_AT)
    except FileNotFoundError as error:
        raise MldrError(f"{path}: no such file") from error
    if start.lstrip()[:1] in (b"{", b"[") and (artefact := _ARTEFACT.search(start)):
        kind = artefact[1].decode("ascii", "replace")
        raise MldrError(f"{path}: holds {kind} of mldr, not predictions (one JSON object a query, a line each)")
    if start.startswith(_GZIP_MAGIC):
        raise MldrError(f"{path}: packed with gzip; unpack it first")
    return start.startswith(PARQUET_MAGIC)


def _json_rows(path: Path, faults: Faults) -> Iterator[tuple[str, Any]]:
    for number, line in read_lines(path):
        if b"\0" in line:
            faults.add(f"{path}, line {number}", "holds a NUL byte; a text file of JSON lines, or Parquet, is expected")
            return  # no text: its other "lines" would say the same
        try:
            row = parse_json(line)
        except ValueError as error:
            faults.add(f"{path}, line {number}", str(error))
            continue
        yield f"line {number}", row


def _parquet_rows(path: Path, faults: Faults) -> Iterator[tuple[str, Any]]:
    try:
        with pq.ParquetFile(path) as file:
            wrong = list(schema_faults(file.schema_arrow))
            for message in wrong:
                faults.add(str(path), message)
            if wrong:
                return
            number = 0
            for batch in file.iter_batches(batch_size=10_000):
                for row in batch.to_pylist():
                    number += 1
                    yield f"row {number}", _without_nulls(row)
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        reason = first_line(error)
        raise fault(str(path), f"not a Parquet file that can be read ({reason})") from error


def _without_nulls(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value is not None}


def schema_faults(schema: pa.Schema) -> Iterator[str]:
    """Yield what is wrong with the columns of a Parquet file: unknown ones, other types, a name twice."""
    if len(set(schema.names)) < len(schema.names):
        yield "has two columns of one name"
    for field in schema:
        if field.name not in COLUMNS:
            yield f"unknown column {field.name!r}; a prediction has {', '.join(COLUMNS)}"
        elif not _fits(field.name, field.type):
            yield f"column {field.name!r} is {field.type}; {_EXPECTED[field.name]} is expected"
    if "query_id" not in schema.names:
        yield "lacks the column 'query_id'"


_EXPECTED = {
    **dict.fromkeys(("query_id", "response", "outcome", "meta"), "string"),
    **dict.fromkeys(("utterance_ids", "image_ids"), "a list of integers"),
    **dict.fromkeys(("utterance_scores", "image_scores"), "a list of numbers"),
    "latency_s": "a number",
}


def _fits(name: str, kind: pa.DataType) -> bool:
    if pa.types.is_null(kind):
        return name != "query_id"
    expected = _EXPECTED[name]
    if pa.types.is_dictionary(kind):
        kind = kind.value_type  # a pandas category
    if expected == "string":
        return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
    if expected == "a number":
        return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind))
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind)):
        return False
    inner = kind.value_type
    of_ids = expected == "a list of integers"
    fits = pa.types.is_integer(inner) or (not of_ids and pa.types.is_floating(inner))
    return bool(pa.types.is_null(inner) or fits)
