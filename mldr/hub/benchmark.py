"""`eval.yaml`, by which the Hub knows a dataset as a benchmark, and the results that a model's page shows of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from mldr.dataset import Dataset

EVAL_FILE = "eval.yaml"
FRAMEWORK = "mldr"
"""What runs it. The Hub lists the frameworks that it knows; registering a benchmark of another is its people's decision."""


def benchmark_yaml(dataset: Dataset, hub_id: str) -> str:
    """Return the text of `eval.yaml`: a task for each split that is scored; '' where there is none.

    The Hub's format names a config and a split a task (its docs, "Evaluation results"). Prompt, answer grammar and measures
    are mldr's, which no list of ready-made solvers and scorers can say, so none is named.
    """
    splits = [split for split in dataset.splits if is_scored(dataset, split)]
    if not splits:
        return ""
    document = {
        "name": dataset.name,
        "description": (
            "Fine-grained Fragment Retrieval: a long multimodal dialogue and a query; the answer is the utterances and images "
            f"that the query asks for. Scored by `mldr-eval score {hub_id} PREDICTIONS --split SPLIT`; the headline is "
            "joint_f1, a fraction."
        ),
        "evaluation_framework": FRAMEWORK,
        "tasks": [{"id": split, "config": "queries", "split": split} for split in splits],
    }
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=130)


def is_scored(dataset: Dataset, split: str) -> bool:
    """Say whether scores on a split mean something: it has queries and a gold, and systems were not trained on it."""
    counts = dataset.manifest.counts.get(split, {})
    return bool(counts.get("queries")) and split in dataset.manifest.gold_hash and not split.startswith("train")


def result_entry(
    hub_id: str,
    split: str,
    value: float,
    *,
    revision: str = "",
    source: Mapping[str, str] | None = None,
    notes: str = "",
) -> dict[str, Any]:
    """Return one entry of a model's `.eval_results/*.yaml` (the Hub's docs, "Evaluation results").

    Args:
        hub_id: of the benchmark's dataset.
        split: its task.
        value: in percent, as the Hub's own benchmarks are.
        revision: the dataset's commit or tag; '' leaves it out.
        source: `url`, which the other two need, `name`, `org`: where the numbers come from.
        notes: how they were made.
    """
    dataset = {"id": hub_id, "task_id": split, **({"revision": revision} if revision else {})}
    entry: dict[str, Any] = {"dataset": dataset, "value": value}
    if source:
        entry["source"] = dict(source)
    return {**entry, **({"notes": notes} if notes else {})}


def results_yaml(entries: list[dict[str, Any]]) -> str:
    """Return the text of a file of results."""
    return yaml.safe_dump(entries, sort_keys=False, allow_unicode=True, width=130)
