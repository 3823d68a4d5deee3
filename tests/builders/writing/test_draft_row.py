from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from mldr.builders.labels import Labelled
from mldr.builders.settings import QuerySettings, StitchSettings, TagSettings, VerifySettings
from mldr.builders.writing.context import Material, WritingContext
from mldr.builders.writing.draft import Draft
from mldr.builders.writing.drafting import draft_row
from mldr.builders.writing.realise import realise
from mldr.chat.request import ChatRequest
from mldr.dialogue import Dialogue, Fragment, Gold
from mldr.errors import InterruptedRun
from mldr.verify import dialogue_faults, gold_faults
from tests.builders.writing.clerks import ANOTHER, BIKES, BOATS, BREAD, KEYS, Clerk, chat, context, material

ALL = context(
    stitch=StitchSettings(model="writer"),
    tag=TagSettings(model="writer"),
    queries=QuerySettings(model="writer", negatives=1, near=2),
    verify=VerifySettings(model="judge"),
    models={"writer": "big-model", "judge": "other-model"},
)


def made(
    asked: Material, settings: WritingContext, clerk: Clerk, judge: Clerk | None = None
) -> tuple[Draft, Dialogue, Labelled]:
    draft = asyncio.run(draft_row(asked, KEYS, settings, {"writer": clerk, "judge": judge or clerk}))
    again = Draft.from_json(draft.to_json())
    dialogue, labelled = realise(asked, KEYS, settings, again)
    assert dialogue is not None
    assert list(dialogue_faults(dialogue, set(KEYS.values()))) == []
    answers: list[Gold | Fragment] = [*labelled.gold, *labelled.fragments]
    assert [fault for answer in answers for fault in gold_faults(answer, dialogue)] == []
    return draft, dialogue, labelled


def test_a_row_is_made_by_models_from_stitch_to_verify() -> None:
    clerk = Clerk()
    draft, dialogue, labelled = made(material(), ALL, clerk)
    assert clerk.steps()[:3] == ["stitched_dialogue", "tags", "queries"]
    texts = [utterance.text for utterance in dialogue.utterances]
    assert "our old sloop sails again! the mast is new!" in texts
    kinds = Counter((gold.kind, gold.negative_type) for gold in labelled.gold)
    assert kinds["negative", "unrelated"] == 1
    assert kinds["negative", "near"] == 2
    assert {gold.label_source for gold in labelled.gold} == {"model"}
    assert {gold.label_model for gold in labelled.gold} == {"big-model"}
    assert all(gold.verified for gold in labelled.gold)
    assert not labelled.flagged
    assert {fragment.level for fragment in labelled.fragments} == {"topic", "coarse", "fine"}
    assert not draft.counts.get("dialogues stitched by rule, no answer of the model held")


def test_model_prompt_version_and_attempt_are_kept() -> None:
    _, dialogue, labelled = made(material(), ALL, Clerk())
    stitch = json.loads(dialogue.meta)["stitch"]
    assert (stitch["model"], stitch["attempt"]) == ("big-model", 1)
    assert len(stitch["prompt"]) == 8
    for gold in labelled.gold:
        assert json.loads(gold.meta)["queries"]["attempt"] == 1
    assert all(query.meta == "" for query in labelled.queries)


def test_a_draft_reads_back_as_it_was_written_and_gives_the_same_records() -> None:
    asked = material()
    draft = asyncio.run(draft_row(asked, KEYS, ALL, {"writer": Clerk(), "judge": Clerk()}))
    again = Draft.from_json(draft.to_json())
    assert again.to_json() == draft.to_json()
    assert realise(asked, KEYS, ALL, again) == realise(asked, KEYS, ALL, draft)


def test_without_models_nothing_is_asked_and_the_rules_hold() -> None:
    clerk, asked, plain = Clerk(), material(), context()
    draft = asyncio.run(draft_row(asked, KEYS, plain, {}))
    assert not clerk.asked
    assert realise(asked, KEYS, plain, draft) == realise(asked, KEYS, plain, None)
    assert draft.negatives is None


@pytest.mark.parametrize("interleave", [False, True])
def test_topics_of_a_stitched_dialogue_return_only_if_the_recipe_says_so(interleave: bool) -> None:
    settings = context(stitch=StitchSettings(model="writer", interleave=interleave))
    draft, _, labelled = made(material(), settings, Clerk())
    assert draft.stitch is not None
    topics = {f.source_id: f.utterance_ids for f in labelled.fragments if f.level == "topic"}
    assert (max(topics["one"]) > min(topics["two"])) == interleave


def test_a_translated_dialogue_is_chinese_in_texts_captions_tags_and_queries() -> None:
    settings = context(
        stitch=StitchSettings(model="writer", language="zh"),
        tag=TagSettings(model="writer"),
        queries=QuerySettings(model="writer", negatives=1, near=1),
    )
    _, dialogue, labelled = made(material(language="zh"), settings, Clerk())
    texts = [u.text for u in dialogue.utterances if u.text] + [image.caption for image in dialogue.images]
    texts += [query.text for query in labelled.queries] + [f.topic for f in labelled.fragments if f.level != "topic"]
    assert dialogue.language == "zh"
    assert all(
        any("\u4e00" <= c <= "\u9fff" for c in text) and not any("a" <= c <= "z" for c in text) for text in texts
    )
    assert {query.language for query in labelled.queries} == {"zh"}
    assert Counter(gold.negative_type for gold in labelled.gold)["near"] == 1


def test_a_chinese_dialogue_stays_chinese() -> None:
    speech = "这艘旧船又能出海了/桅杆是新换的/船身是谁刷的漆/星期天我自己刷的/真漂亮"
    tea = "今年的龙井到了/香得很/哪里买的茶叶/杭州的老店"
    road = "山路上链条断了/你走回家的吗/有个农民捎了我一程/运气不错"
    chats = [chat(name, name, words, language="zh") for name, words in (("船", speech), ("茶", tea), ("车", road))]
    draft, dialogue, labelled = made(
        material(*chats), ALL, Clerk(turns={"stitched_dialogue": _bridged("对了说个别的事")})
    )
    assert draft.stitch is not None
    assert "这艘旧船又能出海了! 桅杆是新换的!" in [utterance.text for utterance in dialogue.utterances]
    assert any(gold.kind != "negative" for gold in labelled.gold)


def _bridged(text: str) -> Any:
    def turn(value: dict[str, Any]) -> dict[str, Any]:
        for one in value["utterances"]:
            one["text"] = one["text"] if one["topic"] else text
        return value

    return turn


def test_the_tags_are_the_queries_where_no_model_writes_them() -> None:
    settings = context(tag=TagSettings(model="writer"), queries=QuerySettings(negatives=1, near=1))
    _, _, labelled = made(material(), settings, Clerk())
    fragments = {fragment.fragment_id: fragment for fragment in labelled.fragments}
    for query, gold in zip(labelled.queries, labelled.gold, strict=True):
        assert gold.label_source == "model"
        if gold.fragment_id:
            assert query.text == fragments[gold.fragment_id].topic
            assert query.text == query.text.lower().strip()
    assert labelled.counts["topics without a tag of their own, not asked for"] == 3
    negatives = [gold for gold in labelled.gold if gold.kind == "negative"]
    assert negatives
    assert all("tag" in json.loads(gold.meta) for gold in negatives)


def test_where_the_model_gives_no_tags_queries_and_negatives_are_the_sources_own() -> None:
    clerk = Clerk(refuses=lambda request, _: "refused")
    settings = context(tag=TagSettings(model="writer"), queries=QuerySettings(negatives=1))
    _, _, labelled = made(material(), settings, clerk)
    assert {gold.label_source for gold in labelled.gold} == {"human", "rule"}
    assert labelled.counts["dialogues with the tags of their sources, the model gave none"] == 1
    assert clerk.steps() == ["tags"]


def test_an_answer_without_a_tag_leaves_the_sources_own() -> None:
    clerk = Clerk(turns={"tags": lambda value: {"tags": []}})
    draft, _, labelled = made(material(), context(tag=TagSettings(model="writer", attempts=1)), clerk)
    assert draft.tags is None
    assert any(gold.fragment_id for gold in labelled.gold)
    assert labelled.counts["dialogues with the tags of their sources, the model gave none"] == 1


def test_of_fragments_with_the_same_elements_one_is_kept_and_the_topic_is_asked_for_by_its_tag() -> None:
    def by_topic(value: dict[str, Any]) -> dict[str, Any]:
        n = len(value["tags"])
        for index, one in enumerate(value["tags"]):
            one["coarse"] = one["fine"] = ("boating", "baking", "cycling")[
                0 if index < 5 else 1 if index < n - 5 else 2
            ]
        return value

    bare = [chat(one.source_id, one.topic, "/".join(t.text for t in one.turns)) for one in (BOATS, BREAD, STARS_TOLD)]
    settings = context(tag=TagSettings(model="writer"))
    _, _, labelled = made(material(*bare), settings, Clerk(turns={"tags": by_topic}))
    assert [fragment.level for fragment in labelled.fragments] == ["topic"] * 3
    assert labelled.counts["fragments left out, another has the same elements"] == 6
    answered = {query.text for query, gold in zip(labelled.queries, labelled.gold, strict=True) if gold.fragment_id}
    assert answered == {"boating", "baking", "cycling"}


STARS_TOLD = chat(
    "three", "bikes", "the chain broke uphill/oh no/did you walk home/a farmer gave me a lift/lucky you then"
)


def test_a_model_that_rejects_the_rules_is_asked_again_with_the_reason_then_given_up() -> None:
    def lose(value: dict[str, Any]) -> dict[str, Any]:
        del value["utterances"][0]
        return value

    clerk = Clerk(turns={"stitched_dialogue": lose})
    settings = context(stitch=StitchSettings(model="writer", attempts=3))
    draft, dialogue, labelled = made(material(), settings, clerk)
    assert [sample for _, sample in clerk.asked] == [0, 1, 2]
    last = clerk.asked[2][0].messages
    assert [message.role for message in last] == ["system", "user", "assistant", "user"]
    assert "s1.t1" in last[-1].content
    assert draft.stitch is None
    assert labelled.counts["stitch: answers rejected, a turn is lost"] == 3
    assert labelled.counts["dialogues stitched by rule, no answer of the model held"] == 1
    assert dialogue.meta == ""


@pytest.mark.parametrize(
    ("language", "given_up", "drops"), [("", "rule", False), ("", "drop", True), ("zh", "rule", True)]
)
def test_a_dialogue_given_up_is_dropped_where_the_rule_cannot_stand_in(
    language: str, given_up: Any, drops: bool
) -> None:
    clerk = Clerk(refuses=lambda request, _: "refused")
    settings = context(
        stitch=StitchSettings(model="writer", language=language, given_up=given_up), tag=TagSettings(model="writer")
    )
    asked = material(language=language)
    draft = asyncio.run(draft_row(asked, KEYS, settings, {"writer": clerk}))
    dialogue, labelled = realise(asked, KEYS, settings, draft)
    assert (dialogue is None) == drops
    assert labelled.counts["stitch: no answer from the model (refused)"] == 1
    assert clerk.steps() == ["stitched_dialogue"] + ["tags"] * (not drops) * len(clerk.asked[1:])


def test_an_unanswered_question_is_no_attempt() -> None:
    clerk = Clerk(refuses=lambda request, _: "length")
    made(material(), context(stitch=StitchSettings(model="writer", attempts=5)), clerk)
    assert len(clerk.asked) == 1


def test_a_stop_of_the_run_is_passed_on() -> None:
    class Broke(Clerk):
        async def ask(self, request: ChatRequest, sample: int = 0, keep_failure: bool = False) -> Any:
            raise InterruptedRun("the budget is spent")

    with pytest.raises(InterruptedRun, match="budget"):
        made(material(), ALL, Broke())


def test_a_fragment_for_which_no_attempt_brings_a_query_is_not_asked_for_and_is_counted() -> None:
    def point(value: dict[str, Any]) -> dict[str, Any]:
        value["queries"][0]["text"] = "the chat says: u3 and image 2"
        return value

    settings = context(queries=QuerySettings(model="writer", negatives=0, attempts=2))
    clerk = Clerk(turns={"queries": point})
    draft, _, labelled = made(material(), settings, clerk)
    assert clerk.steps() == ["queries", "queries"]
    assert labelled.counts["queries that no attempt of the model brought"] == 1
    assert {gold.fragment_id for gold in labelled.gold} == set(draft.queries)
    assert len(labelled.fragments) == len(labelled.gold) + 1


def test_disagreement_is_flagged_with_both_answers_and_drops_nothing() -> None:
    contrary = Clerk(turns={"fragment": lambda value: {"utterance_ids": [2, 2, 1], "image_ids": [99]}})
    settings = context(verify=VerifySettings(model="judge", splits=["test"]), queries=QuerySettings(negatives=0))
    _, _, labelled = made(material(), settings, Clerk(), contrary)
    assert len(labelled.flagged) == len(labelled.gold) > 0
    assert not any(gold.verified for gold in labelled.gold)
    first = labelled.flagged[0]
    assert set(first) == {"query_id", "gold", "answer", "model"}
    assert first["answer"] == {"utterance_ids": [1, 2], "image_ids": [99]}
    assert sum(count for what, count in labelled.agreement.items() if what.endswith("asked")) == len(labelled.gold)
    assert not any(count for what, count in labelled.agreement.items() if what.endswith("agreed"))


def test_only_the_splits_named_are_verified() -> None:
    judge = Clerk()
    settings = context(verify=VerifySettings(model="judge", splits=["validation"]))
    made(material(), settings, Clerk(), judge)
    assert not judge.asked
    made(material(split="validation"), settings, Clerk(), judge)
    assert judge.asked


def test_each_query_is_asked_by_itself_and_the_dialogue_comes_first() -> None:
    judge = Clerk()
    settings = context(verify=VerifySettings(model="judge"), queries=QuerySettings(negatives=1))
    _, _, labelled = made(material(), settings, Clerk(), judge)
    contents = [request.messages[1].text for request, _ in judge.asked]
    assert len(contents) == len(labelled.queries)
    for content in contents:
        assert sum(query.text in content for query in labelled.queries) == 1
    heads = {content.split("\n\nThe query: ")[0] for content in contents}
    assert len(heads) == 1


def test_a_negative_that_a_model_finds_an_answer_to_is_not_asked() -> None:
    finder = Clerk(turns={"fragment": lambda value: {"utterance_ids": [0], "image_ids": []}})
    settings = context(verify=VerifySettings(model="judge"), queries=QuerySettings(negatives=1, near=1))
    _, _, labelled = made(material(), settings, Clerk(), finder)
    assert not [gold for gold in labelled.gold if gold.kind == "negative"]
    assert labelled.counts["negatives rejected, a model found an answer or gave none"] >= 1
    assert labelled.counts["negatives for which no unrelated query was found"] == 1


def test_a_wrong_detail_is_a_near_negative_that_says_what_it_changed() -> None:
    settings = context(queries=QuerySettings(model="writer", negatives=0, near=1))
    _, _, labelled = made(material(), settings, Clerk())
    (gold, query), *rest = [
        (gold, query) for gold, query in zip(labelled.gold, labelled.queries, strict=True) if gold.negative_type
    ]
    assert not rest
    assert query.text.endswith(ANOTHER)
    near = json.loads(gold.meta)["near"]
    assert near["of"] in {other.text for other in labelled.queries}
    assert query.text == near["of"].replace(near["detail"], near["instead"])


def test_a_detail_that_the_dialogue_holds_is_no_negative() -> None:
    def present(value: dict[str, Any]) -> dict[str, Any]:
        for one in value["queries"]:
            one["text"] = one["text"].replace(ANOTHER, "sourdough")
            one["instead"] = "sourdough"
        return value

    settings = context(queries=QuerySettings(model="writer", negatives=0, near=1))
    alone = Material(material().row, (BOATS, BREAD, BIKES), (), ())
    _, _, labelled = made(alone, settings, Clerk(turns={"wrong_details": present}))
    assert labelled.counts["queries: answers rejected, a detail that the dialogue holds"] == 3
    assert not [gold for gold in labelled.gold if gold.kind == "negative"]


def test_usage_is_summed_by_step_and_shared_questions_stand_apart() -> None:
    clerk = Clerk()
    draft, _, _ = made(material(), ALL, clerk)
    own = sum(row[0] for row in draft.usage.values())
    assert own + len(draft.shared) == len(clerk.asked)
    assert set(draft.usage) == {"stitch/writer", "tag/writer", "queries/writer", "verify/judge"}
    assert {row[0] for row in draft.shared.values()} == {"queries/writer"}


def test_what_a_reader_changed_in_the_sources_is_said_of_the_dialogue() -> None:
    boats = replace(BOATS, changes=("cut to 5 turns",))
    bread = replace(BREAD, changes=("NUL removed", "cut to 5 turns"))
    by_rule, _ = realise(material(boats, bread, BIKES), KEYS, context(), None)
    assert by_rule is not None
    assert json.loads(by_rule.meta) == {"changes": ["NUL removed", "cut to 5 turns"]}
    _, dialogue, _ = made(material(boats, BREAD, BIKES), context(stitch=StitchSettings(model="writer")), Clerk())
    assert json.loads(dialogue.meta)["changes"] == ["cut to 5 turns"]
    assert json.loads(dialogue.meta)["stitch"]["attempt"] == 1
