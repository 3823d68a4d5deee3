"""Label Studio files out and in, for teams that have it: a task a dialogue, a region a run of paragraphs, a label a fragment.

Its `Paragraphs` shows text alone, so a picture is a paragraph of its own (`[image 0]`). A query stands in a text area, a line each:
`F1: where did we plan it?`, and `F2 (no answer): ...` for one that nothing answers. Notes stay here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mldr.annotation.collection import ANNOTATOR, Collection
from mldr.annotation.labels import Put, as_line, read_asked, read_labels
from mldr.annotation.store import append_line
from mldr.dialogue import LEVELS, Dialogue, Level
from mldr.errors import Faults, MldrError, fault, printable
from mldr.files import parse_json, sha256_text, write_json, write_text
from mldr.folders import fresh_folder

CONFIG, TASKS = "labelling-config.xml", "tasks.json"
MOST = 60
"""Fragments of one annotator about one dialogue: so many labels the configuration has."""
_COLOURS = ("#0072b2", "#d55e00", "#007a5a", "#b0447f", "#7a6a00", "#3d3d9e", "#7a1f1f", "#24707a", "#4a4a4a")
_LINE = re.compile(r"(F\d{1,3})( \(no answer\))?: ?(.*)", re.DOTALL)


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
        MldrError: if somebody has more than `MOST` fragments in a dialogue, or something else stands at `out`.
    """
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
        '  <ParagraphLabels name="frag" toName="dlg">\n'
        f"{labels}\n"
        "  </ParagraphLabels>\n"
        '  <Paragraphs name="dlg" value="$dialogue" layout="dialogue" nameKey="author" textKey="text" granularity="paragraph"/>\n'
        '  <TextArea name="query" toName="dlg" rows="2" maxSubmissions="60" placeholder="F1: what would somebody ask?"/>\n'
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
        if len(puts) > MOST:
            raise MldrError(f"{annotator}, dialogue {dialogue_id}: {len(puts)} fragments; at most {MOST} fit a task")
        if puts:
            named = {f"F{n}": put for n, put in enumerate(puts, 1)}
            known[annotator] = {label: {"name": put.fragment, "level": put.level} for label, put in named.items()}
            annotations.append({"completed_by": len(known), "result": list(_results(named, shown, dialogue))})
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
            "fragments": known,
        },
        "annotations": annotations,
    }


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
                "from_name": "frag",
                "to_name": "dlg",
                "type": "paragraphlabels",
                "origin": "manual",
                "value": {**value, "paragraphlabels": [label]},
            }
    lines = [f"{label}{' (no answer)' if put.negative else ''}: {put.query}" for label, put in named.items()]
    yield {"id": "query", "from_name": "query", "to_name": "dlg", "type": "textarea", "value": {"text": lines}}


def _runs(places: Sequence[int]) -> Iterator[tuple[int, int]]:
    start = 0
    for at in range(1, len(places) + 1):
        if at == len(places) or places[at] != places[at - 1] + 1:
            yield places[start], places[at - 1]
            start = at


@dataclass(slots=True)
class _Told:
    """What one annotation says of one label."""

    places: set[int]
    query: str = ""
    negative: bool = False


def read_annotations(path: Path, collection: Collection, annotator_of: Mapping[str, str] | None = None) -> Counter[str]:
    """Append what a Label Studio export (JSON) says to the annotators' logs; return what was done.

    A fragment that the log has already, just so, is not said twice. Nothing is written if anything is wrong.

    Args:
        path: the exported JSON: a list of tasks.
        collection: that the tasks were written from.
        annotator_of: who `completed_by` is: its number, or e-mail address, as text -> the annotator. Without it the numbers are
            those of `write_tasks`.

    Raises:
        InputError: with every fault and its place.
        MldrError: if the file cannot be read.
    """
    try:
        tasks = parse_json(path.read_bytes())
    except OSError as error:
        raise MldrError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise fault(str(path), str(error)) from error
    if not isinstance(tasks, list):
        raise fault(str(path), "a JSON list of tasks is expected (export as JSON)")
    faults = Faults()
    found = [
        said
        for n, task in enumerate(tasks)
        for said in _said(task, f"{path}, task {n}", collection, annotator_of, faults)
    ]
    faults.check()
    done: Counter[str] = Counter()
    for annotator, dialogue_id, put in found:
        log = collection.labels(annotator, dialogue_id)
        before = read_labels(log).fragments.get(put.fragment)
        if before is not None and _same(before, put):
            done["as it was"] += 1
            continue
        append_line(log, as_line(put))
        done["changed" if before is not None else "new"] += 1
    return done


def _same(one: Put, other: Put) -> bool:
    return one.model_dump(exclude={"note", "seen", "tab"}) == other.model_dump(exclude={"note", "seen", "tab"})


def _said(
    task: Any, place: str, collection: Collection, annotator_of: Mapping[str, str] | None, faults: Faults
) -> Iterator[tuple[str, str, Put]]:
    """Yield (annotator, dialogue_id, statement) of a task."""
    data = task.get("data") if isinstance(task, dict) else None
    dialogue_id = data.get("dialogue_id") if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(dialogue_id, str) or dialogue_id not in collection.ids():
        faults.add(place, "`data.dialogue_id` names no dialogue of the collection")
        return
    dialogue = collection.read(dialogue_id).dialogue
    shown = paragraphs(dialogue)
    if not isinstance(data.get("dialogue"), list) or len(data["dialogue"]) != len(shown):
        faults.add(place, f"`data.dialogue` has not the {len(shown)} paragraphs of the dialogue; write the tasks anew")
        return
    fragments = data.get("fragments")
    known: dict[str, Any] = fragments if isinstance(fragments, dict) else {}
    names = dict(enumerate(known, 1)) if annotator_of is None else {}
    asked = {query.text.strip(): query.name for query in read_asked(collection.queries(dialogue_id))}
    annotations = task.get("annotations", [])
    for n, annotation in enumerate(annotations if isinstance(annotations, list) else []):
        where = f"{place}, annotation {n}"
        if not isinstance(annotation, dict) or annotation.get("was_cancelled"):
            continue
        annotator = _annotator(annotation.get("completed_by"), names, annotator_of or {})
        if annotator is None:
            faults.add(
                where, f"`completed_by` {printable(str(annotation.get('completed_by')), 60)} is nobody known; say who"
            )
            continue
        told = _labels(annotation.get("result"), len(shown), where, faults)
        own = known.get(annotator)
        for label, one in told.items():
            yield annotator, dialogue_id, _put(label, one, shown, own if isinstance(own, dict) else {}, asked)


def _annotator(given: Any, names: Mapping[int, str], annotator_of: Mapping[str, str]) -> str | None:
    keys = [given.get("email"), given.get("id")] if isinstance(given, dict) else [given]
    for key in keys:
        name = annotator_of.get(str(key)) or (names.get(key) if isinstance(key, int) else None)
        if name is not None and ANNOTATOR.fullmatch(name):
            return name
    return None


def _labels(results: Any, size: int, where: str, faults: Faults) -> dict[str, _Told]:
    """Return label -> what regions and the text area say of it."""
    told: dict[str, _Told] = {}
    for n, result in enumerate(results if isinstance(results, list) else []):
        place = f"{where}, result {n}"
        value = result.get("value") if isinstance(result, dict) else None
        if not isinstance(value, dict):
            faults.add(place, "has no `value`")
        elif result.get("type") == "paragraphlabels":
            _region(value, size, place, told, faults)
        elif result.get("type") == "textarea":
            _queries(value, place, told, faults)
    return told


def _region(value: Mapping[str, Any], size: int, place: str, told: dict[str, _Told], faults: Faults) -> None:
    first, last = (_index(value.get(name)) for name in ("start", "end"))
    if first is None or last is None or not 0 <= first <= last < size:
        faults.add(place, f"`start` and `end` are no paragraphs of 0 to {size - 1}")
        return
    labels = value.get("paragraphlabels")
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        faults.add(place, "`paragraphlabels` is no list of labels")
        return
    for label in labels:
        told.setdefault(label, _Told(set())).places.update(range(first, last + 1))


def _index(value: Any) -> int | None:
    """Return a paragraph's index, which stands there as a number or as text."""
    if isinstance(value, str) and re.fullmatch(r"\d{1,6}", value):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _queries(value: Mapping[str, Any], place: str, told: dict[str, _Told], faults: Faults) -> None:
    lines = value.get("text")
    for line in [lines] if isinstance(lines, str) else lines if isinstance(lines, list) else []:
        match = _LINE.fullmatch(line) if isinstance(line, str) else None
        if match is None or len(match[3]) > 2_000:
            faults.add(place, "a line `F1: the query` is expected, of at most 2,000 characters")
            continue
        one = told.setdefault(match[1], _Told(set()))
        one.query, one.negative = match[3], bool(match[2])


def _put(
    label: str, one: _Told, shown: Sequence[tuple[str, int]], own: Mapping[str, Any], asked: Mapping[str, str]
) -> Put:
    entry = own.get(label) if isinstance(own.get(label), dict) else {}
    name = (entry or {}).get("name") or asked.get(one.query.strip())
    if not isinstance(name, str) or not re.fullmatch(r"[a-z0-9-]{1,40}", name):
        name = f"ls-{sha256_text(label + one.query)[:12]}"
    level: Level = next((level for level in LEVELS if level == (entry or {}).get("level")), "free")
    chosen = [shown[place] for place in sorted(one.places)]
    return Put(
        fragment=name,
        query=one.query,
        level=level,
        utterance_ids=tuple(i for kind, i in chosen if kind == "utterance"),
        image_ids=tuple(i for kind, i in chosen if kind == "image"),
        negative=one.negative,
    )
