"""The rewards as a trainer calls them: completions and the columns of the training set in, a list of numbers out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from mldr.errors import MldrError, printable
from mldr.retrievers.f2rvlm.rewards import Floats, Target, f1_reward, format_reward, order_reward
from mldr.retrievers.f2rvlm.rewards.f1 import F1Form
from mldr.retrievers.f2rvlm.rewards.order import OrderOver
from mldr.retrievers.f2rvlm.vectors import VectorTable

if TYPE_CHECKING:
    from mldr.dataset import Dataset

RewardName = Literal["f1", "order", "format"]
Completion = str | Sequence[Mapping[str, object]]
RewardFunction = Callable[..., list[float]]

WEIGHTS: dict[RewardName, float] = {"f1": 1.0, "order": 1.0, "format": 0.3}
"""What each reward weighs in the sum (F2RVLM_GRPO.sh; AAAI, training)."""


@dataclass(frozen=True, slots=True)
class Scorer:
    """Scores completions by the `query_id` of their prompt.

    Its methods fit trl's `reward_funcs`: they take whatever other columns the trainer hands over, and an error in them stops
    the run, for a reward of 0 in its place would be learnt from.
    """

    targets: Mapping[str, Target]
    """query_id -> its gold."""
    dialogues: Mapping[str, str]
    """query_id -> its dialogue_id."""
    table: VectorTable | None = None
    """None where the order reward is switched off."""
    form: F1Form = "weighted"
    over: OrderOver = "relevant"

    @classmethod
    def of(
        cls,
        dataset: Dataset,
        split: str,
        table: VectorTable | None = None,
        *,
        form: F1Form = "weighted",
        over: OrderOver = "relevant",
    ) -> Scorer:
        """Return the scorer of a split, negatives included.

        Raises:
            MldrError: if the split's gold is withheld.
        """
        if not dataset.has_gold(split):
            raise MldrError(f"{dataset.folder}: split {split!r} has no gold to reward answers by")
        targets: dict[str, Target] = {}
        dialogues: dict[str, str] = {}
        for asked in dataset.asked(split):
            targets |= {gold.query_id: Target.of(gold, asked.dialogue) for gold in asked.gold}
            dialogues |= {query.query_id: query.dialogue_id for query in asked.queries}
        return cls(targets, dialogues, table, form, over)

    def functions(self, names: Sequence[RewardName] = ("f1", "order", "format")) -> list[RewardFunction]:
        """Return the rewards of these names, for an ablation fewer than all.

        Raises:
            MldrError: if order consistency is among them and there is no table of vectors.
        """
        if "order" in names and self.table is None:
            raise MldrError("the order reward needs a table of vectors; name an embedder, or switch the reward off")
        return [getattr(self, name) for name in names]

    def f1(self, completions: Sequence[Completion], query_id: Sequence[str], **_columns: object) -> list[float]:
        """Return the F1 reward of each completion."""
        return _plain(f1_reward(_texts(completions), self._targets(query_id), form=self.form))

    def order(self, completions: Sequence[Completion], query_id: Sequence[str], **_columns: object) -> list[float]:
        """Return the order consistency of each completion.

        Raises:
            MldrError: if there is no table of vectors, or a dialogue is not in it.
        """
        table = self.table
        if table is None:
            raise MldrError("the order reward needs a table of vectors; name an embedder, or switch the reward off")
        targets = self._targets(query_id)  # says it first where a query is unknown
        vectors = [table.of(self.dialogues[one]) for one in query_id]
        return _plain(order_reward(_texts(completions), targets, vectors, over=self.over))

    def format(self, completions: Sequence[Completion], **_columns: object) -> list[float]:
        """Return the format reward of each completion."""
        return _plain(format_reward(_texts(completions)))

    def _targets(self, query_ids: Sequence[str]) -> list[Target]:
        if unknown := sorted(set(query_ids) - self.targets.keys()):
            raise MldrError(f"query {printable(unknown[0])} is not one of the split that answers are rewarded by")
        return [self.targets[one] for one in query_ids]


def _plain(rewards: Floats) -> list[float]:
    plain: list[float] = rewards.tolist()
    return plain


def _texts(completions: Sequence[Completion]) -> list[str]:
    """Return the raw texts; a chat template's completion is a list of messages, its text that of the last one."""
    return [one if isinstance(one, str) else _content(one) for one in completions]


def _content(messages: Sequence[Mapping[str, object]]) -> str:
    content = messages[-1]["content"]
    if isinstance(content, str):
        return content
    if isinstance(content, Sequence):
        return "".join(str(part["text"]) for part in content if part["type"] == "text")
    raise MldrError(f"a completion's content is {type(content).__name__}; a text or a list of parts is expected")
