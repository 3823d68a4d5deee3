"""An import from end to end: look at the release, read its records, keep its pictures, write the dataset."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mldr.dataset import SPLITS
from mldr.dialogue import Origin
from mldr.errors import InterruptedRun, MldrError, printable
from mldr.folders import check_free, fresh_folder
from mldr.identity import canary
from mldr.manifest import MANIFEST, Manifest, Release
from mldr.progress import Progress
from mldr.release.archive import Archive, open_archive
from mldr.release.findings import FileFound, Findings, ReadRecord, Unusable
from mldr.release.jsonlist import TWICE, json_records
from mldr.release.layout import find_files, is_real
from mldr.release.messages import read_messages
from mldr.release.pictures import locate, release_name, store_pictures
from mldr.release.spool import Spool
from mldr.release.wechat import read_wechat
from mldr.release.writing import identity, write_dataset
from mldr.versions import shaping_versions

UNREAD = "keys of records that no dataset has a place for (--dry-run lists all keys): not read"
READ = {
    "messages": frozenset({"dialogue_id", "images", "messages", "solution"}),
    "export": frozenset({"dialogue_id", "format", "images", "messages", "origin", "query_id", "solution"}),
    "wechat": frozenset({"dialogue_id", "dialogue", "query_text", "gt_turns"}),
}
"""Layout -> the keys of a record that are read, or stand for what another one says."""
CONSENT_SCOPES = ("research", "public", "images", "third_party_model", "cross_border")


@dataclass(frozen=True, slots=True)
class Import:
    """What is to be imported."""

    path: Path
    """A folder, a .tar or .tar.gz, or one JSON file."""
    splits: tuple[str, ...] = ()
    """Only these; none means all. One alone also names the split of a file that tells none."""
    consent_scopes: tuple[str, ...] | None = None
    """Of real chats, stated by whoever holds the agreement."""

    def check(self) -> None:
        """Check the options.

        Raises:
            MldrError: for a split or scope that does not exist.
        """
        for what, told, known in (
            ("split", self.splits, SPLITS),
            ("consent scope", self.consent_scopes or (), CONSENT_SCOPES),
        ):
            if unknown := sorted(set(told) - set(known)):
                raise MldrError(f"no {what} {', '.join(unknown)}; there are {', '.join(known)}")


def look(wanted: Import, progress: Progress | None = None) -> Findings:
    """Read a release to its end and write nothing; return what is there.

    Raises:
        MldrError: if it is no release, or damaged.
    """
    wanted.check()
    findings = Findings()
    with open_archive(wanted.path) as archive:
        spool = Spool()
        try:
            _read(archive, wanted, spool, findings, progress or Progress())
            findings.present = len(locate(spool, archive, "release", findings))
        finally:
            spool.close()
    return findings


def import_release(wanted: Import, out: Path, *, force: bool = False, progress: Progress | None = None) -> Findings:
    """Write a release as a dataset; return what was found on the way.

    Args:
        wanted: what.
        out: the dataset's folder.
        force: replace a dataset there.
        progress: shows how far it is; nothing by default.

    Raises:
        MldrError: if it is no release, holds nothing usable, or something else stands at `out`.
        InputError: for a damaged file or archive.
    """
    wanted.check()
    check_free(out.resolve(), MANIFEST, force=force)
    findings = Findings()
    source = release_name(wanted.path)
    watch = progress or Progress()
    with open_archive(wanted.path) as archive, fresh_folder(out, MANIFEST, force=force) as workshop:
        spool = Spool(workshop.work / "spool.sqlite")
        try:
            real = _read(archive, wanted, spool, findings, watch)
            watch.say(f"{sum(found.records for found in findings.files.values()):,} records read")
            found = locate(spool, archive, source, findings)
            findings.present = len(found)
            store_pictures(watch.over(found, "pictures", len(found)), spool, archive, source, findings)
            watch.start("writing the dataset", None)
            manifest = _manifest(wanted, source, findings, real)
            write_dataset(spool, workshop.new, manifest, findings, source)
        except sqlite3.OperationalError as error:  # a full disk, which SQLite tells in its own way
            raise InterruptedRun(f"{out}: {error}; make room and run the same command again") from error
        finally:
            spool.close()
    return findings


def _manifest(wanted: Import, name: str, findings: Findings, real: bool) -> Manifest:
    options = {"splits": sorted(wanted.splits), "consent_scopes": sorted(wanted.consent_scopes or ())}
    hashed = identity(findings, options)
    scopes = None if wanted.consent_scopes is None or not real else sorted(set(wanted.consent_scopes))
    return Manifest(
        name=name,
        recipe={"import_release": wanted.path.resolve().name, **options},
        recipe_hash=hashed,
        versions=shaping_versions(),
        consent_scopes=scopes,
        dropped={f"records: {reason}": count for reason, count in sorted(findings.unusable.items())},
        canary=canary(hashed),
        release=Release(
            files={
                file: {"layout": found.layout, "split": found.split, "records": found.records, "sha256": found.sha256}
                for file, found in sorted(findings.files.items())
                if found.records
            },
            templates=dict(sorted(findings.templates.items())),
            unusable=findings.named,
        ),
    )


def _read(archive: Archive, wanted: Import, spool: Spool, findings: Findings, progress: Progress) -> bool:
    """Read every record into the spool; say whether there are real chats."""
    tails = find_files(archive, wanted.splits, findings)
    real = False
    for name, tail in tails.items():
        found = findings.files[name]
        for index, record in progress.over(_records(archive, name, found), f"records of {name}", None):
            found.records += 1
            if isinstance(record, dict):
                found.keys.update(str(key) for key in record)
                findings.note(UNREAD, len(set(record) - READ[found.layout] - {TWICE}))
            try:
                read, origin = _one(record, name, found.layout, tail, findings)
            except Unusable as error:
                findings.refuse(f"{name}, record {index}", str(error))
                continue
            real = real or origin == "real"
            spool.add(read, found.split, origin, findings)
    findings.oddities.update(archive.skipped)
    if not spool.splits():
        raise MldrError("no record can be used:\n" + "\n".join(f"  {line}" for line in findings.named))
    if wanted.consent_scopes is not None and not real:
        raise MldrError("consent scopes are of real chats, and there are none here; leave out --consent-scopes")
    return real


def _one(record: Any, name: str, layout: str, tail: str, findings: Findings) -> tuple[ReadRecord, Origin]:
    if layout == "wechat":
        return read_wechat(record, findings), "real"
    told = record.get("origin") if layout == "export" and isinstance(record, dict) else None
    real = told == "real" or is_real(name, layout)
    return read_messages(record, tail, findings), "real" if real else "stitched"


def _records(archive: Archive, name: str, found: FileFound) -> Iterator[tuple[int, Any]]:
    digest = hashlib.sha256()

    def hashed() -> Iterator[bytes]:
        for chunk in archive.chunks(name):
            digest.update(chunk)
            yield chunk

    yield from json_records(hashed(), name)
    found.sha256 = digest.hexdigest()


def report(findings: Findings) -> str:
    """Return what was found, for a person."""
    lines = []
    for told, found in sorted(findings.files.items()):
        name = printable(told)
        if found.reason:
            lines.append(f"{name}: not read ({printable(found.reason)})")
            continue
        keys = ", ".join(f"{printable(key)} {count:,}" for key, count in sorted(found.keys.items())[:20])
        lines.append(f"{name}: {found.layout} -> {found.split}, {found.records:,} records; keys: {keys}")
    for split, counts in sorted(findings.counts.items()):
        lines.append(f"{split}: " + ", ".join(f"{count:,} {what}" for what, count in counts.items()))
    lines += [f"pictures that are there: {findings.present:,}", f"prompts: {len(findings.templates)}"]
    lines += _section("odd", findings.oddities.items())
    lines += _section("records that cannot be used", findings.unusable.items())
    lines += [f"  {line}" for line in findings.named]
    return "\n".join(lines)


def _section(title: str, counts: Iterable[tuple[str, int]]) -> Sequence[str]:
    rows = [f"  {reason}: {count:,}" for reason, count in sorted(counts)]
    return [f"{title}:", *rows] if rows else [f"{title}: nothing"]
