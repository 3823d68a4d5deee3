"""What the agreement of some annotators is, as pydantic models: format `mldr/agreement@1`."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from mldr.formats import format_line

Modality = Literal["utterances", "images", "joint"]
MODALITIES: tuple[Modality, ...] = ("utterances", "images", "joint")
FIGURES = ("f1", "jaccard", "exact", "alpha_masi", "alpha_jaccard", "kappa", "positive")
_STRICT = ConfigDict(extra="forbid")


class Value(BaseModel):
    """A figure with its 95 % interval."""

    model_config = _STRICT

    value: float | None = None
    """None where there is nothing to measure."""
    low: float | None = None
    """None where no interval is given."""
    high: float | None = None
    reason: str = ""
    """Why there is no value; '' where there is one."""


class Figures(BaseModel):
    """Every measure over the queries that at least two answered, of one modality."""

    model_config = _STRICT

    n_queries: int = 0
    """Those of dialogues that have the modality."""
    n_units: int = 0
    """Messages or images judged, one for each query that shows them."""
    n_clusters: int = 0
    f1: Value
    """Mean over queries of the mean F1 of pairs of answers; two empty answers have 1."""
    jaccard: Value
    exact: Value
    """Share of pairs of answers that are equal."""
    alpha_masi: Value
    """Krippendorff's alpha, item a query, value a set, distance MASI. Answers are sets of positions, whatever dialogue they
    belong to."""
    alpha_jaccard: Value
    kappa: Value
    """Over messages (or images) in or out. Inflated by the many that all leave out: read it beside `positive`."""
    positive: Value
    """Positive specific agreement: of what one chose, the share that another chose too."""
    kappa_of: Literal["Cohen", "Fleiss", ""] = ""
    """Whose kappa: Cohen's for two annotators, Fleiss' for more."""


class Matched(BaseModel):
    """Fragments that annotators wrote of their own accord, paired by what they hold."""

    model_config = _STRICT

    dialogues: int
    """Of each pair, those that both were done with; no other is looked at."""
    matched: int
    """Pairs with something in common."""
    single: dict[str, int]
    """annotator -> fragments that nothing was found for."""
    f1: dict[Modality, Value]
    """Mean over pairs and single fragments, which count as 0; a modality that neither side has is left out."""


class Compared(BaseModel):
    """Some annotators against one another, or one against the adjudicated answer."""

    model_config = _STRICT

    annotators: tuple[str, ...]
    shared: int
    """Queries that at least two answered."""
    only: dict[str, int]
    """annotator -> queries that nobody else here answered."""
    of: dict[Modality, Figures]
    own: Matched | None = None
    """Of more than two annotators, over all pairs of them; None where nobody wrote a query that another has not."""
    interval_note: str


class Agreement(BaseModel):
    """The agreement of annotators about a collection."""

    model_config = _STRICT

    format: str = Field(default_factory=lambda: format_line("agreement"))
    annotators: tuple[str, ...]
    dialogues: int
    """Of the collection."""
    asked: int
    """Queries that everybody was asked."""
    unanswered: int
    """Of these, the ones that nobody answered."""
    unfinished: dict[str, int]
    """annotator -> fragments without an answer: empty and not said to be a negative, or said to be one and not empty. They
    count as not answered. `(adjudicated)` is the adjudicator."""
    textless: dict[str, int]
    """annotator -> ids of utterances without text among the answers; they are outside the universe and are ignored."""
    repeated: dict[str, int] = Field(default_factory=dict)
    """annotator -> answers to a query that everybody was asked beside which they gave a later one, which counts."""
    overall: Compared
    """All annotators together, before adjudication."""
    pairs: list[Compared]
    adjudicated: list[Compared]
    """Each annotator, before adjudication, against the adjudicated answers."""
    adjudicated_queries: int
    """Answers that stand after adjudication."""
    dropped: int
    """Queries that the adjudicator left out."""
    resamples: int
    seed: int
