"""KdConv: Chinese dialogues about films, music and places, driven by a knowledge graph (Zhou et al., ACL 2020, arXiv 2004.04100).

Layout: thu-coai/KdConv, data/<domain>/{train,dev,test}.json, each a list of {name, messages: [{message, attrs?}]}; kb_<domain>.json
beside them is the graph. Text only.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from mldr.builders.sources.corpus import PUBLISHED, Corpus, Told, checked, without_silence
from mldr.builders.sources.listing import Record
from mldr.builders.sources.neutral import NeutralTurn
from mldr.builders.sources.record import Reading

DOMAINS = ("film", "music", "travel")


class _Message(BaseModel):
    model_config = PUBLISHED

    message: str


class _Chat(BaseModel):
    model_config = PUBLISHED

    name: str
    messages: list[_Message]


class KdConvSource(Corpus):
    """Reads KdConv: two speakers alternate, the topic is the entity that a dialogue starts from, the domain the file's."""

    layout = "a KdConv dialogue (name, messages)"
    language = "zh"
    licence = "Apache-2.0"
    attribution = "KdConv (Zhou et al., ACL 2020), thu-coai"

    def is_dialogues(self, file: Path) -> bool:
        """Say whether a file is no knowledge graph."""
        return not file.name.startswith("kb_")

    def told(self, record: Record, file: Path, reading: Reading) -> Iterator[Told]:
        """Yield the dialogue of a record."""
        chat = checked(_Chat, record, reading)
        if chat is None:
            return
        names = [file.name, *(folder.name for folder in file.absolute().parents)][:2]
        told = Told(
            f"{record.index:05d}",
            topic=chat.name.strip(),
            domain=next((domain for name in names for domain in DOMAINS if domain in name.lower()), ""),
        )
        turns = [
            NeutralTurn(speaker=f"user{position % 2 + 1}", text=message.message)
            for position, message in enumerate(chat.messages)
        ]
        told.turns = without_silence(turns, reading, told.changes)
        yield told
