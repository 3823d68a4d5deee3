"""What is the same for every row of a split and language, and what one row brings of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mldr.builders.plan import PlanRow
from mldr.builders.rulequery import RuleQueries
from mldr.builders.settings import QuerySettings, StitchSettings, TagSettings, VerifySettings
from mldr.builders.sources.record import SourceDialogue


@dataclass(frozen=True, slots=True)
class WritingContext:
    """The settings of the steps that a model may do, and the term statistics of a split and language."""

    seed: int
    rules: RuleQueries
    stitch: StitchSettings = field(default_factory=StitchSettings)
    tag: TagSettings = field(default_factory=TagSettings)
    queries: QuerySettings = field(default_factory=QuerySettings)
    verify: VerifySettings | None = None
    models: Mapping[str, str] = field(default_factory=dict)
    """A model's name in the recipe -> the name by which labels and `meta` call it."""
    gives_up: bool = True
    """Whether a question to which a model gives no usable answer is given up; else it stops the run."""
    salt: bytes = b""
    """Of a secret build; keys the ids."""

    def model(self, name: str) -> str:
        """Return the name by which labels call a model of the recipe."""
        return self.models.get(name, name)

    def verifies(self, split: str) -> bool:
        """Say whether the queries of a split get a second, blind answer."""
        return self.verify is not None and (not self.verify.splits or split in self.verify.splits)

    def judge(self, split: str) -> str:
        """Return the recipe's name of the model that says whether a negative has an answer after all; '' for none.

        The verifying model where the split is verified, else the one that writes queries.
        """
        if self.verify is not None and self.verifies(split):
            return self.verify.model
        return self.queries.model


@dataclass(frozen=True, slots=True)
class Material:
    """One row of the plan with the sources that it names."""

    row: PlanRow
    sources: tuple[SourceDialogue, ...]
    strangers: Sequence[SourceDialogue] = ()
    neighbours: Sequence[SourceDialogue] = ()

    @property
    def translated(self) -> bool:
        """Whether a source is in another language than the dialogue is to be."""
        return any(source.language != self.row.language for source in self.sources)
