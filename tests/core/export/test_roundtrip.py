"""Export, then import: the same utterances, image order, query texts and gold, whatever the texts hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import mldr
from mldr.builders.pipeline import create
from mldr.builders.recipe import load_recipe
from mldr.builders.sources.demo import DEMO_FOLDER
from mldr.dataset import Asked, Dataset
from mldr.dialogue import Dialogue, DialogueImage, Gold, Query, StoredImage
from mldr.export import Rendering, export
from mldr.identity import query_ids
from mldr.markup import Sees, anonymous_speakers
from mldr.prompts import Order
from mldr.release import Import, import_release
from mldr.verify import verify
from tests.conftest import stored_picture, write_dataset
from tests.core.support import dialogues, hostile_text


def told(asked: Asked) -> tuple[object, ...]:
    """Return everything that must survive."""
    names = anonymous_speakers(asked.dialogue.utterances)
    gold = {
        query.text: (gold.utterance_ids, gold.image_ids) for query, gold in zip(asked.queries, asked.gold, strict=True)
    }
    lines = [(names[u.speaker], u.text, u.image_ids) for u in asked.dialogue.utterances]
    return asked.dialogue.dialogue_id, asked.dialogue.origin, lines, gold


def returned(dataset: Dataset, split: str, folder: Path, rendering: Rendering) -> Dataset:
    export(dataset, split, "ms-swift", folder / "export", rendering)
    import_release(Import(folder / "export"), folder / "back")
    back = mldr.load(folder / "back")
    verify(back)
    return back


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    recipe = load_recipe(DEMO_FOLDER / "recipe.yaml")
    return mldr.load(create(recipe, DEMO_FOLDER, tmp_path_factory.mktemp("demo") / "set"))


@pytest.mark.parametrize("order", ["query_first", "dialogue_first"])
@pytest.mark.parametrize("split", ["validation", "test"])
def test_the_demo_comes_back_whole(demo: Dataset, tmp_path: Path, split: str, order: Order) -> None:
    back = returned(demo, split, tmp_path, Rendering(order=order))
    assert [told(asked) for asked in back.asked(split)] == [told(asked) for asked in demo.asked(split)]
    assert back.manifest.gold_hash[split] == demo.manifest.gold_hash[split]
    for old, new in zip(demo.dialogues(split), back.dialogues(split), strict=True):
        assert [image.image_key for image in new.images] == [image.image_key for image in old.images]
        assert new.language == old.language
    for one, other in zip(demo.images(split), back.images(split), strict=True):
        assert (one.image_key, one.content, one.width, one.media_type) == (
            other.image_key,
            other.content,
            other.width,
            other.media_type,
        )


@st.composite
def asked_dialogues(draw: st.DrawFn) -> tuple[Dialogue, list[str], list[tuple[tuple[int, ...], tuple[int, ...]]]]:
    """Draw a dialogue that a dataset may hold, its queries and their gold."""
    clean = hostile_text.map(lambda text: text.replace("\r", "").replace("\0", ""))
    dialogue = draw(
        dialogues(clean).filter(lambda d: d.n_utterances > 0 and all(u.text or u.image_ids for u in d.utterances))
    )
    texts = draw(st.lists(clean.filter(str.strip), min_size=1, max_size=3, unique=True))
    worded = [i for i, u in enumerate(dialogue.utterances) if u.text]
    golds = [
        (
            tuple(sorted(draw(st.sets(st.sampled_from(worded))) if worded else ())),
            tuple(sorted(draw(st.sets(st.integers(0, dialogue.n_images - 1))) if dialogue.n_images else ())),
        )
        for _ in texts
    ]
    return dialogue, texts, golds


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(
    asked_dialogues(),
    st.sampled_from(["pixels", "captions", "text"]),
    st.sampled_from(["query_first", "dialogue_first"]),
    st.sampled_from(["zh", "en"]),
    st.lists(st.booleans(), min_size=15, max_size=15),
)
def test_hostile_texts_come_back_whole(
    drawn: tuple[Dialogue, list[str], list[tuple[tuple[int, ...], tuple[int, ...]]]],
    sees: Sees,
    order: Order,
    language: str,
    has_bytes: list[bool],
) -> None:
    dialogue, texts, golds = drawn
    stored = [stored_picture("red"), stored_picture("blue")]
    keys = [stored[i % 2].image_key if has_bytes[i] else image.image_key for i, image in enumerate(dialogue.images)]
    images = tuple(DialogueImage(key, image.caption) for key, image in zip(keys, dialogue.images, strict=True))
    dialogue = replace(dialogue, images=images, language=language)
    names = query_ids("d", texts)
    rows = sorted(zip(names, texts, golds, strict=True))
    known = {image.image_key: image for image in stored}
    with TemporaryDirectory() as folder:
        dataset = write_dataset(
            Path(folder) / "set",
            {
                "test": {
                    "dialogues": [dialogue],
                    "queries": [Query(name, "d", "en", text) for name, text, _ in rows],
                    "gold": [Gold(name, "", "free", *gold) for name, _, gold in rows],
                    "images": [known.get(key) or StoredImage(key, "missing") for key in sorted(set(keys))],
                }
            },
        )
        back = returned(dataset, "test", Path(folder), Rendering(sees=sees, order=order))
        (before,), (after,) = dataset.asked("test"), back.asked("test")
        assert told(after) == told(before)
        if sees == "captions":
            assert [i.caption for i in after.dialogue.images] == [i.caption for i in dialogue.images]
        if sees == "pixels":
            kept = [key for key in keys if key in known]
            assert [i.image_key for i in after.dialogue.images if i.image_key.startswith("sha256:")] == kept
        assert back.manifest.gold_hash == dataset.manifest.gold_hash
