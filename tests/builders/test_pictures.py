from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from mldr.builders.imagetable import ImageTable
from mldr.builders.pictures import Pictures, normalised
from mldr.builders.sources.record import SourceImage
from mldr.dialogue import StoredImage
from mldr.errors import InputError, MldrError
from mldr.executors import LocalExecutor
from tests.conftest import picture


def files(folder: Path, **contents: bytes) -> dict[str, SourceImage]:
    images = {}
    for name, content in contents.items():
        path = folder / f"{name}.png"
        path.write_bytes(content)
        images[f"src/{name}"] = SourceImage(
            f"src/{name}", str(path), licence="CC0-1.0", attribution=name, place=f"line {name}"
        )
    return images


def stored(pictures: Pictures, table: Path, refs: Iterable[str] = ()) -> list[StoredImage]:
    images = ImageTable(table, pictures.folder)
    images.write(pictures)
    images.start()
    images.use("test", [pictures.key(ref) for ref in refs or pictures.keys()])
    return list(images.used("test"))


def test_the_same_pixels_under_two_refs_are_one_image(tmp_path: Path) -> None:
    images = files(tmp_path, a=picture("red"), b=picture("red"), c=picture("blue"))
    pictures = normalised(images, tmp_path / "work", False, LocalExecutor())
    assert pictures.key("src/a") == pictures.key("src/b") != pictures.key("src/c")
    found = stored(pictures, tmp_path / "table")
    assert [image.image_key for image in found] == sorted({*pictures.keys().values()})
    assert {image.attribution for image in found} == {"a", "c"}


def test_two_workers_make_the_same_pictures(tmp_path: Path) -> None:
    images = files(tmp_path, **{f"n{i}": picture("red", (20 + i, 20)) for i in range(70)})
    one = normalised(images, tmp_path / "one", False, LocalExecutor(1))
    two = normalised(images, tmp_path / "two", False, LocalExecutor(2))
    assert one.keys() == two.keys()
    assert stored(one, tmp_path / "table1") == stored(two, tmp_path / "table2")


def test_every_broken_picture_is_a_fault_and_a_mended_one_is_taken_up(tmp_path: Path) -> None:
    images = files(tmp_path, good=picture(), bad=b"no picture", cut=picture()[:60])
    with pytest.raises(InputError) as raised:
        normalised(images, tmp_path / "work", False, LocalExecutor())
    assert raised.value.total == 2
    assert "line bad: image 'src/bad', bad.png: not a picture in a known format" in str(raised.value)
    mended = files(tmp_path, good=picture(), bad=picture("green"), cut=picture("blue"))
    assert len(set(normalised(mended, tmp_path / "work", False, LocalExecutor()).keys().values())) == 3


def test_a_picture_that_vanished_is_a_fault(tmp_path: Path) -> None:
    images = files(tmp_path, gone=picture())
    (tmp_path / "gone.png").unlink()
    with pytest.raises(InputError, match=r"gone\.png: No such file"):
        normalised(images, tmp_path / "work", False, LocalExecutor())


def test_an_image_without_bytes_is_refused_unless_images_are_optional(tmp_path: Path) -> None:
    images = {
        "src/u": SourceImage("src/u", url="https://example.org/u.jpg"),
        "src/n": SourceImage("src/n"),
    }
    with pytest.raises(InputError) as raised:
        normalised(images, tmp_path / "work", False, LocalExecutor())
    assert raised.value.total == 2
    assert "images: optional" in str(raised.value)
    pictures = normalised(images, tmp_path / "work", True, LocalExecutor())
    found = {image.image_key: image for image in stored(pictures, tmp_path / "table", ["src/u", "src/n"])}
    assert found["ref:src/u"].status == "url_only"
    assert found["ref:src/u"].url == "https://example.org/u.jpg"
    assert found["ref:src/n"].status == "missing"
    assert {image.content for image in found.values()} == {None}


def test_bytes_that_were_damaged_on_disk_are_noticed(tmp_path: Path) -> None:
    pictures = normalised(files(tmp_path, a=picture()), tmp_path / "work", False, LocalExecutor())
    key = pictures.key("src/a")
    digest = key.removeprefix("sha256:")
    (tmp_path / "work" / digest[:2] / digest).write_bytes(b"other")
    with pytest.raises(MldrError, match="damaged"):
        stored(pictures, tmp_path / "table")
