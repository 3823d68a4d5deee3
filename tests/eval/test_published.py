from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mldr.answers import format_answer
from mldr.errors import InputError
from mldr.eval.published import NOTES, PublishedScores, read_samples, score_published
from tests.conftest import Command
from tests.eval.bruteforce_published import published
from tests.eval.support import unhurried, write_jsonl

Document = dict[str, Any]


def prompt_of(n_utterances: int, n_images: int) -> str:
    utterances = [f"<|utt_id_start|>{i}<|utt_id_end|> user1: word{i}" for i in range(n_utterances)]
    images = [f"<|img_id_start|>{i}<|img_id_end|><image>" for i in range(n_images)]
    return "\n".join(["find it", *utterances, *images])


def sample(labels: str, response: str, n_utterances: int = 10, n_images: int = 4) -> Document:
    messages = [{"role": "system", "content": "help"}, {"role": "user", "content": prompt_of(n_utterances, n_images)}]
    return {"labels": labels, "response": response, "messages": messages}


def answer(utterances: str = "[]", images: str = "[]") -> str:
    return f"<|utt_ids_start|>{utterances}<|utt_ids_end|>;<|img_ids_start|>{images}<|img_ids_end|>"


def scored(folder: Path, *documents: Document) -> PublishedScores:
    return score_published(write_jsonl(folder / "infer.jsonl", documents))


# --- against a second implementation

IDS = '[1,2] [0] [3,3,9] [1.0,2] [true] ["1"] [30] [-1] [NaN] [1e400] [[1]] [null] 5 "12" null {} {"1":2} [1 [1,] [0.5] [{}]'
MARKS = "<|utt_ids_start|> <|utt_ids_end|> <|img_ids_start|> <|img_ids_end|> ; draft"
pieces = st.sampled_from([*IDS.split(), *MARKS.split(), "1 2", "", "\n", " ", "\r", "\u2028"])
texts = st.lists(pieces, max_size=9).map("".join) | st.builds(answer, pieces, pieces)
TAGS = """<|utt_id_start|>3<|utt_id_end|> <|utt_id_start|>12<|utt_id_end|> <|img_id_start|>0<|img_id_end|> hello
<|utt_id_start|>x<|utt_id_end|> <|img_id_start|> <|img_id_start|>7<|utt_id_end|>"""
tags = st.sampled_from([*TAGS.split(), "\n"])
prompts = st.lists(tags, max_size=5).map("".join)
messages = st.lists(
    st.builds(lambda role, text: {"role": role, "content": text}, st.sampled_from(["user", "system"]), prompts),
    max_size=3,
)
whole = st.fixed_dictionaries({"labels": texts, "response": texts}, optional={"messages": messages})
documents = st.lists(whole | st.fixed_dictionaries({"labels": texts}), min_size=1, max_size=6)


@unhurried
@given(documents.filter(lambda found: any("response" in one for one in found)))
@example([{"labels": answer("[1]", "[0]"), "response": answer("[1]", "5")}])
@example([{"labels": answer("[0, 1]"), "response": answer("[true, 1.0]")}])
def test_the_figures_are_those_of_a_second_implementation(tmp_path: Path, given_documents: list[Document]) -> None:
    found = scored(tmp_path, *given_documents)
    assert found.measures == pytest.approx(published(given_documents), abs=1e-12)
    assert found.n_samples == sum("response" in one for one in given_documents)
    assert set(found.events) == set(NOTES)


def test_plain_answers_give_the_micro_figures_of_the_textbook(tmp_path: Path) -> None:
    one = sample(format_answer([0, 1], [0]), format_answer([1, 2], [0, 1]))
    two = sample(format_answer([5], []), format_answer([5], []))
    found = scored(tmp_path, one, two).measures
    assert (found["utt_p"], found["utt_r"], found["utt_f1"]) == (0.6667, 0.6667, 0.6667)
    assert (found["img_p"], found["img_r"], found["img_f1"]) == (0.5, 1.0, 0.6667)
    assert found["joint_p"] == round(2 * (2 / 3) * 0.5 / (2 / 3 + 0.5), 4)
    assert found["joint_f1"] == 0.6667


# --- the quirks, one after another


def test_the_first_list_counts_and_not_the_last(tmp_path: Path) -> None:
    draft = sample(answer("[1]", "[0]"), answer("[2]", "[1]") + "\nno: " + answer("[1]", "[0]"))
    assert scored(tmp_path, draft).measures["joint_f1"] == 0.0


def test_an_answer_with_a_line_break_is_empty(tmp_path: Path) -> None:
    found = scored(tmp_path, sample(answer("[1]", "[0]"), answer("[1,\n2]", "[0]")))
    assert found.measures["utt_f1"] == 0.0
    assert found.measures["img_f1"] == 1.0
    assert found.events["unread"] == 0


def test_a_list_that_is_no_json_is_an_empty_answer_and_is_told(tmp_path: Path) -> None:
    found = scored(tmp_path, sample(answer("[1]", "[0]"), answer("1 2", "[0]")))
    assert (found.measures["utt_p"], found.measures["utt_r"]) == (0.0, 0.0)
    assert found.events["unread"] == 1


def test_the_universe_runs_to_the_largest_id_of_the_prompt(tmp_path: Path) -> None:
    document = sample(answer("[0, 1]"), answer("[1, 2]"), n_utterances=5)  # tp 1, fp 1, fn 1, tn 2
    assert scored(tmp_path, document).measures["utt_mcc"] == round((1 * 2 - 1) / 6, 4)


def test_without_id_tags_the_universe_is_taken_as_21_ids_and_that_is_told(tmp_path: Path) -> None:
    document = sample(answer("[0, 1]"), answer("[1, 2]"), n_utterances=0, n_images=0)
    found = scored(tmp_path, document)
    assert found.measures["utt_mcc"] == round((1 * 18 - 1) / (2 * 19), 4)
    assert found.events["default_universe"] == 2
    del document["messages"]
    assert scored(tmp_path, document).measures == found.measures


def test_only_the_first_user_message_is_looked_at(tmp_path: Path) -> None:
    document = sample(answer("[0, 1]"), answer("[1, 2]"), n_utterances=5)
    plain = scored(tmp_path, document)
    document["messages"].append({"role": "user", "content": prompt_of(90, 9)})
    assert scored(tmp_path, document) == plain


def test_utterances_without_text_count(tmp_path: Path) -> None:
    document = sample(answer("[0]"), answer("[0]"), n_utterances=1)
    document["messages"][1]["content"] += "\n<|utt_id_start|>1<|utt_id_end|> user2: "
    assert scored(tmp_path, document).measures["utt_mcc"] == 1.0


def test_ids_outside_the_universe_are_false_positives_and_told(tmp_path: Path) -> None:
    found = scored(tmp_path, sample(answer("[0]"), answer("[0, 99]"), n_utterances=5))
    assert found.measures["utt_p"] == 0.5
    assert found.events["outside"] == 1


def test_figures_are_rounded_to_four_digits(tmp_path: Path) -> None:
    found = scored(tmp_path, sample(answer("[0]"), answer("[0, 1, 2]")))
    assert found.measures["utt_p"] == 0.3333


@pytest.mark.parametrize("missing", ["labels", "response"])
def test_a_line_without_labels_or_response_leaves_the_denominator(tmp_path: Path, missing: str) -> None:
    good, bad = sample(answer("[0]"), answer("[0]")), sample(answer("[0]"), answer("[1]"))
    del bad[missing]
    found = scored(tmp_path, good, bad)
    assert (found.n_samples, found.measures["utt_f1"], found.events["skipped"]) == (1, 1.0, 1)


def test_a_line_that_is_no_json_leaves_the_denominator_and_a_blank_one_is_not_told(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "p.jsonl", [sample(answer("[0]"), answer("[0]"))])
    path.write_text(path.read_text() + "\n{broken\n")
    found = score_published(path)
    assert (found.n_samples, found.events["skipped"]) == (1, 1)


def test_an_answer_that_is_json_and_no_list_is_counted_half_way(tmp_path: Path) -> None:
    good, half = sample(answer("[0]", "[0]"), answer("[0]", "[0]")), sample(answer("[1]", "[1]"), answer("[1]", "5"))
    found = scored(tmp_path, good, half)
    assert found.n_samples == 2
    assert found.events["broken"] == 1
    assert (found.measures["utt_r"], found.measures["img_r"]) == (1.0, 1.0)  # the images of the second are lost


def test_strings_are_never_ids(tmp_path: Path) -> None:
    found = scored(tmp_path, sample(answer("[1, 2]"), answer('["1", "2"]')))
    assert (found.measures["utt_p"], found.measures["utt_r"]) == (0.0, 0.0)


def test_negatives_answered_rightly_are_worth_nothing(tmp_path: Path) -> None:
    found = scored(tmp_path, sample(answer(), answer()))
    assert set(found.measures.values()) == {0.0}


# --- lines on which it stops

STOPS: dict[str, str] = {
    "a number": "5",
    "a list": "[1]",
    "a string": '"labels"',
    "labels that are a list": json.dumps({"labels": [1], "response": ""}),
    "a response that is null": json.dumps({"labels": "", "response": None}),
    "messages that are null": json.dumps({"labels": "", "response": "", "messages": None}),
    "messages of strings": json.dumps({"labels": "", "response": "", "messages": ["hello"]}),
    "content that is a list": json.dumps(
        {"labels": "", "response": "", "messages": [{"role": "user", "content": [1]}]}
    ),
    "an answer of 5,000 digits": json.dumps({"labels": "", "response": answer("[" + "9" * 5000 + "]")}),
    "a tag of 5,000 digits": json.dumps(
        {
            "labels": "",
            "response": "",
            "messages": [{"role": "user", "content": f"<|utt_id_start|>{'9' * 5000}<|utt_id_end|>"}],
        }
    ),
    "lists too deep": "[" * 100_000,
    "an answer too deep": json.dumps({"labels": "", "response": answer("[" * 100_000)}),
}


@pytest.mark.parametrize("name", STOPS)
def test_a_line_on_which_the_published_evaluator_stops_is_a_fault_with_its_place(
    tmp_path: Path, command: Command, name: str
) -> None:
    path = write_jsonl(tmp_path / "p.jsonl", [sample(answer("[0]"), answer("[0]"))] * 2)
    path.write_text(path.read_text() + STOPS[name] + "\n")
    code, out, err = command("mldr-eval", "score", str(path), "--protocol", "published")
    assert (code, out) == (1, "")
    assert err.startswith("1 fault:")
    assert f"{path}, line 3: the published evaluator stops at this line" in err


def test_each_line_on_which_it_stops_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text("5\n{}\n[1]\n")
    with pytest.raises(InputError) as caught:
        read_samples(path)
    assert [fault.place for fault in caught.value.faults] == [f"{path}, line 1", f"{path}, line 3"]


def test_an_id_tag_of_400_digits_is_no_traceback(tmp_path: Path, command: Command) -> None:
    document = sample(answer("[0]"), answer("[0, 1]"))
    document["messages"][1]["content"] += f"<|utt_id_start|>{'9' * 400}<|utt_id_end|>"
    path = write_jsonl(tmp_path / "p.jsonl", [document])
    code, _, err = command("mldr-eval", "score", str(path), "--protocol", "published")
    assert code in (0, 1)
    assert "Traceback" not in err


@pytest.mark.parametrize("content", [b"", b"\n\n", b"{}\n", b"{broken\n"])
def test_a_file_without_a_sample_is_a_fault(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "p.jsonl"
    path.write_bytes(content)
    with pytest.raises(InputError, match="holds no sample"):
        score_published(path)


def test_bad_utf8_is_a_fault_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_bytes(b'{"labels": "\xff"}\n')
    with pytest.raises(InputError, match=r"line 1: not UTF-8"):
        score_published(path)


# --- the command line


def test_the_published_protocol_reads_the_inference_output_alone(tmp_path: Path, command: Command) -> None:
    path = write_jsonl(tmp_path / "p.jsonl", [sample(answer("[0]", "[1]"), answer("1", "[1, 2]"))])
    code, out, err = command("mldr-eval", "score", str(path), "--protocol", "published")
    assert (code, err) == (0, "")
    assert "protocol published, 1 samples" in out
    assert f"note: 1 {NOTES['broken']}" in out
    code, out, _ = command("mldr-eval", "score", str(path), "--protocol", "published", "--json")
    assert code == 0
    assert PublishedScores.model_validate_json(out) == score_published(path)


def test_the_published_protocol_with_a_dataset_is_wrong_usage(tmp_path: Path, command: Command) -> None:
    path = write_jsonl(tmp_path / "p.jsonl", [sample(answer(), answer())])
    code, out, err = command("mldr-eval", "score", "DATASET", str(path), "--protocol", "published")
    assert (code, out) == (2, "")
    assert "takes one file" in err


def test_a_missing_inference_file_is_one_line(tmp_path: Path, command: Command) -> None:
    for path in (tmp_path / "nowhere.jsonl", tmp_path):
        code, out, err = command("mldr-eval", "score", str(path), "--protocol", "published")
        assert (code, out, len(err.splitlines())) == (1, "", 1)
