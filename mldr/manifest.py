"""`manifest.json`: what a dataset is made of, what shaped its bytes, and the hashes that identify it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mldr.dialogue import Dialogue, Gold
from mldr.errors import MldrError, fault
from mldr.files import canonical_json, parse_json, write_json
from mldr.formats import format_line, upgraded

MANIFEST = "manifest.json"


class ShardEntry(BaseModel):
    """One file of a dataset."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rows: int = Field(ge=0)
    """Rows of the table; 0 for a file that is no table."""
    sha256: str
    """Of the whole file, hex."""


class Release(BaseModel):
    """What an imported release was."""

    model_config = ConfigDict(extra="forbid")

    files: dict[str, dict[str, str | int]] = Field(default_factory=dict)
    """File -> its layout, split, records and sha256."""
    templates: dict[str, dict[str, str]] = Field(default_factory=dict)
    """SHA-256 -> the system and user message of a prompt, its query and dialogue cut out; queries name it in `meta`."""
    oddities: dict[str, int] = Field(default_factory=dict)
    """Reason -> how often it was met."""
    unusable: list[str] = Field(default_factory=list)
    """The first records that could not be used: file, index, reason; `dropped` counts all."""
    shared: dict[str, int] = Field(default_factory=dict)
    """`<column>: <split> and <split>` -> values in both, as `mldr.verify.shared_between_splits` finds them."""


Interval = tuple[float | None, float | None, float | None]
"""A value with the two ends of its interval; None for what there is not."""


class AuditFigures(BaseModel):
    """How good labels are by people's answers."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    queries: int = Field(ge=0)
    measures: dict[str, Interval] = Field(default_factory=dict)


class HumanFigures(BaseModel):
    """What one person's answers are worth against the labels; no name."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    answered: int = Field(ge=0)
    measures: dict[str, Interval] = Field(default_factory=dict)


class AuditEntry(BaseModel):
    """What people found who answered a sample of a split's queries blind."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    source: Literal["dataset", "flagged"] = "dataset"
    """`flagged` for queries whose label a model disagreed with."""
    gold_hash: str
    """Of the split's labels that were judged."""
    sampled: int = Field(ge=0)
    of: int = Field(ge=0)
    """Queries that could be drawn."""
    resolved: int = Field(ge=0)
    """Queries with an answer that stands."""
    people: int = Field(ge=1)
    answers: AuditFigures
    """Of the labels, against each answer."""
    labels: AuditFigures
    """The same against the answers that stand."""
    kinds: dict[str, AuditFigures] = Field(default_factory=dict)
    """kind of the label -> the same; empty where the split's gold is withheld."""
    human: list[HumanFigures] = Field(default_factory=list)
    alpha_masi: Interval | None = None
    """Of the people's answers before adjudication, utterances and images together."""
    notes: list[str] = Field(default_factory=list)


class Manifest(BaseModel):
    """The manifest of a dataset."""

    model_config = ConfigDict(extra="forbid")

    format: str = Field(default_factory=lambda: format_line("dataset"))
    name: str
    recipe: dict[str, Any] = Field(default_factory=dict)
    """The recipe with every default, paths cut to file names."""
    recipe_hash: str = ""
    """SHA-256 over the recipe and the hashes of what it reads, as canonical JSON."""
    seed: int = 0
    versions: dict[str, str] = Field(default_factory=dict)
    """Of the libraries that shaped the bytes."""
    counts: dict[str, dict[str, int]] = Field(default_factory=dict)
    """split -> table -> rows."""
    dropped: dict[str, int] = Field(default_factory=dict)
    """reason -> records of the sources that are not in the dataset."""
    noted: dict[str, int] = Field(default_factory=dict)
    """What is in the dataset and should be known: what no filter could judge, what was grouped as near-duplicates."""
    gold_hash: dict[str, str] = Field(default_factory=dict)
    """split -> the identity of its benchmark; kept where the gold is withheld."""
    consent_scopes: list[str] | None = None
    """Of real chats: the scopes that every speaker gave."""
    salt_sha256: str = ""
    """Of the secret salt, where the set was built with one; then recipe, recipe_hash and seed are left out."""
    model_usage: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """step -> model, provider, terms, requests, tokens_in, tokens_out, cost, currency: of the stored answers that shaped
    the set, whatever was paid for answers that failed."""
    verification: dict[str, dict[str, dict[str, int]]] = Field(default_factory=dict)
    """split -> kind -> `asked` and `agreed`: queries that a model answered a second time, blind, and how often it agreed."""
    audit: dict[str, AuditEntry] = Field(default_factory=dict)
    """split, or `<split> (flagged)` for queries whose label a model disagreed with -> the audit of its labels. Empty where nobody
    did any."""
    notice: str = ""
    """The recipe's warning, which the card shows first."""
    release: Release | None = None
    """Of an imported release alone."""
    canary: str = ""
    files: dict[str, ShardEntry] = Field(default_factory=dict)
    """path inside the dataset -> its rows and hash."""


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest of a dataset folder."""
    write_json(folder / MANIFEST, manifest.model_dump(exclude_none=True))


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of a dataset folder.

    Raises:
        MldrError: if there is none, or it is of a newer format.
        InputError: with every fault of a malformed one.
    """
    path = folder / MANIFEST
    try:
        document = parse_json(path.read_bytes())
    except FileNotFoundError as error:
        raise MldrError(f"{folder} is not an mldr dataset: it has no {MANIFEST}") from error
    except OSError as error:
        raise MldrError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise fault(str(path), str(error)) from error
    if not isinstance(document, dict):
        raise fault(str(path), "a JSON object is expected")
    try:
        return Manifest.model_validate(upgraded(document, "dataset", str(path)))
    except ValidationError as error:
        from mldr.configuration import model_faults

        raise model_faults(error, str(path)) from error


def gold_hash(rows: Iterable[tuple[Gold, Dialogue]]) -> str:
    """Return the identity of a benchmark: SHA-256 over what decides a score, whatever library wrote it.

    Rows in ascending order of query_id, as a dataset has them, are hashed as they come; in another order all are held.

    Args:
        rows: each gold with the dialogue that it was asked of, in any order.
    """
    with SpooledTemporaryFile(max_size=1024 * 1024) as passed:  # to go back to, should the order be another
        items = iter(rows)
        digest = hashlib.sha256(b"[")
        last: str | None = None
        for gold, dialogue in items:
            item = _gold_item(gold, dialogue).encode()
            passed.write(item + b"\n")
            if last is not None and gold.query_id <= last:
                passed.seek(0)
                known = [line.rstrip(b"\n") for line in passed]
                return _sorted_hash([*known, *(_gold_item(*row).encode() for row in items)])
            digest.update(item if last is None else b"," + item)
            last = gold.query_id
    digest.update(b"]")
    return digest.hexdigest()


def _sorted_hash(items: list[bytes]) -> str:
    """Return the hash of gold items, which are JSON lists that start with the query_id."""
    ordered = sorted(items, key=lambda item: (json.loads(item)[0], item.decode()))
    return hashlib.sha256(b"[" + b",".join(ordered) + b"]").hexdigest()


def _gold_item(gold: Gold, dialogue: Dialogue) -> str:
    ids = sorted(gold.utterance_ids), sorted(gold.image_ids)
    return canonical_json([gold.query_id, *ids, dialogue.n_utterances, list(dialogue.textless_ids), dialogue.n_images])
