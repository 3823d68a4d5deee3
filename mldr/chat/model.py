"""Asking a language model: answers come from the store, or from the server and are kept the moment they arrive."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace

from mldr.chat.budget import Budget
from mldr.chat.endpoint import ModelEndpoint
from mldr.chat.question import Question, Way
from mldr.chat.request import ChatAnswer, ChatRequest
from mldr.chat.sender import Flight, Sender, unanswered
from mldr.chat.store import ResponseStore, StoredResponse
from mldr.chat.structured import Unusable, check_request, read_answer
from mldr.errors import InterruptedRun, MldrError, fault


class ChatModel:
    """A language model at an endpoint, with a store before it.

    Use it as `async with ChatModel(...) as model`: when the block ends, by an error or Ctrl-C too, no new requests are sent, and
    those that are with the server get a few seconds to arrive and be kept. It can be entered again, in another event loop too.
    """

    def __init__(
        self,
        endpoint: ModelEndpoint,
        store: ResponseStore,
        budget: Budget | None = None,
        *,
        name: str = "",
        offline: bool = False,
        backoff_s: float = 0.5,
        grace_s: float = 5.0,
    ) -> None:
        """Open no connection yet: that is done when the store does not hold an answer.

        Args:
            endpoint: where the model is and how it is asked.
            store: of all models of a run.
            budget: of all models of a run; None counts without a limit.
            name: the endpoint's place in the recipe (`models.writer`), for messages.
            offline: answer from the store alone.
            backoff_s: seconds before the second try; doubled for each further one.
            grace_s: seconds that requests under way have to arrive when the run stops.

        Raises:
            MldrError: if the budget has a limit and the endpoint no price, or one in another currency.
        """
        self.endpoint, self.store, self.budget = endpoint, store, budget or Budget()
        self.name = name or f"{endpoint.provider}/{endpoint.model}"
        self.offline = offline
        self.missing: Counter[str] = Counter()
        """Step -> how many of its answers the store lacked, offline."""
        self._backoff_s, self._grace_s = backoff_s, grace_s
        self._flights: dict[str, tuple[Flight, asyncio.Task[ChatAnswer]]] = {}
        self._sender: Sender | None = None
        if not offline:
            self.budget.admit(self.name, endpoint)

    async def ask(self, request: ChatRequest, sample: int = 0, keep_failure: bool = False) -> ChatAnswer:
        """Return the answer to a question: from the store if it is there, else from the server.

        Equal questions that are on their way at the same time are asked once.

        Args:
            request: messages and schema.
            sample: another answer to the same question; it shifts the seed, and has a key of its own.
            keep_failure: keep it in the store when the model gives no usable answer, so that nobody asks again.

        Raises:
            Unanswered: if the model refused, or answered with nothing, with no JSON or another schema, however often it was asked.
            InterruptedRun: if the server failed for longer than the retries last, or the budget is spent.
            MldrError: if the server refuses key or model; offline, if the store does not hold the answer.
        """
        check_request(request)
        question = Question(self.endpoint, request, sample)
        stored = self._stored(question, keep_failure)
        if stored is not None:
            return stored
        if self.offline:
            raise self._not_stored(question)
        joined = question.key in self._flights
        flight, task = self._flights[question.key] if joined else self._start(question)
        flight.keep_failure |= keep_failure
        flight.waiters += 1
        try:
            answer = await asyncio.shield(task)
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if task.cancelled() and current is not None and not current.cancelling():
                raise InterruptedRun(f"{self.name}: stopped; all answers are kept: run again to go on") from None
            raise
        finally:
            flight.waiters -= 1
            if not flight.waiters and not flight.sent and not task.done():
                self._flights.pop(question.key, None)
                task.cancel()  # nobody waits, and nothing is paid for
        return replace(answer, from_store=True) if joined else answer

    def holds(self, request: ChatRequest, sample: int = 0) -> bool:
        """Return whether the store has the answer, or a failure that was kept; nothing is asked."""
        ways = Question(self.endpoint, request, sample).ways()
        return any(self.store.get(way.key) is not None for way in ways)

    async def aclose(self) -> None:
        """Send nothing more, keep what arrives within the grace, then close the connections."""
        sender, self._sender = self._sender, None
        flights, self._flights = list(self._flights.values()), {}
        if sender is None:
            return
        sender.closing = True
        tasks = [task for _, task in flights]
        try:
            for flight, task in flights:
                if not flight.sent:
                    task.cancel()
            if tasks:
                await asyncio.wait(tasks, timeout=self._grace_s)
        finally:
            for task in tasks:
                task.cancel()
            await sender.close()

    async def __aenter__(self) -> ChatModel:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"ChatModel({self.name})"

    def _stored(self, question: Question, keep_failure: bool) -> ChatAnswer | None:
        for way in question.ways():
            stored = self.store.get(way.key)
            if stored is None or (stored.failure and not keep_failure):
                continue
            self.budget.count_stored(question.request.step)
            if stored.failure:
                raise unanswered(self.name, question, stored.failure, "as was kept")
            return self._replayed(stored, question, way)
        return None

    def _replayed(self, stored: StoredResponse, question: Question, way: Way) -> ChatAnswer:
        schema = question.request.schema
        if schema is None or question.request.any_text:
            return ChatAnswer(None, stored.text, stored.usage, from_store=True, finish_reason=stored.finish_reason)
        try:
            value = read_answer(stored.text, schema, way.mode)
        except Unusable as error:
            message = f"the response {stored.key} is not what was kept ({error}); restore the file, or name another"
            raise fault(str(self.store.path), message) from error
        return ChatAnswer(value, stored.text, stored.usage, from_store=True, finish_reason=stored.finish_reason)

    def _not_stored(self, question: Question) -> MldrError:
        self.missing[question.request.step] += 1
        counts = ", ".join(f"{count:,} of step {step}" for step, count in sorted(self.missing.items()))
        message = f"no response {question.key} of {self.name}; missing so far: {counts}; run without --offline to ask"
        return fault(str(self.store.path), message)

    def _start(self, question: Question) -> tuple[Flight, asyncio.Task[ChatAnswer]]:
        if self._sender is None:
            self._sender = Sender(self.name, self.endpoint, self.store, self.budget, self._backoff_s)
        key, flight = question.key, Flight()
        task = asyncio.ensure_future(self._sender.answer(question, flight))
        self._flights[key] = flight, task

        def landed(done: asyncio.Task[ChatAnswer]) -> None:
            if self._flights.get(key, (None, None))[0] is flight:
                del self._flights[key]
            if not done.cancelled():
                done.exception()  # looked at, so that asyncio does not complain where nobody waits any more

        task.add_done_callback(landed)
        return flight, task
