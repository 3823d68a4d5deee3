"""A language model for systems that are no coroutines: asked from any thread, answered in an event loop of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mldr.chat import (
    Budget,
    ChatAnswer,
    ChatModel,
    ChatRequest,
    Message,
    ModelEndpoint,
    Price,
    ResponseStore,
    ServerFailed,
    Unanswered,
)
from mldr.errors import Faults, MldrError
from mldr.files import parse_json
from mldr.retrievers.protocol import Run

PROBE = ChatRequest((Message("user", "Say OK."),), None, "", "probe")
"""Asked when a request failed for good, to tell a dead server from one that chokes on that request."""


def endpoint_of(place: str, settings: Mapping[str, Any]) -> ModelEndpoint:
    """Return an endpoint from options.

    Args:
        place: of the options, for messages.
        settings: fields of `ModelEndpoint`.

    Raises:
        InputError: with every option that is wrong.
    """
    try:
        return ModelEndpoint(**settings)
    except ValidationError as error:
        faults = Faults()
        for one in error.errors():
            faults.add(
                f"{place}, {'.'.join(map(str, one['loc'])) or 'options'}", one["msg"].removeprefix("Value error, ")
            )
        faults.check()
        raise


def price_of(price_input: float | None, price_output: float | None, currency: str) -> Price | None:
    """Return the price of a million tokens from options, None where none is given.

    Raises:
        ValueError: if only one of the two is given, or a value is none.
    """
    if price_input is None and price_output is None:
        return None
    if price_input is None or price_output is None:
        raise ValueError("price_input and price_output go together: money for a million tokens")
    return Price(input=float(price_input), output=float(price_output), currency=currency)


def extra_of(extra: str, top_p: float | None) -> dict[str, Any]:
    """Return further fields of a request body from options.

    Raises:
        ValueError: if `extra` is no JSON object.
    """
    fields = parse_json(extra) if extra else {}
    if not isinstance(fields, dict):
        raise ValueError(f"extra is {extra!r}; a JSON object is expected")
    return fields if top_p is None else {**fields, "top_p": float(top_p)}


class AskedModel:
    """A model behind an endpoint, with a store of its answers and an event loop in a thread.

    Args:
        name: for messages.
        endpoint: where it is.
        store: the file of its answers.
        run: says whether servers may be asked, and what may be spent.

    Raises:
        InputError: if real chats would leave this machine without consent.
        MldrError: if the store cannot be used, or a budget cannot be kept.
    """

    def __init__(self, name: str, endpoint: ModelEndpoint, store: Path, run: Run) -> None:
        run.check_endpoint(f"{name}, base_url", endpoint.base_url)
        self.budget = Budget(run.budget)
        self._store = ResponseStore(store, readonly=run.offline)
        try:
            self._model = ChatModel(endpoint, self._store, self.budget, name=name, offline=run.offline)
        except BaseException:
            self._store.close()
            raise
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"mldr-{name}", daemon=True)
        self._thread.start()
        self._probes = 0
        self._closed = False
        self._guard = threading.Lock()
        self.answered = 0
        """Questions that were answered so far."""

    def ask(self, request: ChatRequest, sample: int = 0) -> Future[ChatAnswer]:
        """Send a question on its way; the future raises what `ChatModel.ask` raises.

        A refusal and a question that is too long are kept, so that a resumed run does not ask again.
        """
        if self._closed:
            raise MldrError("the model was closed")
        return asyncio.run_coroutine_threadsafe(self._model.ask(request, sample, keep_failure=True), self._loop)

    def settled(self, future: Future[ChatAnswer], answered_before: int) -> ChatAnswer | Unanswered | ServerFailed:
        """Return the answer to a question, or why it alone has none.

        One request that fails for ever must not stop a run for ever, and a dead server must not fill it with failures: where
        nothing was answered since, the server is asked something small.

        Args:
            future: of the question.
            answered_before: `answered` when it was sent.

        Raises:
            ServerFailed: if the server is dead.
            InterruptedRun: if the run cannot go on (a spent budget, no credit).
        """
        try:
            answer = future.result()
        except Unanswered as error:
            return error
        except ServerFailed as error:
            if self.answered == answered_before and not self._is_alive():
                raise
            return error
        with self._guard:
            self.answered += 1
        return answer

    def _is_alive(self) -> bool:
        """Ask the server something small; a stored answer does not count."""
        while self._model.holds(PROBE, self._probes):
            self._probes += 1
        try:
            self.ask(PROBE, self._probes).result()
        except MldrError:
            return False
        return True

    def close(self) -> None:
        """Send nothing more, keep what arrives within a few seconds, and close the file."""
        if self._closed:
            return
        self._closed = True
        try:
            asyncio.run_coroutine_threadsafe(self._model.aclose(), self._loop).result()
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()
            self._store.close()
