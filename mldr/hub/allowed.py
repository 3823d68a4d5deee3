"""What may be pushed where: consent, licences of the words, a secret gold; said all at once, before anything is sent."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mldr.dataset import Dataset
from mldr.errors import Faults, InputError, MldrError
from mldr.hub.client import HUB_ID
from mldr.licences import combined, licence, parts
from mldr.publishing import Visibility, check_push

OPENNESS: tuple[Visibility, ...] = ("private", "gated", "public")
"""From the one who pushes alone to everybody."""
_TAG = re.compile(r"[A-Za-z0-9][\w.-]{0,99}")
_COMMIT = re.compile(r"[0-9a-f]{40}")


def check_allowed(dataset: Dataset, hub_id: str, visibility: Visibility, tag: str, *, with_gold: bool) -> None:
    """Refuse what may not be pushed.

    Args:
        dataset: the dataset at home.
        hub_id: `owner/name`.
        visibility: what its page will be.
        tag: the name of the version, '' for none.
        with_gold: the gold of a set with a secret salt may be shown to others.

    Raises:
        InputError: with everything that forbids it.
    """
    faults = Faults()
    if not HUB_ID.fullmatch(hub_id):
        faults.add(hub_id, "is no Hub id; owner/name is expected, of letters, digits, '-', '_' and '.'")
    if tag and (not _TAG.fullmatch(tag) or tag == "main" or _COMMIT.fullmatch(tag)):
        faults.add(
            f"--tag {tag}", "is no name of a version; letters, digits, '-', '_' and '.' make one, `main` does not"
        )
    try:
        check_push(dataset.manifest, is_real(dataset), visibility)
    except InputError as error:
        faults.extend(error.faults)
    if visibility == "public":
        for name, count in _words_of_others(dataset):
            words = f"under {name}, which does not let others pass them on; push it private or gated"
            faults.add(str(dataset.folder), f"{count:,} dialogues are {words}")
    if visibility != "private" and not with_gold:
        for split in _secret_gold(dataset):
            words = "was built with a secret salt and its gold is here: others would see it; push the copy that `mldr dataset "
            faults.add(f"split {split}", words + "withhold` writes, or say --with-gold")
    faults.check()


def is_real(dataset: Dataset) -> bool:
    """Say whether any dialogue is a real chat."""
    columns = (dataset.arrow("dialogues", split, ["origin"]).column("origin") for split in dataset.splits)
    return any("real" in column.unique().to_pylist() for column in columns)


def notes(dataset: Dataset, visibility: Visibility) -> Iterator[str]:
    """Yield what a person should know who pushes the dataset."""
    counted = _words_of_others(dataset)
    if visibility != "public" and counted:
        names = ", ".join(f"{name} ({count:,})" for name, count in counted)
        yield f"dialogues under licences that do not let others pass them on: {names}"
    terms = combined({text for text, _ in _licences(dataset)})
    if terms.redistributable is False and not counted:
        yield f"the dialogues are {terms.words}"


def _licences(dataset: Dataset) -> list[tuple[str, int]]:
    counts: dict[str, int] = {}
    for split in dataset.splits:
        for row in dataset.arrow("dialogues", split, ["licence"]).column("licence").value_counts().to_pylist():
            counts[row["values"]] = counts.get(row["values"], 0) + row["counts"]
    return sorted(counts.items())


def _words_of_others(dataset: Dataset) -> list[tuple[str, int]]:
    """Return the licences of dialogues that nobody else may pass on, with the number of dialogues under each."""
    counts: dict[str, int] = {}
    for text, count in _licences(dataset):
        for name in parts(text):
            if not licence(name).redistributable:
                counts[name] = counts.get(name, 0) + count
    return sorted(counts.items())


def _secret_gold(dataset: Dataset) -> list[str]:
    """Return the splits that are scored and whose gold a set with a secret salt shows, where it withholds none."""
    if not dataset.manifest.salt_sha256:
        return []
    scored = [split for split in dataset.splits if not split.startswith("train")]
    shown = [split for split in scored if dataset.has_gold(split)]
    return shown if len(shown) == len(scored) else []


def check_page(hub_id: str, wanted: Visibility, current: Visibility) -> None:
    """Refuse to push to a page that more people see than is wanted.

    Raises:
        MldrError: saying what to do.
    """
    if OPENNESS.index(current) > OPENNESS.index(wanted):
        raise MldrError(
            f"{hub_id} is there and {current}, which is more open than {wanted}: push with --{current}, or close it in its "
            "settings on the Hub first"
        )
