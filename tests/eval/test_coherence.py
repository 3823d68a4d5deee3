from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from mldr.answers import format_answer
from mldr.embed import Vectors
from mldr.eval.coherence import Coherence, coherence, order_consistency, query_similarity
from mldr.eval.published import Sample, read_samples
from tests.eval.support import unhurried, write_jsonl

WORDS = {"east": (1.0, 0.0), "north": (0.0, 2.0), "west": (-3.0, 0.0), "northeast": (1.0, 1.0)}
COLOURS = {"red": (1.0, 0.0), "blue": (0.0, 1.0)}


class Compass:
    """Embeds a word as its direction, a picture by its colour; anything else is nowhere."""

    identity = "compass"
    sees_images = True

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        return np.array([WORDS.get(text, (0.0, 0.0)) for text in texts], dtype=np.float32)

    def embed_images(self, images: Sequence[Image.Image]) -> Vectors:
        colours = ["red" if image.getpixel((0, 0)) == (255, 0, 0) else "blue" for image in images]
        return np.array([COLOURS[colour] for colour in colours], dtype=np.float32)


def open_image(path: str) -> Image.Image:
    return Image.new("RGB", (2, 2), path)


def line(number: int, text: str, images: Sequence[int] = ()) -> str:
    pictures = "".join(f"<|img_id_start|>{i}<|img_id_end|><image>" for i in images)
    return f"<|utt_id_start|>{number}<|utt_id_end|> user{number % 2 + 1}: {text}{pictures}"


DIALOGUE = [line(0, "east"), line(1, "north"), line(2, "", (0, 1)), line(3, "west"), line(4, "northeast", (2,))]
PATHS = ["red", "blue", "red"]


def samples_of(folder: Path, *answers: str, query: str = "east") -> list[Sample]:
    prompt = "\n".join([f"find <|query_start|>{query}<|query_end|>", *DIALOGUE])
    documents = [
        {
            "labels": format_answer([], []),
            "response": answer,
            "messages": [{"role": "user", "content": prompt}],
            "images": [{"bytes": None, "path": path} for path in PATHS],
        }
        for answer in answers
    ]
    return read_samples(write_jsonl(folder / "infer.jsonl", documents))[0]


def found(folder: Path, *answers: str, query: str = "east") -> Coherence:
    return coherence(samples_of(folder, *answers, query=query), Compass(), open_image)


HALF = math.sqrt(0.5)


@pytest.mark.parametrize(
    ("utterances", "images", "order", "similarity"),
    [
        ([0, 1], [], 0.0, 0.5),  # east, north
        ([1, 0], [], 0.0, 0.5),  # in the order of the dialogue
        ([0, 3], [], -1.0, 0.0),  # east, west
        ([0, 1, 4], [], (0.0 + HALF) / 2, (1 + 0 + HALF) / 3),
        ([0], [], 0.5, 1.0),  # a single element
        ([], [2], 0.5, 1.0),
        ([0], [2], 1.0, 1.0),  # east, red
        ([0], [0, 1], HALF, (1 + HALF) / 2),  # the two images of utterance 2 are averaged
        ([4], [2], HALF, (HALF + 1) / 2),  # an utterance's text comes before its image
        ([0, 0, 77], [55], 0.5, 1.0),  # each once; what is not there is left out
    ],
)
def test_cosines_worked_out_by_hand(
    tmp_path: Path, utterances: list[int], images: list[int], order: float, similarity: float
) -> None:
    result = found(tmp_path, format_answer(utterances, images))
    assert result.order_consistency == pytest.approx(100 * order, abs=1e-4)
    assert result.query_similarity == pytest.approx(100 * similarity, abs=1e-4)
    assert (result.n_samples, result.n_empty) == (1, 0)


def test_a_sample_without_a_retrieved_element_is_zero_in_both_and_counted(tmp_path: Path) -> None:
    result = found(tmp_path, format_answer([0], []), format_answer([], []), "I do not know", format_answer([99], [99]))
    assert (result.n_samples, result.n_empty) == (4, 3)
    assert result.order_consistency == pytest.approx(50 / 4)
    assert result.query_similarity == pytest.approx(100 / 4)


def test_no_samples_give_zeros() -> None:
    assert coherence([], Compass(), open_image) == Coherence(
        order_consistency=0.0, query_similarity=0.0, n_samples=0, n_empty=0
    )


def test_the_query_is_what_stands_between_its_tags(tmp_path: Path) -> None:
    assert found(tmp_path, format_answer([1], []), query="north").query_similarity == pytest.approx(100)
    assert found(tmp_path, format_answer([1], []), query="west").query_similarity == pytest.approx(0)


def test_a_query_that_is_nowhere_is_similar_to_nothing(tmp_path: Path) -> None:
    assert found(tmp_path, format_answer([0, 1], []), query="?").query_similarity == 0.0


def test_an_answer_that_is_no_list_of_ids_retrieves_nothing(tmp_path: Path) -> None:
    hostile = "<|utt_ids_start|>5<|utt_ids_end|>;<|img_ids_start|>{}<|img_ids_end|>"
    strings = '<|utt_ids_start|>["0", true, 1.0]<|utt_ids_end|>;<|img_ids_start|>[null]<|img_ids_end|>'
    assert found(tmp_path, hostile, strings).n_empty == 2


vectors = arrays(np.float32, st.tuples(st.integers(1, 6), st.just(3)), elements=st.integers(-9, 9).map(float))


@unhurried
@given(vectors)
def test_order_consistency_is_the_mean_cosine_of_neighbours(rows: Vectors) -> None:
    cosines = [cosine(one, two) for one, two in zip(rows[:-1].tolist(), rows[1:].tolist(), strict=True)]
    expected = sum(cosines) / len(cosines) if cosines else 0.5
    assert order_consistency(rows) == pytest.approx(expected, abs=1e-5)


@unhurried
@given(vectors)
def test_query_similarity_is_the_mean_cosine_to_the_query(rows: Vectors) -> None:
    expected = sum(cosine(rows[0].tolist(), row) for row in rows.tolist()) / len(rows)
    assert query_similarity(rows[0], rows) == pytest.approx(expected, abs=1e-5)


def cosine(one: Sequence[float], two: Sequence[float]) -> float:
    lengths = math.sqrt(sum(x * x for x in one)) * math.sqrt(sum(x * x for x in two))
    return sum(a * b for a, b in zip(one, two, strict=True)) / lengths if lengths else 0.0
