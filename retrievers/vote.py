"""Test-time scaling: a model answers n times, and an id is kept when enough of the answers name it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mldr.eval.prediction import Prediction
from mldr.eval.ragged import Floats
from mldr.files import canonical_json, parse_json
from mldr.retrievers.around import Around
from mldr.retrievers.fitting import query_f1, texts
from mldr.retrievers.options import check_whole
from mldr.retrievers.protocol import Ask, DialogueView, Example, Gold, Sampled


@dataclass(frozen=True, slots=True)
class Ballot:
    """The answers of n samples to one query."""

    utterances: Counter[int]
    """Id -> samples that name it."""
    images: Counter[int]
    valid: int
    """Samples that were an answer; a failed one names nothing and does count as a sample."""


class Vote(Around):
    """Asks any sampling system n times and keeps an id when its share of the answers passes a threshold fitted on validation.

    The share is the id's score: samples that name it over all n samples, so a sample that failed votes against every id. A query of
    which every sample failed fails with the commonest outcome. Without validation the threshold is one half (a majority).

    Args:
        system: a system that draws samples: `vlm-api`, `vlm-local`, or `windows+vlm-api`.
        n: samples a query.
        share: an id is kept when its share is at least this; replaced by `fit`.
        fit_dialogues: dialogues of validation that are sampled to fit the share; 0 leaves it as it is.
        options: of the inner system; `temperature` is 0.8 where none is given, since at 0 all samples are the same.
    """

    def __init__(
        self, system: str = "vlm-api", n: int = 5, share: float = 0.5, fit_dialogues: int = 50, **options: Any
    ) -> None:
        check_whole({"n": n}, 1)
        check_whole({"fit_dialogues": fit_dialogues}, 0)
        if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 < share <= 1:
            raise ValueError(f"share is {share!r}; a number over 0, at most 1, is expected")
        if system.rpartition("+")[2].startswith("vlm-"):
            options = {"temperature": 0.8, **options}
        super().__init__(system, **options)
        if not isinstance(self.inner, Sampled):
            raise ValueError(f"system is {system}, which draws no samples; vlm-api and vlm-local do")
        self.n, self.fit_dialogues = n, fit_dialogues
        self.shares = {"utterances": float(share), "images": float(share)}

    @property
    def fitted(self) -> dict[str, Any]:
        """The shares in use, and what the inner system fitted."""
        return {**super().fitted, **{f"{name}_share": round(value, 6) for name, value in self.shares.items()}}

    def fit(self, examples: Iterable[Example]) -> None:
        """Choose for each modality the share with the best macro F1 on validation, out of 1/n, 2/n, ... 1."""
        kept = list(examples)
        super().fit(iter(kept))
        ballots: list[tuple[Ballot, Gold, DialogueView]] = []
        for view, asks, golds in kept[: self.fit_dialogues]:
            found = self._ballots(view, asks)
            ballots += [(found[ask.query_id][0], gold, view) for ask, gold in zip(asks, golds, strict=True)]
        if ballots:
            self.shares = {
                "utterances": self._best(
                    [(one.utterances, gold.utterance_ids, len(texts(v))) for one, gold, v in ballots]
                ),
                "images": self._best([(one.images, gold.image_ids, len(v.images)) for one, gold, v in ballots]),
            }

    def retrieve(self, view: DialogueView, asks: list[Ask]) -> Iterator[Prediction]:
        """Yield the ids that enough samples name, with their shares as scores."""
        found = self._ballots(view, asks)
        for ask in asks:
            yield self._counted(ask, *found[ask.query_id])

    def _ballots(self, view: DialogueView, asks: list[Ask]) -> dict[str, tuple[Ballot, list[Prediction]]]:
        samples: dict[str, list[Prediction]] = {ask.query_id: [] for ask in asks}
        for sample in range(self.n):
            for prediction in self.sampled_from_inner(view, asks, sample):
                samples[prediction.query_id].append(prediction)
        return {query_id: (_ballot(answers), answers) for query_id, answers in samples.items()}

    def _counted(self, ask: Ask, ballot: Ballot, answers: list[Prediction]) -> Prediction:
        outcomes = Counter(one.outcome or "answered" for one in answers)
        meta = parse_json(answers[0].meta) if answers and answers[0].meta else {}
        meta |= {"samples": self.n, "sample_outcomes": dict(sorted(outcomes.items()))}
        responses = canonical_json([one.response for one in answers])
        if not ballot.valid:
            failed = min(outcomes, key=lambda name: (-outcomes[name], name), default="api_error")
            return Prediction(ask.query_id, response=responses, outcome=failed, meta=canonical_json(meta))
        utterances = self._kept(ballot.utterances, "utterances")
        images = self._kept(ballot.images, "images")
        return Prediction(
            ask.query_id,
            tuple(utterances),
            tuple(images),
            response=responses,
            utterance_scores=tuple(utterances.values()),
            image_scores=tuple(images.values()),
            meta=canonical_json(meta),
        )

    def _kept(self, votes: Counter[int], name: str) -> dict[int, float]:
        needed = self.shares[name] * self.n - 1e-9
        return {one: round(votes[one] / self.n, 6) for one in sorted(votes) if votes[one] >= needed}

    def _best(self, rows: Sequence[tuple[Counter[int], frozenset[int], int]]) -> float:
        """Return the share with the best mean F1 over queries; of equals, the one nearest to a half, then the larger."""
        candidates = [votes / self.n for votes in range(1, self.n + 1)]
        means = [float(np.nanmean(_f1(rows, share * self.n - 1e-9))) for share in candidates]
        best = max(means)
        return min((abs(c - 0.5), -c, c) for c, mean in zip(candidates, means, strict=True) if mean == best)[2]


def _ballot(answers: list[Prediction]) -> Ballot:
    valid = [one for one in answers if not one.outcome and one.utterance_ids is not None]
    utterances = Counter(i for one in valid for i in set(one.utterance_ids or ()))
    return Ballot(utterances, Counter(i for one in valid for i in set(one.image_ids or ())), len(valid))


def _f1(rows: Sequence[tuple[Counter[int], frozenset[int], int]], needed: float) -> Floats:
    """Return the F1 of each query where an id needs so many votes."""
    return query_f1(
        [([one for one, count in votes.items() if count >= needed], gold, universe) for votes, gold, universe in rows]
    )
