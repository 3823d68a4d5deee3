from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mldr
from mldr.errors import MldrError
from mldr.eval import Evaluator
from mldr.retrievers import Ask, Gold, run_retriever
from mldr.retrievers.bm25 import BM25
from mldr.retrievers.protocol import Example
from mldr.retrievers.runner import make_retriever
from mldr.tokens import tokens
from tests.eval.support import unhurried
from tests.retrievers.support import answer, rows_of, view

CHAT = ("shall we go hiking on Sunday", "yes, the lake is lovely", "I bought a new bicycle", "red or blue?", "")


# --- what is found


def test_the_obvious_utterance_is_found() -> None:
    assert answer(BM25(), view(*CHAT), "bicycle") == ((2,), ())
    assert answer(BM25(), view(*CHAT), "Where is that LAKE?")[0][-1] == 1


@pytest.mark.parametrize("language", ["zh", "en"])
def test_chinese_is_found_by_its_characters_whatever_language_the_dialogue_claims(language: str) -> None:
    seen = view("周末去爬山吗", "我买了一辆新自行车", "晚饭吃火锅", language=language)
    assert answer(BM25(), seen, "自行车")[0] == (1,)
    assert answer(BM25(), seen, "他说的火锅")[0] == (2,)


def test_words_are_found_inside_chinese_text() -> None:
    assert answer(BM25(), view("我的iPhone坏了", "好吧"), "iphone")[0] == (0,)


def test_a_better_match_scores_higher() -> None:
    (prediction,) = BM25().retrieve(view("lake", "lake hotel", "lake hotel booking"), [Ask("q", "hotel booking", "en")])
    assert prediction.utterance_ids == (1, 2)
    assert prediction.utterance_scores is not None
    assert prediction.utterance_scores[0] < prediction.utterance_scores[1]
    assert prediction.image_scores == ()


def test_an_image_is_found_by_the_text_that_it_was_sent_with() -> None:
    seen = view("look at this sunset", "nice", images=[(0, "a cat"), (1, "a dog")])
    assert answer(BM25(), seen, "sunset") == ((0,), (0,))


def test_captions_are_searched_only_if_told() -> None:
    seen = view("look", "nice", images=[(0, "a sleeping cat"), (1, "a dog")])
    assert answer(BM25(), seen, "sleeping cat")[1] == ()
    assert answer(BM25(captions=True), seen, "sleeping cat")[1] == (0,)


@pytest.mark.parametrize("texts", [(), ("",), ("", ""), ("?!", "…", "😀")])
def test_an_empty_corpus_retrieves_nothing(texts: tuple[str, ...]) -> None:
    seen = view(*texts, images=[(0, "")] if texts else [])
    assert answer(BM25(), seen, "anything") == ((), ())
    assert answer(BM25(captions=True), seen, "anything") == ((), ())


@pytest.mark.parametrize("query", ["", "   ", "?!", "unheard of", "火"])
def test_a_query_without_a_known_token_retrieves_nothing(query: str) -> None:
    assert answer(BM25(), view(*CHAT), query) == ((), ())


TEXTS = st.lists(
    st.sampled_from(["lake", "lake lake hotel", "去爬山", "", "?!", "red bicycle", "a" * 300]) | st.text(), max_size=6
)


@unhurried
@given(TEXTS, st.text() | st.sampled_from(["lake", "爬山", "red"]))
def test_any_dialogue_and_query_give_ids_of_the_dialogue_with_positive_scores(texts: list[str], query: str) -> None:
    (prediction,) = BM25().retrieve(view(*texts), [Ask("q", query, "en")])
    assert prediction.utterance_ids is not None
    assert set(prediction.utterance_ids) <= {i for i, text in enumerate(texts) if text}
    assert all(score > 0 for score in prediction.utterance_scores or ())
    known = {token for text in texts for token in tokens(text)}
    if not known & set(tokens(query)):
        assert prediction.utterance_ids == ()


def test_queries_of_one_dialogue_do_not_disturb_one_another() -> None:
    asks = [Ask(str(n), query, "en") for n, query in enumerate(("lake", "nothing known", "bicycle", "lake"))]
    found = [prediction.utterance_ids for prediction in BM25().retrieve(view(*CHAT), asks)]
    assert found == [(1,), (), (2,), (1,)]


# --- the threshold


def example(texts: tuple[str, ...], query: str, gold: set[int], images: set[int] | None = None) -> Example:
    seen = view(*texts, images=[(position, "") for position in range(len(texts))])
    return seen, [Ask("q", query, "en")], [Gold(frozenset(gold), frozenset(images or ()))]


NOISY = ("we talked about the lake and the weather and food", "lake", "the lake hotel", "food and weather", "bye")


def f1(retriever: BM25, examples: list[Example]) -> float:
    """Return the mean F1 over utterances, by its definition."""
    values = []
    for seen, asks, golds in examples:
        for prediction, gold in zip(retriever.retrieve(seen, asks), golds, strict=True):
            found = set(prediction.utterance_ids or ())
            both = len(found & gold.utterance_ids)
            total = len(found) + len(gold.utterance_ids)
            values.append(2 * both / total if total else 1.0)
    return sum(values) / len(values)


def test_no_other_threshold_does_better_on_what_was_fitted() -> None:
    examples = [
        example(NOISY, "lake hotel", {2}),
        example(NOISY, "the weather", {3}),
        example(NOISY, "is there any food", set()),
        example(CHAT, "a new bicycle or a lake", {2}),
    ]
    fitted = BM25()
    fitted.fit(examples)
    best = f1(fitted, examples)
    assert best > f1(BM25(), examples)
    assert best >= max(f1(BM25(utterance_threshold=step / 50), examples) for step in range(200))


def test_a_threshold_keeps_what_scores_above_it() -> None:
    (prediction,) = BM25().retrieve(view(*NOISY), [Ask("q", "lake", "en")])
    scores = prediction.utterance_scores
    assert scores is not None
    assert len(scores) == 3
    middle = sorted(scores)[1]
    assert len(answer(BM25(utterance_threshold=middle - 0.001), view(*NOISY), "lake")[0]) == 2
    assert answer(BM25(utterance_threshold=99), view(*NOISY), "lake")[0] == ()


def test_where_every_match_is_gold_nothing_is_cut() -> None:
    fitted = BM25()
    fitted.fit([example(NOISY, "lake", {0, 1, 2}, {0, 1, 2})])
    assert answer(fitted, view(*NOISY), "lake")[0] == (0, 1, 2)
    assert fitted.fitted["utterances_threshold"] == 0.0


@pytest.mark.parametrize(
    "examples",
    [
        [],
        [(view("a"), [], [])],
        [example(("", ""), "lake", set())],
        [example(NOISY, "unheard of", {1})],
        [example((), "x", set())],
    ],
)
def test_validation_without_a_single_match_leaves_a_threshold_of_nought(examples: list[Example]) -> None:
    fitted = BM25()
    fitted.fit(examples)
    assert fitted.fitted == {"utterances_threshold": 0.0, "images_threshold": 0.0}


def test_the_thresholds_are_fitted_on_validation_and_recorded(tmp_path: Path, demo_dataset: mldr.Dataset) -> None:
    run_retriever("bm25", demo_dataset, "test", tmp_path / "p.jsonl")
    metas = {row["meta"] for row in rows_of(tmp_path / "p.jsonl")}
    (meta,) = [json.loads(text) for text in metas]
    assert meta["fitted_on"] == "validation"
    assert set(meta["fitted"]) == {"utterances_threshold", "images_threshold"}
    assert meta["fitted"]["utterances_threshold"] > 0
    assert meta["sees"] == ["text"]
    above = [score for row in rows_of(tmp_path / "p.jsonl") for score in row["utterance_scores"]]
    assert min(above) >= meta["fitted"]["utterances_threshold"]


def test_captions_are_recorded_as_seen(tmp_path: Path, demo_dataset: mldr.Dataset) -> None:
    run_retriever("bm25", demo_dataset, "test", tmp_path / "p.jsonl", options={"captions": True}, limit=1)
    meta = json.loads(rows_of(tmp_path / "p.jsonl")[0]["meta"])
    assert meta["sees"] == ["captions", "text"]
    assert meta["options"] == {"captions": True}


def test_bm25_beats_chance_on_the_demo(tmp_path: Path, demo_dataset: mldr.Dataset) -> None:
    evaluator = Evaluator(demo_dataset, "test")
    found = {}
    for name in ("bm25", "random", "none"):
        run_retriever(name, demo_dataset, "test", tmp_path / f"{name}.jsonl")
        found[name] = evaluator.score(evaluator.read(tmp_path / f"{name}.jsonl")).measures["utt_mcc"].value or 0.0
    assert found["bm25"] > found["random"] + 0.05
    assert found["none"] == 0.0


@pytest.mark.parametrize("options", [{"utterance_threshold": "high"}, {"image_threshold": [1]}, {"captions": "maybe"}])
def test_an_option_of_another_type_is_refused_in_words(options: dict[str, object]) -> None:
    with pytest.raises(MldrError, match=next(iter(options))):
        make_retriever("bm25", options)
