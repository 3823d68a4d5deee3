"""What stands for private things: other people's names for names, numbered tags for the rest; the same for the same, per dialogue.

The same object serves all texts of a dialogue: utterances in their order first, then queries, captions and notes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from mldr.annotation.privacy.detectors import find_spans
from mldr.annotation.privacy.detectors.apart import apart
from mldr.annotation.privacy.names import Form, NameList, apart_from_words, forms
from mldr.annotation.privacy.normal import folded, normal
from mldr.annotation.privacy.personas import Persona, drawn
from mldr.annotation.privacy.phrases import Phrases
from mldr.annotation.privacy.tags import EN, TAG, ZH, tag
from mldr.annotation.privacy.words import COMPOUND_SURNAMES, LONG_TITLES, SURNAMES
from mldr.annotation.spans import SURE, Mask, Masked, Span, SpanKind

_CAREFUL, _DRAWS = 300, 3_000
"""So many draws avoid every form of every name, so many the names themselves; then a tag stands for the person."""
_MOST = 9_999
"""Things of one kind that are told apart in a dialogue: the largest number of a tag."""
_SAME_THING = 6
"""From so many characters on, a string is the same thing whatever kind it was taken for."""
_CHINA = 11, ("0086", "86", "0")


class Surrogates:
    """The surrogates of one dialogue. It remembers: tags are numbered in the order of the calls, which is the dialogue's.

    Args:
        salt: of the dialogue, secret; other salts give other names.
        language: of the dialogue; tags are Chinese where it is `zh`, else English.
        names: of everybody in the chat; no surrogate is one of them, in any of their forms.
        taken: texts in which no surrogate's name may stand, so that no real name is taken for one. Pass all texts of the dialogue.
    """

    def __init__(self, salt: bytes, language: str, names: NameList, taken: Collection[str] = ()) -> None:
        self._salt, self._language, self._names = salt, language, names
        self._taken = folded("\n".join([*(normal(text).text for text in sorted(taken)), *sorted(names.forms)]))
        self._personas: dict[str, Persona | str] = {}
        self._own: dict[str, None] = {}
        self._issued: dict[str, None] = {}
        self._met: dict[str, Form] = {}
        self._numbers: dict[str, int] = {}
        self._tags: dict[tuple[str, str], str] = {}
        self._seen: dict[str, SpanKind] = {}

    def of(self, kind: SpanKind, text: str) -> str:
        """Return what stands for a private thing. Case, width and the marks between digits make no difference.

        A surrogate of this dialogue stands for itself.
        """
        key = folded(normal(text).text).strip()
        if key in self._own or key.lstrip("@") in self._issued or TAG.fullmatch(text):
            return text
        self._seen.setdefault(key, kind)
        return self._name(key, text) if kind == "name" else self._tag(kind, key)

    def shown(self, text: str) -> list[tuple[int, int]]:
        """Return where names that were given out stand in a text, as [start, end); more than one character each."""
        view = normal(text)
        found = Phrases(name for name in self._issued if len(name) > 1).find(view.folded)
        return [view.place(start, end) for start, end, _ in found if apart_from_words(view.text, start, end)]

    def apply(self, text: str) -> Masked:
        """Return another text of the dialogue (a query, a caption, a note) with all that was replaced before replaced alike.

        What was not met before is searched for afresh.

        Raises:
            Exception: whatever the detectors raise; the text is withheld then.
        """
        spans = [*find_spans(text, self._names, self._language), *self._known(text)]
        kept, _ = apart(spans, text)
        return mask(text, sorted(kept, key=lambda span: span.start), self)

    def _known(self, text: str) -> Iterator[Span]:
        view = normal(text).without(TAG)
        known = {**dict.fromkeys((k for k, form in self._met.items() if form.confidence >= SURE), "name"), **self._seen}
        for start, end, key in Phrases(k for k in known if len(k) > 1).find(view.folded):
            if apart_from_words(view.text, start, end):
                yield Span(*view.place(start, end), self._seen.get(key, "name"), 0.9, "met")

    def _name(self, key: str, text: str) -> str:
        form = self._names.forms.get(key) or self._met.get(key)
        if form is None and (hit := self._inside(text)) is not None:
            form = self._met[key] = hit
        if form is None:
            found = _stranger(key, text)
            for met, other in found.items():
                self._met.setdefault(met, other)
            form = self._met[key]
        persona = self._persona(form.person)
        written = persona if isinstance(persona, str) else persona.written(form.shape, self._language)
        self._own[folded(written)] = self._issued[folded(written)] = None
        return written

    def _inside(self, text: str) -> Form | None:
        """Return the member whose name stands in a longer one, as in a mention of 张小林-产品部."""
        found = [hit for hit in self._names.find(normal(text)) if hit[2].confidence >= SURE]
        return max(found, key=lambda hit: hit[1] - hit[0])[2] if found else None

    def _persona(self, person: str) -> Persona | str:
        if person not in self._personas:
            self._personas[person] = self._drawn(person)
        return self._personas[person]

    def _drawn(self, person: str) -> Persona | str:
        for attempt in range(_DRAWS):
            persona = drawn(self._salt, person, attempt)
            bare = [persona.chinese, persona.given, *map(folded, (persona.western, persona.first, persona.family))]
            if self._given_out(bare) or self._sounds_real(persona):
                continue
            own = [*forms(persona.chinese, ""), *forms(persona.western, ""), "姓" + persona.surname]
            if attempt >= _CAREFUL or not self._given_out(own):
                self._own.update(dict.fromkeys([*own, *bare]))
                return persona
        return tag("name", self._number("name"), self._language)

    def _given_out(self, names: Iterable[str]) -> bool:
        return any(name in self._own or name in self._taken for name in names)

    def _sounds_real(self, persona: Persona) -> bool:
        views = (normal(persona.chinese), normal(persona.western))
        return any(next(self._names.find(view), None) is not None for view in views)

    def _tag(self, kind: SpanKind, key: str) -> str:
        bare = "".join(c for c in normal(key).digits if c.isalnum()) or key
        for prefix in _CHINA[1] if kind in ("mobile", "landline", "number") else ():
            if bare.startswith(prefix + "1") and len(bare) == _CHINA[0] + len(prefix):
                bare = bare.removeprefix(prefix)
        word = "" if len(bare) >= _SAME_THING else (ZH if self._language == "zh" else EN)[kind]
        if (word, bare) not in self._tags:
            self._tags[word, bare] = tag(kind, self._number(kind), self._language)
        return self._tags[word, bare]

    def _number(self, kind: SpanKind) -> int:
        word = ZH[kind]
        self._numbers[word] = min(self._numbers.get(word, 0) + 1, _MOST)
        return self._numbers[word]


def _stranger(key: str, text: str) -> dict[str, Form]:
    """Return the forms of a name that no member has; it is a person of its own."""
    person = "stranger\0" + key
    title = next((word for word in LONG_TITLES if key.endswith(word) and len(key) > len(word)), "")
    stem = key.removesuffix(title) if title else key
    if stem in SURNAMES or stem in COMPOUND_SURNAMES:
        return {key: Form(person, "{surname}" + title, SURE)}
    if title:
        return {key: Form(person, "{given}" + title, SURE)}
    found = forms(text, person)
    return found if key in found else {**found, key: Form(person, "{any}", 0.0)}


def mask(text: str, spans: Iterable[Span], surrogates: Surrogates) -> Masked:
    """Return the text with a surrogate in place of every span.

    A surrogate that already stands in the text is left as it is, so that masking a masked text changes nothing.

    Raises:
        ValueError: if spans overlap, are out of order or lie outside of the text; the text is withheld then.
    """
    parts: list[str] = []
    masks: list[Mask] = []
    last = length = 0
    shown = surrogates.shown(text)
    for span in spans:
        if not last <= span.start < span.end <= len(text):
            raise ValueError(
                f"the span {span.start}:{span.end} is out of order or outside of a text of {len(text)} characters"
            )
        raw = text[span.start : span.end]
        if span.kind == "name" and span.confidence < SURE and any(a < span.end and span.start < b for a, b in shown):
            continue  # a doubtful name that met a sure one is none, here as in `apart`
        surrogate = surrogates.of(span.kind, raw)
        if surrogate == raw:
            continue
        parts += [text[last : span.start], surrogate]
        start = length + span.start - last
        length, last = start + len(surrogate), span.end
        masks.append(Mask(start, length, span.kind, surrogate, span.confidence, span.detector))
    return Masked("".join([*parts, text[last:]]), tuple(masks))
