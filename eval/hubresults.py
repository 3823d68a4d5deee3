"""Scores as the Hub's evaluation results: the YAML that a model's page and a benchmark's leaderboard read."""

from __future__ import annotations

from pathlib import Path

from mldr.errors import MldrError
from mldr.eval.scores import Scores
from mldr.files import write_text
from mldr.hub.benchmark import result_entry, results_yaml
from mldr.hub.client import HUB_ID

HEADLINE = "joint_f1"
"""The one figure that the Hub's format takes: micro-averaged, as the papers print it."""


def hub_results(scores: Scores, hub_id: str, revision: str = "") -> str:
    """Return the text of a file for a model's `.eval_results/` folder.

    Args:
        scores: of one system.
        hub_id: the dataset that it was scored on, as the Hub calls it.
        revision: its version or commit.

    Raises:
        MldrError: if the headline was not measured, or the dataset has no name on the Hub.
    """
    if not HUB_ID.fullmatch(hub_id):
        raise MldrError(f"{hub_id}: is no Hub id; name the dataset's with --hub-id ORG/NAME")
    measured = scores.measures.get(HEADLINE)
    if measured is None or measured.value is None:
        raise MldrError(f"{HEADLINE} was not measured, and the Hub's results are that figure; leave out --measure")
    return results_yaml(
        [result_entry(hub_id, scores.split, round(100 * measured.value, 2), revision=revision, notes=_notes(scores))]
    )


def _notes(scores: Scores) -> str:
    measured = scores.measures[HEADLINE]
    between = (
        ""
        if measured.low is None or measured.high is None
        else (f", 95 % interval {100 * measured.low:.2f} to {100 * measured.high:.2f}")
    )
    failed = scores.n_queries - scores.n_valid
    return (
        f"{HEADLINE} in percent, micro average over {scores.n_queries:,} queries{between}; {failed:,} failures, never paid; "
        f"mldr {scores.mldr_version}, gold {scores.gold_hash[:12]}, predictions {scores.predictions_hash[:12]}"
    )


def write_hub_results(scores: Scores, path: Path, hub_id: str, revision: str = "", *, force: bool = False) -> None:
    """Write the file.

    Raises:
        MldrError: if something stands there, or as `hub_results` does.
    """
    if path.exists() and not force:
        raise MldrError(f"{path} exists; choose another --hub-yaml, or replace it with --force")
    write_text(path, hub_results(scores, hub_id, revision))
