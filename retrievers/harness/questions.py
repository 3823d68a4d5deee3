"""The queries of a split as a harness asks them: the very prompts of `vlm-api`, one a query."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mldr.answers import format_answer
from mldr.consent import THIRD_PARTY_MODEL
from mldr.dataset import Dataset
from mldr.errors import MldrError
from mldr.retrievers.protocol import ask_of, view_of
from mldr.retrievers.readying import run_of
from mldr.retrievers.vlm.generator import ModelPrompt
from mldr.retrievers.vlm.prompting import Prompting, show


@dataclass(frozen=True, slots=True)
class Question:
    """One query with all that its dialogue shows."""

    query_id: str
    dialogue_id: str
    prompt: ModelPrompt
    target: str
    """The gold answer in the papers' grammar, for people who look at logs; nothing is scored against this text."""


def questions(dataset: Dataset, split: str, how: Prompting) -> Iterator[Question]:
    """Yield the queries of a split, by dialogue.

    Args:
        dataset: with the gold of the split.
        split: of the dataset.
        how: what a model sees, and in which order.

    Raises:
        MldrError: if there is no such split, or its gold is withheld.
    """
    if not dataset.has_gold(split):
        raise MldrError(f"{dataset.folder}: the gold of {split!r} is withheld, so a harness cannot score it")
    own = how.own_prompt(run_of(dataset, Path()))
    for asked in dataset.asked(split):
        if not asked.queries:
            continue
        view = view_of(asked.dialogue, how.declared, dataset.image_or_missing)
        shown = show(view, [ask_of(query) for query in asked.queries], how, own)
        for query, gold, prompt in zip(asked.queries, asked.gold, shown.prompts, strict=True):
            target = format_answer(sorted(gold.utterance_ids), sorted(gold.image_ids))
            yield Question(query.query_id, query.dialogue_id, prompt, target)


def check_where(dataset: Dataset, on_this_machine: bool) -> None:
    """Refuse to hand real chats to a harness, which may send them anywhere, without consent.

    Args:
        dataset: what is asked.
        on_this_machine: the person who runs it says that the model is here.

    Raises:
        MldrError: if the speakers did not agree to `third_party_model` and nobody says that the model is here.
    """
    run = run_of(dataset, Path())
    if run.real and THIRD_PARTY_MODEL not in run.consent_scopes and not on_this_machine:
        raise MldrError(
            f"{dataset.name} holds real chats whose speakers did not all agree to {THIRD_PARTY_MODEL}, and a harness may send "
            "them to a model anywhere; say on_this_machine=true if the model runs on this machine"
        )
