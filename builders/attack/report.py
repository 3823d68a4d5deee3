"""How much of the true gold an attack recovers, beside what trivial systems get: for whoever keeps the gold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mldr.builders.attack.attack import Answers, Attack
from mldr.builders.floor import floor
from mldr.dataset import Dataset
from mldr.dialogue import Dialogue, Gold
from mldr.eval import Evaluator, parse_measures
from mldr.eval.prediction import Prediction
from mldr.summary import Range

_NAMES = ("joint_f1", "joint_f1(avg=macro)", "joint_em")


@dataclass(frozen=True, slots=True)
class Row:
    """One attack, or a trivial system, scored against the true gold; fractions."""

    name: str
    answered: int
    """Queries that it has an answer for."""
    exact: float | None
    """Share of all queries whose gold it names exactly."""
    exact_answerable: float | None
    """The same of the queries that have an answer; None for a trivial system."""
    joint_f1: float | None
    """Micro."""
    joint_f1_macro: float | None


def report(found: Attack, private: Dataset) -> list[Row]:
    """Return a row for the rebuild, the tracing, both together, and the trivial systems `all` and `none`.

    Args:
        found: what the attack made of the public set.
        private: the same dataset with its gold.

    Raises:
        MldrError: if the split has no gold there.
        InputError: if an answer names a query that the private set does not have.
    """
    evaluator = Evaluator(private, found.split)
    golds = {gold.query_id: gold for gold in private.gold(found.split)}
    rows = [
        _row(name, answers, evaluator, golds)
        for name, answers in (("rebuild", found.rebuilt), ("tracing", found.traced), ("both", found.answers))
    ]
    for name, values in floor(private, found.split, parse_measures(_NAMES)).items():
        if name != "random":
            rows.append(
                Row(name, len(golds), values["joint_em"], None, values["joint_f1"], values["joint_f1(avg=macro)"])
            )
    return rows


def _row(name: str, answers: Answers, evaluator: Evaluator, golds: Mapping[str, Gold]) -> Row:
    scores = evaluator.score(answers, parse_measures(_NAMES), resamples=0)
    answerable = [gold for gold in golds.values() if gold.kind != "negative"]
    exact = sum(_same(answers.get(gold.query_id), gold) for gold in answerable)
    return Row(
        name,
        len(answers),
        scores.measures["joint_em"].value,
        exact / len(answerable) if answerable else None,
        scores.measures["joint_f1"].value,
        scores.measures["joint_f1(avg=macro)"].value,
    )


def _same(answer: Prediction | None, gold: Gold) -> bool:
    if answer is None:
        return False
    return set(answer.utterance_ids or ()) == set(gold.utterance_ids) and set(answer.image_ids or ()) == set(
        gold.image_ids
    )


def topics_found(found: Attack, private: Dataset) -> float:
    """Return the share of the true topics' elements that the attack puts together in one source, averaged over topics.

    Of each topic: the Jaccard similarity of its elements and those of the traced source that fits it best.
    """
    dialogues = {dialogue.dialogue_id: dialogue for dialogue in private.dialogues(found.split)}
    share = Range()
    for fragment in private.fragments(found.split):
        if fragment.level == "topic":
            own = {("utterance", i) for i in fragment.utterance_ids} | {("image", i) for i in fragment.image_ids}
            groups = _groups(found, dialogues[fragment.dialogue_id])
            share.add(max((len(own & group) / len(own | group) for group in groups), default=0.0))
    return share.mean


def _groups(found: Attack, dialogue: Dialogue) -> list[set[tuple[str, int]]]:
    trace = found.traces.get(dialogue.dialogue_id)
    if trace is None:
        return []
    groups: dict[str, set[tuple[str, int]]] = {}
    for number, (source, _) in trace.utterances.items():
        if dialogue.utterances[number].text:
            groups.setdefault(source, set()).add(("utterance", number))
    for number, (source, _) in trace.images.items():
        groups.setdefault(source, set()).add(("image", number))
    return list(groups.values())
