from __future__ import annotations

from pathlib import Path

import pytest

from mldr.builders.imagetable import ImageTable
from mldr.builders.pictures import Pictures, normalised, place_of
from mldr.builders.sources.record import SourceImage
from mldr.errors import MldrError
from mldr.executors import LocalExecutor
from tests.conftest import picture


@pytest.fixture
def pictures(tmp_path: Path) -> Pictures:
    """Two pictures with bytes, one of them under two refs, and one that is a url."""
    images = {}
    for name, colour in (("a", "red"), ("b", "red"), ("c", "blue")):
        path = tmp_path / f"{name}.png"
        path.write_bytes(picture(colour))
        images[f"src/{name}"] = SourceImage(f"src/{name}", str(path), attribution=f"by {name}")
    images["src/u"] = SourceImage("src/u", url="https://example.org/u.jpg")
    return normalised(images, tmp_path / "images", True, LocalExecutor())


def table_of(pictures: Pictures, tmp_path: Path) -> ImageTable:
    table = ImageTable(tmp_path / "images.sqlite", pictures.folder)
    table.write(pictures)
    table.start()
    return table


def test_a_split_gets_the_images_that_it_uses_once_each_and_by_key(pictures: Pictures, tmp_path: Path) -> None:
    table = table_of(pictures, tmp_path)
    table.use("test", [pictures.key("src/c"), pictures.key("src/a")])
    table.use("test", [pictures.key("src/b")])
    table.use("validation", [pictures.key("src/u")])
    found = list(table.used("test"))
    assert [image.image_key for image in found] == sorted({pictures.key("src/a"), pictures.key("src/c")})
    assert {image.attribution for image in found} == {"by a", "by c"}
    assert [image.status for image in table.used("validation")] == ["url_only"]


def test_totals_count_images_and_the_bytes_on_disk(pictures: Pictures, tmp_path: Path) -> None:
    table = table_of(pictures, tmp_path)
    keys = [pictures.key(ref) for ref in ("src/a", "src/c", "src/u")]
    table.use("test", keys)
    size = sum(place_of(pictures.folder, key).stat().st_size for key in keys[:2])
    assert table.totals("test") == (3, size)
    assert table.totals("validation") == (0, 0)


def test_a_second_start_forgets_what_an_interrupted_run_had_noted(pictures: Pictures, tmp_path: Path) -> None:
    table = table_of(pictures, tmp_path)
    table.use("test", [pictures.key("src/a"), pictures.key("src/c")])
    table.start()
    table.use("test", [pictures.key("src/c")])
    assert [image.attribution for image in table.used("test")] == ["by c"]


def test_bytes_that_changed_on_disk_are_refused(pictures: Pictures, tmp_path: Path) -> None:
    table = table_of(pictures, tmp_path)
    key = pictures.key("src/a")
    table.use("test", [key])
    place_of(pictures.folder, key).write_bytes(picture("green"))
    with pytest.raises(MldrError, match="damaged since it was written"):
        list(table.used("test"))


def test_an_image_of_a_unit_that_the_table_does_not_know_is_not_made_up(pictures: Pictures, tmp_path: Path) -> None:
    table = table_of(pictures, tmp_path)
    table.use("test", ["sha256:" + "0" * 64])
    assert list(table.used("test")) == []
    assert table.totals("test") == (0, 0)
