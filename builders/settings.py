"""The settings of each step of a build, as a recipe writes them. Every number of the papers' construction is here."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

STRICT = ConfigDict(extra="forbid", strict=True, frozen=True)
TOPICS = 3
"""Sources of a dialogue, each with a topic of its own (the papers' triplets)."""
NAME = r"^[a-z0-9][a-z0-9-]{0,63}$"


def _storable(text: str) -> str:
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("holds a NUL or half of a surrogate pair")
    return text


def _subtag(language: str) -> str:
    if language and not re.fullmatch(r"[a-z]{2,3}", language):
        raise ValueError(f"{language!r} is no primary language subtag such as zh or en")
    return language


Text = Annotated[str, AfterValidator(_storable)]
Language = Annotated[Text, AfterValidator(_subtag)]
Share = Annotated[float, Field(ge=0, le=1)]


class EmbedderSettings(BaseModel):
    """What turns texts and pictures into vectors."""

    model_config = STRICT

    type: Text = "sentence-transformers"
    """A registered embedder (`sentence-transformers`, `openai`), or `module:Class`."""
    model: Text = ""
    """A model's name, or a folder; as the embedder takes it."""
    base_url: Text = ""
    """Of an embeddings endpoint; no part of the recipe's identity."""
    key_env: Text = "OPENAI_API_KEY"
    """The environment variable with its key; no part of the recipe's identity."""
    batch: int = Field(default=64, ge=1, le=4096)


class CoherenceSettings(BaseModel):
    """The papers' topic coherence filter: the turns of a dialogue lie in few clusters of sentence embeddings (IJCV B.1)."""

    model_config = STRICT

    clusters: int = Field(default=20, ge=1)
    """k of k-means over the turns of all sources of a language; the papers do not give theirs."""
    floor: Share = 0.2
    """A dialogue is dropped where a smaller share of its turns lies in its commonest cluster. Short turns scatter: with 20
    clusters a floor of 0.5 drops most real dialogues."""


class CleanSettings(BaseModel):
    """The papers' four filters (IJCV B.1), each off where it is null or 0, and the grouping of near-duplicates."""

    model_config = STRICT

    image_text_floor: float | None = Field(default=None, ge=-1, le=1)
    """A dialogue is dropped where an image's cosine to the text of its turn and caption is lower (the papers' value is unknown)."""
    coherence: CoherenceSettings | None = None
    alternating_turns: int = Field(default=0, ge=0)
    """A dialogue needs so many turns in a row in which two speakers alternate (papers: 3)."""
    min_side: int = Field(default=0, ge=0)
    """Pixels of the shorter side of an image (papers: 500, which side they do not say)."""
    max_aspect: float = Field(default=0.0, ge=0)
    """Longer side / shorter side of an image (papers: 7.5)."""
    near_text: float = Field(default=0.0, ge=0, le=1)
    """Dialogues whose shingles are at least so similar (Jaccard) are grouped: never in two splits nor in one dialogue.
    0: exact text only."""
    near_image_bits: int = Field(default=0, ge=0, le=16)
    """Images whose 64-bit perceptual hashes differ in at most so many bits are grouped. 0: same picture only."""


class MatchSettings(BaseModel):
    """How three sources come together."""

    model_config = STRICT

    method: Literal["topics", "embeddings"] = "topics"
    """`topics`: three different topics, no model. `embeddings`: the papers' nearest neighbours (AAAI; IJCV 4.1)."""
    candidates: int = Field(default=50, ge=1)
    """Nearest by the cosine of mean text embeddings."""
    text_weight: Share = 0.7
    image_weight: Share = 0.3
    """Of the reranking; where a source has no image vector, the text alone counts."""
    best: int = Field(default=2, ge=1, le=10)
    """Kept at each of two steps: up to best * best dialogues for each first source; in `validation` and `test` one."""
    neighbours: int = Field(default=8, ge=0, le=64)
    """Nearest sources kept for negatives of type `near`."""


class StitchSettings(BaseModel):
    """How three sources become one dialogue."""

    model_config = STRICT

    model: Text = ""
    """A key of `models`; '' stitches by rule."""
    language: Language = ""
    """Translate into this language; '' keeps the sources'. Needs a model."""
    interleave: bool = False
    """Topics return later, as in real chats; else one after another, as in the papers."""
    attempts: int = Field(default=3, ge=1, le=20)
    """Answers that are whole, fit the schema and are rejected for their content, before the dialogue is given up."""
    given_up: Literal["rule", "drop"] = "rule"
    """What becomes of such a dialogue: stitched by rule (dropped where it should have been translated), or dropped. Counted."""


class TagSettings(BaseModel):
    """Who says which elements belong together."""

    model_config = STRICT

    model: Text = ""
    """A key of `models`; '' takes the tags of the sources."""
    attempts: int = Field(default=3, ge=1, le=20)


class KindShares(BaseModel):
    """Shares of the answerable queries of each kind; null takes what the fragments give."""

    model_config = STRICT

    multimodal: Share
    utterance: Share
    image: Share

    @model_validator(mode="after")
    def _sum(self) -> KindShares:
        if abs(self.multimodal + self.utterance + self.image - 1) > 1e-6:
            raise ValueError("the shares of multimodal, utterance and image sum to 1")
        return self


class QuerySettings(BaseModel):
    """What is asked of a dialogue."""

    model_config = STRICT

    model: Text = ""
    """A key of `models` that writes queries in natural language; '' asks by tag (papers) or by rule."""
    attempts: int = Field(default=3, ge=1, le=20)
    limit: int = Field(default=0, ge=0, le=1000)
    """Answerable queries a dialogue at most; 0: one for every fragment."""
    kinds: KindShares | None = None
    negatives: int = Field(default=2, ge=0, le=100)
    """Queries without an answer a dialogue, of type `unrelated`."""
    near: int = Field(default=0, ge=0, le=100)
    """Queries without an answer a dialogue, of type `near`: a matched neighbour's, or with one detail wrong."""
    quoted: int = Field(default=12, ge=2, le=1000)
    """A query by a model that shares a run of so many letters and digits with its fragment is rejected as a quotation."""


class VerifySettings(BaseModel):
    """A second, blind answer to each query."""

    model_config = STRICT

    model: Text
    """A key of `models`; best another one than wrote the labels."""
    threshold: Share = 0.5
    """An answer agrees where its Jaccard similarity to the gold (utterances and images together) is at least this; two empty
    ones agree."""
    splits: list[Text] = Field(default_factory=list)
    """Only these; empty: all."""
