"""The dataset card: what the Hub reads in its YAML, and what a person must know, in words and numbers."""

from __future__ import annotations

import re
from typing import Any

import yaml

from mldr.dataset import Dataset
from mldr.errors import printable
from mldr.summary import ROWS, SplitSummary, shown, summarise
from mldr.tables import TABLES, card_features

_MARKDOWN = re.compile(r"([\\`*_\[\]<>#|~&!])")


def plain(text: str) -> str:
    """Return foreign text so that Markdown shows it and does nothing with it."""
    return _MARKDOWN.sub(r"\\\1", printable(text))


def card(dataset: Dataset, notice: str) -> str:
    """Return the README of a dataset.

    Args:
        dataset: a written dataset with its manifest.
        notice: the recipe's warning, shown first.
    """
    summaries = {split: summarise(dataset, split) for split in dataset.splits}
    parts = [
        f"---\n{_front_matter(dataset, summaries)}---\n",
        f"# {dataset.name}\n",
        *([f"> **{plain(notice)}**\n"] if notice else []),
        _purpose(dataset),
        "## Statistics\n\n" + _statistics(summaries),
        *_labels(summaries),
        "## What was left out\n\n" + _counts(dataset.manifest.dropped),
        "## Sources and licences\n\n" + _attributions(dataset),
        f"## Canary\n\n`{dataset.manifest.canary}`\n",
    ]
    return "\n".join(parts)


def _front_matter(dataset: Dataset, summaries: dict[str, SplitSummary]) -> str:
    configs: list[dict[str, Any]] = []
    described: list[dict[str, Any]] = []
    for table in TABLES:
        splits = [split for split in dataset.splits if dataset.files(table, split)]
        if splits:
            files = [{"split": split, "path": f"{table}/{split}-*.parquet"} for split in splits]
            configs.append({"config_name": table, "data_files": files})
            described.append({"config_name": table, "features": card_features(table)})
    document = {
        "pretty_name": dataset.name,
        "language": sorted({language for summary in summaries.values() for language in summary.languages}),
        "license": "other",
        "license_name": "see-sources-and-licences",
        "tags": ["mldr", "fine-grained-fragment-retrieval", "multimodal", "dialogue"],
        "configs": configs,
        "dataset_info": described,
    }
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True)


def _purpose(dataset: Dataset) -> str:
    return (
        f"Long multimodal dialogues for Fine-grained Fragment Retrieval, built by mldr {dataset.manifest.versions['mldr']}: "
        "each dialogue tells three topics, each query asks for a fragment of one dialogue, and the gold says which "
        "utterances and images answer it. Built in the manner of MLDR (F2RVLM, arXiv 2508.17714); it is not the authors' "
        "release, and not the Multilingual Long-Document Retrieval dataset of the same name.\n\n"
        "Five configs: `dialogues`, `queries`, `gold`, `fragments`, `images`; joined by `dialogue_id`, `query_id` and "
        "`image_key`. Ids are 0-based; an utterance without text is never gold by its text.\n"
    )


def _statistics(summaries: dict[str, SplitSummary]) -> str:
    lines = ["| | " + " | ".join(summaries) + " |", "|---" * (len(summaries) + 1) + "|"]
    for field, words in ROWS:
        lines.append(f"| {words} | " + " | ".join(plain(shown(s, field)) for s in summaries.values()) + " |")
    return "\n".join(lines) + "\n"


def _labels(summaries: dict[str, SplitSummary]) -> list[str]:
    by_rule = sum(summary.label_sources.get("rule", 0) for summary in summaries.values())
    total = sum(sum(summary.label_sources.values()) for summary in summaries.values())
    if not by_rule:
        return []
    return [
        "## Queries by rule\n\n"
        f"{by_rule:,} of {total:,} queries have the label source `rule`. Such a query is up to four terms of highest tf-idf "
        "in the words and captions of the fragment that it asks for (character pairs in Chinese); nobody typed it, it may "
        "name what its own fragment says in the same words, and lexical systems are at home on it. A rule's negative is "
        "such a query from another topic of the same split and language. Scores on them rank systems only roughly.\n"
    ]


def _counts(counts: dict[str, int]) -> str:
    return (
        "\n".join(f"- {plain(reason)}: {count:,}" for reason, count in sorted(counts.items())) + "\n"
        if counts
        else "Nothing.\n"
    )


def _attributions(dataset: Dataset) -> str:
    found: set[tuple[str, str, str]] = set()
    for split in dataset.splits:
        for kind, table in (("dialogues", "dialogues"), ("image", "images")):
            for row in dataset.arrow(table, split, ["licence", "attribution"]).to_pylist():  # type: ignore[arg-type]
                found.add((kind, row["licence"] or "not stated, so not redistributable", row["attribution"]))
    lines = [
        f"- {kind}: {plain(licence)}" + (f" — {plain(credit)}" if credit else "")
        for kind, licence, credit in sorted(found)
    ]
    return "\n".join(lines) + "\n"
