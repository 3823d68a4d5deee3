"""MMDialog: conversations of social media, with pictures (Feng et al., ACL 2023, arXiv 2211.05719).

Layout: victorsungo/MMDialog, Readme.md, and loaders in public use. Folders train, val, test, each with a conversations.json: a list
(or lines) of {conversation_id?, conversation: [{turn: [{__TEXT__: text}, {__MEDIA__: key}, ...]}], negative_candidate_...?};
pictures are files `<key>.jpg`. No speakers are named: a turn answers the one before it, so that two are taken to alternate. Access
is for research by agreement, and sharing is forbidden: no licence is stated here, so a set that holds it is not redistributable.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, Field

from mldr.builders.recipe import SourceRecipe
from mldr.builders.sources.corpus import PUBLISHED, Corpus, Told, checked, without_silence
from mldr.builders.sources.listing import Record
from mldr.builders.sources.located import CorpusImage
from mldr.builders.sources.neutral import NeutralTurn
from mldr.builders.sources.parquet import Inside
from mldr.builders.sources.record import Reading
from mldr.errors import Faults


class _Piece(BaseModel):
    model_config = PUBLISHED

    text: str | None = Field(default=None, alias="__TEXT__")
    media: str | int | None = Field(default=None, alias="__MEDIA__")
    image: Inside | None = None


class _Turn(BaseModel):
    model_config = PUBLISHED

    turn: list[_Piece]


class _Conversation(BaseModel):
    model_config = PUBLISHED

    conversation: list[_Turn]
    conversation_id: int | str | None = None


class MMDialogSource(Corpus):
    """Reads MMDialog: a turn of several pictures becomes several turns of its speaker, one picture each.

    Pictures are looked up in the folder `images`, as `<split>/<key>.jpg` and `<key>.jpg`; without one, beside the conversations.
    """

    layout = "an MMDialog conversation (conversation: [{turn: [{__TEXT__}, {__MEDIA__}]}])"
    attribution = "MMDialog (Feng et al., ACL 2023)"
    endings = (".json", ".jsonl", ".parquet", ".txt")

    def __init__(self, recipe: SourceRecipe, folder: Path) -> None:
        super().__init__(recipe, folder)
        if self.pictures.images is None:
            self.pictures.images = self.path if self.path.is_dir() else self.path.parent

    def told(self, record: Record, file: Path, reading: Reading) -> Iterator[Told]:
        """Yield the dialogue of a record."""
        talk = checked(_Conversation, record, reading)
        if talk is None:
            return
        told = Told(f"{record.index:07d}" if talk.conversation_id is None else str(talk.conversation_id))
        faults = Faults()
        turns: list[NeutralTurn] = []
        for position, turn in enumerate(talk.conversation):
            place = f"{record.place}.conversation[{position}].turn"
            pieces = list(self._turns(turn, f"user{position % 2 + 1}", file, place, faults))
            if len(pieces) > 1:
                reading.counts["pictures of one message that became turns of their own"] += len(pieces) - 1
            turns += pieces
        for found in faults:
            reading.faults.add(found.place, found.message)
        if faults:
            return
        told.changes.append("speakers named by alternation")
        if len(turns) > len(talk.conversation):
            told.changes.append("pictures of one message spread over turns")
        told.turns = without_silence(turns, reading, told.changes)
        yield told

    def _turns(self, turn: _Turn, speaker: str, file: Path, place: str, faults: Faults) -> Iterator[NeutralTurn]:
        texts = [piece.text for piece in turn.turn if piece.text is not None]
        images: list[CorpusImage] = []
        for index, piece in enumerate(turn.turn):
            if piece.text is None and piece.media is None and piece.image is None:
                faults.add(f"{place}[{index}]", "has neither __TEXT__ nor __MEDIA__")
            elif piece.media is not None or piece.image is not None:
                key = "" if piece.media is None else str(piece.media)
                folders = (f"{file.parent.name}/", "", "images/", f"{file.parent.name}/images/") if key else ()
                names = tuple(f"{folder}{key}.jpg" for folder in folders)
                # A key may stand in two splits, each with its own file.
                identifier = f"{file.parent.name}/{key}" if key and len(self.files) > 1 else key
                images.append(CorpusImage(id=identifier, names=names, held=piece.image))
        first = images[0] if images else None
        yield NeutralTurn(speaker=speaker, text="\n".join(texts), image=first)
        for image in images[1:]:
            yield NeutralTurn(speaker=speaker, image=image)
