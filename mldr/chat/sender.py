"""The tries of one question: retries with backoff, the ways of asking that a server knows, and keeping what arrives."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from typing import Any

from mldr.chat.budget import Budget
from mldr.chat.client import Connection, ModeRefused, Reply, RequestRefused, ServerFault
from mldr.chat.endpoint import ModelEndpoint, StructuredMode
from mldr.chat.estimate import tokens_of, tokens_of_request
from mldr.chat.question import Question, Way
from mldr.chat.request import ChatAnswer, ServerFailed, Unanswered, Usage
from mldr.chat.store import ResponseStore, StoredResponse
from mldr.chat.structured import MODES, Unusable, read_answer, stored_body
from mldr.errors import InterruptedRun, MldrError

LONGEST_WAIT_S = 60.0
"""Between two tries, whatever a server asks for."""
SEED_STRIDE = 1_000_003
"""Between the seeds of two tries, so that a retry is not what the next sample asks."""


@dataclass(slots=True)
class Flight:
    """What others may know and say of a question on its way."""

    waiters: int = 0
    keep_failure: bool = False
    sent: bool = False
    """A request is with the server: it is paid for, so it is not cut off."""


class Sender:
    """Sends the questions of one endpoint in one event loop."""

    def __init__(
        self, name: str, endpoint: ModelEndpoint, store: ResponseStore, budget: Budget, backoff_s: float
    ) -> None:
        """Open no connection yet.

        Raises:
            MldrError: if the environment does not hold the key.
        """
        self.name, self.endpoint, self.store, self.budget = name, endpoint, store, budget
        self.backoff_s = backoff_s
        self.closing = False
        """Nothing more is sent; what is with the server may still arrive."""
        self._connection = Connection(name, endpoint)
        self._slots = asyncio.Semaphore(endpoint.concurrency)
        self._modes: dict[str, StructuredMode] = {}

    async def answer(self, question: Question, flight: Flight) -> ChatAnswer:
        """Ask until there is an answer, in each way that the server may know; keep it and return it.

        Raises:
            Unanswered: if no answer was of use, or the server refuses this one request.
            InterruptedRun: if the server failed too often, or the run stops.
            MldrError: if the server refuses the key, the model or every way of asking.
        """
        first: ModeRefused | None = None
        async with self._slots:
            known = self._modes.get(question.schema_hash)
            for way in question.ways():
                if known is not None and MODES.index(way.mode) < MODES.index(known):
                    continue
                try:
                    return await self._tries(question, way, flight)
                except ModeRefused as error:
                    first = first or error
        advice = "mend the endpoint's settings"
        if self.endpoint.structured != "auto":
            advice += ", or write `structured: auto`"
        raise MldrError(f"{self.name}: the server refuses the request ({first}); {advice}")

    async def close(self) -> None:
        """Close the connections."""
        await self._connection.close()

    async def _tries(self, question: Question, way: Way, flight: Flight) -> ChatAnswer:
        failures, unusable = 0, 0
        while True:
            try:
                return await self._send(question, way, _seeded(way.body, unusable), flight)
            except RequestRefused as error:
                raise self._given_up(question, way, flight, error.reason, str(error)) from None
            except _NoUse as error:
                failures, unusable = 0, unusable + 1
                if unusable > self.endpoint.retries:
                    detail = f"{error.cause.detail}, asked {_times(unusable)}"
                    raise self._given_up(question, way, flight, error.cause.reason, detail, error.reply) from None
                wait = self.backoff_s * _jitter()
            except ServerFault as error:
                failures += 1
                if error.lasting:
                    raise InterruptedRun(self._failed(error, failures)) from None
                if failures > self.endpoint.retries:
                    raise ServerFailed(self._failed(error, failures)) from None
                wait = self._backoff(failures, error.wait_s)
            self._check_wanted(flight)
            await asyncio.sleep(wait)

    async def _send(self, question: Question, way: Way, body: dict[str, Any], flight: Flight) -> ChatAnswer:
        """Send one request; whatever arrives is judged and kept without a moment in which the run could be stopped."""
        self._check_wanted(flight)
        await self.budget.room()
        prompt = tokens_of_request(question.request)
        worst = Usage(prompt, self.endpoint.longest_answer)
        with self.budget.reserved(question.request.step, self.endpoint.price, worst) as reservation:
            flight.sent = True
            try:
                reply = await self._connection.send(body)
                usage = reply.usage or Usage(prompt, tokens_of(reply.text))
                reservation.settle(usage, failed=True)
                answer = self._kept(question, way, reply)
                reservation.settle(usage, failed=False)
                return answer
            finally:
                flight.sent = False

    def _kept(self, question: Question, way: Way, reply: Reply) -> ChatAnswer:
        if self.endpoint.structured == "auto":
            self._modes[question.schema_hash] = way.mode
        try:
            value = _judged(question, way, reply)
        except Unusable as error:
            raise _NoUse(error, reply) from None
        usage = reply.usage or Usage()
        self.store.put(self._row(question, way, reply))
        return ChatAnswer(value, reply.text, usage, from_store=False, finish_reason=reply.finish_reason)

    def _row(self, question: Question, way: Way, reply: Reply, failure: str = "") -> StoredResponse:
        usage = reply.usage or Usage()
        return StoredResponse(
            key=way.key,
            step=question.request.step,
            provider=self.endpoint.provider,
            model=self.endpoint.model,
            sample=question.sample,
            tokens_in=usage.tokens_in,
            tokens_out=usage.tokens_out,
            finish_reason=reply.finish_reason,
            failure=failure,
            text=reply.text.encode("utf-8", "replace").decode("utf-8"),
            request=stored_body(way.body),
        )

    def _given_up(
        self, question: Question, way: Way, flight: Flight, reason: str, detail: str, reply: Reply | None = None
    ) -> Unanswered:
        if flight.keep_failure:
            self.store.put(self._row(question, way, reply or Reply("", "", "", None), reason))
        return unanswered(self.name, question, reason, detail)

    def _failed(self, error: ServerFault, failures: int) -> str:
        tries = "" if error.lasting else f" {_times(failures)} in a row"
        return f"{self.name}: the server failed{tries} ({error}); all answers are kept: run again to go on"

    def _backoff(self, failures: int, asked_s: float | None) -> float:
        """Return seconds: doubled a failure, never less than the server asks, never more than `LONGEST_WAIT_S`; with jitter."""
        doubled = self.backoff_s * 2.0 ** min(failures - 1, 30) * _jitter()
        return min(LONGEST_WAIT_S, max(doubled, (asked_s or 0.0) + self.backoff_s * (1 - _jitter())))

    def _check_wanted(self, flight: Flight) -> None:
        if self.closing or not flight.waiters:
            raise InterruptedRun(f"{self.name}: stopped; all answers are kept: run again to go on")


class _NoUse(Exception):
    """An answer that cannot be used, with all of it."""

    def __init__(self, cause: Unusable, reply: Reply) -> None:
        self.cause, self.reply = cause, reply
        super().__init__(str(cause))


def unanswered(name: str, question: Question, reason: str, detail: str) -> Unanswered:
    """Return the error of a question that a model does not answer."""
    words = {
        "refused": "refuses to answer",
        "empty": "answers with nothing",
        "malformed": "does not answer with JSON",
        "schema": "answers with JSON of another schema",
        "length": "does not end its answer within the tokens allowed",
    }
    said = words.get(reason, "gives no usable answer")
    return Unanswered(
        reason, f"{name}: the model {said} in step {question.request.step} ({detail}; {question.key[:16]})"
    )


def _judged(question: Question, way: Way, reply: Reply) -> Any:
    if reply.refusal or (reply.finish_reason == "content_filter"):
        raise Unusable("refused", reply.refusal or "its filter stopped the answer")
    if question.request.schema is None or question.request.any_text:
        return None
    try:
        return read_answer(reply.text, question.request.schema, way.mode)
    except Unusable as error:
        if reply.finish_reason in ("length", "max_tokens"):
            raise Unusable("length", f"cut after {len(reply.text):,} characters") from error
        raise


def _seeded(body: dict[str, Any], unusable: int) -> dict[str, Any]:
    """Return the body as it is sent: another seed after an answer of no use, since the same would give the same."""
    if not unusable or "seed" not in body:
        return body
    return {**body, "seed": (body["seed"] + SEED_STRIDE * unusable) % 2**31}


def _jitter() -> float:
    """Return a factor of 0.5 to 1: waits shape no byte, so they are drawn without a seed."""
    return random.uniform(0.5, 1.0)


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"
