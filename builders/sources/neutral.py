"""The neutral JSONL: one dialogue a line, for any corpus that has no reader of its own.

{id, lang, speakers, turns: [{speaker, text, image: null | {id?, path?, url?, caption?}}],
 topic?, tags?: [{name, level, turns, images, query?}], licence?, attribution?}
An image too may have licence? and attribution?; what the records leave out comes from the recipe.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mldr.builders.recipe import SourceRecipe
from mldr.builders.sources.fetched import Fetched
from mldr.builders.sources.record import Reading, SourceDialogue, SourceImage, SourceTag, SourceTurn
from mldr.dialogue import Level
from mldr.errors import fault
from mldr.files import inside, parse_json, read_lines

ImageOf = Callable[["NeutralImage", str, str, Reading], SourceImage]
"""(image, default id, place, reading) -> the image as a source carries it."""

NOT_HTTP = "image urls that are not http(s), not opened"
CUT, NUL, BREAKS = "dialogues cut by max_turns", "NUL characters removed", "texts with other line breaks than \\n"
"""Counts of what is changed."""

_LOOSE = ConfigDict(extra="allow", strict=True)


class NeutralImage(BaseModel):
    """An image of a turn; it needs a path, a url or an id."""

    model_config = _LOOSE

    id: str = ""
    path: str = ""
    """Relative to the folder of the JSONL file, and inside it."""
    url: str = ""
    caption: str = ""
    licence: str = ""
    attribution: str = ""


class NeutralTurn(BaseModel):
    """A message."""

    model_config = _LOOSE

    speaker: str
    text: str = ""
    image: NeutralImage | None = None


class NeutralTag(BaseModel):
    """Elements that belong together: positions of turns, and running numbers of the dialogue's images, 0-based."""

    model_config = _LOOSE

    name: str
    level: Level
    turns: list[int] = Field(default_factory=list)
    images: list[int] = Field(default_factory=list)
    query: str = ""


class NeutralDialogue(BaseModel):
    """A line of the file."""

    model_config = _LOOSE

    id: str = Field(min_length=1)
    lang: str = Field(pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]+)*$")
    speakers: list[str] = Field(min_length=1)
    turns: list[NeutralTurn] = Field(min_length=1)
    topic: str = ""
    tags: list[NeutralTag] = Field(default_factory=list)
    licence: str = ""
    attribution: str = ""


class NeutralSource:
    """Reads a neutral JSONL file."""

    def __init__(self, recipe: SourceRecipe, folder: Path) -> None:
        if not recipe.path:
            raise fault(f"source {recipe.name}", "needs a path to its JSONL file")
        if recipe.images:
            raise fault(
                f"source {recipe.name}", "images: a JSONL file names pictures by their place beside it; leave it out"
            )
        self.recipe = recipe
        self.path = folder / recipe.path
        self.downloads = Fetched(recipe, folder)

    def inputs(self) -> list[Path]:
        """Return the JSONL file and the image files that it names, by path or by a url that was fetched."""
        images: set[Path] = set()
        for dialogue, place in read_neutral(self.path, Reading()):
            for image in (turn.image for turn in dialogue.turns if turn.image is not None):
                found = self._image(image, "", place, Reading())
                images.update([Path(found.path)] if found.path else [])
        return [self.path, *sorted(images)]

    def read(self, reading: Reading) -> Iterator[SourceDialogue]:
        """Yield the file's dialogues; a line with a fault is noted and passed over.

        Raises:
            MldrError: if the file cannot be opened.
        """
        for dialogue, place in read_neutral(self.path, reading):
            converted = convert(dialogue, self.recipe, place, reading, self._image)
            if converted is not None:
                yield converted

    def _image(self, image: NeutralImage, default_id: str, place: str, reading: Reading) -> SourceImage:
        ref = f"{self.recipe.name}/{image.id or default_id}"
        if image.path:
            path = self._file(image.path)
            if path is None:
                reading.faults.add(
                    place, f"no image {image.path!r} in the folder of {self.path.name}, or not inside it"
                )
            return SourceImage(ref, path="" if path is None else str(path), caption=image.caption)
        url = web_url(image, reading)
        path = self.downloads.find(url, place, reading)
        return SourceImage(ref, path="" if path is None else str(path), url=url, caption=image.caption)

    def _file(self, name: str) -> Path | None:
        try:
            path = inside(self.path.parent, name)
        except ValueError:
            return None
        return path if path.is_file() else None


def web_url(image: NeutralImage, reading: Reading) -> str:
    """Return the url of an image, '' where it has none or another than http(s), which is counted."""
    if not image.url or image.url.lower().startswith(("http://", "https://")):
        return image.url
    reading.counts[NOT_HTTP] += 1
    return ""


def read_neutral(path: Path, reading: Reading) -> Iterator[tuple[NeutralDialogue, str]]:
    """Yield the validated lines of a neutral JSONL file, each with its place; note faults and unknown keys."""
    for number, line in read_lines(path):
        place = f"{path}, line {number}"
        try:
            dialogue = NeutralDialogue.model_validate(parse_json(line))
        except ValidationError as error:
            for detail in error.errors():
                key = ".".join(str(part) for part in detail["loc"])
                reading.faults.add(f"{place}, {key}" if key else place, detail["msg"])
            continue
        except ValueError as error:
            reading.faults.add(place, str(error))
            continue
        for key in _unknown_keys(dialogue):
            reading.counts[f"ignored key {key}"] += 1
        yield dialogue, place


def _unknown_keys(dialogue: NeutralDialogue) -> Iterator[str]:
    parts: list[tuple[str, BaseModel]] = [("", dialogue)]
    parts += [("tags.", tag) for tag in dialogue.tags]
    for turn in dialogue.turns:
        parts.append(("turns.", turn))
        if turn.image is not None:
            parts.append(("turns.image.", turn.image))
    for prefix, part in parts:
        yield from (prefix + key for key in part.model_extra or {})


def convert(
    dialogue: NeutralDialogue,
    recipe: SourceRecipe,
    place: str,
    reading: Reading,
    image_of: ImageOf,
    changes: Sequence[str] = (),
) -> SourceDialogue | None:
    """Return a neutral dialogue as a source dialogue, or None where it has a fault.

    Args:
        dialogue: a validated line.
        recipe: its source's entry.
        place: of the line, for faults.
        reading: takes faults and counts.
        image_of: finds an image's file or address.
        changes: what its reader changed before, in words.
    """
    before, noted = reading.faults.total, reading.counts.copy()
    dialogue = cut(dialogue, recipe.max_turns, reading)
    turns, images = _turns(dialogue, recipe, place, reading, image_of)
    tags = tuple(_tags(dialogue.tags, turns, len(images), place, reading))
    identifier, topic, licence, attribution, *speakers = (
        clean_text(text, place, reading)
        for text in (
            dialogue.id,
            dialogue.topic,
            dialogue.licence or recipe.licence,
            dialogue.attribution or recipe.attribution,
            *dialogue.speakers,
        )
    )
    if reading.faults.total > before:
        return None
    prefix = f"{recipe.name}/"
    source_id = identifier if identifier.startswith(prefix) else prefix + identifier
    return SourceDialogue(
        source_id=source_id,
        source=recipe.name,
        language=dialogue.lang.replace("_", "-").split("-")[0].lower(),
        speakers=tuple(speakers),
        topic=topic or source_id,
        turns=tuple(turns),
        images=tuple(images),
        tags=tags,
        label_source=recipe.label_source if tags else "rule",
        label_model=recipe.label_model if tags else "",
        licence=licence,
        attribution=attribution,
        place=place,
        changes=(*changes, *_changes(reading.counts, noted, len(turns))),
    )


def _turns(
    dialogue: NeutralDialogue, recipe: SourceRecipe, place: str, reading: Reading, image_of: ImageOf
) -> tuple[list[SourceTurn], list[SourceImage]]:
    turns: list[SourceTurn] = []
    images: list[SourceImage] = []
    for index, turn in enumerate(dialogue.turns):
        here = f"{place}, turns.{index}"
        text = clean_text(turn.text, here, reading)
        if turn.speaker not in dialogue.speakers:
            reading.faults.add(here, f"speaker {turn.speaker!r} is not among the dialogue's speakers")
            continue
        if not text.strip() and turn.image is None:
            reading.faults.add(here, "has neither text nor an image; remove the turn")
        image = None
        if turn.image is not None:
            image = len(images)
            words = {
                key: clean_text(getattr(turn.image, key), here, reading) for key in ("id", "path", "url", "caption")
            }
            carried = turn.image.model_copy(update=words)
            found = replace(image_of(carried, f"{dialogue.id}#{image}", here, reading), place=here)
            images.append(_under_terms(found, turn.image, recipe, reading))
        turns.append(SourceTurn(dialogue.speakers.index(turn.speaker), text if text.strip() else "", image))
    return turns, images


def _under_terms(found: SourceImage, image: NeutralImage, recipe: SourceRecipe, reading: Reading) -> SourceImage:
    """Return an image with its own terms, else those that its finder knows, else the recipe's."""
    licence, attribution = (clean_text(text, found.place, reading) for text in (image.licence, image.attribution))
    licence, attribution = licence or found.licence, attribution or found.attribution
    if not licence and recipe.image_licence:  # the recipe's credit is for what the recipe licenses
        licence, attribution = recipe.image_licence, attribution or recipe.attribution
    return replace(found, licence=licence, attribution=attribution)


def _changes(counts: Counter[str], before: Counter[str], n_turns: int) -> Iterator[str]:
    """Yield in words what the counts say was changed since `before`."""
    if counts[CUT] > before[CUT]:
        yield f"cut to {n_turns} turns"
    if counts[NUL] > before[NUL]:
        yield "NUL removed"
    if counts[BREAKS] > before[BREAKS]:
        yield "line breaks written as \\n"


def clean_text(text: str, place: str, reading: Reading) -> str:
    """Return text as datasets keep it: newlines as \\n, no NUL; note what was changed, and text that is no UTF-8."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        reading.faults.add(place, "holds half of a surrogate pair, which is no valid text")
        return text.encode("utf-8", "replace").decode("utf-8")
    if "\0" in text:
        reading.counts[NUL] += text.count("\0")
        text = text.replace("\0", "")
    if "\r" in text:
        reading.counts[BREAKS] += 1
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _tags(
    tags: Iterable[NeutralTag], turns: list[SourceTurn], n_images: int, place: str, reading: Reading
) -> Iterator[SourceTag]:
    seen: set[tuple[str, str]] = set()
    for index, tag in enumerate(tags):
        here = f"{place}, tags.{index}"
        for kind, ids, size in (("turn", tag.turns, len(turns)), ("image", tag.images, n_images)):
            for position in ids:
                if not 0 <= position < size:
                    reading.faults.add(here, f"{kind} {position} does not exist; the dialogue has {size} (0-based)")
                elif kind == "turn" and not turns[position].text:
                    reading.faults.add(here, f"turn {position} has no text; name its image instead")
        if tag.level != "topic" and not tag.turns and not tag.images:
            reading.faults.add(here, "marks nothing; only a tag of level topic may leave turns and images out")
        name, query = (clean_text(text, here, reading) for text in (tag.name, tag.query))
        if (tag.level, name) in seen:
            reading.faults.add(here, f"a second tag of level {tag.level} with the name {name!r}; names tell tags apart")
        seen.add((tag.level, name))
        yield SourceTag(name, tag.level, tuple(sorted(set(tag.turns))), tuple(sorted(set(tag.images))), query.strip())


def cut(dialogue: NeutralDialogue, max_turns: int | None, reading: Reading) -> NeutralDialogue:
    """Return the dialogue's first turns, with the tags that are left of it; what is cut is counted."""
    if max_turns is None or len(dialogue.turns) <= max_turns:
        return dialogue
    reading.counts[CUT] += 1
    reading.counts["turns cut by max_turns"] += len(dialogue.turns) - max_turns
    turns = dialogue.turns[:max_turns]
    n_turns, n_images = len(dialogue.turns), sum(turn.image is not None for turn in turns)
    all_images = sum(turn.image is not None for turn in dialogue.turns)
    tags = []
    for tag in dialogue.tags:
        # An id that never existed stays, to be named as a fault.
        kept = [t for t in tag.turns if not max_turns <= t < n_turns]
        images = [i for i in tag.images if not n_images <= i < all_images]
        if kept or images or not (tag.turns or tag.images):
            reading.counts["tags cut in part by max_turns"] += len(kept) + len(images) < len(tag.turns) + len(
                tag.images
            )
            tags.append(tag.model_copy(update={"turns": kept, "images": images}))
        else:
            reading.counts["tags cut by max_turns"] += 1
    return dialogue.model_copy(update={"turns": turns, "tags": tags})
