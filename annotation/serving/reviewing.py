"""The privacy pass: what a reader sees, finding by finding, and decides. The page works over any `ReviewSource`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from pydantic import ValidationError

from mldr.annotation.collection import Collection
from mldr.annotation.privacy.reviewed import apply_reviews
from mldr.annotation.records import Collected
from mldr.annotation.reviews import REVIEW, Review, Reviewed, Whole, read_reviews
from mldr.annotation.serving.shown import Shelf, as_page, picture_of
from mldr.annotation.spans import SURE
from mldr.annotation.store import append_line, locked
from mldr.configuration import model_faults
from mldr.web import Call, Refusal, Reply, Route


@dataclass(frozen=True, slots=True)
class Finding:
    """A stretch of a message that is masked, or will be."""

    utterance_id: int
    start: int
    """In code points of the text that the reader sees."""
    end: int
    kind: str
    surrogate: str
    """What stands there, or will."""
    confidence: float
    decision: str = ""
    """'' where nobody looked, or a `Choice`."""
    by_person: bool = False

    @property
    def doubtful(self) -> bool:
        """Whether a person has to look at it: a sure one is masked without asking."""
        return self.confidence < SURE and not self.by_person


@dataclass(frozen=True, slots=True)
class Reading:
    """A dialogue as a reader of the privacy pass gets it."""

    page: dict[str, Any]
    """As of `shown.as_page`; an undecided picture has the decision ''."""
    findings: Sequence[Finding]
    removed: Sequence[int] = ()
    read: bool = False
    left_out: bool = False
    raw: bool = False
    """Whether the texts are raw, so that `keep` leaves a private thing as it is."""

    @property
    def left(self) -> int:
        """How many doubtful findings and pictures nobody decided about; what is in a removed message needs no decision."""
        gone = set(self.removed)
        doubts = [one for one in self.findings if one.doubtful and not one.decision and one.utterance_id not in gone]
        said = [utterance for i, utterance in enumerate(self.page["utterances"]) if i not in gone]
        images = [self.page["images"][image_id] for utterance in said for image_id in utterance["image_ids"]]
        return len(doubts) + len([one for one in images if one["status"] == "present" and not one["decision"]])


class ReviewSource(Protocol):
    """Where the privacy pass reads and writes: a collection, or the private store in the donation walk."""

    def ids(self) -> Sequence[str]:
        """Return the ids of the dialogues to go through, in order."""

    def reading(self, dialogue_id: str) -> Reading:
        """Return a dialogue with its findings and what was decided; raise `Refusal` 404 for an unknown id."""

    def decide(self, dialogue_id: str, review: Review) -> None:
        """Write a decision down before returning; raise `Refusal` or `InputError` for one that cannot stand."""

    def picture(self, dialogue_id: str, image_id: str) -> Reply:
        """Return a picture's bytes; raise `Refusal` 404 where there are none."""


@runtime_checkable
class ListedSource(Protocol):
    """A source that tells of its dialogues without a search for private things in each, which takes long over raw texts."""

    def listed(self) -> list[dict[str, Any]]:
        """Return what `progress` does, without how much is left."""


@dataclass(slots=True)
class CollectionReview:
    """The pass over a collection: its texts are masked already, and what was masked cannot be brought back."""

    collection: Collection
    shelf: Shelf = field(init=False)

    def __post_init__(self) -> None:
        self.shelf = Shelf(self.collection)

    def ids(self) -> Sequence[str]:
        """Return every dialogue, those that are left out too: that can be taken back."""
        return self.collection.ids()

    def reading(self, dialogue_id: str) -> Reading:
        """Return a dialogue as it was collected, with the decisions beside it."""
        collected = self.shelf[dialogue_id].collected
        reviewed = read_reviews(self.collection.reviews(dialogue_id))
        page = as_page(collected, frozenset(reviewed.removed))
        for image_id, choice in reviewed.images.items():
            page["images"][image_id]["decision"] = choice
        return Reading(
            page, findings_of(collected, reviewed), sorted(reviewed.removed), reviewed.read, reviewed.left_out
        )

    def decide(self, dialogue_id: str, review: Review) -> None:
        """Append a decision.

        Raises:
            Refusal: 409, for `read` while something is undecided.
            InputError: if it could not be carried out: unknown ids, edits that overlap.
        """
        collected = self.shelf[dialogue_id].collected
        path = self.collection.reviews(dialogue_id)
        with _turn(path):
            reviewed = read_reviews(path)
            reviewed.take(review)
            apply_reviews(collected, reviewed)
            if isinstance(review, Whole) and review.read:
                refuse_unread(self.reading(dialogue_id))
            append_line(path, review.model_dump(mode="json"))

    def picture(self, dialogue_id: str, image_id: str) -> Reply:
        """Return a picture's bytes."""
        return picture_of(self.collection, self.shelf[dialogue_id].collected, image_id)


def refuse_unread(reading: Reading) -> None:
    """Refuse `read` while something is undecided.

    Raises:
        Refusal: 409, with how much is left.
    """
    if reading.left:
        raise Refusal(409, f"{reading.left} findings and pictures are undecided", place="read", left=reading.left)


def findings_of(collected: Collected, reviewed: Reviewed) -> list[Finding]:
    """Return the masks of a dialogue and the stretches that a person marked, in reading order."""
    found = []
    seen = set()
    for held in collected.masks:
        mask = held.mask
        place = (held.utterance_id, mask.start, mask.end)
        seen.add(place)
        review = reviewed.spans.get(place)
        words = review.text if review is not None and review.choice == "edit" else mask.surrogate
        decision = review.choice if review is not None else held.decision
        found.append(Finding(*place, mask.kind, words, mask.confidence, decision, mask.detector == "person"))
    for place, review in reviewed.spans.items():
        if place not in seen and review.choice != "keep":
            found.append(Finding(*place, review.kind, review.text, 1.0, review.choice, by_person=True))
    return sorted(found, key=lambda one: (one.utterance_id, one.start, one.end))


def review_routes(source: ReviewSource, prefix: str = "/api") -> list[Route]:
    """Return the addresses of a privacy pass.

    Args:
        source: what is gone through.
        prefix: where its addresses begin, so that two passes can stand on one page.
    """
    one = prefix + "/dialogues/{dialogue_id}"

    def decide(call: Call) -> dict[str, Any]:
        review = _validated(call.body)
        source.decide(call.params["dialogue_id"], review)
        return reading_as_json(source.reading(call.params["dialogue_id"]))

    return [
        Route("GET", prefix + "/dialogues", lambda _: progress(source)),
        Route("GET", one, lambda call: reading_as_json(source.reading(call.params["dialogue_id"]))),
        Route("POST", one + "/reviews", decide),
        Route("GET", one + "/images/{image_id}", lambda call: source.picture(**call.params)),
    ]


def progress(source: ReviewSource) -> list[dict[str, Any]]:
    """Return each dialogue with what is left to decide."""
    if isinstance(source, ListedSource):
        return source.listed()
    found = []
    for dialogue_id in source.ids():
        reading = source.reading(dialogue_id)
        counts = {"n_utterances": len(reading.page["utterances"]), "n_images": len(reading.page["images"])}
        state = {"left": reading.left, "done": reading.read or reading.left_out, "left_out": reading.left_out}
        found.append({"dialogue_id": dialogue_id, **counts, **state})
    return found


def reading_as_json(reading: Reading) -> dict[str, Any]:
    """Return what the page gets."""
    return {
        **reading.page,
        "findings": [{**asdict(one), "doubtful": one.doubtful} for one in reading.findings],
        "removed": list(reading.removed),
        "read": reading.read,
        "left_out": reading.left_out,
        "raw": reading.raw,
        "left": reading.left,
    }


def _validated(body: Any) -> Review:
    try:
        return REVIEW.validate_python(body)
    except ValidationError as error:
        raise model_faults(error, "decision") from error


@contextmanager
def _turn(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with locked(path.parent):
        yield
