"""Connected components: what must not be torn apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def components(members: Iterable[str], ties: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return member -> the name of its component, which is its smallest member.

    Args:
        members: all members.
        ties: pairs of members that belong together.
    """
    parent = {member: member for member in members}

    def root(member: str) -> str:
        while parent[member] != member:
            parent[member] = parent[parent[member]]
            member = parent[member]
        return member

    for first, second in ties:
        small, large = sorted((root(first), root(second)))
        parent[large] = small
    return {member: root(member) for member in parent}


def ties_of_shared(marks: Mapping[str, Iterable[str]]) -> list[tuple[str, str]]:
    """Return ties between members that share a mark (an image key, a text hash).

    Args:
        marks: member -> its marks.
    """
    first: dict[str, str] = {}
    ties = []
    for member, own in marks.items():
        for mark in own:
            before = first.setdefault(mark, member)
            if before != member:
                ties.append((before, member))
    return ties
