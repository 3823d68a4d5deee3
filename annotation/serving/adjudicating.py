"""The adjudicator's desk: what annotators answered, side by side, and the answer that stands. Their logs are only read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mldr.annotation.collection import Collection
from mldr.annotation.labels import Put, as_line, query_key, query_name, read_asked, read_labels
from mldr.annotation.serving.checks import check_ids
from mldr.annotation.serving.sets import Member, chosen_alpha, mean, members, set_f1, set_jaccard
from mldr.annotation.serving.shown import Shelf, as_page, picture_of
from mldr.annotation.store import append_line
from mldr.annotation.verdicts import Basis, Verdict, read_verdicts
from mldr.configuration import model_faults
from mldr.errors import Faults, MldrError
from mldr.web import Call, Refusal, Reply, Route

Taken = Literal["one", "union", "intersection", "majority"]


@dataclass(frozen=True, slots=True)
class Contested:
    """A query with what each annotator answered."""

    name: str
    query: str
    asked: bool
    answers: dict[str, Put]
    """Annotator -> answer, of those who answered it."""

    def sets(self) -> dict[str, frozenset[Member]]:
        """Return annotator -> answer as one set."""
        return {who: members(put.utterance_ids, put.image_ids) for who, put in self.answers.items()}


class Decision(BaseModel):
    """What the page sends: the answer, and what it was taken from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(max_length=40)
    utterance_ids: tuple[int, ...] = ()
    image_ids: tuple[int, ...] = ()
    taken: Taken | None = None
    """None where it was put together by hand."""
    annotators: tuple[str, ...] = ()
    """Whose answers it was taken from."""
    dropped: bool = False
    note: str = Field(default="", max_length=2_000)


class AdjudicationDesk:
    """What an adjudicator sees and decides."""

    def __init__(self, collection: Collection, between: Sequence[str], by: str) -> None:
        """Open the desk.

        Raises:
            MldrError: for fewer than two annotators, one twice, or one who labelled nothing.
        """
        known = collection.annotators()
        for who in (*between, by):
            collection.labels(who, "0" * 16)
        absent = [who for who in between if who not in known]
        if absent:
            raise MldrError(f"nothing is labelled by {', '.join(absent)}; there is: {', '.join(known) or 'nobody'}")
        if len(set(between)) < max(2, len(between)):
            raise MldrError("--between: two or more annotators are expected, none twice")
        self.collection, self.between, self.by = collection, tuple(sorted(between)), by
        self.shelf = Shelf(collection)

    def routes(self) -> list[Route]:
        """Return the addresses of the adjudication page."""
        one = "/api/dialogues/{dialogue_id}"
        return [
            Route("GET", "/api/dialogues", lambda _: self.progress()),
            Route("GET", "/api/agreement", lambda _: self.agreement()),
            Route("GET", "/api/disagreements.csv", lambda _: self._disagreements()),
            Route("GET", one, lambda call: self.dialogue(call.params["dialogue_id"])),
            Route("POST", one + "/verdicts", lambda call: self.decide(call.params["dialogue_id"], call.body)),
            Route("GET", one + "/images/{image_id}", self._picture),
        ]

    def progress(self) -> list[dict[str, Any]]:
        """Return each dialogue that somebody labelled, with how many of its queries are decided."""
        found = []
        for dialogue_id in self.collection.ids():
            queries = self.contested(dialogue_id)
            shown = self.shelf[dialogue_id]
            if not queries or shown.left_out:
                continue
            verdicts = self._verdicts(dialogue_id)
            decided = sum(query.name in verdicts for query in queries)
            dialogue = shown.now.dialogue
            counts = {"n_utterances": dialogue.n_utterances, "n_images": dialogue.n_images}
            state = {"n_queries": len(queries), "n_decided": decided, "done": decided == len(queries)}
            found.append({"dialogue_id": dialogue_id, **counts, **state})
        return found

    def contested(self, dialogue_id: str) -> list[Contested]:
        """Return the queries of a dialogue: the given ones, then those that annotators wrote. Others' logs stay closed.

        Two are one as in the release: by the name of a given query, else by their words. Unfinished answers are no answers.
        """
        asked = self._asked(dialogue_id)
        found: dict[tuple[str, str], dict[str, Put]] = {("asked", name): {} for name in asked}
        for who in self.between:
            for put in read_labels(self.collection.labels(who, dialogue_id)).fragments.values():
                key = query_key(put.fragment, put.query, asked)
                if _is_finished(key, put):
                    found.setdefault(key, {})[who] = _as_released(put)
        named = ((key, _named(key, asked), answers) for key, answers in found.items() if answers)
        return [Contested(name, text, key[0] == "asked", answers) for key, (name, text), answers in named]

    def unfinished(self, dialogue_id: str) -> dict[str, int]:
        """Return annotator -> fragments that are left aside: without words, or empty without saying that nothing answers."""
        asked = self._asked(dialogue_id)
        counts = Counter[str]()
        for who in self.between:
            for put in read_labels(self.collection.labels(who, dialogue_id)).fragments.values():
                counts[who] += not _is_finished(query_key(put.fragment, put.query, asked), put)
        return {who: count for who, count in counts.items() if count}

    def _asked(self, dialogue_id: str) -> dict[str, str]:
        return {query.name: query.text for query in read_asked(self.collection.queries(dialogue_id))}

    def _verdicts(self, dialogue_id: str) -> dict[str, Verdict]:
        """Return name, as `contested` has it, -> the newest verdict: a rule's, or one of a query that was asked later, too."""
        asked = self._asked(dialogue_id)
        found = read_verdicts(self.collection.adjudicated(dialogue_id)).values()
        return {_named(query_key(one.name, one.query, asked), asked)[0]: one for one in found}

    def dialogue(self, dialogue_id: str) -> dict[str, Any]:
        """Return a dialogue with its queries, the annotators' answers and the verdicts."""
        shown = self.shelf[dialogue_id]
        verdicts = self._verdicts(dialogue_id)
        queries = []
        for query in self.contested(dialogue_id):
            verdict = verdicts.get(query.name)
            queries.append(
                {
                    "name": query.name,
                    "query": query.query,
                    "asked": query.asked,
                    "answers": {who: _answer(put) for who, put in query.answers.items()},
                    "verdict": verdict.model_dump(mode="json") if verdict else None,
                    **_figures([query]),
                }
            )
        return {
            **as_page(shown.now, shown.removed),
            "queries": queries,
            "unfinished": self.unfinished(dialogue_id),
            "agreement": self.agreement(),
        }

    def agreement(self) -> dict[str, Any]:
        """Return the figures over every query that two or more answered: means of F1 and Jaccard over pairs, and alpha."""
        queries, units = [], []
        for dialogue_id in self.collection.ids():
            dialogue = self.shelf[dialogue_id].now.dialogue
            textless = set(dialogue.textless_ids)
            universe = members((i for i in range(dialogue.n_utterances) if i not in textless), range(dialogue.n_images))
            for query in self.contested(dialogue_id):
                sets = list(query.sets().values())
                queries.append(query)
                units += [(sum(one in chosen for chosen in sets), len(sets)) for one in sorted(universe)]
        compared = [query for query in queries if len(query.answers) > 1]
        alone = len(queries) - len(compared)
        return {**_figures(compared), "alpha": chosen_alpha(units), "n_queries": len(compared), "n_alone": alone}

    def decide(self, dialogue_id: str, body: Any) -> dict[str, Any]:
        """Append a verdict; return the dialogue as it stands then.

        Raises:
            InputError: if it is malformed or names ids that the dialogue lacks.
            Refusal: 404 for a query that nobody answered.
        """
        try:
            decision = Decision.model_validate(body)
        except ValidationError as error:
            raise model_faults(error, "verdict") from error
        query = next((one for one in self.contested(dialogue_id) if one.name == decision.name), None)
        if query is None:
            raise Refusal(404, f"no query {decision.name!r} in this dialogue")
        faults = Faults()
        dialogue = self.shelf[dialogue_id].collected.dialogue
        check_ids(decision.utterance_ids, decision.image_ids, dialogue, faults, f"query {query.name}")
        faults.check()
        append_line(self.collection.adjudicated(dialogue_id), as_line(self._verdict(query, decision)))
        return self.dialogue(dialogue_id)

    def _verdict(self, query: Contested, decision: Decision) -> Verdict:
        basis, annotators = _basis(query, decision)
        first = next(iter(query.answers.values()))
        empty = not decision.utterance_ids and not decision.image_ids
        return Verdict(
            name=query.name,
            query=query.query,
            level=first.level,
            utterance_ids=decision.utterance_ids,
            image_ids=decision.image_ids,
            negative=empty and not decision.dropped,
            basis=basis,
            annotators=annotators,
            by=self.by,
            note=decision.note,
        )

    def _disagreements(self) -> Reply:
        from mldr.annotation.serving.disagreements import disagreements_csv

        rows = ((dialogue_id, query) for dialogue_id in self.collection.ids() for query in self.contested(dialogue_id))
        content = disagreements_csv(rows, self.between)
        headers = {"Content-Disposition": 'attachment; filename="disagreements.csv"'}
        return Reply(content.encode("utf-8"), "text/csv; charset=utf-8", headers=headers)

    def _picture(self, call: Call) -> Reply:
        return picture_of(self.collection, self.shelf[call.params["dialogue_id"]].now, call.params["image_id"])


def _is_finished(key: tuple[str, str], put: Put) -> bool:
    return bool(key[1] and (put.negative or put.utterance_ids or put.image_ids))


def _as_released(put: Put) -> Put:
    """Return an answer as a release takes it: nothing is chosen where nothing answers."""
    return put.model_copy(update={"utterance_ids": (), "image_ids": ()}) if put.negative else put


def _named(key: tuple[str, str], asked: Mapping[str, str]) -> tuple[str, str]:
    """Return the name and the words of a query."""
    return (key[1], asked[key[1]]) if key[0] == "asked" else (query_name(key[1]), key[1])


def _basis(query: Contested, decision: Decision) -> tuple[Basis, tuple[str, ...]]:
    """Return where an answer comes from, worked out from the originals: what a page claims is only believed if it is so."""
    everybody = tuple(sorted(query.answers))
    if decision.dropped:
        return "dropped", everybody
    sets = query.sets()
    answer = members(decision.utterance_ids, decision.image_ids)
    if len(sets) > 1 and all(one == answer for one in sets.values()):
        return "agreed", everybody
    if decision.taken == "one" and len(decision.annotators) == 1 and sets.get(decision.annotators[0]) == answer:
        return "one", decision.annotators
    if decision.taken in ("union", "intersection", "majority") and combined(sets, decision.taken) == answer:
        return decision.taken, everybody
    return "edit", tuple(sorted(set(decision.annotators) & set(everybody))) or everybody


def combined(sets: dict[str, frozenset[Member]], how: Taken) -> frozenset[Member]:
    """Return the union, intersection or majority (more than half) of answers."""
    least = {"union": 1, "intersection": len(sets), "majority": len(sets) // 2 + 1}[how]
    everything = frozenset().union(*sets.values())
    return frozenset(one for one in everything if sum(one in chosen for chosen in sets.values()) >= least)


def _answer(put: Put) -> dict[str, Any]:
    return put.model_dump(mode="json", include={"utterance_ids", "image_ids", "negative", "note"})


def _pairs(queries: Sequence[Contested]) -> Iterator[tuple[frozenset[Member], frozenset[Member]]]:
    for query in queries:
        yield from combinations(query.sets().values(), 2)


def _figures(queries: Sequence[Contested]) -> dict[str, float | None]:
    pairs = list(_pairs(queries))
    return {"f1": mean(set_f1(*pair) for pair in pairs), "jaccard": mean(set_jaccard(*pair) for pair in pairs)}
