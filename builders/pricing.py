"""What a build's models will be asked and cost, before anything is asked: from the requests of a sample of its rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from mldr.builders.context import Context, material_of
from mldr.builders.planfile import RowInputs
from mldr.builders.recipe import Recipe
from mldr.builders.writing.estimate import expected
from mldr.chat.endpoint import ModelEndpoint, StructuredMode
from mldr.chat.estimate import tokens_of
from mldr.chat.structured import request_body
from mldr.files import canonical_json

SAMPLE = 40
"""Rows whose requests are written out; the rest is taken to be like them."""
TOKENS_A_MESSAGE = 4
"""That chat templates add, about."""


class StepPrice(BaseModel):
    """What one step asks one model."""

    model_config = ConfigDict(extra="forbid")

    step: str
    model: str
    """Its name in the recipe."""
    requests: int
    tokens_in: int
    tokens_out: int
    cost: float | None
    """None where the recipe gives no price."""
    currency: str

    def in_words(self) -> str:
        """Return the row as a line."""
        cost = "no price given" if self.cost is None else f"{self.cost:,.2f} {self.currency}"
        counts = f"{self.requests:>9,} requests {self.tokens_in:>13,} tokens in {self.tokens_out:>12,} out"
        return f"  {self.step:<10} {self.model:<12} {counts}   {cost}"


def price_steps(recipe: Recipe, rows: Sequence[RowInputs], spool: Path, context: Context) -> list[StepPrice]:
    """Return what each step will ask, estimated from every n-th row of the plan.

    Taken as if every first answer held: what is rejected is asked again and costs more; what several dialogues ask is
    asked once and costs less.

    Args:
        recipe: names the models and their prices.
        rows: the plan.
        spool: the source dialogues.
        context: of the build.
    """
    stride = max(1, len(rows) // SAMPLE)
    sample = rows[::stride][:SAMPLE]
    sums: dict[tuple[str, str], Counter[str]] = {}
    for inputs in sample:
        for one in expected(material_of(inputs, spool), inputs.image_keys, context.of(inputs.row)):
            body = request_body(recipe.models[one.name], one.request, _mode(recipe.models[one.name]), 0)
            amounts = {
                "requests": 1,
                "tokens_in": tokens_of(canonical_json(body)) + TOKENS_A_MESSAGE * len(one.request.messages),
                "tokens_out": tokens_of(one.answer),
            }
            sums.setdefault((one.request.step, one.name), Counter()).update(amounts)
    share = len(rows) / len(sample) if sample else 0.0
    return [_price(recipe, *key, sums[key], share) for key in sorted(sums)]


def _mode(endpoint: ModelEndpoint) -> StructuredMode:
    return "json_schema" if endpoint.structured == "auto" else endpoint.structured


def _price(recipe: Recipe, step: str, name: str, amounts: Mapping[str, int], share: float) -> StepPrice:
    tokens_in, tokens_out = round(amounts["tokens_in"] * share), round(amounts["tokens_out"] * share)
    price = recipe.models[name].price
    return StepPrice(
        step=step,
        model=name,
        requests=round(amounts["requests"] * share),
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        cost=None if price is None else price.cost(tokens_in, tokens_out),
        currency="" if price is None else price.currency,
    )
