"""Stitching without a language model: three sources one after another or interleaved, with a bridge before each change of topic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from mldr.builders.plan import PlanRow
from mldr.builders.sources.record import SourceDialogue
from mldr.dialogue import Dialogue, DialogueImage, Utterance
from mldr.files import sha256_text
from mldr.licences import UNKNOWN


@dataclass(frozen=True, slots=True)
class Stitched:
    """A stitched dialogue, and where each of its sources went."""

    dialogue: Dialogue
    utterance_ids: tuple[tuple[int, ...], ...]
    """Source -> turn -> utterance id."""
    image_ids: tuple[tuple[int, ...], ...]
    """Source -> image -> image id."""

    @property
    def bridge_ids(self) -> tuple[int, ...]:
        """The ids of the utterances that come from no source."""
        told = {i for ids in self.utterance_ids for i in ids}
        return tuple(i for i in range(self.dialogue.n_utterances) if i not in told)


@dataclass(frozen=True, slots=True)
class _Block:
    """Turns of one source that are told without a break."""

    position: int
    """Of the source."""
    turns: range


ORDERS = ("ABACBC", "ABCABC", "ABCACB", "ABCBAC", "ABCBCA")
"""How three topics of two blocks each may follow one another: they start in order, and every one returns."""


@cache
def bridges() -> dict[str, list[str]]:
    """Return language -> the written bridge utterances."""
    document = yaml.safe_load(Path(__file__).with_name("bridges.yaml").read_text(encoding="utf-8"))
    return {str(language): list(texts) for language, texts in document.items()}


def stitch(
    row: PlanRow,
    sources: Sequence[SourceDialogue],
    image_keys: Mapping[str, str],
    seed: int,
    *,
    interleave: bool = False,
) -> Stitched:
    """Return one dialogue of the sources in their order: every turn and every image once, bridges between.

    The people of the first source tell all of it: the second person of each source is the same person, and so on. A bridge
    is said by whoever starts the next topic, or takes one up again. No bridge stands twice in a dialogue.

    Args:
        row: the plan's row.
        sources: its source dialogues, in order.
        image_keys: image ref -> key.
        seed: draws the bridges, and the order of interleaved topics.
        interleave: tell each topic in two blocks, so that topics return, as in real chats.
    """
    names = speaker_names(sources)
    drawn = sorted(bridges()[row.language], key=lambda text: sha256_text(f"{seed}/bridge/{row.dialogue_id}/{text}"))
    utterances: list[Utterance] = []
    told: dict[tuple[int, int], int] = {}
    numbers: dict[tuple[int, int], int] = {}
    for change, block in enumerate(_blocks(row, sources, seed) if interleave else _in_order(sources)):
        source = sources[block.position]
        if change:
            utterances.append(Utterance(names[source.turns[block.turns.start].speaker], drawn[change - 1]))
        for index in block.turns:
            turn = source.turns[index]
            carried: tuple[int, ...] = ()
            if turn.image is not None:
                carried = (numbers.setdefault((block.position, turn.image), len(numbers)),)
            told[block.position, index] = len(utterances)
            utterances.append(Utterance(names[turn.speaker], turn.text, carried))
    return stitched_from(row, sources, image_keys, utterances, told, numbers)


def stitched_from(
    row: PlanRow,
    sources: Sequence[SourceDialogue],
    image_keys: Mapping[str, str],
    utterances: Sequence[Utterance],
    told: Mapping[tuple[int, int], int],
    numbers: Mapping[tuple[int, int], int],
    *,
    captions: Mapping[tuple[int, int], str] | None = None,
    meta: str = "",
) -> Stitched:
    """Return a stitched dialogue of its utterances.

    Args:
        row: the plan's row.
        sources: its source dialogues, in order.
        image_keys: image ref -> key.
        utterances: in order, with the image ids that they carry.
        told: (source, turn) -> utterance id, for every turn.
        numbers: (source, image) -> image id, for every image; ids run in order of appearance.
        captions: (source, image) -> caption; None keeps the sources'.
        meta: of the dialogue.
    """
    images: dict[int, DialogueImage] = {}
    for (position, index), number in numbers.items():
        image = sources[position].images[index]
        caption = image.caption if captions is None else captions[position, index]
        images[number] = DialogueImage(image_keys[image.ref], caption)
    dialogue = Dialogue(
        dialogue_id=row.dialogue_id,
        language=row.language,
        origin="stitched",
        cluster_id=row.cluster_id,
        utterances=tuple(utterances),
        images=tuple(images[number] for number in sorted(images)),
        licence=_together(source.licence or UNKNOWN for source in sources),
        attribution=_together(source.attribution for source in sources),
        meta=meta,
    )
    utterance_ids = tuple(tuple(told[p, t] for t in range(len(one.turns))) for p, one in enumerate(sources))
    image_ids = tuple(tuple(numbers[p, i] for i in range(len(one.images))) for p, one in enumerate(sources))
    return Stitched(dialogue, utterance_ids, image_ids)


def _in_order(sources: Sequence[SourceDialogue]) -> list[_Block]:
    return [_Block(position, range(len(source.turns))) for position, source in enumerate(sources)]


def _blocks(row: PlanRow, sources: Sequence[SourceDialogue], seed: int) -> list[_Block]:
    """Return two blocks of each source in a drawn order; a source of one turn has one, and blocks that meet are one."""
    draw = sha256_text(f"{seed}/interleave/{row.dialogue_id}")
    if len(sources) > len("ABC"):
        raise ValueError("three topics can be interleaved, not more")
    order = ORDERS[int(draw[:8], 16) % len(ORDERS)]
    left: list[list[range]] = []
    for position, source in enumerate(sources):
        cuts = _cuts(source)
        cut = cuts[int(draw[8 * (position + 1) :][:8], 16) % len(cuts)]
        left.append([range(cut), range(cut, len(source.turns))])
    blocks: list[_Block] = []
    for letter in order:
        position = "ABC".index(letter)
        if position >= len(sources) or not (turns := left[position].pop(0)):
            continue
        if blocks and blocks[-1].position == position:
            turns = range(blocks.pop().turns.start, turns.stop)
        blocks.append(_Block(position, turns))
    return blocks


def _cuts(source: SourceDialogue) -> list[int]:
    """Return where a source may be cut in two: in its middle third, and if it can be, not between question and answer."""
    n = len(source.turns)
    middle = range(max(1, n // 3), max(1, n - n // 3) + 1)
    answered = [cut for cut in middle if not source.turns[cut - 1].text.rstrip().endswith(("?", "？"))]
    return answered or list(middle)


def speaker_names(sources: Sequence[SourceDialogue]) -> list[str]:
    """Return the names of the dialogue's people: the first source's, then further ones where another has more."""
    names = list(sources[0].speakers)
    for source in sources[1:]:
        for extra in source.speakers[len(names) :]:
            number = 2
            name = extra
            while name in names:
                name, number = f"{extra} {number}", number + 1
            names.append(name)
    return names


def _together(words: Iterable[str]) -> str:
    return "; ".join(sorted({word for word in words if word}))
