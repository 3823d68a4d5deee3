"""The pictures of a split as files, under the hash of their bytes; written as they stream by, never all in memory."""

from __future__ import annotations

import re
from pathlib import Path

from mldr.dataset import Dataset
from mldr.errors import fault

_STORED_KEY = re.compile(r"sha256:[0-9a-f]{64}")


def write_images(dataset: Dataset, split: str, folder: Path) -> dict[str, str]:
    """Write each picture that the split has bytes of to a file; return image_key -> file name.

    Raises:
        InputError: at a picture whose key is no hash: a hostile one could name a file elsewhere.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names: dict[str, str] = {}
    for image in dataset.images(split):
        if image.content is None:
            continue
        if not _STORED_KEY.fullmatch(image.image_key):
            raise fault(f"{dataset.folder}, image {image.image_key}", "has bytes, and its key is not their SHA-256")
        names[image.image_key] = image.file_name
        (folder / image.file_name).write_bytes(image.content)
    return names
