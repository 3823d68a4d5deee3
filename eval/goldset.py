"""The gold of one split, read once, as columns: what each query's answer is, and the universe that it is chosen from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mldr.dataset import Dataset
from mldr.errors import Faults, MldrError
from mldr.eval.hashing import gold_rows_hash, is_ascending
from mldr.eval.ragged import Bools, Ints, Ragged, as_ints, offsets_of

GOLD_COLUMNS = ["query_id", "kind", "utterance_ids", "image_ids"]
"""What scoring needs; the other columns are read when a slice asks for them."""
DIALOGUE_COLUMNS = ["dialogue_id", "language", "origin", "cluster_id", "n_utterances", "n_images", "textless_ids"]


@dataclass(frozen=True, slots=True)
class Universe:
    """What the queries of a split may retrieve, of one modality.

    Every id of every query has a place in one long array; `start` says where a query's ids begin.
    """

    size: Ints
    """Ids that exist, a query."""
    start: Ints
    gold: Bools
    """Of each place: whether it is gold."""
    textless: Bools | None
    """Of each place: whether it is outside the universe; None where nothing is."""
    candidates: Ints
    """Ids inside the universe, a query."""
    gold_ids: Ragged
    """Gold ids, a list a query."""
    textless_ids: Ragged | None
    """Ids outside the universe, a list a query; None where there are none."""

    @property
    def gold_count(self) -> Ints:
        """Gold ids, a query."""
        return self.gold_ids.lengths


@dataclass(frozen=True, slots=True)
class GoldSet:
    """The queries of a split, in the order of the dataset."""

    dataset_name: str
    split: str
    query_ids: pa.Array
    cluster: Ints
    """Of each query, 0-based."""
    n_clusters: int
    utt: Universe
    img: Universe
    gold: pa.Table
    """`query_id` and `kind`, a row a query."""
    dataset: Dataset | None
    """Where the other columns are."""
    dialogues: pa.Table
    """`DIALOGUE_COLUMNS`, a row a dialogue."""
    dialogue: Ints
    """Of each query: its row in `dialogues`."""

    def __len__(self) -> int:
        return len(self.query_ids)

    def hash(self) -> str:
        """Return the gold_hash, worked out from what was read."""
        nothing = Ragged(np.zeros(0, dtype=np.int32), np.zeros(len(self) + 1, dtype=np.int64))
        textless = self.utt.textless_ids or nothing
        return gold_rows_hash(
            self.query_ids, self.utt.gold_ids, self.img.gold_ids, self.utt.size, textless, self.img.size
        )

    def column(self, name: str) -> pa.Array:
        """Return a column of the gold table, a value a query."""
        if name in self.gold.column_names or self.dataset is None:
            return _one_chunk(self.gold.column(name))
        table = self.dataset.arrow("gold", self.split, ["query_id", name])
        return _one_chunk(_in_order(table, self.query_ids, self.split).column(name))

    def kind(self, position: int) -> str:
        """Return the kind of one query's gold."""
        return str(self.gold.column("kind")[position].as_py())

    def ids(self, position: int) -> tuple[list[int], list[int]]:
        """Return the gold utterance ids and image ids of one query, ascending."""
        found = []
        for universe in (self.utt, self.img):
            start = int(universe.start[position])
            found.append(np.flatnonzero(universe.gold[start : start + int(universe.size[position])]).tolist())
        return found[0], found[1]


def read_query_ids(dataset: Dataset, split: str) -> pa.Array:
    """Return the query ids of a split, for validation without gold."""
    return _one_chunk(dataset.arrow("queries", split, ["query_id"]).column("query_id"))


def read_gold(dataset: Dataset, split: str) -> GoldSet:
    """Return the gold of a split.

    Raises:
        MldrError: if its gold is withheld.
        InputError: with each query that has no gold, gold that has no query or dialogue, and id that does not exist.
    """
    if not dataset.has_gold(split):
        raise MldrError(f"{dataset.folder}: the gold of {split} is withheld, so nothing can be scored against it here")
    place = f"{dataset.folder}, gold of {split}"
    dialogues = dataset.arrow("dialogues", split, DIALOGUE_COLUMNS).combine_chunks()
    queries = dataset.arrow("queries", split, ["query_id", "dialogue_id"]).combine_chunks()
    query_ids = _one_chunk(queries.column("query_id"))
    gold = _in_order(dataset.arrow("gold", split, GOLD_COLUMNS), query_ids, place)
    dialogue_rows = pc.index_in(queries.column("dialogue_id"), value_set=_one_chunk(dialogues.column("dialogue_id")))
    _check_dialogues(dialogue_rows, query_ids, f"{dataset.folder}, queries of {split}")
    dialogue = as_ints(_one_chunk(dialogue_rows))
    cluster = _compact(as_ints(_one_chunk(dialogues.column("cluster_id")).dictionary_encode().indices)[dialogue])
    textless = Ragged.from_arrow(dialogues.column("textless_ids")).ascending()
    ids = [Ragged.from_arrow(gold.column(name)).ascending() for name in ("utterance_ids", "image_ids")]
    n_utterances = as_ints(_one_chunk(dialogues.column("n_utterances")))[dialogue]
    n_images = as_ints(_one_chunk(dialogues.column("n_images")))[dialogue]
    no_text = textless.take(dialogue)
    faults = Faults()
    _check_ids(ids[0], n_utterances, no_text, "utterance", query_ids, place, faults)
    _check_ids(ids[1], n_images, None, "image", query_ids, place, faults)
    faults.check()
    return GoldSet(
        dataset_name=dataset.name,
        split=split,
        query_ids=query_ids,
        cluster=cluster,
        n_clusters=int(cluster.max(initial=-1)) + 1,
        utt=universe_of(n_utterances, ids[0], no_text),
        img=universe_of(n_images, ids[1], None),
        gold=gold.select(["query_id", "kind"]),
        dataset=dataset,
        dialogues=dialogues,
        dialogue=dialogue,
    )


def _compact(codes: Ints) -> Ints:
    """Return codes without gaps: a cluster without a query is none here."""
    used = np.bincount(codes) > 0 if len(codes) else np.zeros(0, dtype=np.bool_)
    return np.asarray((np.cumsum(used) - 1)[codes])


def _one_chunk(column: Any) -> pa.Array:
    if not isinstance(column, pa.ChunkedArray):
        return column
    return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks or [pa.array([], column.type)])


def _in_order(gold: pa.Table, query_ids: pa.Array, place: str) -> pa.Table:
    """Return gold in the order of the queries, exactly one row for each.

    Raises:
        InputError: with each query without gold or with two, and each gold without query.
    """
    found = _one_chunk(gold.column("query_id"))
    faults = Faults()
    if not found.equals(query_ids) or not is_ascending(query_ids):
        for name, count in _repeated(query_ids):
            faults.add(place, f"query {name!r} stands {count} times in the queries")
        for name, count in _repeated(found):
            faults.add(place, f"query {name!r} has {count} rows of gold")
        for name in found.filter(pc.invert(pc.is_in(found, value_set=query_ids))).to_pylist():
            faults.add(place, f"{name!r} is no query of the split")
        for name in query_ids.filter(pc.invert(pc.is_in(query_ids, value_set=found))).to_pylist():
            faults.add(place, f"query {name!r} has no gold")
        faults.check()
        gold = gold.take(pc.index_in(query_ids, value_set=found))
    return gold.combine_chunks()


def _repeated(ids: pa.Array) -> Iterator[tuple[str, int]]:
    for entry in pc.value_counts(ids).to_pylist():
        if entry["counts"] > 1:
            yield entry["values"], entry["counts"]


def _check_dialogues(rows: Any, query_ids: pa.Array, place: str) -> None:
    faults = Faults()
    if rows.null_count:
        for name in query_ids.filter(_one_chunk(pc.is_null(rows))).to_pylist():
            faults.add(place, f"the dialogue of query {name!r} is not in the split")
    faults.check()


def _check_ids(
    ids: Ragged, size: Ints, textless: Ragged | None, kind: str, query_ids: pa.Array, place: str, faults: Faults
) -> None:
    """Note ids that do not exist, stand twice, or name an utterance without text."""
    owners = ids.owners
    outside = (ids.values < 0) | (ids.values >= size[owners])
    for position in np.flatnonzero(outside):
        query = int(owners[position])
        faults.add(
            f"{place}, query {query_ids[query].as_py()}",
            f"{kind} {int(ids.values[position])} does not exist; its dialogue has {int(size[query])} (0-based)",
        )
    for position in np.flatnonzero(ids.repeats()):
        words = f"{kind} {int(ids.values[position])} stands twice"
        faults.add(f"{place}, query {query_ids[int(owners[position])].as_py()}", words)
    if textless is not None and len(textless.values) and not outside.any():
        start = offsets_of(size)[:-1]
        silent = np.zeros(int(size.sum()), dtype=np.bool_)
        silent[start[textless.owners] + textless.values] = True
        for position in np.flatnonzero(silent[start[owners] + ids.values]):
            words = f"{kind} {int(ids.values[position])} has no text, so it cannot be gold by its text"
            faults.add(f"{place}, query {query_ids[int(owners[position])].as_py()}", words)


def universe_of(size: Ints, ids: Ragged, textless: Ragged | None) -> Universe:
    """Return a universe.

    Args:
        size: ids that exist, a query.
        ids: the gold ids of each query, ascending, each below its size.
        textless: ids outside the universe, a list a query.
    """
    offsets = offsets_of(size)
    start, total = offsets[:-1], int(offsets[-1])
    gold = np.zeros(total, dtype=np.bool_)
    gold[start[ids.owners] + ids.values] = True
    if textless is None or not len(textless.values):
        return Universe(size, start, gold, None, size, ids, None)
    silent = np.zeros(total, dtype=np.bool_)
    silent[start[textless.owners] + textless.values] = True
    return Universe(size, start, gold, silent, size - textless.lengths, ids, textless)
