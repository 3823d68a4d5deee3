from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldr.builders.duplicates import Duplicates, Marks, source_marks, with_components
from mldr.builders.match import Match
from mldr.builders.plan import plan
from mldr.builders.settings import MatchSettings
from mldr.builders.sourcevectors import SourceVectors
from mldr.builders.split import SourceSplit, split_sources
from mldr.builders.spool import SourceHead
from mldr.builders.triplets import Matches, match_nearest
from mldr.components import ties_of_shared
from mldr.errors import InputError
from mldr.files import sha256_text

SEED = 4


class Corpus:
    """Sources with vectors, some alike, some sharing pictures, some near-duplicates."""

    def __init__(self, n: int, seed: int = 0, shares: dict[str, float] | None = None, pictures: int = 25) -> None:
        draw = np.random.default_rng(seed)
        names = [f"s{i:03d}" for i in range(n)]
        centres = 2 * draw.standard_normal((5, 8))
        text = (draw.standard_normal((n, 8)) + centres[draw.integers(0, 5, n)]).astype(np.float32)
        text[draw.random(n) < 0.1] = text[:1]
        image = draw.standard_normal((n, 6)).astype(np.float32)
        self.vectors = SourceVectors(names, text, image, draw.random(n) < 0.7)
        self.heads: dict[str, SourceHead] = {}
        for i, name in enumerate(names):
            refs = tuple(f"i{k}" for k in draw.integers(0, pictures, 1)) if draw.random() < 0.4 else ()
            language = "zh" if draw.random() < 0.2 else "en"
            self.heads[name] = SourceHead(name, language, f"t{i % 4}", 4, refs, f"text {i}", i)
        twins = {f"s{i:03d}": f"s{i - i % 2:03d}" for i in range(0, n // 5)}
        self.keys = {f"i{k}": f"sha256:{k}" for k in range(pictures)}
        direct = source_marks(self.heads, self.keys, Duplicates(twins))
        self.split: SourceSplit = split_sources(
            self.heads, self.keys, shares or {"train_sft": 0.6, "test": 0.4}, SEED, ties_of_shared(direct)
        )
        self.marks: Marks = with_components(direct, self.heads, self.split.split_of, self.split.component_of)

    def matches(self, chosen: MatchSettings, dropped: Counter[str] | None = None, **more: tuple[int, int]) -> Matches:
        counter: Counter[str] = Counter() if dropped is None else dropped
        return match_nearest(
            self.heads,
            self.split.split_of,
            self.vectors,
            self.marks,
            chosen,
            SEED,
            counter,
            **more,  # type: ignore[arg-type]
        )

    def pool(self, split: str, language: str) -> list[str]:
        """Return the ids of a pool in the order that settles ties."""
        ids = [s for s, home in self.split.split_of.items() if home == split and self.heads[s].language == language]
        return sorted(ids, key=lambda s: sha256_text(f"{SEED}/match/{s}"))


class Definition:
    """The matching of one pool, written down pair by pair from a full matrix."""

    def __init__(self, corpus: Corpus, ids: list[str], chosen: MatchSettings) -> None:
        self.ids, self.marks, self.chosen = ids, corpus.marks, chosen
        row_of = {s: i for i, s in enumerate(corpus.vectors.ids)}
        rows = [row_of[s] for s in ids]
        assert corpus.vectors.image is not None
        assert corpus.vectors.has_image is not None
        text = self.cosines(corpus.vectors.text[rows])
        image = self.cosines(corpus.vectors.image[rows])
        has = corpus.vectors.has_image[rows]
        both = has[:, None] & has[None, :]
        total = chosen.text_weight + chosen.image_weight
        self.scores = np.where(both, (chosen.text_weight * text + chosen.image_weight * image) / total, text)
        self.lists = [self.candidates(a, text) for a in range(len(ids))]

    @staticmethod
    def cosines(rows: np.ndarray) -> np.ndarray:
        wide = rows.astype(np.float64)
        wide /= np.linalg.norm(wide, axis=1, keepdims=True)
        # rounded: equal vectors score equal
        return np.round(wide @ wide.T, 5)

    def free(self, a: int, b: int) -> bool:
        return a != b and not self.marks[self.ids[a]] & self.marks[self.ids[b]]

    def candidates(self, a: int, text: np.ndarray) -> list[int]:
        free = sorted((b for b in range(len(self.ids)) if self.free(a, b)), key=lambda b: (-text[a, b], b))
        return sorted(free[: self.chosen.candidates], key=lambda b: (-self.scores[a, b], b))

    def chains(self) -> list[tuple[str, ...]]:
        found: list[tuple[str, ...]] = []
        for a in range(len(self.ids)):
            for b in self.lists[a][: self.chosen.best]:
                beside = [c for c in self.lists[b] if self.free(a, c)][: self.chosen.best]
                found += [(self.ids[a], self.ids[b], self.ids[c]) for c in beside]
        return found

    def once(self) -> list[tuple[str, ...]]:
        """Return the best triple, then the best of the rest, and so on; every list holds every source that is free."""
        left = set(range(len(self.ids)))
        found: list[tuple[str, ...]] = []
        while True:
            triples = [
                (-round(float(self.scores[a, b] + self.scores[b, c]), 5), a, b, c)
                for a in left
                for b in left
                if self.free(a, b)
                for c in left
                if self.free(b, c) and self.free(a, c)
            ]
            if not triples:
                return found
            _, a, b, c = min(triples)
            found.append((self.ids[a], self.ids[b], self.ids[c]))
            left -= {a, b, c}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("candidates", "best"), [(50, 2), (5, 2), (3, 3), (50, 1)])
def test_training_triplets_are_those_of_the_definition(seed: int, candidates: int, best: int) -> None:
    corpus = Corpus(60, seed, {"train_sft": 1.0})
    chosen = MatchSettings(method="embeddings", candidates=candidates, best=best)
    found = [one.source_ids for one in corpus.matches(chosen)]
    expected = [
        t for language in ("en", "zh") for t in Definition(corpus, corpus.pool("train_sft", language), chosen).chains()
    ]
    assert found == expected


@pytest.mark.parametrize("seed", range(5))
def test_test_triplets_are_the_best_that_are_left_each_time(seed: int) -> None:
    corpus = Corpus(40, seed, {"test": 1.0})
    chosen = MatchSettings(method="embeddings", candidates=60)
    found = [one.source_ids for one in corpus.matches(chosen)]
    expected = [
        one for language in ("en", "zh") for one in Definition(corpus, corpus.pool("test", language), chosen).once()
    ]
    total = Counter(source_id for one in expected for source_id in one)
    assert max(total.values()) == 1
    assert {frozenset(one) for one in found} == {frozenset(one) for one in expected}


corpora = st.builds(Corpus, st.integers(1, 50), st.integers(0, 50), pictures=st.sampled_from([1, 3, 25]))
choices = st.builds(MatchSettings, candidates=st.integers(1, 12), best=st.integers(1, 3), neighbours=st.integers(0, 5))


@given(corpora, choices)
@settings(max_examples=60, deadline=None)
def test_a_triplet_is_of_one_split_and_language_and_shares_nothing(corpus: Corpus, chosen: MatchSettings) -> None:
    for one in corpus.matches(chosen):
        assert len(set(one.source_ids)) == 3
        assert {corpus.split.split_of[s] for s in one.source_ids} == {one.split}
        assert {corpus.heads[s].language for s in one.source_ids} == {one.language}
        marks = [mark for s in one.source_ids for mark in corpus.marks[s]]
        assert len(marks) == len(set(marks))


@given(corpora, choices)
@settings(max_examples=60, deadline=None)
def test_neighbours_are_of_the_same_split_and_share_nothing_with_any_of_the_three(
    corpus: Corpus, chosen: MatchSettings
) -> None:
    for one in corpus.matches(chosen):
        assert len(one.neighbours) == len(set(one.neighbours)) <= chosen.neighbours
        taken = frozenset[str]().union(*(corpus.marks[s] for s in one.source_ids))
        for near in one.neighbours:
            assert near not in one.source_ids
            assert corpus.split.split_of[near] == one.split
            assert corpus.heads[near].language == one.language
            assert not corpus.marks[near] & taken


@given(corpora, choices)
@settings(max_examples=60, deadline=None)
def test_each_source_of_a_test_split_is_told_once_and_what_is_left_is_counted(
    corpus: Corpus, chosen: MatchSettings
) -> None:
    dropped: Counter[str] = Counter()
    matches = corpus.matches(chosen, dropped)
    used = Counter(s for one in matches if one.split == "test" for s in one.source_ids)
    assert all(count == 1 for count in used.values())
    told = {s for one in matches for s in one.source_ids}
    assert len(told) + dropped.total() == len(corpus.split.split_of)


@given(corpora, choices)
@settings(max_examples=40, deadline=None)
def test_nothing_that_could_still_be_told_is_left_over_in_a_test_split(corpus: Corpus, chosen: MatchSettings) -> None:
    used = {s for one in corpus.matches(chosen) if one.split == "test" for s in one.source_ids}
    for language in ("en", "zh"):
        left = [s for s in corpus.pool("test", language) if s not in used]
        for a in left:
            for b in left:
                for c in left:
                    shared = [mark for s in (a, b, c) for mark in corpus.marks[s]]
                    assert len({a, b, c}) < 3 or len(shared) > len(set(shared))


@given(st.integers(1, 45), st.integers(0, 30), choices, st.integers(1, 50), st.integers(1, 50))
@settings(max_examples=40, deadline=None)
def test_the_size_of_the_blocks_and_the_order_of_the_sources_change_nothing(
    n: int, seed: int, chosen: MatchSettings, rows: int, columns: int
) -> None:
    corpus, other = Corpus(n, seed), Corpus(n, seed)
    shuffled = np.random.default_rng(seed + 1).permutation(n)
    whole = corpus.vectors
    assert whole.image is not None
    assert whole.has_image is not None
    ids = [whole.ids[i] for i in shuffled]
    other.vectors = SourceVectors(ids, whole.text[shuffled], whole.image[shuffled], whole.has_image[shuffled])
    other.heads = {s: other.heads[s] for s in ids}
    other.split = SourceSplit({s: other.split.split_of[s] for s in ids if s in other.split.split_of}, {}, Counter())
    assert list(corpus.matches(chosen)) == list(other.matches(chosen, block=(rows, columns)))


@given(corpora, choices)
@settings(max_examples=30, deadline=None)
def test_an_ordered_triplet_comes_once_and_reordered_ones_are_counted(corpus: Corpus, chosen: MatchSettings) -> None:
    matches = corpus.matches(chosen)
    assert len({one.source_ids for one in matches}) == len(matches)
    assert matches.n_reordered() == len(matches) - len({frozenset(one.source_ids) for one in matches})


def test_the_matches_are_a_sequence_that_the_plan_takes() -> None:
    corpus = Corpus(50)
    matches = corpus.matches(MatchSettings(neighbours=3))
    rows = plan(matches, corpus.heads, corpus.split, 1, 0)
    assert {row.source_ids for row in rows} == {one.source_ids for one in matches}
    assert {row.neighbours for row in rows} == {one.neighbours for one in matches}
    assert matches[-1] == matches[len(matches) - 1] == list(matches)[-1]
    assert matches[1:3] == list(matches)[1:3]
    with pytest.raises(IndexError):
        matches[len(matches)]


def test_a_match_goes_from_near_to_near() -> None:
    angles = np.deg2rad([0, 5, 11, 90, 96, 103])
    text = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    heads = {f"s{i}": SourceHead(f"s{i}", "en", "", 4, (), f"{i}", i) for i in range(6)}
    marks = {s: frozenset[str]() for s in heads}
    vectors = SourceVectors(list(heads), text)
    found = match_nearest(heads, dict.fromkeys(heads, "test"), vectors, marks, MatchSettings(), 0, Counter())
    assert {frozenset(one.source_ids) for one in found} == {
        frozenset({"s0", "s1", "s2"}),
        frozenset({"s3", "s4", "s5"}),
    }


def pool_of(text: np.ndarray, marks: list[set[str]] | None = None) -> tuple[list[Match], Counter[str]]:
    heads = {f"s{i}": SourceHead(f"s{i}", "en", "", 4, (), f"{i}", i) for i in range(len(text))}
    own: Marks = {s: frozenset(marks[i] if marks else ()) for i, s in enumerate(heads)}
    dropped: Counter[str] = Counter()
    vectors = SourceVectors(list(heads), text.astype(np.float32))
    found = match_nearest(heads, dict.fromkeys(heads, "test"), vectors, own, MatchSettings(), 0, dropped)
    return list(found), dropped


@pytest.mark.parametrize("n", [0, 1, 2])
def test_fewer_than_three_sources_make_no_dialogue_and_are_counted(n: int) -> None:
    found, dropped = pool_of(np.ones((n, 4)))
    assert found == []
    assert dropped.total() == n


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_vectors_that_are_all_equal_or_zero_still_make_dialogues(value: float) -> None:
    found, dropped = pool_of(np.full((20, 4), value))
    assert len(found) == 6
    assert dropped.total() == 2


def test_sources_that_all_share_a_picture_make_no_dialogue() -> None:
    found, dropped = pool_of(np.random.default_rng(0).standard_normal((200, 4)), [{"picture"}] * 200)
    assert found == []
    assert dropped.total() == 200


def test_a_crowd_that_shares_a_picture_is_told_with_those_that_are_far_away() -> None:
    draw = np.random.default_rng(0)
    crowd, others = draw.standard_normal((120, 4)) * 0.01 + 1, draw.standard_normal((3, 4)) * 0.01 - 1
    found, _ = pool_of(np.concatenate([crowd, others]), [{"picture"}] * 120 + [{"a"}, {"b"}, {"c"}])
    assert len(found) == 1


def test_a_source_without_a_vector_is_a_fault_with_its_id() -> None:
    corpus = Corpus(5)
    corpus.vectors = SourceVectors(corpus.vectors.ids[1:], corpus.vectors.text[1:])
    with pytest.raises(InputError, match="source s000: has no embedding"):
        corpus.matches(MatchSettings())


def test_single_use_can_be_asked_of_any_split() -> None:
    corpus = Corpus(30, shares={"train_sft": 1.0})
    found = match_nearest(
        corpus.heads,
        corpus.split.split_of,
        corpus.vectors,
        corpus.marks,
        MatchSettings(),
        SEED,
        Counter(),
        single_use=("train_sft",),
    )
    assert max(Counter(s for one in found for s in one.source_ids).values()) == 1
