from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from mldr.builders.drafting import Drafting, draft_path
from mldr.builders.plan import PlanRow
from mldr.builders.planfile import Plan, PlanUnit, RowInputs, slice_path
from mldr.chat.request import Unanswered
from mldr.errors import InterruptedRun, MldrError
from mldr.progress import Progress


def planned(work: Path, *sizes: int) -> Plan:
    """Write a plan of units of these sizes; the rows are numbered through."""
    number = 0
    units = []
    for position, size in enumerate(sizes):
        unit = PlanUnit(position, "test", size)
        path = slice_path(work, unit)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8") as stream:
            for _ in range(size):
                row = PlanRow(f"d{number:03d}", "test", "en", "c", ("a", "b", "c"), ())
                fields = {name: getattr(row, name) for name in PlanRow.__slots__}
                stream.write(json.dumps({"row": fields, "offsets": {}, "image_keys": {}}) + "\n")
                number += 1
        units.append(unit)
    return Plan(tuple(units), {})


def make_drafts(plan: Plan, work: Path, drafter: Drafter, at_once: int, progress: Progress) -> None:
    asyncio.run(Drafting(plan, work, drafter, at_once, progress).run())


class Drafter:
    """Drafts at odd speeds; counts what is in flight, and fails where it is told."""

    def __init__(self, failing: dict[str, Exception] | None = None) -> None:
        self.failing = failing or {}
        self.flying = self.most = 0
        self.asked: list[str] = []

    async def __call__(self, inputs: RowInputs) -> str:
        name = inputs.row.dialogue_id
        self.asked.append(name)
        self.flying += 1
        self.most = max(self.most, self.flying)
        try:
            await asyncio.sleep(0.001 * (int(name[1:]) * 7 % 5))
            if name in self.failing:
                raise self.failing[name]
            return json.dumps({"row": name})
        finally:
            self.flying -= 1


def drafted(work: Path, plan: Plan) -> list[str]:
    found = []
    for unit in plan.units:
        if draft_path(work, unit).exists():
            lines = draft_path(work, unit).read_text(encoding="utf-8").splitlines()
            found += [json.loads(line)["row"] for line in lines]
    return found


@pytest.mark.parametrize("at_once", [1, 3, 50])
def test_drafts_stand_in_the_order_of_the_plan_for_any_number_at_once(tmp_path: Path, at_once: int) -> None:
    plan, drafter = planned(tmp_path, 4, 1, 7), Drafter()
    make_drafts(plan, tmp_path, drafter, at_once, Progress())
    assert drafted(tmp_path, plan) == [f"d{number:03d}" for number in range(12)]
    assert drafter.most == min(at_once, 12)


def test_a_unit_that_stands_is_not_asked_for_again(tmp_path: Path) -> None:
    plan = planned(tmp_path, 2, 2)
    make_drafts(plan, tmp_path, Drafter(), 4, Progress())
    draft_path(tmp_path, plan.units[0]).unlink()
    again = Drafter()
    make_drafts(plan, tmp_path, again, 4, Progress())
    assert sorted(again.asked) == ["d000", "d001"]


def test_a_row_without_an_answer_does_not_stop_the_others_and_is_named(tmp_path: Path) -> None:
    plan = planned(tmp_path, 3, 3)
    failing: dict[str, Exception] = {"d001": Unanswered("refused", "writer refused")}
    with pytest.raises(InterruptedRun) as raised:
        make_drafts(plan, tmp_path, Drafter(failing), 2, Progress())
    assert raised.value.exit_code == 3
    assert "1 dialogues have no usable answer" in str(raised.value)
    assert "d001: writer refused" in str(raised.value)
    assert drafted(tmp_path, plan) == ["d003", "d004", "d005"]
    make_drafts(plan, tmp_path, Drafter(), 2, Progress())
    assert drafted(tmp_path, plan) == [f"d{number:03d}" for number in range(6)]


def test_a_stopped_run_keeps_its_finished_units_and_ends_what_is_in_flight(tmp_path: Path) -> None:
    plan = planned(tmp_path, 2, 50)
    drafter = Drafter({"d010": InterruptedRun("the budget is spent")})
    with pytest.raises(InterruptedRun, match="budget"):
        make_drafts(plan, tmp_path, drafter, 3, Progress())
    assert drafted(tmp_path, plan) == ["d000", "d001"]
    assert drafter.flying == 0
    assert len(drafter.asked) < 52


def test_a_fault_that_is_no_stop_comes_through_as_it_is(tmp_path: Path) -> None:
    plan = planned(tmp_path, 3)
    with pytest.raises(MldrError, match="the key is refused"):
        make_drafts(plan, tmp_path, Drafter({"d002": MldrError("the key is refused")}), 3, Progress())


def test_many_rows_without_an_answer_are_counted_beyond_the_first_twenty(tmp_path: Path) -> None:
    plan = planned(tmp_path, 30)
    failing: dict[str, Exception] = {f"d{n:03d}": Unanswered("empty", "nothing came") for n in range(25)}
    with pytest.raises(InterruptedRun) as raised:
        make_drafts(plan, tmp_path, Drafter(failing), 8, Progress())
    assert str(raised.value).count("nothing came") == 20
    assert "... and 5 more" in str(raised.value)
