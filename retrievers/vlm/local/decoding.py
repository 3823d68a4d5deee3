"""Tokens out of a model: what prompts have in common is read once, then all of them go on together from its key-value cache."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from mldr.files import canonical_json, sha256_text
from mldr.retrievers.vlm.generator import Sampling
from mldr.retrievers.vlm.local.encoding import Encoded
from mldr.retrievers.vlm.local.loading import LoadedModel


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a model wrote."""

    ids: tuple[int, ...]
    """Without the token that ended it."""
    finish_reason: str
    """`stop` or `length`."""


@dataclass(slots=True)
class Prefix:
    """What prompts have in common, as the model has read it."""

    cache: Any
    """Keys and values of each layer, one row."""
    length: int
    shift: Any
    """For models whose pictures take up fewer positions than tokens (M-RoPE): what is added to later positions; else None."""


def common_prefix(prompts: Sequence[Encoded]) -> int:
    """Return how many tokens all prompts begin with; at least one of each is left over, since a model must read something.

    It is 0 where a picture lies behind it: pictures are read with the prefix or not shared at all.
    """
    shortest = min(len(one.ids) for one in prompts)
    first = prompts[0].ids
    shared = next(
        (i for i in range(shortest) if any(one.ids[i] != first[i] for one in prompts[1:])),
        shortest,
    )
    shared = min(shared, shortest - 1)
    return shared if shared >= max(one.last_picture for one in prompts) else 0


class Decoder:
    """Decodes for one model."""

    def __init__(self, loaded: LoadedModel, max_tokens: int) -> None:
        self._torch: Any = import_module("torch")
        self._model, self._device = loaded.model, loaded.device
        self._stops, self._max_tokens = loaded.stops, max_tokens
        inner = getattr(loaded.model, "model", None)
        self._rotary = inner if hasattr(inner, "rope_deltas") else None
        takes = inspect.signature(loaded.model.forward).parameters
        self._cache_name = "cache" if "cache" in takes else "past_key_values"  # renamed during transformers 5

    def decode(self, prompts: Sequence[Encoded], sampling: Sampling, batch: int) -> list[Decoded]:
        """Return what the model writes after each prompt; prompts that share their beginning share its reading.

        Args:
            prompts: of one dialogue.
            sampling: how tokens are drawn.
            batch: prompts at once.
        """
        with self._torch.inference_mode():
            shared = common_prefix(prompts) if len(prompts) > 1 else 0
            if not shared:
                return [self._alone(one, sampling) for one in prompts]
            prefix = self._read(prompts[0], shared)
            found: list[Decoded] = []
            for start in range(0, len(prompts), batch):
                part = prompts[start : start + batch]
                is_last = start + batch >= len(prompts)
                cache = prefix.cache if is_last else copy.deepcopy(prefix.cache)
                cache.batch_repeat_interleave(len(part))
                found += self._go_on(Prefix(cache, shared, prefix.shift), part, sampling)
            return found

    def _alone(self, prompt: Encoded, sampling: Sampling) -> Decoded:
        """Read a whole prompt, all of it but the last token as its own prefix."""
        length = len(prompt.ids) - 1
        if length < max(1, prompt.last_picture):
            return self._go_on(Prefix(None, 0, None), [prompt], sampling)[0]
        return self._go_on(self._read(prompt, length), [prompt], sampling)[0]

    def _read(self, prompt: Encoded, length: int) -> Prefix:
        torch = self._torch
        ids = torch.tensor([prompt.ids[:length]], device=self._device)
        inputs = {name: self._placed(value) for name, value in prompt.pictures.items()}
        if prompt.kinds:
            inputs["mm_token_type_ids"] = torch.tensor([prompt.kinds[:length]], device=self._device)
        if self._rotary is not None:
            self._rotary.rope_deltas = None  # of the dialogue before
        made = self._model(
            input_ids=ids, attention_mask=torch.ones_like(ids), use_cache=True, logits_to_keep=1, **inputs
        )
        shift = None if self._rotary is None else self._rotary.rope_deltas
        return Prefix(getattr(made, self._cache_name), length, shift)

    def _placed(self, value: Any) -> Any:
        if not hasattr(value, "to"):
            return value
        return value.to(self._device, self._model.dtype) if value.is_floating_point() else value.to(self._device)

    def _go_on(self, prefix: Prefix, prompts: Sequence[Encoded], sampling: Sampling) -> list[Decoded]:
        """Read the rest of each prompt, padded on the left, and write token by token until all have ended."""
        torch = self._torch
        rests = [one.ids[prefix.length :] for one in prompts]
        width = max(map(len, rests))
        ids = torch.tensor([[0] * (width - len(rest)) + list(rest) for rest in rests], device=self._device)
        own = torch.tensor([[0] * (width - len(rest)) + [1] * len(rest) for rest in rests], device=self._device)
        mask = torch.cat([own.new_ones(len(prompts), prefix.length), own], dim=1)
        pickers = [_Picker(torch, sampling, one.ids) for one in prompts]
        written: list[list[int]] = [[] for _ in prompts]
        ended: list[str] = [""] * len(prompts)
        cache = prefix.cache
        for step in range(self._max_tokens):
            positions = (mask.cumsum(-1) - 1).clamp(min=0)[:, -ids.shape[1] :]
            made = self._model(
                input_ids=ids,
                attention_mask=mask,
                position_ids=self._positions(positions, prefix.shift),
                use_cache=True,
                logits_to_keep=1,
                **{self._cache_name: cache},
            )
            cache = getattr(made, self._cache_name)
            logits = made.logits[:, -1].float().cpu()
            tokens = [0 if ended[row] else pickers[row].pick(logits[row]) for row in range(len(prompts))]
            for row, token in enumerate(tokens):
                if not ended[row] and token in self._stops:
                    ended[row] = "stop"
                elif not ended[row]:
                    written[row].append(token)
            if all(ended) or step + 1 == self._max_tokens:
                break
            ids = torch.tensor([[token] for token in tokens], device=self._device)
            mask = torch.cat([mask, mask.new_ones(len(prompts), 1)], dim=1)
        return [Decoded(tuple(one), end or "length") for one, end in zip(written, ended, strict=True)]

    def _positions(self, positions: Any, shift: Any) -> Any:
        """Return positions as the model wants them: (rows, tokens), or three of each where pictures have height and width."""
        if self._rotary is None:
            return positions
        moved = positions if shift is None else positions + shift.to(positions.device).reshape(-1, 1)[:1]
        return moved[None].expand(3, -1, -1)


class _Picker:
    """Picks the next token of one answer; its draws depend on the prompt, the seed and the sample's number alone."""

    def __init__(self, torch: Any, sampling: Sampling, ids: Sequence[int]) -> None:
        self._torch, self._sampling = torch, sampling
        self._draws = None
        if sampling.temperature > 0:
            named = canonical_json([sampling.seed, sampling.sample, list(ids)])
            self._draws = torch.Generator().manual_seed(int(sha256_text(named)[:15], 16))

    def pick(self, logits: Any) -> int:
        """Return the likeliest token (of equals the smallest id), or one that is drawn."""
        if self._draws is None:
            return int(logits.argmax())
        torch = self._torch
        chances = torch.softmax(logits / self._sampling.temperature, dim=-1)
        ordered, names = chances.sort(descending=True, stable=True)
        before = ordered.cumsum(0) - ordered
        ordered = ordered.masked_fill(before >= self._sampling.top_p, 0.0)
        return int(names[torch.multinomial(ordered, 1, generator=self._draws)])
