"""What a retriever is, and all that it is shown: a view of one dialogue and the queries asked of it. Never an answer."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from mldr.consent import check_consent
from mldr.dialogue import Dialogue, Fragment, Query, StoredImage
from mldr.eval.prediction import Prediction
from mldr.markup import Sees, anonymous_speakers


@dataclass(frozen=True, slots=True)
class ViewUtterance:
    """One message. Its id is its position in the view."""

    speaker: str
    """`user1`, `user2`, ... by first appearance."""
    text: str
    image_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ViewImage:
    """One image, as far as the system may see it. Its id is its position in the view."""

    caption: str = ""
    """'' unless the system sees `captions`, or `pixels` of a set that has captions in place of picture files."""
    content: bytes | None = None
    """The encoded picture; None unless the system sees `pixels` and the dataset has them."""
    media_type: str = ""


@dataclass(frozen=True, slots=True)
class DialogueView:
    """A dialogue as a system sees it: no topics, no sources, no labels, no way back to the dataset."""

    language: str
    utterances: tuple[ViewUtterance, ...]
    images: tuple[ViewImage, ...]


@dataclass(frozen=True, slots=True)
class Ask:
    """One query."""

    query_id: str
    text: str
    language: str


@dataclass(frozen=True, slots=True)
class Gold:
    """The two id sets of an answer and nothing else; only `fit` is shown them, of validation."""

    utterance_ids: frozenset[int]
    image_ids: frozenset[int]


Example = tuple[DialogueView, list[Ask], list[Gold]]
"""A dialogue with its queries and their answers, parallel."""


class Retriever(Protocol):
    """A system that answers queries with fragments.

    Beside this it may have a `needs`, a tuple of words on what it takes beyond the core (`extra embed`, `endpoint`, `GPU`), a
    `movable`, a tuple of the options that say where something is and shape no answer (they are not recorded), and what
    `Opened`, `Fittable`, `Parallel`, `Sampled` or `Oracle` describe. The first line of its docstring is what lists show.
    """

    @property
    def sees(self) -> Collection[Sees]:
        """What it is shown: `text`, and `captions` and `pixels` where it asks for them."""
        ...

    def retrieve(self, view: DialogueView, asks: list[Ask]) -> Iterator[Prediction]:
        """Yield a prediction for each query of one dialogue, in any order.

        A prediction may say what came of it: `response`, `outcome`, scores, and in `meta` whatever explains it.
        """
        ...


def _silent(line: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Run:
    """What a system may use of the run that it is part of; the dataset is not among it."""

    out: Path
    """The predictions file. A system keeps its own files beside it: `OUT.responses.sqlite`, `OUT.vectors.sqlite`."""
    real: bool = False
    """Whether any dialogue is a real chat."""
    consent_scopes: frozenset[str] = frozenset()
    """What every speaker of a real set gave."""
    templates: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """SHA-256 -> system and user message of the prompts that `import-release` kept."""
    responses: Path | None = None
    """Where answers of models are kept; None is `OUT.responses.sqlite`."""
    offline: bool = False
    """Answer from `responses` alone."""
    budget: float | None = None
    """The most that may be spent, in the currency of the price; None is no limit."""
    note: Callable[[str], None] = _silent
    """Takes one line for the person who waits."""

    def check_endpoint(self, place: str, base_url: str) -> None:
        """Refuse an endpoint off loopback for real chats without the consent scope `third_party_model`.

        Raises:
            InputError: in that case.
        """
        check_consent(place, base_url, self.consent_scopes, self.real)


@runtime_checkable
class Opened(Protocol):
    """A retriever that loads a model or keeps files."""

    def open(self, run: Run) -> None:
        """Load what is needed; called once, before `fit`.

        Raises:
            MldrError: for what cannot be had.
        """
        ...

    def close(self) -> None:
        """Let go of it; called at the end, after an error too."""
        ...


@runtime_checkable
class Parallel(Protocol):
    """A retriever whose `retrieve` may run for several dialogues at once, each in a thread of its own."""

    @property
    def at_once(self) -> int:
        """How many dialogues."""
        ...


@runtime_checkable
class Sampled(Protocol):
    """A retriever that draws: another sample is another answer to the same query."""

    def sampled(self, view: DialogueView, asks: list[Ask], sample: int) -> Iterator[Prediction]:
        """Yield the `sample`-th answer to each query; the same in every run."""
        ...


@runtime_checkable
class Oracle(Protocol):
    """No system but an upper bound: it is shown the truth, and every prediction of it is marked `oracle`."""

    def reveal(self, fragments: Sequence[Fragment], golds: Mapping[str, Gold]) -> None:
        """Take the fragments of the next dialogue and query_id -> its answer; called before each `retrieve`."""
        ...


@runtime_checkable
class Fittable(Protocol):
    """A retriever with values that are tuned on validation.

    Where it has an attribute `fitted`, a dictionary of the tuned values, predictions record it.
    """

    def fit(self, examples: Iterable[Example]) -> None:
        """Tune on validation; called once, before the first `retrieve`."""
        ...


def view_of(dialogue: Dialogue, sees: Collection[Sees], image: Callable[[str], StoredImage]) -> DialogueView:
    """Return what a system sees of a dialogue.

    Args:
        dialogue: the dialogue.
        sees: what the system declares.
        image: image_key -> stored image; called only for systems that see pixels.
    """
    names = anonymous_speakers(dialogue.utterances)
    images = []
    for held in dialogue.images:
        stored = image(held.image_key) if "pixels" in sees else None
        # A set without picture files (`images: optional`) shows captions in their place, and every report says so.
        is_stand_in = stored is not None and stored.content is None and held.image_key.startswith("ref:")
        images.append(
            ViewImage(
                caption=held.caption if "captions" in sees or is_stand_in else "",
                content=None if stored is None else stored.content,
                media_type="" if stored is None else stored.media_type,
            )
        )
    utterances = (ViewUtterance(names[u.speaker], u.text, u.image_ids) for u in dialogue.utterances)
    return DialogueView(dialogue.language, tuple(utterances), tuple(images))


def ask_of(query: Query) -> Ask:
    """Return what a system sees of a query."""
    return Ask(query.query_id, query.text, query.language)
