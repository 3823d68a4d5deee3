"""A dataset to the Hub: what changed is sent, in one commit, and nothing is open to others before all of it is there."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from mldr.dataset import Dataset
from mldr.errors import MldrError, fault
from mldr.hub.allowed import check_allowed, check_page, notes
from mldr.hub.client import Hub
from mldr.hub.listing import Difference, Local, difference, is_of_a_dataset, remote_files
from mldr.hub.remote import Page, check_history, make_page, open_page, read_page, remote_name, tag_commit
from mldr.hub.staging import CARD, Staged, stage
from mldr.manifest import MANIFEST
from mldr.progress import Progress
from mldr.publishing import Visibility

FILES_AT_ONCE = 16
"""Large files whose upload is asked for together."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a dataset is to be pushed."""

    hub_id: str
    visibility: Visibility = "private"
    tag: str = ""
    """The name of the version; '' for none. One that exists is never moved."""
    message: str = ""
    """Of the commit."""
    dry_run: bool = False
    """Say what would go, and send nothing."""
    force: bool = False
    """Replace another dataset that stands there."""
    with_gold: bool = False
    """The gold of a set with a secret salt may be seen by others."""
    with_history: bool = False
    """Where a page is opened, others may see what its earlier versions held."""


@dataclass(slots=True)
class Pushed:
    """What was sent, or in a dry run would be."""

    difference: Difference
    page: str
    """Its address."""
    commit: str = ""
    """'' in a dry run."""
    tag: str = ""
    created: bool = False
    """The page was made, or would be."""
    notes: list[str] = field(default_factory=list)


def push(dataset: Dataset, wanted: Wanted, *, hub: Hub | None = None, progress: Progress | None = None) -> Pushed:
    """Push a dataset; run it again after an interruption, and what is there is not sent again.

    Args:
        dataset: the dataset at home, which stays as it is.
        wanted: where to, who may see it, how the version is called.
        hub: the Hub, by default the one at HF_ENDPOINT.
        progress: shows how far it is; nothing by default.

    Raises:
        InputError: with everything that forbids it.
        InterruptedRun: if the Hub failed for reasons that may pass.
        MldrError: if the Hub refuses, the tag exists, or something else stands there.
    """
    check_allowed(dataset, wanted.hub_id, wanted.visibility, wanted.tag, with_gold=wanted.with_gold)
    hub = hub or Hub()
    page = read_page(hub, wanted.hub_id)
    with tempfile.TemporaryDirectory(prefix="mldr-push-") as folder:
        staged = stage(dataset, Path(folder), wanted.hub_id, hub.page(wanted.hub_id))
        return _pushed(dataset, staged, wanted, hub, page, progress or Progress())


def _pushed(
    dataset: Dataset, staged: Staged, wanted: Wanted, hub: Hub, page: Page | None, progress: Progress
) -> Pushed:
    changes = _planned(dataset, staged, wanted, hub, page)
    told = Pushed(changes, hub.page(wanted.hub_id), created=page is None, tag=wanted.tag)
    told.notes += [f"{what}: {count:,}" for what, count in sorted(staged.counts.items())]
    told.notes += notes(dataset, wanted.visibility)
    if wanted.dry_run:
        return told
    if page is None:
        make_page(hub, wanted.hub_id)
    open_page(hub, wanted.hub_id, page, wanted.visibility, before=True)
    told.commit = _sent(staged, changes, wanted, hub, progress)
    open_page(hub, wanted.hub_id, page, wanted.visibility, before=False)
    if wanted.tag:
        tag_commit(hub, wanted.hub_id, wanted.tag, told.commit)
    return told


def _planned(dataset: Dataset, staged: Staged, wanted: Wanted, hub: Hub, page: Page | None) -> Difference:
    """Return what changes on the Hub, once it is clear that it may."""
    if page is None:
        return difference(staged.files, {})
    check_page(wanted.hub_id, wanted.visibility, page.visibility)
    known = remote_files(hub, wanted.hub_id, page.commit)
    foreign = [path for path in sorted(known) if not (is_of_a_dataset(path) or path in (CARD, ".gitattributes"))]
    if not wanted.force and MANIFEST not in known and foreign:
        words = f"holds other files ({foreign[0]}, ...) and no {MANIFEST}: no dataset of mldr; choose another name, or --force"
        raise MldrError(f"{wanted.hub_id} {words}")
    if not wanted.force and MANIFEST in known:
        name = remote_name(hub, wanted.hub_id, page.commit)
        if name != dataset.name:
            raise MldrError(f"{wanted.hub_id} holds another dataset, {name!r}; replace it with --force")
    changes = difference(staged.files, known)
    if wanted.visibility != page.visibility and not wanted.with_history:
        check_history(hub, wanted.hub_id, staged.files)
    tagged = page.tags.get(wanted.tag)
    if tagged and (changes or tagged != page.commit):
        raise fault(
            f"--tag {wanted.tag}", f"is a version of {wanted.hub_id} already; versions stay: choose another name"
        )
    return changes


def _sent(staged: Staged, changes: Difference, wanted: Wanted, hub: Hub, progress: Progress) -> str:
    """Send what differs and return the commit that holds it all.

    Large files go first, each kept by its hash: a run that is started again sends those alone that are not there. What
    differs is looked up anew before each try of the commit, so that one whose answer was lost is not made twice.
    """
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    _upload(changes.changed, wanted.hub_id, hub, progress)

    def commit() -> str:
        page = read_page(hub, wanted.hub_id)
        if page is None:
            raise MldrError(f"{wanted.hub_id}: the page that was there is gone")
        left = difference(staged.files, remote_files(hub, wanted.hub_id, page.commit))
        if not left:
            return page.commit
        operations: list[CommitOperationAdd | CommitOperationDelete] = [
            CommitOperationAdd(one.path, str(one.source)) for one in left.changed
        ]
        operations += [CommitOperationDelete(path) for path in left.gone]
        done = hub.api.create_commit(
            wanted.hub_id,
            operations,
            commit_message=wanted.message or f"{wanted.tag or 'A version'} pushed by mldr",
            repo_type="dataset",
            parent_commit=page.commit,
        )
        return str(done.oid)

    return hub.call(f"writing the commit of {wanted.hub_id}", commit)


def _upload(files: tuple[Local, ...], hub_id: str, hub: Hub, progress: Progress) -> None:
    """Send the large files of a push; small ones go with the commit."""
    from huggingface_hub import CommitOperationAdd
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()
    large = [one for one in files if one.path.endswith(".parquet")]
    if large:
        progress.start("sending", len(large))
    for start in range(0, len(large), FILES_AT_ONCE):
        few = large[start : start + FILES_AT_ONCE]

        def send(few: list[Local] = few) -> None:
            additions = [CommitOperationAdd(one.path, str(one.source)) for one in few]
            hub.api.preupload_lfs_files(hub_id, additions, repo_type="dataset")

        hub.call(f"sending {few[0].path}" + (f" and {len(few) - 1} more" if few[1:] else ""), send)
        progress.advance(len(few))
