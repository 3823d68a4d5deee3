"""The desk of one annotator: their own log of each dialogue, written a statement at a time. Nobody else's is ever read here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mldr.annotation.collection import Collection
from mldr.annotation.labels import STATEMENT, Asked, Done, Drop, Labels, Put, as_line, read_asked, read_labels
from mldr.annotation.serving.checks import Problem, check_put, problems, still_asked
from mldr.annotation.serving.shown import Shelf, as_page, picture_of
from mldr.annotation.serving.warnings import FindSpans, query_warnings
from mldr.annotation.store import append_line, locked, logged
from mldr.configuration import model_faults
from mldr.web import Call, Refusal, Reply, Route

HISTORY = 200
"""How many changes can be taken back after the page was opened anew."""


class LabelDesk:
    """What one annotator sees and says."""

    def __init__(
        self, collection: Collection, annotator: str, *, given_only: bool = False, find_spans: FindSpans | None = None
    ) -> None:
        collection.labels(annotator, "0" * 16)  # refuses a bad name before anything is served
        self.collection, self.annotator, self.given_only = collection, annotator, given_only
        self.find_spans = find_spans
        self.shelf = Shelf(collection)

    def routes(self) -> list[Route]:
        """Return the addresses of the labelling page."""
        one = "/api/dialogues/{dialogue_id}"
        return [
            Route("GET", "/api/dialogues", lambda _: self.progress()),
            Route("GET", one, lambda call: self.dialogue(call.params["dialogue_id"])),
            Route("GET", one + "/labels", lambda call: self.state(call.params["dialogue_id"])),
            Route("POST", one + "/labels", lambda call: self.say(call.params["dialogue_id"], call.body)),
            Route("POST", one + "/warnings", self._warnings),
            Route("GET", one + "/problems", lambda call: self.problems(call.params["dialogue_id"])),
            Route("GET", one + "/images/{image_id}", self._picture),
        ]

    def progress(self) -> list[dict[str, Any]]:
        """Return each dialogue that is not left out, with how far this annotator is."""
        found = []
        for dialogue_id in self.collection.ids():
            shown = self.shelf[dialogue_id]
            if shown.left_out:
                continue
            labels = self._labels(dialogue_id)
            dialogue = shown.now.dialogue
            counts = {"n_utterances": dialogue.n_utterances, "n_images": dialogue.n_images}
            found.append(
                {
                    "dialogue_id": dialogue_id,
                    **counts,
                    "n_fragments": len(labels.fragments),
                    "n_asked": len(self._asked(dialogue_id)),
                    "done": labels.done and not self._unfinished(dialogue_id, labels),
                }
            )
        return found

    def dialogue(self, dialogue_id: str) -> dict[str, Any]:
        """Return a dialogue with what this annotator said of it, and what was changed last, for undo."""
        shown = self.shelf[dialogue_id]
        labels = self._labels(dialogue_id)
        open_ones = {query.name for query in still_asked(labels, self._asked(dialogue_id))}
        asked = [
            {"name": query.name, "text": query.text}
            for query in self._asked(dialogue_id)
            if query.name in labels.fragments or query.name in open_ones  # else answered under a name of one's own
        ]
        page = as_page(shown.now, shown.removed)
        history = self._history(dialogue_id)
        return {**page, "asked": asked, "labels": _as_json(labels), "history": history}

    def state(self, dialogue_id: str) -> dict[str, Any]:
        """Return where the annotator's log of a dialogue stands; raise `Refusal` 404 for an unknown one."""
        self.shelf[dialogue_id]
        return _as_json(self._labels(dialogue_id))

    def say(self, dialogue_id: str, body: Any) -> dict[str, Any]:
        """Append a statement; return where the log stands then.

        Raises:
            InputError: if the statement is malformed, or could never stand.
            Refusal: 409 with the present state, if its fragment changed since the page had seen it.
        """
        dialogue = self.shelf[dialogue_id].collected.dialogue
        statement = _validated(body)
        if isinstance(statement, Put):
            check_put(statement, dialogue, self._asked(dialogue_id), given_only=self.given_only)
        path = self.collection.labels(self.annotator, dialogue_id)
        with _turn(path):
            labels = read_labels(path)
            if not _is_there(statement, labels):
                _check_seen(statement, labels)
                self._check_done(dialogue_id, statement, labels)
                append_line(path, as_line(statement))
                labels.take(statement)
        return _as_json(labels)

    def _check_done(self, dialogue_id: str, statement: Put | Drop | Done, labels: Labels) -> None:
        if not isinstance(statement, Done) or not statement.done:
            return
        if found := self._unfinished(dialogue_id, labels):
            raise Refusal(409, "something is unfinished", place="done", problems=[asdict(one) for one in found])

    def _unfinished(self, dialogue_id: str, labels: Labels) -> list[Problem]:
        """Return what must be mended: a fragment that was emptied, or a query that was asked, since it was called done."""
        found = problems(labels, self._asked(dialogue_id), self.shelf[dialogue_id].now)
        return [problem for problem in found if problem.final]

    def problems(self, dialogue_id: str) -> list[dict[str, Any]]:
        """Return what stands in the way of `done`."""
        found = problems(self._labels(dialogue_id), self._asked(dialogue_id), self.shelf[dialogue_id].now)
        return [{**asdict(problem), "final": problem.final} for problem in found]

    def _warnings(self, call: Call) -> list[dict[str, Any]]:
        put = _validated(call.body)
        if not isinstance(put, Put):
            raise Refusal(400, "warnings are about a `put`")
        shown = self.shelf[call.params["dialogue_id"]]
        return [asdict(one) for one in query_warnings(put.query, shown.now.dialogue, put, find_spans=self.find_spans)]

    def _picture(self, call: Call) -> Reply:
        return picture_of(self.collection, self.shelf[call.params["dialogue_id"]].now, call.params["image_id"])

    def _labels(self, dialogue_id: str) -> Labels:
        return read_labels(self.collection.labels(self.annotator, dialogue_id))

    def _asked(self, dialogue_id: str) -> Sequence[Asked]:
        return read_asked(self.collection.queries(dialogue_id))

    def _history(self, dialogue_id: str) -> list[dict[str, Any]]:
        labels = Labels()
        changes = []
        for _, record in logged(self.collection.labels(self.annotator, dialogue_id)):
            statement = STATEMENT.validate_python(record)
            if not isinstance(statement, Done):
                before = labels.fragments.get(statement.fragment)
                after = statement if isinstance(statement, Put) else None
                changes.append({"fragment": statement.fragment, "before": _ids(before), "after": _ids(after)})
            labels.take(statement)
        return changes[-HISTORY:]


def _validated(body: Any) -> Put | Drop | Done:
    try:
        return STATEMENT.validate_python(body)
    except ValidationError as error:
        raise model_faults(error, "statement") from error


@contextmanager
def _turn(path: Path) -> Iterator[None]:
    """Let one statement at a time be compared with the log and written; `append_line` has a lock of its own, inside."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with locked(path.parent):
        yield


def _is_there(statement: Put | Drop | Done, labels: Labels) -> bool:
    """Return whether a statement was written already, and only its answer was lost on the way."""
    if isinstance(statement, Put):
        return labels.fragments.get(statement.fragment) == statement
    return isinstance(statement, Drop) and statement.fragment not in labels.fragments


def _check_seen(statement: Put | Drop | Done, labels: Labels) -> None:
    if isinstance(statement, Done):
        return
    if labels.changed.get(statement.fragment, 0) > statement.seen:
        place = f"fragment {statement.fragment}"
        raise Refusal(409, "changed elsewhere since this page saw it", place=place, state=_as_json(labels))


def _ids(put: Put | None) -> dict[str, Any] | None:
    return None if put is None else put.model_dump(mode="json", exclude={"seen", "tab", "event"})


def _as_json(labels: Labels) -> dict[str, Any]:
    return {
        "fragments": [_ids(put) for put in labels.fragments.values()],
        "done": labels.done,
        "lead_time_s": round(labels.lead_time_s, 1),
        "lines": labels.lines,
        "changed": labels.changed,
    }
