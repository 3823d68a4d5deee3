"""A card from its sections; one that does not apply to the dataset is left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mldr.card.audit import audit_section
from mldr.card.chinese import chinese_section
from mldr.card.front import front_matter
from mldr.card.markdown import bullets, plain, table
from mldr.card.sources import held, sources_section
from mldr.dataset import Dataset
from mldr.manifest import Manifest
from mldr.summary import SplitSummary, rows_of, shown


def compose(
    dataset: Dataset,
    summaries: Mapping[str, SplitSummary],
    notice: str,
    measured: Sequence[str] = (),
    *,
    purpose: str = "",
) -> str:
    """Return the README of a dataset.

    Args:
        dataset: a written dataset with its manifest.
        summaries: split -> what it holds.
        notice: a warning, shown first; '' for none.
        measured: further sections in Markdown, which stand after the statistics.
        purpose: what the set is, in Markdown, where it was not stitched by a builder.

    Raises:
        MldrError: if a table cannot be read.
    """
    found = held(dataset)
    parts = [
        front_matter(dataset, summaries, found.terms),
        f"# {plain(dataset.name)}\n",
        *([f"> **{plain(notice, 2_000)}**\n"] if notice else []),
        purpose or _purpose(dataset),
        *withheld(dataset),
        "## Statistics\n\n" + _statistics(summaries),
        "### Dialogues by their number of utterances\n\n" + _histogram(summaries),
        *measured,
        *_checked(dataset.manifest),
        *_audited(dataset.manifest, summaries),
        *_rules(summaries),
        *_cost(dataset.manifest),
        *_left_out(dataset.manifest),
        "## Sources and licences\n\n" + sources_section(found),
        *([f"## Canary\n\n`{dataset.manifest.canary}`\n"] if dataset.manifest.canary else []),
        chinese_section(dataset, notice, found.terms),
    ]
    return "\n".join(parts)


def _purpose(dataset: Dataset) -> str:
    version = dataset.manifest.versions.get("mldr", "")
    return (
        f"Long multimodal dialogues for Fine-grained Fragment Retrieval, built by mldr{f' {plain(version)}' if version else ''}: "
        "each query asks for a fragment of one dialogue, and the gold says which utterances and images answer it. Built in the "
        "manner of MLDR (F2RVLM, arXiv 2508.17714); it is not the authors' release, and not the Multilingual Long-Document "
        "Retrieval dataset of the same name.\n\n"
        "Five configs: `dialogues`, `queries`, `gold`, `fragments`, `images`; joined by `dialogue_id`, `query_id` and "
        "`image_key`. Ids are 0-based; an utterance without text is never gold by its text.\n"
    )


def withheld(dataset: Dataset) -> list[str]:
    """Return the section on splits whose gold is not there, none where all of it is."""
    splits = [split for split in dataset.splits if not dataset.has_gold(split)]
    if not splits:
        return []
    hashes = [
        f"{split}: `{plain(dataset.manifest.gold_hash[split])}`"
        for split in splits
        if split in dataset.manifest.gold_hash
    ]
    text = (
        f"The gold of {', '.join(f'`{split}`' for split in splits)} is withheld: `gold` and `fragments` hold no row of it, and "
        "numbers that need it are not shown. Send predictions to whoever keeps the gold.\n"
    )
    if hashes:
        text += "\nThe hash of the gold, by which a score names what it was taken on:\n\n" + bullets(hashes)
    return ["## Withheld gold\n\n" + text]


def _statistics(summaries: Mapping[str, SplitSummary]) -> str:
    rows = [
        [words, *(plain(shown(summary, field), 2_000) for summary in summaries.values())]
        for field, words in rows_of(summaries.values())
        if field != "turns"  # has a table of its own
    ]
    return table(["", *summaries], rows)


def _histogram(summaries: Mapping[str, SplitSummary]) -> str:
    bins = sorted({name for summary in summaries.values() for name in summary.turns}, key=_low)
    return table(
        ["utterances", *bins], [[split, *(f"{s.turns.get(b, 0):,}" for b in bins)] for split, s in summaries.items()]
    )


def _low(name: str) -> int:
    return int(name.replace("-", " ").split()[0])


def _checked(manifest: Manifest) -> list[str]:
    if not manifest.verification:
        return []
    steps = (usage for step, usage in manifest.model_usage.items() if step.partition(" ")[0] == "verify")
    asker = ", ".join(sorted({str(usage.get("model", "")) for usage in steps} - {""}))
    rows = [
        [
            split,
            plain(kind),
            f"{n.get('asked', 0):,}",
            f"{n.get('agreed', 0):,}",
            _percent(n.get("agreed", 0), n.get("asked", 0)),
        ]
        for split, kinds in sorted(manifest.verification.items())
        for kind, n in [*sorted(kinds.items()), ("all", _summed(kinds))]
    ]
    return [
        "## How the labels were checked\n\n"
        f"A model{f' ({plain(asker)})' if asker else ''} answered queries a second time, blind to the gold; `verified` in `gold` "
        "says that its answer agreed. A query on which the two differ stays where it is, and both answers go to "
        "`OUT.flagged.jsonl` beside the dataset, for people to judge; that file is no part of the dataset. Agreement of a model "
        "with the gold is no proof of either.\n\n" + table(["split", "kind", "asked", "agreed", "agreement"], rows)
    ]


def _audited(manifest: Manifest, summaries: Mapping[str, SplitSummary]) -> list[str]:
    """Return the section on the audit; a set that people labelled, as that of real chats is, is not called unaudited."""
    sources = {source for summary in summaries.values() for source, count in summary.label_sources.items() if count}
    by_people = sources == {"human"} or manifest.consent_scopes is not None
    return [] if by_people and not manifest.audit else [audit_section(manifest)]


def _summed(kinds: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    return {name: sum(counts.get(name, 0) for counts in kinds.values()) for name in ("asked", "agreed")}


def _percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"


def _rules(summaries: Mapping[str, SplitSummary]) -> list[str]:
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


def _cost(manifest: Manifest) -> list[str]:
    rows = [
        [
            plain(step),
            plain(str(usage.get("model", "-"))),
            *(
                f"{usage[key]:,}" if isinstance(usage.get(key), int) else "-"
                for key in ("requests", "tokens_in", "tokens_out")
            ),
            f"{usage['cost']:,.4g} {plain(str(usage.get('currency', '')))}".strip()
            if isinstance(usage.get("cost"), int | float)
            else "not priced",
        ]
        for step, usage in sorted(manifest.model_usage.items())
        if "requests" in usage
    ]
    if not rows:
        return []
    return [
        "## What it cost\n\n"
        "Of the stored answers only, those that shaped the set; what failed calls cost on top is not in a dataset.\n\n"
        + table(["step", "model", "requests", "tokens in", "tokens out", "cost"], rows)
    ]


def _left_out(manifest: Manifest) -> list[str]:
    lines = [f"{plain(reason)}: {count:,}" for reason, count in sorted(manifest.dropped.items())]
    return ["## What was left out\n\n" + bullets(lines)] if lines else []
