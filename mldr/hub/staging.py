"""The folder that is sent: the dataset's files; for image bytes that may not be passed on, their address and hash instead."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

from mldr.card import recomposed
from mldr.dataset import Dataset
from mldr.dialogue import StoredImage
from mldr.errors import Faults
from mldr.files import inside, sha256_file, write_text
from mldr.hub.benchmark import EVAL_FILE, benchmark_yaml
from mldr.hub.croissant import CROISSANT_FILE, croissant_text
from mldr.hub.croissant_check import check_croissant
from mldr.hub.listing import Local
from mldr.licences import RESEARCH_ONLY, licence, parts
from mldr.manifest import MANIFEST, Manifest, ShardEntry, write_manifest
from mldr.shards import check_columns, read_batches, read_shard, write_shard

CARD = "README.md"
BY_ADDRESS = "images sent as an address and a hash, since their licence does not let others pass the bytes on"
LEFT_OUT = "images left out with their hash alone, since their licence forbids it and no address is known"


@dataclass(slots=True)
class Staged:
    """What is to be on the Hub."""

    files: tuple[Local, ...]
    counts: Counter[str] = field(default_factory=Counter)
    """What differs from the dataset at home."""
    dataset: Dataset | None = None
    """The staged folder, while it stands."""


def stage(dataset: Dataset, folder: Path, hub_id: str, page: str) -> Staged:
    """Fill an empty folder with what is sent; the dataset stays as it is. The same dataset gives the same bytes.

    Args:
        dataset: the dataset at home.
        folder: an empty folder that outlives the sending.
        hub_id: `owner/name`.
        page: the address of the dataset's page, for its Croissant metadata.

    Raises:
        InputError: with each file that is not what the manifest says.
    """
    _check_files(dataset)
    counts: Counter[str] = Counter()
    manifest = dataset.manifest.model_copy(deep=True)
    for name in sorted(manifest.files):
        if name not in (CROISSANT_FILE, EVAL_FILE):
            _place(dataset, name, folder, manifest, counts)
    for name in (CROISSANT_FILE, EVAL_FILE):
        manifest.files.pop(name, None)
    write_manifest(folder, manifest)
    if counts and CARD in manifest.files:
        _write_card(dataset, folder, manifest, counts)
    _add(folder, manifest, EVAL_FILE, benchmark_yaml(Dataset(folder), hub_id))
    _add(folder, manifest, CROISSANT_FILE, croissant_text(Dataset(folder), page))
    write_manifest(folder, manifest)
    check_croissant((folder / CROISSANT_FILE).read_text("utf-8"), sorted(manifest.files))
    files = [_local(folder, name) for name in sorted({*manifest.files, MANIFEST})]
    return Staged(tuple(files), counts, Dataset(folder))


def _local(folder: Path, name: str) -> Local:
    path = folder / name
    return Local(name, path, path.stat().st_size, sha256_file(path))


def _check_files(dataset: Dataset) -> None:
    faults = Faults()
    for name, entry in sorted(dataset.manifest.files.items()):
        path = dataset.folder / name
        if not is_plain(name):
            faults.add(f"{MANIFEST}, {name}", "is no name that a file of a dataset has")
        elif not path.is_file():
            faults.add(name, "is in the manifest and not in the folder")
        elif sha256_file(path) != entry.sha256:
            faults.add(
                name, f"its bytes are not those that the manifest names; see: mldr dataset verify {dataset.folder}"
            )
    faults.check()


def is_plain(name: str) -> bool:
    """Say whether a name may stand in a repository and in a folder: words, no dots in front, nothing that leads out."""
    return all(part and part[0] not in ".-" and set(part) <= _LETTERS for part in name.split("/"))


_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")


def _place(dataset: Dataset, name: str, folder: Path, manifest: Manifest, counts: Counter[str]) -> None:
    """Put one file of the dataset into the folder, changed where it holds bytes that may not be sent."""
    source, target = dataset.folder / name, inside(folder, name)
    target.parent.mkdir(parents=True, exist_ok=True)
    if name.startswith("images/") and any(_forbidden(dataset.manifest, one) for one in _named(source)):
        if extra := check_columns(source, "images"):
            counts["extra columns of images that are not sent"] += len(extra)
        rows = write_shard(target, "images", _sendable(dataset.manifest, source, counts), manifest.canary)
        manifest.files[name] = ShardEntry(rows=rows, sha256=sha256_file(target))
        return
    try:
        target.symlink_to(source.resolve())  # nothing is copied, however large
    except OSError:  # a system where links need a right
        shutil.copyfile(source, target)


def _named(shard: Path) -> Iterator[StoredImage]:
    """Yield the images of a shard without their bytes."""
    for batch in read_batches(shard, ["image_key", "status", "source", "licence"]):
        for row in batch.to_pylist():
            yield StoredImage(row["image_key"], row["status"], source=row["source"] or "", licence=row["licence"] or "")


def _sendable(manifest: Manifest, shard: Path, counts: Counter[str]) -> Iterator[StoredImage]:
    for image in cast("Iterator[StoredImage]", read_shard(shard, "images", rows=16)):
        if not _forbidden(manifest, image):
            yield image
            continue
        # The key stays: it is the hash of the bytes that are not here, by which they are known again.
        counts[BY_ADDRESS if image.url else LEFT_OUT] += 1
        yield replace(image, content=None, status="url_only" if image.url else "withheld")


def _forbidden(manifest: Manifest, image: StoredImage) -> bool:
    """Say whether an image's bytes may not be sent.

    Pictures of real chats that their own people released for research are under terms that let nobody else pass them on; who
    releases the set is the one that gives those terms, and the consent scope `images` is what lets the pictures be in it.
    """
    if image.status != "present" or all(licence(name).redistributable for name in parts(image.licence)):
        return False
    own = image.source == "collection" and image.licence == RESEARCH_ONLY
    return not (own and "images" in (manifest.consent_scopes or ()))


def _write_card(dataset: Dataset, folder: Path, manifest: Manifest, counts: Counter[str]) -> None:
    words = "\n".join(f"- {what}: {count:,}" for what, count in sorted(counts.items()))
    section = f"## Images that are not here\n\nOf the dataset as it was built, this copy lacks:\n\n{words}\n"
    original = (dataset.folder / CARD).read_text("utf-8")
    _add(folder, manifest, CARD, recomposed(Dataset(folder), original, section))


def _add(folder: Path, manifest: Manifest, name: str, text: str) -> None:
    if text:
        (folder / name).unlink(missing_ok=True)  # it may be a link to the dataset's own
        write_text(folder / name, text)
        manifest.files[name] = ShardEntry(rows=0, sha256=sha256_file(folder / name))
