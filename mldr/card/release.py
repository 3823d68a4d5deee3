"""The card of an imported release: whose it is, what was odd, what its splits share; short, in words and numbers."""

from __future__ import annotations

from collections.abc import Sequence

from mldr.card.audit import audit_section
from mldr.card.compose import withheld
from mldr.card.front import front_matter
from mldr.card.markdown import bullets, plain, table
from mldr.dataset import Dataset
from mldr.licences import combined
from mldr.manifest import Release
from mldr.summary import rows_of, shown, summarise


def card(dataset: Dataset) -> str:
    """Return the README of an imported release."""
    release = dataset.manifest.release or Release()
    summaries = {split: summarise(dataset, split) for split in dataset.splits}
    rows = [
        [words, *(plain(shown(s, field)) for s in summaries.values())] for field, words in rows_of(summaries.values())
    ]
    scopes = dataset.manifest.consent_scopes
    parts = [
        front_matter(dataset, summaries, combined([""])),
        f"# {dataset.name}\n",
        "> **The release of the authors of F2RVLM (arXiv 2508.17714), read by mldr. Its licence is not stated here, so it is "
        "not redistributable: whoever holds an agreement with the authors keeps to it.**\n",
        "Labels are the release's own (`label_source` is `release`)."
        + (_consent(scopes) if _is_real(dataset) else "\n"),
        *withheld(dataset),
        "## Statistics\n\n" + table(["", *summaries], rows),
        *([audit_section(dataset.manifest)] if dataset.manifest.audit else []),
        "## What is in two splits\n\n" + _counts(release.shared, "Nothing."),
        "## What was odd\n\n" + _counts(release.oddities, "Nothing."),
        "## Records that could not be used\n\n" + _counts(dataset.manifest.dropped, "None."),
        f"## Canary\n\n`{dataset.manifest.canary}`\n",
    ]
    return "\n".join(parts)


def _is_real(dataset: Dataset) -> bool:
    columns = (dataset.arrow("dialogues", split, ["origin"]).column("origin") for split in dataset.splits)
    return any("real" in column.unique().to_pylist() for column in columns)


def _consent(scopes: Sequence[str] | None) -> str:
    told = f"the consent scopes {', '.join(scopes)}, as stated at the import" if scopes else "no consent scope stated"
    return f" Its real chats have {told}.\n"


def _counts(counts: dict[str, int], nothing: str) -> str:
    return (
        bullets([f"{plain(reason)}: {count:,}" for reason, count in sorted(counts.items())])
        if counts
        else f"{nothing}\n"
    )
