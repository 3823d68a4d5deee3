"""A dataset from the Hub into a folder of one's own, every file held against the hash that its manifest names."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from mldr.errors import Faults, InterruptedRun, MldrError
from mldr.files import sha256_file
from mldr.folders import check_free, exchange, holds_others, remove_own
from mldr.hub.client import HUB_ID, Hub
from mldr.hub.staging import is_plain
from mldr.manifest import MANIFEST, read_manifest

_OWN = ("download", "old")


@dataclass(frozen=True, slots=True)
class Pulled:
    """What was brought."""

    folder: Path
    commit: str
    files: int
    size: int
    """Bytes."""


def pull(hub_id: str, out: Path, *, revision: str = "main", force: bool = False, hub: Hub | None = None) -> Pulled:
    """Bring a dataset; run it again after an interruption, and what is there is not brought again.

    Args:
        hub_id: `owner/name`.
        out: the folder to be.
        revision: a branch, a tag, or a commit.
        force: replace a dataset that stands at `out`.
        hub: the Hub, by default the one at HF_ENDPOINT.

    Raises:
        InputError: with each file whose bytes are not those that the manifest names.
        InterruptedRun: if the Hub failed for reasons that may pass.
        MldrError: if it is not there, is no dataset of mldr, or something else stands at `out`.
    """
    if not HUB_ID.fullmatch(hub_id):
        raise MldrError(f"{hub_id}: is no Hub id; owner/name is expected")
    out = out.resolve()
    check_free(out, MANIFEST, force=force)
    partial = out.with_name(out.name + ".partial")
    if holds_others(partial, _OWN):
        raise MldrError(f"{partial} stands where work would go on and is not ours; move it, or choose another --out")
    out.parent.mkdir(parents=True, exist_ok=True)
    lock = out.with_name(f".{out.name}.lock")
    try:
        with FileLock(lock, timeout=0):
            try:
                return _pulled(hub_id, out, partial, revision, hub or Hub())
            finally:
                lock.unlink(missing_ok=True)
    except Timeout as error:
        raise MldrError(f"{out}: another command is writing here") from error


def _pulled(hub_id: str, out: Path, partial: Path, revision: str, hub: Hub) -> Pulled:
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()
    found = hub.call(
        f"looking up {revision} of {hub_id}",
        lambda: hub.api.repo_info(hub_id, repo_type="dataset", revision=revision),
    )
    commit, folder = str(found.sha), partial / "download"
    folder.mkdir(parents=True, exist_ok=True)
    _bring(hub, hub_id, commit, folder, [MANIFEST])
    if not (folder / MANIFEST).is_file():
        remove_own(partial, _OWN)
        raise MldrError(f"{hub_id} is not an mldr dataset: it has no {MANIFEST}")
    manifest = read_manifest(folder)
    faults = Faults()
    for name in sorted(manifest.files):
        if not is_plain(name):
            faults.add(f"{MANIFEST} of {hub_id}, {name}", "is no name that a file of a dataset has")
    faults.check()
    names = sorted(manifest.files)
    _bring(hub, hub_id, commit, folder, names)
    _check(folder, names, hub_id)
    size = sum((folder / name).stat().st_size for name in (*names, MANIFEST))
    _only(folder, {*names, MANIFEST})
    exchange(folder, out, partial / "old")
    remove_own(partial, _OWN)
    return Pulled(out, commit, len(names) + 1, size)


def _bring(hub: Hub, hub_id: str, commit: str, folder: Path, names: list[str]) -> None:
    """Bring files of a commit into a folder; the client goes on where a file broke off."""
    hub.call(
        f"bringing {hub_id}",
        lambda: hub.api.snapshot_download(
            hub_id, repo_type="dataset", revision=commit, local_dir=folder, allow_patterns=names
        ),
    )


def _check(folder: Path, names: list[str], hub_id: str) -> None:
    """Hold every file against its hash; one that is another is removed, so that the next run brings it anew."""
    manifest = read_manifest(folder)
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise InterruptedRun(
            f"{hub_id}: {len(missing):,} files did not come ({missing[0]}, ...); run the same command again"
        )
    faults = Faults()
    for name in names:
        if sha256_file(folder / name) != manifest.files[name].sha256:
            (folder / name).unlink()
            faults.add(
                f"{hub_id}, {name}", "its bytes are not those that the manifest names: it was changed on the Hub"
            )
    faults.check()


def _only(folder: Path, names: set[str]) -> None:
    """Remove what the client keeps beside the files, and what an earlier revision left."""
    shutil.rmtree(folder / ".cache", ignore_errors=True)
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_file() and path.relative_to(folder).as_posix() not in names:
            path.unlink()
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()
