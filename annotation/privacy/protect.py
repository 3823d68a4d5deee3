"""`mldr annotate privacy`: every cut dialogue of a private store to a collection, and what a giver's pass still has to decide."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mldr.annotation.collection import Collection
from mldr.annotation.consent_store import carried
from mldr.annotation.cutreport import counted
from mldr.annotation.records import Collected, CutDialogue, cut_path, read_cut, write_collected
from mldr.annotation.reviews import Reviewed, read_reviews
from mldr.annotation.store import Store
from mldr.errors import MissingExtra, MldrError
from mldr.progress import Progress

if TYPE_CHECKING:
    from mldr.annotation.privacy.pictures import Covered


@dataclass(slots=True)
class Protected:
    """What the privacy step made of a store."""

    written: int = 0
    withheld: dict[str, str] = field(default_factory=dict)
    """dialogue_id -> why it is not in the collection; the reason tells nothing private."""
    masks: Counter[str] = field(default_factory=Counter)
    """kind -> stretches that are masked."""
    open_findings: int = 0
    """Masked, and worth a person's look."""
    pictures: Counter[str] = field(default_factory=Counter)
    """`present`, or the reason why one is not."""
    unread: int = 0
    """Dialogues that nobody read to the end yet."""
    consents: int = 0
    """Statements of the consent record that the collection did not have yet."""

    def as_json(self) -> dict[str, Any]:
        """Return it for machines."""
        counts = {"masks": dict(sorted(self.masks.items())), "pictures": dict(sorted(self.pictures.items()))}
        plain = {
            "written": self.written,
            "open_findings": self.open_findings,
            "unread": self.unread,
            "consents": self.consents,
        }
        return {**plain, "withheld": dict(sorted(self.withheld.items())), **counts}

    def __str__(self) -> str:
        masks = ", ".join(f"{count:,} {kind}" for kind, count in sorted(self.masks.items())) or "none"
        pictures = ", ".join(f"{count:,} {what}" for what, count in sorted(self.pictures.items()) if count) or "none"
        lines = [
            f"{counted(self.written, 'dialogue')}, {len(self.withheld):,} withheld, {self.unread:,} not read to the end yet",
            f"masked: {masks}; {self.open_findings:,} of them doubtful",
            f"pictures: {pictures}",
            f"consents: {self.consents:,} carried over",
        ]
        return "\n".join(lines)


class StorePictures:
    """The pictures of one chat of a store, covered when asked for."""

    def __init__(self, store: Store, chat_key: str) -> None:
        self._folder = store.chats / chat_key / "images"

    def raw(self, image_key: str) -> bytes:
        """Return the normalised bytes of a picture as the store keeps it.

        Raises:
            MldrError: if it is not there.
        """
        digits = image_key.removeprefix("sha256:")
        for ending in (".jpg", ".png"):
            path = self._folder / (digits + ending)
            if path.is_file():
                return path.read_bytes()
        raise MldrError(f"picture {digits[:12]} is not in the store any more; import the chat again")

    def __call__(self, image_key: str) -> Covered | str:
        """Return the covered picture, or why there is none: whatever fails withholds."""
        from mldr.annotation.privacy.pictures import CoverError, cover

        try:
            return cover(self.raw(image_key))
        except MissingExtra:
            return "faces cannot be found: pip install 'mldr[privacy]'"
        except CoverError as error:
            return f"could not be covered: {error}"


def cuts(store: Store) -> list[str]:
    """Return the ids of the cut dialogues of a store, ascending."""
    return sorted(path.stem for path in store.dialogues.glob("*.json"))


def reviewed_of(store: Store, dialogue_id: str) -> Reviewed:
    """Return what a person decided about a raw dialogue."""
    return read_reviews(store.reviews / f"{dialogue_id}.jsonl")


def protect(
    store: Store, collection: Collection, progress: Progress | None = None, *, undecided: bool = True
) -> Protected:
    """Write the de-identified copy of every cut dialogue of a store.

    A dialogue on which anything fails is withheld and named; the others go on.

    Args:
        store: the private store.
        collection: where the copies go. Nothing raw is written there.
        progress: takes how far it is.
        undecided: show pictures there that nobody decided on, for a person to decide; a bundle for others shows none of them, and
            takes the consents of those alone who are left in it.

    Raises:
        MldrError: if the store holds no dialogue, or a dialogue that somebody labelled already would lose or change messages.
    """
    told = Protected()
    found = cuts(store)
    if not found:
        raise MldrError(f"{store.folder} holds no cut dialogue; run `mldr annotate cut` first")
    for dialogue_id in (progress or Progress()).over(found, "dialogues", len(found)):
        _protect_one(store, collection, dialogue_id, told, undecided)
    if undecided:
        told.consents = carry_consents(store, collection)
    return told


def carry_consents(store: Store, collection: Collection) -> int:
    """Enter what a store's record says of a collection's speakers into the collection's; return how many statements were news."""
    subjects = {subject for collected in collection for subject in collected.subjects.values()}
    return carried(store.consents, collection.consents, subjects)


def _protect_one(store: Store, collection: Collection, dialogue_id: str, told: Protected, undecided: bool) -> None:
    cut = read_cut(cut_path(store.dialogues, dialogue_id))
    reviewed = reviewed_of(store, dialogue_id)
    if reviewed.left_out:
        return _withhold(collection, told, dialogue_id, "left out by a person")
    try:
        _write(store, collection, cut, reviewed, told, undecided)
    except MldrError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a detector trips over, the dialogue stays private
        _withhold(collection, told, dialogue_id, f"the detectors failed ({type(error).__name__})")


def _withhold(collection: Collection, told: Protected, dialogue_id: str, reason: str) -> None:
    cut_path(collection.dialogues, dialogue_id).unlink(missing_ok=True)
    told.withheld[dialogue_id] = reason


def _write(
    store: Store, collection: Collection, cut: CutDialogue, reviewed: Reviewed, told: Protected, undecided: bool
) -> None:
    from mldr.annotation.privacy.treat import findings, treat

    treated = treat(cut, store, reviewed, StorePictures(store, cut.chat_key), undecided=undecided)
    collected = treated.collected
    if not collected.dialogue.utterances:
        return _withhold(collection, told, cut.dialogue.dialogue_id, "all of its messages were taken out")
    _check_said(collection, collected)
    for key, picture in treated.pictures.items():
        path = collection.image_path(key, picture.media_type)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture.content)
    write_collected(collection.dialogues, collected)
    told.written += 1
    told.masks.update(mask.mask.kind for mask in collected.masks)
    told.open_findings += sum(finding.open for finding in findings(cut, reviewed))
    told.pictures.update(treated.withheld)
    told.pictures["present"] += sum(image.status == "present" for image in collected.images)
    told.unread += not reviewed.read


def _check_said(collection: Collection, new: Collected) -> None:
    """Refuse to renumber what somebody labelled, and to change words whose places somebody reviewed in the collection."""
    dialogue_id = new.dialogue.dialogue_id
    if not cut_path(collection.dialogues, dialogue_id).exists():
        return
    before = collection.read(dialogue_id)
    labelled = [name for name in collection.annotators() if collection.labels(name, dialogue_id).exists()]
    if labelled and before.dialogue.n_utterances != new.dialogue.n_utterances:
        raise MldrError(
            f"dialogue {dialogue_id} has labels by {', '.join(labelled)}, and taking messages out would number it anew; "
            "use another collection folder"
        )
    words = [[utterance.text for utterance in one.dialogue.utterances] for one in (before, new)]
    if words[0] != words[1] and collection.reviews(dialogue_id).exists():
        raise MldrError(
            f"dialogue {dialogue_id} was reviewed in the collection, and its words would be others now; "
            "use another collection folder"
        )


def remove_unused_pictures(collection: Collection) -> int:
    """Remove pictures that no dialogue of a collection shows any more; return how many."""
    used = {
        collection.image_path(image.image_key, image.media_type).name
        for collected in collection
        for image in collected.images
        if image.status == "present"
    }
    loose = [path for path in _pictures(collection) if path.name not in used]
    for path in loose:
        path.unlink()
    return len(loose)


def _pictures(collection: Collection) -> list[Path]:
    return sorted(path for path in collection.images.glob("*") if path.is_file())
