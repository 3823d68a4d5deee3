"""What makes a model's long dialogue wrong: something lost, invented, moved, put in another's mouth, or left untranslated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mldr.builders.rulequery import terms
from mldr.builders.sources.record import SourceDialogue, SourceTurn
from mldr.builders.stitch import speaker_names
from mldr.builders.writing.asker import Flaw
from mldr.builders.writing.context import Material, WritingContext
from mldr.builders.writing.references import References
from mldr.builders.writing.wording import clean_text, markup_in, size, speaks, storable

BRIDGES_A_CHANGE = 2
"""Bridges at most for each change of topic, and as many again for the dialogue's start and end."""
BLOCKS_A_TOPIC = 4
"""Pieces at most into which a topic may be cut when topics are interleaved."""
BRIDGE_SIZE = 240
"""Letters of a bridge at most (`wording.size`)."""
STUB_FROM, STUB_SHARE, GROWTH, SLACK = 24, 0.2, 5, 60
"""A turn of at least so many letters may shrink to this share, and any may grow so many times and by so many letters."""
KEPT_WORDS = 0.3
"""Share of a topic's own words that must be left of it where nothing is translated."""
UNTRANSLATED_FROM = 12
"""Letters from which a single text in another language is one that was not translated."""

Said = Mapping[str, Any]


def stitch_flaws(value: Any, material: Material, context: WritingContext) -> list[Flaw]:
    """Return what is wrong with a stitched dialogue; an empty list says that nothing of the sources is lost."""
    references = References(material.sources)
    said: list[Said] = value["utterances"]
    flaws = [
        *_unknown(said, references),
        *_turns(said, references, material.sources),
        *_images(said, references),
        *_topics(said, references, context.stitch.interleave),
        *_bridges(said),
        *_speakers(said, references, material.sources),
    ]
    if not flaws:  # texts are compared with their turns, so the references must hold
        flaws += _texts(said, references, material)
        flaws += _captions(value, references, material)
    return flaws


def _unknown(said: Sequence[Said], references: References) -> Iterator[Flaw]:
    for position, one in enumerate(said):
        for key, known, what in (("from", references.turns, "turn"), ("images", references.images, "picture")):
            if strange := sorted(set(one[key]) - set(known)):
                yield Flaw(f"an invented {what}", f"utterance {position + 1}: there is no {what} {strange[0]!r}")
        if one["topic"] not in range(len({place[0] for place in references.turns.values()}) + 1):
            yield Flaw(
                "a topic that is not there", f"utterance {position + 1}: topic {one['topic']} is not 0, 1, 2 or 3"
            )


def _turns(said: Sequence[Said], references: References, sources: Sequence[SourceDialogue]) -> Iterator[Flaw]:
    named = Counter(reference for one in said for reference in one["from"])
    for reference, (position, index) in references.turns.items():
        if not named[reference] and sources[position].turns[index].text:
            yield Flaw("a turn is lost", f"turn {reference} is in no utterance; every turn with a text must be told")
        elif named[reference] > 1:
            yield Flaw("a turn told twice", f"turn {reference} stands in {named[reference]} utterances; once is right")
    last: dict[int, tuple[int, str]] = {}
    for reference in (reference for one in said for reference in one["from"] if reference in references.turns):
        position, index = references.turns[reference]
        if not sources[position].turns[index].text:
            continue
        before, name = last.get(position, (-1, ""))
        if index < before:
            yield Flaw("turns out of order", f"turn {reference} comes after {name}; keep the order within a topic")
        last[position] = (index, reference)


def _images(said: Sequence[Said], references: References) -> Iterator[Flaw]:
    shown = Counter(image for one in said for image in one["images"])
    for reference, (position, _) in references.images.items():
        if shown[reference] != 1:
            reason = "a picture is lost" if not shown[reference] else "a picture shown twice"
            yield Flaw(reason, f"picture {reference} is in {shown[reference]} utterances; exactly one must carry it")
        for number, one in enumerate(said, 1):
            if reference in one["images"] and one["topic"] != position + 1:
                message = (
                    f"utterance {number} of topic {one['topic']} carries picture {reference} of topic {position + 1}"
                )
                yield Flaw("a picture outside its topic", message)


def _topics(said: Sequence[Said], references: References, interleave: bool) -> Iterator[Flaw]:
    for number, one in enumerate(said, 1):
        own = {references.turns[reference][0] + 1 for reference in one["from"] if reference in references.turns}
        if own - {one["topic"]}:
            yield Flaw(
                "a turn outside its topic", f"utterance {number} is of topic {one['topic']} and tells {sorted(own)}"
            )
        if one["topic"] and not one["from"] and not one["images"]:
            message = f"utterance {number} has neither turn nor picture; only a bridge, with topic 0, may be new"
            yield Flaw("an invented utterance", message)
        if one["topic"] and not clean_text(one["text"]) and not one["images"]:
            yield Flaw("an empty utterance", f"utterance {number} has no text and shows nothing")
    blocks = _blocks_of(said)
    first = list(dict.fromkeys(blocks))
    if first != sorted(first):
        yield Flaw("topics out of order", f"topics start in the order {first}; 1, 2, 3 is right")
    if not interleave and len(blocks) > len(first):
        yield Flaw("a topic returns", f"the topics run {blocks}; tell each whole before the next")
    if interleave and len(blocks) == len(first) and len(references.turns) >= 2 * len(first):
        yield Flaw("no topic returns", f"the topics run {blocks}; at least one must be left and taken up again")
    if max(Counter(blocks).values(), default=0) > BLOCKS_A_TOPIC:
        yield Flaw("a topic in too many pieces", f"the topics run {blocks}; at most {BLOCKS_A_TOPIC} pieces of each")


def _blocks_of(said: Sequence[Said]) -> list[int]:
    blocks: list[int] = []
    for one in said:
        if one["topic"] and blocks[-1:] != [one["topic"]]:
            blocks.append(one["topic"])
    return blocks


def _bridges(said: Sequence[Said]) -> Iterator[Flaw]:
    topics = [one["topic"] for one in said]
    started: set[int] = set()
    for index, one in enumerate(said):
        if topics[index]:
            if topics[index] not in started and started and topics[index - 1]:
                message = f"topic {topics[index]} starts at utterance {index + 1} without a bridge before it"
                yield Flaw("a bridge is missing", message)
            started.add(topics[index])
            continue
        if one["from"] or one["images"]:
            yield Flaw(
                "a bridge that carries something", f"utterance {index + 1} has topic 0, so no turns and no pictures"
            )
        text = clean_text(one["text"])
        if not text or size(text) > BRIDGE_SIZE:
            yield Flaw("a bridge of the wrong length", f"utterance {index + 1}: a bridge is one short text")
        before = next((topic for topic in reversed(topics[:index]) if topic), 0)
        after = next((topic for topic in topics[index:] if topic), 0)
        if before and before == after:
            message = f"utterance {index + 1}: no bridge inside topic {before}"
            yield Flaw("a bridge inside a topic", message)
    changes = max(len(_blocks_of(said)) - 1, 0)
    if topics.count(0) > BRIDGES_A_CHANGE * (changes + 1):
        yield Flaw(
            "too many bridges", f"{topics.count(0)} bridges; at most {BRIDGES_A_CHANGE} for each change of topic"
        )


def _speakers(said: Sequence[Said], references: References, sources: Sequence[SourceDialogue]) -> Iterator[Flaw]:
    names = speaker_names(sources)
    for number, one in enumerate(said, 1):
        if one["speaker"] not in names:
            yield Flaw("an invented speaker", f"utterance {number}: {one['speaker']!r} is none of {', '.join(names)}")
        own = {
            names[_turn(reference, references, sources).speaker]
            for reference in one["from"]
            if reference in references.turns
        }
        if own - {one["speaker"]}:
            message = f"utterance {number}: {one['speaker']!r} says what {', '.join(sorted(own))} said"
            yield Flaw("words in another's mouth", message)


def _texts(said: Sequence[Said], references: References, material: Material) -> Iterator[Flaw]:
    for number, one in enumerate(said, 1):
        turns = [_turn(reference, references, material.sources).text for reference in one["from"]]
        text, told = clean_text(one["text"]), " ".join(turns)
        if not storable(text) or markup_in(text) - markup_in(told):
            yield Flaw("markup in a text", f"utterance {number}: plain chat text only, no tags and no references")
        if one["topic"] and not told.strip():
            if text:
                message = (
                    f"utterance {number} tells no turn that has a text; leave its text empty, it shows its picture"
                )
                yield Flaw("an invented text", message)
        elif one["topic"]:
            if not text or (size(told) >= STUB_FROM and size(text) < STUB_SHARE * size(told)):
                yield Flaw("a turn shrunk to a stub", f"utterance {number} says too little of {', '.join(one['from'])}")
            elif size(text) > GROWTH * size(told) + SLACK:
                yield Flaw("a turn blown up", f"utterance {number} says much more than {', '.join(one['from'])}")
        foreign = size(text) >= UNTRANSLATED_FROM and not speaks(text, material.row.language)
        if foreign and (material.translated or not one["topic"]):
            yield Flaw("a text in the wrong language", f"utterance {number} is not in {material.row.language!r}")
    if not material.translated:
        yield from _words(said, material.sources)
    elif not speaks(" ".join(one["text"] for one in said), material.row.language):
        yield Flaw("a text in the wrong language", f"the chat is not in {material.row.language!r}; translate all of it")


def _words(said: Sequence[Said], sources: Sequence[SourceDialogue]) -> Iterator[Flaw]:
    """Yield the topics of which hardly a word is left: whatever stands there, it is not what was said."""
    for topic, source in enumerate(sources, 1):
        own = {term for turn in source.turns for term in terms(turn.text)}
        left = {term for one in said if one["topic"] == topic for term in terms(one["text"])}
        if len(own) >= 8 and len(own & left) < KEPT_WORDS * len(own):
            message = f"topic {topic}: hardly a word of its turns is left; rewrite lightly, do not invent"
            yield Flaw("a topic told in other words", message)


def _captions(value: Mapping[str, Any], references: References, material: Material) -> Iterator[Flaw]:
    if not material.translated:
        return
    given = Counter(one["image"] for one in value["captions"])
    for reference in sorted(set(given) | set(references.images)):
        if reference not in references.images or given[reference] != 1:
            message = f"captions: {reference!r} stands there {given[reference]} times; every picture once, nothing else"
            yield Flaw("captions that do not match the pictures", message)
    for one in value["captions"]:
        if one["image"] not in references.images:
            continue
        position, index = references.images[one["image"]]
        before, caption = material.sources[position].images[index].caption, clean_text(one["caption"])
        if not storable(caption) or markup_in(caption) - markup_in(before):
            yield Flaw("markup in a caption", f"caption of {one['image']}: plain text only")
        if bool(before.strip()) != bool(caption) or size(caption) > GROWTH * size(before) + SLACK:
            yield Flaw("a caption of the wrong length", f"caption of {one['image']}: say what {before!r} says, no more")
        if size(caption) >= UNTRANSLATED_FROM and not speaks(caption, material.row.language):
            yield Flaw("a text in the wrong language", f"caption of {one['image']} is not in {material.row.language!r}")


def _turn(reference: str, references: References, sources: Sequence[SourceDialogue]) -> SourceTurn:
    position, index = references.turns[reference]
    return sources[position].turns[index]
