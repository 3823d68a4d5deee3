from __future__ import annotations

import datetime as dt
import json
import zipfile
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from mldr.annotation.bundle import is_bundle, receive, seal, seal_of
from mldr.annotation.collection import Collection, open_collection
from mldr.annotation.consent_store import end, give
from mldr.annotation.consents import Consent, read_consents
from mldr.annotation.labels import as_line
from mldr.annotation.records import Collected, write_collected
from mldr.annotation.store import append_line
from mldr.annotation.withdrawing import withdraw
from mldr.errors import InputError, MldrError
from tests.annotation.support_labels import (
    collected_dialogue,
    collection_of,
    dialogue_name,
    put,
    say,
    small_picture,
    subject,
)

TODAY = dt.date(2026, 6, 1)


def consented(collection: Collection, people: int = 2) -> None:
    for number in range(people):
        told = {"subject_key": subject(number), "scopes": ["research"], "notice_version": "1", "date": "2026-01-02"}
        append_line(
            collection.consents, as_line(Consent.model_validate({**told, "method": "donor_page", "adult": True}))
        )


@pytest.fixture
def given(tmp_path: Path) -> Collection:
    picture = small_picture()
    made = collection_of(
        tmp_path / "given", [collected_dialogue(1, pictures=[picture]), collected_dialogue(2)], [picture]
    )
    consented(made)
    return made


@pytest.fixture
def bundle(given: Collection, tmp_path: Path) -> Path:
    seal(given, tmp_path / "gift.zip", TODAY)
    return tmp_path / "gift.zip"


def forged(bundle: Path, out: Path, change: Callable[[dict[str, bytes]], object], *, resealed: bool = True) -> Path:
    """Write a bundle with other files, under a seal that fits them or under the old one."""
    with zipfile.ZipFile(bundle) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    header = json.loads(files.pop("bundle.json"))
    change(files)
    if resealed:
        hashes = {name: sha256(content).hexdigest() for name, content in sorted(files.items())}
        header = {**header, "files": hashes, "seal": seal_of(hashes)}
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in {"bundle.json": json.dumps(header).encode(), **files}.items():
            archive.writestr(name, content)
    return out


def test_a_bundle_arrives_whole_and_a_second_time_changes_nothing(
    given: Collection, bundle: Path, tmp_path: Path
) -> None:
    target = open_collection(tmp_path / "target", create=True)
    told = receive(bundle, target)
    assert (told.dialogues, told.pictures, told.subjects) == (2, 1, 2)
    assert list(target) == list(given)
    assert read_consents(target.consents) == read_consents(given.consents)
    before = {path: path.read_bytes() for path in target.folder.rglob("*") if path.is_file()}
    assert receive(bundle, target) == told
    assert {path: path.read_bytes() for path in target.folder.rglob("*") if path.is_file()} == before


def test_the_same_collection_is_sealed_to_the_same_bytes_and_labels_stay_home(
    given: Collection, tmp_path: Path
) -> None:
    say(given, "ann", dialogue_name(1), put("f1", "secret thoughts", [1]))
    one, two = tmp_path / "one.zip", tmp_path / "two.zip"
    assert seal(given, one, TODAY) == seal(given, two, TODAY)
    assert one.read_bytes() == two.read_bytes()
    assert is_bundle(one)
    with zipfile.ZipFile(one) as archive:
        assert not any("labels" in name for name in archive.namelist())


def test_nothing_is_overwritten_unasked(given: Collection, bundle: Path) -> None:
    with pytest.raises(MldrError, match="exists"):
        seal(given, bundle, TODAY)
    seal(given, bundle, TODAY, force=True)


def broken(collected: Collected, what: str) -> Collected:
    from dataclasses import replace

    if what == "unread":
        return replace(collected, treatment={"read": False})
    if what == "undecided picture":
        return replace(collected, images=tuple(replace(image, decision="") for image in collected.images))
    return replace(collected, subjects={**collected.subjects, "S2": subject(77)})


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("unread", "nobody read it"),
        ("undecided picture", "nobody said yes"),
        ("no consent", "S2: no consent on record"),
    ],
)
def test_what_is_not_ready_is_not_sealed(given: Collection, tmp_path: Path, what: str, told: str) -> None:
    write_collected(given.dialogues, broken(given.read(dialogue_name(1)), what))
    with pytest.raises(InputError, match=told):
        seal(given, tmp_path / "x.zip", TODAY)
    assert not (tmp_path / "x.zip").exists()


def test_an_empty_collection_is_not_sealed(tmp_path: Path) -> None:
    with pytest.raises(MldrError, match="no dialogue"):
        seal(open_collection(tmp_path / "c", create=True), tmp_path / "x.zip", TODAY)


def test_one_changed_byte_breaks_the_seal(bundle: Path, tmp_path: Path) -> None:
    def change(files: dict[str, bytes]) -> None:
        files[f"dialogues/{dialogue_name(2)}.json"] = files[f"dialogues/{dialogue_name(2)}.json"].replace(
            b"message 3", b"message 4"
        )

    with pytest.raises(InputError, match="seal is broken"):
        receive(
            forged(bundle, tmp_path / "f.zip", change, resealed=False), open_collection(tmp_path / "t", create=True)
        )


def png_with_text() -> bytes:
    import io

    buffer, words = io.BytesIO(), PngImagePlugin.PngInfo()
    words.add_text("Author", "somebody")
    Image.new("RGB", (4, 4)).save(buffer, "PNG", pnginfo=words)
    return buffer.getvalue()


def told_otherwise(change: Callable[[dict[str, Any]], object]) -> Callable[[dict[str, bytes]], object]:
    """A change of what the bundle's first dialogue says."""

    def changed(files: dict[str, bytes]) -> None:
        name = f"dialogues/{dialogue_name(1)}.json"
        document = json.loads(files[name])
        change(document)
        files[name] = json.dumps(document).encode()

    return changed


def renamed(document: dict[str, Any]) -> None:
    first = document["dialogue"]["utterances"][0]["speaker"]
    document["subjects"]["Li Lei"] = document["subjects"][first]
    document["dialogue"]["utterances"][0]["speaker"] = "Li Lei"


FORGERIES: Mapping[str, tuple[Callable[[dict[str, bytes]], object], str]] = {
    "a path out of the folder": (lambda files: files.update({"../../evil": b"x"}), "no part of a bundle"),
    "a file of another kind": (lambda files: files.update({"labels/ann/x.jsonl": b"{}"}), "no part of a bundle"),
    "a speaker without consent": (lambda files: files.update({"consent.jsonl": b""}), "no consent on record"),
    "a picture that nobody shows": (
        lambda files: files.update({f"images/{'0' * 64}.png": b"x"}),
        "no dialogue shows it",
    ),
    "a dialogue under another name": (
        lambda files: files.update(
            {f"dialogues/{dialogue_name(7)}.json": files.pop(f"dialogues/{dialogue_name(2)}.json")}
        ),
        "its dialogue is",
    ),
    "a picture whose bytes are others": (
        lambda files: files.update({name: png_with_text() for name in files if name.startswith("images/")}),
        "not those that its key names",
    ),
    "a picture that is gone": (
        lambda files: [files.pop(name) for name in list(files) if name.startswith("images/")],
        "not in the bundle",
    ),
    "no consent record at all": (lambda files: files.pop("consent.jsonl"), "no consent on record"),
    "an answer to a message that is not there": (
        told_otherwise(lambda told: told["dialogue"]["utterances"][0].update(reply_to=999)),
        "answers 999",
    ),
    "a picture that no message carries": (
        told_otherwise(lambda told: told["dialogue"]["utterances"][0].update(image_ids=[9])),
        "image ids are",
    ),
    "pictures that are not those of the messages": (
        told_otherwise(lambda told: told["dialogue"]["images"][0].update(image_key="sha256:" + "1" * 64)),
        "its pictures are not those",
    ),
    "a mask outside of its message": (
        told_otherwise(
            lambda told: told["masks"].append(
                {
                    "utterance_id": 999,
                    "mask": {
                        "start": 0,
                        "end": 4,
                        "kind": "name",
                        "surrogate": "x",
                        "confidence": 0.9,
                        "detector": "member",
                    },
                }
            )
        ),
        "no such stretch",
    ),
    "a speaker under a name": (told_otherwise(renamed), "is not called S1"),
    "a malformed dialogue": (lambda files: files.update({f"dialogues/{dialogue_name(2)}.json": b"{}"}), "format"),
}


@pytest.mark.parametrize("what", FORGERIES)
def test_a_forged_bundle_with_a_fitting_seal_is_refused_whole(bundle: Path, tmp_path: Path, what: str) -> None:
    change, told = FORGERIES[what]
    target = open_collection(tmp_path / "t", create=True)
    with pytest.raises(MldrError, match=told):
        receive(forged(bundle, tmp_path / "f.zip", change), target)
    assert target.ids() == []
    assert sorted(path.name for path in target.folder.iterdir()) == ["collection.json"]


def test_a_changed_bit_anywhere_is_a_fault_and_no_crash(bundle: Path, tmp_path: Path) -> None:
    content = bundle.read_bytes()
    told = receive(bundle, open_collection(tmp_path / "whole", create=True))
    target = open_collection(tmp_path / "t", create=True)
    for place in range(0, len(content), 7):
        path = tmp_path / "x.zip"
        path.write_bytes(content[:place] + bytes([content[place] ^ 16]) + content[place + 1 :])
        try:
            assert receive(path, target).seal == told.seal  # a bit of the zip's own, which says nothing
            target = open_collection(tmp_path / f"t{place}", create=True)
        except MldrError:
            assert target.ids() == []


def test_a_picture_with_metadata_is_refused(given: Collection, tmp_path: Path) -> None:
    from dataclasses import replace

    content = png_with_text()
    key = "sha256:" + sha256(content).hexdigest()
    collected = given.read(dialogue_name(1))
    dialogue = replace(collected.dialogue, images=(replace(collected.dialogue.images[0], image_key=key),))
    write_collected(
        given.dialogues, replace(collected, dialogue=dialogue, images=(replace(collected.images[0], image_key=key),))
    )
    given.image_path(key, "image/png").write_bytes(content)
    seal(given, tmp_path / "x.zip", TODAY)
    with pytest.raises(InputError, match=r"carries metadata \(Author\)"):
        receive(tmp_path / "x.zip", open_collection(tmp_path / "t", create=True))


def test_a_dialogue_that_is_there_from_elsewhere_is_never_replaced(
    given: Collection, bundle: Path, tmp_path: Path
) -> None:
    target = collection_of(tmp_path / "t", [collected_dialogue(1)])
    with pytest.raises(InputError, match="from elsewhere"):
        receive(bundle, target)
    assert target.read(dialogue_name(1)) == collected_dialogue(1)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut", b"hello"])
def test_what_is_no_bundle_is_said(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(content)
    assert not is_bundle(path)
    with pytest.raises(MldrError, match="no sealed bundle"):
        receive(path, open_collection(tmp_path / "t", create=True))


def test_a_bundle_cut_anywhere_is_refused(bundle: Path, tmp_path: Path) -> None:
    content = bundle.read_bytes()
    target = open_collection(tmp_path / "t", create=True)
    for length in range(0, len(content), 97):
        (tmp_path / "cut.zip").write_bytes(content[:length])
        with pytest.raises(MldrError):
            receive(tmp_path / "cut.zip", target)
    assert target.ids() == []


# --- consents that were over, or that something newer says otherwise


def said(number: int, date: str = "2026-01-02", **changes: Any) -> Consent:
    """What a person said."""
    told = {"subject_key": subject(number), "scopes": ["research"], "notice_version": "1", "date": date}
    return Consent.model_validate({**told, "method": "signed", "adult": True, **changes})


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"adult": False}, "S2: not known to be an adult"),
        ({"expires": "2026-05-31"}, "S2: consent expired"),
        ({"scopes": ["images"]}, "S2: no consent to research"),
        ({"date": "2026-06-02"}, "S2: consent dated in the future"),
        ({"withdrawn": "2026-03-01"}, "S2: consent withdrawn"),
    ],
)
def test_a_consent_that_does_not_hold_seals_nothing(
    given: Collection, tmp_path: Path, changes: dict[str, Any], told: str
) -> None:
    append_line(given.consents, as_line(said(1, **changes)))
    with pytest.raises(InputError, match=told):
        seal(given, tmp_path / "x.zip", TODAY)


@pytest.mark.parametrize("day", ["2026-01-02", "2026-03-01"])
def test_an_old_bundle_does_not_undo_a_withdrawal(bundle: Path, tmp_path: Path, day: str) -> None:
    target = open_collection(tmp_path / "target", create=True)
    give(target.consents, said(1))
    end(target.consents, subject(1), dt.date.fromisoformat(day))
    with pytest.raises(InputError, match="withdrawn on"):
        receive(bundle, target)
    assert read_consents(target.consents)[subject(1)].withdrawn == dt.date.fromisoformat(day)
    assert target.ids() == []


def test_a_withdrawn_dialogue_does_not_come_back(given: Collection, bundle: Path, tmp_path: Path) -> None:
    target = open_collection(tmp_path / "target", create=True)
    receive(bundle, target)
    withdraw(target, subject(1), dt.date(2026, 3, 1))
    assert target.ids() == []
    for number in range(2):
        give(given.consents, said(number, "2026-04-01"))
    seal(given, tmp_path / "again.zip", TODAY)
    with pytest.raises(InputError, match="was withdrawn from this collection"):
        receive(tmp_path / "again.zip", target)
    assert target.ids() == []


@pytest.mark.parametrize(
    ("standing", "wins"),
    [
        (said(1, "2026-02-01", expires="2026-12-31"), "standing"),
        (said(1, "2025-12-31"), "bundle"),
        (said(1, "2026-01-02", scopes=["research", "images"]), "bundle"),
        (said(1, "2026-01-02", scopes=["images"]), "standing"),
        (said(1, "2026-01-02", expires="2026-12-31"), "standing"),
    ],
)
def test_the_newer_statement_counts_and_on_one_day_the_narrower(
    given: Collection, bundle: Path, tmp_path: Path, standing: Consent, wins: str
) -> None:
    target = open_collection(tmp_path / "target", create=True)
    give(target.consents, standing)
    receive(bundle, target)
    expected = standing if wins == "standing" else read_consents(given.consents)[subject(1)]
    assert read_consents(target.consents)[subject(1)] == expected


def test_a_bundle_whose_consent_does_not_allow_research_is_refused(bundle: Path, tmp_path: Path) -> None:
    def change(files: dict[str, bytes]) -> None:
        files["consent.jsonl"] = files["consent.jsonl"].replace(b'"adult": true', b'"adult": false')

    with pytest.raises(InputError, match="not known to be an adult"):
        receive(forged(bundle, tmp_path / "f.zip", change), open_collection(tmp_path / "t", create=True))
