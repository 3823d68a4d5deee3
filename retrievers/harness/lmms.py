"""What an lmms-eval task calls: a row of `queries` to a prompt, and answers to the figures of `mldr-eval`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mldr
from mldr.retrievers.harness.questions import check_where
from mldr.retrievers.harness.scoring import SHOWN, measured
from mldr.retrievers.protocol import Ask, view_of
from mldr.retrievers.readying import run_of
from mldr.retrievers.vlm.generator import ModelPrompt
from mldr.retrievers.vlm.prompting import Prompting, show

if TYPE_CHECKING:
    from PIL.Image import Image

SLOT = "<image>"
"""What stands for a picture in the text that simple models are given beside the pictures."""

Doc = Mapping[str, Any]
Pair = Sequence[str]
"""A query_id and a model's raw text."""


class LmmsTask:
    """The functions of one task, for one split of a dataset.

    Args:
        dataset: a folder, or a Hub id.
        split: whose gold is there.
        how: settings of `Prompting`.
        on_this_machine: the model runs here; needed for real chats without the consent scope `third_party_model`.
    """

    def __init__(self, dataset: str, split: str, how: Mapping[str, Any], *, on_this_machine: bool = False) -> None:
        self._name, self._split, self._how = dataset, split, Prompting(**how)
        self._dataset = mldr.load(dataset)
        check_where(self._dataset, on_this_machine)
        self._own = self._how.own_prompt(run_of(self._dataset, Path()))
        self._view = lru_cache(maxsize=8)(self._viewed)

    def _viewed(self, dialogue_id: str) -> Any:
        return view_of(self._dataset.dialogue(dialogue_id), self._how.declared, self._dataset.image_or_missing)

    def prompt(self, doc: Doc) -> ModelPrompt:
        """Return the prompt of a query, the very one of `vlm-api`."""
        ask = Ask(str(doc["query_id"]), str(doc["text"]), str(doc["language"]))
        return show(self._view(str(doc["dialogue_id"])), [ask], self._how, self._own).prompts[0]

    def doc_to_visual(self, doc: Doc) -> list[Image]:
        """Return the pictures, in the order of their slots."""
        return [picture.opened() for picture in self.prompt(doc).pictures]

    def doc_to_text(self, doc: Doc, lmms_eval_specific_kwargs: Mapping[str, Any] | None = None) -> str:
        """Return the text with a slot for each picture; the system message comes first, as simple models take none."""
        prompt = self.prompt(doc)
        return "\n\n".join(part for part in (prompt.system, prompt.text(SLOT)) if part)

    def doc_to_messages(
        self, doc: Doc, lmms_eval_specific_kwargs: Mapping[str, Any] | None = None
    ) -> list[dict[str, Any]]:
        """Return the messages for chat models, text and pictures in their order."""
        prompt = self.prompt(doc)
        content = [
            {"type": "text", "text": part} if isinstance(part, str) else {"type": "image", "url": part.opened()}
            for part in prompt.parts
        ]
        system = [{"role": "system", "content": [{"type": "text", "text": prompt.system}]}] if prompt.system else []
        return [*system, {"role": "user", "content": content}]

    def doc_to_target(self, doc: Doc) -> str:
        """Return nothing: an answer is held against id sets, not against a text."""
        return ""

    def process_results(self, doc: Doc, results: Sequence[Any]) -> dict[str, list[str]]:
        """Return the answer under the name of each measure; figures need all answers, so they come last."""
        answered = results[0]
        text = answered if isinstance(answered, str) else str(answered[0])
        return {metric_name(measure): [str(doc["query_id"]), text] for measure in SHOWN}

    def figure(self, measure: str) -> Callable[[Sequence[Pair]], float | None]:
        """Return the function that makes a measure's figure of all answers."""

        def aggregate(pairs: Sequence[Pair]) -> float | None:
            responses = {query_id: text for query_id, text in pairs}
            return measured(self._name, self._split, responses).get(measure)

        return aggregate


def metric_name(measure: str) -> str:
    """Return a measure's name as a metric: `joint_f1(avg=macro)` is `joint_f1_macro`."""
    return measure.replace("(avg=", "_").replace(")", "")
