"""The hashes that name a benchmark and a set of answers: SHA-256 over canonical JSON, written by columns.

The text that is hashed is exactly `mldr.files.canonical_json` of the rows sorted by query_id; Arrow only writes it sooner.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mldr.eval.ragged import Ints, Ragged
from mldr.files import canonical_json

_SMALL = pa.array([str(number) for number in range(1_000)])
_BLOCK = 200_000
"""Rows that are written at once, so that the text of a million rows is never held whole."""


def gold_rows_hash(
    query_ids: pa.Array, utterances: Ragged, images: Ragged, n_utterances: Ints, textless: Ragged, n_images: Ints
) -> str:
    """Return the gold_hash: over (query_id, utterance_ids, image_ids, n_utterances, textless_ids, n_images).

    Lists are ascending.
    """
    columns = [
        _strings(query_ids),
        _lists(utterances),
        _lists(images),
        pa.array(n_utterances).cast(pa.string()),
        _lists(textless),
        pa.array(n_images).cast(pa.string()),
    ]
    return _hashed(query_ids, columns)


def answers_hash(
    query_ids: pa.Array,
    outcomes: Sequence[str],
    outcome: Ints,
    utterances: Ragged,
    images: Ragged,
    scores: tuple[list[list[float]] | None, list[list[float]] | None],
) -> str:
    """Return the predictions_hash: over (query_id, outcome, the ids as scored, their scores).

    Args:
        query_ids: of all queries.
        outcomes: the names of outcomes.
        outcome: of each query, a position in `outcomes`.
        utterances: the ids as scored, ascending.
        images: the same.
        scores: parallel to the ids of each query, None where no prediction carries any.
    """
    names = pa.array([json.dumps(name) for name in outcomes]).take(pa.array(outcome))
    nothing = pa.array(["[]"]).take(pa.array(np.zeros(len(query_ids), dtype=np.int64)))
    written = [nothing if lists is None else pa.array([canonical_json(one) for one in lists]) for lists in scores]
    return _hashed(query_ids, [_strings(query_ids), names, _lists(utterances), _lists(images), *written])


def is_ascending(ids: pa.Array) -> bool:
    """Say whether ids are strictly ascending, so sorted and distinct."""
    return len(ids) < 2 or pc.all(pc.less(ids[:-1], ids[1:])).as_py() is True


def _hashed(query_ids: pa.Array, columns: list[Any]) -> str:
    order = None if is_ascending(query_ids) else pc.sort_indices(query_ids)
    digest = hashlib.sha256(b"[")
    for start in range(0, len(query_ids), _BLOCK):
        if order is None:
            text = _joined([column.slice(start, _BLOCK) for column in columns])
        else:
            text = _joined([column.take(order.slice(start, _BLOCK)) for column in columns])
        digest.update(text if start else text[1:])
    digest.update(b"]")
    return digest.hexdigest()


def _joined(columns: list[Any]) -> memoryview:
    """Return the rows as JSON, each after a comma, one after another: Arrow's own buffer."""
    parts: list[Any] = [",["]
    for position, column in enumerate(columns):
        parts += [",", column] if position else [column]
    rows = pc.binary_join_element_wise(*parts, "]", "").cast(pa.large_string())
    ends = np.frombuffer(rows.buffers()[1], dtype=np.int64)[rows.offset : rows.offset + len(rows) + 1]
    return memoryview(rows.buffers()[2])[int(ends[0]) : int(ends[-1])]


def _strings(values: pa.Array) -> pa.Array:
    """Return strings as JSON writes them."""
    if pc.all(pc.match_substring_regex(values, r"^[A-Za-z0-9_.:+/-]*$")).as_py() in (True, None):
        return pc.binary_join_element_wise('"', values, '"', "")
    return pa.array([canonical_json(value) for value in values.to_pylist()])


def _words(values: Ints) -> pa.Array:
    """Return integers as text; ids are small, so that looking them up takes less than half the time of writing them."""
    if len(values) and values.min() >= 0 and values.max() < len(_SMALL):
        return _SMALL.take(pa.array(values))
    return pa.array(values).cast(pa.string())


def _lists(lists: Ragged) -> pa.Array:
    """Return lists of integers as JSON writes them."""
    words = _words(lists.values)
    joined = pc.binary_join(pa.ListArray.from_arrays(pa.array(lists.offsets, pa.int32()), words), ",")
    return pc.binary_join_element_wise("[", joined, "]", "")
