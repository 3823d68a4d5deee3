"""A build from recipe to dataset: each step's output feeds the next, each finished piece survives an interruption."""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock, Timeout

from mldr.builders.assemble import assemble
from mldr.builders.imagetable import ImageTable
from mldr.builders.ownership import check_own, claim, is_finished, put_in_place, remove_own
from mldr.builders.planfile import Plan, read_plan, write_plan
from mldr.builders.planning import plan_build, rule_queries
from mldr.builders.reading import open_sources, prepare, recipe_hash
from mldr.builders.recipe import Recipe
from mldr.builders.units import make_units, write_context
from mldr.errors import MldrError
from mldr.executors import Executor, LocalExecutor
from mldr.manifest import Manifest
from mldr.progress import Progress
from mldr.versions import shaping_versions


def create(
    recipe: Recipe,
    folder: Path,
    out: Path,
    *,
    workers: int = 1,
    force: bool = False,
    progress: Progress | None = None,
) -> Path:
    """Build a dataset, or go on with a build that was interrupted; return its folder.

    A finished build of the same recipe is left as it is. Work goes on in `OUT.partial/`, which is renamed at the end.

    Args:
        recipe: what to build.
        folder: the recipe's folder, to which its paths are relative.
        out: the dataset's folder.
        workers: processes that stitch and decode; the bytes are the same for any number.
        force: replace what stands at `out`, and drop an unfinished build of something else.
        progress: shows how far it is; nothing by default.

    Raises:
        InputError: with every fault of the sources.
        MldrError: if something else stands at `out`, or another build is writing to it.
    """
    progress = progress or Progress()
    out = out.resolve()
    if not out.name:
        raise MldrError(f"{out} cannot be a dataset's folder; choose another --out")
    identity = recipe_hash(recipe, open_sources(recipe, folder))
    out.parent.mkdir(parents=True, exist_ok=True)
    partial, lock = out.with_name(out.name + ".partial"), out.with_name(f".{out.name}.lock")
    try:
        with FileLock(lock, timeout=0):
            check_own(partial)
            if is_finished(out, canary(identity), force):
                remove_own(partial)
                progress.say(f"{out} is already built from this recipe")
            else:
                _build(recipe, folder, partial, identity, LocalExecutor(workers), force, progress)
                put_in_place(partial, out)
            lock.unlink(missing_ok=True)
    except Timeout as error:
        raise MldrError(f"{out}: another build is writing here") from error
    return out


def canary(identity: str) -> str:
    """Return the line by which a build is known again, in training corpora too."""
    return f"mldr canary {identity[:32]}: benchmark data, keep out of training corpora"


def _build(
    recipe: Recipe, folder: Path, partial: Path, identity: str, executor: Executor, force: bool, progress: Progress
) -> None:
    work = partial / "work"
    claim(work, {"recipe_hash": identity, "versions": shaping_versions()}, force)
    plan = read_plan(work)
    if plan is None:
        plan = _plan(recipe, folder, work, identity, executor, progress)
    finish(recipe, identity, plan, partial, executor, progress)


def _plan(recipe: Recipe, folder: Path, work: Path, identity: str, executor: Executor, progress: Progress) -> Plan:
    progress.start("reading the sources", None)
    prepared = prepare(recipe, folder, work)
    if prepared.recipe_hash != identity:
        raise MldrError("a source changed while it was read; start again")
    progress.say(f"{len(prepared.spool.heads):,} sources, {len(prepared.images):,} images; planning")
    planned = plan_build(prepared, work, executor, progress)
    write_context(work, recipe, rule_queries(prepared.spool, planned.split))
    image_table(work).write(planned.pictures)
    return write_plan(planned.rows, prepared.spool, planned.pictures, prepared.left_out, work)


def image_table(work: Path) -> ImageTable:
    """Return the images of a build's work folder."""
    return ImageTable(work / "images.sqlite", work / "images")


def finish(recipe: Recipe, identity: str, plan: Plan, partial: Path, executor: Executor, progress: Progress) -> None:
    """Do everything that comes after the plan, from what lies in the work folder; memory does not grow with the plan.

    Args:
        recipe: what is built.
        identity: the hash of the recipe and its inputs.
        plan: of the work folder.
        partial: the folder of the unfinished build.
        executor: runs the units.
        progress: shows how far it is.
    """
    work = partial / "work"
    make_units(plan, work, executor, progress)
    manifest = Manifest(
        name=f"mldr-ffr-{recipe.name}",
        recipe=recipe.published(),
        recipe_hash=identity,
        seed=recipe.seed,
        versions=shaping_versions(),
        canary=canary(identity),
    )
    progress.start("writing shards and card", None)
    assemble(plan, work, image_table(work), partial / "dataset", manifest, recipe.notice)
