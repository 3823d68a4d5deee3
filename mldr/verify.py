"""Whether a dataset is what it says: hashes, columns, references between the tables, ids, and leaks between splits."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq

from mldr.dataset import Dataset
from mldr.dialogue import Dialogue, DialogueImage, Fragment, Gold, StoredImage, Utterance
from mldr.errors import Faults, InputError, MldrError
from mldr.files import inside, parse_json, sha256_file
from mldr.images import ImageError, open_stored
from mldr.manifest import MANIFEST, gold_hash
from mldr.shards import check_columns, nulls, read_batches
from mldr.tables import CHOICES, KEYS, TABLES, Row, Table, arrow_schema, from_row, to_row


def verify(dataset: Dataset) -> dict[str, list[str]]:
    """Check a whole dataset; return path -> extra columns, which are allowed.

    Raises:
        InputError: with everything that does not hold.
    """
    faults = Faults()
    _check_files(dataset, faults)
    _check_columns(dataset, faults)
    faults.check()  # rows are read below: they must be readable
    _check_homeless(dataset, faults)
    for split in dataset.splits:
        _check_split(dataset, split, faults)
    _check_leaks(dataset, faults)
    faults.check()
    return dataset.extra_columns()


def _check_files(dataset: Dataset, faults: Faults) -> None:
    """Compare every file with its hash in the manifest; files that it does not name are faults too."""
    for name, entry in sorted(dataset.manifest.files.items()):
        try:
            path = inside(dataset.folder, name)
        except ValueError as error:
            path = dataset.folder / name
            if not _is_hub_link(dataset.folder, path):
                faults.add(f"{MANIFEST}, {name}", str(error))
                continue
        if not path.is_file():
            faults.add(name, "is in the manifest and not in the folder")
        elif sha256_file(path) != entry.sha256:
            faults.add(name, "its bytes are not those that the manifest names")
    for path in sorted(dataset.folder.rglob("*")):
        name = path.relative_to(dataset.folder).as_posix()
        if path.is_file() and name != MANIFEST and not name.startswith(".") and name not in dataset.manifest.files:
            faults.add(name, "is in the folder and not in the manifest")


def _is_hub_link(folder: Path, path: Path) -> bool:
    """Say whether `path` is a link of the Hub's cache, whose snapshots point at `blobs` beside them."""
    try:
        return path.is_symlink() and path.resolve().parent == (folder.parent.parent / "blobs").resolve()
    except (OSError, RuntimeError, ValueError):  # too long a name, a link to itself, NUL
        return False


def _check_homeless(dataset: Dataset, faults: Faults) -> None:
    """Name the shards of splits that have no dialogues: nothing below would read them."""
    known = {p for split in dataset.splits for table in TABLES for p in dataset.files(table, split)}
    for name in sorted(dataset.manifest.files):
        if name.endswith(".parquet") and dataset.folder / name not in known:
            faults.add(name, "belongs to no split that has dialogues")


def _check_columns(dataset: Dataset, faults: Faults) -> None:
    for split in dataset.splits:
        for table in TABLES:
            last = ""
            for path in dataset.files(table, split):
                try:
                    check_columns(path, table)
                except InputError as error:
                    faults.extend(error.faults)
                    continue
                except MldrError as error:
                    faults.add(str(path), str(error))
                    continue
                last = _check_values(path, table, last, faults)
                if (entry := dataset.manifest.files[path.relative_to(dataset.folder).as_posix()]).rows != _rows(path):
                    faults.add(
                        f"{MANIFEST}, files.{path.relative_to(dataset.folder).as_posix()}",
                        f"rows is {entry.rows}; the file holds {_rows(path)}",
                    )


def _check_values(path: Path, table: Table, last: str, faults: Faults) -> str:
    """Check nulls, closed lists of values, and that rows are sorted by key, on from the shard before; return the last key."""
    key, start = KEYS[table], 0
    names = [name for name in arrow_schema(table).names if name != "image"]
    for batch in read_batches(path, names):
        for name in names:
            for nested in nulls(name, batch.column(name)):
                faults.add(f"{path}, rows {start} to {start + batch.num_rows - 1}", f"{nested} is null")
            allowed = CHOICES.get(f"{table}.{name}")
            for value in sorted(set(batch.column(name).to_pylist()) - {None, *allowed}) if allowed else ():
                faults.add(f"{path}, rows {start} to {start + batch.num_rows - 1}", f"{name} is {value!r}; {allowed}")
        for value in batch.column(key).to_pylist():
            if value is None:
                continue
            if value <= last and table not in ("queries", "gold"):
                faults.add(f"{path}, {value}", f"rows are not sorted by {key}, or it stands twice")
            last = value
        for row in batch.to_pylist():
            for name in _misderived(table, row):
                faults.add(f"{path}, {row[key]}", f"{name} is {row[name]!r}, which is not what the row says")
            if not _is_meta(row.get("meta") or ""):
                faults.add(f"{path}, {row[key]}", "meta is no JSON object as a string; an absent one is ''")
        start += batch.num_rows
    return last


def _is_meta(meta: str) -> bool:
    try:
        return not meta or isinstance(parse_json(meta), dict)
    except ValueError:
        return False


def _rows(path: Path) -> int:
    return int(pq.read_metadata(path).num_rows)


def _misderived(table: Table, row: Row) -> Iterator[str]:
    """Yield the columns of a row that are derived from others and do not fit them."""
    try:
        derived = to_row(from_row(table, row))
    except TypeError:  # a null, which is told already
        return
    for name in {"dialogues": ("n_utterances", "n_images", "textless_ids"), "gold": ("kind",)}.get(table, ()):
        if row[name] != derived[name]:
            yield name


def _check_split(dataset: Dataset, split: str, faults: Faults) -> None:
    images = _check_images(dataset, split, faults)
    used: set[str] = set()
    dialogues: dict[str, Dialogue] = {}
    hashed: list[tuple[Gold, Dialogue]] = []
    seen: Counter[str] = Counter()
    try:
        for asked in dataset.asked(split):
            dialogue = asked.dialogue
            bare = dialogues[dialogue.dialogue_id] = _bare(dialogue)
            used.update(image.image_key for image in dialogue.images)
            for message in dialogue_faults(dialogue, images):
                faults.add(f"{split}, dialogue {dialogue.dialogue_id}", message)
            seen.update(query.query_id for query in asked.queries)
            for query in asked.queries:
                if not query.text.strip():
                    faults.add(f"{split}, query {query.query_id}", "asks nothing: its text is empty")
                for message in text_faults(query.text):
                    faults.add(f"{split}, query {query.query_id}", message)
            for gold in asked.gold:
                hashed.append((gold, bare))
                for message in gold_faults(gold, dialogue):
                    faults.add(f"{split}, gold of {gold.query_id}", message)
    except MldrError as error:
        faults.add(split, str(error))
        return
    for query_id, count in seen.items():
        if count > 1:
            faults.add(f"{split}, query {query_id}", "stands twice")
    for key in sorted(images - used):
        faults.add(f"{split}, image {key}", "no dialogue of the split carries it")
    _check_fragments(dataset, split, dialogues, faults)
    _check_counts(dataset, split, hashed, faults)


_SAID, _UNSAID, _PICTURE = Utterance("", "."), Utterance("", ""), DialogueImage("")


def _bare(dialogue: Dialogue) -> Dialogue:
    """Return a dialogue of the same size without its words: what ids are held against, for a whole split at once."""
    utterances = tuple(_SAID if utterance.text else _UNSAID for utterance in dialogue.utterances)
    return Dialogue(dialogue.dialogue_id, "", "real", "", utterances, (_PICTURE,) * dialogue.n_images)


def _check_counts(dataset: Dataset, split: str, hashed: list[tuple[Gold, Dialogue]], faults: Faults) -> None:
    for table in TABLES:
        rows = sum(
            batch.num_rows for path in dataset.files(table, split) for batch in read_batches(path, [KEYS[table]])
        )
        stated = dataset.manifest.counts.get(split, {}).get(table, 0)
        if rows != stated:
            faults.add(f"{MANIFEST}, counts.{split}.{table}", f"is {stated}; the shards hold {rows} rows")
    if hashed and gold_hash(hashed) != dataset.manifest.gold_hash.get(split):
        faults.add(f"{MANIFEST}, gold_hash.{split}", "is not the hash of the gold that is here")


def _check_images(dataset: Dataset, split: str, faults: Faults) -> set[str]:
    keys: set[str] = set()
    for image in dataset.images(split):
        keys.add(image.image_key)
        for message in image_faults(image):
            faults.add(f"{split}, image {image.image_key}", message)
    return keys


def _check_fragments(dataset: Dataset, split: str, dialogues: dict[str, Dialogue], faults: Faults) -> None:
    names: set[str] = set()
    for fragment in dataset.fragments(split):
        names.add(fragment.fragment_id)
        dialogue = dialogues.get(fragment.dialogue_id)
        place = f"{split}, fragment {fragment.fragment_id}"
        if dialogue is None:
            faults.add(place, f"its dialogue {fragment.dialogue_id} is not in the split")
            continue
        for message in gold_faults(fragment, dialogue):
            faults.add(place, message)
    for gold in dataset.gold(split):
        if gold.fragment_id and gold.fragment_id not in names:
            faults.add(f"{split}, gold of {gold.query_id}", f"its fragment {gold.fragment_id} is not in the split")


def _check_leaks(dataset: Dataset, faults: Faults) -> None:
    """Look for what must not be in two splits. A release shares what its authors shared: its manifest says how much."""
    declared = dataset.manifest.release.shared if dataset.manifest.release else {}
    for place, values in shared_between_splits(dataset).items():
        column, splits = place.split(": ")
        if declared.get(place) != len(values):
            for value in values:
                faults.add(f"{column} {value}", f"is in two splits, {splits}")


def shared_between_splits(dataset: Dataset) -> dict[str, list[str]]:
    """Return `<column>: <split> and <split>` -> the images, dialogues, sources or clusters that are in both, in order."""
    shared: dict[str, list[str]] = {}
    for table, column in (
        ("images", "image_key"),
        ("dialogues", "dialogue_id"),
        ("dialogues", "cluster_id"),
        ("fragments", "source_id"),
    ):
        home: dict[str, str] = {}
        for split in dataset.splits:
            values = dataset.arrow(table, split, [column]).column(column).to_pylist()  # type: ignore[arg-type]
            for value in sorted(set(values) - {""}):
                first = home.setdefault(value, split)
                if first != split:
                    shared.setdefault(f"{column}: {first} and {split}", []).append(value)
    return shared


def dialogue_faults(dialogue: Dialogue, image_keys: set[str]) -> Iterator[str]:
    """Yield what is wrong inside a dialogue: image ids that do not run from 0 in order, unknown keys, replies."""
    if dialogue.carried_ids != tuple(range(dialogue.n_images)):
        yield f"image ids are {list(dialogue.carried_ids)}; they run from 0 to {dialogue.n_images - 1} in order of appearance"
    for text in (utterance.text for utterance in dialogue.utterances):
        yield from text_faults(text)
    for index, utterance in enumerate(dialogue.utterances):
        if not utterance.text and not utterance.image_ids:
            yield f"utterance {index} has neither text nor an image"
        if utterance.reply_to is not None and not 0 <= utterance.reply_to < dialogue.n_utterances:
            yield f"utterance {index} answers {utterance.reply_to}, which does not exist"
    for image in dialogue.images:
        if image.image_key not in image_keys:
            yield f"image {image.image_key} is not among the split's images"


def text_faults(text: str) -> Iterator[str]:
    """Yield what a stored text must not hold."""
    if "\0" in text:
        yield "a text holds a NUL"
    if "\r" in text:
        yield "a text holds a carriage return; newlines are stored as \\n"


def image_faults(image: StoredImage) -> Iterator[str]:
    """Yield what is wrong with a stored image: a key that is not its bytes' hash, bytes that are no picture."""
    if image.content is None:
        if image.status == "present":
            yield "is present and has no bytes"
        return
    if image.status != "present":
        yield f"has bytes and is said to be {image.status}"
    if image.image_key != "sha256:" + hashlib.sha256(image.content).hexdigest():
        yield "its key is not the hash of its bytes"
    try:
        size = open_stored(image.content).size
    except ImageError as error:
        yield str(error)
        return
    if size != (image.width, image.height):
        yield f"is {size[0]} x {size[1]} pixels; the table says {image.width} x {image.height}"


def gold_faults(answer: Gold | Fragment, dialogue: Dialogue) -> Iterator[str]:
    """Yield what is wrong with the ids of a gold or fragment: ids that do not exist, utterances without text, repeats."""
    for kind, ids, size in (
        ("utterance", answer.utterance_ids, dialogue.n_utterances),
        ("image", answer.image_ids, dialogue.n_images),
    ):
        for identifier in ids:
            if not 0 <= identifier < size:
                yield f"{kind} {identifier} does not exist; dialogue {dialogue.dialogue_id} has {size} (0-based)"
        if len(set(ids)) < len(ids):
            yield f"{kind} ids stand twice"
    for identifier in sorted(set(answer.utterance_ids) & set(dialogue.textless_ids)):
        yield f"utterance {identifier} has no text, so it cannot be gold by its text"
