"""The table of vectors: built once by content, refused where one is missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import mldr
from mldr.dialogue import Dialogue, DialogueImage, Gold, StoredImage, Utterance
from mldr.embed import CachedEmbedder, unit_rows
from mldr.errors import InputError, MldrError
from mldr.markup import Sees
from mldr.retrievers.f2rvlm.rewards import Target, order_reward
from mldr.retrievers.f2rvlm.vectors import DialogueVectors, VectorTable
from tests.conftest import small_rows, stored_picture, write_dataset
from tests.core.support_embed import Blind, Hashes, Spec, hashed
from tests.retrievers.f2rvlm.support_rewards import answer, drawn_vectors


def built(dataset: mldr.Dataset, folder: Path, sees: Sees = "pixels", embedder: Hashes | None = None) -> VectorTable:
    with CachedEmbedder(embedder or Hashes(Spec()), folder / "vectors.sqlite") as cached:
        return VectorTable.build(dataset, "train_grpo", cached, sees)


def dataset_of(folder: Path, *dialogues: Dialogue, images: tuple[StoredImage, ...] = ()) -> mldr.Dataset:
    tables = {"dialogues": list(dialogues), "queries": [], "gold": [], "fragments": [], "images": list(images)}
    return write_dataset(folder / "dataset", {"train_grpo": tables})  # type: ignore[dict-item]


def dialogue(
    number: int, *utterances: tuple[str, tuple[int, ...]], images: tuple[tuple[str, str], ...] = ()
) -> Dialogue:
    return Dialogue(
        f"{number:016x}",
        "en",
        "stitched",
        "c",
        tuple(Utterance("a", text, carried) for text, carried in utterances),
        tuple(DialogueImage(key, caption) for key, caption in images),
    )


@pytest.fixture
def pictured(tmp_path: Path) -> mldr.Dataset:
    """Two dialogues that share a text and a picture; one has an utterance without text that carries two pictures."""
    red, blue = stored_picture("red"), stored_picture("blue")
    one = dialogue(
        1,
        ("hello", ()),
        ("", (0, 1)),
        ("look", (2,)),
        images=((red.image_key, "a red thing"), (blue.image_key, "a blue thing"), (red.image_key, "red again")),
    )
    two = dialogue(2, ("hello", (0,)), images=((blue.image_key, "a blue thing"),))
    return dataset_of(tmp_path, one, two, images=(red, blue))


def test_every_utterance_and_picture_has_its_unit_vector_and_its_carrier(
    pictured: mldr.Dataset, tmp_path: Path
) -> None:
    own = built(pictured, tmp_path).of(f"{1:016x}")
    expected = unit_rows(np.array([hashed("hello"), hashed("look")], dtype=np.float32))
    np.testing.assert_array_equal(own.utterances[[0, 2]], expected)
    assert np.isnan(own.utterances[1]).all()
    assert own.with_text == {0, 2}
    assert own.carriers.tolist() == [1, 1, 2]
    np.testing.assert_allclose(np.linalg.norm(own.images, axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(own.images[0], own.images[2])
    assert not np.array_equal(own.images[0], own.images[1])


def test_captions_stand_for_pictures_where_only_they_are_seen(pictured: mldr.Dataset, tmp_path: Path) -> None:
    own = built(pictured, tmp_path, "captions", Blind(Spec())).of(f"{1:016x}")
    texts = ["a red thing", "a blue thing", "red again"]
    np.testing.assert_array_equal(own.images, unit_rows(np.array([hashed(t) for t in texts], dtype=np.float32)))


def test_equal_texts_and_pictures_are_embedded_once_and_never_again(pictured: mldr.Dataset, tmp_path: Path) -> None:
    first, second = Hashes(Spec()), Hashes(Spec())
    table = built(pictured, tmp_path, embedder=first)
    asked = [text for texts in first.asked for text in texts]
    assert sorted(asked) == sorted(set(asked))
    assert len(asked) == 4
    again = built(pictured, tmp_path, embedder=second)
    assert second.asked == []
    np.testing.assert_array_equal(again.of(f"{2:016x}").images, table.of(f"{2:016x}").images)


def test_a_dialogue_that_the_table_lacks_is_named(pictured: mldr.Dataset, tmp_path: Path) -> None:
    table = built(pictured, tmp_path)
    assert len(table) == 2
    with pytest.raises(MldrError, match="dialogue 'nobody' has no vectors"):
        table.of("nobody")


def test_every_image_without_bytes_is_told_before_anything_is_embedded(tmp_path: Path) -> None:
    red = stored_picture("red")
    gone = StoredImage("ref:tests/1", "url_only", url="https://example.org/1.png")
    one = dialogue(1, ("a", (0, 1)), images=((red.image_key, ""), (gone.image_key, "")))
    two = dialogue(2, ("b", (0,)), images=((gone.image_key, ""),))
    embedder = Hashes(Spec())
    with pytest.raises(InputError) as caught:
        built(dataset_of(tmp_path, one, two, images=(red, gone)), tmp_path, embedder=embedder)
    assert caught.value.total == 2
    assert f"dialogue {1:016x}, image 1: has no stored bytes" in str(caught.value)
    assert f"dialogue {2:016x}, image 0: has no stored bytes" in str(caught.value)
    assert embedder.asked == []


def test_an_image_without_a_caption_is_told_where_captions_stand_for_pictures(tmp_path: Path) -> None:
    red = stored_picture("red")
    one = dialogue(1, ("a", (0,)), images=((red.image_key, ""),))
    with pytest.raises(InputError, match="image 0: has no caption, so no vector"):
        built(dataset_of(tmp_path, one, images=(red,)), tmp_path, "captions")


def test_where_only_text_is_seen_a_dialogue_with_an_image_is_told_and_one_without_is_fine(
    pictured: mldr.Dataset, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="where only text is seen"):
        built(pictured, tmp_path, "text")
    plain = dataset_of(tmp_path / "plain", dialogue(1, ("a", ()), ("b", ())))
    assert built(plain, tmp_path, "text").of(f"{1:016x}").n_images == 0


def test_a_corrupt_picture_is_named_by_its_key(tmp_path: Path) -> None:
    red = stored_picture("red")
    torn = StoredImage(red.image_key, "present", content=(red.content or b"")[:40], width=40, height=30)
    one = dialogue(1, ("a", (0,)), images=((red.image_key, ""),))
    with pytest.raises(InputError, match=f"image {red.image_key}: cannot be decoded"):
        built(dataset_of(tmp_path, one, images=(torn,)), tmp_path)


def test_an_embedder_that_sees_no_images_is_refused_for_pixels(pictured: mldr.Dataset, tmp_path: Path) -> None:
    with pytest.raises(MldrError, match="sees no images; choose one that does"):
        built(pictured, tmp_path, embedder=Blind(Spec()))


def test_a_split_of_dialogues_without_any_text_or_image_has_empty_rows(tmp_path: Path) -> None:
    own = built(dataset_of(tmp_path, dialogue(1, ("", ()))), tmp_path).of(f"{1:016x}")
    assert own.with_text == frozenset()
    other = drawn_vectors(2)
    assert order_reward([answer()] * 2, [Target(frozenset(), frozenset())] * 2, [own, other]).tolist() == [1, 1]


def test_the_gold_of_a_dataset_scores_from_its_table(tmp_path: Path) -> None:
    dataset = write_dataset(tmp_path / "dataset", {"train_grpo": small_rows(0, "red")})
    table = built(dataset, tmp_path)
    for asked in dataset.asked("train_grpo"):
        for gold in asked.gold:
            text = answer(gold.utterance_ids, gold.image_ids)
            (reward,) = order_reward([text], [Target.of(gold, asked.dialogue)], [table.of(asked.dialogue.dialogue_id)])
            n = len(gold.utterance_ids) + len(gold.image_ids)
            assert reward == {0: 1.0, 1: 0.5}.get(n, reward)
            assert 0 <= reward <= 1
    assert any(isinstance(gold, Gold) for gold in dataset.gold("train_grpo"))


@pytest.mark.parametrize(
    ("utterances", "images", "carriers", "said"),
    [
        (np.ones((2, 3)), np.ones((1, 4)), [0], "do not fit one another"),
        (np.ones((2, 3)), np.ones((2, 3)), [0], "do not fit one another"),
        (np.ones(3), np.ones((0, 3)), [], "do not fit one another"),
        (np.array([[1, np.nan]]), np.ones((0, 2)), [], "no finite number"),
        (np.ones((2, 2)), np.full((1, 2), np.nan), [0], "no finite number"),
        (np.ones((2, 1)), np.full((1, 1), 0.5), [0], "not of length 1"),
        (np.full((1, 2), 0.5), np.ones((0, 2)), [], "not of length 1"),
        (np.ones((2, 1)), np.ones((1, 1)), [2], "no ascending utterance ids"),
        (np.ones((2, 1)), np.ones((2, 1)), [1, 0], "no ascending utterance ids"),
    ],
)
def test_vectors_that_cannot_be_a_dialogue_are_refused(
    utterances: np.ndarray, images: np.ndarray, carriers: list[int], said: str
) -> None:
    with pytest.raises(MldrError, match=said):
        DialogueVectors(utterances.astype(np.float32), images.astype(np.float32), np.array(carriers, dtype=np.int64))


def test_sizes_are_those_of_the_dialogue() -> None:
    own = drawn_vectors(4, (0, 2, 2), width=7)
    assert (own.n_utterances, own.n_images, own.dimensions) == (4, 3, 7)
