"""Tagging by a model: a coarse and a fine tag for every element, and the fragments that elements of one tag make."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from mldr.builders.writing import prompts
from mldr.builders.writing.asker import STRING, Flaw, Kept, Ledger, Voice, ask_until, list_schema, object_schema
from mldr.builders.writing.elements import element_lines, element_names
from mldr.builders.writing.wording import language_name, markup_in, names_ids, normal_tag, speaks, storable
from mldr.chat.request import ChatRequest, Message
from mldr.dialogue import Dialogue, Fragment, Level
from mldr.identity import fragment_id

TAG_LENGTH = 40
"""Characters of a tag at most."""
_SCHEMA = object_schema(
    {"tags": list_schema(object_schema({"element": STRING, "coarse": STRING, "fine": STRING}))},
)
TAG_LEVELS: tuple[Level, Level] = ("coarse", "fine")
LONELY = "a tag on one utterance alone"


def tag_request(dialogue: Dialogue, bridge_ids: Sequence[int], language: str) -> ChatRequest:
    """Return the question for the tags of a dialogue's elements, in a language."""
    system = prompts.TAG.replace("{language}", language_name(language))
    messages = (Message("system", system), Message("user", element_lines(dialogue, bridge_ids)))
    return ChatRequest(messages, _SCHEMA, "tags", "tag")


def tag_flaws(value: Any, names: Sequence[str], language: str) -> list[Flaw]:
    """Return what is wrong with an answer: elements missing or invented, tags that are none, tags on one utterance alone."""
    flaws: list[Flaw] = []
    given = Counter(one["element"] for one in value["tags"])
    for name in (name for name in names if given[name] != 1):
        message = f"element {name} stands in your answer {given[name]} times; once is right"
        flaws.append(Flaw("an element without its tags" if not given[name] else "an element tagged twice", message))
    flaws += [Flaw("an invented element", f"there is no element {name!r}") for name in sorted(set(given) - set(names))]
    for level in TAG_LEVELS:
        tags = {one["element"]: normal_tag(one[level]) for one in value["tags"] if one["element"] in names}
        for name, tag in tags.items():
            if not _is_tag(tag, language):
                flaws.append(
                    Flaw("a tag that is none", f"{name}, {level}: a few words in {language!r}, without references")
                )
        for tag, members in sorted(_members(tags).items()):
            if _is_lonely(members):
                flaws.append(Flaw(LONELY, f"{members[0]}, {level}: no other element has the tag {tag!r}; share one"))
            elif _is_everything(members, names):
                flaws.append(
                    Flaw("a tag on everything", f"{level}: all elements have the tag {tag!r}; tell them apart")
                )
    return flaws


def tag_table(value: Any, names: Sequence[str], language: str, counts: Counter[str]) -> list[list[str]]:
    """Return [element, coarse, fine] of each element in order; what is wrong with a tag takes it away, and is counted.

    Of an answer without a flaw nothing is taken.
    """
    known = set(names)
    table: dict[str, list[str]] = {name: [name, "", ""] for name in names}
    for column, level in enumerate(TAG_LEVELS, 1):
        tags: dict[str, str] = {}
        for one in value["tags"]:
            if one["element"] in known and one["element"] not in tags:
                tags[one["element"]] = normal_tag(one[level])
        wrong = {name for name, tag in tags.items() if not _is_tag(tag, language)}
        counts["tags removed, no tag or in the wrong language"] += len(wrong)
        tags = {name: tag for name, tag in tags.items() if name not in wrong}
        for members in _members(tags).values():
            if _is_lonely(members) or _is_everything(members, names):
                counts[
                    "tags removed, on one utterance alone" if len(members) == 1 else "tags removed, on everything"
                ] += 1
                for name in members:
                    del tags[name]
        for name, tag in tags.items():
            table[name][column] = tag
    counts["elements without a tag"] += sum(not row[1] and not row[2] for row in table.values())
    return list(table.values())


async def tagged(
    voice: Voice, dialogue: Dialogue, bridge_ids: Sequence[int], language: str, ledger: Ledger
) -> Kept | None:
    """Return the tags of a dialogue's elements, None where the model gives no answer or nothing of it is good.

    After all attempts the last answer is taken for what is good in it.
    """
    names = element_names(dialogue, bridge_ids)
    if not names:
        return None
    answers: list[Kept] = []
    request = tag_request(dialogue, bridge_ids, language)
    await ask_until(voice, request, lambda value: tag_flaws(value, names, language), ledger, answers.append)
    if not answers:
        return None
    last = answers[-1]
    table = tag_table(last.value, names, language, ledger.counts)
    if not any(coarse or fine for _, coarse, fine in table):
        return None
    return Kept({"elements": table}, last.model, last.prompt, last.attempt)


def tag_members(value: Mapping[str, Any]) -> list[tuple[Level, str, tuple[int, ...], tuple[int, ...]]]:
    """Return (level, tag, utterance ids, image ids) of each tag of a table, coarse ones first, each level by name."""
    found: list[tuple[Level, str, tuple[int, ...], tuple[int, ...]]] = []
    for column, level in enumerate(TAG_LEVELS, 1):
        members = _members({row[0]: row[column] for row in value["elements"] if row[column]})
        for tag, names in sorted(members.items()):
            utterances = tuple(sorted(int(name[1:]) for name in names if name[0] == "u"))
            images = tuple(sorted(int(name[1:]) for name in names if name[0] == "i"))
            found.append((level, tag, utterances, images))
    return found


def tag_fragments(dialogue: Dialogue, value: Mapping[str, Any], salt: bytes) -> list[Fragment]:
    """Return the fragment of each tag; it comes from no one source, so its source id is ''."""
    return [
        Fragment(
            fragment_id=fragment_id(dialogue.dialogue_id, "", level, tag, salt),
            dialogue_id=dialogue.dialogue_id,
            level=level,
            topic=tag,
            source_id="",
            utterance_ids=utterances,
            image_ids=images,
        )
        for level, tag, utterances, images in tag_members(value)
    ]


def _members(tags: Mapping[str, str]) -> dict[str, list[str]]:
    members: dict[str, list[str]] = {}
    for name, tag in tags.items():
        members.setdefault(tag, []).append(name)
    return members


def _is_lonely(members: Sequence[str]) -> bool:
    return len(members) == 1 and members[0][0] == "u"


def _is_everything(members: Sequence[str], names: Sequence[str]) -> bool:
    return len(members) == len(names) > 2


def _is_tag(tag: str, language: str) -> bool:
    if not tag or len(tag) > TAG_LENGTH or "\n" in tag or not storable(tag):
        return False
    return not markup_in(tag) and not names_ids(tag) and speaks(tag, language)
