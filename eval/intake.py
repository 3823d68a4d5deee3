"""Predictions files as columns: quickly where a file is plainly well formed, else row by row with every fault named.

The quick way accepts only what the strict one would accept too; whatever it is unsure of, it leaves to `mldr.eval.reader`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj
import pyarrow.parquet as pq

from mldr.answers import parse_answer
from mldr.eval.prediction import CLAIMABLE, COLUMNS, MAX_ID, Prediction
from mldr.eval.ragged import Bools, Floats, Ints, Ragged, as_ints, offsets_of
from mldr.eval.reader import is_parquet, read_predictions, schema_faults
from mldr.files import parse_json

_FAR = MAX_ID
"""Where ids of a response go that are further away than any dialogue reaches."""
_BLOCK = 4 * 1024 * 1024
_PIECE = 4 * 1024 * 1024
_LARGEST = 2 * 1024 * 1024 * 1024
"""A file above it is read row by row, which holds one line at a time."""

SCHEMA = pa.schema(
    [
        ("query_id", pa.string()),
        ("utterance_ids", pa.list_(pa.int32())),
        ("image_ids", pa.list_(pa.int32())),
        ("response", pa.string()),
        ("utterance_scores", pa.list_(pa.float64())),
        ("image_scores", pa.list_(pa.float64())),
        ("latency_s", pa.float64()),
        ("outcome", pa.string()),
        ("meta", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class PredictionTable:
    """The rows of a predictions file."""

    query: Ints
    """Of each row: the position of its query in the gold set."""
    claimed: Ints
    """Of each row: 0, or 1 + the position in `CLAIMABLE` of an outcome that it claims or that its response earned."""
    utterances: Ragged
    images: Ragged
    utterance_scores: Floats | None
    """Parallel to the values of `utterances`; NaN in rows without scores; None where no row has any."""
    image_scores: Floats | None
    latency: Floats
    """Seconds, NaN where a row does not say."""

    def __len__(self) -> int:
        return len(self.query)


def read_table(path: Path, query_ids: pa.Array) -> PredictionTable:
    """Return the predictions of a whole file.

    Args:
        path: a JSONL or Parquet file; which of them is told by its first bytes.
        query_ids: the queries of the split, in order.

    Raises:
        InputError: with every fault, each with its line or row.
        MldrError: if the file cannot be read at all.
    """
    table = _quick_parquet(path) if is_parquet(path) else _quick_json(path)
    quick = None if table is None else _from_arrow(table, query_ids)
    if quick is not None:
        return quick
    known = {name: position for position, name in enumerate(query_ids.to_pylist())}
    return from_predictions(read_predictions(path, known).values(), known)


def from_predictions(predictions: Iterable[Prediction], known: dict[str, int]) -> PredictionTable:
    """Return predictions in memory as a table.

    Args:
        predictions: one a query at most.
        known: query_id -> its position in the gold set; predictions of other queries are left out.
    """
    rows = [prediction for prediction in predictions if prediction.query_id in known]
    answers = [_ids(row) for row in rows]
    claims = [
        1 + CLAIMABLE.index(row.outcome or "parse_error") if row.outcome or answer is None else 0
        for row, answer in zip(rows, answers, strict=True)
    ]
    utterances, images = ([(answer or ((), ()))[side] for answer in answers] for side in (0, 1))
    return PredictionTable(
        query=np.array([known[row.query_id] for row in rows], dtype=np.int64),
        claimed=np.array(claims, dtype=np.int64),
        utterances=Ragged.of(utterances),
        images=Ragged.of(images),
        utterance_scores=_flat_scores([None if row.outcome else row.utterance_scores for row in rows], utterances),
        image_scores=_flat_scores([None if row.outcome else row.image_scores for row in rows], images),
        latency=np.array([np.nan if row.latency_s is None else row.latency_s for row in rows], dtype=np.float64),
    )


def _ids(row: Prediction) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    if row.outcome:
        return (), ()
    if row.utterance_ids is not None and row.image_ids is not None:
        return _near(row.utterance_ids), _near(row.image_ids)
    return _parsed(row.response or "")


def _near(ids: tuple[int, ...]) -> tuple[int, ...]:
    """Return ids with those that no dialogue reaches moved to where 32 bits hold them, distinct ones apart."""
    far: dict[int, int] = {}
    return tuple(i if -_FAR < i < _FAR else far.setdefault(i, _FAR - len(far)) for i in ids)


def _parsed(response: str) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """Return the ids of a response, or None."""
    answer = parse_answer(response)
    if answer is None:
        return None
    return _near(answer.utterance_ids), _near(answer.image_ids)


def _flat_scores(scores: list[tuple[float, ...] | None], ids: list[tuple[int, ...]]) -> Floats | None:
    if all(one is None for one in scores):
        return None
    filled = [[np.nan] * len(own) if one is None else one for one, own in zip(scores, ids, strict=True)]
    return np.array([score for one in filled for score in one], dtype=np.float64)


def _quick_json(path: Path) -> pa.Table | None:
    """Return a JSONL file as Arrow, or None where that would be less than certain."""
    size = path.stat().st_size
    if not 0 < size <= _LARGEST:
        return None
    with path.open("rb") as stream, mmap(stream.fileno(), 0, access=ACCESS_READ) as content:
        # A null is a fault where it stands for a value; Arrow would take it for an absent one.
        lines = None if content.find(b"null") >= 0 else _plain_lines(np.frombuffer(content, dtype=np.uint8))
        if lines is None:
            return None
        options = pj.ParseOptions(explicit_schema=SCHEMA, unexpected_field_behavior="error")
        try:
            table = pj.read_json(path, pj.ReadOptions(block_size=_BLOCK), options)
            table.validate(full=True)  # Arrow takes strings that are no UTF-8, and says so only here
        except (pa.ArrowException, OSError, UnicodeEncodeError):  # the last: a path that is no UTF-8
            return None
    return table if table.num_rows == lines else None


def _plain_lines(content: Any) -> int | None:
    """Return how many lines there are if each starts with { and ends with }, else None.

    With as many rows as such lines no object can stand on two lines, nor two on one.
    """
    pieces = range(0, len(content), _PIECE)  # piece by piece, so that no second copy of the file is made
    ends = np.concatenate([np.flatnonzero(content[start : start + _PIECE] == 10) + start for start in pieces])
    if not len(ends) or ends[-1] != len(content) - 1:
        ends = np.append(ends, len(content))
    starts = np.concatenate([[0], ends[:-1] + 1])
    last = ends - 1
    last = np.where((last > starts) & (content[last] == 13), last - 1, last)
    if (starts > last).any() or (content[starts] != 123).any() or (content[last] != 125).any():
        return None
    return len(ends)


def _quick_parquet(path: Path) -> pa.Table | None:
    try:
        with pq.ParquetFile(path) as file:
            if any(True for _ in schema_faults(file.schema_arrow)) or not file.metadata.num_rows:
                return None
            table = file.read()
            table.validate(full=True)
            for name in SCHEMA.names:
                column = table.column(name) if name in table.column_names else pa.nulls(table.num_rows)
                if name in table.column_names:
                    position = table.column_names.index(name)
                    table = table.set_column(position, name, column.cast(SCHEMA.field(name).type))
                else:
                    table = table.append_column(name, column.cast(SCHEMA.field(name).type))
            return table
    except (pa.ArrowException, OSError, ValueError, OverflowError):
        return None


def _from_arrow(table: pa.Table, query_ids: pa.Array) -> PredictionTable | None:
    """Return an Arrow table of predictions, or None where a row has a fault, which the strict way will name."""
    if sorted(table.column_names) != sorted(COLUMNS):
        return None
    column = {name: _one(table.column(name)) for name in COLUMNS}
    query = _queries(column["query_id"], query_ids)
    try:
        ids = [Ragged.from_arrow(column[name]) for name in ("utterance_ids", "image_ids")]
    except ValueError:
        return None
    has_ids = _present(column["utterance_ids"])
    claims = pc.index_in(column["outcome"], value_set=pa.array(CLAIMABLE))
    if query is None or not _sound(column, ids, has_ids, claims):
        return None
    scores = []
    for name, own in (("utterance_scores", ids[0]), ("image_scores", ids[1])):
        fine, flat = _scores(column[name], own, has_ids)
        if not fine:
            return None
        scores.append(flat)
    claimed = as_ints(pc.fill_null(pc.add(claims.cast(pa.int64()), 1), 0))
    claimed, ids, scores = _with_responses(column["response"], has_ids, claimed, ids, scores)
    latency = np.array(column["latency_s"].to_numpy(zero_copy_only=False), dtype=np.float64)
    return PredictionTable(query, claimed, ids[0], ids[1], scores[0], scores[1], latency)


def _one(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks)


def _queries(named: pa.Array, query_ids: pa.Array) -> Ints | None:
    """Return the position of each row's query, or None where one is null, unknown or named twice."""
    if named.equals(query_ids):
        return np.arange(len(query_ids), dtype=np.int64)
    found = pc.index_in(named, value_set=query_ids)
    if found.null_count or not len(found):
        return None
    query = as_ints(found)
    return query if np.bincount(query, minlength=len(query_ids)).max() <= 1 else None


def _sound(column: dict[str, Any], ids: list[Ragged], has_ids: Bools, claims: Any) -> bool:
    """Say whether every row is without fault, as far as it is not scores."""
    for own in ids:
        if len(own.values) and own.values.min() < 0:
            return False
    claiming = _present(column["outcome"])
    if claims.null_count > int((~claiming).sum()):
        return False
    if not (has_ids == _present(column["image_ids"])).all():
        return False
    if not (has_ids | _present(column["response"]) | claiming).all():
        return False
    latency = column["latency_s"].drop_null().to_numpy(zero_copy_only=False)
    if len(latency) and not (np.isfinite(latency).all() and latency.min() >= 0):
        return False
    return _good_metas(column["meta"])


def _good_metas(metas: Any) -> bool:
    """Say whether every distinct meta is '' or a JSON object."""
    for meta in pc.unique(metas.drop_null()).to_pylist():
        if meta:
            try:
                if not isinstance(parse_json(meta), dict):
                    return False
            except ValueError:
                return False
    return True


def _present(array: Any) -> Bools:
    return np.asarray(array.is_valid().to_numpy(zero_copy_only=False), dtype=np.bool_)


def _scores(column: Any, ids: Ragged, has_ids: Bools) -> tuple[bool, Floats | None]:
    """Return whether a column of score lists is sound, and its values parallel to those of the ids."""
    present = _present(column)
    if not present.any():
        return True, None
    if (present & ~has_ids).any():
        return False, None
    lengths = column.value_lengths().fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    flat = column.flatten()
    if flat.null_count or (lengths != ids.lengths)[present].any():
        return False, None
    values = np.asarray(flat.to_numpy(zero_copy_only=False), dtype=np.float64)
    if not np.isfinite(values).all():
        return False, None
    filled = np.full(len(ids.values), np.nan)
    filled[np.repeat(present, ids.lengths)] = values
    return True, filled


def _with_responses(
    responses: Any, has_ids: Bools, claimed: Ints, ids: list[Ragged], scores: list[Floats | None]
) -> tuple[Ints, list[Ragged], list[Floats | None]]:
    """Return claims, ids and scores with the ids of rows that give a response alone; parse errors become claims."""
    rows = np.flatnonzero(~has_ids & (claimed == 0))
    if not len(rows):
        return claimed, ids, scores
    claimed = claimed.copy()
    parsed = [_parsed(text or "") for text in responses.take(pa.array(rows)).to_pylist()]
    wrong = np.array([answer is None for answer in parsed], dtype=np.bool_)
    claimed[rows[wrong]] = 1 + CLAIMABLE.index("parse_error")
    merged = []
    for side, own in enumerate(ids):
        added = Ragged.of([(answer or ((), ()))[side] for answer in parsed])
        lengths = own.lengths
        lengths[rows] = added.lengths
        fresh = np.zeros(len(lengths), dtype=np.bool_)
        fresh[rows] = True
        is_fresh = np.repeat(fresh, lengths)
        values = np.zeros(len(is_fresh), dtype=np.int32)
        values[is_fresh], values[~is_fresh] = added.values, own.values
        merged.append(Ragged(values, offsets_of(lengths)))
        if (old := scores[side]) is not None:
            wider = np.full(len(is_fresh), np.nan)
            wider[~is_fresh] = old
            scores[side] = wider
    return claimed, merged, scores
