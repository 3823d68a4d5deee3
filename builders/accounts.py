"""What a finished build says of its models: tokens and money by step, and how often second answers agreed with the gold."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mldr.builders.database import opened
from mldr.builders.recipe import Recipe
from mldr.builders.units import AMOUNTS, COUNTS, FLAGGED, SHARED, Unit
from mldr.files import parse_json, read_lines, written_whole


class Accounts:
    """Sums over the units of a build.

    Args:
        path: an SQLite file for what several dialogues asked and is counted once; it is made anew.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        path.unlink(missing_ok=True)
        with opened(self._path) as connection:
            connection.execute(
                "CREATE TABLE shared (key TEXT PRIMARY KEY, what TEXT, tokens_in INTEGER, tokens_out INTEGER) WITHOUT ROWID"
            )
        self.dropped: Counter[str] = Counter()
        """reason -> records that are not in the dataset, answers that were rejected."""
        self.agreement: dict[str, dict[str, dict[str, int]]] = {}
        """split -> kind -> `asked`, `agreed`."""
        self._usage: dict[str, Counter[str]] = {}

    def add(self, unit: Unit) -> None:
        """Take what a unit counted."""
        counted = parse_json((unit.folder / COUNTS).read_bytes())
        self.dropped.update(counted["counts"])
        for name, count in counted["agreement"].items():
            kind, _, what = name.partition(" ")
            kinds = self.agreement.setdefault(unit.split, {})
            row = kinds.setdefault(kind, {"asked": 0, "agreed": 0})
            row[what] += count
        for what, amounts in counted["usage"].items():
            self._usage.setdefault(what, Counter()).update(amounts)
        with opened(self._path) as connection:
            rows = (tuple(json.loads(line)) for _, line in read_lines(unit.folder / SHARED))
            connection.executemany("INSERT OR IGNORE INTO shared VALUES (?, ?, ?, ?)", rows)

    def model_usage(self, recipe: Recipe) -> dict[str, dict[str, Any]]:
        """Return step -> model, requests, tokens and cost of the answers that the dataset stands on.

        A step that several models do has an entry for each: `<step> (<name in the recipe>)`.
        """
        usage = {what: Counter(amounts) for what, amounts in self._usage.items()}
        with opened(self._path) as connection:
            query = "SELECT what, COUNT(*), SUM(tokens_in), SUM(tokens_out) FROM shared GROUP BY what"
            for what, *amounts in connection.execute(query):
                usage.setdefault(what, Counter()).update(dict(zip(AMOUNTS, amounts, strict=True)))
        steps = Counter(what.partition("/")[0] for what in usage)
        rows = {}
        for what, amounts in sorted(usage.items()):
            step, _, name = what.partition("/")
            rows[step if steps[step] == 1 else f"{step} ({name})"] = _row(recipe, name, amounts)
        return rows


def _row(recipe: Recipe, name: str, amounts: Counter[str]) -> dict[str, Any]:
    endpoint = recipe.models[name]
    row: dict[str, Any] = {"model": endpoint.model, "provider": endpoint.provider, "terms": endpoint.terms}
    row |= {amount: amounts[amount] for amount in AMOUNTS}
    if endpoint.price is not None:
        cost = endpoint.price.cost(amounts["tokens_in"], amounts["tokens_out"])
        row |= {"cost": round(cost, 6), "currency": endpoint.price.currency}
    return row


def gather_flagged(units: Iterable[Unit], path: Path) -> None:
    """Write the queries whose second answer disagrees, of all units in order, to one file."""
    with written_whole(path) as temporary, temporary.open("wb") as stream:
        for unit in units:
            with (unit.folder / FLAGGED).open("rb") as own:
                shutil.copyfileobj(own, stream)
