"""The result of scoring one predictions file: a pydantic model, which `--json` prints and a leaderboard stores."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from mldr.formats import format_line

Basis = Literal["both", "utterances", "images", "none"]
_STRICT = ConfigDict(extra="forbid")


class MeasureValue(BaseModel):
    """A measure's value with its 95 % interval."""

    model_config = _STRICT

    value: float | None
    """A fraction; None where there is nothing to measure."""
    low: float | None = None
    """None where no interval is given; `interval_note` says why."""
    high: float | None = None


class Scores(BaseModel):
    """What one predictions file is worth on one split."""

    model_config = _STRICT

    format: str = Field(default_factory=lambda: format_line("scores"))
    dataset: str
    split: str
    protocol: Literal["mldr"] = "mldr"
    gold_hash: str
    """The identity of the benchmark."""
    predictions_hash: str
    """SHA-256 over the outcomes and ids as scored."""
    n_queries: int
    n_clusters: int
    measures: dict[str, MeasureValue]
    """measure -> value over all queries; a failure is never paid."""
    n_valid: int
    """Queries that did not end in a failure."""
    measures_valid: dict[str, MeasureValue]
    """measure -> value over those only."""
    joint_from: dict[str, Basis]
    """average -> which modalities a joint figure stands on; the other has nothing to measure."""
    outcomes: dict[str, int]
    """outcome -> queries; every query has exactly one."""
    ignored: dict[str, int]
    """`textless` ids ignored, `repeated` ids counted once, `out_of_range` ids counted as false positives."""
    interval_note: str
    """Why intervals are as they are."""
    images_note: str
    """'' or what systems could not see: images without bytes."""
    mldr_version: str
