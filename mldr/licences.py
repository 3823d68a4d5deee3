"""Data licences by SPDX identifier: what each asks for, and what all of a set's parts ask for together.

This is a reading aid and no legal advice: it knows the usual licences' main conditions, takes the stricter side where it is in
doubt, and leaves every judgement to a person.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

UNKNOWN = "unknown"
"""What `canonical` makes of a licence that nobody stated, and a recipe calls it."""

RESEARCH_ONLY = "LicenseRef-research-only"
PUBLIC_DOMAIN = "LicenseRef-public-domain"
RESERVED = "LicenseRef-all-rights-reserved"


@dataclass(frozen=True, slots=True)
class Licence:
    """What a licence asks for, in the few points that decide whether parts fit together. No legal advice."""

    id: str
    """An SPDX identifier, or a `LicenseRef-` where SPDX has none; of an unknown one its own words."""
    attribution: bool = False
    """Credit, a notice or the licence's text must stay."""
    share_alike: bool = False
    """What is made of it must be under the same licence."""
    non_commercial: bool = False
    no_derivatives: bool = False
    redistributable: bool = True
    """Anybody may pass it on, under the licence's conditions."""
    known: bool = True
    family: str = ""
    """Licences of one family differ by version alone, and a later version may stand for an earlier one."""
    version: str = ""
    url: str = ""

    @property
    def asks(self) -> frozenset[str]:
        """The names of the conditions that hold."""
        named = ("attribution", "share_alike", "non_commercial", "no_derivatives")
        return frozenset(name for name in named if getattr(self, name))


def _simple(
    identifier: str,
    *spellings: str,
    attribution: bool = False,
    share_alike: bool = False,
    non_commercial: bool = False,
    redistributable: bool = True,
    url: str = "",
) -> tuple[Licence, tuple[str, ...]]:
    made = Licence(
        identifier,
        attribution=attribution,
        share_alike=share_alike,
        non_commercial=non_commercial,
        redistributable=redistributable,
        family=identifier,
        url=url,
    )
    return made, (identifier, *spellings, url)


_FIXED = (
    _simple(
        "CC0-1.0",
        "CC0",
        "CC Zero",
        "Creative Commons Zero",
        "CC0 1.0 Universal",
        url="https://creativecommons.org/publicdomain/zero/1.0/",
    ),
    _simple("PDDL-1.0", "PDDL", "ODC-PDDL", "Public Domain Dedication and License"),
    _simple(
        PUBLIC_DOMAIN,
        "public domain",
        "PD",
        "PDM",
        "Public Domain Mark",
        "Public Domain Mark 1.0",
        "CC-PDM-1.0",
        "creativecommons.org/publicdomain/mark/1.0",
        "公有领域",
        "公共领域",
    ),
    _simple("LicenseRef-no-known-copyright-restrictions", "no known copyright restrictions"),
    _simple("Unlicense", "The Unlicense"),
    _simple("0BSD"),
    _simple("WTFPL"),
    _simple("MIT", "MIT License", "Expat", attribution=True),
    _simple("MIT-0"),
    _simple("ISC", attribution=True),
    _simple("Zlib", attribution=True),
    _simple(
        "Apache-2.0", "Apache 2.0", "Apache 2", "Apache License 2.0", "Apache License, Version 2.0", attribution=True
    ),
    _simple("BSD-2-Clause", "BSD 2-Clause License", "Simplified BSD", attribution=True),
    _simple("BSD-3-Clause", "BSD", "BSD 3-Clause License", "New BSD", attribution=True),
    _simple("BSD-4-Clause", attribution=True),
    _simple("ODC-By-1.0", "ODC-By", "ODC Attribution License", attribution=True),
    _simple("ODbL-1.0", "ODbL", "Open Database License", attribution=True, share_alike=True),
    _simple("CDLA-Permissive-1.0", attribution=True),
    _simple("CDLA-Permissive-2.0", attribution=True),
    _simple("CDLA-Sharing-1.0", attribution=True, share_alike=True),
    _simple("MPL-2.0", attribution=True, share_alike=True),
    _simple("GPL-2.0-only", "GPL-2.0", "GPLv2", attribution=True, share_alike=True),
    _simple("GPL-2.0-or-later", attribution=True, share_alike=True),
    _simple("GPL-3.0-only", "GPL-3.0", "GPLv3", attribution=True, share_alike=True),
    _simple("GPL-3.0-or-later", attribution=True, share_alike=True),
    _simple("GFDL-1.3-only", "GFDL-1.3", "GFDL", attribution=True, share_alike=True),
    _simple(
        RESEARCH_ONLY,
        "research only",
        "research use only",
        "for research only",
        "for research purposes only",
        "academic use only",
        "academic research only",
        "non-commercial research only",
        "non-commercial research",
        "仅供研究",
        "仅限研究使用",
        attribution=True,
        non_commercial=True,
        redistributable=False,  # such words give the reader a use and nobody the right to pass it on
    ),
    _simple(RESERVED, "all rights reserved", "proprietary", "copyrighted", attribution=True, redistributable=False),
)
_BY_SPELLING: dict[str, Licence] = {}
_NOBODY_SAID = frozenset({"unknown", "none", "not stated", "unspecified", "n a", "noassertion", "other", "see source"})

_CC = re.compile(
    r"(?:cc|creative commons) (?P<parts>(?:by|nc|sa|nd|attribution|non ?commercial|share ?alike|no ?deriv(?:ative)?s?|\s)+)"
    r"(?: ?(?P<version>[1-4] [05]))?(?: (?P<port>[a-z]{2,3}|international|unported|generic))?"
)
_CC_URL = re.compile(
    r"(?:https?://)?(?:www\.)?creativecommons\.org/licenses/(?P<parts>[a-z-]+)/(?P<version>[1-4]\.[05])(?:/(?P<port>[a-z]{2,3}))?"
    r"(?:/(?:deed|legalcode).*)?/?"
)
_WORDS = {
    "by": r"\b(?:by|attribution)\b",
    "nc": r"\bnc\b|non ?commercial",
    "nd": r"\bnd\b|no ?deriv",
    "sa": r"\bsa\b|share ?alike",
}


def _spelled(text: str) -> str:
    """Return a spelling without case, punctuation and the words that say nothing."""
    words = re.sub(r"[\W_]+", " ", text.casefold().removeprefix("https://").removeprefix("http://")).strip()
    words = re.sub(r"^(?:licen[cs]ed under |under |spdx |the |licenseref )+", "", words)
    words = re.sub(r" licen[cs]es?(?= |$)", "", words)
    return re.sub(r" (?:version |v)(?=\d)", " ", words)


for _licence, _names in _FIXED:
    _BY_SPELLING.update((_spelled(_name), _licence) for _name in _names if _name)


def canonical(text: str) -> str:
    """Return the SPDX identifier of a licence in a usual spelling; one that is not known stays as it is, trimmed.

    A licence that nobody stated ('', `unknown`, `not stated`, ...) is `unknown`.
    """
    return licence(text).id


def licence(text: str) -> Licence:
    """Return what one licence asks for; of an unknown one the strictest: it may not be passed on.

    Args:
        text: one identifier or name; several joined ones are for `parts`.
    """
    spelled = _spelled(text)
    if not text.strip() or spelled in _NOBODY_SAID:
        return Licence(UNKNOWN, redistributable=False, known=False)
    if found := _BY_SPELLING.get(spelled):
        return found
    match = _CC.fullmatch(spelled) or _CC_URL.fullmatch(text.strip().casefold())
    if match and (made := _creative_commons(match)):
        return made
    return Licence(" ".join(text.split()), redistributable=False, known=False)


def _creative_commons(match: re.Match[str]) -> Licence | None:
    has = {part: bool(re.search(pattern, match["parts"])) for part, pattern in _WORDS.items()}
    if not has["by"] or (has["sa"] and has["nd"]):
        return None
    name = "-".join(["CC-BY", *(part.upper() for part in ("nc", "nd", "sa") if has[part])])
    version = (match["version"] or "").replace(" ", ".")
    port = (match["port"] or "").upper()
    port = f"-{port}" if version and 0 < len(port) <= 3 else ""
    path = name.removeprefix("CC-").casefold()
    return Licence(
        f"{name}-{version}{port}" if version else f"LicenseRef-{name}",
        attribution=True,
        share_alike=has["sa"],
        non_commercial=has["nc"],
        no_derivatives=has["nd"],
        family=name,
        version=version,
        url=f"https://creativecommons.org/licenses/{path}/{version}/" if version and not port else "",
    )


def parts(text: str) -> list[str]:
    """Return the licences of a text that joins several by `; ` or ` AND `, as `canonical` writes them, sorted.

    Of licences joined by ` OR ` the one that asks for least is taken, since the taker may choose.
    """
    found = set()
    for piece in re.split(r";|\bAND\b", text):
        choices = [licence(choice.strip(" ()")) for choice in re.split(r"\bOR\b", piece) if choice.strip(" ()")]
        if choices:
            found.add(min(choices, key=lambda one: (not one.redistributable, len(one.asks), one.id)).id)
    return sorted(found) or [UNKNOWN]


@dataclass(frozen=True, slots=True)
class Terms:
    """The most restrictive terms of several licences together. No legal advice."""

    licences: tuple[str, ...]
    """What they were made of, as `canonical` writes them."""
    attribution: bool
    share_alike: bool
    non_commercial: bool
    no_derivatives: bool
    redistributable: bool
    """All of it may be passed on as one."""
    known: bool
    """Each licence is known."""
    conflicts: tuple[str, ...]
    """Why it is not redistributable as one, a sentence each."""
    spdx: str
    """The licence that all of it may be passed on under, where one rules; else ''."""

    @property
    def words(self) -> str:
        """The terms in one sentence."""
        if not self.redistributable:
            return "not redistributable as one: " + "; ".join(self.conflicts)
        asked = [
            words
            for words, holds in (
                ("attribution", self.attribution),
                ("share-alike", self.share_alike),
                ("no commercial use", self.non_commercial),
                ("no derivatives", self.no_derivatives),
            )
            if holds
        ]
        return f"redistributable, on the terms: {', '.join(asked)}" if asked else "redistributable, no conditions known"


def combined(texts: Iterable[str], adapted: Iterable[str] = ()) -> Terms:
    """Return the most restrictive terms of everything that a set holds. No legal advice; in doubt the stricter.

    A licence that is unknown, or that lets nobody pass the work on, makes the whole not redistributable. So does share-alike
    that cannot be met: two share-alike licences of different families (CC-BY-SA beside CC-BY-NC-SA or ODbL), or share-alike
    that allows commerce beside something that does not. So does a no-derivatives licence of something that was adapted.

    Args:
        texts: licences as records state them; one text may join several (`parts`).
        adapted: those of works that were changed, as a stitched dialogue's sources are; they count in `texts` too.
    """
    changed = {name for text in adapted for name in parts(text)}
    names = sorted({name for text in texts for name in parts(text)} | changed)
    held = [licence(name) for name in names]
    conflicts = (
        *_refusals(held),
        *(
            f"{one.id} permits no adaptation, and it was adapted"
            for one in held
            if one.no_derivatives and one.id in changed
        ),
        *_share_alike_conflicts(held),
    )
    return Terms(
        licences=tuple(names),
        attribution=any(one.attribution for one in held),
        share_alike=any(one.share_alike for one in held),
        non_commercial=any(one.non_commercial for one in held),
        no_derivatives=any(one.no_derivatives for one in held),
        redistributable=not conflicts,
        known=all(one.known for one in held),
        conflicts=conflicts,
        spdx="" if conflicts else _ruling(held),
    )


def _refusals(held: list[Licence]) -> Iterable[str]:
    for one in held:
        if one.id == UNKNOWN:
            yield "a part states no licence"
        elif not one.known:
            yield f"the licence {one.id!r} is not known to mldr"
        elif not one.redistributable:
            yield f"{one.id} does not let others pass it on"


def _share_alike_conflicts(held: list[Licence]) -> Iterable[str]:
    shared: dict[str, str] = {}
    for one in held:
        if one.share_alike:
            shared.setdefault(one.family, one.id)
    ids = [shared[family] for family in sorted(shared)]
    if len(ids) > 1:
        yield f"{' and '.join(ids)} each ask that all of it be under them alone"
    free = [one.id for one in held if one.share_alike and not one.non_commercial]
    barred = [one.id for one in held if one.non_commercial and not one.share_alike]
    if free and barred:
        yield f"{free[0]} asks that all of it be free for commerce, which {barred[0]} forbids"


def _ruling(held: list[Licence]) -> str:
    """Return the licence that asks for all that any of them asks for, if only one family does: its latest version."""
    asked = frozenset[str]().union(*(one.asks for one in held))
    able = [one for one in held if one.asks == asked]
    if len({one.family for one in able}) != 1 or any(one.share_alike and one not in able for one in held):
        return ""
    best = max(able, key=lambda one: (one.version, one.id))
    return best.id if not best.id.startswith("LicenseRef-") else ""
