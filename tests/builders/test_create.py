from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

import mldr
from mldr.builders import create, load_recipe
from mldr.errors import InputError, MldrError
from mldr.manifest import read_manifest
from mldr.verify import verify
from tests.builders.killing import build_words, endured, finished
from tests.builders.support import corpus, line, tree_bytes, write_lines, write_recipe
from tests.conftest import Command, picture

KILLS = int(os.environ.get("MLDR_TEST_KILLS", "5"))


def build(recipe: Path, out: Path, **options: Any) -> mldr.Dataset:
    return mldr.load(create(load_recipe(recipe), recipe.parent, out, **options))


def test_a_built_dataset_verifies_and_every_count_is_in_its_manifest(tmp_path: Path) -> None:
    dataset = build(corpus(tmp_path / "in", 60), tmp_path / "out")
    assert verify(dataset) == {}
    for split in dataset.splits:
        assert len(list(dataset.dialogues(split))) == dataset.manifest.counts[split]["dialogues"]
    assert not (tmp_path / "out.partial").exists()


def test_one_and_two_workers_write_the_same_bytes(tmp_path: Path) -> None:
    recipe = corpus(tmp_path / "in", 700)
    build(recipe, tmp_path / "one", workers=1)
    build(recipe, tmp_path / "two", workers=2)
    assert tree_bytes(tmp_path / "one") == tree_bytes(tmp_path / "two")


def test_the_same_recipe_in_another_folder_gives_the_same_bytes(tmp_path: Path) -> None:
    build(corpus(tmp_path / "here", 60), tmp_path / "one")
    build(corpus(tmp_path / "there" / "deeper", 60), tmp_path / "two")
    assert tree_bytes(tmp_path / "one") == tree_bytes(tmp_path / "two")


def test_another_seed_gives_other_dialogues(tmp_path: Path) -> None:
    one = build(corpus(tmp_path / "a", 60, seed=1), tmp_path / "one")
    two = build(corpus(tmp_path / "b", 60, seed=2), tmp_path / "two")
    assert one.manifest.gold_hash != two.manifest.gold_hash


def test_another_recipe_at_the_same_place_in_one_process_gives_what_it_gives_alone(tmp_path: Path) -> None:
    build(corpus(tmp_path / "a", 60, seed=1), tmp_path / "out")
    build(corpus(tmp_path / "b", 60, seed=2), tmp_path / "out", force=True)
    build(corpus(tmp_path / "b", 60, seed=2), tmp_path / "alone")
    assert tree_bytes(tmp_path / "out") == tree_bytes(tmp_path / "alone")


def test_nothing_of_this_machine_is_in_a_dataset(tmp_path: Path) -> None:
    build(corpus(tmp_path / "in", 60), tmp_path / "out")
    for name, content in tree_bytes(tmp_path / "out").items():
        assert str(tmp_path).encode() not in content, name


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals to kill a build")
@pytest.mark.parametrize("workers", [1, 2])
def test_a_build_that_is_killed_at_any_moment_goes_on_to_the_same_bytes(tmp_path: Path, workers: int) -> None:
    recipe = corpus(tmp_path / "in", 900, n_images=100)
    build(recipe, tmp_path / "whole")
    duration = finished(build_words(recipe, tmp_path / "timed", "--workers", str(workers)))
    words = build_words(recipe, tmp_path / "out", "--workers", str(workers))
    whole = tree_bytes(tmp_path / "whole")
    endured(words, tmp_path / "out", whole, kills=KILLS, seed=workers, duration=duration)


def test_creating_a_finished_build_again_is_a_no_op(tmp_path: Path, command: Command) -> None:
    recipe = corpus(tmp_path / "in", 60)
    words = ("mldr", "build", "create", str(recipe), "--out", str(tmp_path / "out"))
    assert command(*words)[0] == 0
    stamps = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")}
    code, out, err = command(*words)
    assert (code, out.strip()) == (0, str(tmp_path / "out"))
    assert "already built" in err
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")} == stamps


def test_something_else_at_out_is_never_overwritten_without_force(tmp_path: Path, command: Command) -> None:
    recipe = corpus(tmp_path / "in", 60)
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("years of work", encoding="utf-8")
    words = ("mldr", "build", "create", str(recipe), "--out", str(out))
    for more in ((), ("--force",)):
        code, _, err = command(*words, *more)
        assert code == 1
        assert "is no dataset, so it is not replaced" in err
        assert (out / "thesis.txt").read_text(encoding="utf-8") == "years of work"


@pytest.mark.parametrize("name", ["out.partial", "out.old"])
def test_folders_with_names_like_ours_are_never_touched(tmp_path: Path, name: str) -> None:
    recipe = corpus(tmp_path / "in", 60)
    (tmp_path / name).mkdir()
    (tmp_path / name / "thesis.txt").write_text("years of work", encoding="utf-8")
    if name == "out.partial":
        with pytest.raises(MldrError, match="move it"):
            build(recipe, tmp_path / "out")
    else:
        build(recipe, tmp_path / "out")
        build(recipe, tmp_path / "out", force=True)
    assert (tmp_path / name / "thesis.txt").read_text(encoding="utf-8") == "years of work"


def test_force_replaces_a_dataset_of_another_recipe(tmp_path: Path) -> None:
    build(corpus(tmp_path / "in", 60), tmp_path / "out")
    dataset = build(corpus(tmp_path / "in2", 60, seed=9), tmp_path / "out", force=True)
    assert dataset.manifest.seed == 9
    assert verify(dataset) == {}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "in2", "out"]


@pytest.mark.parametrize("out", [".", "./", "/"])
def test_an_out_that_is_no_folder_of_its_own_is_refused(tmp_path: Path, command: Command, out: str) -> None:
    recipe = corpus(tmp_path / "in", 60)
    code, _, err = command("mldr", "build", "create", str(recipe), "--out", out)
    assert code == 1
    assert "choose another --out" in err


def test_a_build_of_another_recipe_at_out_is_not_taken_for_this_one(tmp_path: Path) -> None:
    build(corpus(tmp_path / "in", 60), tmp_path / "out")
    with pytest.raises(MldrError, match="not a build of this recipe"):
        build(corpus(tmp_path / "in2", 60, seed=9), tmp_path / "out")


def test_a_changed_picture_makes_it_another_build(tmp_path: Path) -> None:
    recipe = corpus(tmp_path / "in", 60)
    build(recipe, tmp_path / "out")
    (tmp_path / "in" / "pictures" / "0.png").write_bytes(picture("gold"))
    with pytest.raises(MldrError, match="not a build of this recipe"):
        build(recipe, tmp_path / "out")


def test_an_unfinished_build_of_another_recipe_is_not_gone_on_with(tmp_path: Path) -> None:
    broken = corpus(tmp_path / "in", 60)
    (tmp_path / "in" / "pictures" / "3.png").write_bytes(b"broken")
    with pytest.raises(InputError):
        build(broken, tmp_path / "out")
    other = corpus(tmp_path / "in2", 60, seed=5)
    with pytest.raises(MldrError, match="unfinished build of another recipe"):
        build(other, tmp_path / "out")
    assert verify(build(other, tmp_path / "out", force=True)) == {}


def test_two_builds_cannot_write_to_one_place(tmp_path: Path) -> None:
    from filelock import FileLock

    recipe = corpus(tmp_path / "in", 60)
    with FileLock(tmp_path / ".out.lock"), pytest.raises(MldrError, match="another build"):
        build(recipe, tmp_path / "out")


def test_faults_of_all_sources_are_said_at_once_and_nothing_is_left_at_out(tmp_path: Path, command: Command) -> None:
    folder = tmp_path / "in"
    write_lines(folder / "a.jsonl", [line(1), {**line(2), "lang": "??"}])
    write_lines(folder / "b.jsonl", [{**line(3), "speakers": []}])
    sources = [{"type": "jsonl", "name": name, "path": f"{name}.jsonl"} for name in "ab"]
    recipe = write_recipe(folder, sources=sources)
    code, out, err = command("mldr", "build", "create", str(recipe), "--out", str(tmp_path / "out"))
    assert (code, out) == (1, "")
    assert "a.jsonl, line 2, lang" in err
    assert "b.jsonl, line 1, speakers" in err
    assert not (tmp_path / "out").exists()


def test_only_twenty_faults_are_shown_and_the_rest_is_counted(tmp_path: Path, command: Command) -> None:
    write_lines(tmp_path / "sources.jsonl", [{**line(i), "turns": []} for i in range(50)])
    code, _, err = command("mldr", "build", "check", str(write_recipe(tmp_path)))
    assert code == 1
    assert "50 faults:" in err
    assert "... and 30 more" in err
    assert err.count("sources.jsonl, line") == 20


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (
            {"sources": [{"type": "nothing", "name": "x"}]},
            "'nothing' is not registered; known are demo, dialogcc, jsonl",
        ),
        ({"sources": [{"type": "no.such:Thing", "name": "x"}]}, "cannot be loaded"),
        ({"sources": [{"type": "jsonl", "name": "x"}]}, "needs a path"),
        ({"sources": [{"type": "jsonl", "name": "x", "path": "gone.jsonl"}]}, "gone.jsonl"),
        ({"sources": [{"type": "jsonl", "name": "x", "path": "."}]}, "directory"),
        (
            {"languages": ["zh"]},
            "hold no dialogue that the recipe wants: 9 sources in a language the recipe does not name (en)",
        ),
        (
            {"licences": ["MIT"]},
            "hold no dialogue that the recipe wants: 9 sources whose licence the recipe does not name (dialogue",
        ),
    ],
)
def test_a_source_that_cannot_be_read_is_said(
    tmp_path: Path, command: Command, changed: dict[str, Any], words: str
) -> None:
    write_lines(tmp_path / "sources.jsonl", [line(i) for i in range(9)])
    code, out, err = command("mldr", "build", "check", str(write_recipe(tmp_path, **changed)))
    assert (code, out) == (1, "")
    assert words.lower() in err.lower()


def test_a_language_without_bridges_is_a_fault_and_languages_that_are_not_named_are_dropped(
    tmp_path: Path, command: Command
) -> None:
    lines = [line(i, topic=f"t{i % 4}") for i in range(12)] + [line(99, lang="de")]
    write_lines(tmp_path / "sources.jsonl", lines)
    code, _, err = command("mldr", "build", "check", str(write_recipe(tmp_path)))
    assert code == 1
    assert "no bridge utterances in 'de' (there are: en, zh)" in err
    code, out, _ = command("mldr", "build", "check", str(write_recipe(tmp_path, languages=["en"])))
    assert code == 0
    assert "1  sources in a language the recipe does not name (de)" in out


def test_two_dialogues_of_one_id_are_a_fault(tmp_path: Path, command: Command) -> None:
    write_lines(tmp_path / "sources.jsonl", [line(1), line(2), line(1)])
    code, _, err = command("mldr", "build", "check", str(write_recipe(tmp_path)))
    assert code == 1
    assert "sources.jsonl, line 3: the id 'src/d0001' again" in err


def test_an_image_id_that_stands_for_two_pictures_is_a_fault(tmp_path: Path, command: Command) -> None:
    for name in "ab":
        (tmp_path / f"{name}.png").write_bytes(picture())
    lines = [line(i, image={"id": "same", "path": f"{name}.png"}) for i, name in enumerate("ab")]
    write_lines(tmp_path / "sources.jsonl", lines)
    code, _, err = command("mldr", "build", "check", str(write_recipe(tmp_path)))
    assert code == 1
    assert "line 2, turns.1: the image 'src/same' has two paths" in err


def test_sources_of_too_few_topics_cannot_be_built(tmp_path: Path, command: Command) -> None:
    write_lines(tmp_path / "sources.jsonl", [line(i, topic="only") for i in range(9)])
    code, _, err = command("mldr", "build", "create", str(write_recipe(tmp_path)), "--out", str(tmp_path / "out"))
    assert code == 1
    assert "no three sources of different topics" in err


def test_a_split_that_gets_no_dialogue_is_named(tmp_path: Path, command: Command) -> None:
    recipe = corpus(tmp_path / "in", 60, splits={"validation": 0.9, "test": 0.001})
    words = "splits without a dialogue, too few sources fell to them (test)"
    code, out, _ = command("mldr", "build", "check", str(recipe))
    assert code == 0
    assert f"1  {words}" in out
    assert build(recipe, tmp_path / "out").manifest.noted == {words: 1}


def test_preview_shows_dialogues_with_their_queries_and_writes_nothing(tmp_path: Path, command: Command) -> None:
    recipe = corpus(tmp_path / "in", 60)
    before = tree_bytes(tmp_path)
    code, out, _ = command("mldr", "build", "preview", str(recipe), "-n", "2")
    assert code == 0
    assert out.count("\n# ") + out.startswith("# ") == 2
    assert "<|utt_id_start|>0<|utt_id_end|> user1:" in out
    assert "? " in out
    assert tree_bytes(tmp_path) == before


def test_what_preview_shows_is_what_create_makes(tmp_path: Path, command: Command) -> None:
    recipe = corpus(tmp_path / "in", 60)
    dataset = build(recipe, tmp_path / "out")
    _, out, _ = command("mldr", "build", "preview", str(recipe), "-n", "1")
    first = min(d.dialogue_id for split in dataset.splits for d in dataset.dialogues(split))
    assert out.startswith(f"# {first} ")
    for utterance in dataset.dialogue(first).utterances:
        assert utterance.text in out


def test_check_says_what_would_be_made(tmp_path: Path, command: Command) -> None:
    import json

    recipe = corpus(tmp_path / "in", 60)
    code, out, _ = command("mldr", "build", "check", str(recipe), "--json")
    assert code == 0
    report = json.loads(out)
    dataset = build(recipe, tmp_path / "out")
    made = {f"{split} en": dataset.manifest.counts[split]["dialogues"] for split in dataset.splits}
    assert report["dialogues"] == made
    assert report["models"] == []


def test_a_set_without_image_files_keeps_captions_and_says_so(tmp_path: Path) -> None:
    lines = []
    for i in range(30):
        image = {"id": f"i{i}", "url": f"https://example.org/{i}.jpg", "caption": f"a view of hill{i}"}
        lines.append(line(i, topic=f"t{i % 5}", image=image))
    write_lines(tmp_path / "in" / "sources.jsonl", lines)
    dataset = build(write_recipe(tmp_path / "in", images="optional"), tmp_path / "out")
    assert verify(dataset) == {}
    for split in dataset.splits:
        for stored in dataset.images(split):
            assert (stored.status, stored.content) == ("url_only", None)
            assert stored.image_key.startswith("ref:src/i")
            assert stored.url.startswith("https://")
    assert "url\\_only" in (tmp_path / "out" / "README.md").read_text(encoding="utf-8")


def test_the_manifest_names_what_shaped_the_bytes(tmp_path: Path) -> None:
    recipe = corpus(tmp_path / "in", 60)
    manifest = build(recipe, tmp_path / "out").manifest
    assert set(manifest.versions) == {"mldr", "numpy", "pillow", "pyarrow"}
    assert manifest.recipe == load_recipe(recipe).published()
    assert manifest.name == "mldr-ffr-tests"
    assert manifest.recipe_hash[:32] in manifest.canary
    assert read_manifest(tmp_path / "out") == manifest


def test_the_card_lists_configs_splits_and_features_as_yaml(tmp_path: Path) -> None:
    dataset = build(corpus(tmp_path / "in", 60, notice="Do not <b>quote</b>."), tmp_path / "out")
    text = (dataset.folder / "README.md").read_text(encoding="utf-8")
    front = yaml.safe_load(text.split("---\n")[1])
    assert [config["config_name"] for config in front["configs"]] == [
        "dialogues",
        "queries",
        "gold",
        "fragments",
        "images",
    ]
    assert [one["split"] for one in front["configs"][0]["data_files"]] == ["validation", "test"]
    assert "Do not \\<b\\>quote\\</b\\>." in text
    assert "## Queries by rule" in text
    assert dataset.manifest.canary in text
    shards = sorted(dataset.folder.rglob("*.parquet"))
    assert {pq.ParquetFile(p).metadata.metadata[b"canary"].decode() for p in shards} == {dataset.manifest.canary}
