"""Which dialogues of a release belong together: those that share a picture, and the pieces that one chat was cut into."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

from mldr.components import components, ties_of_shared
from mldr.identity import component_id

_PIECE = re.compile(r"(.*\d.*?)(?:[_-](?:part|seg|cut|clip|p)?)(\d{1,3})", re.IGNORECASE)


def chats(release_ids: Iterable[str]) -> dict[str, str]:
    """Return release id -> original chat, for ids that are a chat's with a running number behind it (`17_0`, `17_1`).

    The rest before the number must hold a digit itself, and its numbers must run on from 0 or 1: `wechat_1`, `wechat_2` are
    chats of their own, `17_0`, `17_1` pieces of chat 17.
    """
    pieces: dict[str, dict[str, int]] = defaultdict(dict)
    for release_id in release_ids:
        if len(release_id) <= 100 and (match := _PIECE.fullmatch(release_id)):  # the pattern is slow on long ones
            pieces[match[1]][release_id] = int(match[2])
    found = {}
    for chat, numbers in pieces.items():
        first = min(numbers.values())
        if (
            len(numbers) > 1
            and first in (0, 1)
            and sorted(numbers.values()) == list(range(first, first + len(numbers)))
        ):
            found.update(dict.fromkeys(numbers, chat))
    return found


def clusters(bonds: Mapping[str, Iterable[str]], split: str) -> dict[str, str]:
    """Return dialogue -> cluster_id: the connected components of dialogues that have a bond in common.

    Args:
        bonds: dialogue_id -> what binds it (picture keys, its chat).
        split: of these dialogues; clusters are drawn inside a split, since a bootstrap is.
    """
    ordered = sorted(bonds)
    component_of = components(ordered, ties_of_shared({dialogue: bonds[dialogue] for dialogue in ordered}))
    members: dict[str, list[str]] = defaultdict(list)
    for dialogue in ordered:
        members[component_of[dialogue]].append(dialogue)
    return {dialogue: component_id([split, *group]) for group in members.values() for dialogue in group}
