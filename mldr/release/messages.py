"""A record in the ms-swift layout: the user message cut into prompt, query and dialogue; the answer read and mapped."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from typing import Any

from mldr.answers import Answer, parse_answer
from mldr.dialogue import Utterance
from mldr.formats import CURRENT, format_line
from mldr.markup import unescape
from mldr.prompts import DIALOGUE_SLOT, QUERY_SLOT, prompt_hash
from mldr.release.findings import Findings, ReadImage, ReadQuery, ReadRecord, Unusable
from mldr.release.jsonlist import TWICE
from mldr.release.lines import LINE_START, Numbered, mapped, numbered, own_lines, release_lines
from mldr.release.words import clean

_QUERY_START, _QUERY_END = "<|query_start|>", "<|query_end|>"
TEMPLATES = 20
"""How many prompts are kept in words; of more, only their hashes."""


@dataclass(frozen=True, slots=True)
class _Cut:
    template: str
    query: str
    dialogue: str


def is_own(record: Any) -> bool:
    """Say whether a record is one that `mldr dataset export` wrote: its texts are escaped."""
    return isinstance(record, dict) and str(record.get("format", "")).startswith("mldr/ms-swift@")


def read_messages(record: Any, tail: str, findings: Findings) -> ReadRecord:
    """Return what a record says.

    Args:
        record: one element of the JSON list.
        tail: what ends every user message of the file behind its last utterance and is part of the prompt.
        findings: takes what is odd.

    Raises:
        Unusable: with the reason, for a record without dialogue, query or answer.
    """
    if not isinstance(record, dict):
        raise Unusable("is no JSON object")
    own = is_own(record)
    if own and record["format"] != format_line("ms-swift"):
        raise Unusable(f"was written by a newer mldr (this one reads mldr/ms-swift@{CURRENT['ms-swift']}); upgrade")
    if TWICE in record:
        findings.note("records in which a key stands twice: the last counts")
    messages = dict(_messages(record.get("messages"), findings))
    cut = _cut(messages.get("user", ""), tail, own)
    images = tuple(_images(record.get("images"), findings))
    found = _dialogue(cut.dialogue, dialogue_id(record, findings), images, own)
    query = clean(unescape(cut.query) if own else cut.query.strip(), findings)
    if not query.strip():
        raise Unusable("has an empty query")
    answer, other = _answer(record.get("solution"), messages.get("assistant"), findings)
    gold = (
        mapped(answer.utterance_ids, found.utterance_ids, "utterance", findings),
        mapped(answer.image_ids, found.image_ids, "image", findings),
    )
    utterance_ids = with_text(gold[0], found.dialogue.utterances, findings)
    meta = {"template": _template(messages.get("system", ""), cut.template, findings)}
    return ReadRecord(
        found.dialogue,
        (ReadQuery(query, utterance_ids, gold[1], meta, _gold_meta(answer, other, (utterance_ids, gold[1]))),),
    )


@lru_cache(maxsize=8)
def _dialogue(text: str, release_id: str, images: tuple[ReadImage, ...], own: bool) -> Numbered:
    """Return a dialogue; the records of its queries, which repeat it, mostly stand together."""
    findings = Findings()
    lines = own_lines(text, findings) if own else release_lines(text, findings)
    found = numbered(release_id, lines, images, own, findings)
    if not found.dialogue.utterances:
        raise Unusable("has no utterance with text or image")
    return found


def dialogue_id(record: dict[str, Any], findings: Findings) -> str:
    """Return the dialogue_id of a record, '' where it has none."""
    identifier = record.get("dialogue_id")
    if isinstance(identifier, int) and not isinstance(identifier, bool):
        findings.note("records whose dialogue id is a number: taken as text")
        return str(identifier)
    if isinstance(identifier, str) and identifier.strip():
        return clean(identifier, findings)
    findings.note("records without a dialogue id: the dialogue's text names it")
    return ""


def with_text(ids: tuple[int, ...], utterances: Sequence[Utterance], findings: Findings) -> tuple[int, ...]:
    """Return the utterance ids whose utterance has text; a textless one is never gold by its text."""
    kept = tuple(identifier for identifier in ids if utterances[identifier].text)
    findings.note("gold utterances without text: left out, images have ids of their own", len(ids) - len(kept))
    return kept


def _messages(messages: Any, findings: Findings) -> Iterator[tuple[str, str]]:
    """Yield role -> text of the first message of each role."""
    if not isinstance(messages, list):
        raise Unusable("has no list of messages")
    seen: set[str] = set()
    for message in messages:
        role = message.get("role") if isinstance(message, dict) else None
        if not isinstance(role, str) or role not in ("system", "user", "assistant"):
            findings.note("messages of no known role: passed over")
        elif role in seen:
            findings.note(f"further messages of the role {role}: passed over")
        else:
            seen.add(role)
            yield role, _text_of(message.get("content"))


def _text_of(content: Any) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list) and all(isinstance(part, dict) for part in content):
        return "".join("<image>" if part.get("type") == "image" else str(part.get("text") or "") for part in content)
    raise Unusable("has a message whose content is no text")


def _cut(user: str, tail: str, own: bool) -> _Cut:
    """Cut a user message into template, query and dialogue, in either order."""
    starts = list(LINE_START.finditer(user))
    if not starts:
        raise Unusable("has no dialogue in its user message")
    first, last = starts[0].start(), starts[-1].end()
    before = _query(user, 0, first)
    query = before or _query(user, last, len(user))
    if query is None:
        raise Unusable("has no query in its tags")
    if own or before is None:  # a line an utterance: the template goes on behind the last one
        end = user.find("\n", last)
        end = len(user) if end < 0 else end
    else:
        end = len(user) - len(tail) if tail and user.endswith(tail) else len(user)
    pieces = sorted([(*query, QUERY_SLOT), (first, end, DIALOGUE_SLOT)])
    (start, stop, one), (again, final, two) = pieces
    template = user[:start] + one + user[stop:again] + two + user[final:]
    return _Cut(template, user[query[0] : query[1]], user[first:end])


def _query(user: str, begin: int, end: int) -> tuple[int, int] | None:
    """Return where the first query between its tags starts and ends, in a part of a message."""
    start = user.find(_QUERY_START, begin, end)
    stop = user.find(_QUERY_END, start, end)
    return None if start < 0 or stop < 0 else (start + len(_QUERY_START), stop)


def _template(system: str, user: str, findings: Findings) -> str:
    """Keep a prompt and return its hash."""
    system, user = clean(system, Findings()), clean(user, Findings())
    name = prompt_hash(system, user)
    if name not in findings.templates:
        if len(findings.templates) < TEMPLATES:
            findings.templates[name] = {"system": system, "user": user}
        else:
            findings.note(f"queries whose prompt is none of the first {TEMPLATES}: only its hash is kept")
    return name


def _images(images: Any, findings: Findings) -> list[ReadImage]:
    if images is None:
        return []
    if not isinstance(images, list):
        images = [images]
        findings.note("records whose images are no list: taken as one image")
    return [_image(image, findings) for image in images]


def _image(image: Any, findings: Findings) -> ReadImage:
    if isinstance(image, str):
        return ReadImage(clean(image, findings))
    if isinstance(image, dict):
        path = image.get("path")
        content = image.get("bytes")
        findings.note("images written as {bytes, path}")
        return ReadImage(clean(path, findings) if isinstance(path, str) else "", content=_decoded(content, findings))
    findings.note("images that are neither a path nor {bytes, path}: without a picture")
    return ReadImage("")


def _decoded(content: Any, findings: Findings) -> bytes | None:
    if content is None:
        return None
    if isinstance(content, str):
        try:
            return base64.b64decode(content, validate=True)
        except (binascii.Error, ValueError):
            pass
    findings.note("image bytes that are not base64: passed over")
    return None


def _answer(solution: Any, assistant: str | None, findings: Findings) -> tuple[Answer, str]:
    """Return the answer that counts, and the words of another one that disagrees."""
    told = {"solution": solution if isinstance(solution, str) else None, "assistant": assistant or None}
    read = {name: parse_answer(text) for name, text in told.items() if text is not None}
    for name, text in told.items():
        if text is None:
            findings.note(f"records without {_WORDS[name]}")
        elif read[name] is None:
            findings.note(f"records whose {name} is no answer that can be read")
    answers = [answer for answer in read.values() if answer is not None]
    if not answers:
        raise Unusable("has no answer that can be read")
    if any(_sets(answer) != _sets(answers[0]) for answer in answers):
        findings.note("records whose solution and assistant disagree: the solution counts")
        return answers[0], str(assistant)
    return answers[0], ""


_WORDS = {"solution": "a solution", "assistant": "an assistant message"}


def _sets(answer: Answer) -> tuple[frozenset[int], frozenset[int]]:
    return frozenset(answer.utterance_ids), frozenset(answer.image_ids)


def _gold_meta(answer: Answer, other: str, gold: tuple[tuple[int, ...], tuple[int, ...]]) -> dict[str, Any]:
    """Return the answer as the release writes it, where that is not what is stored."""
    meta: dict[str, Any] = {}
    if _sets(answer) != (frozenset(gold[0]), frozenset(gold[1])):
        meta["release_answer"] = {"utterance_ids": list(answer.utterance_ids), "image_ids": list(answer.image_ids)}
    if other:
        meta["assistant"] = clean(other, Findings())
    return meta


def common_tail(records: Sequence[Any]) -> str:
    """Return the lines that end every one of some records of a file behind the line of its last utterance, '' for none.

    They are part of the prompt; what stands before them is the rest of the last utterance.
    """
    tails: list[list[str]] = []
    dialogues: set[str] = set()
    for record in records:
        if is_own(record) or not isinstance(record, dict):
            continue
        try:
            user = dict(_messages(record.get("messages"), Findings())).get("user", "")
        except Unusable:
            continue
        starts = list(LINE_START.finditer(user))
        if starts:
            _, *rest = user[starts[-1].end() :].split("\n")
            tails.append(rest)
            dialogues.add(user[starts[0].start() :])
    if len(dialogues) < 2:
        return ""
    common = takewhile(lambda lines: len(set(lines)) == 1, zip(*(reversed(rest) for rest in tails), strict=False))
    return "".join(f"\n{lines[0]}" for lines in reversed(list(common)))
