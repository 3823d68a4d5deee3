"""Source dialogues on disk, by id: the build holds ids and a few words about each, never the dialogues."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mldr.builders.sources.record import Reading, SourceDialogue, SourceImage
from mldr.files import sha256_text, written_whole


@dataclass(frozen=True, slots=True)
class SourceHead:
    """What splitting and matching need to know of a source dialogue."""

    source_id: str
    language: str
    topic: str
    n_turns: int
    image_refs: tuple[str, ...]
    text_hash: str
    """Of its texts: two sources with the same are duplicates."""
    offset: int
    """Of its line in the spool, bytes."""
    alternation: int = 0
    """Turns of the longest run in which two speakers alternate."""


@dataclass(slots=True)
class Spool:
    """The spool file and its index, in the order of reading."""

    path: Path
    heads: dict[str, SourceHead]

    def get(self, source_id: str) -> SourceDialogue:
        """Return one source dialogue.

        Raises:
            KeyError: if the spool does not hold it.
        """
        return read_at(self.path, self.heads[source_id].offset)

    def __iter__(self) -> Iterator[SourceDialogue]:
        with self.path.open("rb") as stream:
            for line in stream:
                yield SourceDialogue.from_json(line)


def read_at(path: Path, offset: int) -> SourceDialogue:
    """Return the source dialogue whose line starts at `offset` of a spool file."""
    with path.open("rb") as stream:
        stream.seek(offset)
        return SourceDialogue.from_json(stream.readline())


def spooled(dialogues: Iterable[SourceDialogue], path: Path, reading: Reading) -> tuple[Spool, dict[str, SourceImage]]:
    """Write source dialogues to a spool file; return it and the images that they carry, by ref.

    A dialogue whose id was there before, and an image ref that stands for two different pictures, are faults in `reading`.
    """
    heads: dict[str, SourceHead] = {}
    images: dict[str, SourceImage] = {}
    offset = 0
    with written_whole(path) as temporary, temporary.open("wb") as stream:
        for dialogue in dialogues:
            if dialogue.source_id in heads:
                reading.faults.add(dialogue.place, f"the id {dialogue.source_id!r} again; two dialogues have it")
                continue
            for image in dialogue.images:
                before = images.setdefault(image.ref, image)
                if (before.path, before.member, before.url) != (image.path, image.member, image.url):
                    message = f"the image {image.ref!r} has two paths or addresses; give each picture its own id"
                    reading.faults.add(image.place, message)
            line = (dialogue.to_json() + "\n").encode("utf-8")
            heads[dialogue.source_id] = _head(dialogue, offset)
            offset += stream.write(line)
    return Spool(path, heads), images


def _head(dialogue: SourceDialogue, offset: int) -> SourceHead:
    return SourceHead(
        source_id=dialogue.source_id,
        language=dialogue.language,
        topic=dialogue.topic,
        n_turns=len(dialogue.turns),
        image_refs=tuple(image.ref for image in dialogue.images),
        text_hash=sha256_text("\n".join(turn.text for turn in dialogue.turns)),
        offset=offset,
        alternation=longest_alternation([turn.speaker for turn in dialogue.turns]),
    )


def longest_alternation(speakers: Sequence[int]) -> int:
    """Return how many turns in a row two speakers alternate in, at most: 3 for a, b, a; 1 where one speaks alone."""
    longest = run = 0
    for position, speaker in enumerate(speakers):
        if not position or speaker == speakers[position - 1]:
            run = 1
        elif run > 1 and speaker == speakers[position - 2]:
            run += 1
        else:  # a third speaker, or the second turn of a run
            run = 2
        longest = max(longest, run)
    return longest
