"""Files of links, and the conversations in them, against a search through the graph and a count of every pair."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from mldr.annotation.agreement.links import Link, conversations, link_kappa, log_agreement, read_links
from mldr.errors import InputError, MldrError

CONTEXT, END = 3, 9
links = st.frozensets(
    st.tuples(st.integers(0, END - 1), st.integers(CONTEXT, END - 1)).map(lambda pair: (min(pair), max(pair))),
    max_size=8,
)


def walked(given_: frozenset[Link]) -> set[frozenset[int]]:
    """Return the conversations by walking from each message along links, either way."""
    found = set()
    for start in range(CONTEXT, END):
        reached, waiting = {start}, [start]
        while waiting:
            here = waiting.pop()
            near = {b for a, b in given_ if a == here} | {a for a, b in given_ if b == here}
            waiting += near - reached
            reached |= near
        found.add(frozenset(message for message in reached if message >= CONTEXT))
    return found


@given(links)
def test_conversations_are_what_can_be_reached_along_links_context_included(given_: frozenset[Link]) -> None:
    found = conversations(given_, END, CONTEXT)
    assert set(found) == walked(given_)
    assert sorted(i for part in found for i in part) == list(range(CONTEXT, END))


def brute_f1(first: list[frozenset[int]], second: list[frozenset[int]]) -> list[float]:
    """Return every F1 that an assignment of the greatest total Jaccard may give, by trying all."""
    few, many = sorted((first, second), key=len)
    scored = []
    for order in permutations(many, len(few)):
        pairs = list(zip(few, order, strict=True))
        total = sum(len(a & b) / len(a | b) for a, b in pairs)
        met = [2 * len(a & b) / (len(a) + len(b)) for a, b in pairs if a & b]
        scored.append((total, sum(met) / (len(first) + len(second) - len(met))))
    best = max(total for total, _ in scored)
    return [value for total, value in scored if total > best - 1e-9]


@given(links, links)
def test_a_log_is_matched_as_by_trying_every_pairing(first: frozenset[Link], second: frozenset[Link]) -> None:
    found = log_agreement("a", first, second, END, CONTEXT)
    sides = [conversations(own, END, CONTEXT) for own in (first, second)]
    assert any(found.f1 == pytest.approx(value) for value in brute_f1(*sides))
    assert found.conversations == (len(sides[0]), len(sides[1]))
    large = [[part for part in side if len(part) > 1] for side in sides]
    if all(large):
        assert any(found.large_sum / found.large_count == pytest.approx(value) for value in brute_f1(*large))


@given(links, links)
def test_kappa_of_links_is_that_of_every_pair_of_messages(first: frozenset[Link], second: frozenset[Link]) -> None:
    pairs = [(a, b) for b in range(CONTEXT, END) for a in range(b + 1)]
    found = log_agreement("a", first, second, END, CONTEXT)
    assert found.possible == len(pairs)
    kappa = link_kappa([found])
    if first | second:
        assert kappa == pytest.approx(cohen_kappa_score([p in first for p in pairs], [p in second for p in pairs]))
    else:
        assert kappa is None
    assert found.link_f1 == (
        pytest.approx(2 * len(first & second) / (len(first) + len(second))) if first or second else 1
    )


def test_links_are_read_with_and_without_the_colon_in_either_order(tmp_path: Path) -> None:
    path = tmp_path / "log.annotation.txt"
    path.write_bytes(b":3 3 -\n3 4 - \r\n5 4 -\n\n4 5 -\n")
    assert read_links(path) == {(3, 3), (3, 4), (4, 5)}


def test_every_bad_line_of_a_file_of_links_is_named(tmp_path: Path) -> None:
    path = tmp_path / "log.annotation.txt"
    path.write_bytes(b"3 4 -\n3 -\n-1 4 -\n3 4 5 -\n3 \xff -\n1 99999999 -\n" + b"9" * 5000 + b" 1 -\n")
    with pytest.raises(InputError) as error_info:
        read_links(path)
    assert [fault.place.rpartition(" ")[2] for fault in error_info.value.faults] == ["2", "3", "4", "5", "6", "7"]


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(MldrError, match="cannot be read"):
        read_links(tmp_path / "none.txt")


def test_a_link_to_a_message_that_the_log_lacks_is_a_fault() -> None:
    with pytest.raises(InputError, match="link 3 9, and it has 9 messages"):
        log_agreement("a", frozenset({(3, 9)}), frozenset(), END, CONTEXT)


def test_two_answers_to_one_message_of_the_context_are_one_conversation() -> None:
    assert conversations({(1, 3), (1, 5), (4, 4)}, 6, 3) == [frozenset({3, 5}), frozenset({4})]
