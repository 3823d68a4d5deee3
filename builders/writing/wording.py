"""What can be told of a text without understanding it: its language, its size, markup in it, a quotation."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from mldr.tokens import HAN

HAN_WEIGHT = 3
"""A Chinese character says about as much as three letters."""

_HAN = re.compile(f"[{HAN}]")
_SAYING = re.compile(r"[^\W_]")
_LETTER = re.compile(r"[^\W\d_]")
_OWN_SCRIPTS = {
    "zh": _HAN,
    "ja": re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"),
    "ko": re.compile("[\u1100-\u11ff\u3130-\u318f\uac00-\ud7af]"),
    "th": re.compile("[\u0e00-\u0e7f]"),
    "ru": re.compile("[\u0400-\u04ff]"),
}
LANGUAGE_NAMES = {"zh": "Simplified Chinese", "en": "English"}
"""What a prompt calls a language; others are named by their subtag."""

_MARKUP = re.compile(r"<\||\|>|<\\?image>|</?[A-Za-z_][\w-]*/?>|\[image\b|```|\bs[1-9]\.t\d+\b", re.IGNORECASE)
_IDS = re.compile(
    r"\b[ui]\d+\b|\b(?:utterance|message|turn|image|picture|photo)\s*(?:#|no\.?|number)?\s*\d+\b", re.IGNORECASE
)
_SENTENCE_END = re.compile(
    r"(?:[!?]|(?<!\bMrs)(?<=\w{3})\.)[.!?]*[\"')\]]*\s+(?=[^\W_a-z]|[\"'(])"  # not after Mr., Dr., J. or a.m.
    r"|[。！？!?]+[”’」』）]*(?=\s*[\u3400-\u9fff])"
)


def clean_text(text: str) -> str:
    """Return a model's text as a dataset stores it: newlines as \\n, no NUL, no white space around it."""
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "").strip()


def storable(text: str) -> bool:
    """Say whether `text` can be written as UTF-8: JSON may hold half of a surrogate pair."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def markup_in(text: str) -> set[str]:
    """Return the pieces of `text` that look like markup or like the references of a prompt, in lower case."""
    return {match[0].lower() for match in _MARKUP.finditer(text)}


def names_ids(text: str) -> bool:
    """Say whether `text` points to elements by number (`u3`, `image 2`)."""
    return _IDS.search(text) is not None


def is_one_sentence(text: str) -> bool:
    """Say whether `text` is one line of at most one sentence."""
    return "\n" not in text and _SENTENCE_END.search(text.strip()) is None


def size(text: str) -> int:
    """Return about how much a text says, in letters: marks and white space say nothing, a Chinese character counts thrice."""
    return len(_SAYING.findall(text)) + (HAN_WEIGHT - 1) * len(_HAN.findall(text))


def speaks(text: str, language: str) -> bool:
    """Say whether `text` may be of a language, by its script alone; a text without letters may be of any.

    Of a language whose script is not known here, only Chinese is told apart.
    """
    letters = len(_LETTER.findall(text))
    if not letters:
        return True
    own = _OWN_SCRIPTS.get(language, _HAN)
    ours = len(own.findall(text))
    weight = HAN_WEIGHT if own is _HAN or language == "ja" else 1
    share = weight * ours / (weight * ours + max(letters - ours, 0))
    return share >= 0.5 if language in _OWN_SCRIPTS else share < 0.5


@lru_cache(maxsize=4096)
def normal(text: str) -> str:
    """Return the letters and digits of a text in NFKC form and lower case: what a quotation is looked for in."""
    return "".join(c for c in unicodedata.normalize("NFKC", text).lower() if c.isalnum())


def quotation(text: str, sources: Iterable[str], length: int) -> str:
    """Return a run of `length` letters and digits that `text` shares with one of the sources; '' where there is none."""
    own = normal(text)
    runs = [own[start : start + length] for start in range(len(own) - length + 1)]
    for source in sources:
        other = normal(source)
        for run in runs:
            if run in other:
                return run
    return ""


def normal_tag(tag: str) -> str:
    """Return a tag in the one form in which it is stored: NFKC, lower case, single spaces, no marks around it."""
    return " ".join(unicodedata.normalize("NFKC", tag).lower().split()).strip(" .,;:!?\"'#。，；：！？“”")


def language_name(language: str) -> str:
    """Return what a prompt calls a language."""
    return LANGUAGE_NAMES.get(language, f"the language {language!r}")
