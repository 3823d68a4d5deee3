from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from mldr.files import sha256_text
from mldr.identity import component_id, fragment_id, query_ids, stitched_dialogue_id
from tests.core.support import plain_text

ids = st.lists(plain_text, min_size=1, max_size=4)


@given(ids, ids, st.sampled_from(["zh", "en"]), st.sampled_from(["zh", "en"]))
def test_a_dialogue_id_stands_for_its_ordered_sources_and_language(
    first: list[str], second: list[str], language: str, other: str
) -> None:
    one, two = stitched_dialogue_id(first, language), stitched_dialogue_id(tuple(second), other)
    assert re.fullmatch("[0-9a-f]{16}", one)
    assert (one == two) == ((first, language) == (second, other))


def test_sources_are_not_run_together() -> None:
    assert stitched_dialogue_id(["ab", "c"], "en") != stitched_dialogue_id(["a", "bc"], "en")
    assert stitched_dialogue_id(["a", "b"], "en") != stitched_dialogue_id(["b", "a"], "en")


@given(st.lists(plain_text, max_size=8))
def test_query_ids_come_from_the_text_and_are_unique(texts: list[str]) -> None:
    found = query_ids("d", texts)
    assert len(set(found)) == len(texts)
    for text, query_id in zip(texts, found, strict=True):
        assert query_id.startswith(f"d-{sha256_text(text)[:8]}")


@given(st.lists(plain_text, unique=True, max_size=6))
def test_the_order_of_different_queries_does_not_change_their_ids(texts: list[str]) -> None:
    assert dict(zip(texts, query_ids("d", texts), strict=True)) == dict(
        zip(texts[::-1], query_ids("d", texts[::-1]), strict=True)
    )


def test_a_repeated_query_is_counted() -> None:
    base = f"d-{sha256_text('a')[:8]}"
    assert query_ids("d", ["a", "b", "a", "a"])[::2] == [base, base + "-2"]
    assert query_ids("d", ["a", "b", "a", "a"])[3] == base + "-3"


def test_a_fragment_id_tells_source_level_and_name_apart() -> None:
    parts = [("s", "fine", "a"), ("s", "fine", "b"), ("s", "coarse", "a"), ("t", "fine", "a"), ("sfine", "", "a")]
    found = {fragment_id("d", *part) for part in parts}
    assert len(found) == len(parts)
    assert all(re.fullmatch("d-[0-9a-f]{8}", one) for one in found)


@given(st.sets(plain_text, max_size=6))
def test_a_cluster_is_named_by_its_members_in_any_order(members: set[str]) -> None:
    listed = sorted(members)
    assert component_id(listed) == component_id(listed[::-1])
    assert component_id(listed) != component_id([*listed, "another member of thirty characters or so"])
