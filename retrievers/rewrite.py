"""A language model says the query in other words before any retriever is asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any

from mldr.chat import ChatAnswer, ChatRequest, Message, Unanswered
from mldr.chat.endpoint import MOVABLE
from mldr.errors import MldrError, printable
from mldr.eval.prediction import Prediction
from mldr.files import canonical_json, parse_json, sha256_text
from mldr.retrievers.around import Around
from mldr.retrievers.asking import AskedModel, endpoint_of, price_of
from mldr.retrievers.options import check_known
from mldr.retrievers.protocol import Ask, DialogueView, Example, Fittable, Run, Sampled

STEP = "rewrite"
LONGEST = 500
"""Characters of a rewritten query that are used; a model that runs on must not flood the prompt of the next."""
BUDGET_SHARE = 0.1
"""Of `--budget`, for the model that rewrites: its questions are short."""
WORDS = {
    "en": (
        "You prepare searches in one long chat. Say the search below in other words: name what the messages and pictures that "
        "answer it would themselves speak of or show. Keep names, numbers and the language. Write one line, the new search alone."
    ),
    "zh": (
        "你为一段长聊天的检索改写查询。请换一种说法表达下面的查询：写出能回答它的消息和图片本身会提到或呈现的内容。"
        "保留人名、数字和语言。只写一行，即新的查询。"
    ),
}
"""The instruction, by the query's language; English for any other."""


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A query as the inner system is asked it, and how that came about."""

    text: str
    outcome: str
    """`rewritten`, or why the query stands as it was: `refused`, `empty`, `failed`, ..."""


class Rewrite(Around):
    """Lets a language model put each query in other words, then asks any system.

    The model sees the query alone, not the dialogue. Where it gives nothing of use the query stays as it was; `meta` says so, and
    what was asked. The inner system is fitted on rewritten queries too, so those of validation are rewritten where it can be
    fitted. Answers are kept in `OUT.rewriter.responses.sqlite` (`--responses FILE`: in `FILE.rewriter`). Of a `--budget` the
    model that rewrites may spend a tenth, the inner system the rest.

    Args:
        system: the system that is asked.
        rewriter_model: the name that the server knows.
        rewriter_base_url: http(s), up to and with `/v1`; '' takes OPENAI_BASE_URL, else OpenAI.
        rewriter_key_env: the environment variable with the key; '' for a server that asks for none.
        rewriter_provider: who serves it; answers are kept under it, so a server may move.
        rewriter_how: `replace` puts the new words in the query's place, `append` behind it, as lexical systems like.
        rewriter_max_tokens: of one answer.
        rewriter_concurrency: requests in flight.
        rewriter_timeout_s: of one request.
        rewriter_retries: further tries after a fault of the server.
        rewriter_price_input: of a million tokens; needed for --budget.
        rewriter_price_output: the same.
        rewriter_currency: of the prices.
        options: of the inner system.
    """

    def __init__(
        self,
        system: str = "bm25",
        rewriter_model: str = "",
        rewriter_base_url: str = "",
        rewriter_key_env: str = "OPENAI_API_KEY",
        rewriter_provider: str = "openai",
        rewriter_how: str = "replace",
        rewriter_max_tokens: int = 128,
        rewriter_concurrency: int = 8,
        rewriter_timeout_s: float = 120.0,
        rewriter_retries: int = 6,
        rewriter_price_input: float | None = None,
        rewriter_price_output: float | None = None,
        rewriter_currency: str = "USD",
        **options: Any,
    ) -> None:
        check_known({"rewriter_how": rewriter_how}, ("replace", "append"))
        super().__init__(system, **options)
        self.how = rewriter_how
        self.needs = tuple(dict.fromkeys((*self.needs, "endpoint")))
        self.movable = (*self.movable, *(f"rewriter_{name}" for name in MOVABLE))
        settings = {
            "model": rewriter_model or "",
            "base_url": rewriter_base_url or "",
            "key_env": rewriter_key_env or "",
            "provider": rewriter_provider,
            "structured": "prompt",
            "temperature": 0.0,
            "max_tokens": rewriter_max_tokens,
            "concurrency": rewriter_concurrency,
            "timeout_s": float(rewriter_timeout_s),
            "retries": rewriter_retries,
            "price": price_of(rewriter_price_input, rewriter_price_output, rewriter_currency),
        }
        self.endpoint = endpoint_of(STEP, settings) if rewriter_model else None
        self._model: AskedModel | None = None

    def open(self, run: Run) -> None:
        """Connect to the model, and open the inner system.

        Raises:
            InputError: if real queries would leave this machine without consent.
            MldrError: if no model is named.
        """
        if self.endpoint is None:
            raise MldrError(
                "rewrite: no model is named; give -o rewriter_model=NAME, and -o rewriter_base_url=... for your own"
            )
        kept = run.out.with_name(run.out.name + ".rewriter.responses.sqlite")
        store = kept if run.responses is None else run.responses.with_name(run.responses.name + ".rewriter")
        own, rest = (None, None) if run.budget is None else (run.budget * BUDGET_SHARE, run.budget * (1 - BUDGET_SHARE))
        self._model = AskedModel(STEP, self.endpoint, store, replace(run, budget=own))
        try:
            super().open(replace(run, budget=rest))
        except BaseException:
            self._model.close()
            raise

    def close(self) -> None:
        """Close both."""
        try:
            super().close()
        finally:
            if self._model is not None:
                self._model.close()

    def fit(self, examples: Iterable[Example]) -> None:
        """Fit the inner system on rewritten queries, where it can be fitted."""
        if isinstance(self.inner, Fittable):
            self.inner.fit((view, [one for one, _ in self._rewritten(asks)], golds) for view, asks, golds in examples)

    def retrieve(self, view: DialogueView, asks: list[Ask]) -> Iterator[Prediction]:
        """Yield the inner system's answers to the rewritten queries."""
        return self._found(view, asks, None)

    def sampled(self, view: DialogueView, asks: list[Ask], sample: int) -> Iterator[Prediction]:
        """Yield the inner system's `sample`-th answers; the words are the same for every sample."""
        if not isinstance(self.inner, Sampled):
            raise TypeError(f"{self.system} draws no samples; a vision language model does")
        return self._found(view, asks, sample)

    def _found(self, view: DialogueView, asks: list[Ask], sample: int | None) -> Iterator[Prediction]:
        made = {new.query_id: (new, rewritten) for new, rewritten in self._rewritten(asks)}
        for prediction in self.sampled_from_inner(view, [new for new, _ in made.values()], sample):
            new, rewritten = made[prediction.query_id]
            said = parse_json(prediction.meta) if prediction.meta else {}
            said["rewriter"] = {"asked": new.text, "outcome": rewritten.outcome, **self._identity()}
            yield replace(prediction, meta=canonical_json(said))

    @property
    def _opened(self) -> AskedModel:
        if self._model is None:
            raise MldrError("rewrite: open() comes first")
        return self._model

    def _identity(self) -> dict[str, Any]:
        return {"model": self.endpoint.model if self.endpoint else "", "how": self.how, "prompt_sha256": PROMPT_SHA256}

    def _rewritten(self, asks: list[Ask]) -> list[tuple[Ask, Rewritten]]:
        """Return each query in its new words; all are on their way at once."""
        before = self._opened.answered
        pending = [self._opened.ask(_request(ask)) for ask in asks]
        found = [self._of(future, before) for future in pending]
        return [(replace(ask, text=self._words(ask, one)), one) for ask, one in zip(asks, found, strict=True)]

    def _words(self, ask: Ask, new: Rewritten) -> str:
        if new.outcome != "rewritten":
            return ask.text
        return new.text if self.how == "replace" else f"{ask.text}\n{new.text}"

    def _of(self, future: Future[ChatAnswer], answered_before: int) -> Rewritten:
        answer = self._opened.settled(future, answered_before)
        if not isinstance(answer, ChatAnswer):
            return Rewritten("", answer.reason if isinstance(answer, Unanswered) else "failed")
        new = one_line(answer.text)
        return Rewritten(new, "rewritten" if new else "empty")


def one_line(text: str) -> str:
    """Return the first line of a model's text that says something, without quotation marks around it, at most 500 characters."""
    lines = (line.strip().strip("\"'“”「」`").strip() for line in text.splitlines())
    return printable(next((line for line in lines if line), ""), LONGEST)


def _request(ask: Ask) -> ChatRequest:
    words = WORDS["zh" if ask.language == "zh" else "en"]
    return ChatRequest((Message("system", words), Message("user", ask.text)), None, "query", STEP, any_text=True)


PROMPT_SHA256 = sha256_text(canonical_json(WORDS))
"""Of both instructions."""
