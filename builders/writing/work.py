"""What the questions of one row share: its sources and settings, whom they are asked, and what they cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mldr.builders.writing.asker import Asker, Ledger, Voice
from mldr.builders.writing.context import Material, WritingContext
from mldr.builders.writing.querying import Rules


@dataclass(slots=True)
class RowWork:
    """One row while its questions are asked."""

    material: Material
    image_keys: Mapping[str, str]
    context: WritingContext
    askers: Mapping[str, Asker]
    ledger: Ledger = field(default_factory=Ledger)

    def voice(self, name: str, prompt: str, attempts: int = 1, *, shared: bool = False) -> Voice:
        """Return a model of the recipe as a step asks it."""
        given_up = self.context.gives_up
        return Voice(self.askers[name], name, self.context.model(name), prompt, attempts, shared, given_up)

    @property
    def rules(self) -> Rules:
        """What holds for every query."""
        return Rules(self.material.row.language, self.context.queries.quoted)
