from __future__ import annotations

import base64
import hashlib
import io
import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

import mldr
from mldr.dialogue import Dialogue, Gold, StoredImage
from mldr.eval import Evaluator, MeasureValue
from mldr.eval.report import ReportOptions, queries, write_report
from mldr.eval.report.words import WORDS
from mldr.eval.scores import SliceScores
from mldr.eval.slices import slicings
from mldr.html import MARK_WORDS
from tests.conftest import Command, Rows, small_rows, stored_picture, write_dataset
from tests.eval.support import TEST_IDS, bare_images, dataset_of, mixed_dialogue, row, write_jsonl
from tests.eval.support_report import (
    HOSTILE,
    Answers,
    Node,
    noise,
    of_real_people,
    parse,
    pictured_dataset,
    predictions_of,
    report_of,
    sections,
    spoken_dataset,
    store_of,
)

LARGEST = 15_000_000
RIGHT: Answers = {TEST_IDS[0]: ([0, 2], [0]), TEST_IDS[1]: ([1, 4], []), TEST_IDS[2]: ([], [0]), TEST_IDS[3]: ([], [])}
MIXED: Answers = {TEST_IDS[0]: ([0, 3], []), TEST_IDS[1]: ([1, 4], []), TEST_IDS[2]: ([5], [0])}
"""Half of the multimodal, all of the utterances, the image and something more; the negative is missing."""


def policy_of(page: Node) -> dict[str, str]:
    content = page.one("meta", http_equiv="Content-Security-Policy").attributes["content"]
    assert content is not None
    return dict(rule.strip().split(" ", 1) for rule in content.split(";"))


def digest(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def summaries(page: Node) -> list[str]:
    return [section.one("summary").one("b").text for section in sections(page)]


def texts_of(page: Node, name: str) -> list[str]:
    return [node.text for node in page.every(name)]


# --- a page that is safe to open


def test_a_report_loads_nothing_from_anywhere(tmp_path: Path, small_dataset: mldr.Dataset) -> None:
    page = parse(report_of(small_dataset, tmp_path / "r.html", {"a": RIGHT, "b": MIXED}))
    assert {name for name, _ in page.shape}.isdisjoint(
        {"link", "iframe", "object", "embed", "base", "a", "audio", "video"}
    )
    assert {key for _, key, _ in page.all_attributes}.isdisjoint(
        {"src", "href", "srcset", "style", "action", "background"}
    )
    style = page.one("style").raw
    assert "url(" not in style
    assert "@import" not in style
    assert not re.search(r"https?:", style + "".join(script.raw for script in page.every("script")))


def test_the_policy_allows_this_style_and_this_script_alone(tmp_path: Path, small_dataset: mldr.Dataset) -> None:
    page = parse(report_of(small_dataset, tmp_path / "r.html", {"a": RIGHT}))
    stored, script = page.every("script")
    assert stored.attributes == {"type": "application/json", "id": "pictures"}
    assert script.attributes == {}
    assert policy_of(page) == {
        "default-src": "'none'",
        "img-src": "data:",
        "style-src": digest(page.one("style").raw),
        "script-src": digest(script.raw),
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert not [key for _, key, _ in page.all_attributes if key.startswith("on")]


def test_the_policy_comes_before_anything_that_it_rules(tmp_path: Path, small_dataset: mldr.Dataset) -> None:
    page = parse(report_of(small_dataset, tmp_path / "r.html", {"a": RIGHT}))
    head = page.one("head").content
    assert [node.name for node in head if isinstance(node, Node)] == ["meta", "meta", "meta", "title", "style"]


def test_pictures_stand_in_the_page_as_jpeg_data(tmp_path: Path, small_dataset: mldr.Dataset) -> None:
    page = parse(report_of(small_dataset, tmp_path / "r.html", {"a": RIGHT}))
    store = store_of(page)
    assert store
    for source in store.values():
        kind, _, content = source.partition(",")
        assert kind == "data:image/jpeg;base64"
        assert Image.open(io.BytesIO(base64.b64decode(content, validate=True))).format == "JPEG"
    keys = {str(image.attributes["data-key"]) for image in page.every("img")}
    assert keys == set(store)


def hostile_report(folder: Path, words: str, key: str, language: str) -> str:
    folder.mkdir()
    dataset = spoken_dataset(folder / "d", words, key=key, language=language, name=f"mldr-ffr-{words}")
    answers: Answers = {"d-0": ([0, 2], [1])}
    return report_of(
        dataset, folder / "r.html", {f"one {words}": {}, f"two {words}": answers}, by=["label_model", "kind"]
    )


def test_hostile_texts_make_the_same_elements_as_mild_ones(tmp_path: Path) -> None:
    mild = parse(hostile_report(tmp_path / "mild", "zzz", "ref:zzz", "en"))
    hostile = parse(hostile_report(tmp_path / "hostile", HOSTILE, f"ref:{HOSTILE}", f"en\"{HOSTILE}'"))
    assert hostile.shape == mild.shape
    assert hostile.one("h1").text == f"mldr-ffr-{HOSTILE} · test"
    assert set(summaries(hostile)) == {f"{HOSTILE} 0", f"{HOSTILE} 1"}
    assert f"one {HOSTILE}" in texts_of(hostile, "th")


def test_a_hostile_image_key_cannot_break_out_of_the_stored_pictures(tmp_path: Path) -> None:
    markup = hostile_report(tmp_path / "hostile", HOSTILE, f"ref:{HOSTILE}", "en")
    stored, script = parse(markup).every("script")
    assert "<" not in stored.raw
    assert markup.count("</script>") == 2
    assert store_of(parse(markup)).get(f"ref:{HOSTILE}", "") == ""
    assert script.raw == parse(hostile_report(tmp_path / "mild", "zzz", "ref:zzz", "en")).every("script")[1].raw


def test_hostile_labels_of_a_table_stand_in_a_chart_as_text(
    tmp_path: Path, command: Command, small_dataset: mldr.Dataset
) -> None:
    labels = [f"{attack} {HOSTILE}" for attack in ("<b>", '"', "'", "&amp;")]
    pq.write_table(pa.table({"query_id": list(TEST_IDS), "<i>hard": labels}), tmp_path / "t.parquet")
    path = write_jsonl(tmp_path / "a.jsonl", [row(TEST_IDS[0])])
    words = [str(small_dataset.folder), str(path), "--split", "test", "--out", str(tmp_path / "r.html")]
    code, _, _ = command("mldr-eval", "report", *words, "--table", str(tmp_path / "t.parquet"), "--by", "<i>hard")
    assert code == 0
    page = parse((tmp_path / "r.html").read_text(encoding="utf-8"))
    shown = [node.text for node in page.one("svg").every("text", class_="label")]
    assert sorted(label[:4] for label in shown) == sorted(label[:4] for label in labels)
    assert {name for name, _ in page.one("svg").shape} <= {"title", "line", "text", "circle"}


def test_a_file_name_that_is_no_utf_8_makes_no_traceback(
    tmp_path: Path, command: Command, small_dataset: mldr.Dataset
) -> None:
    path = tmp_path / os.fsdecode(b"a\xff.jsonl")
    try:
        write_jsonl(path, [row(TEST_IDS[0])])
    except OSError:
        pytest.skip("this file system holds no such name")
    words = [str(small_dataset.folder), str(path), "--split", "test", "--out", str(tmp_path / "r.html")]
    code, _, err = command("mldr-eval", "report", *words)
    assert code == 0, err
    assert parse((tmp_path / "r.html").read_text(encoding="utf-8")).one("h1")


# --- what it says


def test_the_head_says_which_gold_was_asked(tmp_path: Path, small_dataset: mldr.Dataset) -> None:
    page = parse(report_of(small_dataset, tmp_path / "r.html", {"a": RIGHT}))
    assert page.one("html").attributes == {"lang": "en"}
    assert page.one("head").one("title").text == page.one("h1").text == "mldr-ffr-tests · test"
    gold_hash = small_dataset.manifest.gold_hash["test"]
    assert f"4 queries · 2 clusters · gold {gold_hash[:16]} · mldr {mldr.__version__}" in page.text


def test_each_system_has_its_figures_and_trivial_systems_stand_below_in_brackets(
    tmp_path: Path, small_dataset: mldr.Dataset
) -> None:
    page = parse(report_of(small_dataset, tmp_path / "r.html", {"good": RIGHT, "worse": MIXED}))
    micro = page.every("table")[0]
    names = [node.text for node in micro.every("th", scope="row")]
    assert names[:2] == ["good", "worse"]
    assert names[2:4] == ["[all]", "[none]"]
    assert names[4].startswith("[best third (")
    good = micro.one("tbody").every("tr")[0]
    assert [cell.text for cell in good.every("td")] == ["100.00"] * 12


def test_outcomes_are_shown_as_rates_and_failures_are_starred(tmp_path: Path, small_dataset: mldr.Dataset) -> None:
    page = parse(report_of(small_dataset, tmp_path / "r.html", {"a": MIXED}))
    (table,) = [one for one in page.every("table") if one.one("caption").text == WORDS["en"]["outcomes"]]
    head = [node.text for node in table.every("th", scope="col")]
    cells = [node.text for node in table.one("tbody").every("td")]
    rates = dict(zip(head[1:], cells, strict=True))
    assert rates["missing*"] == "25.00"
    assert rates["ok"] == "75.00"
    assert rates["refused*"] == "0.00"
    assert "empty" in rates


def test_every_table_can_be_scrolled_by_keyboard_and_has_a_name(tmp_path: Path, small_dataset: mldr.Dataset) -> None:
    page = parse(report_of(small_dataset, tmp_path / "r.html", {"a": RIGHT}))
    regions = page.every("div", role="region", tabindex="0")
    assert len(regions) == len(page.every("table"))
    assert all(region.attributes["aria-label"] == region.one("caption").text for region in regions)


def test_notes_stand_on_the_page(tmp_path: Path, small_dataset: mldr.Dataset) -> None:
    page = parse(report_of(small_dataset, tmp_path / "r.html", {"a": {TEST_IDS[0]: ([0, 0, 99], [])}}))
    told = texts_of(page.one("ul", class_="notes"), "li")
    assert any(note.startswith("no intervals: 2 clusters") for note in told)
    assert "a: 1 repeated ids were counted once" in told
    assert "a: 1 ids outside their dialogue were counted as false positives" in told


def test_intervals_stand_below_their_figures_where_there_are_clusters_enough(tmp_path: Path) -> None:
    dataset = pictured_dataset(tmp_path / "d", 24, [stored_picture("red")])
    answers = {f"{number:016x}-00000000": ([number % 2], [0]) for number in range(24)}
    page = parse(report_of(dataset, tmp_path / "r.html", {"a": answers}))
    value = page.every("table")[0].one("tbody").every("td")[0]
    middle, low, high = re.fullmatch(r"(\d+\.\d\d)(\d+\.\d\d)–(\d+\.\d\d)", value.text).groups()  # type: ignore[union-attr]
    assert float(low) <= float(middle) <= float(high)
    assert float(low) < float(high)
    assert "widened" in page.one("ul", class_="notes").text


# --- charts


def test_a_slice_chart_carries_its_numbers_as_text_and_has_a_title(tmp_path: Path, small_dataset: mldr.Dataset) -> None:
    page = parse(report_of(small_dataset, tmp_path / "r.html", {"a": MIXED}, by=["kind", "language"]))
    kinds, languages = page.every("figure", class_="plot")
    assert "kind" in kinds.one("figcaption").text
    assert "language" in languages.one("figcaption").text
    for chart in (kinds.one("svg"), languages.one("svg")):
        assert chart.attributes["role"] == "img"
        assert chart.attributes["aria-label"] == chart.one("title").text != ""
    labels = [node.text for node in kinds.every("text", class_="label")]
    assert labels == [f"{kind} (1) · a" for kind in ("image", "multimodal", "negative", "utterance")]
    evaluator = Evaluator(small_dataset, "test")
    scores = evaluator.score(predictions_of(MIXED), by=slicings(evaluator.gold, ["kind"]), resamples=0)
    shown = [node.text.split(" ")[0] for node in kinds.every("text", class_="words")]
    values = [one.measures["joint_f1(avg=macro)"].value for one in scores.slices["kind"]]
    assert shown == ["-" if value is None else f"{100 * value:.2f}" for value in values]
    assert len(kinds.every("circle")) == len([value for value in values if value is not None])


def test_a_slice_of_few_clusters_says_so(tmp_path: Path, small_dataset: mldr.Dataset) -> None:
    page = parse(report_of(small_dataset, tmp_path / "r.html", {"a": MIXED}, by=["language"]))
    (words,) = page.one("figure", class_="plot").every("text", class_="words")
    assert words.text.endswith("(only 2 clusters)")


def test_a_slice_of_enough_clusters_says_nothing(tmp_path: Path) -> None:
    dataset = pictured_dataset(tmp_path / "d", 20, [stored_picture("red")])
    page = parse(report_of(dataset, tmp_path / "r.html", {"a": {}}, by=["language"]))
    (words,) = page.one("figure", class_="plot").every("text", class_="words")
    assert "only" not in words.text


def test_systems_stand_side_by_side_in_a_chart(tmp_path: Path, small_dataset: mldr.Dataset) -> None:
    page = parse(report_of(small_dataset, tmp_path / "r.html", {"one": RIGHT, "two": MIXED}, by=["language"]))
    (chart,) = page.one("div", class_="charts").every("svg")
    assert [node.text for node in chart.every("text", class_="label")] == ["en (4) · one", "en (4) · two"]


def test_a_long_label_still_says_how_many_queries_and_whose(tmp_path: Path) -> None:
    dataset = spoken_dataset(tmp_path / "d", "a model whose name is as long as some names of models are nowadays")
    page = parse(report_of(dataset, tmp_path / "r.html", {"a": {}, "b": {}}, by=["label_model"]))
    labels = [node.text for node in page.one("div", class_="charts").every("text", class_="label")]
    assert [label[-5:] for label in labels] == [") · a", ") · b"] * 2, labels


def test_a_comparison_is_a_forest_with_a_row_for_each_pair_and_measure(
    tmp_path: Path, small_dataset: mldr.Dataset
) -> None:
    page = parse(report_of(small_dataset, tmp_path / "r.html", {"a": RIGHT, "b": MIXED, "c": {}}, by=[]))
    forest = page.one("figure", class_="plot")
    labels = [node.text for node in forest.every("text", class_="label")]
    assert labels == [
        f"{pair} · {measure}" for pair in ("a − b", "a − c", "b − c") for measure in ("joint_f1", "joint_f1(avg=macro)")
    ]
    words = [node.text for node in forest.every("text", class_="words")]
    assert all(re.fullmatch(r"\+\d+\.\d\d no interval p [\d.]+", one) for one in words), words
    assert len(forest.every("line", class_="zero")) == 1
    assert "can give no p below" in page.text


def test_one_system_is_compared_with_nothing(tmp_path: Path, small_dataset: mldr.Dataset) -> None:
    page = parse(report_of(small_dataset, tmp_path / "r.html", {"a": RIGHT}))
    assert WORDS["en"]["comparison"] not in texts_of(page, "h2")


# --- the browser of queries


def test_the_worst_queries_come_first(tmp_path: Path, small_dataset: mldr.Dataset) -> None:
    page = parse(report_of(small_dataset, tmp_path / "r.html", {"a": MIXED}))
    kinds = [section.attributes["data-kind"] for section in sections(page)]
    assert kinds == ["negative", "multimodal", "image", "utterance"]
    assert [section.attributes["data-outcome"] for section in sections(page)] == ["missing", "ok", "ok", "ok"]


def test_of_several_systems_the_last_is_drawn_on_the_dialogues(tmp_path: Path, small_dataset: mldr.Dataset) -> None:
    page = parse(report_of(small_dataset, tmp_path / "r.html", {"a": {}, "b": RIGHT}))
    assert "Single queries, as answered by b" in texts_of(page, "h2")
    assert {section.attributes["data-outcome"] for section in sections(page)} == {"ok", "empty"}


def test_gold_and_answer_are_marked_in_words_as_well_as_in_colour(tmp_path: Path, small_dataset: mldr.Dataset) -> None:
    page = parse(report_of(small_dataset, tmp_path / "r.html", {"a": MIXED}))
    (section,) = [one for one in sections(page) if one.attributes["data-kind"] == "multimodal"]
    marked = {
        (node.name, str(node.attributes["class"]), node.one("span", class_="mark").text) for node in _marked(section)
    }
    assert marked == {
        ("p", "hit", MARK_WORDS["hit"]),
        ("p", "missed", MARK_WORDS["missed"]),
        ("p", "extra", MARK_WORDS["extra"]),
        ("figure", "missed", MARK_WORDS["missed"]),
    }
    legend = page.one("p", class_="legend").text
    assert all(WORDS["en"][f"{mark}_text"] in legend for mark in ("hit", "missed", "extra"))


def _marked(section: Node) -> list[Node]:
    return [
        node
        for name in ("p", "figure")
        for node in section.every(name)
        if node.attributes["class"] in ("hit", "missed", "extra")
    ]


def test_the_ids_of_gold_and_answer_stand_above_the_dialogue(tmp_path: Path, small_dataset: mldr.Dataset) -> None:
    page = parse(report_of(small_dataset, tmp_path / "r.html", {"a": MIXED}))
    assert f"{TEST_IDS[0]} · gold: utterances [0, 2], images [0] · answer: utterances [0, 3], images []" in page.text


def test_the_filters_offer_what_there_is_with_its_number(tmp_path: Path, small_dataset: mldr.Dataset) -> None:
    page = parse(report_of(small_dataset, tmp_path / "r.html", {"a": MIXED}))
    form = page.one("form", id="filters")
    offered = {
        str(one.attributes["name"]): [(option.attributes["value"], option.text) for option in one.every("option")]
        for one in form.every("select")
    }
    assert offered["outcome"] == [("", "all (4)"), ("missing", "missing (1)"), ("ok", "ok (3)")]
    assert offered["kind"] == [
        ("", "all (4)"),
        *((kind, f"{kind} (1)") for kind in ("image", "multimodal", "negative", "utterance")),
    ]
    counted = form.one("output", id="shown")
    assert counted.text == "4 shown of 4"
    assert counted.attributes["aria-live"] == "polite"
    assert "JavaScript" in page.one("noscript").text


def test_utterances_without_text_are_shown_with_their_image_alone(tmp_path: Path) -> None:
    dialogue = mixed_dialogue()
    gold = Gold("q", "f", "fine", (), (1,))
    dataset = dataset_of(tmp_path / "d", dialogue, [gold], bare_images(dialogue))
    page = parse(report_of(dataset, tmp_path / "r.html", {"a": {"q": ([3, 4], [0])}}))
    (section,) = sections(page)
    bubbles = section.one("ol").every("li")
    assert len(bubbles) == dialogue.n_utterances
    assert not bubbles[3].every("p")
    assert bubbles[3].one("figure")
    assert "a: 1 ids of utterances without text were ignored" in texts_of(page, "li")
    assert "answer: utterances [4], images [0]" in section.text


def test_a_dataset_without_images_has_a_report(tmp_path: Path) -> None:
    dataset = spoken_dataset(tmp_path / "d", n_images=0)
    page = parse(report_of(dataset, tmp_path / "r.html", {"a": {"d-0": ([0, 1], [])}}))
    assert store_of(page) == {}
    assert not page.every("img")
    assert any("stand on utterances alone" in note for note in texts_of(page.one("ul", class_="notes"), "li"))


def test_images_without_bytes_are_shown_in_words_and_a_note_says_captions_only(tmp_path: Path) -> None:
    page = parse(report_of(spoken_dataset(tmp_path / "d"), tmp_path / "r.html", {"a": {}}))
    shown = page.every("span", class_="no-image")
    assert {node.text for node in shown} == {"[url_only] mild"}
    assert any(note.startswith("captions only: 1 of 2 images") for note in texts_of(page, "li"))


def one_image(folder: Path, change: Mapping[str, object], *, keep: bool = True) -> mldr.Dataset:
    rows = small_rows(16, "blue")
    (image,) = rows["images"]
    assert isinstance(image, StoredImage)
    rows["images"] = [replace(image, **change)] if keep else []  # type: ignore[arg-type]
    return write_dataset(folder, {"test": rows})


@pytest.mark.parametrize("content", [b"no picture", b"", b"\x89PNG\r\n\x1a\n broken"])
def test_a_broken_picture_is_shown_in_words_and_is_not_called_present(tmp_path: Path, content: bytes) -> None:
    dataset = one_image(tmp_path / "d", {"content": content})
    page = parse(report_of(dataset, tmp_path / "r.html", {"a": RIGHT}))
    assert not page.every("img")
    assert "picture 0" in page.text
    assert "[present]" not in page.text


def test_a_truncated_picture_is_shown_in_words(tmp_path: Path) -> None:
    whole = noise(1).content
    assert whole is not None
    page = parse(report_of(one_image(tmp_path / "d", {"content": whole[:3000]}), tmp_path / "r.html", {"a": RIGHT}))
    assert not page.every("img")
    assert "picture 0" in page.text


def test_a_missing_picture_is_shown_in_words(tmp_path: Path) -> None:
    dataset = one_image(tmp_path / "d", {"content": None, "status": "missing"})
    page = parse(report_of(dataset, tmp_path / "r.html", {"a": RIGHT}))
    assert "[missing] picture 0" in page.text


def test_a_picture_that_the_dataset_does_not_hold_is_shown_as_missing(tmp_path: Path) -> None:
    dataset = one_image(tmp_path / "d", {}, keep=False)
    page = parse(report_of(dataset, tmp_path / "r.html", {"a": RIGHT}))
    assert "[missing] picture 0" in page.text


# --- real people


def real_dataset(folder: Path) -> mldr.Dataset:
    return write_dataset(folder, {"test": of_real_people(small_rows(16, "blue"))})


def test_of_real_chats_the_page_holds_ids_and_counts_only(tmp_path: Path) -> None:
    dataset = real_dataset(tmp_path / "d")
    markup = report_of(dataset, tmp_path / "r.html", {"a": MIXED, "b": MIXED}, by=["kind", "origin", "language"])
    page = parse(markup)
    for secret in ("says word", "word0 of", "picture 0", "sha256:", "data:image/", "<img", "p0", "source/16"):
        assert secret not in markup, secret
    assert store_of(page) == {}
    assert set(summaries(page)) == set(TEST_IDS)
    assert all(WORDS["en"]["withheld"] in section.text for section in sections(page))
    assert "gold: utterances [0, 2], images [0]" in page.text


def test_of_real_chats_the_page_holds_texts_and_pictures_when_asked(tmp_path: Path) -> None:
    options = ReportOptions(with_content=True)
    page = parse(report_of(real_dataset(tmp_path / "d"), tmp_path / "r.html", {"a": MIXED}, options=options))
    assert "says word1" in page.text
    assert "word0 of" in page.text
    assert len(store_of(page)) == 1
    assert WORDS["en"]["withheld"] not in page.text


def test_real_chats_among_stitched_ones_are_withheld_and_those_are_not(tmp_path: Path) -> None:
    rows = small_rows(16, "blue")
    first, second = rows["dialogues"]
    assert isinstance(first, Dialogue)
    rows["dialogues"] = [replace(first, origin="real"), second]
    dataset = write_dataset(tmp_path / "d", {"test": rows})
    markup = report_of(dataset, tmp_path / "r.html", {"a": MIXED})
    assert "dialogue 16 says" not in markup
    assert "dialogue 17 says" in markup


def test_the_command_withholds_real_chats_unless_asked(tmp_path: Path, command: Command) -> None:
    dataset = real_dataset(tmp_path / "d")
    path = write_jsonl(tmp_path / "a.jsonl", [row(TEST_IDS[0], [0])])
    words = ["mldr-eval", "report", str(dataset.folder), str(path), "--split", "test"]
    assert command(*words, "--out", str(tmp_path / "r.html"))[0] == 0
    assert command(*words, "--out", str(tmp_path / "w.html"), "--with-content")[0] == 0
    assert "says word" not in (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "says word" in (tmp_path / "w.html").read_text(encoding="utf-8")


# --- Chinese


def test_a_page_in_chinese_says_its_own_words_in_chinese(tmp_path: Path, small_dataset: mldr.Dataset) -> None:
    options = ReportOptions("zh")
    page = parse(report_of(small_dataset, tmp_path / "r.html", {"a": RIGHT, "b": MIXED}, options=options))
    zh, en = WORDS["zh"], WORDS["en"]
    assert page.one("html").attributes == {"lang": "zh"}
    assert texts_of(page, "h2") == [zh["comparison"], zh["slices"], f"{zh['browser']} b"]
    assert page.one("output").text == "4 条，共 4"
    for word in ("measures", "outcomes", "browser", "comparison_sub", "hit", "missed", "extra", "hit_text", "script"):
        assert zh[word] in page.text, word
        assert en[word] not in page.text, word
    assert zh.keys() == en.keys()


def test_image_numbers_are_in_chinese_on_a_page_in_chinese(tmp_path: Path, small_dataset: mldr.Dataset) -> None:
    page = parse(report_of(small_dataset, tmp_path / "r.html", {"a": RIGHT}, options=ReportOptions("zh")))
    captions = [node.text for section in sections(page) for node in section.every("figcaption")]
    assert captions
    assert all(caption.startswith("图片 0") for caption in captions), captions


# --- the budget


def test_more_queries_than_the_page_holds_are_cut_and_the_page_says_how_many(tmp_path: Path) -> None:
    dataset = pictured_dataset(tmp_path / "d", queries.SHOWN + 5, [stored_picture("red")])
    page = parse(report_of(dataset, tmp_path / "r.html", {"a": {f"{3:016x}-00000000": ([0], [0])}}))
    assert len(sections(page)) == queries.SHOWN
    assert page.one("output").text == f"{queries.SHOWN} shown of {queries.SHOWN + 5}"
    assert "query 3" in summaries(page)  # the one that was answered: each outcome is there
    assert page.every("option")[0].text == f"all ({queries.SHOWN})"
    assert f"missing ({queries.SHOWN - 1} / {queries.SHOWN + 4})" in [option.text for option in page.every("option")]


def test_a_picture_of_many_dialogues_stands_once_in_the_page(tmp_path: Path) -> None:
    dataset = pictured_dataset(tmp_path / "d", 30, [stored_picture("red")])
    page = parse(report_of(dataset, tmp_path / "r.html", {"a": {}}))
    assert len(store_of(page)) == 1
    assert len(page.every("img")) == 30


def picture_budget_for(monkeypatch: pytest.MonkeyPatch, n_pictures: float, dataset: mldr.Dataset) -> None:
    from mldr.html import thumbnail_source

    sizes = [len(thumbnail_source(image)) for image in dataset.images("test")]
    monkeypatch.setattr(queries, "PICTURE_BUDGET", int(max(sizes) * n_pictures))


def test_pictures_beyond_the_budget_are_left_out_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = pictured_dataset(tmp_path / "d", 6, [noise(number, 40) for number in range(6)])
    picture_budget_for(monkeypatch, 2.2, dataset)
    page = parse(report_of(dataset, tmp_path / "r.html", {"a": {}}))
    assert len([source for source in store_of(page).values() if source]) == 2
    assert len(page.every("img")) == 2
    assert len(page.every("span", class_="no-image")) == 4
    assert f"4 {WORDS['en']['too_large']}" in page.text
    assert "[present]" not in page.text


def test_the_worst_queries_keep_their_pictures_when_the_budget_is_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = pictured_dataset(tmp_path / "d", 4, [noise(number, 40) for number in range(4)])
    picture_budget_for(monkeypatch, 1.2, dataset)
    answers: Answers = {f"{number:016x}-00000000": ([0], [0]) for number in range(3)}  # the last dialogue's is missing
    page = parse(report_of(dataset, tmp_path / "r.html", {"a": answers}))
    assert summaries(page)[0] == "query 3"
    assert [len(section.every("img")) for section in sections(page)] == [1, 0, 0, 0]


def test_queries_beyond_the_budget_of_text_are_cut_the_better_ones_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = pictured_dataset(tmp_path / "d", 8, [stored_picture("red")])
    answers: Answers = {f"{number:016x}-00000000": ([0], [0]) for number in range(4)}
    whole = parse(report_of(dataset, tmp_path / "whole.html", {"a": answers}))
    monkeypatch.setattr(queries, "TEXT_BUDGET", 3_000)
    page = parse(report_of(dataset, tmp_path / "r.html", {"a": answers}))
    assert 0 < len(sections(page)) < 8
    assert summaries(page) == summaries(whole)[: len(summaries(page))]
    assert page.one("output").text == f"{len(sections(page))} shown of 8"
    assert page.every("option")[0].text == f"all ({len(sections(page))})"


def test_pictures_of_queries_that_are_cut_are_not_carried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = pictured_dataset(tmp_path / "d", 8, [noise(number, 40) for number in range(8)])
    monkeypatch.setattr(queries, "TEXT_BUDGET", 3_000)
    page = parse(report_of(dataset, tmp_path / "r.html", {"a": {}}))
    shown = {str(image.attributes["data-key"]) for image in page.every("img")}
    assert 0 < len(shown) < 8
    assert set(store_of(page)) == shown


def test_one_endless_dialogue_does_not_empty_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = small_rows(16, "blue")
    first, second = rows["dialogues"]
    assert isinstance(first, Dialogue)
    endless = replace(first.utterances[0], text="word " * 20_000)
    rows["dialogues"] = [replace(first, utterances=(endless, *first.utterances[1:])), second]
    dataset = write_dataset(tmp_path / "d", {"test": rows})
    monkeypatch.setattr(queries, "TEXT_BUDGET", 50_000)
    page = parse(report_of(dataset, tmp_path / "r.html", {"a": {TEST_IDS[3]: ([], [])}}))
    assert f"word3 of {17:016x}" in summaries(page)


def test_a_page_of_large_pictures_stays_below_15_mb(tmp_path: Path) -> None:
    dataset = pictured_dataset(tmp_path / "d", 300, [noise(number) for number in range(600)], each=2)
    page = parse(report_of(dataset, tmp_path / "r.html", {"a": {}}))
    size = (tmp_path / "r.html").stat().st_size
    assert queries.PICTURE_BUDGET * 0.9 < size < LARGEST
    assert len(sections(page)) == queries.SHOWN
    assert WORDS["en"]["too_large"] in page.text


def test_a_slicing_of_very_many_labels_stays_below_15_mb(tmp_path: Path, small_dataset: mldr.Dataset) -> None:
    evaluator = Evaluator(small_dataset, "test")
    given = {"a": predictions_of(RIGHT)}
    value = dict.fromkeys(("joint_f1", "joint_f1(avg=macro)"), MeasureValue(value=0.5, low=0.25, high=0.75))
    many = [SliceScores(label=f"label {n}", n_queries=1, n_clusters=1, measures=value) for n in range(60_000)]
    scores = {"a": evaluator.score(given["a"], resamples=0).model_copy(update={"slices": {"session": many}})}
    write_report(small_dataset, evaluator, given, scores, tmp_path / "r.html")
    assert (tmp_path / "r.html").stat().st_size < LARGEST


def test_one_very_long_query_stays_below_15_mb(tmp_path: Path) -> None:
    dataset = spoken_dataset(tmp_path / "d", "<" * 2_000_000, n_images=0)
    report_of(dataset, tmp_path / "r.html", {"a": {}}, by=["label_model"])
    assert (tmp_path / "r.html").stat().st_size < LARGEST


# --- the command


def two_files(folder: Path) -> list[str]:
    one = write_jsonl(folder / "one.jsonl", [row(name, *answer) for name, answer in RIGHT.items()])
    two = write_jsonl(folder / "two.jsonl", [row(name, *answer) for name, answer in MIXED.items()])
    return [str(one), str(two)]


def test_the_command_reports_several_systems_and_says_where(
    tmp_path: Path, command: Command, small_dataset: mldr.Dataset
) -> None:
    out = tmp_path / "new" / "r.html"
    words = [str(small_dataset.folder), *two_files(tmp_path), "--split", "test", "--out", str(out)]
    code, shown, err = command("mldr-eval", "report", *words)
    assert code == 0
    assert shown == f"{out}\n"
    assert "open it" in err
    page = parse(out.read_text(encoding="utf-8"))
    assert [node.text for node in page.every("table")[0].every("th", scope="row")][:2] == ["one", "two"]
    assert WORDS["en"]["comparison"] in texts_of(page, "h2")
    assert [one.one("figcaption").text for one in page.one("div", class_="charts").every("figure")] == [
        "Joint F1, macro average · kind"
    ]


def test_the_command_slices_by_what_it_is_asked(tmp_path: Path, command: Command, small_dataset: mldr.Dataset) -> None:
    words = [str(small_dataset.folder), two_files(tmp_path)[0], "--split", "test", "--out", str(tmp_path / "r.html")]
    assert command("mldr-eval", "report", *words, "--by", "level", "--by", "n_images")[0] == 0
    page = parse((tmp_path / "r.html").read_text(encoding="utf-8"))
    titles = [one.one("figcaption").text for one in page.every("figure", class_="plot")]
    assert titles == [f"{WORDS['en']['average_f1']} · {name}" for name in ("level", "n images")]


def test_an_existing_file_is_replaced_only_with_force(
    tmp_path: Path, command: Command, small_dataset: mldr.Dataset
) -> None:
    out = tmp_path / "r.html"
    out.write_text("mine", encoding="utf-8")
    words = [
        "mldr-eval",
        "report",
        str(small_dataset.folder),
        two_files(tmp_path)[0],
        "--split",
        "test",
        "--out",
        str(out),
    ]
    code, shown, err = command(*words)
    assert (code, shown) == (1, "")
    assert err.splitlines()[-1].endswith(f"{out} exists; choose another --out, or replace it with --force")
    assert out.read_text(encoding="utf-8") == "mine"
    assert command(*words, "--force")[0] == 0
    assert out.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_a_bad_predictions_file_leaves_no_report(tmp_path: Path, command: Command, small_dataset: mldr.Dataset) -> None:
    bad = write_jsonl(tmp_path / "bad.jsonl", [row(TEST_IDS[0]), row("nobody")])
    words = [str(small_dataset.folder), str(bad), "--split", "test", "--out", str(tmp_path / "r.html")]
    code, _, err = command("mldr-eval", "report", *words)
    assert code == 1
    assert "line 2" in err
    assert not (tmp_path / "r.html").exists()


@pytest.mark.parametrize("words", [["--by", "colour"], ["--language", "fr"], ["--seed", "-1"]])
def test_what_the_command_does_not_know_is_refused_and_leaves_no_report(
    tmp_path: Path, command: Command, small_dataset: mldr.Dataset, words: list[str]
) -> None:
    asked = [str(small_dataset.folder), two_files(tmp_path)[0], "--split", "test", "--out", str(tmp_path / "r.html")]
    code, shown, err = command("mldr-eval", "report", *asked, *words)
    assert code in (1, 2)
    assert shown == ""
    assert err
    assert not (tmp_path / "r.html").exists()


def test_the_same_input_gives_the_same_bytes(tmp_path: Path, command: Command, small_dataset: mldr.Dataset) -> None:
    words = ["mldr-eval", "report", str(small_dataset.folder), *two_files(tmp_path), "--split", "test", "--out"]
    assert command(*words, str(tmp_path / "1.html"))[0] == command(*words, str(tmp_path / "2.html"))[0] == 0
    assert (tmp_path / "1.html").read_bytes() == (tmp_path / "2.html").read_bytes()


def test_the_command_speaks_chinese_on_request(tmp_path: Path, command: Command, small_dataset: mldr.Dataset) -> None:
    words = [str(small_dataset.folder), two_files(tmp_path)[0], "--split", "test", "--out", str(tmp_path / "r.html")]
    assert command("mldr-eval", "report", *words, "--language", "zh")[0] == 0
    assert '<html lang="zh">' in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_no_query_at_all_leaves_a_page(tmp_path: Path) -> None:
    rows: Rows = {**small_rows(16, "blue"), "queries": [], "gold": [], "fragments": []}
    dataset = write_dataset(tmp_path / "d", {"test": rows})
    with pytest.raises(mldr.MldrError, match="gold"):
        report_of(dataset, tmp_path / "r.html", {"a": {}})
