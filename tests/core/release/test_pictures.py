"""Pictures of a release: stored once, left as they are where they are ours already, never more than they say."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

import mldr
from mldr.images import ImageError, normalise
from mldr.release import Import, import_release
from mldr.release.pictures import already_stored
from mldr.verify import verify
from tests.conftest import picture
from tests.core.release.support import mldr_record, mldr_release, write_release


def named(content: bytes, ending: str) -> str:
    return f"{hashlib.sha256(content).hexdigest()}.{ending}"


@pytest.mark.parametrize(("kind", "ending"), [("JPEG", "jpg"), ("PNG", "png")])
def test_a_picture_that_mldr_stored_is_kept_byte_for_byte(kind: str, ending: str) -> None:
    stored = normalise(picture("green", kind=kind))
    kept = already_stored(stored.content, named(stored.content, ending))
    assert kept == stored


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_another_name_gives_no_such_right(kind: str) -> None:
    content = normalise(picture(kind=kind)).content
    assert already_stored(content, "a.jpg") is None
    assert already_stored(content, "0" * 64 + ".jpg") is None


def with_exif() -> bytes:
    exif = Image.Exif()
    exif[0x010E] = "where I live"
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "JPEG", exif=exif)
    return buffer.getvalue()


def with_comment() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "JPEG", comment=b"where I live")
    return buffer.getvalue()


def with_text() -> bytes:
    words, buffer = PngInfo(), io.BytesIO()
    words.add_text("Author", "where I live")
    Image.new("RGB", (8, 8)).save(buffer, "PNG", pnginfo=words)
    return buffer.getvalue()


def with_palette() -> bytes:
    buffer = io.BytesIO()
    Image.new("P", (8, 8)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize("make", [with_exif, with_comment, with_text, with_palette])
def test_a_hostile_name_smuggles_no_metadata_in(tmp_path: Path, make: object) -> None:
    content: bytes = make()  # type: ignore[operator]
    name = named(content, "jpg")
    assert already_stored(content, name) is None
    release = write_release(tmp_path / "MLDR", {"MLDR_val.json": [mldr_record(images=[f"images/{name}"])]})
    (release / "images").mkdir()
    (release / "images" / name).write_bytes(content)
    import_release(Import(release), tmp_path / "out")
    verify(mldr.load(tmp_path / "out"))
    (stored,) = (image for image in mldr.load(tmp_path / "out").images("validation") if image.content)
    assert b"where I live" not in (stored.content or b"")


def test_what_is_no_picture_is_none_under_any_name() -> None:
    content = b"no picture"
    with pytest.raises(ImageError):
        already_stored(content, named(content, "jpg"))


def test_one_picture_under_two_paths_is_stored_once(tmp_path: Path) -> None:
    release = mldr_release(tmp_path, mldr_record())
    (release / "images" / "b.png").write_bytes((release / "images" / "a.png").read_bytes())
    import_release(Import(release), tmp_path / "out")
    dataset = mldr.load(tmp_path / "out")
    verify(dataset)
    (dialogue,) = dataset.dialogues("validation")
    assert dialogue.n_images == 2
    assert len(list(dataset.images("validation"))) == 1


def test_a_bomb_among_the_pictures_is_missing(tmp_path: Path) -> None:
    release = mldr_release(tmp_path, mldr_record())
    buffer = io.BytesIO()
    Image.new("1", (9_000, 9_000)).save(buffer, "PNG")
    (release / "images" / "a.png").write_bytes(buffer.getvalue())
    findings = import_release(Import(release), tmp_path / "out")
    verify(mldr.load(tmp_path / "out"))
    assert sorted(image.status for image in mldr.load(tmp_path / "out").images("validation")) == ["missing", "present"]
    assert any("n x n pixels" in reason for reason in findings.oddities)
