from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.builders.pictures import Pictures
from mldr.builders.plan import PlanRow
from mldr.builders.planfile import ROWS_A_UNIT, read_plan, read_rows, row_inputs, slice_path, write_plan
from mldr.builders.sources.record import Reading
from mldr.builders.spool import Spool, spooled
from mldr.dialogue import StoredImage
from tests.builders.support import source


def spool_of(folder: Path, names: list[str]) -> tuple[Spool, Pictures]:
    """Write sources, each with a picture of its own."""
    dialogues = [source(name, f"topic {name}", images=(f"picture-{name}",)) for name in names]
    spool, images = spooled(iter(dialogues), folder / "sources.jsonl", Reading())
    return spool, Pictures(folder, {ref: StoredImage(f"ref:{ref}", "missing") for ref in images})


def row(number: int, split: str, told: tuple[str, ...] = ("a", "b", "c"), *others: str) -> PlanRow:
    return PlanRow(f"{number:04d}", split, "en", "cluster", told, tuple(others[:1]), tuple(others[1:]))


def test_a_plan_comes_back_as_it_was_written_in_slices_of_one_split_each(tmp_path: Path) -> None:
    spool, pictures = spool_of(tmp_path, ["a", "b", "c", "d", "e"])
    rows = [row(n, "test", ("a", "b", "c"), "d", "e") for n in range(ROWS_A_UNIT + 1)]
    rows += [row(n, "validation", ("c", "b", "a")) for n in range(3)]
    written = write_plan(rows, spool, pictures, tmp_path, {"too short": 4}, {"not judged": 2})
    plan = read_plan(tmp_path)
    assert plan == written
    assert [(unit.split, unit.rows) for unit in written.units] == [
        ("test", ROWS_A_UNIT),
        ("test", 1),
        ("validation", 3),
    ]
    assert (written.rows, written.splits) == (ROWS_A_UNIT + 4, ["test", "validation"])
    assert (written.dropped, written.noted) == ({"too short": 4}, {"not judged": 2})
    found = [inputs.row for unit in written.units for inputs in read_rows(slice_path(tmp_path, unit))]
    assert found == rows


def test_a_row_brings_where_its_sources_lie_and_the_pictures_of_those_that_are_told(tmp_path: Path) -> None:
    spool, pictures = spool_of(tmp_path, ["a", "b", "c", "d", "e"])
    inputs = row_inputs(row(1, "test", ("c", "a", "b"), "e", "d"), spool, pictures)
    assert set(inputs.offsets) == {"a", "b", "c", "d", "e"}
    assert all(spool.get(name).source_id == name for name in inputs.offsets)
    assert inputs.image_keys == {f"src/picture-{name}": f"ref:src/picture-{name}" for name in "abc"}


def test_without_an_index_there_is_no_plan_however_many_slices_lie_there(tmp_path: Path) -> None:
    spool, pictures = spool_of(tmp_path, ["a", "b", "c"])
    write_plan([row(1, "test")], spool, pictures, tmp_path, {}, {})
    (tmp_path / "plan.json").unlink()
    assert read_plan(tmp_path) is None


def test_a_new_plan_leaves_no_slice_of_an_old_one(tmp_path: Path) -> None:
    spool, pictures = spool_of(tmp_path, ["a", "b", "c"])
    write_plan([row(n, "test") for n in range(3 * ROWS_A_UNIT)], spool, pictures, tmp_path, {}, {})
    write_plan([row(1, "test")], spool, pictures, tmp_path, {}, {})
    assert [path.name for path in (tmp_path / "plan").iterdir()] == ["000000.jsonl"]


def test_a_slice_that_is_damaged_is_no_row(tmp_path: Path) -> None:
    spool, pictures = spool_of(tmp_path, ["a", "b", "c"])
    plan = write_plan([row(1, "test")], spool, pictures, tmp_path, {}, {})
    path = slice_path(tmp_path, plan.units[0])
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ValueError, match="not JSON"):
        list(read_rows(path))


@given(st.lists(st.tuples(st.sampled_from(["test", "train_sft", "validation"]), st.integers(1, 250)), max_size=3))
def test_units_number_through_all_splits_and_hold_every_row(sizes: list[tuple[str, int]]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        spool, pictures = spool_of(work, ["a", "b", "c"])
        rows = sorted(
            (row(n, split) for split, size in dict(sizes).items() for n in range(size)),
            key=lambda one: (one.split, one.dialogue_id),
        )
        plan = write_plan(rows, spool, pictures, work, {}, {})
        assert [unit.number for unit in plan.units] == list(range(len(plan.units)))
        assert plan.rows == len(rows)
        assert all(0 < unit.rows <= ROWS_A_UNIT for unit in plan.units)
