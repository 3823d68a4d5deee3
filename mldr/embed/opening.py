"""From the embedder that a recipe names to an object that embeds."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from mldr.consent import check_consent
from mldr.embed.protocol import Embedder, EmbedderSpec
from mldr.errors import MldrError, printable
from mldr.plugins import resolve

GROUP = "mldr.embedders"


def open_embedder(spec: EmbedderSpec, consent_scopes: Collection[str] | None = None) -> Embedder:
    """Return the embedder that `spec` names; a local one is loaded, an endpoint is not asked yet.

    Args:
        spec: as a recipe gives it.
        consent_scopes: for real chats, what every speaker gave; None where nothing real is embedded.

    Raises:
        MissingExtra: if it needs a library that is not installed.
        MldrError: if there is no such embedder, its model cannot be had, it lacks what an embedder has, or real chats would
            leave this machine without consent.
    """
    kind = resolve(GROUP, spec.type)
    name = printable(spec.type, 100)
    lacking = [method for method in ("embed_texts", "embed_images") if not callable(getattr(kind, method, None))]
    if not isinstance(kind, type) or lacking:
        raise MldrError(f"embedder.type: {name} is no embedder; it lacks {', '.join(lacking) or 'a class'}")
    try:
        embedder: Any = kind(spec)
    except MldrError:
        raise
    except Exception as error:
        raise MldrError(printable(f"embedder {name}: cannot be set up ({type(error).__name__}: {error})")) from error
    _check(embedder, name)
    where = getattr(embedder, "base_url", spec.base_url)
    if consent_scopes is not None and where:
        check_consent("embedder", where, consent_scopes, origin_real=True)
    opened: Embedder = embedder
    return opened


def _check(embedder: Any, name: str) -> None:
    identity, sees_images = getattr(embedder, "identity", None), getattr(embedder, "sees_images", None)
    if not isinstance(identity, str) or not identity:
        raise MldrError(f"embedder {name}: its `identity` is {identity!r}; it names what vectors are kept under")
    if not isinstance(sees_images, bool):
        raise MldrError(f"embedder {name}: its `sees_images` is {sees_images!r}; it is True or False")
