"""The picture step: every image file is normalised once, and kept by its key until the shards are written."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from mldr.builders.imagehash import perceptual_hash
from mldr.builders.sources.parquet import member_bytes
from mldr.builders.sources.record import SourceImage
from mldr.dialogue import StoredImage
from mldr.errors import Fault, Faults, MldrError
from mldr.executors import Executor
from mldr.files import write_json
from mldr.images import MAX_BYTES, ImageError, normalise
from mldr.progress import Progress

IMAGES_A_TASK = 32


@dataclass(frozen=True, slots=True)
class _Task:
    folder: str
    result: str
    """Written last, where all images were good."""
    images: tuple[SourceImage, ...]

    def inputs(self) -> list[str]:
        """Return the local files that it reads."""
        return list(dict.fromkeys(image.path for image in self.images))

    def outputs(self) -> list[str]:
        """Return the folder of bytes, then the result that stands for them."""
        return [self.folder, self.result]

    def moved(self, places: Mapping[str, str]) -> _Task:
        """Return the same task with other paths."""
        images = tuple(replace(image, path=places.get(image.path, image.path)) for image in self.images)
        return _Task(places.get(self.folder, self.folder), places.get(self.result, self.result), images)


class Pictures:
    """The pictures of a build: ref -> stored image, bytes on disk.

    Args:
        folder: where bytes are kept, `<first two hex digits>/<hex>`.
        images: ref -> stored image, without bytes.
    """

    def __init__(self, folder: Path, images: Mapping[str, StoredImage]) -> None:
        self.folder = folder
        self._images = images

    def key(self, ref: str) -> str:
        """Return the key of an image."""
        return self._images[ref].image_key

    def content(self, ref: str) -> bytes:
        """Return the stored bytes of an image that has them.

        Raises:
            MldrError: if they are not those that were written.
        """
        return with_bytes(self._images[ref], self.folder).content or b""

    def keys(self) -> dict[str, str]:
        """Return ref -> key of all images."""
        return {ref: image.image_key for ref, image in self._images.items()}

    @property
    def by_ref(self) -> Mapping[str, StoredImage]:
        """Ref -> stored image, without bytes."""
        return self._images

    def all(self) -> Iterator[StoredImage]:
        """Yield every image by ref, without bytes."""
        for _, image in sorted(self._images.items()):
            yield image


def normalised(
    images: Mapping[str, SourceImage],
    folder: Path,
    optional: bool,
    executor: Executor,
    progress: Progress | None = None,
) -> Pictures:
    """Return the pictures of a build; work that an earlier run finished is not done again.

    Args:
        images: ref -> image, as `spooled` returns them.
        folder: where bytes and results are kept.
        optional: whether images without bytes are allowed.
        executor: decodes the files.
        progress: shows how far it is.

    Raises:
        InputError: with each file that is no picture, and each image without bytes where those are not allowed.
    """
    ordered = [image for _, image in sorted(images.items())]
    faults = Faults()
    found: dict[str, StoredImage] = {}
    for image in (image for image in ordered if not image.path):
        if not optional:
            message = "has no image file; supply it, or say `images: optional` in the recipe"
            faults.add(image.place, f"image {image.ref!r} {message}")
        found[image.ref] = _without_bytes(image)
    files = [replace(image, path=str(Path(image.path).absolute())) for image in ordered if image.path]
    tasks = [
        _Task(str(folder), str(folder / f"part-{number:06d}.json"), tuple(files[start : start + IMAGES_A_TASK]))
        for number, start in enumerate(range(0, len(files), IMAGES_A_TASK))
    ]
    folder.mkdir(parents=True, exist_ok=True)
    open_tasks = [task for task in tasks if not Path(task.result).exists()]
    shown = progress or Progress()
    shown.start("pictures", len(files))
    shown.advance(len(files) - sum(len(task.images) for task in open_tasks))
    for task, faulty in executor.map(_run, open_tasks):
        faults.extend(Fault(place, message) for place, message in faulty)
        shown.advance(len(task.images))
    faults.check()
    for task in tasks:
        for ref, row in json.loads(Path(task.result).read_text(encoding="utf-8")).items():
            found[ref] = StoredImage(**row)
    return Pictures(folder, found)


def perceptual_hashes(pictures: Pictures, executor: Executor, progress: Progress) -> dict[str, int | None]:
    """Return image key -> perceptual hash, for the pictures whose bytes are there."""
    keys = sorted({image.image_key for image in pictures.all() if image.status == "present"})
    tasks = [
        _HashTask(tuple(some), tuple(str(place_of(pictures.folder, key)) for key in some))
        for some in (keys[start : start + IMAGES_A_TASK] for start in range(0, len(keys), IMAGES_A_TASK))
    ]
    found: dict[str, int | None] = {}
    progress.start("picture hashes", len(keys))
    for task, hashes in executor.map(_hashed, tasks):
        found.update(zip(task.keys, hashes, strict=True))
        progress.advance(len(hashes))
    return dict(sorted(found.items()))


@dataclass(frozen=True, slots=True)
class _HashTask:
    keys: tuple[str, ...]
    paths: tuple[str, ...]

    def inputs(self) -> list[str]:
        """Return the files that it reads."""
        return list(self.paths)

    def outputs(self) -> list[str]:
        """Return what it writes: nothing."""
        return []

    def moved(self, places: Mapping[str, str]) -> _HashTask:
        """Return the same task with other paths."""
        return replace(self, paths=tuple(places.get(path, path) for path in self.paths))


def _hashed(task: _HashTask) -> list[int | None]:
    return [perceptual_hash(Path(path).read_bytes()) for path in task.paths]


def _run(task: _Task) -> list[tuple[str, str]]:
    """Normalise the images of a task; the result file appears only where all of them were good."""
    rows: dict[str, dict[str, Any]] = {}
    faults: list[tuple[str, str]] = []
    for image in task.images:
        try:
            rows[image.ref] = _one(image, Path(task.folder))
        except ImageError as error:
            faults.append((image.place, f"image {image.ref!r}, {Path(image.path).name}: {error}"))
    if not faults:
        write_json(Path(task.result), rows)
    return faults


def _encoded(image: SourceImage) -> bytes:
    if image.member:
        return member_bytes(Path(image.path), image.member)
    try:
        with Path(image.path).open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise ImageError(str(error.strerror)) from error


def _one(image: SourceImage, folder: Path) -> dict[str, Any]:
    clean = normalise(_encoded(image))
    target = place_of(folder, clean.image_key)
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f"{target.name}.{os.getpid()}.tmp")
        temporary.write_bytes(clean.content)
        temporary.replace(target)
    stored = StoredImage(
        image_key=clean.image_key,
        status="present",
        width=clean.width,
        height=clean.height,
        media_type=clean.media_type,
        url=image.url,
        source=image.ref.partition("/")[0],
        licence=image.licence,
        attribution=image.attribution,
    )
    return asdict(stored)


def _without_bytes(image: SourceImage) -> StoredImage:
    return StoredImage(
        image_key=f"ref:{image.ref}",
        status="url_only" if image.url else "missing",
        url=image.url,
        source=image.ref.partition("/")[0],
        licence=image.licence,
        attribution=image.attribution,
    )


def with_bytes(image: StoredImage, folder: Path) -> StoredImage:
    """Return a present image with its bytes.

    Raises:
        MldrError: if the bytes on disk are not those that were written.
    """
    path = place_of(folder, image.image_key)
    content = path.read_bytes()
    if "sha256:" + hashlib.sha256(content).hexdigest() != image.image_key:
        raise MldrError(f"{path}: damaged since it was written; start again with --force")
    return replace(image, content=content)


def place_of(folder: Path, image_key: str) -> Path:
    """Return where the bytes of an image are kept."""
    digest = image_key.removeprefix("sha256:")
    return folder / digest[:2] / digest
