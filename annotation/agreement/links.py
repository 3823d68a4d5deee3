"""Chat logs whose messages annotators linked to what they answer: files of links, and the conversations that these make.

A line is `id id -`, with `:` before it in some files; a message linked to itself starts a conversation; a message may have many
links. The first messages of a log are context: they were not annotated, yet two answers to one of them belong together (the
corpus of Kummerfeld et al. 2019).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mldr.annotation.agreement.answers import Item
from mldr.annotation.agreement.matching import matched
from mldr.annotation.agreement.partitions import PartitionAgreement, partition_agreement
from mldr.components import Joined
from mldr.errors import Faults, MldrError, printable
from mldr.files import read_lines

CONTEXT = 1_000
"""Messages at the head of a log that nobody annotated."""
_LINE = re.compile(rb":?\s*(\d{1,9})\s+(\d{1,9})\s*-?\s*")
_MOST = 1_000_000
"""Of messages in a log: an id above is a mistake, and would cost memory."""

Link = tuple[int, int]
"""An earlier message and the one that answers it; twice the same for the start of a conversation."""


def read_links(path: Path) -> frozenset[Link]:
    """Return the links of a file.

    Raises:
        MldrError: if it cannot be read.
        InputError: with every line that is no link.
    """
    found, faults = set(), Faults()
    try:
        for number, line in read_lines(path):
            match = _LINE.fullmatch(line)
            if match is None:
                faults.add(
                    f"{path}, line {number}", f"two ids and a dash are expected, not {printable(repr(line), 60)}"
                )
                continue
            early, late = sorted((int(match[1]), int(match[2])))
            if late >= _MOST:
                faults.add(
                    f"{path}, line {number}", f"{late:,} is no place in a log: at most {_MOST:,} messages are read"
                )
                continue
            found.add((early, late))
    except OSError as error:
        raise MldrError(f"{path}: cannot be read ({error.strerror})") from error
    faults.check()
    return frozenset(found)


def conversations(links: Iterable[Link], end: int, context: int = CONTEXT) -> list[frozenset[int]]:
    """Return the connected components of links, without the messages of the context; a message without a link is one alone.

    Args:
        links: both ends below `end`.
        end: how many messages the log has, context included.
        context: how many of these are context.
    """
    joined = Joined(end)
    for early, late in links:
        joined.join(early, late)
    found: dict[int, set[int]] = {}
    for message, root in enumerate(joined.roots().tolist()):
        if message >= context:
            found.setdefault(root, set()).add(message)
    return sorted((frozenset(part) for part in found.values()), key=min)


@dataclass(frozen=True, slots=True)
class LogAgreement:
    """How far two annotations of one log agree."""

    messages: int
    conversations: tuple[int, int]
    """Of the first annotation, and of the second."""
    f1_sum: float
    """Over conversations matched by overlap, a single message alone too; those with no counterpart count as 0."""
    f1_count: int
    large_sum: float
    """The same over conversations of two messages and more."""
    large_count: int
    partition: PartitionAgreement
    links: tuple[int, int, int]
    """Links in both, in the first, in the second; none within the context."""
    possible: int
    """Pairs of an annotated message with itself or an earlier one."""
    items: tuple[Item, ...]
    """A message each, answered by the whole conversation that it is in, as Passonneau 2004 has it for coreference."""

    @property
    def f1(self) -> float:
        """Mean F1 over conversations."""
        return self.f1_sum / self.f1_count

    @property
    def link_f1(self) -> float:
        """F1 of the links."""
        both, first, second = self.links
        return 2 * both / (first + second) if first + second else 1.0


def log_agreement(
    name: str, first: frozenset[Link], second: frozenset[Link], end: int, context: int = CONTEXT
) -> LogAgreement:
    """Return how far two annotations of a log agree.

    Args:
        name: of the log, the cluster of its messages.
        first: the links of one annotation.
        second: of the other.
        end: how many messages the log has, context included.
        context: how many of these are context.

    Raises:
        InputError: with links to messages that the log does not have.
    """
    faults = Faults()
    for early, late in sorted(first | second):
        if late >= end:
            faults.add(f"log {name}", f"link {early} {late}, and it has {end:,} messages")
    faults.check()
    sides = [conversations(links, end, context) for links in (first, second)]
    total, count = _matched_f1(*sides)
    large = _matched_f1(*([part for part in side if len(part) > 1] for side in sides))
    own = [{link for link in links if link[1] >= context} for links in (first, second)]
    return LogAgreement(
        messages=end - context,
        conversations=(len(sides[0]), len(sides[1])),
        f1_sum=total,
        f1_count=count,
        large_sum=large[0],
        large_count=large[1],
        partition=partition_agreement(*sides),
        links=(len(own[0] & own[1]), len(own[0]), len(own[1])),
        possible=sum(range(context + 1, end + 1)),
        items=tuple(_items(name, sides, context, end)),
    )


def _matched_f1(first: Sequence[frozenset[int]], second: Sequence[frozenset[int]]) -> tuple[float, int]:
    pairs = matched(first, second)
    values = (2 * len(first[a] & second[b]) / (len(first[a]) + len(second[b])) for a, b in pairs)
    return sum(values), len(first) + len(second) - len(pairs)


def _items(name: str, sides: Sequence[Sequence[frozenset[int]]], context: int, end: int) -> Iterable[Item]:
    universe = frozenset(range(context, end))
    homes = [{message: part for part in side for message in part} for side in sides]
    for message in range(context, end):
        yield Item(name, universe, (homes[0][message], homes[1][message]))


def link_kappa(logs: Sequence[LogAgreement]) -> float | None:
    """Return Cohen's kappa over all pairs of messages, linked or not; None without a link."""
    both, first, second = (sum(log.links[side] for log in logs) for side in range(3))
    possible = sum(log.possible for log in logs)
    if not possible or not first + second:
        return None
    agreed = (possible - first - second + 2 * both) / possible
    one, other = first / possible, second / possible
    chance = one * other + (1 - one) * (1 - other)
    return (agreed - chance) / (1 - chance) if chance < 1 else None
