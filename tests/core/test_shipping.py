from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from mldr.errors import InputError, InterruptedRun, MldrError
from mldr.executors.depot import Depot, opened_depot
from mldr.executors.shipping import Made, Parcel, Shipping
from mldr.executors.worker import clear_scratch, run_shipped, run_task
from mldr.files import sha256_text
from mldr.version import __version__
from tests.builders.support import tree_bytes
from tests.core.shipped import Join, join, write_parts


@pytest.fixture
def depot(tmp_path: Path) -> Iterator[Depot]:
    with opened_depot(str(tmp_path / "depot")) as opened:
        yield opened
        clear_scratch(opened.run)


def in_depot(tmp_path: Path) -> list[str]:
    root = tmp_path / "depot"
    return sorted("/".join(path.relative_to(root).parts[1:]) for path in root.rglob("*") if path.is_file())


def shipped(shipping: Shipping, task: Join, after: ExitStack | None = None) -> tuple[int, Parcel]:
    """Send a task, run it as a worker does, receive what it made."""
    parcel = shipping.send(task)
    if after is not None:
        after.callback(clear_scratch, parcel.depot.rpartition("/")[2])
    length, made = run_shipped(join, task, parcel, __version__)
    shipping.receive(parcel, made)
    return length, parcel


def test_a_shipped_task_writes_the_same_files_as_one_that_ran_here(tmp_path: Path, depot: Depot) -> None:
    parts = tuple(write_parts(tmp_path / "in", a="one ", b="two", c="one "))
    here = Join(parts, str(tmp_path / "here" / "pieces"), str(tmp_path / "here" / "all.txt"))
    there = replace(here, folder=str(tmp_path / "there" / "pieces"), out=str(tmp_path / "there" / "all.txt"))
    (tmp_path / "here").mkdir()
    length, _ = shipped(Shipping(depot), there)
    assert length == join(here) == 11
    assert tree_bytes(tmp_path / "there") == tree_bytes(tmp_path / "here")


def test_the_depot_keeps_what_tasks_share_and_nothing_else(tmp_path: Path, depot: Depot) -> None:
    spool, *own = write_parts(tmp_path / "in", spool="shared", a="first", b="second", c="third")
    tasks = [Join((spool, part), str(tmp_path / "pieces"), f"{part}.out") for part in own]
    shipping = Shipping(depot)
    parcels = [shipping.send(task) for task in tasks[:2]]
    assert len(in_depot(tmp_path)) == 1 + 3
    name = next((tmp_path / "depot").glob(f"*/in/{sha256_text('shared')}"))
    written = name.stat().st_ino
    for parcel, task in zip(parcels, tasks, strict=False):
        _, made = run_shipped(join, task, parcel, __version__)
        shipping.receive(parcel, made)
        shipping.done_with(parcel)
    assert in_depot(tmp_path) == [f"in/{sha256_text('shared')}", "owner.json"]
    _, parcel = shipped(shipping, tasks[2])
    assert next(sent for sent in parcel.inputs if sent.path == spool).shared
    assert name.stat().st_ino == written, "the shared file was sent again"
    shipping.done_with(parcel)
    assert in_depot(tmp_path) == [f"in/{sha256_text('shared')}", "owner.json"]


def test_a_machine_fetches_a_shared_file_once(tmp_path: Path, depot: Depot) -> None:
    (spool,) = write_parts(tmp_path / "in", spool="shared")
    shipping = Shipping(depot)
    tasks = [Join((spool,), str(tmp_path / f"p{n}"), str(tmp_path / f"{n}.out")) for n in range(3)]
    parcels = [shipping.send(task) for task in tasks]
    run_shipped(join, tasks[1], parcels[1], __version__)
    depot.remove("in")
    assert run_shipped(join, tasks[2], parcels[2], __version__)[0] == len("shared")
    with pytest.raises(InterruptedRun, match="all machines must reach the same depot"):
        run_shipped(join, tasks[0], parcels[0], __version__)  # sent before anybody knew that it is shared


def test_a_file_that_changed_between_two_tasks_is_sent_anew(tmp_path: Path, depot: Depot) -> None:
    (part,) = write_parts(tmp_path / "in", part="before")
    task = Join((part,), str(tmp_path / "pieces"), str(tmp_path / "all.txt"))
    shipping = Shipping(depot)
    shipping.send(task)
    write_parts(tmp_path / "in", part="afterwards")
    shipped(shipping, task)
    assert (tmp_path / "all.txt").read_text() == "afterwards"


def test_a_standing_folder_gets_the_files_that_it_lacks_and_keeps_its_own(tmp_path: Path, depot: Depot) -> None:
    folder = tmp_path / "pieces"
    first, second = write_parts(tmp_path / "in", a="one", b="two")
    shipping = Shipping(depot)
    shipped(shipping, Join((first,), str(folder), str(tmp_path / "1")))
    (folder / "mine").write_text("mine")
    shipped(shipping, Join((first, second), str(folder), str(tmp_path / "2")))
    names = [sha256_text("one"), sha256_text("two")]
    assert sorted(tree_bytes(folder)) == sorted(["mine", *(f"{name[:2]}/{name}" for name in names)])


def test_a_fault_names_the_place_that_the_user_knows(tmp_path: Path, depot: Depot) -> None:
    bad, ugly = write_parts(tmp_path / "in", bad="bad", ugly="ugly")
    with pytest.raises(InputError) as caught:
        shipped(Shipping(depot), Join((bad,), str(tmp_path / "p"), str(tmp_path / "o")))
    assert str(caught.value) == f"1 fault:\n  {bad}: {bad} is bad; mend it"
    with pytest.raises(MldrError) as plain:
        shipped(Shipping(depot), Join((ugly,), str(tmp_path / "p"), str(tmp_path / "o")))
    assert str(plain.value) == f"{ugly} is ugly"


def test_a_task_that_writes_nothing_leaves_nothing(tmp_path: Path, depot: Depot) -> None:
    (part,) = write_parts(tmp_path / "in", a="none")
    assert shipped(Shipping(depot), Join((part,), str(tmp_path / "p"), str(tmp_path / "o")))[0] == 0
    assert not (tmp_path / "p").exists()
    assert not (tmp_path / "o").exists()


def test_a_file_that_cannot_be_read_here_is_the_callers_to_judge(tmp_path: Path, depot: Depot) -> None:
    with pytest.raises(FileNotFoundError):
        Shipping(depot).send(Join((str(tmp_path / "gone"),), "p", "o"))
    with pytest.raises(IsADirectoryError):
        Shipping(depot).send(Join((str(tmp_path),), "p", "o"))


@pytest.mark.parametrize("name", ["../out", "/etc/passwd", "a/../../b", "a\\b"])
def test_a_worker_cannot_write_outside_of_its_outputs(tmp_path: Path, depot: Depot, name: str) -> None:
    shipping = Shipping(depot)
    parcel = shipping.send(Join((), str(tmp_path / "inner" / "p"), str(tmp_path / "o")))
    depot.put(Path(write_parts(tmp_path / "in", a="x")[0]), "out/1/0/a")
    with pytest.raises(InterruptedRun, match="a worker names a file"):
        shipping.receive(parcel, [Made(0, True, ((name, sha256_text("x")),))])
    assert not (tmp_path / "inner" / "p").exists()
    assert tree_bytes(tmp_path / "inner") == {}


def test_what_was_damaged_on_its_way_does_not_arrive(tmp_path: Path, depot: Depot) -> None:
    shipping = Shipping(depot)
    parcel = shipping.send(Join((), str(tmp_path / "p"), str(tmp_path / "o")))
    whole, cut = write_parts(tmp_path / "in", a="whole", b="cu")
    depot.put(Path(whole), "out/1/0/a")
    depot.put(Path(cut), "out/1/0/b")
    depot.put(Path(cut), "out/1/1")
    folder = Made(0, True, (("a", sha256_text("whole")), ("b", sha256_text("cut"))))
    with pytest.raises(InterruptedRun, match=r"out/1/0/b was damaged on its way"):
        shipping.receive(parcel, [folder])
    with pytest.raises(InterruptedRun, match=r"out/1/1 was damaged on its way"):
        shipping.receive(parcel, [Made(1, False, (("", sha256_text("cut")),))])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["depot", "in"]


def test_a_worker_of_another_version_is_refused(tmp_path: Path, depot: Depot) -> None:
    parcel = Shipping(depot).send(task := Join((), str(tmp_path / "p"), str(tmp_path / "o")))
    for run in (lambda: run_task(len, "four", "0.0.0"), lambda: run_shipped(join, task, parcel, "0.0.0")):
        with pytest.raises(MldrError, match=r"install the same on all machines"):
            run()


def test_a_run_leaves_nothing_in_the_depot_even_when_it_fails(tmp_path: Path) -> None:
    (tmp_path / "depot").mkdir()
    (tmp_path / "depot" / "theirs.txt").write_text("theirs")
    task = Join(tuple(write_parts(tmp_path / "in", bad="bad")), "p", "o")
    place = (tmp_path / "depot").as_uri()
    with ExitStack() as after, pytest.raises(InputError), opened_depot(place) as depot:
        shipped(Shipping(depot), task, after)
    assert tree_bytes(tmp_path / "depot") == {"theirs.txt": b"theirs"}


def test_what_a_killed_run_left_is_removed_by_the_next_and_what_another_machine_has_there_is_not(
    tmp_path: Path,
) -> None:
    place = tmp_path / "depot"
    code = (
        "import os, sys\nfrom mldr.executors.depot import opened_depot\n"
        "with opened_depot(sys.argv[1]) as depot:\n    print(depot.run, flush=True)\n    os.kill(os.getpid(), 9)\n"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(place)], capture_output=True, text=True, check=False)
    run = killed.stdout.strip()
    assert (place / run / "owner.json").exists(), killed.stderr
    elsewhere = place / "mldr-run-0000"
    for folder, owner in (
        (elsewhere, '["another boot", "pid:[1]", "1"]'),
        (place / "mldr-run-1", "[1"),
        (place / "b", "[]"),
    ):
        folder.mkdir()
        (folder / "owner.json").write_text(owner)
    boot, space, _ = json.loads((place / run / "owner.json").read_text())
    (place / "mldr-run-alive").mkdir()
    (place / "mldr-run-alive" / "owner.json").write_text(json.dumps([boot, space, str(os.getppid())]))
    with opened_depot(str(place)):
        assert not (place / run).exists()
    assert sorted(path.name for path in place.iterdir()) == ["b", "mldr-run-0000", "mldr-run-1", "mldr-run-alive"]


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("nosuch://bucket/x", "Protocol not known: nosuch"),
        ("memory://x", "give a place that all machines reach"),
    ],
)
def test_a_depot_that_cannot_work_is_refused_in_one_line(place: str, words: str) -> None:
    with pytest.raises(MldrError, match=words) as caught, opened_depot(place):
        pass
    assert "\n" not in str(caught.value)


def test_a_protocol_whose_driver_is_not_installed_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(MldrError, match=r"^depot: Install s3fs"), opened_depot("s3://bucket/x"):
        pass


def test_a_depot_that_cannot_be_written_stops_the_run_before_it_begins(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InterruptedRun, match="depot: it cannot be"), opened_depot(str(tmp_path / "file" / "depot")):
        pass
