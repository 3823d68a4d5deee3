"""The answer grammar of the papers and its one parser, for evaluation, rewards and curriculum alike.

    <|utt_ids_start|>[1, 2]<|utt_ids_end|>;<|img_ids_start|>[0]<|img_ids_end|>

Reading tolerates white space, line breaks and text around the answer; only `is_bare_answer` is strict.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

# Ids of up to 4,000 digits: Python refuses to convert longer ones, and a hostile answer must not crash the reader.
_NUMBER = r"-?[0-9]{1,4000}"
# White space stands in one place only, or a run of it would be tried in every split (a failing model may write thousands).
_LIST = rf"\[\s*(?:({_NUMBER}(?:\s*,\s*{_NUMBER})*)\s*)?\]"
_ANSWER = re.compile(
    rf"<\|utt_ids_start\|>\s*{_LIST}\s*<\|utt_ids_end\|>\s*;\s*<\|img_ids_start\|>\s*{_LIST}\s*<\|img_ids_end\|>"
)
_BARE = re.compile(
    r"<\|utt_ids_start\|>\[((?:\d{1,4000}(?:, ?\d{1,4000})*)?)\]<\|utt_ids_end\|>"
    r";<\|img_ids_start\|>\[((?:\d{1,4000}(?:, ?\d{1,4000})*)?)\]<\|img_ids_end\|>",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """The ids that an answer names, as written: repeated and impossible ids are kept."""

    utterance_ids: tuple[int, ...]
    image_ids: tuple[int, ...]


def format_answer(utterance_ids: Iterable[int], image_ids: Iterable[int]) -> str:
    """Return the answer with these ids, in the order given, in the papers' form."""
    utterances, images = (", ".join(str(i) for i in ids) for ids in (utterance_ids, image_ids))
    return f"<|utt_ids_start|>[{utterances}]<|utt_ids_end|>;<|img_ids_start|>[{images}]<|img_ids_end|>"


def parse_answer(response: str) -> Answer | None:
    """Return the last complete answer in a model's raw text, or None where there is none."""
    last = None
    for last in _ANSWER.finditer(response):  # noqa: B007 - the last match is wanted
        pass
    return None if last is None else Answer(_ids(last[1]), _ids(last[2]))


def is_bare_answer(response: str) -> bool:
    """Say whether `response` is exactly one answer and names no id twice (AAAI paper, format reward)."""
    match = _BARE.fullmatch(response)
    if match is None:
        return False
    return all(len(ids) == len(set(ids)) for ids in (_ids(match[1]), _ids(match[2])))


def _ids(text: str | None) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split(",")) if text else ()
