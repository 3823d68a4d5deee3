"""In which order GRPO meets the training queries: easy to hard, each once, the same for the same seed on every machine."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from mldr.eval.ragged import Bools, Floats
from mldr.files import sha256_text
from mldr.retrievers.f2rvlm.levels import EASY_TO_HARD, Level


class Schedule(BaseModel):
    """How the queries are laid out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = True
    """False: one stage of everything in random order, the ablation without a curriculum."""
    start: float = Field(default=0.1, ge=0, le=1, allow_inf_nan=False)
    """The share of the easy and of the medium queries that training starts with (IJCV 6.1.1)."""


def order(levels: Mapping[str, Level], seed: int, settings: Schedule | None = None) -> list[list[str]]:
    """Return the query ids of one epoch in stages, each id once.

    The first stage holds `settings.start` of the easy, then of the medium queries (IJCV 6.1.1: 10 %, rounded up). Then come the
    rest of the easy, the rest of the medium, the confusing and the hard ones, a stage each; a stage without queries is left out.
    Within a level the order is random: by the hash of seed and id, so it depends on no library, no order of `levels`, and
    no other query. Negatives are queries like any other.

    Args:
        levels: query_id -> level, as `mldr.retrievers.f2rvlm.levels.levels` gives it.
        seed: another one for each epoch shuffles anew.
        settings: the paper's where there are none.
    """
    settings = settings or Schedule()
    if not settings.enabled:
        return [everything] if (everything := _shuffled(levels, seed)) else []
    by_level = {level: _shuffled((one for one in levels if levels[one] == level), seed) for level in EASY_TO_HARD}
    if lost := sorted(set(levels.values()) - set(EASY_TO_HARD)):
        raise ValueError(f"unknown levels {lost}; known are {list(EASY_TO_HARD)}")
    first: list[str] = []
    for level in ("easy", "medium"):
        share = math.ceil(settings.start * len(by_level[level]) - 1e-9)  # 0.07 x 100 is 7.000000000000001
        first += by_level[level][:share]
        by_level[level] = by_level[level][share:]
    return [stage for stage in (first, *by_level.values()) if stage]


@dataclass(slots=True)
class Walk:
    """Hands out the ids of an epoch in their order; a replacement is the next id, never one that was there before.

    Dynamic sampling asks for more where a group of answers teaches nothing (`informative`). The released code draws those from
    the head of the file again, so that late, hard queries are replaced by early, easy ones; here the order holds.
    `position` is all that a checkpoint needs.
    """

    ids: Sequence[str]
    position: int = 0

    @classmethod
    def of(cls, stages: Iterable[Iterable[str]], position: int = 0) -> Walk:
        """Return a walk over the stages of `order`, from a position on."""
        return cls([one for stage in stages for one in stage], position)

    def take(self, count: int) -> list[str]:
        """Return the next ids; fewer than `count`, in the end none, where the epoch ends."""
        taken = list(self.ids[self.position : self.position + max(0, count)])
        self.position += len(taken)
        return taken

    @property
    def left(self) -> int:
        """How many ids are still to come."""
        return len(self.ids) - self.position


def informative(rewards: Floats) -> Bools:
    """Return for each group whether its rewards differ, so that an advantage is not 0 (DAPO, dynamic sampling).

    Args:
        rewards: shape (groups, generations): the weighted sum of the rewards of each answer.
    """
    spread: Floats = np.ptp(rewards, axis=1)
    return np.asarray(spread > 1e-9)  # sums of the same rewards in another order differ by rounding


def _shuffled(ids: Iterable[str], seed: int) -> list[str]:
    return sorted(ids, key=lambda one: (sha256_text(f"{seed}/{one}"), one))
