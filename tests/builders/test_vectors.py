from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mldr.builders.pictures import Pictures, normalised
from mldr.builders.sources.record import Reading, SourceDialogue, SourceImage, SourceTurn
from mldr.builders.spool import Spool, spooled
from mldr.builders.vectors import ImageFit, image_fits, source_vectors, turn_vectors
from mldr.embed import CachedEmbedder, Vectors, unit_rows
from mldr.errors import InterruptedRun, MldrError
from mldr.executors import LocalExecutor
from tests.conftest import picture
from tests.core.support_embed import Blind, Hashes, Spec, hashed

COLOURS = {"r": "red", "g": "green", "b": "blue"}
SEEN = {"r": "(255, 0, 0)", "g": "(0, 128, 0)", "b": "(0, 0, 255)"}


def told(name: str, *turns: str, images: str = "", language: str = "en") -> SourceDialogue:
    """Return a dialogue; image k, named by a letter, is carried by turn k; capital letters have no pixels."""
    shown = tuple(SourceImage(f"src/{letter}", caption=f"caption {letter}" * (letter != "g")) for letter in images)
    said = tuple(SourceTurn(i % 2, text, i if i < len(images) else None) for i, text in enumerate(turns))
    return SourceDialogue(name, "src", language, ("a", "b"), "t", said, shown)


def corpus(folder: Path, *dialogues: SourceDialogue) -> tuple[Spool, Pictures]:
    folder.mkdir(parents=True, exist_ok=True)
    for letter, colour in COLOURS.items():
        (folder / f"{letter}.png").write_bytes(picture(colour))

    def placed(image: SourceImage) -> SourceImage:
        letter = image.ref[-1]
        return replace(image, path=str(folder / f"{letter}.png")) if letter in COLOURS else image

    with_paths = [replace(d, images=tuple(placed(image) for image in d.images)) for d in dialogues]
    spool, images = spooled(with_paths, folder / "spool.jsonl", Reading())
    return spool, normalised(images, folder / "pictures", True, LocalExecutor())


def cached(folder: Path, embedder: Hashes | None = None) -> CachedEmbedder:
    return CachedEmbedder(embedder or Hashes(Spec()), folder / "cache")


def mean(*texts: str) -> Vectors:
    """Return the unit mean of unit vectors, the plain way."""
    rows = [np.array(hashed(text)) / np.linalg.norm(hashed(text)) for text in texts]
    total = np.sum(rows, axis=0)
    return np.asarray(total / np.linalg.norm(total), dtype=np.float32)


def test_a_source_is_the_mean_of_its_turns_and_captions_and_of_its_pictures(tmp_path: Path) -> None:
    spool, pictures = corpus(
        tmp_path,
        told("d0", "one", "two", "three", images="rg"),
        told("d1", "four", "", " \n", "five"),
        told("d2", "six", images="X"),
        told("d3", "", "", images="b"),
    )
    found = source_vectors(spool, pictures, cached(tmp_path), tmp_path / "vectors")
    assert found.ids == ["d0", "d1", "d2", "d3"]
    assert found.text.dtype == np.float32
    expected = [
        mean("one", "two", "three", "caption r"),
        mean("four", "five"),
        mean("six", "caption X"),
        mean("caption b"),
    ]
    np.testing.assert_allclose(found.text, np.stack(expected), atol=1e-6)
    assert found.has_image is not None
    assert found.has_image.tolist() == [True, False, False, True]
    assert found.image is not None
    np.testing.assert_allclose(found.image[[0, 3]], np.stack([mean(SEEN["r"], SEEN["g"]), mean(SEEN["b"])]), atol=1e-6)
    assert not found.image[[1, 2]].any()
    assert isinstance(found.text, np.memmap)
    assert isinstance(found.image, np.memmap)


def test_a_source_without_a_word_has_a_zero_row(tmp_path: Path) -> None:
    spool, pictures = corpus(tmp_path, told("d0", "", ""), told("d1", "a"))
    found = source_vectors(spool, pictures, cached(tmp_path), tmp_path / "vectors")
    assert np.linalg.norm(found.text, axis=1).tolist() == pytest.approx([0, 1])
    assert found.image is None
    assert found.has_image is not None
    assert not found.has_image.any()


def test_no_sources_and_no_words_are_no_crash(tmp_path: Path) -> None:
    spool, pictures = corpus(tmp_path / "none")
    assert source_vectors(spool, pictures, cached(tmp_path), tmp_path / "none").text.shape == (0, 1)
    spool, pictures = corpus(tmp_path / "silent", told("d0", ""))
    found = source_vectors(spool, pictures, cached(tmp_path), tmp_path / "silent")
    assert found.text.tolist() == [[0.0]]
    assert [(name, len(rows)) for name, rows in turn_vectors(spool, cached(tmp_path))] == [("d0", 0)]


def test_an_embedder_that_sees_no_images_gives_none(tmp_path: Path) -> None:
    spool, pictures = corpus(tmp_path, told("d0", "a", images="r"))
    blind = cached(tmp_path, Blind(Spec()))
    assert source_vectors(spool, pictures, blind, tmp_path / "vectors").image is None
    with pytest.raises(MldrError, match=r"clean\.image_text_floor: .* sees no images"):
        list(image_fits(spool, pictures, blind))


def test_sources_that_were_dropped_are_passed_over(tmp_path: Path) -> None:
    spool, pictures = corpus(tmp_path, told("d0", "a"), told("d1", "b"), told("d2", "c"))
    del spool.heads["d1"]
    found = source_vectors(spool, pictures, cached(tmp_path), tmp_path / "vectors")
    assert found.ids == ["d0", "d2"]
    np.testing.assert_allclose(found.text, np.stack([mean("a"), mean("c")]), atol=1e-6)


def test_blocks_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dialogues = [told(f"d{i}", *(f"t{i} {j}" for j in range(i % 4)), images="rgbX"[: i % 4]) for i in range(23)]
    spool, pictures = corpus(tmp_path, *dialogues)
    embedder = cached(tmp_path)
    whole = source_vectors(spool, pictures, embedder, tmp_path / "whole")
    turns = list(turn_vectors(spool, embedder))
    fits = list(image_fits(spool, pictures, embedder))
    monkeypatch.setattr("mldr.builders.vectors.BLOCK", 3)
    monkeypatch.setattr("mldr.builders.vectors.IMAGES_A_BLOCK", 2)
    small = source_vectors(spool, pictures, embedder, tmp_path / "small")
    np.testing.assert_array_equal(small.text, whole.text)
    assert whole.image is not None
    assert small.image is not None
    np.testing.assert_array_equal(small.image, whole.image)
    assert (tmp_path / "small" / "text.npy").read_bytes() == (tmp_path / "whole" / "text.npy").read_bytes()
    for (name, rows), (before, others) in zip(turn_vectors(spool, embedder), turns, strict=True):
        assert name == before
        np.testing.assert_array_equal(rows, others)
    assert [fit.source_id for fit in image_fits(spool, pictures, embedder)] == [fit.source_id for fit in fits]


def test_the_turns_come_by_dialogue(tmp_path: Path) -> None:
    spool, _ = corpus(tmp_path, told("d0", "a", "", "b"), told("d1", ""), told("d2", "d"))
    found = dict(turn_vectors(spool, cached(tmp_path)))
    assert {name: len(rows) for name, rows in found.items()} == {"d0": 2, "d1": 0, "d2": 1}
    expected = unit_rows(np.array([hashed(text) for text in "abd"]))
    np.testing.assert_allclose(np.concatenate([found["d0"], found["d2"]]), expected, atol=1e-6)


def test_an_image_is_held_against_the_text_of_its_turn_and_its_caption(tmp_path: Path) -> None:
    spool, pictures = corpus(
        tmp_path, told("d0", "look", "", "end", images="rg"), told("d1", "x", images="X"), told("d2", "y", images="g")
    )
    fits = list(image_fits(spool, pictures, cached(tmp_path)))
    assert [(fit.source_id, fit.image) for fit in fits] == [("d0", 0), ("d0", 1), ("d1", 0), ("d2", 0)]
    assert fits[0].cosine == pytest.approx(float(mean("look\ncaption r") @ mean(SEEN["r"])), abs=1e-6)
    assert fits[1] == ImageFit("d0", 1, None), "neither its turn nor its caption says a word"
    assert fits[2] == ImageFit("d1", 0, None), "it has no pixels"
    assert fits[3].cosine == pytest.approx(float(mean("y") @ mean(SEEN["g"])), abs=1e-6)


class Dying(Hashes):
    """Gives up after some texts."""

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        if len(self.asked) == 3:
            raise InterruptedRun("stopped")
        return super().embed_texts(texts)


def test_an_interrupted_run_goes_on_and_ends_with_the_same_bytes(tmp_path: Path) -> None:
    spool, pictures = corpus(tmp_path, *(told(f"d{i}", f"t{i}", f"u{i}") for i in range(20)))
    whole = Hashes(Spec(batch=4))
    source_vectors(spool, pictures, CachedEmbedder(whole, tmp_path / "other"), tmp_path / "whole")
    dying, after = Dying(Spec(batch=4)), Hashes(Spec(batch=4))
    with pytest.raises(InterruptedRun):
        source_vectors(spool, pictures, cached(tmp_path, dying), tmp_path / "vectors")
    assert not (tmp_path / "vectors" / "text.npy").exists()
    source_vectors(spool, pictures, cached(tmp_path, after), tmp_path / "vectors")
    assert dying.asked + after.asked == whole.asked
    assert (tmp_path / "vectors" / "text.npy").read_bytes() == (tmp_path / "whole" / "text.npy").read_bytes()


def test_memory_does_not_grow_with_the_sources(tmp_path: Path) -> None:
    def peak(n: int) -> int:
        def many() -> Iterator[SourceDialogue]:
            for i in range(n):
                yield told(f"d{i}", *(f"{i} says {j}" for j in range(8)))

        spool, images = spooled(many(), tmp_path / f"{n}.jsonl", Reading())
        pictures = normalised(images, tmp_path / "none", True, LocalExecutor())
        embedder = CachedEmbedder(Forgetful(Spec(batch=1_000)), tmp_path / f"{n}.sqlite")
        tracemalloc.start()
        source_vectors(spool, pictures, embedder, tmp_path / str(n))
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    assert peak(4_000) < 1.3 * peak(800)


class Forgetful(Hashes):
    """Remembers nothing of what it was asked."""

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        vectors = super().embed_texts(texts)
        self.asked.clear()
        return vectors


def test_progress_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mldr.builders.vectors.BLOCK", 4)
    spool, pictures = corpus(tmp_path, *(told(f"d{i}", "a", "b") for i in range(5)))
    done: list[int] = []
    source_vectors(spool, pictures, cached(tmp_path), tmp_path / "vectors", done.append)
    assert done == [2, 4, 5]


def test_a_damaged_picture_is_told(tmp_path: Path) -> None:
    spool, pictures = corpus(tmp_path, told("d0", "a", images="r"))
    digest = pictures.key("src/r").removeprefix("sha256:")
    (tmp_path / "pictures" / digest[:2] / digest).write_bytes(json.dumps("no picture").encode())
    with pytest.raises(MldrError, match="damaged since it was written"):
        source_vectors(spool, pictures, cached(tmp_path), tmp_path / "vectors")
