"""A dataset's page on the Hub: whether it is there, who may see it, its versions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mldr.errors import MldrError
from mldr.files import parse_json
from mldr.hub.client import Hub, status
from mldr.hub.listing import Local, is_same, remote_files
from mldr.manifest import MANIFEST
from mldr.publishing import Visibility


@dataclass(frozen=True, slots=True)
class Page:
    """What is on the Hub under a name."""

    commit: str
    """Of the branch `main`."""
    visibility: Visibility
    tags: dict[str, str]
    """Version -> commit."""


def read_page(hub: Hub, hub_id: str) -> Page | None:
    """Return a dataset's page, None where there is none that the token may see."""
    from huggingface_hub.errors import RepositoryNotFoundError

    def looked_up() -> Page | None:
        try:
            found = hub.api.repo_info(hub_id, repo_type="dataset")
        except RepositoryNotFoundError:
            return None
        refs = hub.api.list_repo_refs(hub_id, repo_type="dataset")
        seen: Visibility = "private" if found.private else "gated" if getattr(found, "gated", False) else "public"
        tags = {tag.name: tag.target_commit for tag in refs.tags}
        return Page(str(found.sha), seen, tags)

    return hub.call(f"looking up {hub_id}", looked_up)


def make_page(hub: Hub, hub_id: str) -> None:
    """Make an empty page that nobody else sees."""
    hub.call(f"making {hub_id}", lambda: hub.api.create_repo(hub_id, repo_type="dataset", private=True, exist_ok=True))


def open_page(hub: Hub, hub_id: str, page: Page | None, wanted: Visibility, *, before: bool) -> None:
    """Let in whom the visibility says, one step before the files are sent (the gate) and one after (the door).

    Args:
        hub: the Hub.
        hub_id: `owner/name`.
        page: as it was found, None for one just made.
        wanted: what it is to be.
        before: whether the files are yet to be sent.
    """
    current: Visibility = "private" if page is None else page.visibility
    if current == wanted or wanted == "private":
        return
    if before:
        if wanted == "gated":
            doing = f"putting a gate before {hub_id}"
            hub.call(doing, lambda: hub.api.update_repo_settings(hub_id, gated="manual", repo_type="dataset"))
        return
    if wanted == "public" and current == "gated":
        hub.call(f"opening {hub_id}", lambda: hub.api.update_repo_settings(hub_id, gated=False, repo_type="dataset"))
    else:
        hub.call(f"opening {hub_id}", lambda: hub.api.update_repo_settings(hub_id, private=False, repo_type="dataset"))


def check_history(hub: Hub, hub_id: str, files: Iterable[Local]) -> None:
    """Refuse to open a page whose earlier versions hold what this one does not: whoever is let in sees them all.

    Args:
        hub: the Hub.
        hub_id: `owner/name`.
        files: what the page will hold.

    Raises:
        MldrError: naming the first such file.
    """
    sent = {one.path: one for one in files}

    def listed() -> list[str]:
        refs = hub.api.list_repo_refs(hub_id, repo_type="dataset")
        names = [ref.name for ref in (*refs.branches, *refs.tags)]
        found = (hub.api.list_repo_commits(hub_id, repo_type="dataset", revision=name) for name in names)
        return list(dict.fromkeys(commit.commit_id for commits in found for commit in commits))

    for commit in hub.call(f"reading the history of {hub_id}", listed):
        for path, remote in sorted(remote_files(hub, hub_id, commit).items()):
            if path != ".gitattributes" and not (path in sent and is_same(sent[path], remote)):
                raise MldrError(
                    f"{hub_id} is not open yet, and its version {commit[:12]} holds another {path}, which everybody who "
                    "is let in would see (an earlier gold, say): push to a new name, or say --with-history"
                )


def remote_name(hub: Hub, hub_id: str, commit: str) -> str:
    """Return the name of the dataset that a commit holds, '' where its manifest cannot be read."""
    from pathlib import Path
    from tempfile import TemporaryDirectory

    with TemporaryDirectory(prefix="mldr-hub-") as folder:
        path = hub.call(
            f"reading {MANIFEST} of {hub_id}",
            lambda: hub.api.hf_hub_download(hub_id, MANIFEST, repo_type="dataset", revision=commit, local_dir=folder),
        )
        try:
            document = parse_json(Path(path).read_bytes())
        except (ValueError, OSError):
            return ""
    return str(document.get("name", "")) if isinstance(document, dict) else ""


def tag_commit(hub: Hub, hub_id: str, tag: str, commit: str) -> None:
    """Give a commit the name of a version.

    Raises:
        MldrError: if another commit has it.
    """

    def tagged() -> None:
        try:
            hub.api.create_tag(hub_id, tag=tag, revision=commit, repo_type="dataset")
        except Exception as error:
            if status(error) != 409:
                raise
            page = read_page(hub, hub_id)  # the answer of an earlier try may have been lost
            if page is None or page.tags.get(tag) != commit:
                raise MldrError(f"{hub_id}: {tag} is a version of another commit by now; choose another name") from None

    hub.call(f"naming the version {tag} of {hub_id}", tagged)
