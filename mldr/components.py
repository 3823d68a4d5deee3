"""Connected components: what must not be torn apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt


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


class Joined:
    """Components of positions 0 .. n - 1 that grow as pairs are found; the smallest position names each."""

    def __init__(self, n: int) -> None:
        self._parent = np.arange(n, dtype=np.int64)

    def root(self, position: int) -> int:
        """Return the name of a position's component."""
        parent = self._parent
        while parent[position] != position:
            parent[position] = parent[parent[position]]
            position = int(parent[position])
        return position

    def join(self, first: int, second: int) -> None:
        """Make one component of two."""
        small, large = sorted((self.root(first), self.root(second)))
        self._parent[large] = small

    def roots(self) -> npt.NDArray[np.int64]:
        """Return the name of every position's component, shape (n,)."""
        while True:
            jumped = self._parent[self._parent]
            if np.array_equal(jumped, self._parent):
                return jumped
            self._parent = jumped
