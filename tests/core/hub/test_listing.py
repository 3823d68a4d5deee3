from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.files import sha256_file
from mldr.hub.listing import Local, Remote, difference, git_sha, is_of_a_dataset, is_same
from mldr.hub.staging import is_plain
from tests.fakes.hub_store import Blob


def local(folder: Path, path: str, content: bytes) -> Local:
    source = folder / path.replace("/", "_")
    source.write_bytes(content)
    return Local(path, source, len(content), sha256_file(source))


def remote(path: str, content: bytes, *, lfs: bool) -> Remote:
    blob = Blob(content, lfs)
    return Remote(path, len(content), blob.oid, blob.sha256 if lfs else "")


@pytest.mark.parametrize("content", [b"", b"a", b"blob 1\0a", "中文\n".encode() * 1_000])
def test_a_file_is_named_as_git_names_it(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    try:
        done = subprocess.run(
            ["git", "hash-object", str(path)], capture_output=True, text=True, check=True, cwd=tmp_path
        )
    except FileNotFoundError:
        pytest.skip("git is not here")
    assert git_sha(path) == done.stdout.strip()


@pytest.mark.parametrize("lfs", [True, False])
def test_a_file_is_the_same_if_its_bytes_are(tmp_path: Path, lfs: bool) -> None:
    here = local(tmp_path, "queries/a.parquet", b"abc")
    assert is_same(here, remote("queries/a.parquet", b"abc", lfs=lfs))
    assert not is_same(here, remote("queries/a.parquet", b"abd", lfs=lfs))
    assert not is_same(here, remote("queries/a.parquet", b"abcd", lfs=lfs))
    assert not is_same(here, None)


files = st.dictionaries(
    st.sampled_from(["README.md", "manifest.json", "queries/a.parquet", "gold/a.parquet", "extra.txt"]),
    st.binary(max_size=3),
)


@given(files, files, st.booleans())
def test_what_is_sent_and_removed_makes_the_dataset_on_the_hub_equal(
    tmp_path_factory: pytest.TempPathFactory, here: dict[str, bytes], there: dict[str, bytes], lfs: bool
) -> None:
    folder = tmp_path_factory.mktemp("files")
    found = difference(
        [local(folder, path, content) for path, content in here.items()],
        {path: remote(path, content, lfs=lfs) for path, content in there.items()},
    )
    after = {path: content for path, content in there.items() if path not in found.gone}
    after.update({one.path: one.source.read_bytes() for one in found.changed})
    assert {path: content for path, content in after.items() if path in here} == here
    assert all(not is_of_a_dataset(path) for path in set(after) - set(here))
    assert all(there.get(one.path) != here[one.path] for one in found.changed)
    assert len(found.changed) + len(found.same) == len(here)


@pytest.mark.parametrize(
    ("path", "ours"),
    [
        ("manifest.json", True),
        ("images/test-00000-of-00001.parquet", True),
        ("README.md", False),
        (".gitattributes", False),
        ("eval.yaml", False),
        ("data/test.parquet", False),
        ("images/cover.png", False),
    ],
)
def test_only_what_a_dataset_fills_is_ever_removed(path: str, ours: bool) -> None:
    assert is_of_a_dataset(path) == ours


@pytest.mark.parametrize("name", ["README.md", "images/test-00000-of-00001.parquet", "LICENSE", "a/b_c.d"])
def test_names_of_files_are_plain(name: str) -> None:
    assert is_plain(name)


@pytest.mark.parametrize(
    "name", ["", "/a", "a/", "a//b", "../a", "a/../b", ".git/config", "-a", "a b", "a*", "ä", "a\\b", "C:"]
)
def test_names_that_could_lead_elsewhere_are_not(name: str) -> None:
    assert not is_plain(name)
