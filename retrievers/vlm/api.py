"""A vision language model behind an endpoint of the OpenAI protocol: a commercial one, vLLM, SGLang, llama.cpp."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any

from mldr.chat import ChatAnswer, ChatRequest, ImagePart, Message, ModelEndpoint, Unanswered
from mldr.chat.endpoint import MOVABLE
from mldr.errors import MldrError, printable
from mldr.retrievers.asking import AskedModel, endpoint_of, extra_of, price_of
from mldr.retrievers.options import check_known
from mldr.retrievers.protocol import Run
from mldr.retrievers.vlm.answers import SCHEMA
from mldr.retrievers.vlm.generator import Generation, ModelPrompt, Part, Sampling
from mldr.retrievers.vlm.pixels import MAX_PIXELS
from mldr.retrievers.vlm.prompting import Prompting
from mldr.retrievers.vlm.retriever import VisionLanguageRetriever

ANSWERS = ("auto", "json_schema", "json_object", "prompt", "tags")
STEP = "retrieve"


class EndpointGenerator:
    """Asks an endpoint; every answer is kept the moment it arrives.

    Args:
        name: of the system, for messages.
        settings: fields of `ModelEndpoint`; without `model` it cannot be opened.
        with_schema: whether the server is held to the answer's JSON Schema.
        warm: whether the first question of a dialogue is answered before the others are sent, so that a server with a prefix
            cache reads the dialogue once.
    """

    def __init__(self, name: str, settings: Mapping[str, Any], *, with_schema: bool, warm: bool) -> None:
        self.name, self.with_schema, self.warm = name, with_schema, warm
        self.endpoint: ModelEndpoint | None = endpoint_of(name, settings) if settings.get("model") else None
        self._model: AskedModel | None = None

    @property
    def identity(self) -> Mapping[str, Any]:
        """The provider, the model and what shapes its answers; an endpoint tells no revision."""
        if self.endpoint is None:
            return {}
        published = self.endpoint.published()
        shaping = {name: published[name] for name in ("temperature", "max_tokens", "seed", "extra", "structured")}
        return {"provider": self.endpoint.provider, "model": self.endpoint.model, "request": shaping}

    @property
    def at_once(self) -> int:
        """Dialogues in flight: enough that the endpoint's own limit is what counts."""
        return 1 if self.endpoint is None else self.endpoint.concurrency

    def open(self, run: Run) -> None:
        """Open the store of answers; nothing is sent yet."""
        if self.endpoint is None:
            raise MldrError(
                f"{self.name}: no model is named; give --model NAME, and -o base_url=... for a server of your own"
            )
        store = run.responses or run.out.with_name(run.out.name + ".responses.sqlite")
        self._model = AskedModel(self.name, self.endpoint, store, run)

    def close(self) -> None:
        """Send nothing more and close the store."""
        if self._model is not None:
            self._model.close()

    def generate(self, prompts: Sequence[ModelPrompt], sampling: Sampling) -> Iterator[tuple[int, Generation]]:
        """Yield each answer as it arrives.

        Raises:
            InterruptedRun: if the server is dead or the budget is spent.
        """
        first = 1 if self.warm and len(prompts) > 1 else len(prompts)
        for numbers in (range(first), range(first, len(prompts))):
            before = self._opened.answered
            pending = {self._ask(prompts[number], sampling): number for number in numbers}
            while pending:
                for future in wait(pending, return_when=FIRST_COMPLETED).done:
                    yield pending.pop(future), self._generation(future, before)

    @property
    def _opened(self) -> AskedModel:
        if self._model is None:
            raise MldrError(f"{self.name}: open() comes first")
        return self._model

    def _ask(self, prompt: ModelPrompt, sampling: Sampling) -> Future[ChatAnswer]:
        user = Message("user", tuple(_part(part) for part in prompt.parts))
        messages = (Message("system", prompt.system), user) if prompt.system else (user,)
        schema = SCHEMA if self.with_schema else None
        return self._opened.ask(ChatRequest(messages, schema, "fragment", STEP, any_text=True), sampling.sample)

    def _generation(self, future: Future[ChatAnswer], answered_before: int) -> Generation:
        answer = self._opened.settled(future, answered_before)
        if not isinstance(answer, ChatAnswer):
            is_refused = isinstance(answer, Unanswered) and answer.reason == "refused"
            return Generation(outcome="refused" if is_refused else "api_error", fault=printable(str(answer)))
        return Generation(
            answer.text,
            answer.finish_reason,
            tokens_in=answer.usage.tokens_in or None,
            tokens_out=answer.usage.tokens_out or None,
        )


def _part(part: Part) -> str | ImagePart:
    if isinstance(part, str):
        return part
    return ImagePart(part.content, part.media_type, part.width * part.height)


class VlmApi(VisionLanguageRetriever):
    """Asks any chat endpoint of the OpenAI protocol, text and pictures interleaved as in the dialogue.

    Args:
        model: the name that the server knows.
        base_url: http(s), up to and with `/v1`; '' takes OPENAI_BASE_URL, else OpenAI.
        key_env: the environment variable with the key; '' for a server that asks for none.
        provider: who serves it; answers are kept under it, so a server may move.
        answer: how the answer is asked for: `json_schema`, `json_object` (with the schema), `prompt` (JSON by words), `auto`
            (the first of these that the server knows), or `tags`, the papers' grammar. Whatever comes is read in either form.
        temperature: 0 by default; `none` leaves it to the server, as some models want.
        top_p: None leaves it out.
        seed: sent where the server takes one; another sample adds to it.
        max_tokens: of one answer.
        concurrency: requests in flight.
        timeout_s: of one request.
        retries: further tries after a fault of the server.
        price_input: of a million tokens; needed for --budget.
        price_output: the same.
        currency: of the prices.
        extra: further fields of the request body, a JSON object as text (`{"max_completion_tokens": 512}`).
        warm: send the first query of a dialogue before the others, for the server's prefix cache; only where the dialogue is first.
        sees: `text`, `captions` or `pixels`.
        order: `dialogue_first`, or `query_first` as the papers have it.
        language: of the instruction: `auto`, `zh` or `en`.
        prompt: `from-release`, or a YAML file; with `auto` the answer is then asked for as the prompt words it.
        max_pixels: of one picture.
        max_images: of one prompt.
    """

    needs = ("endpoint",)
    movable = MOVABLE

    def __init__(
        self,
        model: str = "",
        base_url: str = "",
        key_env: str = "OPENAI_API_KEY",
        provider: str = "openai",
        answer: str = "auto",
        temperature: float | None = 0.0,
        top_p: float | None = None,
        seed: int | None = None,
        max_tokens: int = 1024,
        concurrency: int = 8,
        timeout_s: float = 120.0,
        retries: int = 6,
        price_input: float | None = None,
        price_output: float | None = None,
        currency: str = "USD",
        extra: str = "",
        warm: bool = True,
        sees: str = "pixels",
        order: str = "dialogue_first",
        language: str = "auto",
        prompt: str = "",
        max_pixels: int = MAX_PIXELS,
        max_images: int | None = None,
    ) -> None:
        check_known({"answer": answer}, ANSWERS)
        if prompt and answer == "auto":
            answer = "tags"  # a prompt of one's own names its form itself, and it is the papers'
        settings = {
            "model": model or "",
            "base_url": base_url or "",
            "key_env": key_env or "",
            "provider": provider,
            "structured": "prompt" if answer == "tags" else answer,
            "temperature": None if temperature is None else float(temperature),
            "seed": seed,
            "max_tokens": max_tokens,
            "concurrency": concurrency,
            "timeout_s": float(timeout_s),
            "retries": retries,
            "price": price_of(price_input, price_output, currency),
            "extra": extra_of(extra, top_p),
        }
        form = "tags" if answer == "tags" else "json"
        how = Prompting(sees, order, language, prompt, form, max_pixels, max_images)  # type: ignore[arg-type]  # checked there
        warm = bool(warm) and order == "dialogue_first"
        generator = EndpointGenerator("vlm-api", settings, with_schema=answer != "tags", warm=warm)
        super().__init__(generator, how, Sampling(temperature=temperature or 0.0))
