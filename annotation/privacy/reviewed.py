"""Carries out what people decided in the privacy pass, on a dialogue of the collection: a new record, never a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from mldr.annotation.records import Collected, CollectedImage, CollectedMask
from mldr.annotation.reviews import Reviewed, SpanReview
from mldr.annotation.spans import Mask
from mldr.dialogue import DialogueImage, Utterance
from mldr.errors import Faults

StandIn = Callable[[SpanReview], str]
"""What a stretch shows that a person marked."""


def in_brackets(review: SpanReview) -> str:
    """Return the plainest thing that may stand for a stretch: its kind in brackets."""
    return f"[{review.kind}]"


def apply_reviews(collected: Collected, reviewed: Reviewed, *, stand_in: StandIn = in_brackets) -> Collected:
    """Return a dialogue with the decisions about it carried out.

    Texts are changed from their ends, and every mask behind a change moves along. A removed message keeps its id and loses its
    text; its pictures keep their ids and lose their bytes. `treatment` gains `read` and `left_out`. Offsets are those of
    `collected`: the result is never written over it, or the decisions would be carried out twice.

    Args:
        collected: the dialogue as it was collected.
        reviewed: where its log of reviews stands.
        stand_in: what a stretch shows that a person marked.

    Raises:
        InputError: with every decision about something that the dialogue lacks, edits that overlap, and a picture without
            bytes that is to be released.
    """
    faults = Faults()
    texts, masks = _texts(collected, reviewed, stand_in, faults)
    images = _images(collected, reviewed, faults)
    faults.check()
    dialogue = replace(
        collected.dialogue,
        utterances=tuple(_said(u, text) for u, text in zip(collected.dialogue.utterances, texts, strict=True)),
        images=tuple(_held(one, now) for one, now in zip(collected.dialogue.images, images, strict=True)),
    )
    treatment = {
        **collected.treatment,
        "read": bool(collected.treatment.get("read")) or reviewed.read,
        "left_out": reviewed.left_out,
        "removed": len(reviewed.removed),
    }
    return replace(collected, dialogue=dialogue, images=images, masks=tuple(masks), treatment=treatment)


def _texts(
    collected: Collected, reviewed: Reviewed, stand_in: StandIn, faults: Faults
) -> tuple[list[str], list[CollectedMask]]:
    texts = [utterance.text for utterance in collected.dialogue.utterances]
    masks: list[CollectedMask] = []
    for (utterance_id, _, _), review in sorted(reviewed.spans.items()):
        if utterance_id >= len(texts):
            faults.add(place_of(review), "the dialogue has no such message")
    for utterance_id in sorted(reviewed.removed):
        if utterance_id >= len(texts):
            faults.add(f"message {utterance_id}", "the dialogue has no such message; it cannot be removed")
    for index, text in enumerate(texts):
        if index in reviewed.removed:
            texts[index] = ""
            continue
        own = [mask for mask in collected.masks if mask.utterance_id == index]
        said = [review for (where, _, _), review in sorted(reviewed.spans.items()) if where == index]
        texts[index], left = _text(text, own, said, stand_in, faults)
        masks += left
    return texts, masks


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of the new text that a mask stands for; `changed` where its words differ from the old ones."""

    start: int
    end: int
    mask: CollectedMask
    changed: bool


def _text(
    text: str, masks: Sequence[CollectedMask], reviews: Sequence[SpanReview], stand_in: StandIn, faults: Faults
) -> tuple[str, list[CollectedMask]]:
    by_place = {(held.mask.start, held.mask.end): held for held in masks}
    pieces = []
    for review in reviews:
        held = by_place.get((review.start, review.end))
        if not review.start < review.end <= len(text):
            faults.add(place_of(review), f"no stretch of the message, which has {len(text)} characters")
        elif held is not None:
            pieces.append(_decided(held, review))
            del by_place[review.start, review.end]
        elif review.choice != "keep":
            pieces.append(_marked(review, stand_in))
    rest = [_Piece(start, end, held, False) for (start, end), held in by_place.items()]
    return _joined(text, _apart(pieces, rest, faults))


def _decided(held: CollectedMask, review: SpanReview) -> _Piece:
    mask = held.mask
    if review.choice == "edit":
        mask = replace(mask, surrogate=review.text)
    changed = mask.surrogate != held.mask.surrogate
    return _Piece(review.start, review.end, replace(held, mask=mask, decision=review.choice), changed)


def _marked(review: SpanReview, stand_in: StandIn) -> _Piece:
    words = review.text if review.choice == "edit" else stand_in(review)
    mask = Mask(review.start, review.end, review.kind, words, 1.0, "person")
    return _Piece(review.start, review.end, CollectedMask(review.utterance_id, mask, review.choice), True)


def _apart(pieces: Sequence[_Piece], rest: Sequence[_Piece], faults: Faults) -> list[_Piece]:
    """Return all stretches in order; one that a person marked takes in what it covers whole, and none may cross another."""
    kept: list[_Piece] = []
    for piece in sorted([*pieces, *rest], key=lambda piece: (piece.start, -piece.end)):
        before = kept[-1] if kept else None
        if before is None or piece.start >= before.end:
            kept.append(piece)
        elif piece.end <= before.end and not piece.changed and before.mask.mask.detector == "person":
            continue  # inside what was marked: gone with it
        else:
            utterance_id = piece.mask.utterance_id
            where = f"message {utterance_id}, characters {piece.start} to {piece.end}"
            faults.add(where, f"overlaps what was decided about characters {before.start} to {before.end}")
    return kept


def _joined(text: str, pieces: Sequence[_Piece]) -> tuple[str, list[CollectedMask]]:
    parts, masks, at, length = [], [], 0, 0
    for piece in pieces:
        parts += [text[at : piece.start], piece.mask.mask.surrogate]
        start = length + piece.start - at
        length = start + len(piece.mask.mask.surrogate)
        at = piece.end
        if piece.mask.mask.surrogate:  # an edit to nothing leaves no place where a mask could stand
            masks.append(replace(piece.mask, mask=replace(piece.mask.mask, start=start, end=length)))
    return "".join([*parts, text[at:]]), masks


def _images(collected: Collected, reviewed: Reviewed, faults: Faults) -> tuple[CollectedImage, ...]:
    images = list(collected.images)
    for image_id, choice in sorted(reviewed.images.items()):
        if image_id >= len(images):
            faults.add(f"picture {image_id}", "the dialogue has no such picture")
        elif choice == "yes" and images[image_id].status != "present":
            faults.add(
                f"picture {image_id}", f"it is {images[image_id].status}: there is nothing that could be released"
            )
        else:
            images[image_id] = replace(images[image_id], decision=choice)
    for index, utterance in enumerate(collected.dialogue.utterances):
        for image_id in utterance.image_ids if index in reviewed.removed else ():
            images[image_id] = CollectedImage(f"ref:withheld/{image_id}", "withheld", decision="no")
    return tuple(images)


def _said(utterance: Utterance, text: str) -> Utterance:
    return utterance if utterance.text == text else replace(utterance, text=text)


def _held(before: DialogueImage, now: CollectedImage) -> DialogueImage:
    return before if before.image_key == now.image_key else DialogueImage(now.image_key)


def place_of(review: SpanReview) -> str:
    """Return the place of a decision, for a message; no word of the text is in it."""
    return f"message {review.utterance_id}, characters {review.start} to {review.end}"
