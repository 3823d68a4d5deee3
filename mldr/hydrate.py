"""The url-only images of a dataset, fetched on request; and a copy of the dataset in which they are present."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import cast

from filelock import FileLock, Timeout

from mldr.assembly import images_a_shard, write_table
from mldr.card import recomposed
from mldr.dataset import Dataset
from mldr.dialogue import Dialogue, StoredImage
from mldr.downloads.folder import Downloads
from mldr.downloads.polite import LATER, Fetcher, Manners, Wanted
from mldr.errors import MldrError, printable
from mldr.files import parse_json, sha256_file, write_text
from mldr.folders import Workshop, check_free, fresh_folder
from mldr.images import ImageError, normalise
from mldr.licences import UNKNOWN
from mldr.manifest import MANIFEST, Manifest, ShardEntry, write_manifest
from mldr.progress import Progress
from mldr.shards import read_shard, write_shard
from mldr.tables import Table

FAILURES_KEPT = 20
IN_TWO_SPLITS = "pictures that another split has too, left as urls"

_COPIED: tuple[Table, ...] = ("queries", "gold", "fragments")
_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(slots=True)
class Hydration:
    """What became of the url-only images of a dataset."""

    counts: Counter[str] = field(default_factory=Counter)
    """outcome -> urls."""
    failures: list[str] = field(default_factory=list)
    """The first urls that are not there, with the reason."""

    @property
    def passing(self) -> int:
        """How many failed for reasons that may pass."""
        return self.counts[LATER]


def wanted(dataset: Dataset) -> Iterator[Wanted]:
    """Yield the url of each url-only image, with its expected SHA-256 where its meta has one (`content_sha256` or `sha256`).

    Raises:
        MldrError: for a meta that is no JSON object.
    """
    for split in dataset.splits:
        for row in dataset.arrow("images", split, ["image_key", "status", "url", "meta"]).to_pylist():
            if row["status"] == "url_only" and row["url"]:
                yield Wanted(row["url"], _expected(row["meta"] or "", f"{split}, image {row['image_key']}"))


def _expected(meta: str, place: str) -> str:
    if not meta:
        return ""
    try:
        document = parse_json(meta)
    except ValueError as error:
        raise MldrError(f"{place}: its meta is {error}") from error
    if not isinstance(document, dict):
        raise MldrError(f"{place}: its meta is no JSON object")
    digest = document.get("content_sha256", document.get("sha256", ""))
    if digest and not (isinstance(digest, str) and _HEX.fullmatch(digest.lower())):
        raise MldrError(f"{place}: its meta names {printable(str(digest), 80)!r}, which is no SHA-256 in hex")
    return str(digest).lower()


def hydrate(
    dataset: Dataset,
    downloads: Path,
    manners: Manners,
    *,
    limit: int = 0,
    progress: Progress | None = None,
) -> Hydration:
    """Fetch the url-only images of a dataset into a folder; what is there is not fetched again.

    Args:
        dataset: any dataset.
        downloads: the folder, made where it is not there.
        manners: towards servers, and how much is taken.
        limit: only so many urls, in the order of asking; 0: all.
        progress: shows how far it is; nothing by default.

    Raises:
        MldrError: for a damaged file or record in the folder, if it lies in the dataset, or if another run is filling it.
    """
    check_place(dataset, downloads, None)
    urls = list({one.url: one for one in wanted(dataset)}.values())
    number = min(limit, len(urls)) if limit else len(urls)
    hydration = Hydration()
    downloads.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(downloads / ".lock", timeout=0):
            fetcher = Fetcher(Downloads(downloads), manners, counts=hydration.counts)
            for one, done in (progress or Progress()).over(islice(fetcher.fetch(urls), number), "fetching", number):
                reason = done if isinstance(done, str) else f"{done.state} {done.reason}".strip()
                fetched = not isinstance(done, str) and done.state == "fetched"
                if not fetched and len(hydration.failures) < FAILURES_KEPT:
                    hydration.failures.append(printable(f"{one.url}: {reason}"))
    except Timeout as error:
        raise MldrError(f"{downloads}: another run is filling this folder") from error
    return hydration


def write_hydrated(dataset: Dataset, downloads: Path, out: Path, *, force: bool = False) -> Counter[str]:
    """Write a copy of a dataset in which the images that were fetched are present; return what was done, counted.

    Fetched images get their own keys, in the dialogues too; two that are the same picture become one row. A picture that
    would be in two splits stays a url where it is less needed: training before validation before test. Queries, gold and
    fragments are copied as they are, so the gold hash stays.

    Args:
        dataset: the original.
        downloads: the folder that `hydrate` filled.
        out: a folder that is not there yet, or is empty.
        force: replace a dataset that stands at `out`.

    Raises:
        MldrError: if something stands at `out`, or a downloaded file is not what came from the web.
    """
    check_place(dataset, downloads, out, force=force)
    counts: Counter[str] = Counter()
    with fresh_folder(out, MANIFEST, force=force) as workshop:
        _Copy(dataset, Downloads(downloads), workshop, counts).write()
    return counts


def check_place(dataset: Dataset, downloads: Path, out: Path | None, *, force: bool = False) -> None:
    """Refuse folders that may not be written, before hours of fetching.

    Args:
        dataset: the original, which stays as it is.
        downloads: the folder of what is fetched.
        out: the folder of the copy, None for none.
        force: replace a dataset that stands at `out`.

    Raises:
        MldrError: if something else stands at `out`, or the folders lie in one another.
    """
    original, fetched = dataset.folder.resolve(), downloads.resolve()
    if fetched.is_relative_to(original):
        raise MldrError(f"{fetched} lies in the dataset; choose another --downloads")
    if out is None:
        return
    out = out.resolve()
    if any(out.is_relative_to(one) or one.is_relative_to(out) for one in (original, fetched)):
        raise MldrError(f"{out} and what it is made of lie in one another; choose another --out")
    check_free(out, MANIFEST, force=force)


CARD = "README.md"


@dataclass(slots=True)
class _Copy:
    dataset: Dataset
    downloads: Downloads
    workshop: Workshop
    counts: Counter[str]
    also: dict[str, list[StoredImage]] = field(default_factory=dict)
    """Key of a picture that is there already -> the fetched images that are the same."""

    def write(self) -> None:
        target = self.workshop.new
        manifest = self.dataset.manifest.model_copy(deep=True)
        for name, columns in self.dataset.extra_columns().items():
            if name.startswith(("images/", "dialogues/")):  # these two are written anew; the others are copied
                self.counts["extra columns of dialogues or images that the copy leaves out"] += len(columns)
        home = self._homes()
        for split in sorted(self.dataset.splits, key=_need):
            made, new_keys = self._made(split, home)
            self._write_images(split, made, set(new_keys), target, manifest)
            self._write_dialogues(split, new_keys, target, manifest)
            for table in _COPIED:
                for path in self.dataset.files(table, split):
                    self._copy_file(path, target)
        for name in sorted(manifest.files):
            if name != CARD and not (target / name).is_file():
                manifest.files.pop(name)
                self.counts["files that are no table of a split, not copied"] += 1
        write_manifest(target, manifest)
        if CARD in manifest.files:
            self._write_card(target, manifest)
            write_manifest(target, manifest)

    def _copy_file(self, path: Path, target: Path) -> None:
        name = path.relative_to(self.dataset.folder).as_posix()
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target / name)
        if sha256_file(target / name) != self.dataset.manifest.files[name].sha256:
            raise MldrError(f"{path}: its bytes are not those that the manifest names; see: mldr dataset verify")

    def _homes(self) -> dict[str, str]:
        """Return the key of each image that is present -> its split."""
        home: dict[str, str] = {}
        for split in self.dataset.splits:
            for row in self.dataset.arrow("images", split, ["image_key", "status"]).to_pylist():
                if row["status"] == "present":
                    home[row["image_key"]] = split
        return home

    def _made(self, split: str, home: dict[str, str]) -> tuple[list[StoredImage], dict[str, str]]:
        """Return the rows of the fetched images, bytes on disk, by key; and old key -> new key."""
        made: dict[str, StoredImage] = {}
        new_keys: dict[str, str] = {}
        present = {key for key, where in home.items() if where == split}
        for row in self.dataset.images(split):
            if row.status != "url_only" or not row.url:
                continue
            image = self._present(row)
            if image is None:
                self.counts["images left as urls"] += 1
            elif home.setdefault(image.image_key, split) != split:
                self.counts[IN_TWO_SPLITS] += 1
            else:
                new_keys[row.image_key] = image.image_key
                self.counts["images made present"] += 1
                if image.image_key in present:
                    self.counts["of them the same picture as another"] += 1
                    self.also.setdefault(image.image_key, []).append(image)
                elif image.image_key in made:
                    self.counts["of them the same picture as another"] += 1
                    made[image.image_key] = _credited(made[image.image_key], [image])
                else:
                    made[image.image_key] = image
        return [made[key] for key in sorted(made)], new_keys

    def _present(self, row: StoredImage) -> StoredImage | None:
        path = self.downloads.fetched(row.url)
        expected = _expected(row.meta, f"image {row.image_key}")
        if path is None:
            return None
        encoded = path.read_bytes()
        if expected and hashlib.sha256(encoded).hexdigest() != expected:
            return None
        try:
            clean = normalise(encoded)
        except ImageError as error:
            raise MldrError(f"{path}: {error}; remove its record {path.name}.json") from error
        self._kept(clean.image_key).write_bytes(clean.content)
        return replace(
            row,
            image_key=clean.image_key,
            status="present",
            width=clean.width,
            height=clean.height,
            media_type=clean.media_type,
        )

    def _kept(self, key: str) -> Path:
        return self.workshop.work / key.removeprefix("sha256:")

    def _write_images(
        self, split: str, made: list[StoredImage], replaced: set[str], target: Path, manifest: Manifest
    ) -> None:
        """Write the split's images by key: the old rows that stay, and the new ones."""
        old = self.dataset.files("images", split)
        sizes = sum(path.stat().st_size for path in old) + sum(self._kept(one.image_key).stat().st_size for one in made)
        kept = self.dataset.manifest.counts.get(split, {}).get("images", 0) - len(replaced)
        total = kept + len(made)
        for path in old:
            manifest.files.pop(path.relative_to(self.dataset.folder).as_posix())
        rows = self._merged(split, made, replaced)
        written = write_table(rows, total, images_a_shard(total, sizes), ("images", split), target, manifest)
        if written != total or next(rows, None) is not None:
            raise MldrError(f"{self.dataset.folder}: the images of {split} are not as many as the manifest says")
        manifest.counts.setdefault(split, {})["images"] = total

    def _merged(self, split: str, made: list[StoredImage], replaced: set[str]) -> Iterator[StoredImage]:
        pending = iter(made)
        one = next(pending, None)
        for row in self.dataset.images(split):
            while one is not None and one.image_key < row.image_key:
                yield replace(one, content=self._kept(one.image_key).read_bytes())
                one = next(pending, None)
            if row.image_key not in replaced:
                yield _credited(row, self.also.get(row.image_key, []))
        while one is not None:
            yield replace(one, content=self._kept(one.image_key).read_bytes())
            one = next(pending, None)

    def _write_dialogues(self, split: str, new_keys: dict[str, str], target: Path, manifest: Manifest) -> None:
        for path in self.dataset.files("dialogues", split):
            name = path.relative_to(self.dataset.folder).as_posix()
            dialogues = cast("Iterator[Dialogue]", read_shard(path, "dialogues"))
            replaced = (_with_keys(one, new_keys) for one in dialogues)
            number = write_shard(target / name, "dialogues", replaced, manifest.canary)
            manifest.files[name] = ShardEntry(rows=number, sha256=sha256_file(target / name))

    def _write_card(self, target: Path, manifest: Manifest) -> None:
        """Write the card anew: pictures that are held now have a part in the terms of the whole."""
        words = "\n".join(f"- {what}: {count:,}" for what, count in sorted(self.counts.items())) or "- nothing"
        section = f"## Hydrated\n\nA copy of the dataset with images fetched from their urls:\n\n{words}\n"
        write_text(target / CARD, recomposed(Dataset(target), (self.dataset.folder / CARD).read_text("utf-8"), section))
        manifest.files[CARD] = ShardEntry(rows=0, sha256=sha256_file(target / CARD))


def _credited(image: StoredImage, others: Sequence[StoredImage]) -> StoredImage:
    """Return a picture under the licences of all images that are it, crediting all; one that states none is `unknown` then."""
    licences = sorted({one.licence or UNKNOWN for one in (image, *others)})
    credits = sorted({one.attribution for one in (image, *others)} - {""})
    return replace(
        image, licence=image.licence if len(licences) == 1 else "; ".join(licences), attribution="; ".join(credits)
    )


def _with_keys(dialogue: Dialogue, new_keys: dict[str, str]) -> Dialogue:
    images = tuple(
        replace(image, image_key=new_keys.get(image.image_key, image.image_key)) for image in dialogue.images
    )
    return replace(dialogue, images=images)


def _need(split: str) -> tuple[int, str]:
    """Sort splits by how much they need their pictures: what is scored first."""
    order = ("test", "validation")
    return (order.index(split) if split in order else len(order), split)
