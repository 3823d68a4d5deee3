"""A dataset of invented dialogues to audit, and people who answer as told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import mldr
from mldr.annotation.collection import Collection
from mldr.annotation.labels import Asked, read_asked
from mldr.dialogue import Dialogue, Fragment, Gold, Query, StoredImage
from tests.annotation.agreement.labelled import Ids, put
from tests.conftest import Rows, small_dialogue, stored_picture, write_dataset

Answering = Callable[[Gold], tuple[Ids, Ids]]


def rows(
    n: int = 12, per: int = 6, colour: str = "red", first: int = 0, images: list[StoredImage] | None = None
) -> Rows:
    """Return `n` dialogues with `per` queries each: by turns of both kinds, of utterances, of an image, and negative."""
    pictures = [stored_picture(colour)] if images is None else images
    found: Rows = {"dialogues": [], "queries": [], "gold": [], "fragments": [], "images": list(pictures)}
    shapes: tuple[tuple[Ids, Ids], ...] = (
        ((0, 2), (0,)),
        ((1, 4), ()),
        ((), (0,)),
        ((), ()),
        ((3,), ()),
        ((2, 3, 4), ()),
    )
    for number in range(first, first + n):
        dialogue: Dialogue = small_dialogue(number, images=pictures)
        found["dialogues"].append(dialogue)
        for place in range(per):
            query_id = f"{dialogue.dialogue_id}-{place:08x}"
            found["queries"].append(Query(query_id, dialogue.dialogue_id, "en", f"word{place} of {number}?"))
            utterance_ids, image_ids = shapes[place % len(shapes)]
            negative = not utterance_ids and not image_ids
            source = "model" if number % 2 else "rule"
            if not negative:
                name = f"{dialogue.dialogue_id}-f{place}"
                found["fragments"].append(
                    Fragment(name, dialogue.dialogue_id, "fine", "", "", utterance_ids, image_ids)
                )
            found["gold"].append(
                Gold(
                    query_id,
                    "" if negative else f"{dialogue.dialogue_id}-f{place}",
                    "fine",
                    utterance_ids,
                    image_ids,
                    label_source="model" if source == "model" else "rule",
                    negative_type="near" if negative else "",
                )
            )
    return found


def audited_dataset(folder: Path, n: int = 12, per: int = 6) -> mldr.Dataset:
    return write_dataset(folder / "set", {"test": rows(n, per), "validation": rows(1, 4, "blue", 900)})


def questions(audit: Collection) -> list[tuple[str, Asked]]:
    """Return the queries of an audit with their dialogue."""
    return [(name, asked) for name in audit.ids() for asked in read_asked(audit.queries(name))]


def answer(audit: Collection, dataset: mldr.Dataset, annotator: str, how: Answering, *, limit: int = 10_000) -> None:
    """Let somebody answer the queries of an audit, knowing the gold."""
    gold = {one.query_id: one for one in dataset.gold("test")}
    for name, asked in questions(audit)[:limit]:
        utterance_ids, image_ids = how(gold[asked.query_id])
        put(audit, annotator, name, asked.name, utterance_ids, image_ids, query=asked.text)


def truly(gold: Gold) -> tuple[Ids, Ids]:
    return gold.utterance_ids, gold.image_ids
