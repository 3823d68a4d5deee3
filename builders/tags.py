"""The tags of a source dialogue and their queries: as the source brings them, or by rule where it brings none."""

from __future__ import annotations

from mldr.builders.rulequery import RuleQueries
from mldr.builders.sources.record import SourceDialogue, SourceTag
from mldr.dialogue import LabelSource


def source_tags(source: SourceDialogue) -> tuple[SourceTag, ...]:
    """Return the tags of a source: its own, else one for each image; the topic, which is all of it, first."""
    everything = tuple(i for i, turn in enumerate(source.turns) if turn.text), tuple(range(len(source.images)))
    own = list(source.tags) or [
        SourceTag(f"image {position}", "fine", (), (position,)) for position in range(len(source.images))
    ]
    topics = [tag for tag in own if tag.level == "topic"] or [SourceTag(source.topic, "topic", (), ())]
    whole = [
        tag if tag.turns or tag.images else SourceTag(tag.name, "topic", everything[0], everything[1], tag.query)
        for tag in topics
    ]
    return (*whole, *(tag for tag in own if tag.level != "topic"))


def tag_query(source: SourceDialogue, tag: SourceTag, rules: RuleQueries) -> tuple[str, LabelSource, str]:
    """Return a tag's query with its label source and model: as the source brings it, else by rule; '' where none can be made."""
    if tag.query:
        return tag.query, source.label_source, source.label_model
    texts = [source.turns[i].text for i in tag.turns] + [source.images[i].caption for i in tag.images]
    return rules.query(texts), "rule", ""
