from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest
from PIL import Image

from mldr.builders.accounts import Accounts
from mldr.builders.imagetable import ImageTable
from mldr.builders.pictures import Pictures
from mldr.builders.units import COUNTS, SHARED, Unit
from mldr.dialogue import StoredImage
from mldr.files import write_json, write_text
from tests.builders.killing import build_words, finished, stage, started
from tests.builders.support import corpus, tree_bytes

Disk = Callable[[str], Path]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """Mount a disk of a size, or give the one that is there another size."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = False

    def sized(size: str) -> Path:
        nonlocal mounted
        options = f"remount,size={size}" if mounted else f"size={size}"
        words = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        try:
            done = subprocess.run(words, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            pytest.skip("there is no mount command")
        if done.returncode:
            pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")
        mounted = True
        return folder

    yield sized
    if mounted:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus whose pictures take some room, built once without a disturbance, as `whole` beside it."""
    folder = tmp_path_factory.mktemp("corpus")
    recipe = corpus(folder / "in", 400, n_images=100)
    draw = Random(0)
    for path in sorted((folder / "in" / "pictures").iterdir()):
        Image.frombytes("RGB", (60, 40), draw.randbytes(7_200)).save(path)
    finished(build_words(recipe, folder / "whole"))
    return recipe


# Sizes at which each step in turn was the one that found no room, when this was written; whichever it is now must do so well.
@pytest.mark.parametrize(
    ("size", "workers"), [("16k", 1), ("1000k", 2), ("1150k", 1), ("1200k", 1), ("1350k", 2), ("1500k", 1)]
)
def test_a_build_on_a_full_disk_says_so_and_goes_on_when_there_is_room(
    recipe: Path, disk: Disk, size: str, workers: int
) -> None:
    words = build_words(recipe, disk(size) / "out", "--workers", str(workers))
    process = started(words)
    out, err = process.communicate()
    told = err.decode().splitlines()
    assert process.returncode == 3, (stage(disk(size) / "out"), err.decode())
    assert out == b""
    assert told[-1].endswith("No space left on device; make room and run the same command again")
    assert "Traceback" not in err.decode()
    assert not (disk(size) / "out").exists()
    finished(build_words(recipe, disk("100m") / "out", "--workers", str(workers)))
    assert tree_bytes(disk("100m") / "out") == tree_bytes(recipe.parent.parent / "whole")


def test_the_table_of_images_says_that_the_disk_is_full_as_files_do(tmp_path: Path, disk: Disk) -> None:
    images = {
        f"s/{i}": StoredImage(f"ref:s/{i}", "url_only", url="https://example.org/" + "x" * 900) for i in range(500)
    }
    table = ImageTable(disk("64k") / "images.sqlite", tmp_path)
    with pytest.raises(OSError, match="No space left on device") as caught:
        table.write(Pictures(tmp_path, images))
    assert caught.value.filename == str(table.path)
    disk("8m")
    table.write(Pictures(tmp_path, images))
    table.start()
    table.use("test", ["ref:s/7"])
    assert [image.image_key for image in table.used("test")] == ["ref:s/7"]


def test_the_accounts_say_that_the_disk_is_full_as_files_do(tmp_path: Path, disk: Disk) -> None:
    unit = Unit("test", tmp_path)
    write_json(tmp_path / COUNTS, {"counts": {}, "agreement": {}, "usage": {}})
    write_text(tmp_path / SHARED, "".join(f'["{i:0900d}","tag/writer",1,1]\n' for i in range(500)))
    accounts = Accounts(disk("64k") / "accounts.sqlite")
    with pytest.raises(OSError, match="No space left on device") as caught:
        accounts.add(unit)
    assert caught.value.filename == str(disk("64k") / "accounts.sqlite")
