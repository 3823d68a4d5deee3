"""The card's section on what people found who judged a sample of the labels blind, or that nobody did; and how it gets there."""

from __future__ import annotations

import re
from pathlib import Path

from mldr.assembly import add_card
from mldr.card.markdown import plain, table
from mldr.errors import MldrError
from mldr.manifest import AuditEntry, Interval, Manifest, read_manifest

HEADING = "## Label audit"
_SCOPES = {"utterances": "utt", "images": "img", "both": "joint"}
_SECTION = re.compile(rf"^{HEADING}\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_BEFORE = re.compile(
    r"^## (Queries by rule|What it cost|What was left out|Sources and licences|Canary)\n", re.MULTILINE
)


def audit_section(manifest: Manifest) -> str:
    """Return the section: the audits that the manifest names, or that there was none."""
    if not manifest.audit:
        return (
            f"{HEADING}\n\nUnaudited: no people have answered a sample of these queries blind, so nobody knows how often the "
            "labels are right.\n"
        )
    head = (
        f"{HEADING}\n\nPeople answered a sample of the queries without seeing a label. Precision is the share of what a label "
        "holds that they chose too; recall the share of what they chose that it holds; `same` the share of queries with the very "
        "same answer. An answer stands if all gave it or it was adjudicated. Percent, 95 % intervals in brackets.\n"
    )
    return "\n".join([head, *(_split(split, audit) for split, audit in sorted(manifest.audit.items()))])


def _split(split: str, audit: AuditEntry) -> str:
    rows = []
    groups = {"all, every answer": audit.answers, "all, where an answer stands": audit.labels}
    for name, labels in (*groups.items(), *sorted(audit.kinds.items())):
        for shown, scope in _SCOPES.items():
            cells = [_value(labels.measures.get(f"{scope}_{what}")) for what in ("p", "r", "f1", "em")]
            rows.append([plain(name), shown, f"{labels.queries:,}", *cells])
    told = [f"- {plain(line, 1_000)}" for line in audit.notes]
    if audit.human:
        told.append(
            f"- joint F1 of {_people(len(audit.human))} against the labels, as a system is scored, on the queries that each "
            "answered: "
            + "; ".join(f"{_value(one.measures.get('joint_f1'))} ({one.answered:,} queries)" for one in audit.human)
        )
    return (
        f"### `{plain(split)}`\n\n"
        + table(["label", "of", "queries", "precision", "recall", "F1", "same"], rows)
        + "\n"
        + "\n".join(told)
        + "\n"
    )


def _people(n: int) -> str:
    return "one person" if n == 1 else f"{n} people"


def _value(value: Interval | None) -> str:
    """Return a value with its interval in percent; `-` for none."""
    number, low, high = value or (None, None, None)
    if number is None:
        return "-"
    between = "" if low is None or high is None else f" [{100 * low:.1f}, {100 * high:.1f}]"
    return f"{100 * number:.1f}{between}"


def with_audit(card: str, manifest: Manifest) -> str:
    """Return a card whose section on the audit is that of the manifest; nothing else in it changes."""
    section = audit_section(manifest)
    if found := _SECTION.search(card):
        end = "\n" if found.end() < len(card) else ""
        return card[: found.start()] + section + end + card[found.end() :]
    if place := _BEFORE.search(card):
        return f"{card[: place.start()]}{section}\n{card[place.start() :]}"
    return f"{card.rstrip()}\n\n{section}"


def record_audit(folder: Path, split: str, audit: AuditEntry) -> None:
    """Write what an audit of a split found into a dataset's manifest and card; an earlier one of the split makes way.

    Args:
        folder: of the dataset.
        split: that was audited.
        audit: what was found.

    Raises:
        MldrError: if the folder holds no dataset, no such split, or other labels of it than were audited.
    """
    manifest = read_manifest(folder)
    if split not in manifest.counts:
        raise MldrError(f"{folder}: no split {split!r}; it has {', '.join(sorted(manifest.counts)) or 'none'}")
    if audit.gold_hash != manifest.gold_hash.get(split, ""):
        raise MldrError(f"{folder} has other labels of {split} than were audited")
    manifest.audit[f"{split} (flagged)" if audit.source == "flagged" else split] = audit
    path = folder / "README.md"
    try:
        card = path.read_text(encoding="utf-8") if path.exists() else f"# {plain(manifest.name)}\n"
    except (OSError, UnicodeDecodeError) as error:
        raise MldrError(f"{path}: cannot be read ({type(error).__name__})") from error
    add_card(folder, manifest, with_audit(card, manifest))
