"""A record in the WeChat-MDR layout: utterances that are text or lists of pictures, queries, and gold turns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mldr.release.findings import Findings, ReadImage, ReadQuery, ReadRecord, Unusable
from mldr.release.lines import Line, Numbered, mapped, named, numbered
from mldr.release.messages import dialogue_id
from mldr.release.words import clean


def read_wechat(record: Any, findings: Findings) -> ReadRecord:
    """Return what a record says. Gold turns become utterance ids where there is text, image ids where there are images.

    Raises:
        Unusable: with the reason, for a record without a dialogue.
    """
    if not isinstance(record, dict):
        raise Unusable("is no JSON object")
    turns = record.get("dialogue")
    if not isinstance(turns, list):
        raise Unusable("has no list of turns")
    paths: list[ReadImage] = []
    odd = Findings()
    lines = [_line(turn, position, paths, odd) for position, turn in enumerate(turns)]
    found = numbered(dialogue_id(record, findings), lines, paths, True, odd)
    if not found.dialogue.utterances:
        raise Unusable("has no utterance with text or image")
    return ReadRecord(found.dialogue, tuple(_queries(record, found, findings)))


def _line(turn: Any, position: int, paths: list[ReadImage], findings: Findings) -> Line:
    if not isinstance(turn, dict):
        raise Unusable("has a turn that is no JSON object")
    shown_id = _number(turn.get("utterance_idx"))
    if shown_id is None:
        findings.note("turns without a number: their position is it")
        shown_id = position
    speaker = turn.get("speaker")
    if not isinstance(speaker, str):
        findings.note("utterances without a speaker")
    said, images = _content(turn.get("utterance"), findings)
    image_ids = tuple(range(len(paths), len(paths) + len(images)))
    paths += images
    return Line(shown_id, named(speaker, findings) if isinstance(speaker, str) else "", said, image_ids)


def _content(utterance: Any, findings: Findings) -> tuple[str, list[ReadImage]]:
    if isinstance(utterance, str):
        return clean(utterance, findings), []
    if isinstance(utterance, dict):
        findings.note("pictures that are not in a list")
        utterance = [utterance]
    if not isinstance(utterance, list):
        findings.note("utterances that are neither text nor a list: taken as empty")
        return "", []
    texts: list[str] = []
    images: list[ReadImage] = []
    for item in utterance:
        if isinstance(item, str):
            findings.note("utterances with text among their pictures: both are kept")
            texts.append(clean(item, findings))
        elif isinstance(item, dict):
            url, caption = item.get("image_url"), item.get("caption")
            if not isinstance(url, str):
                findings.note("pictures without an address")
            images.append(
                ReadImage(
                    clean(url, findings) if isinstance(url, str) else "",
                    clean(caption, findings) if isinstance(caption, str) else "",
                )
            )
        else:
            findings.note("items of an utterance that are neither text nor picture: passed over")
    return " ".join(text for text in texts if text), images


def _number(value: Any) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**9:
        return value
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    return None


def _queries(record: dict[str, Any], found: Numbered, findings: Findings) -> list[ReadQuery]:
    texts, golds = record.get("query_text"), record.get("gt_turns")
    if texts is None and golds is None:
        findings.note("dialogues without a query")
        return []
    if isinstance(texts, str):
        texts = [texts]
        golds = golds if _is_nested(golds) else [golds]
    elif isinstance(texts, list) and len(texts) == 1 and isinstance(golds, list) and not _is_nested(golds):
        golds = [golds]
    if not isinstance(texts, list) or not isinstance(golds, list) or len(texts) != len(golds):
        findings.refuse(
            f"dialogue {found.dialogue.release_id}",
            "its queries and its gold turns do not pair up: the dialogue is kept, its queries are not",
        )
        return []
    queries = [_query(text, gold, found, findings) for text, gold in zip(texts, golds, strict=True)]
    return [query for query in queries if query is not None]


def _is_nested(golds: Any) -> bool:
    return isinstance(golds, list) and bool(golds) and all(isinstance(gold, list) for gold in golds)


def _query(text: Any, gold: Any, found: Numbered, findings: Findings) -> ReadQuery | None:
    place = f"dialogue {found.dialogue.release_id}"
    if not isinstance(text, str) or not text.strip():
        findings.refuse(place, "a query without text")
        return None
    if not isinstance(gold, list):
        findings.refuse(place, "a query whose gold turns are no list")
        return None
    numbers = [_number(turn) for turn in gold]
    findings.note("gold turns that are no number: left out", numbers.count(None))
    turns = [number for number in numbers if number is not None]
    utterances = found.dialogue.utterances
    positions = mapped(turns, found.utterance_ids, "turn", findings)
    utterance_ids = tuple(i for i in positions if utterances[i].text)
    image_ids = tuple(image for i in positions for image in utterances[i].image_ids)
    meta = {} if list(positions) == sorted(turns) and None not in numbers else {"release_turns": _told(gold)}
    return ReadQuery(clean(text, findings), utterance_ids, image_ids, {}, meta)


def _told(gold: Sequence[Any]) -> list[str]:
    """Return gold turns as the release writes them, in words that JSON can hold."""
    return [clean(str(turn)[:100], Findings()) for turn in gold]
