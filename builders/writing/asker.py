"""Asking a model until its answer holds: what is wrong with an answer is told to the model, and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from mldr.chat.request import ChatAnswer, ChatRequest, Message, Unanswered, Usage
from mldr.errors import printable
from mldr.files import canonical_json, sha256_text

_TOLD = 8
"""Faults of one answer that the model is told of."""


class Asker(Protocol):
    """Gives whole answers of the schema that a request asks for."""

    async def ask(self, request: ChatRequest, sample: int = 0, keep_failure: bool = False) -> ChatAnswer:
        """Return the answer to a request; another `sample` is another answer.

        Raises:
            Unanswered: if the model gives no usable answer, however often it is asked.
        """
        ...


@dataclass(frozen=True, slots=True)
class Flaw:
    """Why an answer is rejected."""

    reason: str
    """Under which it is counted; says nothing of one dialogue."""
    detail: str
    """What the model is told: what is wrong where, and what to do."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer that was kept, and where it comes from."""

    value: Any
    model: str
    prompt: str
    """The version of the prompt."""
    attempt: int
    """From 1; answers before it were rejected for their content."""

    def origin(self) -> dict[str, Any]:
        """Return what `meta` says of it."""
        return {"attempt": self.attempt, "model": self.model, "prompt": self.prompt}


@dataclass(slots=True)
class Ledger:
    """What the questions of one dialogue cost, and why answers were rejected."""

    counts: Counter[str] = field(default_factory=Counter)
    usage: dict[str, list[int]] = field(default_factory=dict)
    """`<step>/<the recipe's name of the model>` -> answers, tokens in, tokens out."""
    shared: dict[str, list[Any]] = field(default_factory=dict)
    """Of questions that other dialogues may ask too: key of the question -> `<step>/<name>`, tokens in, tokens out."""
    spent: set[str] = field(default_factory=set)
    """Keys of this dialogue's own questions: one that is asked again is answered from the store, and costs nothing."""

    def spend(self, what: str, usage: Usage, key: str, shared: bool) -> None:
        """Note the tokens of one answer, once for each question."""
        if shared:
            self.shared[key] = [what, usage.tokens_in, usage.tokens_out]
            return
        if key in self.spent:
            return
        self.spent.add(key)
        row = self.usage.setdefault(what, [0, 0, 0])
        for position, amount in enumerate((1, usage.tokens_in, usage.tokens_out)):
            row[position] += amount


@dataclass(frozen=True, slots=True)
class Voice:
    """A model as one step asks it."""

    asker: Asker
    name: str
    """The recipe's name of it."""
    model: str
    """What `label_model` and `meta` call it."""
    prompt: str
    attempts: int = 1
    shared: bool = False
    """Whether other dialogues may ask the same."""
    gives_up: bool = True
    """Whether a question without a usable answer is given up; else it stops the run."""


async def ask_once(voice: Voice, request: ChatRequest, ledger: Ledger, attempt: int = 0) -> ChatAnswer | None:
    """Return the answer of one attempt, None where the model gives none; that is counted.

    What is given up is kept as an answer would be: the next run meets the same.

    Raises:
        Unanswered: if the model gives no usable answer and the voice does not give up.
    """
    try:
        answer = await voice.asker.ask(request, sample=attempt, keep_failure=voice.gives_up)
    except Unanswered as failure:
        if not voice.gives_up:
            raise
        ledger.counts[f"{request.step}: no answer from the model ({failure.reason})"] += 1
        return None
    key = question_key(request, voice.name, attempt)
    ledger.spend(f"{request.step}/{voice.name}", answer.usage, key, voice.shared)
    return answer


async def ask_until(
    voice: Voice,
    request: ChatRequest,
    check: Callable[[Any], Sequence[Flaw]],
    ledger: Ledger,
    take: Callable[[Kept], None] | None = None,
) -> Kept | None:
    """Return the first answer without a flaw; None after all attempts, or where the model gives none.

    Args:
        voice: who is asked, and how often.
        request: the question; a further attempt adds the rejected answer and what is wrong with it.
        check: returns the flaws of an answer.
        ledger: counts flaws by reason, and tokens.
        take: is given every answer, flawed or not, for steps that use what is good in it.
    """
    asked = request
    for attempt in range(voice.attempts):
        answer = await ask_once(voice, asked, ledger, attempt)
        if answer is None:
            return None
        kept = Kept(answer.value, voice.model, voice.prompt, attempt + 1)
        flaws = check(answer.value)
        if take is not None:
            take(kept)
        if not flaws:
            return kept
        ledger.counts.update({f"{request.step}: answers rejected, {reason}" for reason in {f.reason for f in flaws}})
        asked = told(request, answer.text, flaws)
    return None


def told(request: ChatRequest, answer: str, flaws: Sequence[Flaw]) -> ChatRequest:
    """Return the request again, followed by the rejected answer and its flaws."""
    lines = [f"- {printable(flaw.detail)}" for flaw in flaws[:_TOLD]]
    if len(flaws) > _TOLD:
        lines.append(f"- ... and {len(flaws) - _TOLD} more of the kind")
    complaint = "Your answer was rejected:\n" + "\n".join(lines) + "\nAnswer again, whole, with all of this mended."
    again = (*request.messages, Message("assistant", answer), Message("user", complaint))
    return ChatRequest(again, request.schema, request.schema_name, request.step)


def question_key(request: ChatRequest, model: str, attempt: int) -> str:
    """Return what tells a question from every other: 16 hex digits."""
    messages = [[message.role, message.content] for message in request.messages]
    return sha256_text(canonical_json([model, messages, request.schema, attempt]))[:16]


def object_schema(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON Schema of an object that has exactly these properties."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def list_schema(items: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON Schema of a list."""
    return {"type": "array", "items": dict(items)}


STRING = {"type": "string"}
INTEGER = {"type": "integer"}
