from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, cast

import pytest

from mldr.dataset import Dataset
from mldr.dialogue import Dialogue, Fragment, Gold, Query, StoredImage
from mldr.manifest import Manifest
from mldr.retrievers import Ask, DialogueView, ViewImage, ViewUtterance, run_retriever
from mldr.retrievers import Gold as GoldIds
from mldr.retrievers.bm25 import BM25
from mldr.retrievers.protocol import Fittable, ask_of, view_of
from mldr.retrievers.trivial import All, Nothing, Random
from tests.conftest import Rows, small_dialogue, small_rows, stored_picture, write_dataset
from tests.retrievers import cheating
from tests.retrievers.support import plug_in

RECORDS = (Gold, Fragment, Dataset, Dialogue, Query, StoredImage, Manifest)
"""What a system must never hold."""


def secretive(first: int, colour: str) -> Rows:
    """Return rows whose topics, sources, clusters, speakers and meta can be told from every other string."""
    rows = small_rows(first, colour)
    rows["dialogues"] = [
        replace(
            d,
            cluster_id=f"SECRET cluster {d.dialogue_id}",
            meta='{"SECRET":1}',
            licence="SECRET licence",
            attribution="SECRET attribution",
            utterances=tuple(replace(u, speaker=f"SECRET {u.speaker}") for u in d.utterances),
        )
        for d in cast(list[Dialogue], rows["dialogues"])
    ]
    rows["queries"] = [replace(query, meta='{"SECRET":1}') for query in cast(list[Query], rows["queries"])]
    rows["fragments"] = [
        replace(f, topic=f"SECRET topic {first}", source_id=f"SECRET {f.source_id}")
        for f in cast(list[Fragment], rows["fragments"])
    ]
    rows["images"] = [
        replace(image, source="SECRET source", url="https://SECRET.example", meta='{"SECRET":1}')
        for image in cast(list[StoredImage], rows["images"])
    ]
    return rows


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return write_dataset(
        tmp_path / "SECRET", {"validation": secretive(0, "red"), "test": secretive(16, "blue")}, name="SECRET set"
    )


Cheats = Callable[[str], Any]


@pytest.fixture
def cheats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dataset: Dataset) -> Cheats:
    """Run a cheating plug-in on `test` and return its class."""

    def run(name: str) -> Any:
        module = plug_in(cheating.SOURCE, tmp_path / "plug_ins", monkeypatch)
        run_retriever(f"{module}:{name}", dataset, "test", tmp_path / f"{name}.jsonl")
        return getattr(sys.modules[module], name)

    return run


def kinds_of(found: list[Any]) -> set[type[Any]]:
    return {type(thing) for thing in found}


# --- what can be reached


class Slotted:
    """Hides something where only a slot leads."""

    __slots__ = ("hidden",)

    def __init__(self, hidden: Any) -> None:
        self.hidden = hidden

    def reveal(self) -> Any:
        return self.hidden


@pytest.mark.parametrize("way", ["slot", "closure", "generator", "container", "method", "attribute"])
def test_the_cheat_would_find_gold_that_is_hidden_behind(dataset: Dataset, way: str) -> None:
    gold = next(dataset.gold("test"))
    slotted = Slotted([{"deep": (gold,)}])
    hidden: dict[str, Any] = {
        "slot": slotted,
        "closure": lambda: gold,
        "generator": (thing for thing in [gold]),
        "container": {frozenset([1]): [({"x": gold},)]},
        "method": slotted.reveal,
        "attribute": dataset,
    }
    wanted = Dataset if way == "attribute" else Gold
    assert any(isinstance(thing, wanted) for thing in cheating.reachable(hidden[way]))


def test_a_cheating_plug_in_reaches_no_record_of_the_dataset(cheats: Cheats) -> None:
    found = cheats("Cheat").found
    assert {DialogueView, ViewUtterance, ViewImage, Ask} <= kinds_of(found)
    assert not [thing for thing in found if isinstance(thing, (*RECORDS, GoldIds, Path))]


def test_a_cheating_plug_in_reaches_no_topic_source_cluster_kind_or_path(cheats: Cheats, dataset: Dataset) -> None:
    texts = {thing for thing in cheats("Cheat").found if isinstance(thing, str)}
    assert any("says word0" in text for text in texts)
    assert not [text for text in texts if "SECRET" in text or str(dataset.folder) in text]
    assert not texts & {"multimodal", "utterance", "image", "negative", "unrelated", "near", "fine", "topic", "rule"}
    assert not texts & {fragment.fragment_id for fragment in dataset.fragments("test")}
    assert not texts & {image.image_key for image in dataset.images("test")}


def test_a_cheating_plug_in_reaches_no_set_of_gold_ids(cheats: Cheats, dataset: Dataset) -> None:
    wanted = [set(gold.utterance_ids) for gold in dataset.gold("test") if gold.utterance_ids]
    assert wanted == [{0, 2}, {1, 4}]
    for thing in cheats("Cheat").found:
        if isinstance(thing, (set, frozenset)):
            raise AssertionError(f"a set is within reach: {thing}")
        if isinstance(thing, (list, tuple)) and all(isinstance(item, int) for item in thing):
            assert set(thing) not in wanted


def test_queries_come_without_anything_about_their_answers() -> None:
    asked = ask_of(Query("q", "d", "zh", "问题", meta='{"kind":"negative"}'))
    assert asked == Ask("q", "问题", "zh")
    assert [field.name for field in fields(Ask)] == ["query_id", "text", "language"]


# --- what is shown


@pytest.mark.parametrize(
    ("name", "caption", "pixels"),
    [("SeesText", "", False), ("SeesCaptions", "picture 0", False), ("SeesPixels", "", True)],
)
def test_captions_and_pixels_reach_only_systems_that_declare_them(
    cheats: Cheats, dataset: Dataset, name: str, caption: str, pixels: bool
) -> None:
    with_image, _ = cheats(name).views
    (image,) = with_image.images
    stored = next(dataset.images("test"))
    assert image.caption == caption
    assert image.content == (stored.content if pixels else None)
    assert image.media_type == ("image/png" if pixels else "")


def test_a_view_holds_text_and_images_in_order_with_speakers_renamed(dataset: Dataset) -> None:
    dialogue = next(dataset.dialogues("test"))
    seen = view_of(dialogue, {"text"}, dataset.image)
    assert [utterance.text for utterance in seen.utterances] == [u.text for u in dialogue.utterances]
    assert [utterance.speaker for utterance in seen.utterances] == ["user1", "user2"] * 3
    assert seen.utterances[0].image_ids == (0,)
    assert (seen.language, len(seen.images)) == ("en", 1)


def test_no_picture_is_read_for_a_system_that_sees_none() -> None:
    def refuse(key: str) -> StoredImage:
        raise AssertionError(f"{key} was read")

    seen = view_of(small_dialogue(1, images=[stored_picture()]), ("text", "captions"), refuse)
    assert seen.images == (ViewImage("picture 0"),)


def test_an_image_without_a_file_stands_as_its_caption_for_a_system_that_sees_pixels() -> None:
    missing = StoredImage("ref:tests/1", "missing")
    seen = view_of(small_dialogue(1, images=[missing]), ("text", "pixels"), lambda key: missing)
    assert seen.images == (ViewImage(caption="picture 0"),)


def test_a_picture_that_is_withheld_shows_no_caption_to_a_system_that_sees_pixels() -> None:
    withheld = StoredImage("sha256:" + "0" * 64, "withheld")
    seen = view_of(small_dialogue(1, images=[withheld]), ("text", "pixels"), lambda key: withheld)
    assert seen.images == (ViewImage(),)


# --- fit


def test_fit_is_called_once_and_first_with_validation_only(cheats: Cheats, dataset: Dataset) -> None:
    cheat = cheats("CheatsInFit")
    assert cheat.calls == ["fit", "retrieve", "retrieve"]
    asked = [ask.query_id for _, asks, _ in cheat.examples for ask in asks]
    assert asked == [query.query_id for query in dataset.queries("validation")]


def test_fit_sees_gold_as_two_id_sets_and_nothing_else(cheats: Cheats, dataset: Dataset) -> None:
    golds = [gold for _, _, golds in cheats("CheatsInFit").examples for gold in golds]
    assert [field.name for field in fields(GoldIds)] == ["utterance_ids", "image_ids"]
    assert {type(gold) for gold in golds} == {GoldIds}
    expected = [(frozenset(g.utterance_ids), frozenset(g.image_ids)) for g in dataset.gold("validation")]
    assert [(gold.utterance_ids, gold.image_ids) for gold in golds] == expected


def test_the_examples_of_fit_lead_to_no_record_topic_or_path(cheats: Cheats) -> None:
    cheat = cheats("CheatsInFit")
    found = cheating.reachable(list(cheat.examples))
    assert not [thing for thing in found if isinstance(thing, (*RECORDS, Path))]
    assert not [thing for thing in found if isinstance(thing, str) and "SECRET" in thing]


def test_what_fit_iterates_over_is_no_way_back_to_the_dataset(cheats: Cheats) -> None:
    found = [thing for thing in cheats("CheatsInFit").found if isinstance(thing, (*RECORDS, Path))]
    assert {type(thing).__name__ for thing in found} == set()


def test_a_system_with_fit_alone_is_fitted_too(cheats: Cheats) -> None:
    assert cheats("FitsAlone").calls == [2]  # the two dialogues of validation


def test_a_system_is_not_fitted_where_there_is_no_validation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = plug_in(cheating.SOURCE, tmp_path / "plug_ins", monkeypatch)
    dataset = write_dataset(tmp_path / "d", {"test": small_rows(16, "blue")})
    run_retriever(f"{module}:CheatsInFit", dataset, "test", tmp_path / "p.jsonl")
    assert sys.modules[module].CheatsInFit.calls == ["retrieve", "retrieve"]


def test_a_system_is_not_fitted_where_the_gold_of_validation_is_withheld(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = plug_in(cheating.SOURCE, tmp_path / "plug_ins", monkeypatch)
    hidden = small_rows(0, "red")
    hidden["gold"], hidden["fragments"] = [], []
    dataset = write_dataset(tmp_path / "d", {"validation": hidden, "test": small_rows(16, "blue")})
    run_retriever(f"{module}:CheatsInFit", dataset, "test", tmp_path / "p.jsonl")
    assert "fit" not in sys.modules[module].CheatsInFit.calls


def test_the_reference_systems_declare_what_they_see() -> None:
    for system in (All(), Nothing(), Random(), BM25()):
        assert tuple(system.sees) == ("text",)
    assert tuple(BM25(captions=True).sees) == ("text", "captions")
    assert isinstance(BM25(), Fittable)
    assert not isinstance(All(), Fittable)
