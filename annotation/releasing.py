"""`mldr annotate release`: a collection to the design's dataset, with everybody's consent, or not at all."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mldr.annotation.agreement import agreement_of
from mldr.annotation.chat import Chat, Member
from mldr.annotation.collection import Collection, open_collection
from mldr.annotation.consent_rules import releasable, scopes_of_all, without_speakers
from mldr.annotation.consents import Consent, Scope, read_consents
from mldr.annotation.cutreport import counted
from mldr.annotation.golds import Labelled, Moved, answers, labelled
from mldr.annotation.privacy.detectors import NameList, find_spans
from mldr.annotation.privacy.leaks import Secrets, check_leaks
from mldr.annotation.privacy.names import PART
from mldr.annotation.privacy.protect import carry_consents
from mldr.annotation.privacy.reviewed import apply_reviews
from mldr.annotation.privacy.secrets import COMMON
from mldr.annotation.privacy.words import COMMON_WORDS
from mldr.annotation.records import Collected, CollectedImage
from mldr.annotation.releasecard import Told, real_card
from mldr.annotation.reviews import read_reviews
from mldr.annotation.spans import SURE
from mldr.annotation.store import Store, append_line, open_store
from mldr.annotation.tombstones import collection_version
from mldr.assembly import ROWS_A_SHARD, add_card, hash_gold, images_a_shard, write_table
from mldr.configuration import model_faults
from mldr.dataset import Dataset
from mldr.dialogue import DialogueImage, StoredImage
from mldr.errors import MldrError
from mldr.files import canonical_json, sha256_file, sha256_text, write_text
from mldr.folders import fresh_folder
from mldr.identity import canary
from mldr.licences import RESEARCH_ONLY
from mldr.manifest import MANIFEST, Manifest, ShardEntry, write_manifest
from mldr.progress import Progress
from mldr.tables import Record, Table
from mldr.verify import verify
from mldr.versions import shaping_versions

LICENCE_FILE = "LICENCE.txt"


class ReleaseSettings(BaseModel):
    """What a release is to be."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,47}$")
    """The set's name is `mldr-ffr-<name>`."""
    version: int = Field(default=1, ge=1)
    split: str = Field(default="test", pattern=r"^[a-z][a-z0-9_]{0,31}$")
    scopes: tuple[Scope, ...] = ("research",)
    """What every speaker must have agreed to."""
    without_consent: str = Field(default="drop_dialogue", pattern=r"^drop_(dialogue|speaker)$")
    """What goes where a speaker has not agreed: the dialogue, or that speaker's messages, quotes and pictures."""
    single: str = ""
    """An annotator whose answers are taken where nobody adjudicated; such gold is not `verified`."""
    min_utterances: int = Field(default=2, ge=1)


@dataclass(slots=True)
class Released:
    """What a release holds and what it does not."""

    dialogues: int = 0
    queries: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    """Reason -> dialogues, queries or messages, said in the reason, that are not in it."""
    scopes: list[Scope] = field(default_factory=list)
    """What every speaker of it agreed to."""
    gold_hash: str = ""

    def __str__(self) -> str:
        queries = f"{self.queries:,} {'query' if self.queries == 1 else 'queries'}"
        return f"{counted(self.dialogues, 'dialogue')}, {queries}, gold {self.gold_hash[:16]}"

    def as_json(self) -> dict[str, Any]:
        """Return it for machines."""
        left_out = {reason: count for reason, count in sorted(self.left_out.items()) if count}
        counts = {"dialogues": self.dialogues, "queries": self.queries, "gold_hash": self.gold_hash}
        return {**counts, "consent_scopes": list(self.scopes), "left_out": left_out}


def release(
    collection: Collection,
    out: Path,
    settings: ReleaseSettings,
    today: dt.date,
    secrets: Secrets | None = None,
    progress: Progress | None = None,
    *,
    force: bool = False,
) -> Released:
    """Write a collection as a dataset.

    Args:
        collection: labelled, read to the end, and with its consent record.
        out: the folder to be.
        settings: what it is to be.
        today: the day on which consents must be alive.
        secrets: what must stand nowhere in the release; from the private store, where this machine has it.
        progress: takes how far it is.
        force: replace a dataset that stands there.

    Raises:
        MldrError: if nothing may be released; the reasons are told.
        InputError: with everything that does not hold (`mldr.verify`), or with every leak; nothing is left at `out`.
    """
    _check_version(collection, settings)
    told = Released()
    kept = list(_kept(collection, settings, today, told, progress or Progress()))
    if not kept:
        reasons = "; ".join(f"{reason}: {count:,}" for reason, count in sorted(told.left_out.items()))
        raise MldrError(f"nothing may be released ({reasons or 'the collection is empty'})")
    with fresh_folder(out, MANIFEST, force=force) as workshop:
        _write(collection, kept, workshop.new, settings, today, told)
        verify(Dataset(workshop.new))
        standing_in = {
            collected.dialogue.dialogue_id: {mask.mask.surrogate for mask in collected.masks} for collected, _ in kept
        }
        check_leaks(workshop.new, secrets or Secrets.none(), None, standing_in)
    entry = {"name": f"mldr-ffr-{settings.name}", "version": settings.version, "gold_hash": told.gold_hash}
    dialogues = sorted(item.dialogue.dialogue_id for _, item in kept)
    append_line(collection.folder / "releases.jsonl", {**entry, "date": today.isoformat(), "dialogues": dialogues})
    return told


def _check_version(collection: Collection, settings: ReleaseSettings) -> None:
    least = collection_version(collection)
    if settings.version < least:
        raise MldrError(
            f"people withdrew since version {settings.version}: the collection is at version {least}; release it with "
            f"--version {least} or higher, so that nobody takes it for the older one"
        )


def release_from(
    folder: Path,
    out: Path,
    settings: Mapping[str, Any],
    today: dt.date,
    stores: Sequence[Path] = (),
    progress: Progress | None = None,
    *,
    force: bool = False,
) -> Released:
    """Write the collection in a folder as a dataset, as `release`; a private store on this machine says what may not leak.

    What the store's consent record says of the collection's speakers counts, too, above all a withdrawal.

    Raises:
        MldrError: as `release`.
        InputError: with every setting that is wrong, and with every leak.
    """
    try:
        checked = ReleaseSettings.model_validate(settings)
    except ValidationError as error:
        raise model_faults(error, "release") from error
    if len(stores) > 1:
        raise MldrError("one private store at a time can be checked against; say --store once")
    collection, secrets = open_collection(folder), None
    if stores:
        store = open_store(stores[0])
        carry_consents(store, collection)
        secrets = secrets_of(store)
    return release(collection, out, checked, today, secrets, progress, force=force)


def secrets_of(store: Store) -> Secrets:
    """Return what may not leak of a private store: its names and ids, and what detectors find in its raw texts."""

    def private(text: str, chat: Chat) -> list[str]:
        return [text[span.start : span.end] for span in find_spans(text, NameList.of(chat.members))]

    return Secrets.of_store(store, names=parts_of_names, private=private, common=COMMON_WORDS | COMMON)


def parts_of_names(member: Member) -> list[str]:
    """Return what a member is surely called by others: the given and the family name of 'Ada Lovelace', 立 of nobody."""
    found = NameList.of([member]).forms
    return [key for key, form in found.items() if form.confidence >= PART and not form.capital and len(key) > 1]


def _patterns(text: str, language: str) -> list[str]:
    """Return the kinds of private things that a text of the release still shows."""
    return [span.kind for span in find_spans(text, NameList.of(()), language) if span.confidence >= SURE]


Kept = tuple[Collected, Labelled]


def _kept(
    collection: Collection, settings: ReleaseSettings, today: dt.date, told: Released, progress: Progress
) -> Iterator[Kept]:
    consents = read_consents(collection.consents)
    ids = collection.ids()
    for dialogue_id in progress.over(ids, "dialogues", len(ids)):
        reviewed = read_reviews(collection.reviews(dialogue_id))
        collected = apply_reviews(collection.read(dialogue_id), reviewed)
        if reason := _unready(collected, reviewed.left_out, reviewed.read):
            told.left_out[f"dialogues: {reason}"] += 1
            continue
        found = _consented(collected, consents, settings, today, told)
        if found is None:
            continue
        shown, moved = found
        counts: Counter[str] = Counter()
        item = labelled(shown.dialogue, answers(collection, dialogue_id, settings.single, counts), moved, counts)
        item = _without_private_queries(item, counts)
        told.left_out.update({f"queries: {reason}": count for reason, count in counts.items() if count})
        if not item.queries:
            told.left_out["dialogues: no query is left"] += 1
            continue
        yield shown, item


def _unready(collected: Collected, left_out: bool, read: bool) -> str:
    """Return why a dialogue is not ready; doubtful findings that nobody decided on stay masked, and hold nothing up."""
    if left_out:
        return "left out by a person"
    return "" if read or collected.treatment.get("read") else "nobody read it to the end (the privacy pass)"


def _consented(
    collected: Collected,
    consents: Mapping[str, Consent],
    settings: ReleaseSettings,
    today: dt.date,
    told: Released,
) -> tuple[Collected, Moved] | None:
    """Return what everybody agreed to, and where its ids went; None where the dialogue goes as a whole."""
    verdict = releasable(collected, consents, settings.scopes, today, settings.without_consent)
    for reason in verdict.reasons:
        told.left_out[f"speakers: {reason}"] += 1
    if not verdict.release:
        told.left_out["dialogues: a speaker's consent is missing or over"] += 1
        return None
    shown, utterances, images = without_speakers(collected, verdict.removed)
    if shown.dialogue.n_utterances < settings.min_utterances:
        told.left_out["dialogues: too few messages are left"] += 1
        return None
    told.left_out["messages of speakers without consent"] += (
        collected.dialogue.n_utterances - shown.dialogue.n_utterances
    )
    with_pictures = _pictures(shown, verdict.images, told)
    return with_pictures, Moved(utterances, images)


def _pictures(collected: Collected, consented: bool, told: Released) -> Collected:
    """Return a dialogue whose pictures are withheld unless a person said yes and everybody agreed to pictures."""
    images, keys = [], []
    for number, image in enumerate(collected.images):
        kept = image.status == "present" and image.decision == "yes" and consented
        if kept:
            images.append(image)
            keys.append(image.image_key)
            continue
        status: Literal["missing", "withheld"] = "missing" if image.status == "missing" else "withheld"
        reason = (
            "not in the export"
            if status == "missing"
            else "no yes of a person"
            if consented
            else "no consent to pictures"
        )
        told.left_out[f"pictures: {reason}"] += 1
        keys.append(f"ref:{status}/{collected.dialogue.dialogue_id}-{number}")
        images.append(replace(image, image_key=keys[-1], status=status, width=None, height=None, media_type=""))
    pictures = tuple(
        DialogueImage(key, held.caption) for key, held in zip(keys, collected.dialogue.images, strict=True)
    )
    dialogue = replace(collected.dialogue, images=pictures, licence=RESEARCH_ONLY, meta="")
    return replace(collected, dialogue=dialogue, images=tuple(images))


def _without_private_queries(item: Labelled, counts: Counter[str]) -> Labelled:
    private = {query.query_id for query in item.queries if _patterns(query.text, query.language)}
    if not private:
        return item
    counts["holds something private"] += len(private)
    golds = tuple(gold for gold in item.golds if gold.query_id not in private)
    used = {gold.fragment_id for gold in golds}
    return replace(
        item,
        queries=tuple(query for query in item.queries if query.query_id not in private),
        golds=golds,
        fragments=tuple(fragment for fragment in item.fragments if fragment.fragment_id in used),
    )


def _write(
    collection: Collection,
    kept: Sequence[Kept],
    folder: Path,
    settings: ReleaseSettings,
    today: dt.date,
    told: Released,
) -> None:
    identity = sha256_text(
        canonical_json([settings.model_dump(mode="json"), [item.dialogue.dialogue_id for _, item in kept]])
    )
    told.scopes = scopes_of_all([collected for collected, _ in kept], read_consents(collection.consents), today)
    manifest = Manifest(
        name=f"mldr-ffr-{settings.name}",
        recipe={"release": settings.model_dump(mode="json")},
        recipe_hash=identity,
        versions=shaping_versions(),
        consent_scopes=sorted(told.scopes),
        dropped={reason: count for reason, count in sorted(told.left_out.items()) if count},
        canary=canary(identity),
    )
    counts = manifest.counts[settings.split] = {}
    for table, records, total, limit in _tables(collection, kept):
        counts[table] = write_table(records, total, limit, (table, settings.split), folder, manifest)
    write_text(folder / LICENCE_FILE, licence_text(manifest.name))
    manifest.files[LICENCE_FILE] = ShardEntry(rows=0, sha256=sha256_file(folder / LICENCE_FILE))
    write_manifest(folder, manifest)
    written = hash_gold(folder, manifest)
    told.gold_hash = manifest.gold_hash[settings.split]
    told.dialogues, told.queries = counts["dialogues"], counts["queries"]
    agreement = agreement_of(collection, collection.annotators())
    told_card = Told.of([collected for collected, _ in kept], manifest.dropped, settings.scopes, agreement)
    add_card(folder, manifest, real_card(written, told_card))


def _tables(collection: Collection, kept: Sequence[Kept]) -> Iterator[tuple[Table, Iterator[Record], int, int]]:
    items = sorted((item for _, item in kept), key=lambda item: item.dialogue.dialogue_id)
    queries = sorted((row for item in items for row in item.queries), key=lambda row: row.query_id)
    golds = sorted((row for item in items for row in item.golds), key=lambda row: row.query_id)
    fragments = sorted((row for item in items for row in item.fragments), key=lambda row: row.fragment_id)
    rows: list[tuple[Table, Sequence[Record]]] = [
        ("dialogues", [item.dialogue for item in items]),
        ("queries", queries),
        ("gold", golds),
        ("fragments", fragments),
    ]
    for table, records in rows:
        yield table, iter(records), len(records), ROWS_A_SHARD[table]
    shown = {image.image_key: image for collected, _ in kept for image in collected.images}
    paths = {
        key: collection.image_path(key, image.media_type) for key, image in shown.items() if image.status == "present"
    }
    size = sum(path.stat().st_size for path in paths.values())
    yield "images", _stored(shown, paths), len(shown), images_a_shard(len(shown), size)


def _stored(shown: Mapping[str, CollectedImage], paths: Mapping[str, Path]) -> Iterator[StoredImage]:
    """Yield the pictures by key; the bytes of one are held at a time."""
    for key, image in sorted(shown.items()):
        content = paths[key].read_bytes() if key in paths else None
        yield StoredImage(
            key,
            image.status,
            content,
            image.width,
            image.height,
            image.media_type,
            source="collection",
            licence=RESEARCH_ONLY,
        )


def licence_text(name: str) -> str:
    """Return the terms of use of a released set of real chats. No legal advice."""
    template = files("mldr.annotation").joinpath("licence", "research-use.txt").read_text(encoding="utf-8")
    return template.replace("{name}", name)
