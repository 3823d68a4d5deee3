"""An attack on a withheld split, by somebody who has only what is public: it says how much of the gold that gives away."""

from mldr.builders.attack.attack import Attack, attack
from mldr.builders.attack.report import Row, report
from mldr.builders.attack.trace import SourceIndex, Trace

__all__ = ["Attack", "Row", "SourceIndex", "Trace", "attack", "report"]
