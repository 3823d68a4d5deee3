"""Slices: the queries of a split by anything known about them, or by a column of a table keyed by query_id."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mldr.errors import Fault, InputError, MldrError, first_line
from mldr.eval.goldset import GoldSet
from mldr.eval.ragged import Floats, Ints, as_ints

FEW = 20
"""A slice of fewer clusters says so."""
_MANY_VALUES = 12
"""A numeric column of a table with more values than this is cut at its quartiles."""
_MOST_SLICES = 200
"""A column of a table with more values is no way to part queries; each slice costs memory."""
NOT_IN_TABLE = "(not in the table)"


@dataclass(frozen=True, slots=True)
class Slicing:
    """One way to part the queries."""

    name: str
    labels: tuple[str, ...]
    code: Ints
    """Of each query: a position in `labels`."""


def slicings(gold: GoldSet, names: Sequence[str], table: Path | None = None) -> list[Slicing]:
    """Return the slicings of some names.

    Args:
        gold: the queries.
        names: built-in names, or columns of `table`.
        table: a Parquet file keyed by query_id.

    Raises:
        InputError: with every name that is none.
        MldrError: if the table cannot be read or names a query twice.
    """
    extra = _read_table(table) if table is not None else None
    faults = []
    found = []
    for name in dict.fromkeys(names):
        if extra is not None and name in extra.column_names and name != "query_id":
            found.append(_from_table(gold, extra, name))
        elif name in BUILT_IN:
            found.append(BUILT_IN[name](gold, name))
        else:
            known = [*BUILT_IN, *(column for column in (extra.column_names if extra else ()) if column != "query_id")]
            faults.append(Fault("--by", f"nothing is known as {name!r}; known are {', '.join(known)}"))
    if faults:
        raise InputError(faults)
    return found


def _coded(name: str, values: Any) -> Slicing:
    """Return a slicing by the distinct values of a column, in alphabetical order."""
    labels = sorted({str(value) for value in pc.unique(values).to_pylist()})
    codes = pc.index_in(values.cast(pa.string()), value_set=pa.array(labels, pa.string()))
    return Slicing(name, tuple(label or "(none)" for label in labels), as_ints(codes))


def _of_gold(gold: GoldSet, name: str) -> Slicing:
    return _coded(name, gold.column(name))


def _of_dialogue(gold: GoldSet, name: str) -> Slicing:
    return _coded(name, gold.dialogues.column(name).combine_chunks().take(pa.array(gold.dialogue)))


def _binned(name: str, values: Floats, edges: Sequence[float], labels: Sequence[str], none: str = "") -> Slicing:
    """Return a slicing by bins (previous edge, edge]; NaN goes to a bin of its own."""
    codes = np.searchsorted(np.asarray(edges), values, side="left").astype(np.int64)
    named = list(labels)
    if none:
        codes = np.where(np.isnan(values), len(named), codes)
        named.append(none)
    used = np.unique(codes)
    return Slicing(name, tuple(named[code] for code in used), np.searchsorted(used, codes).astype(np.int64))


def _n_utterances(gold: GoldSet, name: str) -> Slicing:
    labels = ("up to 10", "11 to 20", "21 to 35", "36 to 65", "66 to 100", "more than 100")
    return _binned(name, gold.utt.size.astype(np.float64), (10, 20, 35, 65, 100), labels)


def _n_images(gold: GoldSet, name: str) -> Slicing:
    labels = ("0", "1", "2", "3 to 4", "5 to 8", "more than 8")
    return _binned(name, gold.img.size.astype(np.float64), (0, 1, 2, 4, 8), labels)


def _density(gold: GoldSet, name: str) -> Slicing:
    items = (gold.utt.gold_count + gold.img.gold_count).astype(np.float64)
    universe = gold.utt.candidates + gold.img.candidates
    share = np.divide(items, universe, out=np.zeros_like(items), where=universe > 0)
    labels = ("0 %", "up to 10 %", "up to 25 %", "up to 50 %", "more than 50 %")
    return _binned(name, share, (0.0, 0.1, 0.25, 0.5), labels)


def _span(gold: GoldSet) -> tuple[Floats, Floats]:
    """Return the first and the last gold utterance of each query, NaN where there is none."""
    ids = gold.utt.gold_ids  # ascending
    first, last = np.full(len(ids), np.nan), np.full(len(ids), np.nan)
    some = ids.lengths > 0
    first[some] = ids.values[ids.offsets[:-1][some]]
    last[some] = ids.values[ids.offsets[1:][some] - 1]
    return first, last


def _scatter(gold: GoldSet, name: str) -> Slicing:
    first, last = _span(gold)
    size = gold.utt.gold_count.astype(np.float64)
    ratio = np.divide(last - first + 1, size, out=np.full(len(size), np.nan), where=size > 0)
    labels = ("1 (contiguous)", "up to 2", "up to 4", "more than 4")
    return _binned(name, ratio, (1.0, 2.0, 4.0), labels, "no gold utterance")


def _position(gold: GoldSet, name: str) -> Slicing:
    first, last = _span(gold)
    middle = (first + last + 1) / 2 / np.maximum(gold.utt.size, 1)
    labels = ("first third", "middle third", "last third")
    return _binned(name, middle, (1 / 3, 2 / 3), labels, "no gold utterance")


BUILT_IN: dict[str, Callable[[GoldSet, str], Slicing]] = {
    **dict.fromkeys(("kind", "level", "label_source", "label_model", "negative_type"), _of_gold),
    **dict.fromkeys(("language", "origin"), _of_dialogue),
    "n_utterances": _n_utterances,
    "n_images": _n_images,
    "gold_density": _density,
    "scatter": _scatter,
    "topic_position": _position,
}
"""Name -> what parts the queries by it."""


def _read_table(path: Path) -> pa.Table:
    try:
        table = pq.read_table(path)
    except FileNotFoundError as error:
        raise MldrError(f"{path}: no such file") from error
    except (pa.ArrowException, OSError) as error:
        raise MldrError(f"{path}: not a Parquet file that can be read ({first_line(error)})") from error
    if "query_id" not in table.column_names:
        raise MldrError(f"{path}: lacks the column 'query_id' by which a table is joined")
    named = _plain(table.column("query_id"))
    if not (pa.types.is_string(named.type) or pa.types.is_large_string(named.type) or pa.types.is_integer(named.type)):
        raise MldrError(f"{path}: the column 'query_id' is {named.type}; words are expected")
    if pc.count_distinct(named).as_py() < table.num_rows:
        raise MldrError(f"{path}: names a query twice; one row a query is expected")
    return table


def _plain(column: pa.ChunkedArray) -> pa.Array:
    """Return a column as one array, categories as their words."""
    array = column.combine_chunks()
    array = pa.concat_arrays(array.chunks) if isinstance(array, pa.ChunkedArray) else array
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def _from_table(gold: GoldSet, table: pa.Table, name: str) -> Slicing:
    rows = pc.index_in(gold.query_ids, value_set=_plain(table.column("query_id")).cast(pa.string()))
    if rows.null_count == len(rows):
        raise MldrError("the table names no query of this split; it belongs to another split or dataset")
    column = _plain(table.column(name))
    if pa.types.is_nested(column.type) or pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        raise MldrError(f"the table's column {name!r} is {column.type}; numbers or words are expected")
    try:
        return _parted(name, column, rows)
    except pa.ArrowException as error:
        words = first_line(error)
        raise MldrError(f"the table's column {name!r} ({column.type}) cannot part the queries ({words})") from error


def _parted(name: str, column: pa.Array, rows: pa.Array) -> Slicing:
    values = column.take(rows)
    if (pa.types.is_floating(column.type) or pa.types.is_integer(column.type)) and (
        pc.count_distinct(column).as_py() > _MANY_VALUES
    ):
        return _quartiles(name, np.asarray(values.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)))
    words = pc.fill_null(values.cast(pa.string()), NOT_IN_TABLE)
    if (count := pc.count_distinct(words).as_py()) > _MOST_SLICES:
        raise MldrError(f"the table's column {name!r} has {count:,} values; at most {_MOST_SLICES} slices can be made")
    return _coded(name, words)


def _quartiles(name: str, values: Floats) -> Slicing:
    finite = values[np.isfinite(values)]
    if not len(finite):
        return Slicing(name, (NOT_IN_TABLE,), np.zeros(len(values), dtype=np.int64))
    edges = np.unique(np.quantile(finite, (0.25, 0.5, 0.75)))
    shown = next(
        words for digits in range(4, 18) if len(set(words := [f"{e:.{digits}g}" for e in edges])) == len(edges)
    )
    labels = [
        f"up to {shown[0]}",
        *(f"{a} to {b}" for a, b in itertools.pairwise(shown)),
        f"above {shown[-1]}",
    ]
    return _binned(name, values, tuple(edges), labels, NOT_IN_TABLE)
