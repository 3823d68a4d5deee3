"""Records of the five tables, drawn with hostile words."""

from __future__ import annotations

from datetime import datetime
from typing import get_args

from hypothesis import strategies as st

from mldr.dialogue import (
    Annotation,
    Dialogue,
    DialogueImage,
    Fragment,
    Gold,
    ImageStatus,
    LabelSource,
    Level,
    NegativeType,
    Origin,
    Query,
    StoredImage,
    Utterance,
)
from mldr.tables import Record, Table
from tests.core.support import hostile_text

ids = st.lists(st.integers(0, 2**31 - 1), max_size=4, unique=True).map(lambda drawn: tuple(sorted(drawn)))
times = st.none() | st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)).map(
    lambda time: time.replace(microsecond=time.microsecond // 1000 * 1000)
)
utterances = st.builds(Utterance, hostile_text, hostile_text, ids, times, st.none() | st.integers(0, 99))
RECORDS: dict[Table, st.SearchStrategy[Record]] = {
    "dialogues": st.builds(
        Dialogue,
        hostile_text,
        hostile_text,
        st.sampled_from(get_args(Origin)),
        hostile_text,
        st.lists(utterances, max_size=4).map(tuple),
        st.lists(st.builds(DialogueImage, hostile_text, hostile_text), max_size=3).map(tuple),
        hostile_text,
        hostile_text,
        hostile_text,
    ),
    "queries": st.builds(Query, hostile_text, hostile_text, hostile_text, hostile_text, hostile_text),
    "gold": st.builds(
        Gold,
        hostile_text,
        hostile_text,
        st.sampled_from(get_args(Level)),
        ids,
        ids,
        st.sampled_from(get_args(LabelSource)),
        hostile_text,
        st.booleans(),
        st.sampled_from(get_args(NegativeType)),
        st.lists(st.builds(Annotation, hostile_text, ids, ids), max_size=3).map(tuple),
        hostile_text,
    ),
    "fragments": st.builds(
        Fragment, hostile_text, hostile_text, st.sampled_from(get_args(Level)), hostile_text, hostile_text, ids, ids
    ),
    "images": st.builds(
        StoredImage,
        hostile_text,
        st.sampled_from(get_args(ImageStatus)),
        st.none() | st.binary(max_size=20),
        st.none() | st.integers(0, 9_999),
        st.none() | st.integers(0, 9_999),
        st.sampled_from(["", "image/png", "image/jpeg"]),
        hostile_text,
        hostile_text,
        hostile_text,
        hostile_text,
        hostile_text,
    ),
}
