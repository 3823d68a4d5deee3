"""How well, and how surely, the cold-start model answered each training query: one Parquet row a query.

The numbers are kept, not the level, so that any rule can be tried later; `levels` holds the rules.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from mldr.errors import Faults
from mldr.eval.counts import per_query
from mldr.files import written_whole
from mldr.formats import format_line, upgraded
from mldr.retrievers.f2rvlm.entropy import mean_entropy
from mldr.retrievers.f2rvlm.levels import Level, levels
from mldr.retrievers.f2rvlm.rewards.f1 import modality_counts, shares
from mldr.retrievers.f2rvlm.rewards.target import Target
from mldr.shards import read_whole

__all__ = ["Grade", "Level", "levels", "mean_entropy", "read_grades", "write_grades"]

KIND = "grades"


@dataclass(frozen=True, slots=True)
class Grade:
    """What the cold-start model did with one query."""

    query_id: str
    f1: float
    """Of both modalities, weighed as the `weighted` F1 reward does, without its cost of length."""
    entropy: float
    """Mean entropy of the token distributions, nats."""
    n_tokens: int
    """Of the answer, its end token included."""
    response: str
    """The model's raw text."""
    utterance_f1: float
    """1 where answer and gold name no utterance; 0 for an answer that cannot be parsed."""
    image_f1: float
    """As `utterance_f1`, of images."""

    @classmethod
    def of(cls, query_id: str, response: str, target: Target, *, entropy: float, n_tokens: int) -> Grade:
        """Return the grade of one answer: its F1 by the parser and the F1 of evaluation and rewards.

        Args:
            query_id: of the query.
            response: the model's raw text.
            target: the query's gold.
            entropy: as `mean_entropy` gives it.
            n_tokens: of the answer.
        """
        utterances, images = modality_counts([response], [target])
        of_utterances, of_images = float(per_query(utterances, "f1")[0]), float(per_query(images, "f1")[0])
        weights = shares(utterances, images)
        f1 = float(weights[0][0]) * of_utterances + float(weights[1][0]) * of_images
        return cls(query_id, f1, entropy, n_tokens, response, of_utterances, of_images)


_TYPES = {"str": pa.string(), "float": pa.float64(), "int": pa.int32()}
SCHEMA = pa.schema([pa.field(one.name, _TYPES[str(one.type)], nullable=False) for one in fields(Grade)])


def write_grades(path: Path, rows: Iterable[Grade]) -> None:
    """Write grades to a Parquet file, by query_id, whole or not at all: the same grades are the same bytes.

    Half of a surrogate pair in a response is written as `?`: no file of text can hold it.

    Raises:
        InputError: as `read_grades`, for a number that is none and a query that stands twice.
    """
    ordered = sorted(rows, key=lambda row: row.query_id)
    _check(str(path), ordered)
    columns = {name: [getattr(row, name) for row in ordered] for name in SCHEMA.names}
    columns["response"] = [text.encode("utf-8", "replace").decode("utf-8") for text in columns["response"]]
    table = pa.table(columns, schema=SCHEMA).replace_schema_metadata({"format": format_line(KIND)})
    with written_whole(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")


def read_grades(path: Path) -> list[Grade]:
    """Return the grades of a file, by query_id.

    Raises:
        InputError: for a column that is missing or of another type, a null, an F1 outside 0 to 1, an entropy that is negative
            or no number, a query that stands twice.
        MldrError: if the file cannot be read, is no such file, or a newer mldr wrote it.
    """
    table = read_whole(path)
    metadata = table.schema.metadata or {}
    upgraded({"format": metadata.get(b"format", b"").decode("utf-8", "replace")}, KIND, str(path))
    faults = Faults()
    for column in SCHEMA:
        at = table.schema.get_field_index(column.name)
        if at < 0 or table.schema.field(at).type != column.type:
            found = "is missing" if at < 0 else f"is {table.schema.field(at).type}"
            faults.add(f"{path}, column {column.name}", f"{found}; {column.type} is expected; grade again")
        elif table.column(at).null_count:
            faults.add(f"{path}, column {column.name}", "holds a null; grade again")
    faults.check()
    rows = [Grade(**row) for row in table.select(SCHEMA.names).to_pylist()]
    _check(str(path), rows)
    return sorted(rows, key=lambda row: row.query_id)


def _check(place: str, rows: Iterable[Grade]) -> None:
    faults = Faults()
    seen: set[str] = set()
    for row in rows:
        where = f"{place}, query {row.query_id}"
        if row.query_id in seen:
            faults.add(where, "stands twice; one grade a query")
        seen.add(row.query_id)
        for name in ("f1", "utterance_f1", "image_f1"):
            if not 0 <= getattr(row, name) <= 1:
                faults.add(where, f"{name} is {getattr(row, name)}; it lies between 0 and 1")
        if not 0 <= row.entropy < math.inf:
            faults.add(where, f"entropy is {row.entropy}; it is a number of nats, 0 or more")
        if row.n_tokens < 1:
            faults.add(where, f"n_tokens is {row.n_tokens}; the end token counts, so it is 1 or more")
    faults.check()
