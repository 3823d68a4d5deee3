"""The whole attack: a rebuild from the public recipe where one is at hand, and the tracing of each utterance to its source."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from mldr.builders.attack.guess import Asker, guesses
from mldr.builders.attack.trace import SourceIndex, Trace
from mldr.builders.sources.record import SourceDialogue
from mldr.dataset import Dataset
from mldr.dialogue import Dialogue
from mldr.errors import MldrError
from mldr.eval.prediction import Prediction
from mldr.files import canonical_json, sha256_text

Answers = dict[str, Prediction]


@dataclass(slots=True)
class Attack:
    """What an attacker makes of a withheld split."""

    split: str
    traced: Answers = field(default_factory=dict)
    """query_id -> the answer found by tracing utterances to the public sources; one for every query."""
    rebuilt: Answers = field(default_factory=dict)
    """query_id -> the gold of the same query of the same dialogue in a rebuild; only where there is one."""
    traces: dict[str, Trace] = field(default_factory=dict)
    """dialogue_id -> where its elements came from."""
    ids_rebuilt: int = 0
    """Dialogue ids of the split that the rebuild has too."""
    hash_rebuilt: bool = False
    """Whether the rebuild's gold has the published hash: then all of it is known."""

    @property
    def answers(self) -> Answers:
        """The best that the attacker has: the rebuild's gold where there is some, else what tracing found."""
        return {**self.traced, **self.rebuilt}


def attack(public: Dataset, split: str, sources: Iterable[SourceDialogue], rebuild: Dataset | None = None) -> Attack:
    """Return what somebody makes of a split who has the public dataset, the public sources and the public recipe.

    Args:
        public: the dataset as published.
        split: one whose gold is withheld; gold that the dataset shows is not looked at.
        sources: the public source dialogues, as their reader yields them.
        rebuild: what the recipe's public text builds from them without the salt.

    Raises:
        MldrError: if there is no such split, or a table cannot be read.
    """
    index = SourceIndex.of(sources)
    if not index.dialogues:
        raise MldrError("the attack needs sources, and there are none")
    made = Attack(split)
    made.traces = {dialogue.dialogue_id: index.trace(dialogue) for dialogue in public.dialogues(split)}
    asker = Asker.of(index, (name for trace in made.traces.values() for name in trace.source_ids))
    for asked in public.asked(split, gold=False):
        trace = asker.refined(asked, made.traces[asked.dialogue.dialogue_id])
        made.traces[asked.dialogue.dialogue_id] = trace
        for guess in guesses(asked, trace, asker):
            made.traced[guess.query_id] = guess
    if rebuild is not None:
        _compare(public, rebuild, made)
    return made


def _compare(public: Dataset, rebuild: Dataset, made: Attack) -> None:
    """Take over the gold of a rebuild, by the dialogues' and the queries' own words: ids may be salted, words are not."""
    known: dict[tuple[str, str], Prediction] = {}
    ids: set[str] = set()
    for split in rebuild.splits:
        for asked in rebuild.asked(split):
            ids.add(asked.dialogue.dialogue_id)
            told = _content(asked.dialogue)
            for query, gold in zip(asked.queries, asked.gold, strict=False):
                known[told, query.text] = Prediction(query.query_id, gold.utterance_ids, gold.image_ids)
    for asked in public.asked(made.split, gold=False):
        made.ids_rebuilt += asked.dialogue.dialogue_id in ids
        told = _content(asked.dialogue)
        for query in asked.queries:
            if found := known.get((told, query.text)):
                made.rebuilt[query.query_id] = Prediction(query.query_id, found.utterance_ids, found.image_ids)
    published = public.manifest.gold_hash.get(made.split)
    made.hash_rebuilt = published is not None and published in rebuild.manifest.gold_hash.values()


def _content(dialogue: Dialogue) -> str:
    said = [[utterance.text, list(utterance.image_ids)] for utterance in dialogue.utterances]
    return sha256_text(canonical_json([said, [image.image_key for image in dialogue.images]]))
