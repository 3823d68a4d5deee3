from __future__ import annotations

import io
import random
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mldr.builders.buckets import Buckets
from mldr.builders.duplicates import Duplicates, find_duplicates, source_marks, with_components
from mldr.builders.imagehash import near_hashes, perceptual_hash
from mldr.builders.minhash import HASHES, jaccard, near_texts, shingles, signature
from mldr.builders.settings import CleanSettings
from mldr.builders.sources.record import Reading, SourceDialogue, SourceTurn
from mldr.builders.spool import Spool, longest_alternation, spooled
from mldr.components import Joined, components, ties_of_shared
from mldr.images import ImageError
from tests.builders.support import source

ENGLISH = (
    "I took the early ferry across the bay this morning and the light on the water was something else, you would have "
    "loved it; half the city seemed to be out walking their dogs along the quay before the rain came in from the west."
)
CHINESE = (
    "今天早上我坐了第一班渡轮过海湾,水面上的光线特别好看,你一定会喜欢的;"
    "下雨之前半个城市的人都在码头上遛狗,我还拍了几张照片准备晚上发给你看。"
)


def photograph(seed: int, size: tuple[int, int] = (320, 240)) -> Image.Image:
    """Return a picture of soft shapes, as a photograph is one."""
    draw = np.random.default_rng(seed)
    small = draw.integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(small).resize(size, Image.Resampling.BICUBIC)


def encoded(picture: Image.Image, kind: str = "PNG", **options: int) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def groups_by_definition(n: int, near: list[tuple[int, int]]) -> list[int]:
    named = components([f"{i:06d}" for i in range(n)], [(f"{a:06d}", f"{b:06d}") for a, b in near])
    return [int(named[f"{i:06d}"]) for i in range(n)]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=12))
def test_positions_that_are_joined_are_named_by_their_smallest(pairs: list[tuple[int, int]]) -> None:
    joined = Joined(10)
    for pair in pairs:
        joined.join(*pair)
    assert joined.roots().tolist() == groups_by_definition(10, pairs) == [joined.root(i) for i in range(10)]


@given(st.lists(st.integers(0, 7), max_size=40), st.integers(0, 7), st.integers(1, 50))
def test_buckets_give_each_pair_that_differs_in_the_given_bits_once(keys: list[int], bits: int, piece: int) -> None:
    array = np.array(keys, dtype=np.uint16)
    given_ = Buckets(array).pairs(Joined(len(keys)), bits, piece)
    found = [pair for a, b in given_ for pair in zip(a.tolist(), b.tolist(), strict=True)]
    expected = [(i, j) for j in range(len(keys)) for i in range(j) if keys[i] ^ keys[j] == bits]
    assert sorted(found) == sorted(expected)


def test_a_bucket_that_is_one_component_is_not_searched_again() -> None:
    joined = Joined(4)
    for position in range(3):
        joined.join(position, position + 1)
    assert list(Buckets(np.array([5, 5, 5, 5], dtype=np.uint64)).pairs(joined)) == []


def test_adjacent_pairs_link_every_bucket() -> None:
    first, second = Buckets(np.array([7, 3, 7, 3, 7], dtype=np.uint64)).adjacent()
    assert sorted(zip(first.tolist(), second.tolist(), strict=True)) == [(0, 2), (1, 3), (2, 4)]


def test_case_width_and_white_space_make_no_difference_to_shingles() -> None:
    assert np.array_equal(shingles("Hello   WORLD\n again"), shingles("hello world ａｇａｉｎ"))


@pytest.mark.parametrize(
    ("text", "count"), [("", 0), (" \n", 0), ("ab", 1), ("abcdef", 2), ("你好吗", 1), ("你好吗朋友", 3)]
)
def test_a_text_has_shingles_of_five_characters_and_of_three_in_chinese(text: str, count: int) -> None:
    assert len(shingles(text)) == count


@given(st.text(max_size=60))
def test_any_text_can_be_shingled_and_is_like_itself(text: str) -> None:
    own = shingles(text)
    assert len(signature(own)) == HASHES
    assert jaccard(own, own) == (1.0 if len(own) else 0.0)


@given(st.text("abcd ", min_size=20, max_size=200), st.text("abcd ", min_size=20, max_size=200))
@settings(max_examples=50)
def test_a_signature_estimates_the_similarity_of_the_shingles(first: str, second: str) -> None:
    a, b = shingles(first), shingles(second)
    estimate = float((signature(a) == signature(b)).mean())
    assert abs(estimate - jaccard(a, b)) < 0.25


def changed(text: str, draw: random.Random, share: float) -> str:
    """Return a text of which about `share` of the words are others."""
    words = text.split(" ")
    return " ".join(f"word{draw.randrange(999)}" if draw.random() < share else word for word in words)


@pytest.mark.parametrize("threshold", [0.3, 0.6, 0.8, 0.95, 1.0])
def test_groups_of_texts_are_those_of_the_definition(threshold: float) -> None:
    draw = random.Random(3)
    vocabulary = [f"term{number}" for number in range(400)]
    base = [" ".join(draw.choices(vocabulary, k=60)) for _ in range(12)]
    texts = [changed(draw.choice(base), draw, draw.choice([0, 0.02, 0.05, 0.1])) for _ in range(60)] + ["", ""]
    sets = [shingles(text) for text in texts]
    near = [(a, b) for b in range(62) for a in range(b) if jaccard(sets[a], sets[b]) >= threshold]
    assert near
    assert near_texts(texts, texts.__getitem__, threshold).tolist() == groups_by_definition(62, near)


@pytest.mark.parametrize(("text", "other"), [(ENGLISH, CHINESE), (CHINESE, ENGLISH)])
def test_small_edits_are_near_in_both_languages_and_another_text_is_not(text: str, other: str) -> None:
    edited = text[:60] + text[61:]
    assert near_texts([text, other, edited], [text, other, edited].__getitem__, 0.8).tolist() == [0, 1, 0]


def test_thousands_of_nearly_equal_texts_are_one_group_without_comparing_all_pairs() -> None:
    texts = [f"{ENGLISH} number {number}" for number in range(3000)]
    reads = 0

    def read(position: int) -> str:
        nonlocal reads
        reads += 1
        return texts[position]

    assert set(near_texts(texts, read, 0.8).tolist()) == {0}
    assert reads < 4 * len(texts)


def test_no_texts_have_no_groups() -> None:
    assert near_texts([], str, 0.8).tolist() == []


@given(
    st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=8),
    st.lists(st.tuples(st.integers(0, 7), st.sets(st.integers(0, 63), max_size=18)), max_size=20),
    st.integers(0, 16),
)
@settings(max_examples=60)
def test_groups_of_hashes_are_those_of_the_definition(
    base: list[int], flips: list[tuple[int, set[int]]], bits: int
) -> None:
    hashes = base + [base[which % len(base)] ^ sum(1 << bit for bit in chosen) for which, chosen in flips]
    near = [(a, b) for b in range(len(hashes)) for a in range(b) if (hashes[a] ^ hashes[b]).bit_count() <= bits]
    found = near_hashes(np.array(hashes, dtype=np.uint64), bits)
    assert found.tolist() == groups_by_definition(len(hashes), near)


def distance(first: bytes, second: bytes) -> int:
    one, other = perceptual_hash(first), perceptual_hash(second)
    assert one is not None
    assert other is not None
    return (one ^ other).bit_count()


@pytest.mark.parametrize("seed", range(5))
def test_a_scaled_recompressed_or_brightened_picture_hashes_nearly_the_same(seed: int) -> None:
    original = photograph(seed)
    variants = [
        encoded(original.resize((160, 120))),
        encoded(original, "JPEG", quality=40),
        encoded(original.point(lambda value: min(255, int(value * 1.1) + 4))),
        encoded(original.convert("L")),
    ]
    assert max(distance(encoded(original), variant) for variant in variants) <= 8


def test_other_pictures_hash_far_apart() -> None:
    pictures = [encoded(photograph(seed)) for seed in range(12)]
    assert min(distance(a, b) for i, a in enumerate(pictures) for b in pictures[:i]) > 12


@pytest.mark.parametrize("colour", ["red", "white", "black"])
def test_a_plain_surface_has_no_hash_so_that_plain_surfaces_are_not_alike(colour: str) -> None:
    assert perceptual_hash(encoded(Image.new("RGB", (64, 64), colour))) is None


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (3, 2), (2000, 3)])
def test_a_picture_of_any_shape_can_be_hashed(size: tuple[int, int]) -> None:
    value = perceptual_hash(encoded(photograph(1, size)))
    assert value is None or 0 <= value < 2**64


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(ImageError, match="not a picture"):
        perceptual_hash(b"GIF89a, or so it says")


def told(name: str, text: str) -> SourceDialogue:
    turns = tuple(SourceTurn(i % 2, part) for i, part in enumerate(text.split("; ")))
    return SourceDialogue(name, "src", "en", ("a", "b"), name, turns)


def spool_of(folder: Path, dialogues: list[SourceDialogue]) -> Spool:
    spool, _ = spooled(dialogues, folder / "spool.jsonl", Reading())
    return spool


def test_near_duplicates_are_found_by_id_and_named_by_their_smallest_member(tmp_path: Path) -> None:
    texts = {"d": ENGLISH, "b": ENGLISH.replace("early", "late"), "c": CHINESE, "a": ENGLISH}
    spool = spool_of(tmp_path, [told(name, text) for name, text in texts.items()])
    strict = CleanSettings(near_text=0.8, near_image_bits=4)
    found = find_duplicates(spool, spool.heads, {"k1": 3, "k2": 0xF0F0F0, "k3": 1, "k4": None}, strict)
    assert found == Duplicates({"a": "a", "b": "a", "d": "a"}, {"k1": "k1", "k3": "k1"})
    assert found.counts()["groups of near-duplicate text"] == 1


def test_the_order_of_reading_does_not_change_the_groups(tmp_path: Path) -> None:
    dialogues = [told(f"s{i}", changed(ENGLISH, random.Random(i), 0.05)) for i in range(12)]
    settings_ = CleanSettings(near_text=0.6)
    (tmp_path / "other").mkdir()
    first, second = spool_of(tmp_path, dialogues), spool_of(tmp_path / "other", dialogues[::-1])
    found = find_duplicates(first, first.heads, {}, settings_)
    assert found.texts
    assert found == find_duplicates(second, second.heads, {}, settings_)


def test_sources_that_were_dropped_join_no_group(tmp_path: Path) -> None:
    spool = spool_of(tmp_path, [told("a", ENGLISH), told("b", ENGLISH.replace("early", "late")), told("c", ENGLISH)])
    found = find_duplicates(spool, ["a", "b"], {}, CleanSettings(near_text=0.8))
    assert found.texts == {"a": "a", "b": "a"}


def test_nothing_is_searched_where_the_settings_turn_it_off(tmp_path: Path) -> None:
    spool = spool_of(tmp_path, [told("a", ENGLISH), told("b", ENGLISH)])
    assert find_duplicates(spool, spool.heads, {"k1": 1, "k2": 1}, CleanSettings()) == Duplicates()


def test_the_marks_of_a_source_are_its_text_its_pictures_and_its_groups(tmp_path: Path) -> None:
    spool = spool_of(tmp_path, [source("a", "t", images=("x",)), source("b", "t", images=("y",)), source("c", "t")])
    duplicates = Duplicates({"a": "a", "c": "a"}, {"kx": "kx", "ky": "kx"})
    marks = source_marks(spool.heads, {"src/x": "kx", "src/y": "ky"}, duplicates)
    assert marks["a"] == {f"text:{spool.heads['a'].text_hash}", "kx", "like:kx", "text like:a"}
    tied = {tuple(sorted(tie)) for tie in ties_of_shared(marks)}
    assert tied == {("a", "b"), ("a", "c")}


def test_a_component_is_kept_apart_unless_its_split_could_then_not_be_matched(tmp_path: Path) -> None:
    spool = spool_of(tmp_path, [source(f"s{i}", "t") for i in range(9)])
    marks = {source_id: frozenset[str]() for source_id in spool.heads}
    small = {f"s{i}": "s0" if i < 3 else f"s{i}" for i in range(9)}
    large = {f"s{i}": "s0" if i < 4 else f"s{i}" for i in range(9)}
    split = dict.fromkeys(spool.heads, "test")
    assert with_components(marks, spool.heads, split, small)["s2"] == {"component:s0"}
    assert with_components(marks, spool.heads, split, large)["s2"] == frozenset()
    assert with_components(marks, spool.heads, split, large)["s8"] == {"component:s8"}


@pytest.mark.parametrize(
    ("speakers", "longest"),
    [
        ([], 0),
        ([0], 1),
        ([0, 0], 1),
        ([0, 1], 2),
        ([0, 1, 0], 3),
        ([0, 1, 2], 2),
        ([0, 1, 2, 1, 2], 4),
        ([0, 0, 1, 0, 0], 3),
    ],
)
def test_the_longest_alternation_of_two_speakers(speakers: list[int], longest: int) -> None:
    assert longest_alternation(speakers) == longest


@given(st.lists(st.integers(0, 2), max_size=10))
def test_the_longest_alternation_is_that_of_the_definition(speakers: list[int]) -> None:
    def alternates(run: list[int]) -> bool:
        return len(set(run)) <= 2 and all(a != b for a, b in pairwise(run))

    runs = [speakers[a:b] for b in range(len(speakers) + 1) for a in range(b)]
    assert longest_alternation(speakers) == max((len(run) for run in runs if alternates(run)), default=0)
