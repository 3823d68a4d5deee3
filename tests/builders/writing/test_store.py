from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from mldr.builders.plan import PlanRow
from mldr.builders.settings import QuerySettings, StitchSettings, TagSettings, VerifySettings
from mldr.builders.writing.context import Material, WritingContext
from mldr.builders.writing.draft import Draft
from mldr.builders.writing.store import read_drafts, write_drafts
from mldr.chat.request import ChatAnswer, ChatRequest
from mldr.errors import InterruptedRun
from tests.builders.writing.clerks import KEYS, Clerk, context, material

SETTINGS = context(
    stitch=StitchSettings(model="writer"),
    tag=TagSettings(model="writer"),
    queries=QuerySettings(model="writer", negatives=1, near=1),
    verify=VerifySettings(model="writer"),
)
ROWS = [replace(material().row, dialogue_id=f"{number:016x}") for number in range(12)]


def load(row: PlanRow) -> tuple[Material, Mapping[str, str], WritingContext]:
    return replace(material(), row=row), KEYS, SETTINGS


def units(folder: Path) -> list[tuple[Path, list[PlanRow]]]:
    return [(folder / f"{start}.jsonl", ROWS[start : start + 5]) for start in (0, 5, 10)]


def contents(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path, _ in units(folder)]


def test_the_same_bytes_come_of_any_number_of_rows_at_once(tmp_path: Path) -> None:
    found = []
    for at_once in (1, 2, 7, 32):
        folder = tmp_path / str(at_once)
        asyncio.run(write_drafts(units(folder), load, {"writer": Clerk()}, at_once))
        found.append(contents(folder))
    assert all(one == found[0] for one in found)
    assert [draft.dialogue_id for draft in read_drafts(tmp_path / "7" / "5.jsonl")] == [
        row.dialogue_id for row in ROWS[5:10]
    ]


class Tired(Clerk):
    """Stops the run after some answers."""

    left = 10**9

    async def ask(self, request: ChatRequest, sample: int = 0, keep_failure: bool = False) -> ChatAnswer:
        if self.left == 0:
            raise InterruptedRun("the budget is spent; run again to go on")
        self.left -= 1
        return await super().ask(request, sample, keep_failure)


@pytest.mark.parametrize("answers", [0, 7, 40, 70])
def test_a_stopped_run_goes_on_and_ends_in_the_same_bytes(tmp_path: Path, answers: int) -> None:
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    asyncio.run(write_drafts(units(whole), load, {"writer": Clerk()}, 4))
    tired = Tired()
    tired.left = answers
    with pytest.raises(InterruptedRun, match="budget"):
        asyncio.run(write_drafts(units(stopped), load, {"writer": tired}, 4))
    assert not list(stopped.glob(".*"))
    kept = [path for path, _ in units(stopped) if path.exists()]
    seen: list[Draft] = []
    asyncio.run(write_drafts(units(stopped), load, {"writer": Clerk()}, 4, seen.append))
    assert contents(stopped) == contents(whole)
    assert len(seen) == len(ROWS) - sum(len(rows) for path, rows in units(stopped) if path in kept)


def test_finished_units_ask_nothing(tmp_path: Path) -> None:
    asyncio.run(write_drafts(units(tmp_path), load, {"writer": Clerk()}, 4))
    clerk = Clerk()
    asyncio.run(write_drafts(units(tmp_path), load, {"writer": clerk}, 4))
    assert not clerk.asked
