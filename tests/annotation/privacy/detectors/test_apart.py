from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mldr.annotation.privacy.detectors.apart import apart
from mldr.annotation.spans import SURE, Span, SpanKind


def span(start: int, end: int, confidence: float = 0.9, kind: SpanKind = "number") -> Span:
    return Span(start, end, kind, confidence, "test")


def test_the_longer_of_two_sure_finds_stands() -> None:
    kept, covered = apart([span(0, 5), span(0, 8, 0.8)], "x" * 10)
    assert kept == [span(0, 8, 0.8)]
    assert bytes(covered) == b"\1" * 8 + b"\0" * 2


def test_a_sure_find_stands_before_a_longer_doubtful_one_whose_rest_stays_masked() -> None:
    kept, _ = apart([span(0, 9, 0.5, "address"), span(3, 5)], "x" * 9)
    assert sorted(kept, key=lambda s: s.start) == [span(0, 3, 0.5, "address"), span(3, 5), span(5, 9, 0.5, "address")]


def test_of_a_doubtful_name_nothing_is_left_beside_a_surer_one() -> None:
    assert apart([span(0, 3, 0.5, "name"), span(0, 2, 0.9, "name")], "张伟今")[0] == [span(0, 2, 0.9, "name")]


def test_of_two_doubtful_names_both_are_hidden() -> None:
    kept, _ = apart([span(1, 3, 0.6, "name"), span(2, 4, 0.6, "name")], "谢谢老张")
    assert sorted((s.start, s.end) for s in kept) == [(1, 3), (3, 4)]


def test_a_rest_of_punctuation_is_no_find() -> None:
    assert apart([span(0, 3), span(0, 5, 0.5)], "123, ")[0] == [span(0, 3)]


spans = st.builds(
    lambda start, length, confidence: span(start, min(start + length, 30), confidence),
    st.integers(0, 29),
    st.integers(1, 12),
    st.sampled_from([0.4, SURE, 0.9]),
)


@given(st.lists(spans))
def test_finds_end_up_apart_and_nothing_comes_uncovered(found: list[Span]) -> None:
    kept, covered = apart(found, "x" * 30)
    places = [at for one in kept for at in range(one.start, one.end)]
    assert len(places) == len(set(places))
    assert (
        set(places) == {at for one in found for at in range(one.start, one.end)} == {i for i in range(30) if covered[i]}
    )


@given(st.lists(spans), st.randoms())
def test_the_order_of_the_finds_does_not_matter(found: list[Span], draw: object) -> None:
    assert apart(found, "x" * 30) == apart(list(reversed(found)), "x" * 30)
