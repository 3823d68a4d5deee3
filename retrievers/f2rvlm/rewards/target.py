"""What an answer is held against, and the answers themselves as sets of ids, read by the parser of the evaluation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Sized
from dataclasses import dataclass

from mldr.answers import parse_answer
from mldr.dialogue import Dialogue, Gold

NOTHING: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Target:
    """The gold of one query."""

    utterance_ids: frozenset[int]
    image_ids: frozenset[int]
    textless_ids: frozenset[int] = NOTHING
    """Utterances of the dialogue without text: ignored in an answer, as the evaluation does."""

    @classmethod
    def of(cls, gold: Gold, dialogue: Dialogue) -> Target:
        """Return what answers to a query of this dialogue are held against."""
        textless = frozenset(dialogue.textless_ids)
        return cls(frozenset(gold.utterance_ids) - textless, frozenset(gold.image_ids), textless)

    @property
    def is_negative(self) -> bool:
        """Whether nothing answers the query."""
        return not self.utterance_ids and not self.image_ids


@dataclass(frozen=True, slots=True)
class Named:
    """The ids that one answer names, each once; utterances without text are left out."""

    utterance_ids: frozenset[int]
    image_ids: frozenset[int]

    @property
    def is_empty(self) -> bool:
        """Whether the answer says that nothing fits."""
        return not self.utterance_ids and not self.image_ids


def named(answers: Sequence[str], targets: Sequence[Target]) -> Iterator[Named | None]:
    """Yield what each answer names, None for one that cannot be parsed.

    Args:
        answers: raw texts of a model.
        targets: parallel to them.
    """
    for answer, target in zip(answers, targets, strict=True):
        parsed = parse_answer(answer)
        if parsed is None:
            yield None
            continue
        utterance_ids = frozenset(parsed.utterance_ids)
        if target.textless_ids:
            utterance_ids -= target.textless_ids
        yield Named(utterance_ids, frozenset(parsed.image_ids))


def same_length(**columns: Sized) -> None:
    """Refuse columns that are not parallel.

    Raises:
        ValueError: naming each with its length. A caller's slip must stop the run, never become a reward of 0.
    """
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError("one entry a completion: " + ", ".join(f"{name} has {n}" for name, n in lengths.items()))
