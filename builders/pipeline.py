"""A build from recipe to dataset: each step's output feeds the next, each finished piece survives an interruption."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from mldr.builders.assemble import assemble
from mldr.builders.context import context_of, read_context, write_context
from mldr.builders.imagetable import ImageTable
from mldr.builders.models import ModelAccess, ask_models
from mldr.builders.ownership import check_own, claim, forget, is_finished, put_in_place
from mldr.builders.planfile import Plan, read_plan, write_plan
from mldr.builders.planning import plan_build, rule_queries, shaping
from mldr.builders.reading import open_sources, prepare, recipe_hash
from mldr.builders.recipe import Recipe
from mldr.builders.salt import load_or_create_salt
from mldr.builders.units import make_units
from mldr.errors import MldrError
from mldr.executors import Executor, LocalExecutor
from mldr.identity import canary, digest
from mldr.manifest import Manifest
from mldr.progress import Progress


@dataclass(frozen=True, slots=True)
class Build:
    """One build: what is made, where, and who makes it."""

    recipe: Recipe
    identity: str
    """The hash of the recipe and of all that it reads."""
    out: Path
    executor: Executor
    access: ModelAccess
    progress: Progress
    salt: bytes = b""

    @property
    def partial(self) -> Path:
        """The folder of the unfinished build."""
        return self.out.with_name(self.out.name + ".partial")

    @property
    def work(self) -> Path:
        """Where intermediate files lie."""
        return self.partial / "work"

    @property
    def images(self) -> ImageTable:
        """The images of the build."""
        return ImageTable(self.work / "images.sqlite", self.work / "images")

    @property
    def canary(self) -> str:
        """The line by which the build is known again, in training corpora too."""
        return canary(digest(self.identity, self.salt) if self.salt else self.identity)


def beside(out: Path, ending: str) -> Path:
    """Return a file that stands beside a dataset and never in it: `OUT.responses.sqlite`, `OUT.flagged.jsonl`, `OUT.salt`."""
    return out.with_name(f"{out.name}.{ending}")


def create(
    recipe: Recipe,
    folder: Path,
    out: Path,
    *,
    workers: int = 1,
    executor: Executor | None = None,
    responses: Path | None = None,
    offline: bool = False,
    budget: float | None = None,
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
        executor: runs the steps without a model instead of local workers.
        responses: the store of the models' answers; `OUT.responses.sqlite` by default.
        offline: build from the store alone.
        budget: what this run may spend on models, in the currency of the recipe's prices.
        force: replace what stands at `out`, and drop an unfinished build of something else.
        progress: shows how far it is; nothing by default.

    Raises:
        InputError: with every fault of the sources.
        InterruptedRun: if a server, the budget or the disk stopped the run; the same call goes on.
        MldrError: if something else stands at `out`, or another build is writing to it.
    """
    out = out.resolve()
    if not out.name:
        raise MldrError(f"{out} cannot be a dataset's folder; choose another --out")
    identity = recipe_hash(recipe, open_sources(recipe, folder))
    out.parent.mkdir(parents=True, exist_ok=True)
    access = ModelAccess(responses or beside(out, "responses.sqlite"), offline, budget)
    lock = out.with_name(f".{out.name}.lock")
    try:
        with FileLock(lock, timeout=0), LocalExecutor(workers) as local:
            salt = _salt(out, force) if recipe.secret else b""
            build = Build(recipe, identity, out, executor or local, access, progress or Progress(), salt)
            _create(build, folder, force)
            lock.unlink(missing_ok=True)
    except Timeout as error:
        raise MldrError(f"{out}: another build is writing here") from error
    return out


def _salt(out: Path, force: bool) -> bytes:
    """Return the salt of a secret build; none is drawn beside what another salt made, or it would pass for that one."""
    path, partial = beside(out, "salt"), out.with_name(out.name + ".partial")
    if not (force or path.exists()):
        for stands in (out, partial):
            if stands.is_dir() and any(stands.iterdir()):
                raise MldrError(
                    f"{path} is missing beside {stands}, and no other salt fits; put it back, choose another --out, "
                    "or build anew with --force"
                )
    return load_or_create_salt(path)


def _create(build: Build, folder: Path, force: bool) -> None:
    check_own(build.partial)
    if is_finished(build.out, build.canary, force):
        forget(build.partial)
        build.progress.say(f"{build.out} is already built from this recipe")
        return
    claim(build.work, {"build": build.canary, "versions": shaping(build.recipe)}, force)
    plan = read_plan(build.work)
    if plan is None:
        plan = _plan(build, folder)
    finish(build, plan)
    flagged = build.work / "flagged.jsonl"
    if build.recipe.verify is not None:
        flagged.replace(beside(build.out, "flagged.jsonl"))
    put_in_place(build.partial, build.out)


def _plan(build: Build, folder: Path) -> Plan:
    build.progress.start("reading the sources", None)
    prepared = prepare(build.recipe, folder, build.work)
    if prepared.recipe_hash != build.identity:
        raise MldrError("a source changed while it was read; start again")
    build.progress.say(f"{len(prepared.spool.heads):,} sources, {len(prepared.images):,} images")
    planned = plan_build(prepared, build.work, build.executor, build.progress, build.salt)
    context = context_of(build.recipe, rule_queries(prepared.spool, planned.split), build.salt)
    write_context(build.work / "context.json", context)
    build.images.write(planned.pictures)
    counts = prepared.left_out, planned.noted
    return write_plan(planned.rows, prepared.spool, planned.pictures, build.work, *counts)


def finish(build: Build, plan: Plan) -> None:
    """Do everything that comes after the plan, from what lies in the work folder; memory does not grow with the plan.

    Leaves `dataset/` in the folder of the unfinished build, and `flagged.jsonl` in its work folder.

    Args:
        build: what is made.
        plan: of the work folder.
    """
    asks = build.recipe.asks_models
    if asks:
        context = read_context(str(build.work / "context.json"))
        ask_models(plan, build.work, build.recipe, context, build.access, build.progress)
    make_units(plan, build.work, asks, build.executor, build.progress)
    build.progress.start("writing shards and card", None)
    assemble(plan, build.work, build.images, build.partial / "dataset", _manifest(build), build.recipe)


def _manifest(build: Build) -> Manifest:
    manifest = Manifest(name=f"mldr-ffr-{build.recipe.name}", versions=shaping(build.recipe), canary=build.canary)
    if build.salt:
        manifest.salt_sha256 = hashlib.sha256(build.salt).hexdigest()
        return manifest
    manifest.recipe, manifest.recipe_hash, manifest.seed = build.recipe.published(), build.identity, build.recipe.seed
    return manifest
