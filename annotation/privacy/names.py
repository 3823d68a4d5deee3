"""The names of the people in a chat, and every form in which others write them: given name, 老张, 张总, first name, ...

A form carries how sure it is, and a shape: how the same form of another name is written. So 小林 becomes the given name
of the person who stands for 张小林, and 老张 the same person's surname with 老 before it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from mldr.annotation.chat import Member
from mldr.annotation.privacy.normal import Normal, folded, normal
from mldr.annotation.privacy.phrases import Phrases
from mldr.annotation.privacy.words import (
    ALL_SURNAMES,
    COMMON_WORDS,
    COMPOUND_SURNAMES,
    FREQUENT_WORDS,
    KIN,
    SURNAMES,
    TITLES,
)

FULL, PART, DERIVED, DOUBTFUL = 0.95, 0.85, 0.6, 0.4
"""How sure a form is: the whole name, a part of it, a form made by rule, a word that is more often no name."""
_HAN = re.compile(r"[\u4e00-\u9fff]+")
_ALPHABET = "A-Za-zÀ-ÖØ-öø-ɏͰ-ӿ"
LETTER = re.compile(f"[{_ALPHABET}]")
_LATIN = re.compile(f"[{_ALPHABET}][{_ALPHABET}'’]*")
_CUTS = re.compile(
    r"(?:\d班|[\s\-_—|/\\·•()\[\]{}<>（）【】「」《》,，.。:：;；!！?？~～+&*#@=^$%\"“”0-9\U0001f000-\U0001faff\u2600-\u27bf])+"
)
_HONORIFICS = frozenset(
    {"mr", "mrs", "ms", "miss", "dr", "prof", "sir", "madam", "jr", "sr", "ii", "iii", "iv", "md", "phd", "dds"}
)


@dataclass(frozen=True, slots=True)
class Form:
    """What a written name says: of whom, in which shape, how surely."""

    person: str
    shape: str
    """A format with {surname}, {given}, {last} (character of the given name), {first} and {family}; {any} is the
    given or the first name, by the dialogue's language."""
    confidence: float
    capital: bool = False
    """Whether it counts only with a capital letter, as a latin word does that is a common one too (Will, May)."""


def split_chinese(name: str) -> tuple[str, str] | None:
    """Return surname and given name of a Chinese full name, None where it is none."""
    if not _HAN.fullmatch(name) or len(set(name)) == 1:
        return None
    if name[:2] in COMPOUND_SURNAMES and 3 <= len(name) <= 4:
        return name[:2], name[2:]
    return (name[0], name[1:]) if name[0] in ALL_SURNAMES and 2 <= len(name) <= 3 else None


def forms(name: str, person: str) -> dict[str, Form]:
    """Return folded text -> form for everything that a name is written as; the name itself first."""
    shown = normal(name).text.strip()
    found: dict[str, Form] = {}
    for text, shape, confidence in _shapes(shown):
        key = folded(text).strip()
        if not key:
            continue
        if not re.search(r"\w", key):  # a flower; it is somebody's name in a mention alone
            found.setdefault(key, Form(person, "{any}", 0.0))
            continue
        doubtful = key in COMMON_WORDS or len(key) == 1 or (len(key) == 2 and key.isascii() and confidence < FULL)
        capital = _capital(key) and not (key == shown and len(key) == 2 and key not in FREQUENT_WORDS)
        form = Form(person, shape, min(confidence, DOUBTFUL) if doubtful else confidence, capital)
        for written in (key, _plain(key), key.replace("'", "’"), key.replace("’", "'")):
            found.setdefault(written, form)
    return found


def _plain(key: str) -> str:
    """Return a latin name as people type it who lack its accents."""
    if key.isascii() or LETTER.search(key) is None:
        return key
    return unicodedata.normalize(
        "NFC", "".join(c for c in unicodedata.normalize("NFD", key) if not unicodedata.combining(c))
    )


def _capital(key: str) -> bool:
    return key in FREQUENT_WORDS or (len(key) <= 2 and LETTER.match(key) is not None)


def _shapes(name: str) -> Iterator[tuple[str, str, float]]:
    full = split_chinese(name)
    if full:
        yield from _chinese(*full)
        return
    parts = [part for part in _CUTS.split(name) if part]
    han, latin = [p for p in parts if _HAN.fullmatch(p)], [p for p in parts if _LATIN.fullmatch(p)]
    person = next((k for k in map(_kin, han) if k and split_chinese(k[0])), None)
    inside = next((p for p in map(split_chinese, han) if p), None)
    if person or inside:
        yield name, "{surname}{given}" + (person[1] if person else ""), FULL
        yield from _chinese(*(inside or split_chinese(person[0]) or ("", "")))  # type: ignore[index]
        if "·" in name:
            yield from ((part, "{given}", PART) for part in han)
    elif latin and not han and len(latin) == len(parts):
        yield from _western(name, latin)
    else:
        yield name, "{given}" if _HAN.search(name) else "{first}" if LETTER.search(name) else "{any}", FULL
        for at, part in enumerate(han):
            if len(han) == 1 or "·" in name:
                yield from _nickname(part)
            elif at == 0 and len(part) > 1 and name.startswith((part + "(", part + "【", part + "[")):
                yield part, "{given}", PART
        for run in _HAN.findall(name):
            if len(run) >= 2 and (full := split_chinese(run)):
                yield from _chinese(*full)
            elif len(run) in (2, 3) and LETTER.search(name):
                yield run, "{given}", PART
                yield from _unprefixed(run)
        for word in _LATIN.findall(name):
            if len(word) >= 3:
                yield word, "{first}", PART if len(word) >= 4 else DERIVED


def _kin(text: str) -> tuple[str, str] | None:
    """Return the name and the word behind it, as in 张小林妈妈."""
    return next(((text[: -len(word)], word) for word in KIN if text.endswith(word) and len(text) > len(word) + 1), None)


def _chinese(surname: str, given: str) -> Iterator[tuple[str, str, float]]:
    yield surname + given, "{surname}{given}", FULL
    for gap in (" ", "·"):
        yield surname + gap + given, "{surname}{given}", FULL
    yield " ".join(surname + given), "{surname}{given}", FULL
    last = given[-1]
    if len(given) > 1:
        yield given, "{given}", PART
    if len(surname) > 1:
        yield surname, "{surname}", DERIVED
    for title in TITLES:
        yield surname + title, "{surname}" + title, DERIVED
        if len(given) > 1:
            yield given + title, "{given}" + title, PART if len(title) > 1 else DERIVED
    for prefix in "老小大阿":
        yield prefix + surname, prefix + "{surname}", DERIVED
        yield prefix + last, prefix + "{last}", DERIVED
    yield last + last, "{last}{last}", DERIVED
    for suffix in ("哥", "姐", "总", "宝", "儿", "仔", "爷", "弟", "妹", "老师", "同学"):
        yield last + suffix, "{last}" + suffix, DERIVED
    if len(given) == 1:
        yield given, "{last}", DOUBTFUL


def _nickname(name: str) -> Iterator[tuple[str, str, float]]:
    if name[0] in "小老大阿" and len(name) == 2:
        stem = name[1]
        yield name, name[0] + "{surname}", FULL
        for prefix in "小老大阿":
            yield prefix + stem, prefix + "{surname}", DERIVED
        for title in TITLES:
            yield stem + title, "{surname}" + title, DERIVED
        return
    yield name, "{surname}{given}" if len(name) == 3 else "{given}", FULL
    yield from _unprefixed(name)
    if name in SURNAMES:  # of one character; people say 林姐 and 小林 to somebody who is called 林
        yield from ((prefix + name, prefix + "{surname}", DERIVED) for prefix in "老小大阿")
        yield from ((name + title, "{surname}" + title, DERIVED) for title in TITLES)
    if (
        len(name) in (2, 3) and len(set(name)) > 1 and name not in COMMON_WORDS
    ):  # its surname may be one that no list knows
        for text, shape, confidence in _chinese(name[0], name[1:]):
            yield text, shape, min(confidence, DERIVED)
    base = next((name[: -len(title)] for title in TITLES if name.endswith(title) and len(name) > len(title)), "")
    if len(base) > 1:
        yield base, "{given}", PART


def _unprefixed(name: str) -> Iterator[tuple[str, str, float]]:
    """Yield the name inside 小馨馨, which is as good alone."""
    if len(name) == 3 and name[0] in "小老大阿":
        yield name[1:], "{given}", DERIVED


def _western(name: str, words: Sequence[str]) -> Iterator[tuple[str, str, float]]:
    plain = [word for word in words if folded(word) not in _HONORIFICS]
    yield name, "{first}" if len(plain) < 2 else "{first} {family}", FULL
    if len(plain) == 1:
        yield plain[0], "{first}", FULL
    if len(plain) < 2:
        return
    first, family = plain[0], plain[-1]
    for middle in (plain, [first, family]):
        yield " ".join(middle), "{first} {family}", FULL
        for gap in ("", ".", "_", "-", "  "):
            yield gap.join(middle), "{first}" + gap.strip() + "{family}", FULL
    yield f"{family}, {first}", "{family}, {first}", FULL
    yield f"{family} {first}", "{family} {first}", FULL
    yield f"{first} {family[0]}.", "{first}", FULL
    yield first, "{first}", PART
    yield family, "{family}", PART
    for middle_name in plain[1:-1]:
        if len(middle_name) > 2:
            yield middle_name, "{first}", DERIVED


@dataclass(frozen=True, slots=True)
class NameList:
    """Every form of every name of the people in a chat."""

    forms: Mapping[str, Form]
    """Folded text -> whose it is; where two people share a form, the surer one's, then the first one's."""
    phrases: Phrases = field(repr=False)

    @classmethod
    def of(cls, members: Sequence[Member]) -> NameList:
        """Return the names of the members, in their order. All names that a member has lead to the same person."""
        found: dict[str, Form] = {}
        for member in members:
            own: dict[str, Form] = {}
            for name in sorted(member.names, key=lambda name: split_chinese(normal(name).text.strip()) is None):
                for key, form in forms(name, member.person).items():
                    if key not in own:
                        own[key] = form
                    elif form.confidence > own[key].confidence:
                        own[key] = Form(form.person, own[key].shape, form.confidence, form.capital)
            for key, form in own.items():
                if key not in found or form.confidence > found[key].confidence:
                    found[key] = form
        return cls(found, Phrases(key for key, form in found.items() if form.confidence > 0))

    def find(self, view: Normal) -> Iterator[tuple[int, int, Form]]:
        """Yield where a name stands in a normal text, as [start, end), and its form; they may overlap."""
        for start, end, key in self.phrases.find(view.folded):
            form = self.forms[key]
            if apart_from_words(view.text, start, end) and not (form.capital and not view.text[start].isupper()):
                yield start, end, form


def apart_from_words(text: str, start: int, end: int) -> bool:
    """Return whether a find is no piece of a longer word.

    Only alphabets show where a word ends, so next to Chinese characters all is well; a single Chinese character is taken
    for a name only where it stands alone.
    """
    before, after = text[start - 1 : start], text[end : end + 1]
    if end - start == 1 and _HAN.match(text[start]):
        return not (_HAN.match(before) or _HAN.match(after))
    for inner, outer in ((text[start], before), (text[end - 1], after)):
        if outer and ((LETTER.match(inner) and LETTER.match(outer)) or (inner.isdigit() and outer.isdigit())):
            return False
    return True
