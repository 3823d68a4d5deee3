"""The leak check: none of the private strings stands anywhere in a finished release; it fails the release.

Every file is read: names, texts, every value of every table, metadata of schemas and files, and what pictures hold beside pixels.
A fault says where and what kind, and of the secret no more than its first character and its length.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mldr.annotation.privacy.containers import beside_pixels
from mldr.annotation.privacy.searching import plain
from mldr.annotation.privacy.secrets import Secret, Secrets
from mldr.errors import Faults, MldrError
from mldr.files import parse_json

__all__ = ["Checked", "Secrets", "check_leaks"]

Patterns = Callable[[str, str], Collection[str]]
"""(text, language) -> the kinds of private things that it shows, whoever's they are."""

_PEOPLE = frozenset({"text", "caption", "topic", "meta", "attribution", "note", "query", "surrogate"})
"""Values that people wrote, or that hold what they wrote; all others are made by mldr."""
_SPOKEN = frozenset({"text", "caption", "topic"})
_PICTURES = (".jpg", ".jpeg", ".png")
_KEYS = ("query_id", "fragment_id", "dialogue_id", "image_key")


@dataclass(slots=True)
class Checked:
    """What was checked."""

    files: int = 0
    values: int = 0
    pictures: int = 0
    secrets: int = 0
    explained: int = 0
    """Names that a dialogue shows and that are a surrogate of it, not a name of anybody in its own chat."""
    by_chance: int = 0
    """Names of two ideographs (高峰 is a peak, too) that a dialogue shows in whose chat nobody is called so."""
    skipped: dict[str, int] = field(default_factory=dict)
    """Why something private was not searched for -> how often."""


@dataclass(frozen=True, slots=True)
class _Where:
    """The dialogue that a value belongs to, '' where it belongs to none."""

    dialogue_id: str = ""
    cluster_id: str = ""
    language: str = ""


def check_leaks(
    folder: Path,
    secrets: Secrets,
    patterns: Patterns | None = None,
    surrogates: Mapping[str, Collection[str]] | None = None,
) -> Checked:
    """Check a finished release, or a collection before it is sealed (with `secrets.of_bundle()`).

    Args:
        folder: all of whose files are read.
        secrets: what must stand nowhere.
        patterns: asked about every text that people wrote; what it names is a fault, too.
        surrogates: dialogue_id -> the names that stand for others in it. A name of another chat's member is no leak where it is
            one of these; without them, it is.

    Raises:
        InputError: with every leak, and with every file that cannot be checked.
        MldrError: if there is no such folder, or nothing in it.
    """
    check = _Check(folder, secrets, patterns, surrogates or {})
    paths = sorted(path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    if not paths:
        raise MldrError(f"{folder}: holds no file that could be checked")
    for path in paths:
        check.file(path)
    check.faults.check()
    return check.checked


class _Check:
    def __init__(
        self, folder: Path, secrets: Secrets, patterns: Patterns | None, surrogates: Mapping[str, Collection[str]]
    ) -> None:
        self.folder, self.secrets, self.patterns = folder, secrets, patterns
        self.faults = Faults()
        self.surrogates = {name: "\n".join(sorted(map(plain, those))) for name, those in surrogates.items()}
        self.all_surrogates = "\n".join(sorted(self.surrogates.values()))
        self.clusters: dict[str, _Where] = {}
        total = len(secrets.known) + len(secrets.numbers)
        self.checked = Checked(secrets=total, skipped=dict(secrets.skipped))
        self._gather()

    def _gather(self) -> None:
        """Learn each dialogue's cluster and language, for the tables that name the dialogue alone."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        for path in sorted(self.folder.glob("dialogues/*.parquet")):
            try:
                rows = pq.read_table(path, columns=["dialogue_id", "cluster_id", "language"]).to_pylist()
            except (pa.ArrowException, OSError):
                continue  # told when the file's turn comes
            for row in rows:
                self.clusters[row["dialogue_id"]] = _Where(row["dialogue_id"], row["cluster_id"], row["language"])

    def file(self, path: Path) -> None:
        name = path.relative_to(self.folder).as_posix()
        self.checked.files += 1
        if self.value(f"file {self.checked.files}, its name", "", name, _Where()):
            name = f"file {self.checked.files}"  # the name is a secret
        if path.is_symlink() or not path.is_file():
            self.faults.add(name, "is a link or no file; a release holds files alone")
        elif path.suffix == ".parquet":
            self._table(path, name)
        elif path.suffix.lower() in _PICTURES:
            self._picture(path.read_bytes(), name)
        else:
            self._text(path, name)

    def _table(self, path: Path, name: str) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            with pq.ParquetFile(path) as file:
                schema = file.schema_arrow
                for place, metadata in [("schema", schema.metadata), ("file", file.metadata.metadata)]:
                    self._metadata(f"{name}, metadata of the {place}", metadata)
                for column in schema:
                    self._metadata(f"{name}, metadata of column {column.name}", column.metadata)
                self.value(f"{name}, column names", "", str(schema.remove_metadata()), _Where())
                for batch in file.iter_batches(batch_size=32 if "image" in schema.names else 512):
                    for row in batch.to_pylist():
                        self._row(row, name)
        except (pa.ArrowException, OSError) as error:
            self.faults.add(name, f"cannot be checked: {type(error).__name__}")

    def _metadata(self, place: str, metadata: Mapping[bytes, bytes] | None) -> None:
        for key, value in sorted((metadata or {}).items()):
            if key != b"ARROW:schema":  # the schema once more, packed
                self.value(place, "", f"{key.decode('utf-8', 'replace')}\n{value.decode('utf-8', 'replace')}", _Where())

    def _row(self, row: dict[str, Any], name: str) -> None:
        keys = [str(row[key]) for key in _KEYS if row.get(key)]
        dialogue_id = str(row.get("dialogue_id") or (keys[0].partition("-")[0] if keys else ""))
        where = self.clusters.get(dialogue_id, _Where(dialogue_id))
        place = f"{name}, {keys[0]}" if keys else name
        for leaf, value in _leaves(row, names=False):  # the schema was checked
            if isinstance(value, bytes):
                self._picture(value, place)
            else:
                self.value(_place(place, leaf), leaf, value, where)

    def _picture(self, content: bytes, place: str) -> None:
        self.checked.pictures += 1
        for part in beside_pixels(content):
            self.faults.add(place, f"a picture with something beside its pixels: {part}; cover it anew")

    def _text(self, path: Path, name: str) -> None:
        try:
            text = path.read_bytes().decode("utf-8")
        except (OSError, UnicodeDecodeError):
            self.faults.add(name, "is no UTF-8 text, table or picture, so it cannot be checked; leave it out")
            return
        if path.suffix == ".json":
            self._json(text, name, name)
        elif path.suffix == ".jsonl":
            for number, line in enumerate(text.splitlines(), 1):
                self._json(line, f"{name}, line {number}", f"{name}, line {number}")
        else:
            told = set[Secret]()
            for number, line in enumerate(text.splitlines(), 1):
                told |= self.value(f"{name}, line {number}", "", line, _Where())
            self.value(f"{name}, across its lines", "", text, _Where(), told)

    def _json(self, text: str, name: str, place: str) -> None:
        try:
            document = parse_json(text) if text.strip() else None
        except ValueError as error:
            self.faults.add(place, f"cannot be checked: {error}")
            return
        where = _of_document(document)
        for leaf, value in _leaves(document):
            if isinstance(value, str):
                self.value(_place(name, leaf), leaf, value, where)

    def value(self, place: str, leaf: str, text: str, where: _Where, told: Collection[Secret] = ()) -> set[Secret]:
        """Check one value, and return what was found; what was `told` before is not told again."""
        self.checked.values += 1
        if leaf == "meta":
            text = _unescaped(text)
        found = set(self.secrets.find(text, people=leaf in _PEOPLE))
        leaks = []
        for secret in found - set(told):
            if self._explained(secret, where):
                self.checked.explained += 1
            elif _by_chance(secret, where):
                self.checked.by_chance += 1
            else:
                leaks.append(secret)
        for secret in sorted(leaks, key=lambda secret: (secret.kind, secret.text)):
            self.faults.add(place, f"shows {secret}, which stands in the private store; mask it, or take it out")
        if self.patterns is not None and leaf in _SPOKEN and text and not leaks:
            for kind in sorted(set(self.patterns(text, where.language))):
                self.faults.add(place, f"shows what looks like a private {kind}; mask it in the privacy pass")
        return found

    def _explained(self, secret: Secret, where: _Where) -> bool:
        if secret.kind != "name" or (where.cluster_id and where.cluster_id in secret.clusters):
            return False
        shown = self.surrogates.get(where.dialogue_id, "") if where.dialogue_id else self.all_surrogates
        return secret.text in shown


def _by_chance(secret: Secret, where: _Where) -> bool:
    """Return whether a name is too short to be one in a chat of other people."""
    short = secret.kind == "name" and len(secret.text) == 2 and all("\u4e00" <= c <= "\u9fff" for c in secret.text)
    return short and bool(where.cluster_id and secret.clusters) and where.cluster_id not in secret.clusters


def _leaves(value: Any, leaf: str = "", *, names: bool = True) -> Iterator[tuple[str, str | bytes]]:
    """Yield (the name it stands under, value) of every text, number and bytes inside a value; `names` themselves as texts, too."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if names:
                yield "", str(key)
            yield from _leaves(inner, str(key), names=names)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _leaves(inner, leaf, names=names)
    elif isinstance(value, str | bytes):
        if value:
            yield leaf, value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield leaf, str(value)


def _place(place: str, leaf: str) -> str:
    """Return a value's place; a name that is not ours is not told, because it may be a secret itself."""
    return f"{place}, {leaf}" if leaf in _PEOPLE else place


def _of_document(document: Any) -> _Where:
    """Return the dialogue of a collection's file, none of any other."""
    row = document.get("dialogue") if isinstance(document, dict) else None
    if not isinstance(row, dict):
        return _Where()
    return _Where(*(str(row.get(name, "")) for name in ("dialogue_id", "cluster_id", "language")))


def _unescaped(text: str) -> str:
    """Return JSON text with its escapes undone, beside itself."""
    try:
        return f"{text}\n{json.dumps(parse_json(text), ensure_ascii=False)}"
    except ValueError:
        return text
