"""Invented collections with labels, for tests of agreement."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mldr.annotation.collection import Collection, open_collection
from mldr.annotation.labels import Asked, Done, Put, as_line
from mldr.annotation.records import Collected, CollectedImage, write_collected
from mldr.annotation.store import append_line
from mldr.annotation.verdicts import Basis, Verdict
from mldr.dialogue import Dialogue, DialogueImage, Utterance

Ids = tuple[int, ...]


def dialogue_id(number: int) -> str:
    return f"{number:016x}"


def add_dialogue(
    collection: Collection, number: int, *, n: int = 8, images: int = 2, textless: Ids = (), cluster: str = ""
) -> str:
    """Write a dialogue of `n` utterances, the first of which carry the images; return its id."""
    utterances = tuple(
        Utterance(f"S{i % 2 + 1}", "" if i in textless else f"word{i}", (i,) if i < images else ()) for i in range(n)
    )
    keys = tuple(DialogueImage(f"ref:withheld/{i}") for i in range(images))
    name = dialogue_id(number)
    dialogue = Dialogue(name, "en", "real", cluster or f"cluster{number:03d}", utterances, keys)
    collected = tuple(CollectedImage(image.image_key, "withheld") for image in keys)
    write_collected(collection.dialogues, Collected(dialogue, {}, collected, (), {}))
    return name


def ask(collection: Collection, name: str, queries: Iterable[str]) -> None:
    for query in queries:
        append_line(collection.queries(name), as_line(Asked(name=query, text=f"what of {query}?")))


def put(
    collection: Collection,
    annotator: str,
    name: str,
    fragment: str,
    utterance_ids: Ids = (),
    image_ids: Ids = (),
    *,
    query: str = "",
    negative: bool | None = None,
) -> None:
    said = Put(
        fragment=fragment,
        query=query,
        utterance_ids=utterance_ids,
        image_ids=image_ids,
        negative=not utterance_ids and not image_ids if negative is None else negative,
    )
    append_line(collection.labels(annotator, name), as_line(said))


def done(collection: Collection, name: str, *annotators: str) -> None:
    for annotator in annotators:
        append_line(collection.labels(annotator, name), as_line(Done()))


def decide(
    collection: Collection, name: str, query: str, utterance_ids: Ids = (), image_ids: Ids = (), basis: Basis = "edit"
) -> None:
    negative = not utterance_ids and not image_ids
    verdict = Verdict(
        name=query, query="", utterance_ids=utterance_ids, image_ids=image_ids, negative=negative, basis=basis
    )
    append_line(collection.adjudicated(name), as_line(verdict))


def new_collection(folder: Path) -> Collection:
    return open_collection(folder / "collection", create=True)
