"""A dialogue on its way: cut and still raw in the private store, then de-identified in the collection. As JSON files, and back."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, cast

from pydantic import TypeAdapter, ValidationError

from mldr.annotation.chat import Member
from mldr.annotation.spans import Mask
from mldr.dialogue import Dialogue
from mldr.errors import MldrError, fault
from mldr.files import parse_json, write_json
from mldr.formats import format_line, upgraded
from mldr.tables import from_row, to_row


@dataclass(frozen=True, slots=True)
class CutDialogue:
    """A piece of a chat, raw: it never leaves the private store."""

    dialogue: Dialogue
    """Speakers are `Member.person`s, times the clock of the chat's zone without a zone, image keys those of the chat's images
    (`sha256:...`, or `ref:missing/<n>` for one that was not found); `cluster_id` is already the HMAC."""
    chat_key: str
    platform: str
    message_ids: tuple[tuple[str, ...], ...]
    """The messages that each utterance was merged from, parallel to its utterances."""
    members: tuple[Member, ...]
    """Everybody in the chat: their names are masked, whether they speak here or not."""


Decision = Literal["", "yes", "no"]
"""Of a person about a picture: '' is undecided, and counts as no."""


@dataclass(frozen=True, slots=True)
class CollectedImage:
    """A picture of a collected dialogue."""

    image_key: str
    """`sha256:<hex>` of the covered, re-encoded bytes; `ref:withheld/<n>` or `ref:missing/<n>` where there are none."""
    status: Literal["present", "withheld", "missing"]
    """A withheld one has no bytes here."""
    width: int | None = None
    height: int | None = None
    media_type: str = ""
    covered: dict[str, int] | None = None
    """`faces` and `codes` (QR) that were filled; None where nobody looked."""
    decision: Decision = ""


@dataclass(frozen=True, slots=True)
class CollectedMask:
    """Where a surrogate stands in a text."""

    utterance_id: int
    mask: Mask
    decision: Literal["", "mask", "keep", "edit"] = ""
    """'' where nobody looked at it; `keep` and `edit` are already carried out in the text."""


@dataclass(frozen=True, slots=True)
class Collected:
    """A de-identified dialogue. Everything in it may be seen by an annotator; what may be released, `release` decides."""

    dialogue: Dialogue
    """Speakers are S1, S2, ...; times are shifted by whole days."""
    subjects: dict[str, str]
    """Speaker -> subject key of the consent record. Never released."""
    images: tuple[CollectedImage, ...]
    """Parallel to `dialogue.images`."""
    masks: tuple[CollectedMask, ...]
    treatment: dict[str, Any]
    """What was done: versions of detectors, counts by kind, whether somebody read it all (`read`: true or false)."""


def cut_path(folder: Path, dialogue_id: str) -> Path:
    """Return the file of a dialogue in a folder of them."""
    return folder / f"{dialogue_id}.json"


def write_cut(folder: Path, cut: CutDialogue) -> None:
    """Write a raw dialogue into a private store's folder of dialogues."""
    rest = {"chat_key": cut.chat_key, "platform": cut.platform, "message_ids": [list(ids) for ids in cut.message_ids]}
    _write(folder, "cut-dialogue", cut.dialogue, {**rest, "members": [asdict(member) for member in cut.members]})


def read_cut(path: Path) -> CutDialogue:
    """Return a raw dialogue.

    Raises:
        MldrError: if it cannot be read.
        InputError: if it is malformed.
    """
    dialogue, rest = _read(path, "cut-dialogue")
    return cast(CutDialogue, _checked(TypeAdapter(CutDialogue), {**rest, "dialogue": dialogue}, path))


def write_collected(folder: Path, collected: Collected) -> None:
    """Write a de-identified dialogue into a collection's folder of dialogues."""
    rest = asdict(replace(collected, dialogue=_EMPTY))
    del rest["dialogue"]
    _write(folder, "collected-dialogue", collected.dialogue, rest)


def read_collected(path: Path) -> Collected:
    """Return a de-identified dialogue.

    Raises:
        MldrError: if it cannot be read.
        InputError: if it is malformed.
    """
    dialogue, rest = _read(path, "collected-dialogue")
    return cast(Collected, _checked(TypeAdapter(Collected), {**rest, "dialogue": dialogue}, path))


_EMPTY = Dialogue("", "", "real", "", ())


def _write(folder: Path, kind: str, dialogue: Dialogue, rest: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    row = to_row(dialogue)
    for utterance in row["utterances"]:
        utterance["time"] = None if utterance["time"] is None else utterance["time"].isoformat()
    write_json(cut_path(folder, dialogue.dialogue_id), {"format": format_line(kind), "dialogue": row, **rest})


def _read(path: Path, kind: str) -> tuple[Dialogue, dict[str, Any]]:
    try:
        document = parse_json(path.read_bytes())
    except OSError as error:
        raise MldrError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise fault(str(path), str(error)) from error
    if not isinstance(document, dict):
        raise fault(str(path), "a JSON object is expected")
    rest = upgraded(document, kind, str(path))
    del rest["format"]
    return _dialogue(rest.pop("dialogue", None), path), rest


def _dialogue(row: Any, path: Path) -> Dialogue:
    try:
        for utterance in row["utterances"]:
            stamp = utterance["time"]
            utterance["time"] = None if stamp is None else datetime.fromisoformat(stamp)
        dialogue = cast(Dialogue, from_row("dialogues", row))
        return TypeAdapter(Dialogue).validate_python(asdict(dialogue))
    except (KeyError, TypeError, ValueError) as error:
        raise fault(str(path), f"`dialogue` is malformed ({type(error).__name__}: {error})") from error


def _checked(adapter: TypeAdapter[Any], document: dict[str, Any], path: Path) -> Any:
    from mldr.configuration import model_faults

    try:
        return adapter.validate_python(document)
    except ValidationError as error:
        raise model_faults(error, str(path)) from error
