"""What a build costs: ratios in one run, dialogues a second by step, and memory after the plan.

    python benchmarks/build.py [--only columns,pictures,workers,steps,memory] [--dialogues N] [--runs N]

Medians of interleaved runs, in processor seconds where one process works, in wall-clock seconds where two do; beside the
gain of a second worker stands what a second process of bare arithmetic gained at that moment, since other programs may
be using the cores too. Memory is the peak of a fresh process that does everything after the plan, from what is on disk.
"""

from __future__ import annotations

import argparse
import io
import json
import multiprocessing
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pyarrow as pa
import yaml
from PIL import Image

from mldr.builders import create, load_recipe
from mldr.builders.card import card
from mldr.builders.pictures import normalised
from mldr.builders.sources.record import SourceImage
from mldr.columns import columns_of
from mldr.dataset import Dataset
from mldr.dialogue import Dialogue, DialogueImage, Utterance
from mldr.executors import LocalExecutor
from mldr.files import write_text
from mldr.images import JPEG_QUALITY
from mldr.manifest import gold_hash
from mldr.progress import Progress
from mldr.shards import ROWS_A_GROUP, ROWS_A_STEP
from mldr.tables import arrow_schema, to_row

TURNS = 8
WORDS = tuple(f"word{number}" for number in range(3_000))
IN_SRGB = ("astronaut", "chelsea", "china", "flower", "hubble_deep_field")
"""Photographs that say so in a colour profile, as most phones do."""
PARTS = ("columns", "pictures", "workers", "steps", "memory")


def row(name: str, value: str, against: str = "") -> None:
    """Print a line of the table."""
    sys.stdout.write(f"{name:<46}{value:>12}    {against}\n")
    sys.stdout.flush()


def timed(work: Callable[[], object], clock: Callable[[], float] = time.process_time) -> float:
    start = clock()
    work()
    return clock() - start


def sentence(draw: random.Random, words: int = 10) -> str:
    return " ".join(draw.choices(WORDS, k=words))


# --- columns


def some_dialogues(count: int) -> list[Dialogue]:
    """Return dialogues of 24 utterances and two images."""
    draw = random.Random(0)
    made = []
    for number in range(count):
        said = tuple(Utterance(f"p{i % 2}", sentence(draw), (i // 12,) if i % 12 == 0 else ()) for i in range(24))
        shown = tuple(DialogueImage(f"sha256:{draw.getrandbits(256):064x}", sentence(draw, 6)) for _ in range(2))
        made.append(Dialogue(f"{number:016x}", "en", "stitched", f"c{number}", said, shown, "CC0-1.0", "somebody"))
    return made


def columns(count: int, runs: int) -> None:
    dialogues, schema = some_dialogues(count), arrow_schema("dialogues")

    def by_rows() -> None:
        for start in range(0, count, ROWS_A_GROUP):
            rows = [to_row(dialogue) for dialogue in dialogues[start : start + ROWS_A_GROUP]]
            pa.Table.from_pylist(rows, schema=schema)

    def by_columns() -> None:
        for start in range(0, count, ROWS_A_GROUP):
            steps = range(start, min(start + ROWS_A_GROUP, count), ROWS_A_STEP)
            pieces = [columns_of("dialogues", dialogues[step : step + ROWS_A_STEP]) for step in steps]
            pa.concat_tables(pieces).combine_chunks()

    pairs = [(timed(by_rows), timed(by_columns)) for _ in range(runs)]
    row(f"{count:,} dialogues to dicts to columns", f"{statistics.median(a for a, _ in pairs):.2f} s")
    ratio = statistics.median(a / b for a, b in pairs)
    row(
        "straight to columns", f"{statistics.median(b for _, b in pairs):.2f} s", f"{ratio:.1f} times faster (aim: 1.5)"
    )


# --- pictures


def photographs(folder: Path, count: int, side: int) -> list[Path]:
    """Write cuts of the photographs inside scikit-image and scikit-learn, three JPEG to one PNG; return the files."""
    import skimage
    import sklearn

    names = ("astronaut.png", "coffee.png", "chelsea.png", "hubble_deep_field.jpg", "rocket.jpg", "retina.jpg")
    sources = [Path(skimage.__file__).parent / "data" / name for name in names]
    sources += sorted((Path(sklearn.__file__).parent / "datasets" / "images").glob("*.jpg"))
    draw = random.Random(0)
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for number in range(count):
        with Image.open(sources[number % len(sources)]) as opened:
            profile = opened.info.get("icc_profile") if sources[number % len(sources)].stem in IN_SRGB else None
            photo = opened.convert("RGB")
        left, top = draw.randrange(photo.width // 4), draw.randrange(photo.height // 4)
        cut = photo.crop((left, top, left + photo.width * 3 // 4, top + photo.height * 3 // 4))
        cut = cut.resize((side, side * 3 // 4))
        path = folder / f"{number:05d}.{'png' if number % 4 == 3 else 'jpg'}"
        cut.save(path, quality=85, icc_profile=profile)
        found.append(path)
    return found


def bare(paths: list[Path]) -> None:
    """Decode and encode with Pillow alone: what the picture step cannot do without."""
    for path in paths:
        with Image.open(io.BytesIO(path.read_bytes())) as picture:
            picture.load()
            is_jpeg = picture.format == "JPEG"
            options = {"quality": JPEG_QUALITY, "subsampling": 0} if is_jpeg else {"compress_level": 6}
            picture.save(io.BytesIO(), "JPEG" if is_jpeg else "PNG", **options)


def pictures(sizes: Sequence[tuple[int, int]], runs: int, work: Path) -> None:
    for side, count in sizes:
        paths = photographs(work / f"photos{side}", count, side)
        images = {f"src/{path.name}": SourceImage(f"src/{path.name}", str(path)) for path in paths}
        ratios = []
        for run in range(runs):
            folder = work / f"stored{side}-{run}"
            whole = timed(partial(bare, paths))
            ratios.append(timed(partial(normalised, images, folder, False, LocalExecutor())) / whole)
        ratio = statistics.median(ratios)
        row(
            f"picture step, {count} photographs {side} wide",
            f"{ratio:.2f} x",
            "bare Pillow decode + encode (most: 1.2)",
        )


# --- builds


def corpus(folder: Path, sources: int, photos: list[Path]) -> Path:
    """Write dialogues of 97 topics, and the recipe that reads them; each photograph is in two sources."""
    draw = random.Random(0)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "sources.jsonl").open("w", encoding="utf-8") as stream:
        for number in range(sources):
            turns = [{"speaker": "ab"[i % 2], "text": sentence(draw), "image": None} for i in range(TURNS)]
            if number // 2 < len(photos):
                path = os.path.relpath(photos[number // 2], folder)
                turns[1]["image"] = {"id": f"i{number // 2}", "path": path, "caption": sentence(draw, 6)}  # type: ignore[assignment]
            one = {"id": f"d{number:06d}", "lang": "en", "speakers": ["a", "b"], "topic": f"topic{number % 97}"}
            stream.write(json.dumps({**one, "turns": turns}) + "\n")
    document = {
        "format": "mldr/recipe@1",
        "name": "benchmark",
        "sources": [{"type": "jsonl", "name": "src", "path": "sources.jsonl"}],
        "splits": {"train_sft": 0.8, "test": 0.2},
    }
    write_text(folder / "recipe.yaml", yaml.safe_dump(document, sort_keys=False))
    return folder / "recipe.yaml"


@dataclass
class Clock(Progress):
    """Notes when each step of a build begins, and when its last piece was done."""

    steps: list[tuple[str, float]] = field(default_factory=list)
    ends: dict[str, float] = field(default_factory=dict)
    stop_before: str = ""

    def start(self, step: str, total: int | None) -> None:
        if step == self.stop_before:
            raise KeyboardInterrupt
        self.mark(step)

    def mark(self, step: str) -> None:
        self.steps.append((step, time.perf_counter()))

    def advance(self, pieces: int = 1) -> None:
        self.ends[self.steps[-1][0]] = time.perf_counter()

    def seconds(self) -> dict[str, float]:
        """Return step -> seconds; what lies between the last picture and the first dialogue is `planning`."""
        found: dict[str, float] = {}
        for (step, begun), (_, then) in zip(self.steps, [*self.steps[1:], ("", time.perf_counter())], strict=True):
            ended = self.ends.get(step, then)
            found[step] = found.get(step, 0.0) + ended - begun
            if then - ended > 0.01:
                found["planning"] = found.get("planning", 0.0) + then - ended
        return found


def build(recipe: Path, out: Path, workers: int = 1) -> Clock:
    clock = Clock()
    create(load_recipe(recipe), recipe.parent, out, workers=workers, force=True, progress=clock)
    clock.mark("")
    return clock


def steps(dialogues: int, work: Path) -> None:
    recipe = corpus(work / "steps", 3 * dialogues, photographs(work / "steps" / "photos", dialogues // 20, 640))
    clock = build(recipe, work / "steps-out")
    written = Dataset(work / "steps-out")
    made = sum(counts["dialogues"] for counts in written.manifest.counts.values())
    for step, seconds in clock.seconds().items():
        if step:
            row(f"dialogues a second, {step}", f"{made / seconds:,.0f}", f"{seconds:.1f} s for {made:,}")
    golds = [
        ((gold, asked.dialogue) for asked in written.asked(split) for gold in asked.gold) for split in written.splits
    ]
    for name, part in (("card", lambda: card(written, "")), ("gold hash", lambda: [gold_hash(one) for one in golds])):
        seconds = timed(part, time.perf_counter)
        row(f"dialogues a second, of these the {name}", f"{made / seconds:,.0f}", f"{seconds:.1f} s")


def spin(_: int) -> int:
    return sum(number * number for number in range(6_000_000))


def bare_gain() -> float:
    """Return how much more two processes do than one, of arithmetic without memory, here and now."""
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        pool.map(abs, range(2))
        one = timed(lambda: pool.map(spin, range(1)), time.perf_counter)
        return 2 * one / timed(lambda: pool.map(spin, range(2), 1), time.perf_counter)


def workers(dialogues: int, runs: int, work: Path) -> None:
    recipe = corpus(work / "workers", 3 * dialogues, photographs(work / "workers" / "photos", dialogues // 8, 1_280))
    gains: dict[str, list[float]] = {"pictures": [], "dialogues": []}
    machine = []
    for _ in range(runs):
        machine.append(bare_gain())
        one, two = (build(recipe, work / "workers-out", n) for n in (1, 2))
        for step, found in gains.items():
            found.append(one.seconds()[step] / two.seconds()[step])
    row("a second process of bare arithmetic", f"{statistics.median(machine):.2f} x", "what the machine had to give")
    for step, found in gains.items():
        row(f"two workers, {step}", f"{statistics.median(found):.2f} x", f"one (least: 1.7); best {max(found):.2f}")


# --- memory


def plan_only(recipe: Path, out: Path) -> None:
    """Do what a build does up to its plan, and stop."""
    try:
        create(load_recipe(recipe), recipe.parent, out, progress=Clock(stop_before="dialogues"))
    except KeyboardInterrupt:
        return
    raise SystemExit("the build did not stop at its plan")


def after_plan(recipe: Path, out: Path) -> None:
    """Do what comes after the plan and print the peak memory of this process, MB."""
    create(load_recipe(recipe), recipe.parent, out)
    sys.stdout.write(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def memory(sizes: list[int], work: Path) -> None:
    peaks = []
    for size in sizes:
        photos = photographs(work / f"memory{size}" / "photos", size // 20, 160)
        recipe = corpus(work / f"memory{size}", 3 * size, photos)
        for name in ("plan_only", "after_plan"):
            words = [sys.executable, __file__, "--only", name, "--work", str(recipe.parent)]
            done = subprocess.run(words, check=True, capture_output=True, text=True)
        peaks.append(float(done.stdout))
        row(f"peak memory after the plan, {size:,} dialogues", f"{peaks[-1]:.0f} MB")
    row("", f"{peaks[-1] / peaks[0]:.2f} x", "(most: 1.10)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--dialogues", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--work", type=Path)
    given = parser.parse_args()
    if given.only in ("plan_only", "after_plan"):
        step = plan_only if given.only == "plan_only" else after_plan
        step(given.work / "recipe.yaml", given.work / "out")
        return
    with tempfile.TemporaryDirectory() as folder:
        work, n = given.work or Path(folder), given.dialogues
        parts: dict[str, Callable[[], None]] = {
            "columns": lambda: columns(n, given.runs),
            "pictures": lambda: pictures(((640, 128), (4_000, 12)), given.runs, work),
            "workers": lambda: workers(n // 5, given.runs, work),
            "steps": lambda: steps(n // 5, work),
            "memory": lambda: memory([n // 10, n], work),
        }
        row("load of the machine, 1 minute", f"{os.getloadavg()[0]:.1f}", f"{os.cpu_count()} cores")
        for name in given.only.split(","):
            parts[name]()


if __name__ == "__main__":
    main()
