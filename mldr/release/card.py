"""The card of an imported release: whose it is, what was odd, what its splits share; short, in words and numbers."""

from __future__ import annotations

import re

from mldr.cards import front_matter
from mldr.dataset import Dataset
from mldr.errors import printable
from mldr.manifest import Release
from mldr.summary import ROWS, shown, summarise

_MARKDOWN = re.compile(r"([\\`*_\[\]<>#|~&!])")


def plain(text: str) -> str:
    """Return foreign text so that Markdown shows it and does nothing with it."""
    return _MARKDOWN.sub(r"\\\1", printable(text))


def card(dataset: Dataset) -> str:
    """Return the README of an imported release."""
    release = dataset.manifest.release or Release()
    summaries = {split: summarise(dataset, split) for split in dataset.splits}
    languages = {language for summary in summaries.values() for language in summary.languages}
    lines = ["| | " + " | ".join(summaries) + " |", "|---" * (len(summaries) + 1) + "|"]
    for field, words in ROWS:
        lines.append(f"| {words} | " + " | ".join(plain(shown(s, field)) for s in summaries.values()) + " |")
    scopes = dataset.manifest.consent_scopes
    parts = [
        f"---\n{front_matter(dataset, languages)}---\n",
        f"# {dataset.name}\n",
        "> **The release of the authors of F2RVLM (arXiv 2508.17714), read by mldr. Its licence is not stated here, so it is "
        "not redistributable: whoever holds an agreement with the authors keeps to it.**\n",
        "Labels are the release's own (`label_source` is `release`). Real chats in it have "
        + (
            f"the consent scopes {', '.join(scopes)}, as stated at the import.\n"
            if scopes
            else "no consent scope stated.\n"
        ),
        "## Statistics\n\n" + "\n".join(lines) + "\n",
        "## What is in two splits\n\n" + _counts(release.shared, "Nothing."),
        "## What was odd\n\n" + _counts(release.oddities, "Nothing."),
        "## Records that could not be used\n\n" + _counts(dataset.manifest.dropped, "None."),
        f"## Canary\n\n`{dataset.manifest.canary}`\n",
    ]
    return "\n".join(parts)


def _counts(counts: dict[str, int], nothing: str) -> str:
    return (
        "\n".join(f"- {plain(reason)}: {count:,}" for reason, count in sorted(counts.items())) + "\n"
        if counts
        else nothing + "\n"
    )
