from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # comes with scikit-learn

from mldr.builders.clean import clean, misshapen_images, rarely_alternating, unlike_images
from mldr.builders.coherence import incoherent
from mldr.builders.settings import CleanSettings, CoherenceSettings
from mldr.builders.spool import SourceHead
from mldr.dialogue import StoredImage
from mldr.embed import Vectors
from mldr.errors import InputError


def head(
    name: str, images: tuple[str, ...] = (), alternation: int = 4, language: str = "en", turns: int = 4
) -> SourceHead:
    return SourceHead(name, language, "t", turns, images, name, 0, alternation)


def heads_of(*made: SourceHead) -> dict[str, SourceHead]:
    return {one.source_id: one for one in made}


def picture(width: int | None, height: int | None) -> StoredImage:
    return StoredImage("k", "present" if width else "url_only", width=width, height=height)


def test_sources_without_enough_alternating_turns_are_dropped_with_the_reason() -> None:
    heads = heads_of(head("a", alternation=3), head("b", alternation=2), head("c", alternation=0))
    found = rarely_alternating(heads, 3)
    assert found.dropped == dict.fromkeys("bc", "sources without 3 alternating turns in a row")
    assert not found.not_judged


@pytest.mark.parametrize(
    ("size", "reason"),
    [
        ((500, 500), None),
        ((499, 4000), "sources with a picture under 500 pixels on its shorter side"),
        ((4000, 499), "sources with a picture under 500 pixels on its shorter side"),
        ((3750, 500), None),
        ((3751, 500), "sources with a picture longer than 7.5 : 1"),
        ((500, 3751), "sources with a picture longer than 7.5 : 1"),
    ],
)
def test_small_and_long_pictures_cost_their_dialogue(size: tuple[int, int], reason: str | None) -> None:
    found = misshapen_images(heads_of(head("a", ("i",))), {"i": picture(*size)}, 500, 7.5)
    assert found.dropped == ({"a": reason} if reason else {})


def test_a_limit_that_is_zero_is_off() -> None:
    heads, images = heads_of(head("a", ("i",))), {"i": picture(9000, 1)}
    assert not misshapen_images(heads, images, 1, 0).dropped
    assert misshapen_images(heads, images, 0, 7.5).dropped


def test_pictures_without_bytes_cannot_be_judged_and_their_dialogue_is_kept_and_counted() -> None:
    heads = heads_of(head("a", ("i", "j")), head("b", ("i", "k")), head("c"), head("d", ("unknown",)))
    images = {"i": picture(None, None), "j": picture(600, 600), "k": picture(10, 10)}
    found = misshapen_images(heads, images, 500, 7.5)
    assert list(found.dropped) == ["b"]
    assert found.not_judged == {"sources with a picture of unknown size (no image file)": 2}


def test_a_picture_unlike_its_text_costs_its_dialogue_and_one_without_a_vector_is_not_judged() -> None:
    heads = heads_of(head("a", ("i",)), head("b", ("i", "j")), head("c", ("k",)), head("d"), head("e", ("i", "k")))
    found = unlike_images(heads, {"i": 0.25, "j": 0.1}, 0.25)
    assert found.dropped == {"b": "sources with a picture unlike its text (cosine under 0.25)"}
    assert found.not_judged == {"sources with a picture without an embedding": 2}


def test_every_cosine_that_is_not_finite_is_a_fault_with_its_source() -> None:
    heads = heads_of(head("a", ("i",)), head("b", ("j",)), head("c", ("k",)))
    with pytest.raises(InputError) as caught:
        unlike_images(heads, {"i": float("nan"), "j": 0.5, "k": float("inf")}, 0.2)
    assert [fault.place for fault in caught.value.faults] == ["source a", "source c"]


Stream = Callable[[], Iterable[tuple[str, Vectors]]]


def corner(topic: int, n: int, seed: int = 0) -> Vectors:
    """Return turns about one of eight topics."""
    noise = np.random.default_rng(seed).standard_normal((n, 8)) * 0.05
    noise[:, topic] += 1
    return noise.astype(np.float32)


def mixed_corpus() -> tuple[dict[str, SourceHead], dict[str, Vectors]]:
    """Return sources of one topic each, and two (`w1`, `w2`) that wander through four."""
    blocks = {f"s{i:02d}": corner(i % 4, 6, i) for i in range(24)}
    for name in ("w1", "w2"):
        blocks[name] = np.concatenate([corner(topic, 2, topic) for topic in range(4)])
    return heads_of(*(head(name, turns=len(rows)) for name, rows in blocks.items())), blocks


def test_sources_that_wander_between_topics_are_dropped() -> None:
    heads, blocks = mixed_corpus()
    found = incoherent(heads, blocks.items, CoherenceSettings(clusters=4, floor=0.5), 0)
    assert set(found.dropped) == {"w1", "w2"}
    assert set(found.dropped.values()) == {"sources that stray from one topic (under 50% of the turns in one cluster)"}


@pytest.mark.parametrize(("floor", "dropped"), [(0.0, set()), (0.25, set()), (0.26, {"w1", "w2"}), (1.0, {"w1", "w2"})])
def test_the_floor_is_the_smallest_share_that_passes(floor: float, dropped: set[str]) -> None:
    heads, blocks = mixed_corpus()
    assert set(incoherent(heads, blocks.items, CoherenceSettings(clusters=4, floor=floor), 0).dropped) == dropped


@given(st.permutations(sorted(mixed_corpus()[1])), st.integers(0, 3))
@settings(max_examples=10, deadline=None)
def test_the_order_of_the_stream_changes_nothing(order: list[str], seed: int) -> None:
    heads, blocks = mixed_corpus()
    chosen = CoherenceSettings(clusters=5, floor=0.6)
    shuffled = incoherent(heads, lambda: [(name, blocks[name]) for name in order], chosen, seed)
    assert set(shuffled.dropped) == set(incoherent(heads, blocks.items, chosen, seed).dropped)


def test_each_language_has_clusters_of_its_own() -> None:
    zh = {f"z{i}": corner(4, 3, i) for i in range(3)}
    en = {f"e{i}": corner(i % 2, 3, i) for i in range(4)}
    heads = heads_of(*(head(name, language="zh") for name in zh), *(head(name) for name in en))
    both = {**zh, **en}
    alone = incoherent({name: heads[name] for name in en}, en.items, CoherenceSettings(clusters=3, floor=0.9), 0)
    together = incoherent(heads, both.items, CoherenceSettings(clusters=3, floor=0.9), 0)
    assert {name for name in together.dropped if name in en} == set(alone.dropped)


@pytest.mark.parametrize("clusters", [1, 3, 500])
def test_more_clusters_than_turns_are_no_fault(clusters: int, recwarn: pytest.WarningsRecorder) -> None:
    blocks = {"a": corner(0, 1), "b": np.ones((2, 8), np.float32)}
    heads = heads_of(head("a"), head("b"))
    found = incoherent(heads, blocks.items, CoherenceSettings(clusters=clusters, floor=1.0), 0)
    assert not found.dropped
    assert not [str(warning.message) for warning in recwarn]


def test_turns_without_text_do_not_count_and_sources_without_vectors_are_not_judged() -> None:
    blocks = {
        "a": np.concatenate([corner(0, 3), np.zeros((9, 8), np.float32)]),
        "b": np.zeros((2, 8), np.float32),
        "c": np.zeros((0, 8), np.float32),
        "other": corner(1, 3),
    }
    heads = heads_of(*(head(name) for name in "abcd"))
    found = incoherent(heads, blocks.items, CoherenceSettings(clusters=1, floor=1.0), 0)
    assert not found.dropped
    assert found.not_judged == {"sources whose turns have no embedding": 3}


def test_turns_that_cannot_be_used_are_faults_with_their_source() -> None:
    bad = corner(0, 2)
    bad[1, 3] = np.nan
    blocks = [("a", corner(0, 2)), ("b", bad), ("c", corner(0, 2)[:, :3]), ("a", corner(1, 2)), ("d", bad[0])]
    heads = heads_of(*(head(name) for name in "abcd"))
    with pytest.raises(InputError) as caught:
        incoherent(heads, lambda: blocks, CoherenceSettings(), 0)
    assert [fault.place for fault in caught.value.faults] == ["source b", "source c", "source a", "source d"]


def test_the_clusters_do_not_depend_on_the_number_of_threads() -> None:
    rows = np.random.default_rng(0).standard_normal((3000, 64)).astype(np.float32)
    blocks = {f"s{i:03d}": rows[10 * i : 10 * i + 10] for i in range(300)}
    heads = heads_of(*(head(name, turns=10) for name in blocks))
    found = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            found.append(incoherent(heads, blocks.items, CoherenceSettings(clusters=20, floor=0.3), 5).dropped)
    assert found[0] == found[1]
    assert 0 < len(found[0]) < 300


def test_scikit_learn_that_is_absent_is_named_with_the_command_that_installs_it() -> None:
    code = (
        "import sys\n"
        "sys.modules['sklearn'] = None\n"
        "from mldr.builders.coherence import incoherent\n"
        "from mldr.builders.settings import CoherenceSettings\n"
        "from tests.builders.test_clean import mixed_corpus\n"
        "heads, blocks = mixed_corpus()\n"
        "from mldr.errors import MissingExtra\n"
        "try:\n"
        "    incoherent(heads, blocks.items, CoherenceSettings(), 0)\n"
        "except MissingExtra as error:\n"
        "    print(error)"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "pip install 'mldr[embed]'" in shown


def test_cleaning_applies_what_the_settings_turn_on_and_counts_each_source_once() -> None:
    heads = heads_of(
        head("a", alternation=1),
        head("b", ("small",), alternation=1),
        head("c", ("small",)),
        head("d", ("odd",)),
        head("e", ("fine",)),
    )
    images = {"small": picture(20, 20), "odd": picture(600, 600), "fine": picture(600, 600)}
    chosen = CleanSettings(alternating_turns=3, min_side=500, max_aspect=7.5, image_text_floor=0.2)
    found = clean(heads, chosen, images=images, image_text={"odd": 0.0, "fine": 0.4})
    assert found.kept == ("e",)
    assert found.dropped == {
        "sources without 3 alternating turns in a row": 2,
        "sources with a picture under 500 pixels on its shorter side": 1,
        "sources with a picture unlike its text (cosine under 0.2)": 1,
    }
    assert len(found.kept) + found.dropped.total() == len(heads)


def test_cleaning_with_every_filter_off_keeps_everything_and_asks_for_nothing() -> None:
    heads = heads_of(head("a", ("i",), alternation=0), head("b"))
    found = clean(heads, CleanSettings())
    assert (found.kept, found.dropped, found.not_judged) == (("a", "b"), Counter(), Counter())


def test_a_filter_without_its_evidence_judges_nothing_and_says_so() -> None:
    heads = heads_of(head("a", ("i",)))
    chosen = CleanSettings(min_side=9, image_text_floor=0.2, coherence=CoherenceSettings())
    found = clean(heads, chosen)
    assert found.kept == ("a",)
    assert found.not_judged.total() == 3


def test_coherence_sees_only_what_the_cheaper_filters_left() -> None:
    heads, blocks = mixed_corpus()
    heads["w1"] = head("w1", alternation=0, turns=8)
    chosen = CleanSettings(alternating_turns=3, coherence=CoherenceSettings(clusters=4, floor=0.5))
    found = clean(heads, chosen, turn_vectors=blocks.items)
    assert "w1" not in found.kept
    assert "w2" not in found.kept
    assert sorted(found.dropped.values()) == [1, 1]
