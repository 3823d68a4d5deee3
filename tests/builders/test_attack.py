from __future__ import annotations

import codecs
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import mldr
from mldr.builders import create, load_recipe
from mldr.builders.attack import SourceIndex, attack, report
from mldr.builders.attack.position import positioned
from mldr.builders.attack.report import topics_found
from mldr.builders.attack.trace import plain_words
from mldr.builders.match import match
from mldr.builders.plan import plan
from mldr.builders.planning import rule_queries
from mldr.builders.reading import prepare
from mldr.builders.sources.demo import DEMO_FOLDER
from mldr.builders.sources.record import SourceDialogue
from mldr.builders.split import split_sources
from mldr.builders.stitch import Stitched, stitch
from mldr.dialogue import DialogueImage, StoredImage, Utterance
from mldr.errors import MldrError
from mldr.identity import secret_seed
from mldr.manifest import Manifest, read_manifest, write_manifest
from mldr.verify import verify
from mldr.withhold import withhold
from tests.builders.support import corpus, label
from tests.builders.support import source as made_source
from tests.conftest import Command, Rows, small_dialogue, write_dataset

SALT = bytes(range(32))
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> list[SourceDialogue]:
    """The public sources: the demo's."""
    recipe = load_recipe(DEMO_FOLDER / "recipe.yaml")
    return list(prepare(recipe, DEMO_FOLDER, tmp_path_factory.mktemp("sources")).spool)


@pytest.fixture(scope="module")
def salted(tmp_path_factory: pytest.TempPathFactory) -> mldr.Dataset:
    """The demo, built with a salt."""
    return built(tmp_path_factory.mktemp("salted"), SALT)


@pytest.fixture(scope="module")
def unsalted(tmp_path_factory: pytest.TempPathFactory) -> mldr.Dataset:
    """The demo, built by whoever has no salt."""
    return built(tmp_path_factory.mktemp("unsalted"), b"")


def built(
    folder: Path,
    salt: bytes,
    change: Callable[[Stitched], Stitched] = lambda made: made,
    ask: Callable[[str], str] = lambda text: text,
) -> mldr.Dataset:
    """Build the demo by its parts, ids and seeds keyed by a salt, pictures by name; `change` and `ask` stand for a model."""
    recipe = load_recipe(DEMO_FOLDER / "recipe.yaml")
    prepared = prepare(recipe, DEMO_FOLDER, folder / "work")
    heads = prepared.spool.heads
    keys = {ref: f"ref:{ref}" for ref in prepared.images}
    split = split_sources(heads, keys, recipe.splits, secret_seed(recipe.seed, salt, "split"))
    seed = secret_seed(recipe.seed, salt, "match")
    rows = plan(match(heads, split.split_of, keys, seed, prepared.dropped), heads, split, 2, recipe.seed, salt=salt)
    rules = rule_queries(prepared.spool, split)
    splits: dict[str, Rows] = {}
    for row in rows:
        tables = splits.setdefault(
            row.split, {"dialogues": [], "queries": [], "gold": [], "fragments": [], "images": []}
        )
        told = [prepared.spool.get(name) for name in row.source_ids]
        strangers = [prepared.spool.get(name) for name in row.strangers]
        own_seed = secret_seed(recipe.seed, salt, row.split)
        stitched = change(stitch(row, told, keys, own_seed))
        rule = rules[f"{row.split}/{row.language}"]
        labelled = label(row, stitched, told, strangers, rule, own_seed, salt=salt)
        tables["dialogues"].append(stitched.dialogue)
        tables["queries"] += [replace(query, text=ask(query.text)) for query in labelled.queries]
        tables["gold"] += labelled.gold
        tables["fragments"] += labelled.fragments
    for tables in splits.values():
        found = {image.image_key for dialogue in tables["dialogues"] for image in dialogue.images}  # type: ignore[union-attr]
        tables["images"] = [StoredImage(key, "missing") for key in found]
    dataset = write_dataset(folder / "set", splits)
    if salt:
        manifest: Manifest = read_manifest(dataset.folder)
        manifest.salt_sha256 = "ab" * 32
        write_manifest(dataset.folder, manifest)
    return mldr.load(dataset.folder)


def reworded(words: Callable[[str], str]) -> Callable[[Stitched], Stitched]:
    def change(made: Stitched) -> Stitched:
        utterances = tuple(replace(one, text=words(one.text)) for one in made.dialogue.utterances)
        images = tuple(
            DialogueImage(f"ref:new/{made.dialogue.dialogue_id}/{position}", words(image.caption))
            for position, image in enumerate(made.dialogue.images)
        )
        return replace(made, dialogue=replace(made.dialogue, utterances=utterances, images=images))

    return change


def published(dataset: mldr.Dataset, folder: Path) -> mldr.Dataset:
    withhold(dataset, ["test"], folder, without_salt=True)
    public = mldr.load(folder)
    assert verify(public) == {}
    return public


def test_a_build_without_a_salt_is_built_again_whole(
    tmp_path: Path, sources: list[SourceDialogue], unsalted: mldr.Dataset
) -> None:
    private = built(tmp_path / "private", b"")
    found = attack(published(private, tmp_path / "public"), "test", sources, unsalted)
    assert found.hash_rebuilt
    assert found.ids_rebuilt == len(found.traces)
    row = report(found, private)[0]
    assert (row.name, row.exact, row.joint_f1) == ("rebuild", 1.0, 1.0)


def test_with_a_salt_no_id_is_rebuilt_yet_words_still_lead_to_public_sources(
    tmp_path: Path, sources: list[SourceDialogue], salted: mldr.Dataset, unsalted: mldr.Dataset
) -> None:
    private = salted
    found = attack(published(private, tmp_path / "public"), "test", sources, unsalted)
    assert not found.hash_rebuilt
    assert found.ids_rebuilt == 0
    rebuild, tracing, both, everything, nothing = report(found, private)
    assert rebuild.answered < tracing.answered == both.answered
    assert (everything.name, nothing.name) == ("all", "none")
    # Stitched by rule from public sources: the salt alone hides little, and this must be known.
    assert tracing.exact is not None
    assert tracing.exact > 0.9
    assert topics_found(found, private) > 0.95


def test_a_secret_build_is_published_and_attacked_by_the_commands_alone(
    tmp_path: Path, sources: list[SourceDialogue], command: Command
) -> None:
    recipe = load_recipe(DEMO_FOLDER / "recipe.yaml")
    private = create(recipe.model_copy(update={"secret": True}), DEMO_FOLDER, tmp_path / "private")
    public = tmp_path / "public"
    assert command("mldr", "dataset", "withhold", str(private), "--split", "test", "--out", str(public))[0] == 0
    assert command("mldr", "dataset", "verify", str(public))[0] == 0
    assert recipe.notice.split(".")[0] in (public / "README.md").read_text(encoding="utf-8")
    salt = (tmp_path / "private.salt").read_text(encoding="ascii").strip()
    for path in public.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert salt.encode() not in content
            assert bytes.fromhex(salt) not in content
    rebuild = mldr.load(create(recipe, DEMO_FOLDER, tmp_path / "rebuild"))
    found = attack(mldr.load(public), "test", sources, rebuild)
    assert (found.ids_rebuilt, found.hash_rebuilt) == (0, False)
    known = set(rebuild.manifest.gold_hash.values())
    assert known.isdisjoint(mldr.load(public).manifest.gold_hash.values())
    assert report(found, mldr.load(private))[1].answered == len(found.traced)


def test_light_edits_do_not_hide_where_words_come_from(tmp_path: Path, sources: list[SourceDialogue]) -> None:
    private = built(tmp_path / "private", SALT, reworded(lambda text: text.upper().replace(",", " --")))
    found = attack(published(private, tmp_path / "public"), "test", sources)
    assert topics_found(found, private) > 0.9


def new_words(text: str) -> str:
    """Return a text that shares no word with what it was."""
    return codecs.encode("".join(chr(ord(c) + 1) if c > "\u3000" else c for c in text), "rot13")[::-1]


def test_new_words_alone_hide_little_where_queries_and_order_are_the_sources_own(
    tmp_path: Path, sources: list[SourceDialogue]
) -> None:
    private = built(tmp_path / "private", SALT, reworded(new_words))
    found = attack(published(private, tmp_path / "public"), "test", sources)
    exact = report(found, private)[1].exact_answerable
    assert exact is not None
    assert exact > 0.8
    assert topics_found(found, private) > 0.9


def test_new_queries_alone_leave_the_topics_open(tmp_path: Path, sources: list[SourceDialogue]) -> None:
    private = built(tmp_path / "private", SALT, ask=new_words)
    found = attack(published(private, tmp_path / "public"), "test", sources)
    assert topics_found(found, private) > 0.95


def test_new_words_and_new_queries_lead_nowhere(tmp_path: Path, sources: list[SourceDialogue]) -> None:
    private = built(tmp_path / "private", SALT, reworded(new_words), new_words)
    found = attack(published(private, tmp_path / "public"), "test", sources)
    exact = report(found, private)[1].exact_answerable
    assert exact is not None
    assert exact < 0.1
    assert topics_found(found, private) < 0.2


def test_sources_that_are_not_public_are_not_traced(
    tmp_path: Path, sources: list[SourceDialogue], salted: mldr.Dataset
) -> None:
    private = salted
    public = published(private, tmp_path / "public")
    told = {fragment.source_id for fragment in private.fragments("test")}
    few = attack(public, "test", [source for source in sources if source.source_id not in told])
    assert not any(trace.utterances for trace in few.traces.values())
    half = attack(public, "test", [source for i, source in enumerate(sources) if i % 2])
    exact = [report(one, private)[1].exact_answerable or 0.0 for one in (few, half, attack(public, "test", sources))]
    assert exact[0] < exact[1] < exact[2]


def test_bridges_that_are_known_part_a_dialogue_whose_sources_are_secret(
    tmp_path: Path, sources: list[SourceDialogue], salted: mldr.Dataset
) -> None:
    private = salted
    public = published(private, tmp_path / "public")
    told = {fragment.source_id for fragment in private.fragments("test")}
    found = attack(public, "test", [source for source in sources if source.source_id not in told])
    assert all(len(trace.parts) == 3 for trace in found.traces.values())


def test_the_attack_answers_every_query_and_reads_no_gold(
    tmp_path: Path, sources: list[SourceDialogue], salted: mldr.Dataset
) -> None:
    private = salted
    public = published(private, tmp_path / "public")
    blind, shown = attack(public, "test", sources), attack(private, "test", sources)
    assert blind.traced == shown.traced
    assert set(blind.traced) == {query.query_id for query in public.queries("test")}
    assert attack(public, "test", list(reversed(sources))).traced == blind.traced


def test_without_sources_there_is_no_attack(small_dataset: mldr.Dataset) -> None:
    with pytest.raises(MldrError, match="needs sources"):
        attack(small_dataset, "test", [])


def test_a_turn_is_found_by_its_words_and_its_source_by_the_others_around_it() -> None:
    one, two = made_source("one", "a", 3), made_source("two", "b", 3)
    shared = replace(two.turns[1], text=one.turns[1].text)
    two = replace(two, turns=(two.turns[0], shared, two.turns[2]))
    dialogue = replace(
        small_dialogue(1),
        utterances=(
            *(Utterance("x", turn.text.upper() + "!") for turn in one.turns),
            Utterance("x", "by the way, something else"),
            *(Utterance("x", turn.text) for turn in two.turns),
            Utterance("x", "said nowhere"),
        ),
    )
    trace = SourceIndex.of([one, two]).trace(dialogue)
    assert [trace.utterances.get(i, ("", 0))[0] for i in range(8)] == [
        "one",
        "one",
        "one",
        "",
        "two",
        trace.utterances[5][0],
        "two",
        "",
    ]
    assert trace.parts == ((0, 1, 2), (4, 5, 6, 7))
    assert set(trace.source_ids) == {"one", "two"}


def test_turns_are_laid_along_a_dialogue_by_length_and_pictures() -> None:
    one, two = made_source("one", "a", 4, ("p",)), made_source("two", "b", 5, ("q", "r"))
    texts = [(len(turn.text) * "x", turn.image is not None) for turn in (*two.turns, *one.turns)]
    texts.insert(5, ("a bridge", False))
    utterances = tuple(Utterance("x", text, (0,) if carries else ()) for text, carries in texts)
    trace = positioned(replace(small_dialogue(1), utterances=utterances), [one, two])
    assert trace is not None
    assert [trace.utterances.get(i, ("", 0))[0] for i in range(10)] == [*["two"] * 5, "", *["one"] * 4]
    assert positioned(small_dialogue(1), []) is None


def test_spelling_does_not_count() -> None:
    assert plain_words("Ｈello, World!") == plain_words("hello world") == "helloworld"
    assert plain_words("…") == ""


def test_the_benchmark_prints_its_table(tmp_path: Path) -> None:
    recipe = corpus(tmp_path / "in", 30)
    private = create(load_recipe(recipe), recipe.parent, tmp_path / "private")
    published(mldr.load(private), tmp_path / "public")
    script = ROOT / "benchmarks" / "attack.py"
    if not script.is_file():
        pytest.skip("the benchmarks are not here: the tests run away from the checkout")
    words = [sys.executable, str(script), str(tmp_path / "public"), str(recipe), str(private)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "the rebuild has the published gold hash: yes" in done.stdout
    line = next(line for line in done.stdout.splitlines() if line.startswith("rebuild"))
    assert line.split()[2] == "100.00"
    for wrong in ([words[2], str(recipe), words[2]], ["nowhere", str(recipe), str(private)], [words[2], "x", words[4]]):
        refused = subprocess.run([*words[:2], *wrong, "--no-rebuild"], capture_output=True, text=True, check=False)
        assert (refused.returncode, "Traceback" in refused.stderr) == (1, False)
        assert refused.stderr
