"""Pictures of messages: found inside the export, and nowhere else."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mldr.annotation.chat import Picture
from mldr.annotation.readers import detect
from mldr.annotation.readers import pictures as ladder
from mldr.annotation.readers.contract import PictureHint
from mldr.annotation.readers.pictures import Folder, Pictures, inside_root
from mldr.images import NormalisedImage, normalise
from tests.conftest import picture

RED, BLUE = picture("red"), picture("blue")
KEY = normalise(RED).image_key


class Export:
    """A folder with files, and what was kept of it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.kept: list[NormalisedImage] = []
        self.pictures = Pictures(Folder(root), self.kept.append)

    def put(self, name: str, content: bytes = RED) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def find(self, *paths: str, stems: tuple[str, ...] = (), beside: str = "") -> Picture:
        return self.pictures.find(PictureHint(paths, stems), self.root / beside)


@pytest.fixture
def export(tmp_path: Path) -> Export:
    (tmp_path / "export").mkdir()
    return Export(tmp_path.resolve() / "export")


@pytest.mark.parametrize(
    "written", ["media/images/a.png", "media\\images\\a.png", "./media/images/a.png", " media/images/a.png "]
)
def test_a_relative_path_is_followed_with_either_slash(export: Export, written: str) -> None:
    export.put("media/images/a.png")
    assert export.find(written) == Picture(KEY)


def test_a_path_is_taken_from_beside_the_file_first_and_then_from_the_root(export: Export) -> None:
    export.put("a.png", BLUE)
    export.put("chat/a.png", RED)
    assert export.find("a.png", beside="chat") == Picture(KEY)
    assert export.find("chat/a.png", beside="chat") == Picture(KEY)


def test_a_path_may_lead_up_inside_the_export(export: Export) -> None:
    export.put("images/a.png")
    assert export.find("../images/a.png", beside="texts") == Picture(KEY)


@pytest.mark.parametrize(
    "written", ["../secret.png", "..\\secret.png", "a/../../secret.png", "../export/../secret.png"]
)
def test_a_path_that_leads_out_is_missing_even_where_a_picture_lies_there(export: Export, written: str) -> None:
    (export.root.parent / "secret.png").write_bytes(RED)
    assert export.find(written) == Picture("", ladder.OUTSIDE)


def test_percent_signs_are_not_decoded(export: Export) -> None:
    (export.root.parent / "secret.png").write_bytes(RED)
    assert export.find("%2e%2e/secret.png") == Picture("", ladder.ABSENT)
    export.put("a%20b.png")
    assert export.find("a%20b.png") == Picture(KEY)


@pytest.mark.parametrize("written", ["/etc/passwd", "C:\\Users\\a.png", "c:/a.png", "~/a.png", "C:a.png"])
def test_an_absolute_path_is_missing(export: Export, written: str) -> None:
    assert export.find(written) == Picture("", ladder.ABSOLUTE)


@pytest.mark.parametrize(
    "written",
    ["http://127.0.0.1:1/a.png", "HTTPS://x/a.png", "file:///etc/passwd", "data:image/png;base64,AA", "//x/a"],
)
def test_an_address_is_never_fetched(export: Export, written: str) -> None:
    assert export.find(written) == Picture("", ladder.ADDRESS)


def test_a_link_is_missing_whatever_it_points_to(export: Export) -> None:
    target = export.put("real.png")
    (export.root / "inner.png").symlink_to(target)
    (export.root / "passwd.png").symlink_to("/etc/passwd")
    (export.root / "loop").symlink_to(export.root)
    (export.root / "dangling.png").symlink_to("nowhere")
    for written in ("inner.png", "passwd.png", "loop/real.png", "dangling.png"):
        assert export.find(written) == Picture("", ladder.LINK), written
    assert not export.kept


def test_a_picture_behind_a_linked_folder_is_not_found_by_name_either(export: Export) -> None:
    outside = export.root.parent / "outside"
    outside.mkdir()
    (outside / "0123456789abcdef.png").write_bytes(RED)
    (export.root / "media").symlink_to(outside)
    assert export.find(stems=("0123456789abcdef",)) == Picture("", ladder.UNNAMED)


def test_a_link_put_in_place_of_a_file_is_refused_when_it_is_opened(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/passwd")
    with pytest.raises(OSError, match="symbolic link"):
        ladder.contents(tmp_path / "link")


def test_a_pipe_is_not_waited_for(export: Export) -> None:
    os.mkfifo(export.root / "a.png")
    assert export.find("a.png") == Picture("", ladder.ABSENT)


def test_a_folder_is_no_picture(export: Export) -> None:
    (export.root / "a.png").mkdir()
    assert export.find("a.png") == Picture("", ladder.ABSENT)
    assert export.find(".") == Picture("", ladder.ABSENT)


def test_a_still_encoded_file_is_missing_and_its_decoded_twin_is_taken(export: Export) -> None:
    export.put("Image/0f3c0f3c0f3c0f3c.dat", b"\x9a\x4e" * 400)
    assert export.find("Image\\0f3c0f3c0f3c0f3c.dat") == Picture("", ladder.UNDECODED)
    twin = Export(export.root)
    twin.put("decoded/0f3c0f3c0f3c0f3c.png")
    assert twin.find("FileStorage\\Image\\0f3c0f3c0f3c0f3c.dat") == Picture(KEY)


def test_bytes_are_judged_by_content_not_by_their_ending(export: Export) -> None:
    export.put("a.dat", RED)
    export.put("b.png", b"<html>no picture</html>")
    export.put("c.png", RED[:60])
    assert export.find("a.dat") == Picture(KEY)
    assert export.find("b.png") == Picture("", ladder.UNREADABLE)
    assert export.find("c.png") == Picture("", ladder.UNREADABLE)


def test_a_file_that_is_too_large_is_not_read(export: Export) -> None:
    with export.put("a.png").open("wb") as stream:
        stream.truncate(200 * 1024 * 1024)
    assert export.find("a.png") == Picture("", ladder.TOO_LARGE)


def test_a_picture_is_found_by_its_stem_in_any_folder(export: Export) -> None:
    export.put("pictures/deep/ABCDEF0123456789.png")
    assert export.find(stems=("abcdef0123456789",)) == Picture(KEY)
    assert export.find(stems=("abcdef0123456789.png",)) == Picture(KEY)


def test_a_picture_is_found_by_the_hash_of_its_bytes(export: Export) -> None:
    export.put("media/IMG_1.png")
    assert export.find(stems=(hashlib.md5(RED).hexdigest().upper(),)) == Picture(KEY)


def test_names_are_compared_without_case_and_composition(export: Export) -> None:
    export.put("media/Cafe\u0301-picture.PNG")
    assert export.find("elsewhere/caf\u00e9-picture.png") == Picture(KEY)


def test_of_a_picture_and_its_thumbnail_under_one_hash_the_larger_is_taken(export: Export) -> None:
    export.put("thumb/0123456789abcdef.jpg", picture("red", (10, 8), "JPEG"))
    large = export.put("image/0123456789abcdef.png", picture("red", (40, 30)))
    assert export.find(stems=("0123456789abcdef",)) == Picture(normalise(large.read_bytes()).image_key)


def test_a_plain_name_that_several_pictures_have_is_not_guessed(export: Export) -> None:
    export.put("a/IMG_20250101.png", RED)
    export.put("b/IMG_20250101.png", BLUE)
    assert export.find("c/IMG_20250101.png") == Picture("", ladder.AMBIGUOUS)


def test_a_plain_name_is_taken_from_the_chats_own_folder_first(export: Export) -> None:
    export.put("a/media/IMG_20250101.png", BLUE)
    export.put("b/media/IMG_20250101.png", RED)
    assert export.find("lost/IMG_20250101.png", beside="b") == Picture(KEY)


def test_a_folder_of_too_many_files_is_not_searched_and_paths_still_lead_to_theirs(
    export: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detect, "MAX_FILES", 2)
    for name in ("media/a.png", "media/b.png", "media/0123456789abcdef.png"):
        export.put(name)
    assert export.find("media/a.png") == Picture(KEY)
    assert export.find(stems=("0123456789abcdef",)) == Picture("", ladder.CROWDED)


def test_a_short_name_elsewhere_is_not_taken_for_a_picture(export: Export) -> None:
    export.put("avatars/1.png")
    assert export.find("media/1.png") == Picture("", ladder.ABSENT)


def test_a_picture_that_is_sent_twice_is_kept_once(export: Export) -> None:
    export.put("a.png")
    export.put("b.png")
    assert export.find("a.png") == export.find("a.png") == export.find("b.png") == Picture(KEY)
    assert [image.image_key for image in export.kept] == [KEY]
    assert export.pictures.counts == {"found": 3}
    assert export.pictures.stored == 1


def test_what_is_kept_holds_no_metadata(export: Export) -> None:
    exif = Image.Exif()
    exif[0x010E] = "secret place"
    path = export.root / "a.jpg"
    Image.new("RGB", (40, 30), "red").save(path, "JPEG", exif=exif)
    assert b"secret place" in path.read_bytes()
    export.find("a.jpg")
    assert b"secret place" not in export.kept[0].content


def test_the_reasons_add_up(export: Export) -> None:
    export.put("a.png")
    for written in ("a.png", "b.png", "b.png", "/etc/passwd", ""):
        export.find(written)
    export.find()
    assert export.pictures.counts == {"found": 1, ladder.ABSENT: 2, ladder.ABSOLUTE: 1, ladder.UNNAMED: 2}


@pytest.mark.parametrize("written", ["a\0b", "x" * 5000, "y" * 300, "\ud800.png", "a//b", "///", "..", "...", "\n"])
def test_odd_paths_are_missing_not_a_crash(export: Export, written: str) -> None:
    assert export.find(written, stems=(written,)).image_key == ""


@given(st.lists(st.sampled_from(["..", ".", "a", "b", "link", "c.png", ""]), max_size=8))
def test_no_path_leads_out_of_the_root(parts: list[str]) -> None:
    root = Path("/nowhere/export")
    written = "/".join(parts) or "."
    found = inside_root(root, root / "a", written)
    if written.startswith("/"):
        assert found == ladder.ABSOLUTE
        return
    assert found in (
        ladder.OUTSIDE,
        ladder.ABSENT,
    )  # nothing is there; what counts is that nothing above the root was tried
    depth = 1
    for part in parts:
        depth += {"..": -1, ".": 0, "": 0}.get(part, 1)
        if depth < 0:
            assert found == ladder.OUTSIDE
            return
