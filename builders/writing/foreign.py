"""Negatives where models take part: worded as real queries are, so that their style gives nothing away, and checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace

from mldr.builders.asking import Asking
from mldr.builders.negatives import by_rule, drawn_tag
from mldr.builders.sources.record import SourceDialogue
from mldr.builders.stitch import Stitched
from mldr.builders.writing import prompts
from mldr.builders.writing.asker import Ledger
from mldr.builders.writing.draft import Draft
from mldr.builders.writing.elements import alone
from mldr.builders.writing.querying import written, wrong_details
from mldr.builders.writing.realise import absence_of, candidates_of, chosen_of, worded
from mldr.builders.writing.tagging import tag_members, tagged
from mldr.builders.writing.verifying import blind_answer, finds_something
from mldr.builders.writing.work import RowWork
from mldr.dialogue import Fragment, NegativeType
from mldr.files import canonical_json, sha256_text

SPARE_DETAILS = 2
"""Queries with a wrong detail that are asked for beyond those wanted: not every one turns out to be absent."""


class Negatives:
    """Finds the negatives of one dialogue and puts them into its draft."""

    def __init__(self, work: RowWork, draft: Draft, stitched: Stitched) -> None:
        """Take the dialogue and its queries as they stand in the draft."""
        self.work, self.draft, self.stitched = work, draft, stitched
        self.settings = work.context.queries
        self.judge = work.context.judge(work.material.row.split)
        silent: Counter[str] = Counter()  # counted when the dialogue is made
        candidates = candidates_of(work.material, stitched, work.context, draft, silent)
        self.asked = worded(
            chosen_of(work.material, candidates, work.context, draft, silent), work.context, draft, silent
        )
        self.absence = absence_of(work.material, stitched, work.context, [*candidates, *self.asked], draft)

    async def find(self) -> None:
        """Find as many of each type as the recipe wishes; what is lacking is counted.

        Where no model takes part in negatives they are left to the rule.
        """
        if not (self.settings.model or self.draft.tags or self.judge):
            return
        found: list[Asking] = []
        for kind, wanted, candidates in (
            ("unrelated", self.settings.negatives, self._foreign(self.work.material.strangers, "unrelated")),
            ("near", self.settings.near, self._near()),
        ):
            accepted = 0
            async with aclosing(candidates):
                while accepted < wanted and (asking := await anext(candidates, None)) is not None:
                    if await self._is_absent(asking):
                        found.append(asking)
                        self.absence.take(asking.text)
                        accepted += 1
            if accepted < wanted:
                self.work.ledger.counts[f"negatives for which no {kind} query was found"] += wanted - accepted
        self.draft.negatives = found

    def _apart(self) -> Ledger:
        """Return a ledger for questions that many dialogues ask: their rejections would be counted many times."""
        return Ledger(shared=self.work.ledger.shared)

    async def _is_absent(self, asking: Asking) -> bool:
        counts = self.work.ledger.counts
        if not self.absence.allows(asking):
            counts["negatives rejected, by the words of the dialogue"] += 1
            return False
        if not self.judge:
            return True
        voice = self.work.voice(self.judge, prompts.VERIFY_VERSION)
        kept = await blind_answer(voice, self.stitched.dialogue, asking.text, self.work.ledger)
        if kept is None or finds_something(self.stitched.dialogue, kept):
            counts["negatives rejected, a model found an answer or gave none"] += 1
            return False
        if self.work.context.verifies(self.work.material.row.split):
            self.draft.verdicts[asking.text] = kept
        return True

    async def _near(self) -> AsyncGenerator[Asking, None]:
        """Yield wrong details and neighbours' queries by turns."""
        details = await self._details()
        async with aclosing(self._foreign(self.work.material.neighbours, "near")) as neighbours:
            async for asking in neighbours:
                if details:
                    yield details.pop(0)
                yield asking
        for asking in details:
            yield asking

    async def _details(self) -> list[Asking]:
        if not self.settings.model or not self.settings.near:
            return []
        work = self.work
        bases = sorted(self.asked, key=lambda one: sha256_text(f"{work.context.seed}/detail/{one.text}"))
        bases = bases[: self.settings.near + SPARE_DETAILS]
        voice = work.voice(self.settings.model, prompts.DETAIL_VERSION, self.settings.attempts)
        place = self.stitched.dialogue, self.stitched.bridge_ids
        return await wrong_details(voice, *place, bases, self.absence, work.rules, work.ledger)

    async def _foreign(
        self, sources: Sequence[SourceDialogue], negative_type: NegativeType
    ) -> AsyncGenerator[Asking, None]:
        """Yield queries of other sources, written or tagged by the models that did the dialogue's own."""
        if not (self.settings.model or self.draft.tags):
            row, seed = self.work.material.row, self.work.context.seed
            for asking in by_rule(row, sources, negative_type, self.absence, seed):
                yield asking
            return
        for source in sources:
            made = await (self._written(source) if self.settings.model else self._tagged(source))
            if made is not None:
                yield replace(made, negative_type=negative_type)

    async def _written(self, source: SourceDialogue) -> Asking | None:
        work = self.work
        tag = drawn_tag(work.material.row, source, work.context.seed)
        if self.absence.shares_topic(source, tag):
            return None
        fragment = Fragment(
            fragment_id=f"{source.source_id}/{tag.level}/{tag.name}",
            dialogue_id=source.source_id,
            level=tag.level,
            topic=source.topic if tag.level == "topic" else tag.name,
            source_id=source.source_id,
            utterance_ids=tag.turns,
            image_ids=tag.images,
        )
        voice = work.voice(self.settings.model, prompts.QUERIES_VERSION, self.settings.attempts, shared=True)
        found = await written(voice, alone(source), (), [fragment], work.rules, self._apart())
        for kept in found.values():
            meta = canonical_json({"queries": kept.origin()})
            if self.absence.differs(kept.value["text"], 0):
                return Asking(kept.value["text"], tag.level, "model", kept.model, meta=meta)
        return None

    async def _tagged(self, source: SourceDialogue) -> Asking | None:
        work, row = self.work, self.work.material.row
        settings = work.context.tag
        voice = work.voice(settings.model, prompts.TAG_VERSION, settings.attempts, shared=True)
        kept = await tagged(voice, alone(source), (), row.language, self._apart())
        if kept is None:
            return None
        tags = {tag: level for level, tag, _, _ in tag_members(kept.value)}
        draw = f"{work.context.seed}/asked/{row.dialogue_id}/{source.source_id}"
        for tag in sorted(tags, key=lambda name: sha256_text(f"{draw}/{name}")):
            asking = Asking(tag, tags[tag], "model", kept.model, meta=canonical_json({"tag": kept.origin()}))
            if self.absence.allows(asking) and self.absence.differs(tag, 0):
                return asking
        return None
