"""The three local pages over a collection, ready for `mldr.web.serve`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from mldr.annotation.collection import Collection
from mldr.annotation.serving.adjudicating import AdjudicationDesk
from mldr.annotation.serving.labelling import LabelDesk
from mldr.annotation.serving.pagefiles import page_files
from mldr.annotation.serving.reviewing import CollectionReview, ReviewSource, review_routes
from mldr.annotation.serving.warnings import FindSpans
from mldr.web import LocalApp, Route

Language = Literal["en", "zh"]


def label_app(
    collection: Collection,
    annotator: str,
    *,
    given_only: bool = False,
    language: Language = "en",
    find_spans: FindSpans | None = None,
) -> LocalApp:
    """Return the page on which one annotator labels; no address of it tells what another one said.

    Args:
        collection: what is labelled.
        annotator: whose log is written.
        given_only: no queries of one's own.
        language: of the page's words; it can be changed there.
        find_spans: finds private things in a query.

    Raises:
        MldrError: if the annotator's name could be no file name.
    """
    desk = LabelDesk(collection, annotator, given_only=given_only, find_spans=find_spans)
    session = {"mode": "label", "annotator": annotator, "given_only": given_only, "language": language}
    return LocalApp([_session(session), *desk.routes()], page_files())


def adjudicate_app(collection: Collection, between: Sequence[str], by: str, *, language: Language = "en") -> LocalApp:
    """Return the page on which `by` decides between annotators.

    Raises:
        MldrError: for fewer than two annotators, one twice, or one who labelled nothing.
    """
    desk = AdjudicationDesk(collection, between, by)
    session = {"mode": "adjudicate", "annotator": by, "between": list(desk.between), "language": language}
    return LocalApp([_session(session), *desk.routes()], page_files())


def privacy_app(collection: Collection, *, language: Language = "en") -> LocalApp:
    """Return the page of the privacy pass over a collection."""
    return review_app(CollectionReview(collection), language=language)


def review_app(source: ReviewSource, *, language: Language = "en") -> LocalApp:
    """Return the page of a privacy pass over any source."""
    return LocalApp([_session({"mode": "privacy", "language": language}), *review_routes(source)], page_files())


def _session(session: dict[str, Any]) -> Route:
    return Route("GET", "/api/session", lambda _: session)
