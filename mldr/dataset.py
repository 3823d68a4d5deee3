"""The dataset object: a folder of five tables, read as records when they are asked for, and joined."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pyarrow as pa

from mldr.dialogue import Dialogue, Fragment, Gold, Query, StoredImage
from mldr.errors import MldrError, fault, first_line
from mldr.manifest import MANIFEST, Manifest, read_manifest
from mldr.shards import check_columns, read_batches, read_shard, read_whole
from mldr.tables import KEYS, TABLES, Table, arrow_schema, from_row

if TYPE_CHECKING:
    import pandas as pd

SPLITS = ("train_sft", "train_grpo", "validation", "test")
"""The splits of a built set, in the order in which they are shown."""

_SHARD = re.compile(r"(dialogues|queries|gold|fragments|images)/(\w+)-\d{5}-of-\d{5}\.parquet")
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True, slots=True)
class Asked:
    """One dialogue with all of its queries, and their gold where the split shows it."""

    dialogue: Dialogue
    queries: tuple[Query, ...]
    gold: tuple[Gold, ...]
    """Parallel to `queries`; empty where the gold is withheld."""


class Dataset:
    """A dataset folder. Nothing is read before it is asked for, and iteration streams.

    Args:
        folder: the folder that holds `manifest.json`.

    Raises:
        MldrError: if it holds none, or one of a newer format.
        InputError: if the manifest is malformed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest: Manifest = read_manifest(folder)
        self._files: dict[tuple[Table, str], list[Path]] = {}
        for name in sorted(self.manifest.files):
            if match := _SHARD.fullmatch(name):
                key = (cast(Table, match[1]), match[2])
                self._files.setdefault(key, []).append(folder / name)  # the pattern lets no path lead out
        self._rows: dict[Table, dict[str, tuple[Path, int]]] = {}

    @property
    def name(self) -> str:
        """The name of the dataset, `mldr-ffr-<recipe>` for a built one."""
        return self.manifest.name

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits that have dialogues, training first."""
        found = {split for table, split in self._files if table == "dialogues"}
        return tuple(sorted(found, key=lambda s: (SPLITS.index(s) if s in SPLITS else len(SPLITS), s)))

    def files(self, table: Table, split: str) -> list[Path]:
        """Return the shards of a table and split; none where the split has no such rows.

        Raises:
            MldrError: for a split that the dataset does not have.
        """
        if split not in self.splits:
            raise MldrError(f"{self.folder}: no split {split!r}; it has {', '.join(self.splits) or 'none'}")
        return self._files.get((table, split), [])

    def has_gold(self, split: str) -> bool:
        """Say whether the split shows its gold."""
        return bool(self.files("gold", split))

    def dialogues(self, split: str) -> Iterator[Dialogue]:
        """Yield the dialogues of a split, by dialogue_id.

        Raises:
            InputError: at a dialogue whose utterances carry images that it does not have.
        """
        for dialogue in cast(Iterator[Dialogue], self._records("dialogues", split)):
            if not all(0 <= image_id < dialogue.n_images for image_id in dialogue.carried_ids):
                ids = f"image ids are {list(dialogue.carried_ids)}; they run from 0 to {dialogue.n_images - 1}"
                raise fault(f"{self.folder}, dialogue {dialogue.dialogue_id}", f"{ids} in order of appearance")
            yield dialogue

    def queries(self, split: str) -> Iterator[Query]:
        """Yield the queries of a split, by dialogue_id and query_id."""
        return cast(Iterator[Query], self._records("queries", split))

    def gold(self, split: str) -> Iterator[Gold]:
        """Yield the gold of a split, in the order of its queries."""
        return cast(Iterator[Gold], self._records("gold", split))

    def fragments(self, split: str) -> Iterator[Fragment]:
        """Yield the fragments of a split."""
        return cast(Iterator[Fragment], self._records("fragments", split))

    def images(self, split: str) -> Iterator[StoredImage]:
        """Yield the stored images of a split, by key, with their bytes."""
        return cast(Iterator[StoredImage], self._records("images", split))

    def dialogue(self, dialogue_id: str) -> Dialogue:
        """Return one dialogue of any split.

        Raises:
            KeyError: if there is none with this id.
        """
        return cast(Dialogue, self._lookup("dialogues", dialogue_id))

    def image(self, image_key: str) -> StoredImage:
        """Return one stored image, with its bytes; `mldr.images.open_stored` decodes them.

        Raises:
            KeyError: if there is none with this key.
        """
        return cast(StoredImage, self._lookup("images", image_key))

    def image_or_missing(self, image_key: str) -> StoredImage:
        """Return one stored image, or one of status `missing` where the dataset has none of that key."""
        try:
            return self.image(image_key)
        except KeyError:
            return StoredImage(image_key, "missing")

    def asked(self, split: str, *, gold: bool = True) -> Iterator[Asked]:
        """Yield each dialogue with its queries and gold, by dialogue_id; dialogues without a query too.

        Args:
            split: of the dataset.
            gold: whether the gold is read at all; systems are shown dialogues from here without it.

        Raises:
            MldrError: if the tables do not fit one another; `mldr dataset verify` says where.
        """
        queries = groupby(self.queries(split), key=lambda query: query.dialogue_id)
        golds = self.gold(split) if gold and self.has_gold(split) else None
        pending = next(queries, None)
        for dialogue in self.dialogues(split):
            if pending is None or pending[0] != dialogue.dialogue_id:
                yield Asked(dialogue, (), ())
                continue
            asked = tuple(pending[1])
            yield Asked(dialogue, asked, self._gold_of(asked, golds) if golds is not None else ())
            pending = next(queries, None)
        if pending is not None:
            raise self._misfit(f"queries of dialogue {pending[0]!r} have no dialogue in their place")
        if golds is not None and next(golds, None) is not None:
            raise self._misfit("gold has more rows than queries")

    def _gold_of(self, queries: tuple[Query, ...], golds: Iterator[Gold]) -> tuple[Gold, ...]:
        found = []
        for query in queries:
            gold = next(golds, None)
            if gold is None or gold.query_id != query.query_id:
                raise self._misfit(f"query {query.query_id!r} has no gold in its place")
            found.append(gold)
        return tuple(found)

    def _misfit(self, what: str) -> MldrError:
        return MldrError(f"{self.folder}: {what}; see: mldr dataset verify {self.folder}")

    def arrow(self, table: Table, split: str, columns: list[str] | None = None) -> pa.Table:
        """Return a table of a split as an Arrow table, extra columns included."""
        tables = [read_whole(path, columns) for path in self.files(table, split)]
        if tables:
            return pa.concat_tables(tables, promote_options="permissive")
        schema = arrow_schema(table)
        return schema.empty_table() if columns is None else schema.empty_table().select(columns)

    def to_pandas(self, table: Table, split: str) -> pd.DataFrame:
        """Return a table of a split as a pandas frame; image bytes stay encoded."""
        return cast("pd.DataFrame", self.arrow(table, split).to_pandas())

    def extra_columns(self) -> dict[str, list[str]]:
        """Return path -> columns that the design does not know, for files that have some."""
        found = {}
        for (table, _), paths in sorted(self._files.items()):
            for path in paths:
                if extra := check_columns(path, table):
                    found[path.relative_to(self.folder).as_posix()] = extra
        return found

    def _records(self, table: Table, split: str) -> Iterator[Any]:
        for path in self.files(table, split):
            yield from read_shard(path, table, rows=16 if table == "images" else 1_000)

    def _lookup(self, table: Table, key: str) -> Any:
        path, position = self._index(table)[key]
        import pyarrow.parquet as pq

        with pq.ParquetFile(path) as file:
            for group in range(file.num_row_groups):
                rows = file.metadata.row_group(group).num_rows
                if position < rows:
                    names = arrow_schema(table).names
                    return from_row(table, file.read_row_group(group, names).slice(position, 1).to_pylist()[0])
                position -= rows
        raise KeyError(key)

    def _index(self, table: Table) -> dict[str, tuple[Path, int]]:
        """Return key -> (file, row), read once, from the key column alone."""
        if table not in self._rows:
            column = KEYS[table]
            index: dict[str, tuple[Path, int]] = {}
            for (kind, _), paths in sorted(self._files.items()):
                for path in paths if kind == table else ():
                    keys = (key for batch in read_batches(path, [column]) for key in batch.column(column).to_pylist())
                    index.update((key, (path, position)) for position, key in enumerate(keys))
            self._rows[table] = index
        return self._rows[table]

    def __repr__(self) -> str:
        counts = ", ".join(f"{s}: {self.manifest.counts.get(s, {}).get('dialogues', 0)} dialogues" for s in self.splits)
        return f"Dataset({self.name!r}, {counts})"


def load(path_or_hub_id: str | Path) -> Dataset:
    """Return a dataset from a folder, or from the Hugging Face Hub (which downloads it into the Hub's cache).

    Args:
        path_or_hub_id: a folder that holds `manifest.json`, or `owner/name` where no such folder exists.

    Raises:
        MldrError: if neither is there.
        InputError: if the manifest is malformed.
    """
    folder = Path(path_or_hub_id)
    if folder.is_dir():
        return Dataset(folder)
    if _HUB_ID.fullmatch(str(path_or_hub_id)):
        return Dataset(_download(str(path_or_hub_id)))
    raise MldrError(f"{path_or_hub_id}: no such folder, and not a Hub id (owner/name)")


def _download(hub_id: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    patterns = [MANIFEST, "README.md", *(f"{table}/*.parquet" for table in TABLES)]
    try:
        return Path(snapshot_download(hub_id, repo_type="dataset", allow_patterns=patterns))
    except HFValidationError as error:
        raise MldrError(f"{hub_id}: no such folder, and not a Hub id (owner/name)") from error
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        reason = first_line(error)
        raise MldrError(f"{hub_id}: no such folder here, and not to be had from the Hub ({reason})") from error
