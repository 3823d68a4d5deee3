"""What an audit draws and what it finds, as pydantic models: formats `mldr/audit-plan@1` and `mldr/label-audit@1`."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from mldr.annotation.agreement.models import Agreement, Value
from mldr.formats import format_line

Source = Literal["dataset", "flagged"]
"""Where queries come from: all of a split, or those whose label a model disagreed with."""
_STRICT = ConfigDict(extra="forbid")


class Stratum(BaseModel):
    """Queries of one kind of label, language and label source."""

    model_config = _STRICT

    kind: str
    language: str
    label_source: str
    of: int
    """Queries there are."""
    drawn: int


class AuditPlan(BaseModel):
    """What was drawn. The copy in the audit's folder has no strata: annotators are to know nothing of the labels."""

    model_config = _STRICT

    format: str = Field(default_factory=lambda: format_line("audit-plan"))
    dataset: str
    split: str
    gold_hash: str
    """Of the split: an audit speaks of the labels that it was drawn from, and of no other."""
    source: Source
    seed: int
    wanted: int
    drawn: int
    """Fewer than wanted where the split has no more."""
    of: int
    """Queries that could be drawn."""
    not_askable: int
    """Queries left out: without a text, or with one of more than 2,000 characters."""
    dialogues: int
    most_of_one: int = 0
    """Queries drawn of one dialogue at most; 0 where it is not known."""
    images: int
    """Of the dialogues."""
    unseen_images: int
    """Of these, the ones without bytes here: people see their caption alone."""
    strata: list[Stratum] = Field(default_factory=list)


class LabelQuality(BaseModel):
    """How good labels are, people's answers taken as the truth: measures of `mldr.eval`, with the label as the answer."""

    model_config = _STRICT

    queries: int
    clusters: int
    measures: dict[str, Value]
    """`utt_p`, `utt_r`, `utt_f1`, `utt_em`, the same of `img` and `joint`, and `joint_f1(avg=macro)`."""


class HumanScore(BaseModel):
    """What one person's answers are worth against the labels: the row of a board, on the queries that this person answered."""

    model_config = _STRICT

    annotator: str
    answered: int
    of: int
    """Queries of the split."""
    measures: dict[str, Value]


class AuditReport(BaseModel):
    """What an audit found."""

    model_config = _STRICT

    format: str = Field(default_factory=lambda: format_line("label-audit"))
    dataset: str
    split: str
    gold_hash: str
    source: Source
    annotators: tuple[str, ...]
    sampled: int
    of: int
    """Queries that could be drawn."""
    agreed: int
    """Queries that every annotator answered alike."""
    adjudicated: int
    open: int
    """Queries that were answered and have no answer that stands: people differ, or not all have answered."""
    unanswered: int
    dropped: int
    """Queries that the adjudicator found not fit to be asked."""
    answers: LabelQuality
    """Against every finished answer, whether people agree or not; a query with several counts once. Nothing is chosen here by how
    clear it is."""
    labels: LabelQuality
    """Against the answer that stands: the adjudicated one, or the one that all gave. Weighted by stratum, as `answers` are, where
    the sample is one of the whole split."""
    kinds: dict[str, LabelQuality]
    """kind of the label -> the same."""
    against: dict[str, LabelQuality]
    """annotator -> the same against all of this person's own answers."""
    human: list[HumanScore]
    agreement: Agreement | None
    """Of two annotators or more."""
    unseen_images: int
    notes: list[str]
    resamples: int
    seed: int

    @property
    def resolved(self) -> int:
        """Queries with an answer that stands."""
        return self.agreed + self.adjudicated
