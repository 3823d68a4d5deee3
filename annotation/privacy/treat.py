"""From a raw dialogue to its de-identified copy: texts masked, speakers and days renamed, pictures covered. An error withholds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from mldr.annotation.privacy.detectors import NameList, find_spans
from mldr.annotation.privacy.pictures import Covered
from mldr.annotation.privacy.surrogates import Surrogates
from mldr.annotation.records import Collected, CollectedImage, CollectedMask, CutDialogue, Decision
from mldr.annotation.reviews import Reviewed, SpanReview
from mldr.annotation.spans import SURE, Mask, Span
from mldr.annotation.store import Store
from mldr.dialogue import Dialogue, DialogueImage, Utterance
from mldr.version import __version__

LEAST_SHIFT, SHIFTS = 30, 1400
"""Days: a dialogue is moved into the past by 30 to 1,429 of them, all of its times alike."""

PictureOf = Callable[[str], "Covered | str"]
"""image_key of a raw picture -> its covered form, or in a few words why there is none."""


@dataclass(frozen=True, slots=True)
class Treated:
    """A de-identified dialogue, with the bytes of the pictures that it shows."""

    collected: Collected
    pictures: Mapping[str, Covered]
    """New image_key -> picture."""
    withheld: Counter[str]
    """Why pictures are not shown -> how many."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A stretch of a raw text as the giver's pass shows it."""

    utterance_id: int
    span: Span
    review: SpanReview | None
    """What a person said of it."""

    @property
    def open(self) -> bool:
        """Whether a person should look at it: it is masked until then."""
        return self.review is None and self.span.confidence < SURE


def findings(cut: CutDialogue, reviewed: Reviewed) -> list[Finding]:
    """Return every private stretch of a raw dialogue: those that detectors found and those that a person marked, in order.

    Whatever goes wrong here goes on: the caller withholds the dialogue.
    """
    names = NameList.of(cut.members)
    found: list[Finding] = []
    for index, utterance in enumerate(cut.dialogue.utterances):
        marked = {(start, end): review for (at, start, end), review in sorted(reviewed.spans.items()) if at == index}
        spans = [] if not utterance.text else _apart(utterance.text, marked, names, cut.dialogue.language)
        found.extend(Finding(index, span, marked.get((span.start, span.end))) for span in spans)
    return found


def _apart(text: str, marked: Mapping[tuple[int, int], SpanReview], names: NameList, language: str) -> list[Span]:
    """Return a text's spans, none overlapping another: what a person marked takes the place of what a detector found there.

    A detector's span that a mark of a person covers only in part keeps the rest of it: nothing private comes free by marking.
    Where marks overlap, what masks goes before what keeps, and the longer before the shorter.
    """
    detected = find_spans(text, names, language)
    exact = {(span.start, span.end): span for span in detected}
    people = [
        exact.get((start, end), Span(start, end, review.kind, 1.0, "person"))
        for (start, end), review in sorted(marked.items(), key=_rank)
        if 0 <= start < end <= len(text) and (review.choice != "keep" or _detected(start, end, detected))
    ]
    people = [span for at, span in enumerate(people) if not any(_meet(span, other) for other in people[:at])]
    rest = [piece for span in detected for piece in _without(span, people)]
    return sorted([*people, *rest], key=lambda span: span.start)


def _rank(marked: tuple[tuple[int, int], SpanReview]) -> tuple[bool, int, int]:
    (start, end), review = marked
    return review.choice == "keep", start - end, start


def _detected(start: int, end: int, spans: Iterable[Span]) -> bool:
    """Return whether one detector's span covers a stretch: else a `keep` takes a mark back, and frees nothing that it covered."""
    return any(span.start <= start and end <= span.end for span in spans)


def _meet(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end


def _without(span: Span, taken: list[Span]) -> Iterator[Span]:
    """Yield what of a span no other covers."""
    at = span.start
    for other in sorted((other for other in taken if _meet(span, other)), key=lambda other: other.start):
        if other.start > at:
            yield replace(span, start=at, end=other.start)
        at = max(at, other.end)
    if at < span.end:
        yield replace(span, start=at)


def treat(cut: CutDialogue, store: Store, reviewed: Reviewed, picture_of: PictureOf, *, undecided: bool) -> Treated:
    """Return the de-identified copy of a raw dialogue.

    Args:
        cut: the raw dialogue.
        store: whose key the surrogates and the shift are derived with.
        reviewed: what a person decided.
        picture_of: gives covered pictures.
        undecided: whether pictures that nobody decided on are shown in the copy, for somebody to decide there; else withheld.

    Raises:
        Exception: whatever a detector raises; the caller withholds the dialogue.
    """
    salt = store.dialogue_salt(cut.dialogue.dialogue_id)
    raw = [utterance.text for utterance in cut.dialogue.utterances]
    surrogates = Surrogates(salt, cut.dialogue.language, NameList.of(cut.members), raw)
    texts, masks = _masked(cut, reviewed, surrogates)
    speakers = _speakers(cut, reviewed)
    gone: Counter[str] = Counter()
    pictures: dict[str, Covered] = {}
    images = [
        _picture(image.image_key, number, reviewed, picture_of, undecided, pictures, gone)
        for number, image in enumerate(cut.dialogue.images)
    ]
    shift = timedelta(days=LEAST_SHIFT + int.from_bytes(salt[:8], "big") % SHIFTS)
    whole = Dialogue(
        dialogue_id=cut.dialogue.dialogue_id,
        language=cut.dialogue.language,
        origin="real",
        cluster_id=cut.dialogue.cluster_id,
        utterances=tuple(
            replace(
                utterance,
                speaker=speakers.get(utterance.speaker, ""),
                text=texts[index],
                time=None if utterance.time is None else utterance.time - shift,
            )
            for index, utterance in enumerate(cut.dialogue.utterances)
        ),
        images=tuple(DialogueImage(image.image_key) for image in images),
    )
    subjects = {name: store.subject_key(cut.platform, person) for person, name in speakers.items()}
    told = {"mldr": __version__, "masks": _by_kind(masks), "read": reviewed.read, "removed": len(reviewed.removed)}
    collected = without(Collected(whole, subjects, tuple(images), tuple(masks), told), reviewed.removed)
    shown = {image.image_key for image in collected.images}
    return Treated(collected, {key: picture for key, picture in sorted(pictures.items()) if key in shown}, gone)


def _masked(cut: CutDialogue, reviewed: Reviewed, surrogates: Surrogates) -> tuple[list[str], list[CollectedMask]]:
    texts = [utterance.text for utterance in cut.dialogue.utterances]
    masks: list[CollectedMask] = []
    by_utterance: dict[int, list[Finding]] = {}
    for finding in findings(cut, reviewed):
        by_utterance.setdefault(finding.utterance_id, []).append(finding)
    for index, here in sorted(by_utterance.items()):
        raw, parts, at, length = texts[index], list[str](), 0, 0
        for finding in here:
            span, review = finding.span, finding.review
            choice = "" if review is None else review.choice
            original = raw[span.start : span.end]
            shown = review.text if review is not None and choice == "edit" else original
            if choice in ("", "mask"):
                shown = surrogates.of(span.kind, original)
            parts += [raw[at : span.start], shown]
            length += span.start - at
            if choice != "keep":
                mask = Mask(length, length + len(shown), span.kind, shown, span.confidence, span.detector)
                masks.append(CollectedMask(index, mask, choice))
            length += len(shown)
            at = span.end
        texts[index] = "".join([*parts, raw[at:]])
    return texts, masks


def _speakers(cut: CutDialogue, reviewed: Reviewed) -> dict[str, str]:
    """Return person -> S1, S2, ... by first appearance among the messages that stay."""
    order = dict.fromkeys(
        utterance.speaker for index, utterance in enumerate(cut.dialogue.utterances) if index not in reviewed.removed
    )
    return {person: f"S{number}" for number, person in enumerate(order, 1)}


def _picture(
    image_key: str,
    number: int,
    reviewed: Reviewed,
    picture_of: PictureOf,
    undecided: bool,
    pictures: dict[str, Covered],
    gone: Counter[str],
) -> CollectedImage:
    if not image_key.startswith("sha256:"):
        gone["missing from the export"] += 1
        return CollectedImage(f"ref:missing/{number}", "missing")
    decision: Decision = reviewed.images.get(number, "")
    if decision == "no" or (decision == "" and not undecided):
        gone["a person said no" if decision == "no" else "nobody said yes yet"] += 1
        return CollectedImage(f"ref:withheld/{number}", "withheld", decision=decision)
    covered = picture_of(image_key)
    if isinstance(covered, str):
        gone[covered] += 1
        return CollectedImage(f"ref:withheld/{number}", "withheld", decision=decision)
    pictures[covered.image_key] = covered
    return CollectedImage(
        covered.image_key,
        "present",
        covered.width,
        covered.height,
        covered.media_type,
        {"faces": covered.faces, "codes": covered.codes},
        decision,
    )


def _by_kind(masks: list[CollectedMask]) -> dict[str, int]:
    return dict(sorted(Counter(mask.mask.kind for mask in masks).items()))


def without(collected: Collected, removed: set[int]) -> Collected:
    """Return a dialogue without some utterances: the rest is numbered anew, images too, and answers to what went are no answers."""
    if not removed:
        return collected
    stays = [i for i in range(collected.dialogue.n_utterances) if i not in removed]
    new_id = {old: new for new, old in enumerate(stays)}
    kept_images = [i for old in stays for i in collected.dialogue.utterances[old].image_ids]
    new_image = {old: new for new, old in enumerate(kept_images)}
    utterances = tuple(_renumbered(collected.dialogue.utterances[old], new_id, new_image) for old in stays)
    dialogue = replace(
        collected.dialogue,
        utterances=utterances,
        images=tuple(collected.dialogue.images[old] for old in kept_images),
    )
    speakers = {utterance.speaker for utterance in utterances}
    return Collected(
        dialogue,
        {speaker: key for speaker, key in collected.subjects.items() if speaker in speakers},
        tuple(collected.images[old] for old in kept_images),
        tuple(
            replace(mask, utterance_id=new_id[mask.utterance_id])
            for mask in collected.masks
            if mask.utterance_id in new_id
        ),
        collected.treatment,
    )


def _renumbered(utterance: Utterance, new_id: Mapping[int, int], new_image: Mapping[int, int]) -> Utterance:
    reply_to = None if utterance.reply_to is None else new_id.get(utterance.reply_to)
    return replace(utterance, image_ids=tuple(new_image[i] for i in utterance.image_ids), reply_to=reply_to)
