"""A sealed bundle: a zip of de-identified dialogues, their pictures and the consent for them; one wrong byte and it is refused.

The seal is the SHA-256 over the names and hashes of all files. It tells whether a bundle is the one that was given; who gave it, it
does not tell.
"""

from __future__ import annotations

import datetime as dt
import json
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mldr.annotation.collection import MARK, Collection
from mldr.annotation.consent_rules import why_not
from mldr.annotation.consent_store import check_given, give
from mldr.annotation.consents import Consent, Scope, read_consents
from mldr.annotation.records import Collected, cut_path, read_collected
from mldr.annotation.tombstones import read_tombstones
from mldr.errors import Fault, Faults, InputError, MldrError, fault
from mldr.files import canonical_json, parse_json, sha256_text, write_json, written_whole
from mldr.formats import format_line, upgraded
from mldr.images import ImageError, open_stored
from mldr.verify import dialogue_faults

HEADER = "bundle.json"
_MEMBER = re.compile(r"dialogues/[0-9a-f]{16}\.json|images/[0-9a-f]{64}\.(?:jpg|png)|consent\.jsonl|collection\.json")
MAX_FILES, MAX_BYTES, MAX_FILE_BYTES = 100_000, 1024**3, 64 * 1024**2
"""What is taken from a stranger's bundle at most."""
LEAST: tuple[Scope, ...] = ("research",)
"""What each speaker of a bundle agreed to at least."""
_SPEAKER = re.compile(r"S[1-9][0-9]{0,5}")
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can hold: no wall clock in a bundle."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A bundle as it was sealed or received."""

    seal: str
    """64 hex digits; the giver keeps it, and it names the bundle when it is withdrawn."""
    dialogues: int
    pictures: int
    subjects: int


def seal(collection: Collection, out: Path, today: dt.date, *, force: bool = False) -> Sealed:
    """Write a collection's dialogues, pictures and consents as one sealed file; labels and reviews stay.

    Only pictures that a person said yes to go: a dialogue with another one is a fault.

    Args:
        collection: read to the end.
        out: the file to be.
        today: the day on which every speaker's consent to research must hold.
        force: replace what stands at `out`.

    Raises:
        MldrError: if `out` stands there already, or there is nothing to seal.
        InputError: with each speaker whose consent to research does not hold and each picture that nobody decided on.
    """
    if out.exists() and not force:
        raise MldrError(f"{out} exists; choose another --out, or replace it with --force")
    _check_ready(collection, today)
    files = {name: path.read_bytes() for name, path in _members(collection)}
    hashes = {name: sha256(content).hexdigest() for name, content in sorted(files.items())}
    told = seal_of(hashes)
    header = {"format": format_line("bundle"), "files": hashes, "seal": told}
    with written_whole(out) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in [(HEADER, _json(header)), *sorted(files.items())]:
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_STORED if name.startswith("images/") else zipfile.ZIP_DEFLATED
            entry.external_attr = 0o600 << 16
            archive.writestr(entry, content)
    return _counted(told, files)


def seal_of(hashes: dict[str, str]) -> str:
    """Return the seal of a bundle's files."""
    return sha256_text(canonical_json(hashes))


def _json(value: Any) -> bytes:
    return (json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False) + "\n").encode("utf-8")


def _counted(seal: str, files: dict[str, bytes]) -> Sealed:
    subjects = {json.loads(line)["subject_key"] for line in files.get("consent.jsonl", b"").splitlines()}
    kinds = [name.partition("/")[0] for name in files]
    return Sealed(seal, kinds.count("dialogues"), kinds.count("images"), len(subjects))


def _check_ready(collection: Collection, today: dt.date) -> None:
    consents = read_consents(collection.consents)
    faults, dialogues = Faults(), 0
    for collected in collection:
        dialogues += 1
        place = f"dialogue {collected.dialogue.dialogue_id}"
        for speaker in sorted({utterance.speaker for utterance in collected.dialogue.utterances}):
            if reason := why_not(consents.get(collected.subjects.get(speaker, "")), LEAST, today):
                faults.add(place, f"{speaker}: {reason}; ask them, or take their messages out")
        for number, image in enumerate(collected.images):
            if image.status == "present" and image.decision != "yes":
                faults.add(place, f"image {number}: nobody said yes to it; decide, or withhold it")
        if not collected.treatment.get("read"):
            faults.add(place, "nobody read it to the end yet")
    if not dialogues:
        raise MldrError(f"{collection.folder} holds no dialogue to seal")
    faults.check()


def _members(collection: Collection) -> Iterator[tuple[str, Path]]:
    yield MARK, collection.folder / MARK
    yield "consent.jsonl", collection.consents
    for collected in collection:
        yield (
            f"dialogues/{collected.dialogue.dialogue_id}.json",
            cut_path(collection.dialogues, collected.dialogue.dialogue_id),
        )
        for image in collected.images:
            if image.status == "present":
                path = collection.image_path(image.image_key, image.media_type)
                yield f"images/{path.name}", path


def is_bundle(path: Path) -> bool:
    """Return whether a file looks like a sealed bundle."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return HEADER in archive.namelist()


def receive(path: Path, collection: Collection) -> Sealed:
    """Check a sealed bundle and add it to a collection; the same bundle again changes nothing.

    Raises:
        InputError: with everything that does not hold: the seal, names, sizes, dialogues, pictures that are none or carry
            metadata, speakers without consent or who withdrew it since, dialogues that were withdrawn, or that the collection has
            from elsewhere.
        MldrError: if it is no bundle, or of a newer format.
    """
    with TemporaryDirectory(dir=collection.folder, prefix=".receiving-") as folder:
        header, files = _unpacked(path)
        receipt = collection.folder / "receipts" / f"{header['seal'][:16]}.json"
        if receipt.exists():
            return _counted(header["seal"], files)
        consents = _checked(path, files, Path(folder), collection)
        for name, content in sorted(files.items()):
            if name.startswith(("dialogues/", "images/")):
                target = collection.folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                with written_whole(target) as temporary:
                    temporary.write_bytes(content)
        for consent in consents:
            give(collection.consents, consent)
        dialogues = sorted(name[10:26] for name in files if name.startswith("dialogues/"))
        write_json(receipt, {"format": format_line("bundle"), "seal": header["seal"], "dialogues": dialogues})
    return _counted(header["seal"], files)


def _unpacked(path: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return the header and the files of a bundle whose seal holds."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            names = [entry.filename for entry in entries]
            _check_entries(path, entries, names)
            header = parse_json(_read(archive, HEADER))
            files = {name: _read(archive, name) for name in names if name != HEADER}
    except (
        OSError,
        zipfile.BadZipFile,
        zlib.error,
        lzma.LZMAError,
        NotImplementedError,
        RuntimeError,
        EOFError,
    ) as error:
        raise MldrError(f"{path}: is no sealed bundle ({error})") from error
    except ValueError as error:
        raise fault(f"{path}, {HEADER}", str(error)) from error
    if not isinstance(header, dict):
        raise fault(f"{path}, {HEADER}", "a JSON object is expected")
    header = upgraded(header, "bundle", f"{path}, {HEADER}")
    hashes = {name: sha256(content).hexdigest() for name, content in sorted(files.items())}
    if header.get("files") != hashes or header.get("seal") != seal_of(hashes):
        raise fault(str(path), "its seal is broken: what is in it is not what was sealed; ask for it again")
    return header, files


def _read(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as stream:
        content = stream.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        raise ValueError(f"{name} has more than {MAX_FILE_BYTES:,} bytes")
    return content


def _check_entries(path: Path, entries: list[zipfile.ZipInfo], names: list[str]) -> None:
    faults = Faults()
    if HEADER not in names:
        raise MldrError(f"{path}: is no sealed bundle: it has no {HEADER}")
    if len(names) > MAX_FILES or sum(entry.file_size for entry in entries) > MAX_BYTES:
        raise fault(str(path), f"more than {MAX_FILES:,} files or {MAX_BYTES:,} bytes")
    for name in sorted(names):
        if name != HEADER and not _MEMBER.fullmatch(name):
            faults.add(f"{path}, {name}", "is no part of a bundle")
        if names.count(name) > 1:
            faults.add(f"{path}, {name}", "stands there twice")
    faults.check()


def _checked(path: Path, files: dict[str, bytes], folder: Path, collection: Collection) -> list[Consent]:
    """Check what a seal does not vouch for; return the consents that are news, in their order."""
    faults = Faults()
    log = folder / "consent.jsonl"
    log.write_bytes(files.get("consent.jsonl", b""))
    consents = read_consents(log)
    news = _news(f"{path}, consent.jsonl", consents, collection, faults)
    gone = {stone.dialogue_id for stone in read_tombstones(collection.tombstones)}
    shown: set[str] = set()
    for name, content in sorted(files.items()):
        if name.startswith("dialogues/"):
            target = folder / name.rpartition("/")[2]
            target.write_bytes(content)
            collected = read_collected(target)
            shown |= _check_dialogue(f"{path}, {name}", collected, consents, files, collection, faults)
            if collected.dialogue.dialogue_id in gone:
                faults.add(f"{path}, {name}", "was withdrawn from this collection, and does not come back")
    if not any(name.startswith("dialogues/") for name in files):
        faults.add(str(path), "holds no dialogue")
    for name in sorted(set(files) - shown):
        if name.startswith("images/"):
            faults.add(f"{path}, {name}", "no dialogue shows it")
    faults.check()
    return news


def _news(place: str, consents: dict[str, Consent], collection: Collection, faults: Faults) -> list[Consent]:
    """Return the consents that the collection's record is to take: none that is older than what stands there, or as old and wider.

    Nobody can tell which of two statements of one day came first, so the narrower one counts, and a withdrawal before all.
    """
    known, news = read_consents(collection.consents), []
    for subject, consent in consents.items():
        standing = known.get(subject)
        try:
            check_given(consent, None if standing is None or standing.withdrawn is None else standing)
        except InputError as error:
            faults.extend(Fault(f"{place}, {one.place}", one.message) for one in error.faults)
            continue
        if standing is not None and standing.withdrawn == consent.date:
            faults.add(f"{place}, consent of {subject[:8]}", "was withdrawn on the day on which it was given")
        elif (
            standing is None
            or consent.date > standing.date
            or (consent.date == standing.date and _narrower(consent, standing))
        ):
            news.append(consent)
    return news


def _narrower(one: Consent, other: Consent) -> bool:
    """Return whether a consent allows nothing that the other does not."""
    ends = other.expires is None or (one.expires is not None and one.expires <= other.expires)
    return set(one.scopes) <= set(other.scopes) and ends and one.adult <= other.adult


def _check_dialogue(
    place: str,
    collected: Collected,
    consents: dict[str, Consent],
    files: dict[str, bytes],
    collection: Collection,
    faults: Faults,
) -> set[str]:
    dialogue, shown = collected.dialogue, set()
    if f"{dialogue.dialogue_id}.json" != place.rpartition("/")[2]:
        faults.add(place, f"its dialogue is {dialogue.dialogue_id!r}")
    elif cut_path(collection.dialogues, dialogue.dialogue_id).exists():
        faults.add(place, "the collection has this dialogue from elsewhere")
    for problem in _problems(collected):
        faults.add(place, problem)
    speakers = {utterance.speaker for utterance in dialogue.utterances}
    for speaker in sorted(speakers):
        consent = consents.get(collected.subjects.get(speaker, ""))
        if reason := why_not(consent, LEAST, dt.date.max if consent is None else consent.date):
            faults.add(place, f"speaker {speaker!r}: {reason} in the bundle")
    for number, image in enumerate(collected.images):
        if image.status == "present":
            name = f"images/{collection.image_path(image.image_key, image.media_type).name}"
            shown.add(name)
            if problem := _picture_problem(image.image_key, files.get(name)):
                faults.add(place, f"image {number}: {problem}")
    return shown


def _problems(collected: Collected) -> Iterator[str]:
    """Yield what does not fit together inside a dialogue; pages and releases trust that it does."""
    dialogue = collected.dialogue
    yield from dialogue_faults(dialogue, {image.image_key for image in collected.images})
    if [image.image_key for image in dialogue.images] != [image.image_key for image in collected.images]:
        yield "its pictures are not those that it says something of"
    for mask in collected.masks:
        at, words = mask.utterance_id, mask.mask
        text = dialogue.utterances[at].text if 0 <= at < dialogue.n_utterances else ""
        if not 0 <= words.start <= words.end <= len(text):
            yield f"a mask stands at {words.start} to {words.end} of utterance {at}, where there is no such stretch"
    if not all(_SPEAKER.fullmatch(utterance.speaker) for utterance in dialogue.utterances):
        yield "a speaker is not called S1, S2, ..., as a de-identified one is"


def _picture_problem(image_key: str, content: bytes | None) -> str:
    if content is None:
        return "its bytes are not in the bundle"
    if image_key != "sha256:" + sha256(content).hexdigest():
        return "its bytes are not those that its key names"
    try:
        picture = open_stored(content)
    except ImageError as error:
        return str(error)
    carried = sorted(str(key) for key in set(picture.info) - {"jfif", "jfif_version", "jfif_unit", "jfif_density"})
    return f"carries metadata ({', '.join(carried)})" if carried else ""
