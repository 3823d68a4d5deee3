"""The card of a released set of real chats: how it was collected, who agreed to what, what protects them, how people agreed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mldr.annotation.agreement import Agreement, card_section
from mldr.annotation.records import Collected
from mldr.card import compose, plain, table
from mldr.dataset import Dataset
from mldr.summary import SplitSummary, summarise

PAPER = {
    "dialogues": "580 (of 270 chats)",
    "utterances": "75.38",
    "queries": "1,250",
    "utterance_share": "about 11.4 % (derived from published counts)",
    "image_share": "about 17.7 % (derived)",
    "agreement": "not published",
    "consent": "informed consent of 12 volunteers; that of the people they wrote with is not described",
}
"""What the papers say of WeChat-MDR: F2RVLM (arXiv 2508.17714) and arXiv 2606.04591, section 4.2."""

NOTICE = (
    "Real conversations of real people, de-identified and shared for research under the terms in LICENCE.txt. Do not try to find "
    "out who they are; delete what is withdrawn."
)


@dataclass(frozen=True, slots=True)
class Told:
    """What a card says beyond the tables."""

    masks: Mapping[str, int]
    """kind -> stretches of text that were replaced."""
    covered: Mapping[str, int]
    """`faces` and `codes` that were filled."""
    removed: int
    """Messages that their people took out before anybody else saw them."""
    subjects: int
    speakers: int
    left_out: Mapping[str, int]
    scopes: Sequence[str]
    """What every speaker had to agree to."""
    agreement: Agreement

    @classmethod
    def of(
        cls, shown: Sequence[Collected], left_out: Mapping[str, int], scopes: Sequence[str], agreement: Agreement
    ) -> Told:
        """Return what is told of the dialogues of a release."""
        covered: Counter[str] = Counter()
        for collected in shown:
            for image in collected.images:
                covered.update(image.covered or {})
        return cls(
            masks=dict(sorted(Counter(mask.mask.kind for collected in shown for mask in collected.masks).items())),
            covered=dict(sorted(covered.items())),
            removed=sum(int(collected.treatment.get("removed", 0)) for collected in shown),
            subjects=len({subject for collected in shown for subject in collected.subjects.values()}),
            speakers=sum(len(collected.subjects) for collected in shown),
            left_out=left_out,
            scopes=scopes,
            agreement=agreement,
        )


def real_card(dataset: Dataset, told: Told) -> str:
    """Return the README of a released set of real chats.

    Raises:
        MldrError: if a table cannot be read.
    """
    summaries = {split: summarise(dataset, split) for split in dataset.splits}
    sections = [
        _collection(),
        _consent(dataset, told),
        _privacy(told),
        card_section(told.agreement),
        _beside_the_paper(summaries, told),
    ]
    return compose(dataset, summaries, NOTICE, sections, purpose=_purpose(dataset))


def _purpose(dataset: Dataset) -> str:
    version = plain(dataset.manifest.versions.get("mldr", ""))
    release = dataset.manifest.recipe.get("release", {})
    number = plain(str(release.get("version", 1)))
    return (
        f"Real chats for Fine-grained Fragment Retrieval, version {number}, prepared with mldr {version}: each query asks for a "
        "fragment of one dialogue, and the gold says which utterances and images answer it. It is not WeChat-MDR, the real set "
        "of F2RVLM (arXiv 2508.17714).\n\n"
        "Five configs: `dialogues`, `queries`, `gold`, `fragments`, `images`; joined by `dialogue_id`, `query_id` and "
        "`image_key`. Ids are 0-based; an utterance without text is never gold by its text. `gold.annotations` holds what each "
        "annotator (A1, A2, ...) said before anybody adjudicated.\n"
    )


def _collection() -> str:
    return (
        "## How it was collected\n\n"
        "People gave finished exports of their own chats. Names, numbers and addresses were replaced on the giver's own machine, "
        "where the giver read everything and could take out any message or picture. Consecutive messages of one speaker are one "
        "utterance; chats are cut at long pauses, and all pieces of a chat share a `cluster_id`. Stickers, voice messages, calls, "
        "links, files, payments and system lines are not part of the set.\n"
    )


def _consent(dataset: Dataset, told: Told) -> str:
    scopes = dataset.manifest.consent_scopes or []
    return (
        "## Consent\n\n"
        f"Every speaker is an adult and agreed to: {', '.join(f'`{plain(scope)}`' for scope in told.scopes)}. All of them agreed "
        f"to: {', '.join(f'`{plain(scope)}`' for scope in scopes) or 'nothing more'}; only these uses are allowed "
        "(`consent_scopes` in manifest.json). "
        f"{told.subjects:,} people stand behind the {told.speakers:,} speakers of all dialogues; a person has another label in "
        "each dialogue. Anybody may withdraw: a new version without their messages follows, and whoever holds an older one must "
        "delete it. A conversation stays recognisable to those who had it.\n"
    )


def _privacy(told: Told) -> str:
    rows = [[plain(kind), f"{count:,}"] for kind, count in told.masks.items()]
    pictures = ", ".join(f"{count:,} {name}" for name, count in told.covered.items()) or "nothing"
    return (
        "## What protects the people in it\n\n"
        "Speakers are S1, S2, ... by first appearance. Times are moved by a whole number of days, another one for each dialogue; "
        "the gaps are true. A name is replaced by another name, the same throughout a dialogue; everything else by a word in "
        "brackets. Pictures are encoded anew without metadata, faces and codes are filled "
        f"({pictures}), and each one that is here was released by a person; the others are `withheld`. Messages taken out by "
        f"their people: {told.removed:,}. Detectors miss things: a person read every dialogue, and whoever finds something "
        "private in it is asked to tell the publisher.\n\n" + (table(["replaced", "stretches"], rows) if rows else "")
    )


def _beside_the_paper(summaries: Mapping[str, SplitSummary], told: Told) -> str:
    rows = []
    for split, summary in summaries.items():
        dialogues = f"{summary.dialogues:,} (of {summary.clusters:,} chats)"
        rows += [
            [f"dialogues, {plain(split)}", dialogues, PAPER["dialogues"]],
            ["utterances a dialogue", f"{summary.utterances.mean:.2f}", PAPER["utterances"]],
            ["queries", f"{sum(summary.label_sources.values()):,}", PAPER["queries"]],
            ["gold share of utterances", f"{100 * summary.utterance_share:.1f} %", PAPER["utterance_share"]],
            ["gold share of images", f"{100 * summary.image_share:.1f} %", PAPER["image_share"]],
        ]
    rows += [
        ["agreement of annotators", "above", PAPER["agreement"]],
        ["consent", f"of all {told.subjects:,} people", PAPER["consent"]],
    ]
    return "## Beside the paper's real set\n\nWeChat-MDR, as F2RVLM and its follow-up publish it.\n\n" + table(
        ["", "here", "WeChat-MDR"], rows
    )
