from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mldr.embed import CachedEmbedder, Vectors
from mldr.errors import InterruptedRun, MldrError
from tests.core.support_embed import Hashes, Spec, hashed

ROOT = Path(__file__).parents[2]


def test_what_was_asked_for_once_is_never_asked_for_again(tmp_path: Path) -> None:
    first, second = Hashes(Spec(batch=3)), Hashes(Spec(batch=3))
    texts = ["a", "b", "a", "", "c", "d", "b", "e"]
    with CachedEmbedder(first, tmp_path / "cache.sqlite") as cached:
        made = cached.embed_texts(texts)
        assert cached.made == 6
    assert first.asked == [["a", "b", ""], ["c", "d", "e"]]
    with CachedEmbedder(second, tmp_path / "cache.sqlite") as cached:
        found = cached.embed_texts([*texts[::-1], "f"])
        assert cached.made == 1
    assert second.asked == [["f"]]
    np.testing.assert_array_equal(found[:-1], made[::-1])
    np.testing.assert_array_equal(made, np.array([hashed(text) for text in texts], dtype=np.float32))


@settings(deadline=None, max_examples=30)
@given(st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=3), max_size=8), max_size=5))
def test_a_cache_changes_no_vector(calls: list[list[str]]) -> None:
    with tempfile.TemporaryDirectory() as folder, CachedEmbedder(Hashes(Spec(batch=2)), Path(folder) / "c") as cached:
        for texts in calls:
            expected = np.array([hashed(text) for text in texts], dtype=np.float32)
            assert cached.embed_texts(texts).tolist() == expected.tolist()


def test_models_share_a_file_and_never_a_vector(tmp_path: Path) -> None:
    one, two = Hashes(Spec(model="one")), Hashes(Spec(model="two"))
    for embedder in (one, two, one):
        with CachedEmbedder(embedder, tmp_path / "cache") as cached:
            cached.embed_texts(["a"])
    assert (one.asked, two.asked) == ([["a"]], [["a"]])


def test_a_text_and_a_picture_never_stand_for_one_another(tmp_path: Path) -> None:
    embedder = Hashes(Spec())
    with CachedEmbedder(embedder, tmp_path / "cache") as cached:
        cached.embed_texts(["a"])
        cached.embed_pictures(["a"], lambda _: Image.new("RGB", (1, 1), "red"))
        cached.embed_images([Image.new("RGB", (1, 1), "red"), Image.new("RGB", (1, 1), "blue")])
    assert embedder.asked == [["a"], ["(255, 0, 0)"], ["(255, 0, 0)", "(0, 0, 255)"]]


def test_a_picture_is_opened_only_where_its_vector_is_missing(tmp_path: Path) -> None:
    opened: list[str] = []

    def open_picture(name: str) -> Image.Image:
        opened.append(name)
        return Image.new("RGB", (1, 1), name)

    with CachedEmbedder(Hashes(Spec()), tmp_path / "cache") as cached:
        first = cached.embed_pictures(["red", "blue", "red"], open_picture)
        second = cached.embed_pictures(["green", "red"], open_picture)
    assert opened == ["red", "blue", "green"]
    np.testing.assert_array_equal(first[0], first[2])
    np.testing.assert_array_equal(first[0], second[1])


def test_more_texts_than_fit_in_one_question_to_the_database(tmp_path: Path) -> None:
    texts = [str(number) for number in range(1_203)]
    with CachedEmbedder(Hashes(Spec()), tmp_path / "cache") as cached:
        made = cached.embed_texts(texts)
        np.testing.assert_array_equal(cached.embed_texts(texts), made)
        assert cached.made == len(texts)


class Failing(Hashes):
    """Fails at its third call."""

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        if len(self.asked) == 2:
            raise InterruptedRun("the server is gone")
        return super().embed_texts(texts)


def test_a_run_that_broke_off_goes_on_with_the_same_batches(tmp_path: Path) -> None:
    texts = [str(number) for number in range(10)]
    whole, failing, after = Hashes(Spec(batch=3)), Failing(Spec(batch=3)), Hashes(Spec(batch=3))
    CachedEmbedder(whole, tmp_path / "whole").embed_texts(texts)
    with pytest.raises(InterruptedRun):
        CachedEmbedder(failing, tmp_path / "cache").embed_texts(texts)
    CachedEmbedder(after, tmp_path / "cache").embed_texts(texts)
    assert failing.asked + after.asked == whole.asked


def test_what_was_stored_survives_a_kill(tmp_path: Path) -> None:
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom mldr.embed import CachedEmbedder\n"
        "from tests.core.support_embed import Hashes, Spec\n"
        "class Slow(Hashes):\n"
        "    def embed_texts(self, texts):\n"
        "        if len(self.asked) == 2:\n"
        "            print('now', flush=True)\n"
        "            time.sleep(60)\n"
        "        return super().embed_texts(texts)\n"
        "CachedEmbedder(Slow(Spec(batch=2)), Path(sys.argv[1])).embed_texts([str(i) for i in range(8)])\n"
    )
    killed = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "cache")], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert killed.stdout is not None
    assert killed.stdout.readline() == "now\n"
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    killed.stdout.close()
    after = Hashes(Spec(batch=2))
    CachedEmbedder(after, tmp_path / "cache").embed_texts([str(number) for number in range(8)])
    assert after.asked == [["4", "5"], ["6", "7"]]


@pytest.mark.parametrize(
    "content", [b"no database at all, but a text of some length", b"SQLite format 3\0" + b"\xff" * 4096]
)
def test_a_file_that_is_no_database_is_refused_and_left_alone(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "cache").write_bytes(content)
    with pytest.raises(MldrError, match="cache: not a cache of vectors, or a damaged one"):
        CachedEmbedder(Hashes(Spec()), tmp_path / "cache")
    assert (tmp_path / "cache").read_bytes() == content


def test_a_database_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "cache") as other:
        other.execute("CREATE TABLE vectors (id INTEGER)")
    other.close()
    before = (tmp_path / "cache").read_bytes()
    with pytest.raises(MldrError, match="a database of something else"):
        CachedEmbedder(Hashes(Spec()), tmp_path / "cache")
    assert (tmp_path / "cache").read_bytes() == before


def test_a_folder_is_no_cache(tmp_path: Path) -> None:
    with pytest.raises(MldrError, match="unable to open"):
        CachedEmbedder(Hashes(Spec()), tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(MldrError):
        CachedEmbedder(Hashes(Spec()), tmp_path / "file" / "cache")


def test_an_empty_file_is_a_new_cache(tmp_path: Path) -> None:
    (tmp_path / "cache").touch()
    with CachedEmbedder(Hashes(Spec()), tmp_path / "cache") as cached:
        assert cached.embed_texts(["a"]).shape == (1, 8)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE vectors SET vector = substr(vector, 1, 31) || x'00'",
        "UPDATE vectors SET vector = CAST(substr(vector, 1, 31) || x'00' AS BLOB)",
        "UPDATE vectors SET vector = substr(vector, 5)",
        "UPDATE vectors SET vector = 'text'",
        "UPDATE models SET dimensions = 0",
        "UPDATE models SET dimensions = 'many'",
    ],
)
def test_a_vector_that_is_not_what_was_written_is_noticed(damage: str, tmp_path: Path) -> None:
    with CachedEmbedder(Hashes(Spec()), tmp_path / "cache") as cached:
        cached.embed_texts(["a"])
    with sqlite3.connect(tmp_path / "cache") as spoiled:
        spoiled.execute(damage)
    spoiled.close()
    with pytest.raises(MldrError, match="remove it and its vectors are made again"):
        CachedEmbedder(Hashes(Spec()), tmp_path / "cache").embed_texts(["a"])


class Wrong(Hashes):
    """Returns what it was told to."""

    result: object = None

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        return self.result  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (np.zeros((1, 4)), r"shape \(1, 4\) for 2"),
        (np.zeros(2), r"shape \(2,\) for 2"),
        (np.zeros((2, 0)), r"shape \(2, 0\)"),
        (np.array([[1.0], [np.nan]]), "no finite number"),
        (np.array([[1.0], [1e300]]), "no finite number"),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow")
def test_what_is_no_vector_is_never_stored(result: object, words: str, tmp_path: Path) -> None:
    wrong = Wrong(Spec())
    wrong.result = result
    with CachedEmbedder(wrong, tmp_path / "cache") as cached:
        with pytest.raises(MldrError, match=words):
            cached.embed_texts(["a", "b"])
        assert cached.made == 0


def test_another_size_under_the_same_name_is_refused(tmp_path: Path) -> None:
    wrong = Wrong(Spec())
    with CachedEmbedder(wrong, tmp_path / "cache") as cached:
        wrong.result = np.ones((1, 4))
        cached.embed_texts(["a"])
        wrong.result = np.ones((1, 5))
        with pytest.raises(MldrError, match=r"\[4, 5\] dimensions under the one name"):
            cached.embed_texts(["b"])


def test_a_disk_that_is_full_stops_a_run_that_can_be_resumed(tmp_path: Path) -> None:
    with CachedEmbedder(Hashes(Spec()), tmp_path / "cache") as cached:
        cached.embed_texts(["a"])
        cached._store._connection.execute("PRAGMA max_page_count = 1")
        with pytest.raises(InterruptedRun, match="full"):
            cached.embed_texts([str(number) for number in range(2_000)])
