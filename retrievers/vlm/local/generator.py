"""A local model behind the interface of every generator: prompts of one dialogue in, texts out."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any

from mldr.errors import MldrError
from mldr.retrievers.protocol import Run
from mldr.retrievers.vlm.generator import Generation, ModelPrompt, Sampling
from mldr.retrievers.vlm.local.decoding import Decoded, Decoder
from mldr.retrievers.vlm.local.encoding import Encoded, Encoder, Unreadable
from mldr.retrievers.vlm.local.loading import LoadedModel, ModelSource, load


class TransformersGenerator:
    """Runs a model of transformers in this process.

    Args:
        source: the model.
        max_tokens: of one answer.
        max_length: tokens of a prompt and its answer; None for what the model was made for.
        batch: prompts at once.
        share_prefix: whether the beginning that the prompts of a dialogue share is read once.
    """

    at_once = 1
    """Dialogues at a time: the model is busy with one."""

    def __init__(
        self, source: ModelSource, *, max_tokens: int, max_length: int | None, batch: int, share_prefix: bool
    ) -> None:
        self.source, self.max_tokens, self.max_length = source, max_tokens, max_length
        self.batch, self.share_prefix = batch, share_prefix
        self._loaded: LoadedModel | None = None
        self._ready: tuple[Encoder, Decoder] | None = None

    @property
    def identity(self) -> Mapping[str, Any]:
        """The model, its revision or the hash of its files, how it is held, and the libraries."""
        return {} if self._loaded is None else {**self._loaded.identity, "request": {"max_tokens": self.max_tokens}}

    @property
    def loaded(self) -> LoadedModel:
        """The model, once it is opened."""
        if self._loaded is None:
            raise MldrError("vlm-local: open() comes first")
        return self._loaded

    @property
    def _encoder(self) -> Encoder:
        return self._opened()[0]

    @property
    def _decoder(self) -> Decoder:
        return self._opened()[1]

    def _opened(self) -> tuple[Encoder, Decoder]:
        if self._ready is None:
            raise MldrError("vlm-local: open() comes first")
        return self._ready

    def open(self, run: Run) -> None:
        """Load the model.

        Raises:
            MldrError: if it cannot be had.
        """
        if not self.source.model:
            raise MldrError("vlm-local: no model is named; give --model FOLDER, or --model with a name of the Hub")
        self._loaded = load(self.source)
        self._ready = Encoder(self._loaded), Decoder(self._loaded, self.max_tokens)

    def close(self) -> None:
        """Let go of the model."""
        self._loaded = self._ready = None
        gc.collect()

    def generate(self, prompts: Sequence[ModelPrompt], sampling: Sampling) -> Iterator[tuple[int, Generation]]:
        """Yield what the model writes to each prompt; one that is too long for it, or for the memory, fails alone."""
        fitting: dict[int, Encoded] = {}
        for position, prompt in enumerate(prompts):
            try:
                encoded = self._encoder.encode(prompt)
            except Unreadable as error:
                yield position, Generation(outcome="api_error", fault=str(error))
                continue
            if fault := self._too_long(encoded):
                yield position, Generation(outcome="api_error", fault=fault, tokens_in=len(encoded.ids))
            else:
                fitting[position] = encoded
        groups = [list(fitting)] if self.share_prefix else [[position] for position in fitting]
        for group in groups:
            if group:
                yield from self._answered(group, fitting, sampling, self.batch)

    def _too_long(self, encoded: Encoded) -> str:
        limit = self.max_length or self.loaded.reads
        if limit is None or len(encoded.ids) + 1 <= limit:
            return ""
        return f"the prompt has {len(encoded.ids):,} tokens and the model reads {limit:,}; windows+vlm-local cuts dialogues"

    def _answered(
        self, group: list[int], fitting: Mapping[int, Encoded], sampling: Sampling, batch: int
    ) -> Iterator[tuple[int, Generation]]:
        """Yield the answers to some prompts; where memory does not suffice, to fewer at once, down to one."""
        began = time.perf_counter()
        try:
            decoded = self._decoder.decode([fitting[one] for one in group], sampling, batch)
        except RuntimeError as error:
            if not _is_out_of_memory(error):
                raise
            decoded = None
        if decoded is None:
            _freed()
            if len(group) == 1:
                yield (
                    group[0],
                    Generation(outcome="api_error", fault="out of memory", tokens_in=len(fitting[group[0]].ids)),
                )
            elif batch > 1:
                yield from self._answered(group, fitting, sampling, batch // 2)
            else:
                for one in group:
                    yield from self._answered([one], fitting, sampling, 1)
            return
        each = (time.perf_counter() - began) / len(group)
        for one, answer in zip(group, decoded, strict=True):
            yield one, self._generation(fitting[one], answer, each)

    def _generation(self, encoded: Encoded, decoded: Decoded, seconds: float) -> Generation:
        text = self.loaded.tokenizer.decode(list(decoded.ids), skip_special_tokens=False)
        return Generation(
            text,
            decoded.finish_reason,
            tokens_in=len(encoded.ids),
            tokens_out=len(decoded.ids),
            latency_s=round(seconds, 4),
        )


def _is_out_of_memory(error: RuntimeError) -> bool:
    torch: Any = import_module("torch")
    return isinstance(error, torch.OutOfMemoryError) or "not enough memory" in str(error)


def _freed() -> None:
    torch: Any = import_module("torch")
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
