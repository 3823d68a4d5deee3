"""The rewards as a trainer calls them."""

from __future__ import annotations

from pathlib import Path

import pytest

import mldr
from mldr.dialogue import Gold
from mldr.embed import CachedEmbedder
from mldr.errors import MldrError
from mldr.retrievers.f2rvlm.rewards import f1_reward, order_reward
from mldr.retrievers.f2rvlm.scorer import WEIGHTS, Scorer
from mldr.retrievers.f2rvlm.vectors import VectorTable
from tests.conftest import small_rows, write_dataset
from tests.core.support_embed import Hashes, Spec
from tests.retrievers.f2rvlm.support_rewards import answer, target


@pytest.fixture
def dataset(tmp_path: Path) -> mldr.Dataset:
    """Four queries, one of each kind, one a negative."""
    return write_dataset(tmp_path / "dataset", {"train_grpo": small_rows(0, "red")})


@pytest.fixture
def scorer(dataset: mldr.Dataset, tmp_path: Path) -> Scorer:
    """A scorer of them, with vectors."""
    with CachedEmbedder(Hashes(Spec()), tmp_path / "vectors.sqlite") as embedder:
        return Scorer.of(dataset, "train_grpo", VectorTable.build(dataset, "train_grpo", embedder, "pixels"))


def golden(dataset: mldr.Dataset) -> list[Gold]:
    return list(dataset.gold("train_grpo"))


def test_the_gold_itself_earns_everything_negatives_included(dataset: mldr.Dataset, scorer: Scorer) -> None:
    gold = golden(dataset)
    texts = [answer(one.utterance_ids, one.image_ids) for one in gold]
    ids = [one.query_id for one in gold]
    assert scorer.f1(texts, ids) == [1, 1, 1, 1]
    assert scorer.format(texts, query_id=ids) == [1, 1, 1, 1]
    by_kind = {one.kind: reward for one, reward in zip(gold, scorer.order(texts, ids), strict=True)}
    assert by_kind["negative"] == 1
    assert by_kind["image"] == 0.5


def test_it_is_the_pure_rewards_with_the_gold_and_vectors_of_the_query(dataset: mldr.Dataset, scorer: Scorer) -> None:
    gold = golden(dataset)
    texts, ids = [answer([0, 2, 4], [0])] * 4, [one.query_id for one in gold]
    targets = [scorer.targets[one] for one in ids]
    assert scorer.table is not None
    vectors = [scorer.table.of(one.rpartition("-")[0]) for one in ids]
    assert scorer.f1(texts, ids) == f1_reward(texts, targets).tolist()
    assert scorer.order(texts, ids) == order_reward(texts, targets, vectors).tolist()


def test_the_switches_of_the_forms_reach_the_rewards(dataset: mldr.Dataset) -> None:
    by_kind = {one.kind: one.query_id for one in golden(dataset)}
    paper = Scorer.of(dataset, "train_grpo", form="paper")
    assert paper.f1([answer([5])], [by_kind["utterance"]]) == [0.5 * 0.95 * 0 + 0.5]
    assert Scorer.of(dataset, "train_grpo").f1([answer([5])], [by_kind["utterance"]]) == [0]


def test_completions_may_be_messages_with_text_or_parts(dataset: mldr.Dataset, scorer: Scorer) -> None:
    ids = [one.query_id for one in golden(dataset)][:1] * 3
    text = answer([0, 2], [0])
    parts = [{"type": "text", "text": text[:20]}, {"type": "text", "text": text[20:]}]
    completions = [text, [{"role": "assistant", "content": text}], [{"role": "assistant", "content": parts}]]
    rewards = scorer.f1(completions, ids)  # type: ignore[arg-type] # a list of several kinds
    assert len(set(rewards)) == 1
    with pytest.raises(MldrError, match="content is int"):
        scorer.format([[{"role": "assistant", "content": 5}]])


def test_an_ablation_leaves_rewards_out_and_their_weights_are_the_papers(scorer: Scorer) -> None:
    assert [one.__name__ for one in scorer.functions()] == ["f1", "order", "format"]
    assert [one.__name__ for one in scorer.functions(["f1"])] == ["f1"]
    assert WEIGHTS == {"f1": 1.0, "order": 1.0, "format": 0.3}


def test_without_vectors_the_order_reward_is_refused_before_training_starts(dataset: mldr.Dataset) -> None:
    plain = Scorer.of(dataset, "train_grpo")
    assert len(plain.functions(["f1", "format"])) == 2
    with pytest.raises(MldrError, match="needs a table of vectors"):
        plain.functions()
    with pytest.raises(MldrError, match="needs a table of vectors"):
        plain.order([answer()], ["q"])


def test_an_unknown_query_stops_the_run(scorer: Scorer) -> None:
    for reward in (scorer.f1, scorer.order):
        with pytest.raises(MldrError, match="query nobody is not one of the split"):
            reward([answer()], ["nobody"])


def test_a_dialogue_without_vectors_stops_the_run() -> None:
    lonely = Scorer({"q": target([0])}, {"q": "d"}, VectorTable({}))
    with pytest.raises(MldrError, match="dialogue 'd' has no vectors"):
        lonely.order([answer([0])], ["q"])


def test_a_split_whose_gold_is_withheld_is_refused(tmp_path: Path) -> None:
    rows = {**small_rows(0, "red"), "gold": [], "fragments": []}
    withheld = write_dataset(tmp_path / "dataset", {"train_grpo": rows})
    with pytest.raises(MldrError, match="has no gold to reward answers by"):
        Scorer.of(withheld, "train_grpo")
