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


class SliceScores(BaseModel):
    """The scores of some queries."""

    model_config = _STRICT

    label: str
    n_queries: int
    n_clusters: int
    measures: dict[str, MeasureValue]
    note: str = ""
    """'' or why the slice is not to be leaned on."""


class OracleValue(BaseModel):
    """What scores could give at a threshold that was chosen on the gold."""

    model_config = _STRICT

    value: float
    threshold: float


class Scores(BaseModel):
    """What one predictions file is worth on one split."""

    model_config = _STRICT

    format: str = Field(default_factory=lambda: format_line("scores"))
    system: str = ""
    """What the scored file is called, where it came from one."""
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
    """measure -> value over those only, without intervals."""
    joint_from: dict[str, Basis]
    """average -> which modalities a joint figure stands on; the other has nothing to measure."""
    trivial: dict[str, dict[str, float | None]] = Field(default_factory=dict)
    """system that does not read -> measure -> value on this gold."""
    slices: dict[str, list[SliceScores]] = Field(default_factory=dict)
    """what the queries are parted by -> its slices."""
    oracle: dict[str, OracleValue] = Field(default_factory=dict)
    """Best-threshold F1, where predictions carry scores: an upper bound, no result."""
    latency_s: dict[str, float] = Field(default_factory=dict)
    """`p50`, `p90`, `p99` and `n`, where predictions carry latencies; seconds."""
    outcomes: dict[str, int]
    """outcome -> queries; every query has exactly one."""
    ignored: dict[str, int]
    """`textless` ids ignored, `repeated` ids counted once, `out_of_range` ids counted as false positives."""
    resamples: int
    """Of the bootstrap."""
    seed: int
    interval_note: str
    """How intervals were made, or why there are none."""
    images_note: str
    """'' or what systems could not see: images without bytes."""
    mldr_version: str
