from __future__ import annotations

from dataclasses import replace

import pytest

from mldr.builders.licensed import allowed
from mldr.builders.sources.record import SourceDialogue
from tests.builders.support import source


def licensed(dialogue: str, *images: str) -> SourceDialogue:
    made = source("a", "t", images=tuple(str(i) for i in range(len(images))))
    terms = zip(made.images, images, strict=True)
    return replace(made, licence=dialogue, images=tuple(replace(image, licence=word) for image, word in terms))


@pytest.mark.parametrize(
    ("dialogue", "named", "reason"),
    [
        (licensed("CC-BY-4.0"), [], ""),
        (licensed(""), [], ""),
        (licensed("CC-BY-4.0"), ["cc-by-4.0"], ""),
        (licensed("CC-BY-NC-4.0"), ["CC-BY-4.0"], "dialogue licence CC-BY-NC-4.0"),
        (licensed(""), ["CC-BY-4.0"], "dialogue licence unknown"),
        (licensed(""), ["unknown"], ""),
        (licensed("MIT", "MIT", ""), ["MIT"], "image licence unknown"),
        (licensed("MIT", "MIT", ""), ["MIT", "unknown"], ""),
        (licensed("MIT", "CC0-1.0"), ["MIT"], "image licence CC0-1.0"),
        (licensed("MIT AND CC-BY-4.0"), ["MIT"], "dialogue licence MIT AND CC-BY-4.0"),
        (licensed("MIT AND CC-BY-4.0"), ["MIT", "CC-BY-4.0"], ""),
        (licensed("MIT; CC-BY-4.0"), ["MIT", "CC-BY-4.0"], ""),
        (licensed("MIT OR CC-BY-NC-4.0"), ["MIT"], ""),
        (licensed("MIT OR X AND Y"), ["X"], "dialogue licence MIT OR X AND Y"),
        (licensed("(MIT OR X) AND Y"), ["MIT", "X", "Y"], "dialogue licence (MIT OR X) AND Y"),
        (licensed("MIT"), ["unknown"], "dialogue licence MIT"),
    ],
)
def test_a_dialogue_is_allowed_where_all_that_it_holds_is_named(
    dialogue: SourceDialogue, named: list[str], reason: str
) -> None:
    assert allowed(dialogue, named) == reason
