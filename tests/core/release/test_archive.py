"""Archives from strangers: nothing is unpacked, nothing outside is read, a bomb or a cut file is a fault."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from pathlib import Path

import pytest

import mldr
from mldr.errors import InputError, MldrError
from mldr.release import Import, import_release, look
from mldr.release.archive import Guarded, open_archive, read_member
from tests.core.release.support import entry, mldr_record, mldr_release, tar_of, tarred


@pytest.mark.parametrize(("name", "mode"), [("MLDR.tar", "w"), ("MLDR.tar.gz", "w:gz")])
def test_a_tar_gives_the_same_dataset_as_its_folder(tmp_path: Path, name: str, mode: str) -> None:
    release = mldr_release(tmp_path, mldr_record())
    import_release(Import(release), tmp_path / "of_folder")
    import_release(Import(tarred(tmp_path / name, release, mode)), tmp_path / "of_tar")
    one, other = mldr.load(tmp_path / "of_folder"), mldr.load(tmp_path / "of_tar")
    for table in ("dialogues", "queries", "gold", "fragments", "images"):
        assert one.arrow(table, "validation") == other.arrow(table, "validation")
    assert {image.status for image in other.images("validation")} == {"present"}


def test_nothing_is_unpacked(tmp_path: Path) -> None:
    path = tarred(tmp_path / "MLDR.tar", mldr_release(tmp_path / "in", mldr_record()))
    import_release(Import(path), tmp_path / "out")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["MLDR.tar", "in", "out"]


def test_links_devices_and_paths_outside_are_passed_over_and_counted(tmp_path: Path) -> None:
    secret = tmp_path / "secret.png"
    secret.write_bytes(b"secret")
    path = tar_of(
        tmp_path / "x.tar",
        entry("ok.txt", b"fine"),
        entry("../secret.png", b"out"),
        entry("/etc/evil", b"out"),
        entry("a/../../b", b"out"),
        entry("link.png", kind=tarfile.SYMTYPE, link=str(secret)),
        entry("hard.png", kind=tarfile.LNKTYPE, link="ok.txt"),
        entry("pipe", kind=tarfile.FIFOTYPE),
        entry("disk", kind=tarfile.BLKTYPE),
        entry("ok.txt", b"newer"),
        entry("bad\udcff", b"x"),
    )
    with open_archive(path) as archive:
        assert list(archive.members) == ["ok.txt"]
        assert read_member(archive, "ok.txt", 100) == b"newer"
        assert archive.skipped == {
            "names that lead out of the archive: not read": 3,
            "links: not followed": 2,
            "pipes, devices and sparse files: not read": 2,
            "names that stand twice: the last counts": 1,
            "files whose name is not UTF-8: not read": 1,
        }


def test_links_in_a_folder_are_not_followed(tmp_path: Path) -> None:
    release = mldr_release(tmp_path, mldr_record(images=["images/link.png", "secrets/a.png"]))
    outside = tmp_path / "outside"
    (outside / "secrets").mkdir(parents=True)
    (release / "images" / "a.png").rename(outside / "secrets" / "a.png")
    (release / "images" / "link.png").symlink_to(outside / "secrets" / "a.png")
    (release / "secrets").symlink_to(outside / "secrets")
    findings = import_release(Import(release), tmp_path / "out")
    assert {image.status for image in mldr.load(tmp_path / "out").images("validation")} == {"missing"}
    assert findings.oddities["links: not followed"] == 2


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_in_a_folder_is_not_opened(tmp_path: Path) -> None:
    release = mldr_release(tmp_path, mldr_record())
    os.mkfifo(release / "pipe.json")
    assert look(Import(release)).oddities["pipes and devices: not read"] == 1


def test_a_member_that_claims_a_gigabyte_it_does_not_have_is_a_fault(tmp_path: Path) -> None:
    made, _ = entry("MLDR_val.json")
    made.size = 2**30
    path = tmp_path / "x.tar"
    path.write_bytes(made.tobuf() + b"[]")
    with pytest.raises(InputError, match=r"cut, or a bomb|cannot be read"):
        look(Import(path))


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_header_that_claims_a_gigabyte_is_refused_unread(tmp_path: Path, kind: bytes) -> None:
    made, _ = entry("x", kind=kind)
    made.size = 2**30
    path = tmp_path / "x.tar"
    path.write_bytes(made.tobuf() + b"0" * 2_000)
    with pytest.raises(InputError, match="no honest archive"):
        look(Import(path))


@pytest.mark.parametrize("keep", [0, 100, 600, 1_100, 2_048])
@pytest.mark.parametrize("packed", [False, True])
def test_a_cut_archive_is_a_fault(tmp_path: Path, keep: int, packed: bool) -> None:
    whole = tarred(
        tmp_path / "whole.tar", mldr_release(tmp_path, mldr_record()), "w:gz" if packed else "w"
    ).read_bytes()
    if packed:
        keep = min(keep, len(whole) - 20)
    (tmp_path / "cut.tar").write_bytes(whole[:keep])
    with pytest.raises(MldrError, match=r"download it again|no file in a release layout") as caught:
        look(Import(tmp_path / "cut.tar"))
    assert "Traceback" not in str(caught.value)


def test_a_flipped_header_does_not_hide_what_follows(tmp_path: Path) -> None:
    path = tar_of(tmp_path / "x.tar", entry("a.txt", b"a" * 600), entry("MLDR_val.json", b"[]"))
    content = bytearray(path.read_bytes())
    content[512 + 1024 + 10] ^= 1  # the second header's name: its checksum no longer fits
    path.write_bytes(content)
    with pytest.raises(InputError, match="damaged, or cut, at byte 1,536"):
        look(Import(path))


def test_a_packed_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    made, _ = entry("MLDR_val.json")
    made.size = 2**34
    path = tmp_path / "bomb.tar.gz"
    with gzip.open(path, "wb") as stream:
        stream.write(made.tobuf() + b" " * 4096)
    with pytest.raises(InputError, match="bomb"):
        look(Import(path))


def test_reading_on_behind_what_is_honest_is_refused() -> None:
    guarded = Guarded(io.BytesIO(b" " * 5_000), 1_000, "x.tar.gz")
    guarded.read(2_000)
    with pytest.raises(InputError, match="a bomb"):
        guarded.read(10)


@pytest.mark.parametrize("content", [b"", b"\x1f\x8b", b"\x1f\x8bgarbage", b"PK\x03\x04zip", b"x" * 3_000])
def test_what_is_no_archive_is_a_fault(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.tar").write_bytes(content)
    with pytest.raises(MldrError, match=r"x\.tar"):
        look(Import(tmp_path / "x.tar"))


def test_a_path_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(MldrError, match="no such file or folder"):
        look(Import(tmp_path / "nowhere"))


def test_a_picture_too_large_is_not_read(tmp_path: Path) -> None:
    path = tar_of(tmp_path / "x.tar", entry("big", b"1" * 50))
    with open_archive(path) as archive:
        assert read_member(archive, "big", 49) is None
