from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mldr.annotation.collection import Collection
from mldr.annotation.records import CollectedMask
from mldr.annotation.reviews import read_reviews
from mldr.annotation.serving.apps import privacy_app
from mldr.annotation.spans import Mask
from tests.annotation.serving.asking import Client, served
from tests.annotation.support_labels import collected_dialogue, collection_of, dialogue_name, small_picture

ONE = dialogue_name(1)
AT = f"/api/dialogues/{ONE}"
TEXT = "call Dana at [phone1], please"
DOUBTFUL = {"event": "span", "utterance_id": 4, "start": 5, "end": 9, "kind": "name"}


@pytest.fixture
def collection(tmp_path: Path) -> Collection:
    """One dialogue with a doubtful mask, a sure one, and a picture that nobody decided about."""
    picture = small_picture()
    masks = (
        CollectedMask(4, Mask(5, 9, "name", "Dana", 0.5, "hints")),
        CollectedMask(4, Mask(13, 21, "mobile", "[phone1]", 0.9, "phones")),
    )
    made = collected_dialogue(1, 8, [picture], masks=masks, read=False)
    utterances = list(made.dialogue.utterances)
    utterances[4] = replace(utterances[4], text=TEXT)
    dialogue = replace(made.dialogue, utterances=tuple(utterances))
    made = replace(made, dialogue=dialogue, images=(replace(made.images[0], decision=""),))
    return collection_of(tmp_path / "c", [made], [picture])


@pytest.fixture
def client(collection: Collection) -> Iterator[Client]:
    with served(privacy_app(collection)) as asking:
        yield asking


def test_doubtful_masks_and_pictures_are_to_be_decided_and_sure_masks_are_not(client: Client) -> None:
    reading = client.get(AT)
    assert [(one["surrogate"], one["doubtful"]) for one in reading["findings"]] == [("Dana", True), ("[phone1]", False)]
    assert (reading["left"], reading["read"], reading["raw"]) == (2, False, False)


def test_it_is_read_when_everything_is_decided_and_not_before(client: Client, collection: Collection) -> None:
    assert client.refused("POST", f"{AT}/reviews", {"event": "whole", "read": True})[0] == 409
    assert client.post(f"{AT}/reviews", {**DOUBTFUL, "choice": "keep"})["left"] == 1
    assert client.post(f"{AT}/reviews", {"event": "image", "image_id": 0, "choice": "no"})["left"] == 0
    assert client.post(f"{AT}/reviews", {"event": "whole", "read": True})["read"]
    assert read_reviews(collection.reviews(ONE)).lines == 3
    assert client.get("/api/dialogues")[0]["done"]


def test_what_is_in_a_removed_message_needs_no_decision(client: Client) -> None:
    client.post(f"{AT}/reviews", {"event": "remove", "utterance_id": 4})
    reading = client.post(f"{AT}/reviews", {"event": "remove", "utterance_id": 0})
    assert (reading["left"], reading["removed"]) == (0, [0, 4])
    assert client.post(f"{AT}/reviews", {"event": "remove", "utterance_id": 4, "removed": False})["left"] == 1


def test_offsets_stay_those_of_the_collected_text_after_an_edit(client: Client) -> None:
    client.post(f"{AT}/reviews", {**DOUBTFUL, "choice": "edit", "text": "somebody else"})
    reading = client.get(AT)
    assert reading["utterances"][4]["text"] == TEXT
    assert [(one["start"], one["end"], one["surrogate"]) for one in reading["findings"]] == [
        (5, 9, "somebody else"),
        (13, 21, "[phone1]"),
    ]


def test_a_stretch_that_a_person_marked_is_a_finding_until_it_is_taken_back(client: Client) -> None:
    mark = {"event": "span", "utterance_id": 4, "start": 23, "end": 29, "kind": "other"}
    reading = client.post(f"{AT}/reviews", {**mark, "choice": "mask"})
    assert [one["by_person"] for one in reading["findings"]] == [False, False, True]
    reading = client.post(f"{AT}/reviews", {**mark, "choice": "keep"})
    assert len(reading["findings"]) == 2


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({**DOUBTFUL, "start": 7, "end": 15, "choice": "mask"}, "overlaps"),
        ({**DOUBTFUL, "utterance_id": 8, "choice": "mask"}, "no such message"),
        ({**DOUBTFUL, "end": 99, "choice": "mask"}, "29 characters"),
        ({**DOUBTFUL, "choice": "perhaps"}, "choice"),
        ({"event": "image", "image_id": 1, "choice": "yes"}, "no such picture"),
        ({"event": "remove", "utterance_id": 8}, "no such message"),
        ({"event": "remove", "utterance_id": -1}, "utterance_id"),
        ({"event": "forget"}, "decision"),
        ([], "decision"),
    ],
)
def test_a_decision_that_cannot_be_carried_out_is_not_written(
    client: Client, collection: Collection, body: Any, told: str
) -> None:
    status, faults = client.refused("POST", f"{AT}/reviews", body)
    assert status == 400
    assert told in faults
    assert "Dana" not in faults
    assert not collection.reviews(ONE).exists()


def test_a_dialogue_that_is_left_out_stays_on_the_list_to_be_taken_back(client: Client) -> None:
    client.post(f"{AT}/reviews", {"event": "whole", "left_out": True})
    (one,) = client.get("/api/dialogues")
    assert (one["done"], one["left_out"]) == (True, True)
    client.post(f"{AT}/reviews", {"event": "whole", "left_out": False})
    assert client.get("/api/dialogues")[0]["left_out"] is False


def test_pictures_come_by_id_and_unknown_dialogues_are_not_there(client: Client) -> None:
    assert client.raw("GET", f"{AT}/images/0")[2] == small_picture().content
    assert client.refused("GET", f"{AT}/images/1")[0] == 404
    assert client.refused("GET", f"/api/dialogues/{'f' * 16}")[0] == 404
    assert client.refused("POST", f"/api/dialogues/{'f' * 16}/reviews", {"event": "whole", "read": True})[0] == 404
