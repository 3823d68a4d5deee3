"""Draws queries of a split and writes them as a collection to be labelled blind: no gold, no caption of a picture that is shown."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection as Ids
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mldr.annotation.auditing.models import AuditPlan, Source, Stratum
from mldr.annotation.auditing.sampling import Row, sample
from mldr.annotation.collection import DIALOGUE_ID, MARK, Collection, open_collection
from mldr.annotation.labels import Asked, as_line
from mldr.annotation.records import Collected, CollectedImage, write_collected
from mldr.annotation.store import append_line
from mldr.dataset import Asked as AskedDialogue
from mldr.dataset import Dataset
from mldr.dialogue import Dialogue, DialogueImage, Query, StoredImage
from mldr.errors import Faults, MldrError, fault
from mldr.files import parse_json, read_lines, sha256_text, write_json
from mldr.folders import fresh_folder
from mldr.formats import upgraded

PLAN = "audit.json"
_LONGEST = 2_000
"""Characters of a query that `Asked` takes."""


def draw(dataset: Dataset, split: str, n: int, seed: int, out: Path) -> AuditPlan:
    """Write a sample of a split's queries as a collection, and return what was drawn.

    Args:
        dataset: with the gold of the split.
        split: to be audited.
        n: how many queries.
        seed: of the draw.
        out: the folder of the collection; nothing that stands there is replaced.

    Raises:
        MldrError: if the gold is withheld, `n` is too small to draw one of each stratum, or something stands at `out`.
        InputError: with each picture whose bytes are not those that its key names.
    """
    return _draw(dataset, split, n, seed, out, "dataset", None)


def draw_flagged(dataset: Dataset, split: str, flagged: Path, n: int, seed: int, out: Path) -> AuditPlan:
    """Write a sample of the queries whose label a model disagreed with, as `draw` does.

    Args:
        dataset: with the gold of the split.
        split: to be audited; flagged queries of other splits are passed over.
        flagged: `OUT.flagged.jsonl` of the build.
        n: how many queries.
        seed: of the draw.
        out: the folder of the collection.

    Raises:
        MldrError: as `draw` does, and if no query of the split is flagged.
        InputError: with every line that is no flag, or flags a query that the dataset does not have or labels otherwise.
    """
    return _draw(dataset, split, n, seed, out, "flagged", read_flagged(dataset, split, flagged))


def _draw(
    dataset: Dataset, split: str, n: int, seed: int, out: Path, source: Source, among: Ids[str] | None
) -> AuditPlan:
    if not dataset.has_gold(split):
        raise MldrError(f"{dataset.folder}: the gold of {split} is withheld, so there are no labels to audit")
    rows, not_askable = _rows(dataset, split, among)
    if not rows:
        raise MldrError(f"{dataset.folder}: no {'flagged ' if among is not None else ''}query of {split} can be drawn")
    drawn = sample(rows, n, seed)
    chosen = {row.query_id for row in drawn}
    asked = [one for one in dataset.asked(split, gold=False) if any(query.query_id in chosen for query in one.queries)]
    sizes, taken = Counter(row.stratum for row in rows), Counter(row.stratum for row in drawn)
    of_one = Counter(row.dialogue_id for row in drawn)
    plan = AuditPlan(
        dataset=dataset.name,
        split=split,
        gold_hash=dataset.manifest.gold_hash.get(split, ""),
        source=source,
        seed=seed,
        wanted=n,
        drawn=len(drawn),
        of=len(rows),
        not_askable=not_askable,
        dialogues=len(asked),
        most_of_one=max(of_one.values()),
        images=sum(one.dialogue.n_images for one in asked),
        unseen_images=0,
        strata=[
            Stratum(kind=kind, language=language, label_source=made, of=of, drawn=taken[kind, language, made])
            for (kind, language, made), of in sorted(sizes.items())
        ],
    )
    with fresh_folder(out, MARK, force=False) as workshop:
        plan.unseen_images = _write(dataset, split, asked, drawn, source, open_collection(workshop.new, create=True))
        write_json(workshop.new / PLAN, plan.model_dump(mode="json", exclude={"strata"}))
    return plan


def _rows(dataset: Dataset, split: str, among: Ids[str] | None) -> tuple[list[Row], int]:
    """Return the queries that may be drawn, and how many cannot be asked."""
    rows, not_askable = [], 0
    for asked in dataset.asked(split):
        for query, gold in zip(asked.queries, asked.gold, strict=True):
            if among is not None and query.query_id not in among:
                continue
            if not query.text.strip() or len(query.text) > _LONGEST:
                not_askable += 1
                continue
            stratum = (gold.kind, query.language, gold.label_source)
            rows.append(Row(query.query_id, query.dialogue_id, stratum))
    return rows, not_askable


def _write(
    dataset: Dataset,
    split: str,
    asked: Sequence[AskedDialogue],
    drawn: Sequence[Row],
    source: Source,
    audit: Collection,
) -> int:
    """Write the collection; return how many images nobody can see."""
    keys = {image.image_key for one in asked for image in one.dialogue.images}
    seen = _copy_images(dataset, split, keys, audit)
    order = {row.query_id: place for place, row in enumerate(drawn)}
    unseen = 0
    for one in asked:
        collected = _collected(one.dialogue, seen)
        unseen += sum(image.status != "present" for image in collected.images)
        write_collected(audit.dialogues, collected)
        own = sorted((query for query in one.queries if query.query_id in order), key=lambda q: order[q.query_id])
        for number, query in enumerate(own, 1):
            append_line(audit.queries(collected.dialogue.dialogue_id), as_line(_asked(number, query, source)))
    return unseen


def _asked(number: int, query: Query, source: Source) -> Asked:
    return Asked(name=f"q{number}", text=query.text, language=query.language, origin=source, query_id=query.query_id)


def _copy_images(dataset: Dataset, split: str, keys: Ids[str], audit: Collection) -> dict[str, StoredImage]:
    """Copy the pictures of some keys; return key -> picture without its bytes, for those that have some."""
    found: dict[str, StoredImage] = {}
    faults = Faults()
    for image in dataset.images(split):
        if image.image_key not in keys or image.status != "present" or image.content is None:
            continue
        place = f"{dataset.folder}, image {image.image_key}"
        if image.image_key != f"sha256:{hashlib.sha256(image.content).hexdigest()}":
            faults.add(place, f"its bytes are not those that its key names; see: mldr dataset verify {dataset.folder}")
            continue
        if image.media_type not in ("image/jpeg", "image/png"):
            faults.add(place, f"media type {image.media_type!r}; image/jpeg or image/png is expected")
            continue
        path = audit.image_path(image.image_key, image.media_type)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(image.content)
        found[image.image_key] = replace(image, content=None)
    faults.check()
    return found


def _collected(dialogue: Dialogue, seen: dict[str, StoredImage]) -> Collected:
    """Return a dialogue as annotators see it: a caption stands only where there is no picture, `meta` may tell of sources."""
    images, keys = [], []
    for place, image in enumerate(dialogue.images):
        stored = seen.get(image.image_key)
        if stored is None:
            images.append(CollectedImage(f"ref:missing/{place}", "missing", decision="yes"))
            keys.append(DialogueImage(f"ref:missing/{place}", image.caption))
            continue
        images.append(
            CollectedImage(stored.image_key, "present", stored.width, stored.height, stored.media_type, decision="yes")
        )
        keys.append(DialogueImage(image.image_key))
    shown = replace(dialogue, dialogue_id=audit_id(dialogue.dialogue_id), images=tuple(keys), meta="")
    return Collected(shown, {}, tuple(images), (), {"origin": "dataset", "read": True})


def audit_id(dialogue_id: str) -> str:
    """Return the id that a dialogue has in a collection: its own, or 16 hex digits made of it where a file cannot be called so."""
    return dialogue_id if DIALOGUE_ID.fullmatch(dialogue_id) else sha256_text(dialogue_id)[:16]


def read_plan(audit: Collection) -> AuditPlan:
    """Return the plan of an audit's folder.

    Raises:
        MldrError: if the collection is none that was drawn for an audit.
        InputError: with every fault of a malformed plan.
    """
    from mldr.configuration import model_faults

    path = audit.folder / PLAN
    try:
        document = parse_json(path.read_bytes())
    except FileNotFoundError as error:
        raise MldrError(f"{audit.folder} is no audit: it has no {PLAN}; `mldr annotate audit` draws one") from error
    except ValueError as error:
        raise fault(str(path), str(error)) from error
    if not isinstance(document, dict):
        raise fault(str(path), "a JSON object is expected")
    try:
        return AuditPlan.model_validate(upgraded(document, "audit-plan", str(path)))
    except ValidationError as error:
        raise model_faults(error, str(path)) from error


def read_flagged(dataset: Dataset, split: str, path: Path) -> set[str]:
    """Return the ids of a split's queries that a file of flags names.

    Raises:
        MldrError: if it cannot be read.
        InputError: with every line that is no flag, or flags a query that the dataset does not have or labels otherwise.
    """
    own = {gold.query_id: gold for gold in dataset.gold(split)}
    known = {name for one in dataset.splits for name in dataset.arrow("queries", one, ["query_id"])[0].to_pylist()}
    found: set[str] = set()
    faults = Faults()
    try:
        for number, line in read_lines(path):
            place = f"{path}, line {number}"
            try:
                query_id, ids = _flag(parse_json(line))
            except ValueError as error:
                faults.add(place, str(error))
                continue
            gold = own.get(query_id)
            if query_id not in known:
                faults.add(place, f"query {query_id!r} is not in the dataset; is this the file of another build?")
            elif gold is not None and ids != (sorted(gold.utterance_ids), sorted(gold.image_ids)):
                faults.add(place, f"query {query_id!r} has another label here; is this the file of another build?")
            elif gold is not None:
                found.add(query_id)
    except OSError as error:
        raise MldrError(f"{path}: cannot be read ({error.strerror})") from error
    faults.check()
    return found


def _flag(record: Any) -> tuple[str, tuple[list[int], list[int]]]:
    """Return the query_id of a flag, and the label that it speaks of."""
    try:
        query_id, gold = record["query_id"], record["gold"]
        ids = sorted(gold["utterance_ids"]), sorted(gold["image_ids"])
    except (KeyError, TypeError) as error:
        raise ValueError("`query_id` and `gold` with its two lists of ids are expected") from error
    if not isinstance(query_id, str):
        raise ValueError("`query_id` is no string")
    return query_id, ids
