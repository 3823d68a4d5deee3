"""A build from recipe to dataset: each step's output feeds the next, each finished piece survives an interruption."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from mldr.builders.assemble import assemble
from mldr.builders.match import match
from mldr.builders.pictures import Pictures, normalised
from mldr.builders.plan import PlanRow, plan
from mldr.builders.recipe import Recipe, SourceRecipe
from mldr.builders.rulequery import RuleQueries
from mldr.builders.sources.record import Reading, Source, SourceDialogue, SourceImage
from mldr.builders.split import SourceSplit, split_sources
from mldr.builders.spool import Spool, spooled
from mldr.builders.stitch import bridges
from mldr.builders.units import make_units, write_context
from mldr.errors import Fault, InputError, MldrError, fault
from mldr.executors import Executor, LocalExecutor
from mldr.files import canonical_json, parse_json, sha256_file, sha256_text, sync_folder, write_json
from mldr.manifest import MANIFEST, read_manifest
from mldr.plugins import resolve
from mldr.versions import shaping_versions

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything that is known before the first dialogue is stitched."""

    recipe: Recipe
    recipe_hash: str
    spool: Spool
    images: dict[str, SourceImage]
    reading: Reading
    dropped: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Planned:
    """A planned build."""

    prepared: Prepared
    pictures: Pictures
    split: SourceSplit
    rows: list[PlanRow]


def open_sources(recipe: Recipe, folder: Path) -> list[Source]:
    """Return the readers of a recipe's sources.

    Raises:
        InputError: with each entry of an unknown type, or that its reader refuses.
    """
    sources: list[Source] = []
    faults: list[Fault] = []
    for position, entry in enumerate(recipe.sources):
        try:
            sources.append(_opened(resolve("mldr.sources", entry.type), entry, folder))
        except InputError as error:
            faults.extend(error.faults)
        except MldrError as error:
            faults.append(Fault(f"recipe, sources.{position}.type", str(error)))
    if faults:
        raise InputError(faults)
    return sources


def _opened(kind: Any, entry: SourceRecipe, folder: Path) -> Source:
    if not isinstance(kind, type) or not all(callable(getattr(kind, name, None)) for name in ("inputs", "read")):
        raise MldrError(f"{entry.type} is no source: it lacks inputs() or read()")
    source: Source = kind(entry, folder)
    return source


def recipe_hash(recipe: Recipe, sources: list[Source]) -> str:
    """Return the identity of a build: its recipe and the hashes of the files that it reads."""
    inputs = []
    for entry, source in zip(recipe.sources, sources, strict=True):
        try:
            inputs.append([sha256_file(path) for path in source.inputs()])
        except OSError as error:
            raise fault(f"recipe, source {entry.name}", f"{error.filename}: {error.strerror}") from error
    return sha256_text(canonical_json({"recipe": recipe.published(), "inputs": inputs}))


def prepare(recipe: Recipe, folder: Path, work: Path) -> Prepared:
    """Read every source of a recipe.

    Args:
        recipe: what to read.
        folder: the recipe's, to which its paths are relative.
        work: a folder for intermediate files.

    Raises:
        InputError: with the faults of all sources.
        MldrError: for a file that cannot be read.
    """
    sources = open_sources(recipe, folder)
    identity = recipe_hash(recipe, sources)
    reading = Reading()
    dropped: Counter[str] = Counter()
    work.mkdir(parents=True, exist_ok=True)
    dialogues = (
        dialogue
        for source in sources
        for dialogue in source.read(reading)
        if _wanted(dialogue, recipe, reading, dropped)
    )
    spool, images = spooled(dialogues, work / "sources.jsonl", reading)
    if not spool.heads and not reading.faults:
        reading.faults.add("sources", "hold no dialogue" + (" in the recipe's languages" if recipe.languages else ""))
    reading.faults.check()
    return Prepared(recipe, identity, spool, images, reading, dropped)


def _wanted(dialogue: SourceDialogue, recipe: Recipe, reading: Reading, dropped: Counter[str]) -> bool:
    if recipe.languages and dialogue.language not in recipe.languages:
        dropped[f"sources in a language the recipe does not name ({dialogue.language})"] += 1
        return False
    if dialogue.language not in bridges():
        known = ", ".join(sorted(bridges()))
        reading.faults.add(dialogue.place, f"no bridge utterances in {dialogue.language!r} (there are: {known})")
        return False
    return True


def plan_build(prepared: Prepared, work: Path, executor: Executor) -> Planned:
    """Normalise the pictures, split the sources, match them and plan every dialogue.

    Raises:
        InputError: with each picture that cannot be used; or if nothing can be matched.
    """
    recipe, heads = prepared.recipe, prepared.spool.heads
    pictures = normalised(prepared.images, work / "images", recipe.images == "optional", executor)
    split = split_sources(heads, pictures.keys(), recipe.splits, recipe.seed)
    prepared.dropped.update(split.dropped)
    matches = match(heads, split.split_of, pictures.keys(), recipe.seed, prepared.dropped)
    if not matches:
        raise InputError([Fault("sources", "no three sources of different topics in one split and language")])
    rows = plan(matches, heads, split, recipe.queries.negatives, recipe.seed)
    return Planned(prepared, pictures, split, rows)


def rule_queries(spool: Spool, split: SourceSplit) -> dict[str, RuleQueries]:
    """Return `<split>/<language>` -> the term statistics of its sources."""
    rules: dict[str, RuleQueries] = {}
    for dialogue in spool:
        if (name := split.split_of.get(dialogue.source_id)) is not None:
            rules.setdefault(f"{name}/{dialogue.language}", RuleQueries()).add(dialogue)
    return rules


def create(
    recipe: Recipe,
    folder: Path,
    out: Path,
    *,
    workers: int = 1,
    force: bool = False,
    say: Say = lambda _: None,
) -> Path:
    """Build a dataset, or go on with a build that was interrupted; return its folder.

    A finished build of the same recipe is left as it is. Work goes on in `OUT.partial/`, which is renamed at the end.

    Args:
        recipe: what to build.
        folder: the recipe's folder, to which its paths are relative.
        out: the dataset's folder.
        workers: processes that stitch and decode; the bytes are the same for any number.
        force: replace what stands at `out`, and drop an unfinished build of something else.
        say: takes one-line messages on the progress.

    Raises:
        InputError: with every fault of the sources.
        MldrError: if something else stands at `out`, or another build is writing to it.
    """
    out = out.resolve()
    if not out.name:
        raise MldrError(f"{out} cannot be a dataset's folder; choose another --out")
    identity = recipe_hash(recipe, open_sources(recipe, folder))
    out.parent.mkdir(parents=True, exist_ok=True)
    partial, lock = out.with_name(out.name + ".partial"), out.with_name(f".{out.name}.lock")
    try:
        with FileLock(lock, timeout=0):
            _create(recipe, folder, out, partial, identity, LocalExecutor(workers), force, say)
            lock.unlink(missing_ok=True)
    except Timeout as error:
        raise MldrError(f"{out}: another build is writing here") from error
    return out


def _create(
    recipe: Recipe, folder: Path, out: Path, partial: Path, identity: str, executor: Executor, force: bool, say: Say
) -> None:
    _check_own(partial)
    if _is_finished(out, identity, force):
        _remove_own(partial)
        say(f"{out} is already built from this recipe")
        return
    _build(recipe, folder, partial, identity, executor, force, say)
    if out.exists():
        shutil.rmtree(partial / "old", ignore_errors=True)
        out.replace(partial / "old")  # kept until the new one stands in its place
    (partial / "dataset").replace(out)
    sync_folder(out.parent)
    _remove_own(partial)


_OWN = ("work", "dataset", "old")
"""What a build puts into `OUT.partial/`, and all that it ever removes there."""


def _check_own(partial: Path) -> None:
    """Refuse a folder of that name which is not an unfinished build's."""
    if not partial.exists():
        return
    if not partial.is_dir() or any(entry.name not in _OWN for entry in partial.iterdir()):
        raise MldrError(f"{partial} stands where a build would work and is not one; move it, or choose another --out")


def _remove_own(partial: Path) -> None:
    for name in _OWN:
        shutil.rmtree(partial / name, ignore_errors=True)
    if partial.is_dir() and not any(partial.iterdir()):
        partial.rmdir()


def _is_finished(out: Path, identity: str, force: bool) -> bool:
    """Say whether `out` is this build, finished; False where it may be written.

    Raises:
        MldrError: if something stands there that may not be replaced.
    """
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return False
    if not (out / MANIFEST).is_file():
        raise MldrError(f"{out} exists and is no dataset, so it is not replaced; choose another --out")
    if force:
        return False
    if read_manifest(out).recipe_hash == identity:
        return True
    raise MldrError(f"{out} is not a build of this recipe; choose another --out, or replace it with --force")


def _build(
    recipe: Recipe, folder: Path, partial: Path, identity: str, executor: Executor, force: bool, say: Say
) -> None:
    work = partial / "work"
    versions = shaping_versions()
    _claim(work, {"recipe_hash": identity, "versions": versions}, force)
    say("reading the sources")
    prepared = prepare(recipe, folder, work)
    if prepared.recipe_hash != identity:
        raise MldrError("a source changed while it was read; start again")
    say(f"{len(prepared.spool.heads):,} sources, {len(prepared.images):,} images; planning")
    planned = plan_build(prepared, work, executor)
    context = write_context(work, recipe, rule_queries(prepared.spool, planned.split))
    say(f"{len(planned.rows):,} dialogues to stitch")
    units = make_units(planned.rows, prepared.spool, planned.pictures, context, work, executor)
    assemble(planned.rows, units, planned.pictures, prepared, partial / "dataset", versions)


def _claim(work: Path, state: dict[str, Any], force: bool) -> None:
    """Make the work folder this build's own: go on with what is there if it is, else refuse or start again."""
    path = work / "state.json"
    if path.is_file():
        if parse_json(path.read_bytes()) == state:
            return
        if not force:
            raise MldrError(
                f"{work.parent} holds an unfinished build of another recipe, source or library version; "
                "remove it, or start again with --force"
            )
    shutil.rmtree(work, ignore_errors=True)
    write_json(path, state)
