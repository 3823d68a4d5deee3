"""Queries by rule, for sources that bring none: the terms that tell a fragment from the rest."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from mldr.builders.sources.record import SourceDialogue
from mldr.tokens import is_unspaced, tokens

MAX_TERMS = 4
LONGEST_TERM = 40
"""Letters; what is longer is part of an address or noise, and nobody asks for it."""
_NGRAM = (2,)


def terms(text: str) -> list[str]:
    """Return the terms of a text that may make a query: words of 2 to 40 letters, character bigrams in Chinese."""
    return [term for term in tokens(text, _NGRAM) if 1 < len(term) <= LONGEST_TERM and not term.isdigit()]


@dataclass(slots=True)
class RuleQueries:
    """Document frequencies of one split and language, and the queries that they make."""

    documents: int = 0
    frequency: Counter[str] = field(default_factory=Counter)
    """term -> source dialogues that hold it."""

    def add(self, source: SourceDialogue) -> None:
        """Count one source dialogue."""
        self.documents += 1
        texts = [turn.text for turn in source.turns] + [image.caption for image in source.images]
        self.frequency.update({term for text in texts for term in terms(text)})

    def query(self, texts: Iterable[str]) -> str:
        """Return up to four terms of highest tf-idf in `texts`, in the order in which they first occur; '' for none."""
        counts = Counter(term for text in texts for term in terms(text))
        best = sorted(counts, key=lambda term: (-(1 + math.log(counts[term])) * self._idf(term), term))
        chosen: list[str] = []
        for term in best:
            if len(chosen) == MAX_TERMS:
                break
            if not any(_overlap(term, other) for other in chosen):
                chosen.append(term)
        order = list(counts)
        return " ".join(sorted(chosen, key=order.index))

    def _idf(self, term: str) -> float:
        # No floor: a word that every dialogue holds ("the") weighs nothing, however often it stands.
        return math.log((1 + self.documents) / (1 + self.frequency[term]))

    def dump(self) -> dict[str, object]:
        """Return the counts as JSON values."""
        return {"documents": self.documents, "frequency": dict(sorted(self.frequency.items()))}

    @classmethod
    def restore(cls, document: Mapping[str, object]) -> RuleQueries:
        """Return what `dump` gave."""
        frequency = document["frequency"]
        documents = document["documents"]
        if not isinstance(frequency, dict) or not isinstance(documents, int):
            raise ValueError("not the counts of rule queries")
        return cls(documents, Counter(frequency))


def _overlap(term: str, other: str) -> bool:
    """Say whether two Chinese bigrams share a character: neighbours in one word would say it twice."""
    return is_unspaced(term) and is_unspaced(other) and not set(term).isdisjoint(other)
