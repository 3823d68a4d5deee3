"""A query before it has an id, and which of those that could be asked of a dialogue are asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mldr.builders.settings import KindShares
from mldr.dialogue import Fragment, Kind, LabelSource, Level, NegativeType, kind_of
from mldr.files import sha256_text

KINDS: tuple[Kind, ...] = ("multimodal", "utterance", "image")


@dataclass(frozen=True, slots=True)
class Asking:
    """A query that some elements of a dialogue answer, or none."""

    text: str
    """'' where none could be made yet."""
    level: Level
    label_source: LabelSource
    label_model: str
    fragment: Fragment | None = None
    """None for a negative."""
    negative_type: NegativeType = ""
    meta: str = ""

    @property
    def kind(self) -> Kind:
        """What the answer is made of."""
        return "negative" if self.fragment is None else kind_of(self.fragment.utterance_ids, self.fragment.image_ids)


def distinct(askings: Iterable[Asking], counts: Counter[str]) -> list[Asking]:
    """Return the askings that have a text, each text once; what falls away is counted."""
    kept: dict[str, Asking] = {}
    for asking in askings:
        if not asking.text:
            counts["fragments without a term to ask for"] += 1
        elif asking.text in kept:
            counts["queries that stood twice in a dialogue"] += 1
        else:
            kept[asking.text] = asking
    return list(kept.values())


def chosen(
    askings: Sequence[Asking], limit: int, kinds: KindShares | None, draw: str, counts: Counter[str]
) -> list[Asking]:
    """Return those that are asked: at most `limit`, of kinds near the shares wanted, drawn by seed.

    A fragment is asked for as what it is: one that holds utterances and images is multimodal, and no query asks for one
    half of it. The numbers of each kind are drawn by systematic sampling, so that over many dialogues each kind gets its
    share exactly where there are fragments enough; a kind that a dialogue lacks is not made up for by another.

    Args:
        askings: those that could be asked, negatives not among them.
        limit: how many at most; 0 for no limit.
        kinds: shares of the kinds; None takes what there is.
        draw: a seed, of this dialogue alone.
        counts: takes what fell short.
    """
    total = min(limit or len(askings), len(askings))
    if kinds is None and total == len(askings):
        return list(askings)
    drawn = sorted(
        askings, key=lambda one: sha256_text(f"{draw}/{one.fragment and one.fragment.fragment_id}/{one.text}")
    )
    if kinds is None:
        return drawn[:total]
    pools = {kind: [asking for asking in drawn if asking.kind == kind] for kind in KINDS}
    picked: list[Asking] = []
    for kind, wanted in _wanted(total, kinds, draw).items():
        picked += pools[kind][:wanted]
        if (lacking := wanted - len(pools[kind])) > 0:
            counts[f"queries of kind {kind} for which a dialogue had no fragment left"] += lacking
    return picked


def _wanted(total: int, kinds: KindShares, draw: str) -> Counter[Kind]:
    """Return how many of each kind: `total` points at equal distance on the line of shares, from a drawn start."""
    start = int(sha256_text(f"{draw}/kinds")[:12], 16) / 16**12
    shares = {kind: getattr(kinds, kind) for kind in KINDS}
    wanted: Counter[Kind] = Counter()
    for position in range(total):
        point = (position + start) / total
        for kind in KINDS:
            if shares[kind] > 0 and (point < shares[kind] or kind == _last(shares)):
                wanted[kind] += 1
                break
            point -= shares[kind]
    return wanted


def _last(shares: dict[Kind, float]) -> Kind:
    return [kind for kind in KINDS if shares[kind] > 0][-1]
