"""A private store with an invented chat, cut and read, as a giver's walk leaves it before consents are entered."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from mldr.annotation.chat import Chat, Member
from mldr.annotation.consent_store import give
from mldr.annotation.consents import Consent
from mldr.annotation.cutreport import CutSettings
from mldr.annotation.cutting import cut_chats
from mldr.annotation.privacy.protect import cuts
from mldr.annotation.records import CutDialogue, cut_path, read_cut
from mldr.annotation.reviews import Whole
from mldr.annotation.serving.storereview import StoreReview
from mldr.annotation.store import Store, open_store
from tests.annotation.chats import chat_of, message, put

TODAY = dt.date(2026, 6, 1)
PEOPLE = ("wxid_li0001", "wxid_wu0002", "wxid_xu0003")
NAMES = (("欧阳明月", "月月姐"), ("Bartholomew Quill",), ("钱多宝",))
MOBILE = "13800138000"
SMALL = CutSettings(min_utterances=2, min_images=0)


def chat() -> Chat:
    """Three people, six messages, with names, a number and an address in them."""
    li, wu, xu = PEOPLE
    told = chat_of(
        message(1, li, 0, "明天去爬山吗"),
        message(2, wu, 200, f"好的，我的电话是{MOBILE}"),
        message(3, xu, 400, "欧阳明月也来吗", reply_to="m2", reply_method="id"),
        message(4, li, 600, "来，Bartholomew Quill 开车", reply_to="m3", reply_method="id"),
        message(5, wu, 800, "在东门等你们"),
        message(6, xu, 1000, "收到"),
    )
    members = tuple(Member(person, names, person == li) for person, names in zip(PEOPLE, NAMES, strict=True))
    return Chat(told.chat_id, told.name, told.platform, True, told.zone, members, told.messages)


def cut_store(folder: Path) -> Store:
    """Return a store with that chat, cut into one dialogue."""
    store = open_store(folder, create=True)
    put(store, chat())
    cut_chats(store, SMALL)
    return store


def only(store: Store) -> str:
    """Return the id of the one dialogue."""
    (dialogue_id,) = cuts(store)
    return dialogue_id


def raw(store: Store) -> CutDialogue:
    """Return the one dialogue."""
    return read_cut(cut_path(store.dialogues, only(store)))


def read_to_the_end(store: Store) -> StoreReview:
    """Say that the one dialogue is read."""
    review = StoreReview(store)
    review.decide(only(store), Whole(read=True))
    return review


def agrees(store: Store, *people: str, scopes: tuple[str, ...] = ("research", "images"), adult: bool = True) -> None:
    """Enter that people agreed."""
    for person in people:
        told = {"subject_key": store.subject_key("wechat", person), "notice_version": "1", "date": "2026-01-02"}
        give(
            store.consents,
            Consent.model_validate({**told, "scopes": scopes, "method": "signed", "adult": adult}),
        )
