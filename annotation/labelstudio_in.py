"""Label Studio files in: what people drew there becomes statements of the annotators' logs here."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mldr.annotation.collection import ANNOTATOR, Collection
from mldr.annotation.labels import Put, as_line, read_asked, read_labels
from mldr.annotation.labelstudio import QUERY, WHO, paragraphs
from mldr.annotation.store import append_line
from mldr.dialogue import LEVELS, Level
from mldr.errors import Faults, MldrError, fault, printable
from mldr.files import parse_json, sha256_text

_LABEL = re.compile(r"F[1-9]\d{0,2}")
_LINE = re.compile(r"(F[1-9]\d{0,2})( \(no answer\))?: ?(.*)", re.DOTALL)
_NAME = re.compile(r"[a-z0-9-]{1,40}")


@dataclass(frozen=True, slots=True)
class _Task:
    """A task as far as annotations need it."""

    dialogue_id: str
    shown: Sequence[tuple[str, int]]
    """What each paragraph is."""
    given: Mapping[str, str]
    """label -> name of a query that everybody is asked."""
    texts: Mapping[str, str]
    """name -> text of these."""
    known: Mapping[str, Mapping[str, Any]]
    """annotator -> label -> the fragment that went out."""


@dataclass(slots=True)
class _Told:
    """What one annotation says of one label."""

    places: set[int] = field(default_factory=set)
    query: str | None = None
    """None where no line speaks of it."""
    negative: bool = False


@dataclass(slots=True)
class _Reading:
    """A file on its way in."""

    collection: Collection
    annotator_of: Mapping[str, str]
    faults: Faults = field(default_factory=Faults)
    done: Counter[str] = field(default_factory=Counter)
    seen: set[tuple[str, str]] = field(default_factory=set)
    """Annotator and dialogue of each annotation."""


def read_annotations(path: Path, collection: Collection, annotator_of: Mapping[str, str] | None = None) -> Counter[str]:
    """Append what a Label Studio export (JSON) says to the annotators' logs; return what was done, and what was left out.

    A fragment that the log has already, just so, is not said twice; one that was deleted there stays here. Nothing is written if
    anything is wrong.

    Args:
        path: the exported JSON: a list of tasks.
        collection: that the tasks were written from.
        annotator_of: who `completed_by` is, its number or e-mail address as text -> the annotator; for annotations whose field
            `annotator` is empty.

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
    reading = _Reading(collection, annotator_of or {})
    ids = frozenset(collection.ids())
    found = [said for n, task in enumerate(tasks) for said in _said(task, f"{path}, task {n}", ids, reading)]
    reading.faults.check()
    for annotator, dialogue_id, put in found:
        log = collection.labels(annotator, dialogue_id)
        before = read_labels(log).fragments.get(put.fragment)
        if before is not None and _same(before, put):
            reading.done["as it was"] += 1
            continue
        append_line(log, as_line(put))
        reading.done["changed" if before is not None else "new"] += 1
    return reading.done


def _same(one: Put, other: Put) -> bool:
    return one.model_dump(exclude={"note", "seen", "tab"}) == other.model_dump(exclude={"note", "seen", "tab"})


def _said(task: Any, place: str, ids: frozenset[str], reading: _Reading) -> Iterator[tuple[str, str, Put]]:
    """Yield (annotator, dialogue_id, statement) of a task."""
    data = task.get("data") if isinstance(task, dict) else None
    dialogue_id = data.get("dialogue_id") if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(dialogue_id, str) or dialogue_id not in ids:
        reading.faults.add(place, "`data.dialogue_id` names no dialogue of the collection")
        return
    shown = paragraphs(reading.collection.read(dialogue_id).dialogue)
    if not isinstance(data.get("dialogue"), list) or len(data["dialogue"]) != len(shown):
        reading.faults.add(
            place, f"`data.dialogue` has not the {len(shown)} paragraphs of the dialogue; write the tasks anew"
        )
        return
    annotations = task.get("annotations", [])
    if not isinstance(annotations, list):
        reading.faults.add(place, "`annotations` is no list")
        return
    texts = {query.name: query.text for query in read_asked(reading.collection.queries(dialogue_id))}
    given = {label: name for label, name in _object(data.get("asked")).items() if _is_key(name, texts)}
    known = {who: _object(own) for who, own in _object(data.get("fragments")).items()}
    own = _Task(dialogue_id, shown, given, texts, known)
    for n, annotation in enumerate(annotations):
        yield from _annotation(annotation, f"{place}, annotation {n}", own, reading)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _is_key(value: Any, mapping: Mapping[str, Any]) -> bool:
    return isinstance(value, str) and value in mapping


def _annotation(annotation: Any, place: str, task: _Task, reading: _Reading) -> Iterator[tuple[str, str, Put]]:
    if not isinstance(annotation, dict) or not isinstance(annotation.get("result"), list):
        reading.faults.add(place, "an object with a list `result` is expected")
        return
    if annotation.get("was_cancelled"):
        reading.done["left out: annotations that were cancelled there"] += 1
        return
    told, named = _results(annotation["result"], place, len(task.shown), reading)
    annotator = _annotator(named, annotation.get("completed_by"), task, reading)
    if annotator is None:
        who = named or str(annotation.get("completed_by"))
        reading.faults.add(place, f"{printable(repr(who), 60)} is nobody known; say who completed it")
        return
    if (annotator, task.dialogue_id) in reading.seen:
        reading.faults.add(
            place, f"is another one of {annotator} about dialogue {task.dialogue_id}; delete one of them"
        )
        return
    reading.seen.add((annotator, task.dialogue_id))
    known = task.known.get(annotator, {})
    if gone := sum(label not in told for label in known):
        reading.done["left as they are: fragments that were deleted there"] += gone
    names: set[str] = set()
    for label, one in told.items():
        put = _put(label, one, task, _object(known.get(label)), annotation.get("id"), names)
        names.add(put.fragment)
        yield annotator, task.dialogue_id, put


def _annotator(named: str, completed_by: Any, task: _Task, reading: _Reading) -> str | None:
    """Return who an annotation is of: who its own field names, else whom `completed_by` is said to be."""
    if named:
        known = {*task.known, *reading.annotator_of.values(), *reading.collection.annotators()}
        return named if named in known and ANNOTATOR.fullmatch(named) else None
    keys = [completed_by.get("email"), completed_by.get("id")] if isinstance(completed_by, dict) else [completed_by]
    names = [reading.annotator_of.get(str(key)) for key in keys if key is not None]
    return next((name for name in names if name is not None and ANNOTATOR.fullmatch(name)), None)


def _results(results: Sequence[Any], where: str, size: int, reading: _Reading) -> tuple[dict[str, _Told], str]:
    """Return label -> what regions and the text area say of it, and who is named."""
    told: dict[str, _Told] = {}
    named = ""
    for n, result in enumerate(results):
        place = f"{where}, result {n}"
        value = result.get("value") if isinstance(result, dict) else None
        control = (result.get("type"), result.get("from_name", QUERY)) if isinstance(result, dict) else ("", "")
        if control[0] == "paragraphlabels":
            _region(_object(value), size, place, told, reading.faults)
        elif control == ("textarea", QUERY):
            _queries(_object(value), place, told, reading.faults)
        elif control == ("textarea", WHO):
            named = "".join(line for line in _lines(_object(value)) if isinstance(line, str)).strip()
        elif isinstance(result, dict):
            reading.done["left out: results of another kind"] += 1
        else:
            reading.faults.add(place, "is no object")
    return told, named


def _region(value: Mapping[str, Any], size: int, place: str, told: dict[str, _Told], faults: Faults) -> None:
    first, last = (_index(value.get(name)) for name in ("start", "end"))
    if first is None or last is None or not 0 <= first <= last < size:
        faults.add(place, f"`start` and `end` are no paragraphs of 0 to {size - 1}")
        return
    labels = value.get("paragraphlabels")
    if not isinstance(labels, list) or not all(isinstance(label, str) and _LABEL.fullmatch(label) for label in labels):
        faults.add(place, "`paragraphlabels` is no list of labels F1, F2, ...")
        return
    for label in labels:
        told.setdefault(label, _Told()).places.update(range(first, last + 1))


def _index(value: Any) -> int | None:
    """Return a paragraph's index, which stands there as a number or as text."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,6}", value):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _lines(value: Mapping[str, Any]) -> list[Any]:
    lines = value.get("text")
    return lines if isinstance(lines, list) else [lines]


def _queries(value: Mapping[str, Any], place: str, told: dict[str, _Told], faults: Faults) -> None:
    for line in _lines(value):
        match = _LINE.fullmatch(line) if isinstance(line, str) else None
        if match is None or len(match[3]) > 2_000:
            faults.add(place, "a line `F1: the query` is expected, of at most 2,000 characters")
            continue
        one = told.setdefault(match[1], _Told())
        if one.query is not None:
            faults.add(place, f"{match[1]} has a second line")
            continue
        one.query, one.negative = match[3], bool(match[2])


def _put(label: str, one: _Told, task: _Task, entry: Mapping[str, Any], annotation_id: Any, names: set[str]) -> Put:
    """Return the statement; one about a query that everybody is asked carries its text, if no line has another."""
    name = _name(label, one, task, entry, annotation_id, names)
    before = entry.get("query") if isinstance(entry.get("query"), str) else None
    query = one.query if one.query is not None else before if before is not None else task.texts.get(name, "")
    level: Level = next((level for level in LEVELS if level == entry.get("level")), "free")
    chosen = [task.shown[place] for place in sorted(one.places)]
    return Put(
        fragment=name,
        query=query[:2_000],
        level=level,
        utterance_ids=tuple(i for kind, i in chosen if kind == "utterance"),
        image_ids=tuple(i for kind, i in chosen if kind == "image"),
        negative=one.negative,
    )


def _name(label: str, one: _Told, task: _Task, entry: Mapping[str, Any], annotation_id: Any, names: set[str]) -> str:
    """Return a fragment's name, which no other of the annotation has: as it went out, else of the query asked, else a new one."""
    same = (name for name, text in task.texts.items() if one.query and text.strip() == one.query.strip())
    for name in (entry.get("name"), task.given.get(label), next(same, None)):
        if isinstance(name, str) and _NAME.fullmatch(name) and name not in names:
            return name
    return f"ls-{sha256_text(f'{annotation_id}/{label}')[:12]}"
