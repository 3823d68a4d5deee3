from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mldr.builders.pictures import normalised
from mldr.builders.sources.parquet import Inside, member_bytes, rows
from mldr.builders.sources.record import SourceImage
from mldr.errors import InputError
from mldr.executors import LocalExecutor
from mldr.images import ImageError
from tests.builders.sources.support import put_parquet
from tests.conftest import picture

IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
SCHEMA = pa.schema([("a:b", IMAGE), ("shown", pa.list_(pa.struct([("image", IMAGE), ("caption", pa.string())])))])


def written(folder: Path) -> Path:
    content = [
        {
            "a:b": {"bytes": picture("red", (20 + i, 20)), "path": f"{i}.png"}
            if i != 3
            else {"bytes": None, "path": "x"},
            "shown": [{"image": {"bytes": picture("blue", (20, 20 + i)), "path": None}, "caption": "c"}],
        }
        for i in range(5)
    ]
    return put_parquet(folder / "p.parquet", content, SCHEMA)


def test_pictures_become_names_and_the_names_give_their_bytes(tmp_path: Path) -> None:
    path = written(tmp_path)
    read = list(rows(path))
    for number, row in enumerate(read):
        inner = row["shown"][0]["image"]
        assert isinstance(inner, Inside)
        assert member_bytes(path, inner.member) == picture("blue", (20, 20 + number))
        if number == 3:
            assert row["a:b"] is None
        else:
            assert member_bytes(path, row["a:b"].member) == picture("red", (20 + number, 20))
    assert read[4]["a:b"].member == "a%3Ab:4"
    assert read[4]["shown"][0]["image"].member == "shown:4:0:image"


@pytest.mark.parametrize("member", ["a%3Ab:5", "a%3Ab:3", "none:0", "shown:0:7:image", "shown:0:0:caption", "a%3Ab:x"])
def test_a_member_that_is_not_there_is_said(tmp_path: Path, member: str) -> None:
    with pytest.raises(ImageError, match="its Parquet file"):
        member_bytes(written(tmp_path), member)


def test_the_picture_step_reads_pictures_out_of_parquet(tmp_path: Path) -> None:
    path = written(tmp_path)
    images = {
        f"src/{i}": SourceImage(f"src/{i}", str(path), member=f"shown:{i}:0:image", place=f"row {i}") for i in range(5)
    }
    pictures = normalised(images, tmp_path / "work", False, LocalExecutor(2))
    sizes = [image.height for image in sorted(pictures.all(), key=lambda image: image.height or 0)]
    assert sizes == [20, 21, 22, 23, 24]


def test_a_picture_in_parquet_that_is_none_is_a_fault_at_its_place(tmp_path: Path) -> None:
    path = put_parquet(tmp_path / "p.parquet", [{"image": {"bytes": b"no picture", "path": ""}}])
    images = {"src/a": SourceImage("src/a", str(path), member="image:0", place="the first row")}
    with pytest.raises(InputError, match=r"the first row: image 'src/a', p\.parquet: not a picture"):
        normalised(images, tmp_path / "work", False, LocalExecutor())


def test_a_cut_off_parquet_file_is_a_fault(tmp_path: Path) -> None:
    path = written(tmp_path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match="not Parquet that can be read"):
        list(rows(path))
    with pytest.raises(ImageError, match="Parquet"):
        member_bytes(path, "shown:0:0:image")


def test_text_that_is_no_utf8_and_two_columns_of_one_name_are_faults(tmp_path: Path) -> None:
    raw = pa.array([b"\xff\xfe"], pa.binary())
    bad = pa.StringArray.from_buffers(1, raw.buffers()[1], raw.buffers()[2])
    pq.write_table(pa.table({"a": bad}), tmp_path / "a.parquet")
    pq.write_table(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"]), tmp_path / "b.parquet")
    for name in ("a", "b"):
        with pytest.raises(InputError, match=r"parquet\[0\]: not Parquet that can be read"):
            list(rows(tmp_path / f"{name}.parquet"))
