"""Queries that a model writes: for fragments, without quoting them, and near ones of which one detail is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mldr.builders.asking import Asking
from mldr.builders.negatives import Absence
from mldr.builders.writing import prompts
from mldr.builders.writing.asker import (
    INTEGER,
    STRING,
    Flaw,
    Kept,
    Ledger,
    Voice,
    ask_until,
    list_schema,
    object_schema,
)
from mldr.builders.writing.elements import element_lines, names_of
from mldr.builders.writing.wording import (
    clean_text,
    is_one_sentence,
    language_name,
    markup_in,
    names_ids,
    normal,
    quotation,
    speaks,
    storable,
)
from mldr.chat.request import ChatRequest, Message
from mldr.dialogue import Dialogue, Fragment
from mldr.files import canonical_json

QUERY_LENGTH = 160
"""Characters of a query at most; the prompt asks for fewer."""
_QUERIES = object_schema({"queries": list_schema(object_schema({"part": INTEGER, "text": STRING}))})
_DETAILS = object_schema(
    {"queries": list_schema(object_schema({"query": INTEGER, "detail": STRING, "instead": STRING, "text": STRING}))}
)


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for every query of a dialogue."""

    language: str
    quoted: int
    """Letters and digits of a run that makes a quotation."""


def queries_request(
    dialogue: Dialogue, bridge_ids: Sequence[int], fragments: Sequence[Fragment], language: str
) -> ChatRequest:
    """Return the question for a query of each fragment, all of one dialogue."""
    lines = [element_lines(dialogue, bridge_ids), ""]
    for number, one in enumerate(fragments, 1):
        name = "" if names_ids(one.topic) else one.topic  # a tag by rule may be no more than `image 0`
        part = {"part": number, "name": name, "elements": names_of(one.utterance_ids, one.image_ids)}
        lines.append(json.dumps(part, ensure_ascii=False))
    system = prompts.QUERIES.replace("{language}", language_name(language))
    return ChatRequest((Message("system", system), Message("user", "\n".join(lines))), _QUERIES, "queries", "queries")


def query_flaws(text: str, dialogue: Dialogue, fragment: Fragment, rules: Rules) -> list[Flaw]:
    """Return what is wrong with one query for a fragment."""
    flaws = list(_form(text, rules))
    told = [dialogue.utterances[i].text for i in fragment.utterance_ids]
    told += [dialogue.images[i].caption for i in fragment.image_ids]
    if run := quotation(text, told, rules.quoted):
        flaws.append(Flaw("a quotation", f"{text!r} copies {run!r} from its part; say it in your own words"))
    elif normal(text) in {normal(one) for one in told}:
        flaws.append(Flaw("a quotation", f"{text!r} is a whole message of its part; say it in your own words"))
    if normal(text) == normal(fragment.topic):
        flaws.append(Flaw("the name of the part", f"{text!r} is no more than the name of the part"))
    return flaws


def _form(text: str, rules: Rules) -> Iterable[Flaw]:
    if not normal(text) or not storable(text):
        yield Flaw("an empty query", "a query is empty or holds no letter")
    if len(text) > QUERY_LENGTH or not is_one_sentence(text):
        yield Flaw("more than one sentence", f"{text[:60]!r}...: one sentence of at most 120 characters")
    if markup_in(text) or names_ids(text):
        yield Flaw("markup or ids", f"{text!r} holds markup, or points to elements by number")
    if not speaks(text, rules.language):
        yield Flaw("a query in the wrong language", f"{text!r} is not in {rules.language!r}")


async def written(
    voice: Voice,
    dialogue: Dialogue,
    bridge_ids: Sequence[int],
    fragments: Sequence[Fragment],
    rules: Rules,
    ledger: Ledger,
) -> dict[str, Kept]:
    """Return fragment_id -> a query that a model wrote; those of which no attempt held are lacking, and counted.

    All fragments of a dialogue are one question, so that the model can tell them apart and the dialogue is paid for once.
    What was good in a rejected answer is kept; the next attempt is asked for all, and used for the rest.
    """
    found: dict[str, Kept] = {}
    if not fragments:
        return found
    request = queries_request(dialogue, bridge_ids, fragments, rules.language)

    def check(value: Any) -> list[Flaw]:
        flaws, good = _sorted_out(value, dialogue, fragments, rules, {normal(k.value["text"]) for k in found.values()})
        fresh = {fragment: text for fragment, text in good.items() if fragment not in found}
        pending.update(fresh)
        lacking = {one.fragment_id for one in fragments} - set(found) - set(pending)
        return [flaw for fragment, flaw in flaws if fragment in lacking]

    pending: dict[str, str] = {}

    def take(kept: Kept) -> None:
        for fragment, text in sorted(pending.items()):
            found[fragment] = Kept({"text": text}, kept.model, kept.prompt, kept.attempt)
        pending.clear()

    await ask_until(voice, request, check, ledger, take)
    if lacking := len(fragments) - len(found):
        ledger.counts["queries that no attempt of the model brought"] += lacking
    return found


def _sorted_out(
    value: Any, dialogue: Dialogue, fragments: Sequence[Fragment], rules: Rules, taken: set[str]
) -> tuple[list[tuple[str, Flaw]], dict[str, str]]:
    """Return (fragment_id, flaw) of what is wrong, and fragment_id -> text of what is good."""
    texts: dict[int, str] = {}
    for one in value["queries"]:
        texts.setdefault(one["part"], clean_text(one["text"]))
    flaws: list[tuple[str, Flaw]] = []
    good: dict[str, str] = {}
    for number, fragment in enumerate(fragments, 1):
        if number not in texts:
            flaws.append((fragment.fragment_id, Flaw("a part without a query", f"part {number} has no query")))
            continue
        wrong = query_flaws(texts[number], dialogue, fragment, rules)
        if normal(texts[number]) in taken | {normal(text) for text in good.values()}:
            wrong.append(Flaw("a query twice", f"part {number}: {texts[number]!r} is another part's query, too"))
        if wrong:
            flaws += [(fragment.fragment_id, flaw) for flaw in wrong]
        else:
            good[fragment.fragment_id] = texts[number]
    return flaws, good


def detail_request(dialogue: Dialogue, bridge_ids: Sequence[int], queries: Sequence[str], language: str) -> ChatRequest:
    """Return the question for the given queries with one detail wrong."""
    lines = [element_lines(dialogue, bridge_ids), ""]
    lines += [json.dumps({"query": number, "text": text}, ensure_ascii=False) for number, text in enumerate(queries, 1)]
    system = prompts.DETAIL.replace("{language}", language_name(language))
    return ChatRequest(
        (Message("system", system), Message("user", "\n".join(lines))), _DETAILS, "wrong_details", "queries"
    )


def detail_flaws(one: Mapping[str, Any], before: str, absence: Absence, rules: Rules) -> list[Flaw]:
    """Return what is wrong with a query of which one detail was replaced."""
    text, detail, instead = (clean_text(one[key]) for key in ("text", "detail", "instead"))
    flaws = list(_form(text, rules))
    if not storable(detail + instead) or not normal(detail) or normal(detail) not in normal(before):
        flaws.append(Flaw("a detail that is not there", f"{detail!r} does not stand in {before!r}"))
    elif not normal(instead) or normal(instead) not in normal(text) or normal(instead) in normal(before):
        flaws.append(
            Flaw("a detail that is not replaced", f"{instead!r} must stand in the new query and not in the old")
        )
    elif normal(detail) in normal(text).replace(normal(instead), ""):
        flaws.append(Flaw("a detail that is not replaced", f"{detail!r} still stands in {text!r}"))
    elif not absence.lacks(instead):
        flaws.append(Flaw("a detail that the dialogue holds", f"the chat speaks of {instead!r}; take another"))
    return flaws


async def wrong_details(
    voice: Voice,
    dialogue: Dialogue,
    bridge_ids: Sequence[int],
    askings: Sequence[Asking],
    absence: Absence,
    rules: Rules,
    ledger: Ledger,
) -> list[Asking]:
    """Return near negatives: real queries, one detail of each replaced by something that the dialogue does not hold."""
    if not askings:
        return []
    found: dict[int, Asking] = {}
    request = detail_request(dialogue, bridge_ids, [asking.text for asking in askings], rules.language)

    def check(value: Any) -> list[Flaw]:
        answered = {one["query"] for one in value["queries"]} | set(found)
        flaws = [
            Flaw("a query left out", f"query {number} has no answer")
            for number in range(1, len(askings) + 1)
            if number not in answered
        ]
        for one in value["queries"]:
            if one["query"] in range(1, len(askings) + 1) and one["query"] not in found:
                flaws += detail_flaws(one, askings[int(one["query"]) - 1].text, absence, rules)
        return flaws

    def take(kept: Kept) -> None:
        for one in kept.value["queries"]:
            if one["query"] not in range(1, len(askings) + 1) or one["query"] in found:
                continue
            asking = askings[int(one["query"]) - 1]
            if not detail_flaws(one, asking.text, absence, rules):
                found[int(one["query"])] = _near(one, asking, kept)

    await ask_until(voice, request, check, ledger, take)
    return [found[number] for number in sorted(found)]


def _near(one: Mapping[str, Any], asking: Asking, kept: Kept) -> Asking:
    detail = {"detail": clean_text(one["detail"]), "instead": clean_text(one["instead"])}
    meta = canonical_json({"near": {**detail, "of": asking.text}, "queries": kept.origin()})
    return Asking(clean_text(one["text"]), asking.level, "model", kept.model, negative_type="near", meta=meta)
