from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from mldr.builders.settings import QuerySettings, StitchSettings, TagSettings, VerifySettings
from mldr.builders.writing.drafting import draft_row
from mldr.builders.writing.estimate import expected
from tests.builders.writing.clerks import KEYS, Clerk, context, material

STITCH, TAG = StitchSettings(model="writer"), TagSettings(model="writer")
RECIPES: list[dict[str, Any]] = [
    {"stitch": STITCH},
    {"tag": TAG, "queries": QuerySettings(negatives=1)},
    {"queries": QuerySettings(model="writer", negatives=1, near=1)},
    {"verify": VerifySettings(model="judge"), "queries": QuerySettings(negatives=1)},
    {
        "stitch": STITCH,
        "tag": TAG,
        "queries": QuerySettings(model="writer", negatives=1),
        "verify": VerifySettings(model="judge"),
    },
]


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_is_expected_is_about_what_is_asked(recipe: dict[str, Any], language: str) -> None:
    if language == "zh" and "stitch" not in recipe:
        return
    settings, asked, clerk = context(**recipe), material(language=language), Clerk()
    guessed = list(expected(asked, KEYS, settings))
    asyncio.run(draft_row(asked, KEYS, settings, {"writer": clerk, "judge": clerk}))
    want, got = Counter(one.request.step for one in guessed), Counter(request.step for request, _ in clerk.asked)
    assert set(want) == set(got)
    for step in ("stitch", "tag", "queries"):
        assert abs(want[step] - got[step]) <= 1
    guessed_size = sum(len(message.content) for one in guessed for message in one.request.messages)
    true_size = sum(len(message.content) for request, _ in clerk.asked for message in request.messages)
    assert 0.5 < guessed_size / true_size < 2
    assert all(one.answer for one in guessed)


def test_a_recipe_without_models_expects_nothing() -> None:
    assert not list(expected(material(), KEYS, context()))


def test_the_first_question_is_known_exactly() -> None:
    clerk = Clerk()
    settings = context(stitch=STITCH)
    guessed = next(iter(expected(material(), KEYS, settings)))
    asyncio.run(draft_row(material(), KEYS, settings, {"writer": clerk}))
    assert clerk.asked[0][0] == guessed.request
