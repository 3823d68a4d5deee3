"""The end of `mldr annotate donate`: what a giver read and everybody agreed to becomes a sealed bundle; all else stays."""

from __future__ import annotations

import datetime as dt
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mldr.annotation.bundle import LEAST, Sealed, seal
from mldr.annotation.collection import Collection, open_collection
from mldr.annotation.consent_rules import Mode, releasable, without_speakers
from mldr.annotation.consents import Consent, read_consents
from mldr.annotation.privacy.leaks import check_leaks
from mldr.annotation.privacy.protect import cuts, protect, remove_unused_pictures, reviewed_of
from mldr.annotation.privacy.secrets import Secrets
from mldr.annotation.records import Collected, CollectedImage, cut_path, read_cut, write_collected
from mldr.annotation.releasing import secrets_of
from mldr.annotation.store import Store, append_line, locked, logged
from mldr.dialogue import DialogueImage
from mldr.errors import Faults, InputError, MldrError, fault
from mldr.progress import Progress

WORKPLACE = ".donating-"
"""Folders of the store in which a bundle is put together; one that a crash left is removed by the next run."""


@dataclass(slots=True)
class Donated:
    """What went into a bundle, and what did not."""

    sealed: Sealed
    out: Path
    messages: int = 0
    """In the bundle."""
    pictures: int = 0
    """Shown in its dialogues."""
    dialogue_ids: list[str] = field(default_factory=list)
    masks: dict[str, int] = field(default_factory=dict)
    """Kind -> stretches that were replaced."""
    left_out: Counter[str] = field(default_factory=Counter)
    """Reason -> dialogues, messages or pictures, said in the reason, that are not in it."""

    def as_json(self) -> dict[str, Any]:
        """Return it for the page and the store's log; nobody is named."""
        counts = {"dialogues": self.sealed.dialogues, "subjects": self.sealed.subjects, "messages": self.messages}
        told = {"seal": self.sealed.seal, "bundle": str(self.out), "pictures": self.pictures, **counts}
        return {**told, "masks": self.masks, "left_out": {what: n for what, n in sorted(self.left_out.items()) if n}}


def donation(
    store: Store,
    out: Path,
    today: dt.date,
    mode: Mode = "drop_speaker",
    progress: Progress | None = None,
    *,
    force: bool = False,
) -> Donated:
    """Seal what a giver read to the end and everybody who is in it agreed to.

    The copies are made in a folder inside the store, which goes again; a leak, or any other fault, leaves nothing at `out`.

    Args:
        store: the private store, cut and read.
        out: the bundle to be, outside the store.
        today: the day on which consents must be alive.
        mode: `drop_speaker` takes the messages of who did not agree out, and then all pictures of that dialogue; `drop_dialogue`
            the whole dialogue.
        progress: takes how far it is.
        force: replace what stands at `out`; a bundle that this store made before is replaced without.

    Raises:
        MldrError: if `out` may not be written, or nothing is left to give.
        InputError: with every dialogue that nobody read to the end, and with every leak, by its message.
    """
    out = out.resolve()
    force = force or out in {Path(one["bundle"]) for one in donations(store)}
    _check_out(store, out, force=force)
    _check_read(store)
    with locked(store.folder / "donations.jsonl"):
        for old in sorted(store.folder.glob(f"{WORKPLACE}*")):
            shutil.rmtree(old)
        with TemporaryDirectory(dir=store.folder, prefix=WORKPLACE) as folder:
            collection = open_collection(Path(folder) / "collection", create=True)
            told = _prepared(store, collection, today, mode, progress)
            _check_leaks(store, collection, secrets_of(store).of_bundle())
            told.out, told.sealed = out, seal(collection, out, today, force=force)
    record = {**told.as_json(), "date": today.isoformat(), "dialogue_ids": told.dialogue_ids}
    append_line(store.folder / "donations.jsonl", record)
    (store.folder / "donations.jsonl").chmod(0o600)
    return told


def donations(store: Store) -> list[dict[str, Any]]:
    """Return what was sealed from a store, in its order."""
    return [record for _, record in logged(store.folder / "donations.jsonl")]


def _check_out(store: Store, out: Path, *, force: bool) -> None:
    if out.is_relative_to(store.folder.resolve()):
        raise fault(str(out), "is inside the private store, which nobody else may get; put the bundle elsewhere")
    if out.is_dir() or (out.exists() and not force):
        raise fault(str(out), "stands there already and is not of this store; choose another --out")
    if not out.parent.is_dir():
        raise fault(str(out), "its folder is not there; choose another --out")


def _check_read(store: Store) -> None:
    faults = Faults()
    for dialogue_id in cuts(store):
        reviewed = reviewed_of(store, dialogue_id)
        if not reviewed.read and not reviewed.left_out:
            faults.add(f"dialogue {dialogue_id}", "nobody read it to the end yet; read it, or leave it out")
    faults.check()


def _prepared(store: Store, collection: Collection, today: dt.date, mode: Mode, progress: Progress | None) -> Donated:
    """Fill a collection with what may be given: masked, and without who did not agree."""
    protected = protect(store, collection, progress, undecided=False)
    told = Donated(Sealed("", 0, 0, 0), Path())
    told.left_out.update(f"dialogues: {reason}" for reason in protected.withheld.values())
    consents, given = read_consents(store.consents), set[str]()
    for dialogue_id in collection.ids():
        collected = _consented(collection.read(dialogue_id), consents, today, mode, told)
        if collected is None:
            cut_path(collection.dialogues, dialogue_id).unlink()
            continue
        write_collected(collection.dialogues, collected)
        given |= set(collected.subjects.values())
        told.messages += collected.dialogue.n_utterances
        told.pictures += sum(image.status == "present" for image in collected.images)
        masks = Counter(told.masks) + Counter(mask.mask.kind for mask in collected.masks)
        told.masks = dict(sorted(masks.items()))
    told.dialogue_ids = collection.ids()
    if not told.dialogue_ids:
        reasons = "; ".join(f"{reason} ({count:,})" for reason, count in sorted(told.left_out.items()) if count)
        raise MldrError(f"nothing is left to give: {reasons}")
    remove_unused_pictures(collection)
    for subject in sorted(given):
        append_line(collection.consents, consents[subject].model_dump(mode="json"))
    return told


def _consented(
    collected: Collected, consents: Mapping[str, Consent], today: dt.date, mode: Mode, told: Donated
) -> Collected | None:
    verdict = releasable(collected, consents, LEAST, today, mode)
    if not verdict.release:
        told.left_out[f"dialogues: {verdict.reason}"] += 1
        return None
    kept, _, _ = without_speakers(collected, verdict.removed)
    n_before, n_after = collected.dialogue.n_utterances, kept.dialogue.n_utterances
    told.left_out["messages: of people whose consent does not hold"] += n_before - n_after
    for image in kept.images:
        if image.status != "present":
            told.left_out["pictures: missing from the export, or nobody said yes"] += 1
    return kept if verdict.images else _without_pictures(kept, told)


def _without_pictures(collected: Collected, told: Donated) -> Collected:
    images = []
    for number, image in enumerate(collected.images):
        if image.status == "present":
            told.left_out["pictures: not everybody in the dialogue agreed to pictures"] += 1
            image = CollectedImage(f"ref:withheld/{number}", "withheld", decision=image.decision)
        images.append(image)
    shown = tuple(
        DialogueImage(image.image_key, held.caption)
        for image, held in zip(images, collected.dialogue.images, strict=True)
    )
    return replace(collected, dialogue=replace(collected.dialogue, images=shown), images=tuple(images))


def _check_leaks(store: Store, collection: Collection, secrets: Secrets) -> None:
    """Check every file of a collection; where a message leaks, say which of the raw dialogue it is.

    Raises:
        InputError: with every leak; no secret is told.
    """
    standing_in = {one.dialogue.dialogue_id: {mask.mask.surrogate for mask in one.masks} for one in collection}
    try:
        check_leaks(collection.folder, secrets, None, standing_in)
    except InputError as error:
        faults = Faults()
        for place, words in _placed(store, collection, secrets):
            faults.add(place, words)
        faults.extend(error.faults)
        faults.check()


def _placed(store: Store, collection: Collection, secrets: Secrets) -> list[tuple[str, str]]:
    """Return (dialogue and raw message, what it may show) of each message in which a secret stands."""
    found = []
    for collected in collection:
        name = collected.dialogue.dialogue_id
        numbers = _raw_numbers(store, collected)
        for index, utterance in enumerate(collected.dialogue.utterances):
            kinds = sorted({secret.kind for secret in secrets.find(utterance.text, people=True)})
            if kinds:
                words = f"may show a private {' and '.join(kinds)}; go there, mark it with m, and seal again"
                found.append((f"dialogue {name}, message {numbers[index]}", words))
    return found


def _raw_numbers(store: Store, collected: Collected) -> list[int]:
    """Return the raw dialogue's number of each message that is left of it."""
    cut = read_cut(cut_path(store.dialogues, collected.dialogue.dialogue_id))
    removed = reviewed_of(store, collected.dialogue.dialogue_id).removed
    given = set(collected.subjects.values())
    return [
        index
        for index, utterance in enumerate(cut.dialogue.utterances)
        if index not in removed and store.subject_key(cut.platform, utterance.speaker) in given
    ]
