"""The giver's privacy pass: the raw dialogues of a private store, with what will stand for each private thing."""

from __future__ import annotations

import io
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from mldr.annotation.chat import Member
from mldr.annotation.collection import DIALOGUE_ID
from mldr.annotation.privacy.protect import StorePictures, cuts, reviewed_of
from mldr.annotation.records import Collected, CollectedImage, CutDialogue, cut_path, read_cut
from mldr.annotation.reviews import ImageReview, Remove, Review, Reviewed, SpanReview, Whole
from mldr.annotation.serving.reviewing import Finding, Reading, refuse_unread
from mldr.annotation.serving.shown import as_page
from mldr.annotation.store import Store, append_line, locked
from mldr.dialogue import Dialogue
from mldr.errors import MissingExtra, MldrError, fault
from mldr.web import Refusal, Reply

if TYPE_CHECKING:
    from mldr.annotation.privacy.pictures import Covered
    from mldr.annotation.privacy.treat import Finding as RawFinding

KEPT_PICTURES = 64
"""Covered pictures that stay in memory; they are never written into the store, where a withdrawal would have to find them."""


@dataclass(slots=True)
class StoreReview:
    """The pass over a private store: raw texts are shown, and `keep` leaves a thing as it is; pictures are shown covered."""

    store: Store
    _kept: dict[str, tuple[tuple[int, ...], Reading]] = field(default_factory=dict)
    _shown: _Shown = field(init=False)

    def __post_init__(self) -> None:
        self._shown = _Shown(self.store)

    def ids(self) -> list[str]:
        """Return every cut dialogue, those of one chat after one another, as they were spoken."""
        places = {name: _place(self._cut(name)) for name in cuts(self.store)}
        return sorted(places, key=lambda name: (places[name], name))

    def listed(self) -> list[dict[str, Any]]:
        """Return each dialogue with whether it is done."""
        found = []
        for dialogue_id in self.ids():
            dialogue, reviewed = self._cut(dialogue_id).dialogue, reviewed_of(self.store, dialogue_id)
            counts = {"n_utterances": dialogue.n_utterances, "n_images": dialogue.n_images}
            state = {"done": reviewed.read or reviewed.left_out, "left_out": reviewed.left_out}
            found.append({"dialogue_id": dialogue_id, **counts, **state})
        return found

    def reading(self, dialogue_id: str) -> Reading:
        """Return a raw dialogue with its findings and what was decided.

        A dialogue on which the detectors fail is left out, and that is written down: whatever is decided, it is withheld.
        """
        stamp = self._stamp(dialogue_id)
        kept = self._kept.get(dialogue_id)
        if kept is None or kept[0] != stamp:
            kept = self._kept[dialogue_id] = (stamp, self._read(dialogue_id))
        reading = kept[1]
        for number, image in enumerate(self._cut(dialogue_id).dialogue.images):
            reading.page["images"][number].update(self._shown.known(image.image_key))
        return reading

    def decide(self, dialogue_id: str, review: Review) -> None:
        """Append a decision to the store's log.

        Raises:
            Refusal: 404 for an unknown dialogue, 409 for `read` while something is undecided.
            InputError: for a decision about something that the dialogue lacks, or that crosses an earlier one.
        """
        cut = self._cut(dialogue_id)
        path = self.store.reviews / f"{dialogue_id}.jsonl"
        self.store.reviews.mkdir(mode=0o700, exist_ok=True)
        with locked(self.store.reviews):
            if isinstance(review, SpanReview):
                _check_span(cut, reviewed_of(self.store, dialogue_id), review)
            elif isinstance(review, Remove) and review.utterance_id >= cut.dialogue.n_utterances:
                raise fault(f"message {review.utterance_id}", "the dialogue has no such message")
            elif isinstance(review, ImageReview):
                self._check_image(dialogue_id, review)
            elif isinstance(review, Whole) and review.read:
                refuse_unread(self.reading(dialogue_id))
            append_line(path, review.model_dump(mode="json"))
            path.chmod(0o600)

    def picture(self, dialogue_id: str, image_id: str) -> Reply:
        """Return the covered picture, as it would be given."""
        images = self._cut(dialogue_id).dialogue.images
        number = int(image_id) if image_id.isascii() and image_id.isdigit() and len(image_id) < 7 else -1
        if not 0 <= number < len(images):
            raise Refusal(404, f"no picture {image_id}")
        covered = self._shown.covered(self._cut(dialogue_id).chat_key, images[number].image_key)
        if isinstance(covered, str):
            raise Refusal(404, f"picture {number}: {covered}")
        return Reply(covered.content, covered.media_type)

    def _cut(self, dialogue_id: str) -> CutDialogue:
        path = cut_path(self.store.dialogues, dialogue_id)
        if not DIALOGUE_ID.fullmatch(dialogue_id) or not path.is_file():
            raise Refusal(404, f"no dialogue {dialogue_id[:40]}")
        return _read_cut(str(self.store.dialogues), dialogue_id, path.stat().st_mtime_ns)

    def _stamp(self, dialogue_id: str) -> tuple[int, ...]:
        self._cut(dialogue_id)
        found = []
        for path in (cut_path(self.store.dialogues, dialogue_id), self.store.reviews / f"{dialogue_id}.jsonl"):
            found += [path.stat().st_mtime_ns, path.stat().st_size] if path.exists() else [0, 0]
        return tuple(found)

    def _read(self, dialogue_id: str) -> Reading:
        cut, reviewed = self._cut(dialogue_id), reviewed_of(self.store, dialogue_id)
        dialogue = named(cut)
        images = tuple(self._shown.image(cut.chat_key, image.image_key) for image in dialogue.images)
        page = as_page(Collected(dialogue, {}, images, (), {}), frozenset(reviewed.removed))
        for image_id, choice in reviewed.images.items():
            if image_id < len(images):
                page["images"][image_id]["decision"] = choice
        found, failed = self._found(cut, reviewed)
        if failed and not reviewed.left_out:
            append_line(self.store.reviews / f"{dialogue_id}.jsonl", Whole(left_out=True).model_dump(mode="json"))
        return Reading(page, found, sorted(reviewed.removed), reviewed.read, reviewed.left_out or failed, raw=True)

    def _found(self, cut: CutDialogue, reviewed: Reviewed) -> tuple[list[Finding], bool]:
        from mldr.annotation.privacy.treat import findings

        try:
            raw = findings(cut, reviewed)
            return _with_surrogates(self.store, cut, raw), False
        except Exception:  # noqa: BLE001 - whatever a detector trips over, the dialogue is withheld, and so it is shown
            return [], True

    def _check_image(self, dialogue_id: str, review: ImageReview) -> None:
        images = self.reading(dialogue_id).page["images"]
        place = f"picture {review.image_id}"
        if review.image_id >= len(images):
            raise fault(place, "the dialogue has no such picture")
        if review.choice == "yes" and images[review.image_id]["status"] != "present":
            raise fault(place, f"it is {images[review.image_id]['status']}: there is nothing that could be given")


class _Shown:
    """The pictures of a store, covered when they are first asked for."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.covered = lru_cache(KEPT_PICTURES)(self._cover)
        self._known: dict[str, dict[str, Any]] = {}

    def _cover(self, chat_key: str, image_key: str) -> Covered | str:
        try:
            covered = "missing" if image_key.startswith("ref:") else StorePictures(self.store, chat_key)(image_key)
        except MldrError as error:
            covered = str(error)
        if isinstance(covered, str):
            self._known[image_key] = {"status": "missing" if covered == "missing" else "withheld"}
        else:
            self._known[image_key] = {"covered": {"faces": covered.faces, "codes": covered.codes}}
        return covered

    def known(self, image_key: str) -> dict[str, Any]:
        """Return what is known of a picture since it was covered: how much, or that it cannot be."""
        return self._known.get(image_key, {})

    def image(self, chat_key: str, image_key: str) -> CollectedImage:
        """Return what the page is told of a picture before it is covered; its pixels keep their place when it is."""
        from PIL import Image

        if image_key.startswith("ref:"):
            return CollectedImage(image_key, "missing")
        try:
            _check_covers()
            with Image.open(io.BytesIO(StorePictures(self.store, chat_key).raw(image_key))) as opened:
                return CollectedImage(
                    image_key, "present", opened.width, opened.height, Image.MIME[opened.format or ""]
                )
        except (MissingExtra, MldrError, OSError, KeyError):
            return CollectedImage(image_key, "withheld")


def _check_covers() -> None:
    from mldr.annotation.privacy.faces import check_extra

    check_extra()


@lru_cache(4096)
def _read_cut(folder: str, dialogue_id: str, _changed: int) -> CutDialogue:
    from pathlib import Path

    return read_cut(cut_path(Path(folder), dialogue_id))


def _place(cut: CutDialogue) -> tuple[str, str]:
    first = next((one.time for one in cut.dialogue.utterances if one.time is not None), None)
    return cut.chat_key, "" if first is None else first.isoformat()


def shown_names(members: tuple[Member, ...]) -> dict[str, str]:
    """Return person -> the name that the giver knows; two of one name are told apart by a number."""
    names: dict[str, str] = {}
    for member in members:
        name = next(iter(member.names), "") or member.person
        taken = set(names.values())
        number = next(n for n in range(1, len(members) + 2) if (f"{name} ({n})" if n > 1 else name) not in taken)
        names[member.person] = f"{name} ({number})" if number > 1 else name
    return names


def named(cut: CutDialogue) -> Dialogue:
    """Return the raw dialogue with names in place of ids."""
    names = shown_names(cut.members)
    utterances = (replace(one, speaker=names.get(one.speaker, one.speaker)) for one in cut.dialogue.utterances)
    return replace(cut.dialogue, utterances=tuple(utterances))


def _with_surrogates(store: Store, cut: CutDialogue, raw: list[RawFinding]) -> list[Finding]:
    """Return findings as the page shows them; what is masked gets the very words that the copy will show."""
    from mldr.annotation.privacy.detectors import NameList
    from mldr.annotation.privacy.surrogates import Surrogates

    texts = [utterance.text for utterance in cut.dialogue.utterances]
    salt = store.dialogue_salt(cut.dialogue.dialogue_id)
    surrogates = Surrogates(salt, cut.dialogue.language, NameList.of(cut.members), texts)

    def standing_for(one: RawFinding) -> str:
        return surrogates.of(one.span.kind, texts[one.utterance_id][one.span.start : one.span.end])

    words = {place: standing_for(one) for place, one in enumerate(raw) if _choice(one) in ("", "mask")}
    found = []
    for place, one in enumerate(raw):
        choice, by_person = _choice(one), one.span.detector == "person"
        if by_person and choice == "keep":
            continue
        edited = one.review.text if one.review is not None and choice == "edit" else None
        shown = edited if edited is not None else words[place] if place in words else standing_for(one)
        span = one.span
        found.append(
            Finding(one.utterance_id, span.start, span.end, span.kind, shown, span.confidence, choice, by_person)
        )
    return found


def _choice(one: RawFinding) -> str:
    return "" if one.review is None else one.review.choice


def _check_span(cut: CutDialogue, reviewed: Reviewed, review: SpanReview) -> None:
    from mldr.annotation.privacy.treat import findings

    at, start, end = review.utterance_id, review.start, review.end
    place = f"message {at}, characters {start} to {end}"
    if at >= cut.dialogue.n_utterances:
        raise fault(place, "the dialogue has no such message")
    text = cut.dialogue.utterances[at].text
    if not start < end <= len(text):
        raise fault(place, f"no stretch of the message, which has {len(text)} characters")
    if review.choice == "keep":
        shown = {(one.utterance_id, one.span.start, one.span.end) for one in findings(cut, reviewed)}
        if (at, start, end) not in shown | set(reviewed.spans):
            raise fault(place, "nothing is masked there")
        return
    for (utterance_id, first, past), earlier in sorted(reviewed.spans.items()):
        apart = utterance_id != at or past <= start or end <= first
        if not apart and earlier.choice != "keep" and not (start <= first and past <= end):
            raise fault(place, f"overlaps what was decided about characters {first} to {past}; take that back first")
