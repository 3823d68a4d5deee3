"""What a dataset holds and under which licences: read from its tables as a stream, and brought to terms for the whole."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from mldr.card.markdown import bullets, plain
from mldr.dataset import Dataset
from mldr.files import parse_json
from mldr.licences import Terms, combined, parts
from mldr.manifest import Manifest
from mldr.shards import read_batches

MODEL_STEPS = ("stitch", "tag", "queries", "verify")
"""The steps of a build that a language model may do."""


@dataclass(slots=True)
class Holdings:
    """The parts of a set with their licences; memory grows with the distinct values alone."""

    dialogues: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(licence, attribution) -> dialogues."""
    stitched: set[str] = field(default_factory=set)
    """Licences of the dialogues that were made of others."""
    images: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(licence, attribution) -> images whose bytes are in the set."""
    addresses: Counter[tuple[str, str]] = field(default_factory=Counter)
    """The same of images that the set names and does not hold."""
    models: dict[str, str] = field(default_factory=dict)
    """model -> the terms of its output, '' for unknown."""
    changes: Counter[str] = field(default_factory=Counter)
    """What was changed in the sources -> dialogues."""
    unread: int = 0
    """Dialogues whose `meta` is no JSON object, so that their changes are unknown."""

    @property
    def terms(self) -> Terms:
        """The most restrictive terms of the dialogues, the images that are in the set, and the models' output."""
        texts = [*(text for text, _ in self.dialogues), *(text for text, _ in self.images), *self.models.values()]
        return combined(texts, adapted=self.stitched)


def held(dataset: Dataset) -> Holdings:
    """Return what a dataset holds.

    Raises:
        MldrError: if a table cannot be read.
    """
    found = Holdings(models=model_terms(dataset.manifest))
    for split in dataset.splits:
        for path in dataset.files("dialogues", split):
            for batch in read_batches(path, ["origin", "licence", "attribution", "meta"]):
                for origin, licence, credit, meta in zip(
                    *(column.to_pylist() for column in batch.columns), strict=True
                ):
                    found.dialogues[licence, credit] += 1
                    if origin == "stitched":
                        found.stitched.add(licence)
                    _add_changes(meta, found)
        for path in dataset.files("images", split):
            for batch in read_batches(path, ["status", "licence", "attribution"]):
                for status, *named in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                    (found.images if status == "present" else found.addresses)[named[0], named[1]] += 1
    return found


def _add_changes(meta: str, found: Holdings) -> None:
    if not meta:
        return
    try:
        document = parse_json(meta)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        found.unread += 1
        return
    changes = document.get("changes", [])
    found.changes.update({str(change) for change in (changes if isinstance(changes, list) else [changes])})


def model_terms(manifest: Manifest) -> dict[str, str]:
    """Return each language model that made a part of the set, with the terms of its output, '' for unknown."""
    found: dict[str, str] = {}
    models = manifest.recipe.get("models") or {}
    for step in MODEL_STEPS:
        settings = manifest.recipe.get(step) or {}
        endpoint = models.get(settings.get("model") or "", {}) if isinstance(settings, dict) else {}
        if endpoint:
            found[str(endpoint.get("model", settings["model"]))] = str(endpoint.get("terms", ""))
    for usage in manifest.model_usage.values():
        if (name := str(usage.get("model", ""))) and (usage.get("terms") or name not in found):
            found[name] = str(usage.get("terms") or "")
    return dict(sorted(found.items()))


def sources_section(found: Holdings) -> str:
    """Return the section on licences: the terms of the whole in words, what each part is under, what was changed."""
    terms = found.terms
    lines = [
        f"**As a whole: {plain(terms.words, 2_000)}.**"
        + (f" The licence that rules is {plain(terms.spdx)}." if terms.spdx else ""),
        "",
        "These are the strictest conditions of all that the set holds, worked out from what its sources state; "
        "they are no legal advice. Each part stays under its own licence, and each row of `dialogues` and `images` names it; "
        "a part whose licence nobody states may not be redistributed.",
        "",
        bullets(
            [
                *_named("dialogues", found.dialogues),
                *_named("images", found.images),
                *_named("images kept as an address or a caption only, so no part of the terms", found.addresses),
                *(f"what {plain(name)} wrote: {_under(terms_of)}" for name, terms_of in found.models.items()),
            ]
        ),
    ]
    changes = [f"{plain(change)}: {count:,} dialogues" for change, count in sorted(found.changes.items())]
    if found.unread:
        changes.append(f"not known, since `meta` cannot be read: {found.unread:,} dialogues")
    if changes:
        lines += ["What was changed in the sources:\n", bullets(changes)]
    return "\n".join(lines)


def _named(what: str, counted: Counter[tuple[str, str]]) -> list[str]:
    return [
        f"{what} ({count:,}): {_under(licence)}" + (f" — {plain(credit)}" if credit else "")
        for (licence, credit), count in sorted(counted.items())
    ]


def _under(text: str) -> str:
    names = parts(text)
    return "; ".join("not stated" if name == "unknown" else plain(name) for name in names)
