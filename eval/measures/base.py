"""What a measure is: a name, the columns that it sums, and a value from those sums."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import numpy as np

from mldr.eval.counts import CountTable
from mldr.eval.ragged import Floats

Sums = Mapping[str, Floats]
"""Column -> its sums, one entry a resample."""

Scope = Literal["utt", "img", "joint"]
Average = Literal["micro", "macro"]

SCOPE_WORDS: dict[Scope, str] = {"utt": "utterances", "img": "images", "joint": "utterances and images together"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a family: declared once, checked and documented from here."""

    name: str
    default: str
    choices: tuple[str, ...]
    text: str

    def parse(self, value: str) -> str:
        """Return a value of this parameter.

        Raises:
            ValueError: if it is none of the choices.
        """
        if value not in self.choices:
            raise ValueError(f"{self.name} is one of {', '.join(self.choices)}")
        return value


AVERAGE = Parameter("avg", "micro", get_args(Average), "sum counts over queries, or average the figure over queries")


class Measure(ABC):
    """One measure, immutable; equal measures have equal names."""

    unit: ClassVar[str] = "fraction"
    """`fraction`, shown in percent; or `s`, seconds."""

    @property
    def lowest(self) -> float:
        """The least that the measure can be; the most is 1."""
        return 0.0

    @property
    @abstractmethod
    def name(self) -> str:
        """The identity, which parses back."""

    @property
    @abstractmethod
    def text(self) -> str:
        """One line for a person."""

    @property
    @abstractmethod
    def columns(self) -> tuple[str, ...]:
        """The columns that are summed."""

    @abstractmethod
    def value(self, sums: Sums) -> Floats:
        """Return the value of each row of sums; NaN where there is nothing to measure."""

    def __call__(self, table: CountTable) -> float | None:
        """Return the value over a whole table, None where there is nothing to measure."""
        found = self.value({name: table.column(name).sum(keepdims=True) for name in self.columns})[0]
        return None if np.isnan(found) else float(found)

    def __str__(self) -> str:
        return self.name


def ratio(numerator: Floats, denominator: Floats) -> Floats:
    """Return a quotient, 0 where the denominator is 0."""
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator != 0)


def mean(total: Floats, count: Floats) -> Floats:
    """Return a mean, NaN of nothing."""
    return np.divide(total, count, out=np.full_like(total, np.nan), where=count != 0)


def joined(utterances: Floats, images: Floats, harmonic: bool) -> Floats:
    """Join the figures of both modalities; where one has none, the other stands alone."""
    both = ratio(2 * utterances * images, utterances + images) if harmonic else (utterances + images) / 2
    return np.where(np.isnan(utterances), images, np.where(np.isnan(images), utterances, both))
