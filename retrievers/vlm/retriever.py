"""A vision language model as a retriever: the same for every model and whatever runs it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from mldr.eval.prediction import Prediction
from mldr.files import canonical_json
from mldr.markup import Sees
from mldr.prompts import Prompt
from mldr.retrievers.protocol import Ask, DialogueView, Run
from mldr.retrievers.vlm.answers import read
from mldr.retrievers.vlm.generator import Generation, Generator, Sampling
from mldr.retrievers.vlm.prompting import Prompting, show


class VisionLanguageRetriever:
    """Puts a dialogue before a model, one prompt a query, and reads the ids out of what it writes.

    Args:
        generator: runs the model.
        prompting: how the dialogue is shown.
        sampling: how tokens are drawn.
    """

    def __init__(self, generator: Generator, prompting: Prompting, sampling: Sampling) -> None:
        self.generator, self.prompting, self.sampling = generator, prompting, sampling
        self.sees: tuple[Sees, ...] = prompting.declared
        self._own: Prompt | None = None

    @property
    def at_once(self) -> int:
        """How many dialogues may be answered at the same time."""
        return self.generator.at_once

    def open(self, run: Run) -> None:
        """Read the prompt and make the model ready."""
        self._own = self.prompting.own_prompt(run)
        self.generator.open(run)

    def close(self) -> None:
        """Let go of the model."""
        self.generator.close()

    def retrieve(self, view: DialogueView, asks: list[Ask]) -> Iterator[Prediction]:
        """Yield what the model answers to each query."""
        return self._answered(view, asks, self.sampling)

    def sampled(self, view: DialogueView, asks: list[Ask], sample: int) -> Iterator[Prediction]:
        """Yield the `sample`-th answer to each query; with temperature 0 they are all the same."""
        return self._answered(view, asks, replace(self.sampling, sample=sample))

    def _answered(self, view: DialogueView, asks: list[Ask], sampling: Sampling) -> Iterator[Prediction]:
        shown = show(view, asks, self.prompting, self._own)
        for position, generation in self.generator.generate(shown.prompts, sampling):
            yield self._prediction(asks[position], generation, shown.meta)

    def _prediction(self, ask: Ask, generation: Generation, meta: Mapping[str, Any]) -> Prediction:
        recorded = {**self.generator.identity, **meta}
        recorded |= {
            name: value
            for name in ("finish_reason", "fault", "tokens_in", "tokens_out")
            if (value := getattr(generation, name)) not in ("", None)
        }
        answer = None if generation.outcome else read(generation.text)
        return Prediction(
            ask.query_id,
            None if answer is None else answer.utterance_ids,
            None if answer is None else answer.image_ids,
            response=None if generation.outcome and not generation.text else generation.text,
            latency_s=generation.latency_s,
            outcome=generation.outcome or ("parse_error" if answer is None else ""),
            meta=canonical_json(recorded),
        )
