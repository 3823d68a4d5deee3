"""What calls of models cost, by step, as they are made; and the stop before a run costs more than allowed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from mldr.chat.endpoint import ModelEndpoint, Price
from mldr.chat.request import Usage
from mldr.errors import InterruptedRun, MldrError


@dataclass(frozen=True, slots=True)
class Spent:
    """Counts of one step, or of all."""

    requests: int = 0
    """Sent to a server, retries among them."""
    from_store: int = 0
    failed: int = 0
    """Of the requests: ended without a usable answer."""
    tokens_in: int = 0
    tokens_out: int = 0
    """Of failed requests too, where the server counted; estimated where a server that answered did not count."""
    money: float = 0.0

    def __add__(self, other: Spent) -> Spent:
        return Spent(
            self.requests + other.requests,
            self.from_store + other.from_store,
            self.failed + other.failed,
            self.tokens_in + other.tokens_in,
            self.tokens_out + other.tokens_out,
            self.money + other.money,
        )


class Reservation:
    """One request in flight: what it may cost is set aside until it is known what it did."""

    def __init__(self, worst: float) -> None:
        self.worst = worst
        self.usage = Usage()
        self.failed = True

    def settle(self, usage: Usage, failed: bool) -> None:
        """Say what the request used."""
        self.usage, self.failed = usage, failed


class Budget:
    """Counts what a run spends and stops it at a limit; one for all models of a run.

    The rule: a request is sent only while money spent + money set aside for requests in flight < limit; for each request in flight
    its worst case is set aside (its estimated input, and an answer of `max_tokens`). So a run passes its limit by no more than
    one request's worst case. Near the limit requests wait for those in flight, which mostly cost less than was set aside.
    A request that ended without a word from the server (a time-out) is counted as free, since nobody says what it cost.
    """

    def __init__(self, limit: float | None = None) -> None:
        """Set the most that this run may spend, in the currency of its prices; None counts only.

        Raises:
            MldrError: if `limit` is no amount of money.
        """
        if limit is not None and not 0 <= limit < float("inf"):
            raise MldrError(f"a budget of {limit}; it is an amount of money, 0 or more")
        self.limit = limit
        self.currency = ""
        """Of the prices, '' while none is known."""
        self._steps: dict[str, Spent] = {}
        self._money = 0.0
        self._in_flight: list[float] = []
        self._waiting: list[asyncio.Future[None]] = []

    @property
    def money(self) -> float:
        """What was spent so far."""
        return self._money

    def admit(self, name: str, endpoint: ModelEndpoint) -> None:
        """Check that the costs of an endpoint can be counted.

        Raises:
            MldrError: if there is a limit and no price, or a price in another currency than before.
        """
        if endpoint.price is None:
            if self.limit is not None:
                raise MldrError(
                    f"{name}: has no price, so a budget cannot be kept; add `price`, with zeros if it is free"
                )
            return
        if self.currency not in ("", endpoint.price.currency):
            raise MldrError(
                f"{name}: priced in {endpoint.price.currency}, another model in {self.currency}; use one currency"
            )
        self.currency = endpoint.price.currency

    def snapshot(self) -> dict[str, Spent]:
        """Return the counts of each step so far, by name in order, for progress."""
        return dict(sorted(self._steps.copy().items()))  # a copy: another thread may show progress

    def total(self) -> Spent:
        """Return the counts of all steps."""
        return sum(self._steps.copy().values(), Spent())

    def count_stored(self, step: str) -> None:
        """Count an answer that came from the store."""
        before = self._steps.get(step, _NOTHING)
        self._steps[step] = replace(before, from_store=before.from_store + 1)

    async def room(self) -> None:
        """Wait until a request may be sent.

        Raises:
            InterruptedRun: when the limit is spent.
        """
        if self.limit is None:
            return
        while self._money + sum(self._in_flight) >= self.limit:
            if self._money >= self.limit or not self._in_flight:
                raise InterruptedRun(
                    f"the budget of {self.limit:g} {self.currency} is spent ({self._money:.4f}); "
                    "all answers are kept: run again with a larger --budget to go on"
                )
            settled = asyncio.get_running_loop().create_future()
            self._waiting.append(settled)
            await settled

    @contextmanager
    def reserved(self, step: str, price: Price | None, worst: Usage) -> Iterator[Reservation]:
        """Set the worst case of one request aside while it is in flight, and count it when it ends.

        Enter it right after `room`, without awaiting anything in between.
        """
        priced = price or _FREE
        reservation = Reservation(priced.cost(worst.tokens_in, worst.tokens_out))
        self._in_flight.append(reservation.worst)
        try:
            yield reservation
        finally:
            self._in_flight.remove(reservation.worst)
            used = reservation.usage
            money = priced.cost(used.tokens_in, used.tokens_out)
            self._money += money
            spent = Spent(1, 0, int(reservation.failed), used.tokens_in, used.tokens_out, money)
            self._steps[step] = self._steps.get(step, _NOTHING) + spent
            self._wake()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for settled in waiting:
            if not settled.done():
                settled.set_result(None)


_NOTHING = Spent()
_FREE = Price(input=0, output=0)
