"""PhotoChat: two people chat until one of them shares a photo (Zang et al., ACL 2021, arXiv 2108.01453).

Layout: google-research/google-research, multimodalchat/README.md. Folders train, dev, test of files that are lists of
{dialogue: [{message, share_photo, user_id}], dialogue_id, photo_description, photo_url, photo_id?}. Ids count anew in each split.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from mldr.builders.sources.corpus import PUBLISHED, Corpus, Told, checked, without_silence
from mldr.builders.sources.listing import Record
from mldr.builders.sources.located import CorpusImage
from mldr.builders.sources.neutral import NeutralTurn
from mldr.builders.sources.parquet import Inside
from mldr.builders.sources.record import Reading

_LABELS = "Objects in the photo:"


class _Message(BaseModel):
    model_config = PUBLISHED

    message: str
    share_photo: bool
    user_id: int | str


class _Chat(BaseModel):
    model_config = PUBLISHED

    dialogue: list[_Message]
    dialogue_id: int | str
    photo_description: str
    photo_url: str = ""
    photo_id: str = ""
    photo: Inside | None = None


class PhotoChatSource(Corpus):
    """Reads PhotoChat: the photo is carried by the turn that shares it, its object labels are caption and topic.

    With a folder of `images`, photos are looked up there as `<photo_id>.jpg`, with and without the split's folder.
    """

    layout = "a PhotoChat dialogue (dialogue, dialogue_id, photo_description, photo_url)"
    licence = "CC-BY-4.0"
    attribution = "PhotoChat (Zang et al., ACL 2021), Google Research"

    def told(self, record: Record, file: Path, reading: Reading) -> Iterator[Told]:
        """Yield the dialogue of a record."""
        chat = checked(_Chat, record, reading)
        if chat is None:
            return
        before, labelled, labels = chat.photo_description.partition(_LABELS)
        told = Told(str(chat.dialogue_id), topic=labels.strip() if labelled else "")
        if labelled:
            told.changes.append("object labels made the caption")
        names = (f"{chat.photo_id}.jpg", f"{chat.photo_id.rpartition('/')[2]}.jpg") if chat.photo_id else ()
        caption = " ".join(f"{before.strip()} {labels.strip()}".split())
        image = CorpusImage(id=chat.photo_id, url=chat.photo_url, caption=caption, names=names, held=chat.photo)
        turns = [NeutralTurn(speaker=f"user {message.user_id}", text=message.message) for message in chat.dialogue]
        shared = [position for position, message in enumerate(chat.dialogue) if message.share_photo]
        if shared:
            turns[shared[0]].image = image
        else:
            reading.counts["photos that no turn shares, left out"] += 1
        told.turns = without_silence(turns, reading, told.changes)
        yield told
