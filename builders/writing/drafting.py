"""One row's questions in their order: stitch, tag, queries, negatives, verify; each needs what the one before it made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from mldr.builders.stitch import Stitched
from mldr.builders.writing import prompts
from mldr.builders.writing.asker import Asker, ask_until
from mldr.builders.writing.context import Material, WritingContext
from mldr.builders.writing.draft import Draft
from mldr.builders.writing.foreign import Negatives
from mldr.builders.writing.losses import stitch_flaws
from mldr.builders.writing.querying import written
from mldr.builders.writing.realise import candidates_of, chosen_of, realise, stitched_of
from mldr.builders.writing.stitching import stitch_request
from mldr.builders.writing.tagging import tagged
from mldr.builders.writing.together import together
from mldr.builders.writing.verifying import blind_answer
from mldr.builders.writing.work import RowWork


async def draft_row(
    material: Material, image_keys: Mapping[str, str], context: WritingContext, askers: Mapping[str, Asker]
) -> Draft:
    """Ask the models everything that one row of the plan needs; return their answers.

    Args:
        material: the row and its sources.
        image_keys: image ref -> key.
        context: the settings.
        askers: the recipe's name of a model -> what asks it.

    Raises:
        InterruptedRun: what an asker raises to stop the run; an answer that a model does not give stops nothing.
    """
    work = RowWork(material, image_keys, context, askers)
    draft = Draft(material.row.dialogue_id)
    if context.stitch.model:
        await _stitch(work, draft)
    if not draft.dropped:
        stitched = stitched_of(material, image_keys, context, draft)
        if context.tag.model:
            await _tag(work, draft, stitched)
        await _queries(work, draft, stitched)
        await Negatives(work, draft, stitched).find()
        if context.verifies(material.row.split):
            await _verify(work, draft, stitched)
    draft.counts = dict(sorted((+work.ledger.counts).items()))
    draft.usage, draft.shared = work.ledger.usage, work.ledger.shared
    return draft


async def _stitch(work: RowWork, draft: Draft) -> None:
    settings, counts = work.context.stitch, work.ledger.counts
    voice = work.voice(settings.model, prompts.STITCH_VERSION, settings.attempts)
    request = stitch_request(work.material, work.context)
    draft.stitch = await ask_until(
        voice, request, lambda value: stitch_flaws(value, work.material, work.context), work.ledger
    )
    if draft.stitch is not None:
        return
    if work.material.translated or settings.given_up == "drop":
        counts["dialogues dropped, no answer of the model held"] += 1
        draft.dropped = True
    else:
        counts["dialogues stitched by rule, no answer of the model held"] += 1


async def _tag(work: RowWork, draft: Draft, stitched: Stitched) -> None:
    settings = work.context.tag
    voice = work.voice(settings.model, prompts.TAG_VERSION, settings.attempts)
    language = work.material.row.language
    draft.tags = await tagged(voice, stitched.dialogue, stitched.bridge_ids, language, work.ledger)
    if draft.tags is None:
        work.ledger.counts["dialogues with the tags of their sources, the model gave none"] += 1


async def _queries(work: RowWork, draft: Draft, stitched: Stitched) -> None:
    settings = work.context.queries
    if not settings.model:
        return
    silent: Counter[str] = Counter()  # counted when the dialogue is made
    candidates = candidates_of(work.material, stitched, work.context, draft, silent)
    asked = chosen_of(work.material, candidates, work.context, draft, silent)
    fragments = sorted((one.fragment for one in asked if one.fragment), key=lambda one: one.fragment_id)
    voice = work.voice(settings.model, prompts.QUERIES_VERSION, settings.attempts)
    draft.queries = await written(voice, stitched.dialogue, stitched.bridge_ids, fragments, work.rules, work.ledger)


async def _verify(work: RowWork, draft: Draft, stitched: Stitched) -> None:
    if work.context.verify is None:
        return
    _, labelled = realise(work.material, work.image_keys, work.context, draft)
    texts = [query.text for query in labelled.queries if query.text not in draft.verdicts]
    voice = work.voice(work.context.verify.model, prompts.VERIFY_VERSION)
    answers = await together(blind_answer(voice, stitched.dialogue, text, work.ledger) for text in texts)
    for text, kept in zip(texts, answers, strict=True):
        if kept is not None:
            draft.verdicts[text] = kept
