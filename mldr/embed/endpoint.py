"""An embedder behind an OpenAI-compatible embeddings endpoint (a commercial API, vLLM, llama.cpp, ...)."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mldr.consent import address, on_loopback
from mldr.embed.protocol import EmbedderSpec, Vectors
from mldr.errors import InterruptedRun, MldrError, printable
from mldr.files import parse_json

if TYPE_CHECKING:
    from openai import OpenAI
    from PIL import Image

MALFORMED_TRIES = 3
"""Whole answers that are no JSON, before the run stops."""


class EndpointEmbedder:
    """Embeds texts by asking a server; images it does not embed.

    The key is read from the environment variable that `key_env` names and is never shown. Nothing is asked but
    `POST base_url/embeddings`; no redirect is followed, and a server on loopback is never reached through a proxy.
    What a server makes of a text may depend on its batch and its load, so a build keeps the vectors (`CachedEmbedder`).
    A server that moves keeps its identity: it is the model's name.

    Args:
        spec: `model`, `base_url`, `key_env` and `batch` are used.
        retries: further tries of one request after 429, 5xx, a time-out or a broken connection, with growing pauses;
            `Retry-After` is honoured.
        timeout_s: seconds that one request may take.

    Raises:
        MldrError: if no model is named, or the key's variable is empty.
    """

    sees_images = False

    def __init__(self, spec: EmbedderSpec, *, retries: int = 6, timeout_s: float = 120.0) -> None:
        if not spec.model:
            raise MldrError("embedder.model: empty; give the name that the server knows")
        self._model = spec.model
        self.base_url = address(spec.base_url)
        self.block = spec.batch
        self.identity = f"openai:{spec.model}"
        self._retries, self._timeout_s = retries, timeout_s
        self._key = _key(spec.key_env, self.base_url)
        self._dimensions = 0
        self._opened: OpenAI | None = None

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """Return a float32 row for each text, shape (texts, dimensions).

        Raises:
            InterruptedRun: if the server is down, overloaded or talks nonsense for longer than the retries last.
            MldrError: if it refuses the request, or answers with another count or size of vectors than asked for.
        """
        drawn = [texts[start : start + self.block] for start in range(0, len(texts), self.block)]
        rows = [self._asked(batch) for batch in drawn]
        return np.concatenate(rows) if rows else np.zeros((0, self._dimensions), dtype=np.float32)

    def embed_images(self, images: Sequence[Image.Image]) -> Vectors:
        """Refuse: the protocol of these endpoints has no images."""
        raise MldrError(f"{printable(self.identity)}: an embeddings endpoint sees no images; use sentence-transformers")

    def _asked(self, texts: Sequence[str]) -> Vectors:
        reason = ""
        for _ in range(MALFORMED_TRIES):
            content = self._posted(texts)
            try:
                answer = parse_json(content)
            except ValueError as error:
                reason = str(error)
                continue
            try:
                vectors = _vectors(answer, len(texts))
            except ValueError as error:
                raise MldrError(self._said(f"answered {len(texts)} texts with {error}")) from error
            if self._dimensions and vectors.shape[1] != self._dimensions:
                raise MldrError(self._said(f"answered {vectors.shape[1]} dimensions, before {self._dimensions}"))
            self._dimensions = vectors.shape[1]
            return vectors
        raise InterruptedRun(self._said(f"answered {MALFORMED_TRIES} times what is {reason}; start again to go on"))

    def _posted(self, texts: Sequence[str]) -> bytes:
        """Return the body of the answer to one request."""
        import openai

        try:
            answered = self._client().embeddings.with_raw_response.create(model=self._model, input=list(texts))
            return bytes(answered.http_response.content)
        except openai.APIStatusError as error:
            if error.status_code in (408, 409, 429) or error.status_code >= 500:
                raise InterruptedRun(self._said(f"{error}; start again to go on")) from None
            raise MldrError(self._said(str(error))) from None  # from None: the request in the error holds the key
        except openai.APIConnectionError as error:
            cause = f" ({error.__cause__})" if error.__cause__ and str(error.__cause__) else ""
            raise InterruptedRun(self._said(f"{error}{cause}; start again to go on")) from None
        except (openai.OpenAIError, ValueError) as error:  # ValueError: a URL that no client takes
            raise MldrError(self._said(f"{type(error).__name__}: {error}")) from None

    def _client(self) -> OpenAI:
        if self._opened is None:
            import openai

            try:
                self._opened = openai.OpenAI(
                    api_key=self._key,
                    base_url=self.base_url,
                    max_retries=self._retries,
                    timeout=self._timeout_s,
                    http_client=openai.DefaultHttpxClient(
                        follow_redirects=False, trust_env=not on_loopback(self.base_url), timeout=self._timeout_s
                    ),
                )
            except (openai.OpenAIError, ValueError) as error:
                raise MldrError(self._said(f"{type(error).__name__}: {error}")) from None
        return self._opened

    def _said(self, message: str) -> str:
        """Return a message about this server on one line, without the key, which a server may repeat."""
        return printable(f"embedder {self._model} at {self.base_url}: {message}".replace(self._key, "[key]"))


def _key(variable: str, base_url: str) -> str:
    """Return the key, or a stand-in where none is needed: the client refuses an empty one."""
    key = os.environ.get(variable, "").strip() if variable else ""
    if not key and variable and not on_loopback(base_url):
        raise MldrError(
            f"embedder.key_env: the environment variable {printable(variable, 100)} is empty; set it to the key"
        )
    return key or "no-key-needed"


def _vectors(answer: Any, count: int) -> Vectors:
    """Return the vectors of an answer in the order of the texts.

    Raises:
        ValueError: saying what it holds instead.
    """
    rows = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("no list of vectors under `data`")
    if len(rows) != count:
        raise ValueError(f"{len(rows)} vectors")
    order = [row.get("index") for row in rows]
    if any(type(index) is not int for index in order) or sorted(order) != list(range(count)):
        raise ValueError("vectors whose `index` does not count the texts")
    by_index = {row["index"]: _vector(row.get("embedding")) for row in rows}
    sizes = {len(vector) for vector in by_index.values()}
    if len(sizes) > 1 or 0 in sizes:
        raise ValueError(f"vectors of {', '.join(map(str, sorted(sizes)))} dimensions")
    return np.stack([by_index[index] for index in range(count)])


def _vector(embedding: Any) -> Vectors:
    """Return one vector, from base64 of little-endian floats or a list of numbers."""
    if isinstance(embedding, str):
        try:
            packed = base64.b64decode(embedding, validate=True)
        except (binascii.Error, ValueError) as error:
            raise ValueError("a vector that is not base64") from error
        if len(packed) % 4:
            raise ValueError("a vector cut inside a number")
        vector = np.frombuffer(packed, dtype="<f4").astype(np.float32)
    elif isinstance(embedding, list) and all(type(value) in (int, float) for value in embedding):
        try:
            with np.errstate(over="ignore"):
                vector = np.array(embedding, dtype=np.float32)
        except (OverflowError, ValueError) as error:
            raise ValueError("a vector with a number that is too large") from error
    else:
        raise ValueError("a vector that is neither base64 nor a list of numbers")
    if not np.isfinite(vector).all():
        raise ValueError("a vector with a value that is no finite number")
    return vector
