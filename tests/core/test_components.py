from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mldr.components import components, ties_of_shared

members = [f"m{i}" for i in range(8)]
ties = st.lists(st.tuples(st.sampled_from(members), st.sampled_from(members)), max_size=12)


def reachable(start: str, pairs: list[tuple[str, str]]) -> set[str]:
    found = {start}
    while True:
        more = {b for a, b in pairs if a in found} | {a for a, b in pairs if b in found}
        if more <= found:
            return found
        found |= more


@given(ties)
def test_a_component_is_what_can_be_reached_and_is_named_by_its_smallest_member(pairs: list[tuple[str, str]]) -> None:
    assert components(members, pairs) == {member: min(reachable(member, pairs)) for member in members}


@given(ties)
def test_components_do_not_depend_on_the_order_of_ties(pairs: list[tuple[str, str]]) -> None:
    assert components(members, pairs) == components(reversed(members), list(reversed(pairs)))


def test_members_that_share_a_mark_are_tied() -> None:
    marks = {"a": ["x"], "b": ["y"], "c": ["x", "z"], "d": ["z"]}
    assert components(marks, ties_of_shared(marks)) == {"a": "a", "b": "b", "c": "a", "d": "a"}


def test_members_without_marks_stand_alone() -> None:
    assert ties_of_shared({"a": [], "b": []}) == []
