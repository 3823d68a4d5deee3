from __future__ import annotations

import os
from pathlib import Path

import pytest

from mldr.builders.salt import load_or_create_salt, read_salt
from mldr.errors import MldrError

posix = pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")


def test_a_salt_is_drawn_once_and_kept_beside_the_dataset(tmp_path: Path) -> None:
    path = tmp_path / "sets" / "out.salt"
    salt = load_or_create_salt(path)
    assert len(salt) == 32
    assert load_or_create_salt(path) == salt
    assert [path.name for path in (tmp_path / "sets").iterdir()] == ["out.salt"]
    assert (tmp_path / "sets" / "out.salt").read_text() == salt.hex() + "\n"


def test_two_datasets_have_two_salts(tmp_path: Path) -> None:
    assert load_or_create_salt(tmp_path / "a.salt") != load_or_create_salt(tmp_path / "b.salt")


@posix
def test_nobody_but_the_owner_may_read_it(tmp_path: Path) -> None:
    load_or_create_salt(tmp_path / "out.salt")
    path = tmp_path / "out.salt"
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    with pytest.raises(MldrError, match=r"others than its owner may read this secret; .*chmod 600"):
        load_or_create_salt(tmp_path / "out.salt")


@pytest.mark.parametrize(
    "content", [b"", b"ab" * 31, b"ab" * 33, b"AB" * 32, b"xy" * 32, b"\xff" * 64, b"ab" * 32 + b"\n" + b"cd" * 32]
)
def test_what_is_no_salt_is_refused_and_not_replaced(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "out.salt"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(MldrError, match="not a secret salt"):
        load_or_create_salt(tmp_path / "out.salt")
    assert path.read_bytes() == content


@posix
def test_a_link_or_a_folder_is_no_salt(tmp_path: Path) -> None:
    load_or_create_salt(tmp_path / "a.salt")
    (tmp_path / "b.salt").symlink_to(tmp_path / "a.salt")
    (tmp_path / "c.salt").mkdir()
    for name in ("b", "c"):
        with pytest.raises(MldrError, match="is a plain file"):
            load_or_create_salt(tmp_path / f"{name}.salt")


def test_an_absent_salt_is_said_so_where_it_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_salt(tmp_path / "out.salt")


def test_a_salt_does_not_stand_in_the_words_of_an_error(tmp_path: Path) -> None:
    path = tmp_path / "out.salt"
    path.write_text("ab" * 33)
    path.chmod(0o600)
    with pytest.raises(MldrError) as caught:
        load_or_create_salt(tmp_path / "out.salt")
    assert "abab" not in str(caught.value)
