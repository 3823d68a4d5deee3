from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.builders.asking import KINDS, Asking, chosen, distinct
from mldr.builders.settings import KindShares
from mldr.dialogue import Fragment, Kind

IDS: dict[Kind, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "multimodal": ((1,), (0,)),
    "utterance": ((1,), ()),
    "image": ((), (0,)),
    "negative": ((), ()),
}


def asking(number: int, kind: Kind) -> Asking:
    utterances, images = IDS[kind]
    fragment = Fragment(f"f{number}", "d", "fine", f"t{number}", "", utterances, images)
    return Asking(f"query {number}", "fine", "rule", "", fragment)


def pool(multimodal: int = 0, utterance: int = 0, image: int = 0) -> list[Asking]:
    amounts = zip(KINDS, (multimodal, utterance, image), strict=True)
    kinds = [kind for kind, amount in amounts for _ in range(amount)]
    return [asking(number, kind) for number, kind in enumerate(kinds)]


SHARES = KindShares(multimodal=0.6, utterance=0.3, image=0.1)


def test_without_wishes_everything_is_asked_in_its_order() -> None:
    askings = pool(2, 2, 2)
    counts: Counter[str] = Counter()
    assert chosen(askings, 0, None, "x", counts) == askings
    assert chosen(askings, 9, None, "x", counts) == askings
    assert not counts


def test_a_limit_draws_by_seed() -> None:
    drawn = [tuple(one.text for one in chosen(pool(4, 4), 3, None, f"draw {i}", Counter())) for i in range(20)]
    assert all(len(set(texts)) == 3 for texts in drawn)
    assert len(set(drawn)) > 10


@pytest.mark.parametrize("limit", [1, 3, 4])
def test_over_many_dialogues_each_kind_gets_its_share(limit: int) -> None:
    total: Counter[str] = Counter()
    for number in range(1000):
        total.update(one.kind for one in chosen(pool(6, 6, 6), limit, SHARES, f"dialogue {number}", Counter()))
    asked = sum(total.values())
    assert asked == 1000 * limit
    for kind in ("multimodal", "utterance", "image"):
        assert total[kind] / asked == pytest.approx(getattr(SHARES, kind), abs=0.03)


def test_a_kind_that_is_lacking_is_counted_and_not_made_up_for() -> None:
    counts: Counter[str] = Counter()
    picked = chosen(pool(10), 10, SHARES, "x", counts)
    assert len(picked) == 6
    assert sum(counts.values()) == 4
    assert "queries of kind utterance for which a dialogue had no fragment left" in counts


@given(
    st.integers(0, 8),
    st.integers(0, 8),
    st.integers(0, 8),
    st.integers(0, 30),
    st.integers(0, 10),
    st.integers(0, 10),
    st.text(max_size=4),
)
def test_no_kind_is_asked_more_than_its_share_rounded_up(
    m: int, u: int, i: int, limit: int, a: int, b: int, draw: str
) -> None:
    if a + b > 10:
        a, b = 5, 5
    shares = KindShares(multimodal=a / 10, utterance=b / 10, image=max(0.0, 1 - a / 10 - b / 10))
    askings = pool(m, u, i)
    picked = chosen(askings, limit, shares, draw, Counter())
    total = min(limit or len(askings), len(askings))
    assert len({one.text for one in picked}) == len(picked) <= total
    for kind, count in Counter(one.kind for one in picked).items():
        assert count <= total * getattr(shares, kind) + 1


def test_distinct_counts_what_falls_away() -> None:
    counts: Counter[str] = Counter()
    first = asking(1, "utterance")
    kept = distinct([first, first, Asking("", "fine", "rule", "")], counts)
    assert kept == [first]
    assert counts == {"queries that stood twice in a dialogue": 1, "fragments without a term to ask for": 1}
