"""Label Studio files out, for teams that have it: a task a dialogue, a region a run of paragraphs, a label a fragment.

Its `Paragraphs` shows text alone, so a picture is a paragraph of its own (`[image 0]`). A query stands in a text area, a line each:
`F1: where did we plan it?`, and `F2 (no answer): ...` for one that nothing answers. The first labels are those of the queries that
everybody is asked. Who answered stands in a text area too: an import assigns every annotation to whoever imports, and refuses
numbers of people that it does not know. Notes stay here, and so do ids of utterances without text, which no measure counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mldr.annotation.collection import Collection
from mldr.annotation.labels import Asked, Put, read_asked, read_labels
from mldr.dialogue import Dialogue
from mldr.errors import MldrError
from mldr.files import write_json, write_text
from mldr.folders import fresh_folder

CONFIG, TASKS = "labelling-config.xml", "tasks.json"
MOST = 60
"""Fragments of one annotator about one dialogue: so many labels the configuration has."""
FRAGMENT, QUERY, WHO = "frag", "query", "annotator"
"""The controls of the configuration."""
_COLOURS = ("#0072b2", "#d55e00", "#007a5a", "#b0447f", "#7a6a00", "#3d3d9e", "#7a1f1f", "#24707a", "#4a4a4a")


def paragraphs(dialogue: Dialogue) -> list[tuple[str, int]]:
    """Return what each paragraph of a task is: (`utterance`, id) where it has text, then (`image`, id) of each that it carries."""
    found: list[tuple[str, int]] = []
    for index, utterance in enumerate(dialogue.utterances):
        if utterance.text:
            found.append(("utterance", index))
        found += [("image", image_id) for image_id in utterance.image_ids]
    return found


def write_tasks(collection: Collection, out: Path, annotators: Sequence[str] = (), *, force: bool = False) -> int:
    """Write the labelling configuration and the tasks of a collection; return how many tasks.

    Args:
        collection: what is labelled.
        out: a folder to be, with `labelling-config.xml` and `tasks.json`.
        annotators: whose labels go along as annotations.
        force: replace such a folder.

    Raises:
        MldrError: if somebody labelled nothing, has more than `MOST` fragments in a dialogue, or something else stands at `out`.
    """
    known = collection.annotators()
    for annotator in annotators:
        if annotator not in known:
            raise MldrError(f"annotator {annotator!r} labelled nothing here; known are {', '.join(known) or 'none'}")
    tasks = [_task(collection, dialogue_id, annotators) for dialogue_id in collection.ids()]
    with fresh_folder(out, TASKS, force=force) as workshop:
        write_json(workshop.new / TASKS, tasks)
        write_text(workshop.new / CONFIG, _config())
    return len(tasks)


def _config() -> str:
    labels = "\n".join(
        f'    <Label value="F{n}" background="{_COLOURS[(n - 1) % len(_COLOURS)]}"/>' for n in range(1, MOST + 1)
    )
    return (
        "<View>\n"
        '  <Text name="given" value="$given"/>\n'
        f'  <ParagraphLabels name="{FRAGMENT}" toName="dlg">\n'
        f"{labels}\n"
        "  </ParagraphLabels>\n"
        '  <Paragraphs name="dlg" value="$dialogue" layout="dialogue" nameKey="author" textKey="text" granularity="paragraph"/>\n'
        f'  <TextArea name="{QUERY}" toName="dlg" rows="2" maxSubmissions="{MOST}" placeholder="F1: what would somebody ask?"/>\n'
        f'  <TextArea name="{WHO}" toName="dlg" rows="1" maxSubmissions="1" placeholder="who labelled this"/>\n'
        "</View>\n"
    )


def _task(collection: Collection, dialogue_id: str, annotators: Sequence[str]) -> dict[str, Any]:
    dialogue = collection.read(dialogue_id).dialogue
    shown = paragraphs(dialogue)
    carriers = {image_id: u.speaker for u in dialogue.utterances for image_id in u.image_ids}
    asked = read_asked(collection.queries(dialogue_id))
    annotations, known = [], {}
    for annotator in annotators:
        puts = list(read_labels(collection.labels(annotator, dialogue_id)).fragments.values())
        named = _labelled(puts, asked)
        if len(asked) + sum(put.fragment not in {query.name for query in asked} for put in puts) > MOST:
            raise MldrError(f"{annotator}, dialogue {dialogue_id}: {len(puts)} fragments; at most {MOST} fit a task")
        if puts:
            known[annotator] = {
                label: {"name": put.fragment, "level": put.level, "query": put.query} for label, put in named.items()
            }
            annotations.append({"result": [_text(WHO, [annotator]), *_results(named, shown, dialogue)]})
    return {
        "data": {
            "dialogue_id": dialogue_id,
            "dialogue": [
                {"author": dialogue.utterances[i].speaker, "text": dialogue.utterances[i].text}
                if kind == "utterance"
                else {"author": carriers[i], "text": f"[image {i}]"}
                for kind, i in shown
            ],
            "given": "\n".join(f"F{n}: {query.text}" for n, query in enumerate(asked, 1)),
            "asked": {f"F{n}": query.name for n, query in enumerate(asked, 1)},
            "fragments": known,
        },
        "annotations": annotations,
    }


def _labelled(puts: Sequence[Put], asked: Sequence[Asked]) -> dict[str, Put]:
    """Return label -> fragment: queries that everybody is asked have the first labels, whoever answered which."""
    places = {query.name: n for n, query in enumerate(asked, 1)}
    own = (put for put in puts if put.fragment not in places)
    named = {f"F{places[put.fragment]}": put for put in puts if put.fragment in places}
    return named | {f"F{n}": put for n, put in enumerate(own, len(asked) + 1)}


def _text(control: str, lines: Sequence[str]) -> dict[str, Any]:
    return {"id": control, "from_name": control, "to_name": "dlg", "type": "textarea", "value": {"text": list(lines)}}


def _results(
    named: Mapping[str, Put], shown: Sequence[tuple[str, int]], dialogue: Dialogue
) -> Iterator[dict[str, Any]]:
    for label, put in named.items():
        chosen = {("utterance", i) for i in put.utterance_ids} | {("image", i) for i in put.image_ids}
        places = [place for place, element in enumerate(shown) if element in chosen]
        for first, last in _runs(places):
            kind, i = shown[last]
            text = dialogue.utterances[i].text if kind == "utterance" else f"[image {i}]"
            value = {"start": str(first), "end": str(last), "startOffset": 0, "endOffset": len(text)}
            yield {
                "id": f"{label}-{first}",
                "from_name": FRAGMENT,
                "to_name": "dlg",
                "type": "paragraphlabels",
                "origin": "manual",
                "value": {**value, "paragraphlabels": [label]},
            }
    lines = [f"{label}{' (no answer)' if put.negative else ''}: {put.query}" for label, put in named.items()]
    yield _text(QUERY, lines)


def _runs(places: Sequence[int]) -> Iterator[tuple[int, int]]:
    start = 0
    for at in range(1, len(places) + 1):
        if at == len(places) or places[at] != places[at - 1] + 1:
            yield places[start], places[at - 1]
            start = at
