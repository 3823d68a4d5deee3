"""Which files are exports, and who reads them."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from mldr.annotation.readers import detect
from mldr.annotation.readers.contract import HEAD_BYTES
from mldr.errors import InputError, MldrError
from tests.annotation.exports import LinesReader, said, write_export
from tests.conftest import picture


@pytest.fixture(autouse=True)
def _known(monkeypatch: pytest.MonkeyPatch) -> None:
    readers = (LinesReader(), LinesReader("test-other", "other_chat"), LinesReader("test-twin", "twin"))
    monkeypatch.setattr(detect, "readers", lambda: (*readers, LinesReader("test-twin-too", "twin")))


def export(path: Path, key: str = "test_chat") -> Path:
    return write_export(path, [said("a", 0, "hello")], key)


def names(path: Path, format: str = "") -> list[tuple[str, str]]:
    return [(one.export.path.name, one.reader.NAME) for one in detect.find(path, format)]


def test_a_file_is_known_by_its_content_whatever_it_is_called(tmp_path: Path) -> None:
    assert names(export(tmp_path / "holiday.png")) == [("holiday.png", "test-lines")]


def test_pictures_come_from_the_folder_of_a_file(tmp_path: Path) -> None:
    found = detect.find(export(tmp_path / "chat" / "x.json"))[0]
    assert found.export.root == (tmp_path / "chat").resolve()


def test_a_file_in_a_folder_called_texts_may_have_pictures_beside_that_folder(tmp_path: Path) -> None:
    found = detect.find(export(tmp_path / "chat" / "texts" / "x.json"))[0]
    assert found.export.root == (tmp_path / "chat").resolve()


def test_pictures_of_a_folder_come_from_that_folder(tmp_path: Path) -> None:
    export(tmp_path / "chat" / "deep" / "x.json")
    found = detect.find(tmp_path / "chat")[0]
    assert found.export.root == (tmp_path / "chat").resolve()


def test_a_folder_gives_every_export_in_it_and_passes_over_the_rest(tmp_path: Path) -> None:
    export(tmp_path / "b" / "two.json")
    export(tmp_path / "a" / "one.txt", "other_chat")
    (tmp_path / "a" / "photo.jpg").write_bytes(picture(kind="JPEG"))
    (tmp_path / "users.json").write_text('{"users": []}')
    (tmp_path / "empty.json").write_text("")
    export(tmp_path / "__MACOSX" / "two.json")
    export(tmp_path / ".hidden" / "two.json")
    assert names(tmp_path) == [("one.txt", "test-other"), ("two.json", "test-lines")]


def test_links_in_a_folder_are_not_followed(tmp_path: Path) -> None:
    outside = export(tmp_path / "outside" / "secret.json")
    inside = tmp_path / "chat"
    inside.mkdir()
    (inside / "file.json").symlink_to(outside)
    (inside / "folder").symlink_to(outside.parent)
    with pytest.raises(InputError, match="holds no export"):
        detect.find(inside)


def test_a_pipe_in_a_folder_is_not_opened(tmp_path: Path) -> None:
    export(tmp_path / "x.json")
    os.mkfifo(tmp_path / "pipe.json")
    assert names(tmp_path) == [("x.json", "test-lines")]


def test_a_file_that_nobody_knows_is_refused_with_what_is_known(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"something": "else"}')
    with pytest.raises(InputError, match=r"x\.json: no format is recognised; known are test-lines, test-other"):
        detect.find(tmp_path / "x.json")


def test_a_file_that_two_know_is_refused_with_a_flag_to_give(tmp_path: Path) -> None:
    path = export(tmp_path / "x.json", "twin")
    with pytest.raises(InputError, match="may be test-twin or test-twin-too; say which, with --format test-twin"):
        detect.find(path)
    with pytest.raises(InputError, match="may be test-twin or test-twin-too"):
        detect.find(tmp_path)
    assert names(path, "test-twin-too") == [("x.json", "test-twin-too")]
    assert names(tmp_path, "test-twin") == [("x.json", "test-twin")]


def test_every_file_of_a_folder_that_two_know_is_named(tmp_path: Path) -> None:
    for number in range(3):
        export(tmp_path / f"{number}.json", "twin")
    with pytest.raises(InputError) as caught:
        detect.find(tmp_path)
    assert [Path(fault.place).name for fault in caught.value.faults] == ["0.json", "1.json", "2.json"]


def test_a_format_that_nobody_has_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MldrError, match="--format nonsense: no format is called so; known are test-lines"):
        detect.find(export(tmp_path / "x.json"), "nonsense")


def test_an_archive_is_to_be_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "chat.json", "w") as archive:
        archive.write(export(tmp_path / "x.json"), "x.json")
    with pytest.raises(InputError, match="is an archive or a workbook; unpack the archive and give its folder"):
        detect.find(tmp_path / "chat.json")


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(InputError, match="is empty"):
        detect.find(tmp_path / "x.json")


def test_nothing_at_a_path_is_said(tmp_path: Path) -> None:
    with pytest.raises(MldrError, match="there is no such file or folder"):
        detect.find(tmp_path / "nowhere")


def test_a_device_is_refused() -> None:
    with pytest.raises(InputError, match="is no file"):
        detect.find(Path("/dev/null"))


def test_a_folder_of_too_many_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detect, "MAX_FILES", 3)
    for number in range(4):
        export(tmp_path / f"{number}.json")
    with pytest.raises(InputError, match="holds more than 3 files"):
        detect.find(tmp_path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_the_head_of_a_file_is_read_in_every_encoding_of_the_ladder(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "x"
    path.write_bytes(("周末爬山" * HEAD_BYTES).encode(encoding))
    assert (detect.text_head(path) or "").startswith("周末爬山")


@pytest.mark.parametrize("content", [picture(), picture(kind="JPEG"), picture(kind="GIF"), b"\0\0", b"  "])
def test_what_is_no_text_has_no_head(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    assert detect.text_head(tmp_path / "x") is None


def test_a_folder_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root reads every folder")
    export(tmp_path / "x.json")
    (tmp_path / "shut").mkdir(mode=0o000)
    with pytest.raises(MldrError, match="shut: cannot be read"):
        detect.find(tmp_path)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"SQLite format 3\0" + bytes(200), "database"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "picture"),
        (b'[{"conversations": [{"role": "user", "content": "hi"}]}]', "training conversations"),
        (bytes(range(128, 160)) * 9, "not text"),
    ],
)
def test_what_is_known_to_be_no_log_is_refused_with_the_reason(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "chat.json").write_bytes(content)
    with pytest.raises(InputError, match=told):
        detect.find(tmp_path / "chat.json")
