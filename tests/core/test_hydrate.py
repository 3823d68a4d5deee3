from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock
from PIL import Image

import mldr
from mldr.card import compose
from mldr.dialogue import Dialogue, StoredImage
from mldr.downloads.folder import Downloads
from mldr.downloads.polite import Manners
from mldr.errors import MldrError
from mldr.files import sha256_file, write_text
from mldr.hydrate import IN_TWO_SPLITS, hydrate, wanted, write_hydrated
from mldr.images import open_stored
from mldr.manifest import Release, ShardEntry, read_manifest, write_manifest
from mldr.summary import summarise
from mldr.verify import verify
from tests.conftest import Command, Rows, picture, small_dialogue, small_rows, stored_picture, write_dataset
from tests.core.downloads.support import Site, answer, running

OWN = Manners(delay=0.0, timeout=0.5, retries=0, allow_private=True)


@pytest.fixture
def site() -> Iterator[Site]:
    with running() as site:
        yield site


def named(name: str, url: str, meta: str = "") -> StoredImage:
    return StoredImage(f"ref:tests/{name}", "url_only", url=url, source="tests", licence="CC0-1.0", meta=meta)


def with_images(first: int, *images: StoredImage) -> Rows:
    """Return rows of a split whose first dialogue carries the images in order, and no queries."""
    dialogue = small_dialogue(first, n_utterances=max(6, len(images)), images=images)
    distinct = {one.image_key: one for one in images}
    return {"dialogues": [dialogue], "images": [image for _, image in sorted(distinct.items())]}


def carded(dataset: mldr.Dataset) -> mldr.Dataset:
    """Give a dataset a card."""
    write_text(dataset.folder / "README.md", "---\nlicense: other\n---\n\n# tests\n")
    manifest = read_manifest(dataset.folder)
    manifest.files["README.md"] = ShardEntry(rows=0, sha256=sha256_file(dataset.folder / "README.md"))
    write_manifest(dataset.folder, manifest)
    return mldr.Dataset(dataset.folder)


def test_fetched_images_become_present_in_a_sound_copy(tmp_path: Path, site: Site) -> None:
    red, blue, gone = (named(name, site.url(f"/{name}")) for name in ("red", "blue", "gone"))
    site.picture("/red", "red")
    site.picture("/blue", "blue")
    rows = small_rows(0, "green")
    green = stored_picture("green")
    rows["dialogues"].append(small_dialogue(7, images=[blue, green, gone, red]))
    rows["images"] += [red, blue, gone]
    dataset = carded(write_dataset(tmp_path / "d", {"test": rows}))
    done = hydrate(dataset, tmp_path / "fetched", OWN)
    assert done.counts == {"fetched": 2, "gone": 1}
    assert done.failures == [f"{gone.url}: gone"]
    counts = write_hydrated(dataset, tmp_path / "fetched", tmp_path / "new")
    assert counts == {"images made present": 2, "images left as urls": 1}
    copy = mldr.load(tmp_path / "new")
    verify(copy)
    assert copy.manifest.gold_hash == dataset.manifest.gold_hash
    assert copy.manifest.counts == dataset.manifest.counts
    keys = [image.image_key for image in copy.dialogue(f"{7:016x}").images]
    assert keys == [stored_picture("blue").image_key, green.image_key, gone.image_key, stored_picture("red").image_key]
    image = copy.image(keys[0])
    assert (image.status, image.url, image.licence) == ("present", blue.url, "CC0-1.0")
    assert image.content is not None
    assert isinstance(open_stored(image.content), Image.Image)
    card = (tmp_path / "new/README.md").read_text(encoding="utf-8")
    assert (
        "## Hydrated\n\nA copy of the dataset with images fetched from their urls:\n\n- images left as urls: 1\n"
        in card
    )
    assert "| stored images | present 3, url\\_only 1 |" in card
    assert not (tmp_path / "new.partial").exists()


def test_the_copy_is_the_same_bytes_each_time(tmp_path: Path, site: Site) -> None:
    images = [named(f"{i:02d}", site.picture(f"/{i}", colour)) for i, colour in enumerate(("red", "blue", "pink"))]
    dataset = write_dataset(tmp_path / "d", {"test": with_images(0, *images)})
    hydrate(dataset, tmp_path / "fetched", OWN)
    for name in ("one", "two"):
        write_hydrated(dataset, tmp_path / "fetched", tmp_path / name)
    assert read_manifest(tmp_path / "one") == read_manifest(tmp_path / "two")


def test_two_urls_with_the_same_picture_become_one_row(tmp_path: Path, site: Site) -> None:
    red = stored_picture("red")
    first, second, third = (
        named("a", site.picture("/a")),
        named("b", site.picture("/b")),
        named("c", site.picture("/c", "blue")),
    )
    dialogue_rows = with_images(0, first, red, second, third)
    dataset = write_dataset(tmp_path / "d", {"test": dialogue_rows})
    hydrate(dataset, tmp_path / "fetched", OWN)
    counts = write_hydrated(dataset, tmp_path / "fetched", tmp_path / "new")
    assert counts == {"images made present": 3, "of them the same picture as another": 2}
    copy = mldr.load(tmp_path / "new")
    verify(copy)
    assert copy.manifest.counts["test"]["images"] == 2
    assert [image.image_key for image in copy.dialogue(f"{0:016x}").images[:3]] == [red.image_key] * 3


def test_a_picture_that_stands_twice_is_under_both_licences(tmp_path: Path, site: Site) -> None:
    said = (("CC0-1.0", "Ann"), ("CC-BY-4.0", "Bo"), ("", ""))
    images = [
        replace(named(str(i), site.picture(f"/{i}")), licence=licence, attribution=credit)
        for i, (licence, credit) in enumerate(said)
    ]
    there = replace(stored_picture("red"), licence="MIT", attribution="Cy")
    for name, held in (("fresh", images), ("there", [there, *images])):
        dataset = write_dataset(tmp_path / name, {"test": with_images(0, *held)})
        hydrate(dataset, tmp_path / "fetched", OWN)
        write_hydrated(dataset, tmp_path / "fetched", tmp_path / f"{name}-copy")
        copy = mldr.load(tmp_path / f"{name}-copy")
        verify(copy)
        (image,) = copy.images("test")
        assert image.licence == "CC-BY-4.0; CC0-1.0; " + "MIT; " * (name == "there") + "unknown"
        assert image.attribution == "Ann; Bo" + "; Cy" * (name == "there")


def test_the_card_of_the_copy_knows_the_terms_of_the_pictures_that_it_holds_now(tmp_path: Path, site: Site) -> None:
    image = replace(named("a", site.picture("/a")), licence="")
    rows = with_images(0, image)
    rows["dialogues"] = [replace(one, licence="CC-BY-4.0") for one in rows["dialogues"] if isinstance(one, Dialogue)]
    dataset = carded(write_dataset(tmp_path / "d", {"test": rows}))
    kept = "## Beside the papers\n\n| a | b |\n"
    text = compose(dataset, {"test": summarise(dataset, "test")}, "Mind.", [kept])
    assert "redistributable, on the terms: attribution" in text
    write_text(dataset.folder / "README.md", text)
    hydrate(dataset, tmp_path / "fetched", OWN)
    write_hydrated(dataset, tmp_path / "fetched", tmp_path / "copy")
    card = (tmp_path / "copy/README.md").read_text("utf-8")
    assert "**As a whole: not redistributable as one: a part states no licence.**" in card
    assert "license_name: not-redistributable-as-one" in card
    assert kept in card
    assert card.rstrip().endswith("- images made present: 1")


def test_a_picture_of_two_splits_stays_a_url_where_it_is_less_needed(tmp_path: Path, site: Site) -> None:
    test, train = named("t", site.picture("/t")), named("s", site.picture("/s"))
    splits = {"train_sft": with_images(0, train), "test": with_images(16, test)}
    dataset = write_dataset(tmp_path / "d", splits)
    hydrate(dataset, tmp_path / "fetched", OWN)
    assert write_hydrated(dataset, tmp_path / "fetched", tmp_path / "new") == {
        "images made present": 1,
        IN_TWO_SPLITS: 1,
    }
    copy = mldr.load(tmp_path / "new")
    verify(copy)
    assert [image.status for split in ("test", "train_sft") for image in copy.images(split)] == ["present", "url_only"]


def test_images_go_into_as_many_shards_as_their_bytes_ask_for(
    tmp_path: Path, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = [named(f"{i}", site.bytes(f"/{i}", picture("red", (50 + i, 40)))) for i in range(7)]
    dataset = write_dataset(tmp_path / "d", {"test": with_images(0, *images)})
    hydrate(dataset, tmp_path / "fetched", OWN)
    monkeypatch.setattr("mldr.assembly.BYTES_A_SHARD", 1000)
    write_hydrated(dataset, tmp_path / "fetched", tmp_path / "new")
    copy = mldr.load(tmp_path / "new")
    verify(copy)
    assert len(copy.files("images", "test")) > 1


def test_the_hash_in_an_images_meta_must_match(tmp_path: Path, site: Site) -> None:
    url = site.picture("/a")
    dataset = write_dataset(tmp_path / "d", {"test": with_images(0, named("a", url, json.dumps({"sha256": "0" * 64})))})
    assert [one.sha256 for one in wanted(dataset)] == ["0" * 64]
    assert hydrate(dataset, tmp_path / "fetched", OWN).counts == {"unusable": 1}
    for meta, said in (("{", "meta is not JSON"), ("[]", "no JSON object"), ('{"sha256": "12"}', "no SHA-256")):
        bad = write_dataset(tmp_path / said, {"test": with_images(0, named("a", url, meta))})
        with pytest.raises(MldrError, match=said):
            list(wanted(bad))


def test_nothing_is_overwritten(tmp_path: Path, site: Site) -> None:
    dataset = write_dataset(tmp_path / "d", {"test": with_images(0, named("a", site.picture("/a")))})
    hydrate(dataset, tmp_path / "fetched", OWN)
    write_text(tmp_path / "new/mine.txt", "mine")
    with pytest.raises(MldrError, match="not replaced"):
        write_hydrated(dataset, tmp_path / "fetched", tmp_path / "new", force=True)
    with pytest.raises(MldrError, match="lie in one another"):
        write_hydrated(dataset, tmp_path / "fetched", dataset.folder, force=True)
    write_text(tmp_path / "other.partial/mine.txt", "mine")
    with pytest.raises(MldrError, match="is not ours"):
        write_hydrated(dataset, tmp_path / "fetched", tmp_path / "other")
    assert (tmp_path / "other.partial/mine.txt").read_text() == "mine"
    (tmp_path / "third").mkdir()
    write_text(tmp_path / "third.partial/new/dialogues/stale.parquet", "of a run that was killed")
    write_hydrated(dataset, tmp_path / "fetched", tmp_path / "third")
    verify(mldr.load(tmp_path / "third"))
    with pytest.raises(MldrError, match="or replace it with --force"):
        write_hydrated(dataset, tmp_path / "fetched", tmp_path / "third")
    with FileLock(tmp_path / ".third.lock"), pytest.raises(MldrError, match="another command is writing"):
        write_hydrated(dataset, tmp_path / "fetched", tmp_path / "third", force=True)
    write_hydrated(dataset, tmp_path / "fetched", tmp_path / "third", force=True)
    verify(mldr.load(tmp_path / "third"))


def test_a_manifest_that_names_files_elsewhere_copies_none_of_them(tmp_path: Path, site: Site) -> None:
    dataset = write_dataset(tmp_path / "a/d", {"test": with_images(0, named("a", site.picture("/a")))})
    write_text(tmp_path / "a/secret.txt", "secret")
    manifest = read_manifest(dataset.folder)
    manifest.files["../secret.txt"] = ShardEntry(rows=0, sha256=sha256_file(tmp_path / "a/secret.txt"))
    write_manifest(dataset.folder, manifest)
    write_hydrated(mldr.Dataset(dataset.folder), tmp_path / "fetched", tmp_path / "b/new")
    assert sorted(path.name for path in (tmp_path / "b").rglob("*") if path.is_file()) == [
        "manifest.json",
        "test-00000-of-00001.parquet",
        "test-00000-of-00001.parquet",
    ]
    verify(mldr.load(tmp_path / "b/new"))


def test_the_command_says_what_it_did_and_leaves_with_3_where_another_run_may_help(
    tmp_path: Path, site: Site, command: Command
) -> None:
    good, busy, gone = (named(name, site.url(f"/{name}")) for name in ("good", "busy", "gone"))
    site.picture("/good")
    site.bytes("/busy", b"", 429, Retry_After="9999")
    dataset = write_dataset(tmp_path / "d", {"test": with_images(0, good, busy, gone)})
    words = ("mldr", "dataset", "hydrate", str(dataset.folder), "--downloads", str(tmp_path / "f"), "--delay", "0")
    code, out, err = command(*words)
    assert code == 0
    assert "3  refused" in out
    assert "no public address" in err
    code, out, err = command(*words, "--allow-private", "--again", "--json")
    assert code == 3
    assert json.loads(out)["urls"] == {"fetched": 1, "gone": 1, "to be had later": 1}
    assert f"{busy.url}: status 429; the server asks to wait 9999 s" in err
    assert "run the same command again" in err
    site.picture("/busy", "blue")
    code, out, _ = command(*words, "--allow-private", "--out", str(tmp_path / "new"))
    assert code == 0
    assert "fetched before" in out
    assert "images made present" in out
    verify(mldr.load(tmp_path / "new"))


def test_a_folder_that_another_run_fills_is_left_alone(tmp_path: Path, site: Site) -> None:
    dataset = write_dataset(tmp_path / "d", {"test": with_images(0, named("a", site.picture("/a")))})
    (tmp_path / "f").mkdir()
    with FileLock(tmp_path / "f/.lock"), pytest.raises(MldrError, match="another run is filling"):
        hydrate(dataset, tmp_path / "f", OWN)


def test_a_killed_run_goes_on_where_it_was(tmp_path: Path, site: Site) -> None:
    images = []
    for i in range(8):

        def slow(request: object, i: int = i) -> None:
            time.sleep(0.1)
            answer(request, picture("red", (30 + i, 30)))  # type: ignore[arg-type]

        site.answers[f"/{i}"] = slow
        images.append(named(str(i), site.url(f"/{i}")))
    dataset = write_dataset(tmp_path / "d", {"test": with_images(0, *images)})
    words = ["dataset", "hydrate", str(dataset.folder), "--downloads", str(tmp_path / "f"), "--delay", "0"]
    run = subprocess.Popen([sys.executable, "-m", "mldr", *words, "--allow-private"], stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while "/3" not in site.asked and time.monotonic() < deadline:
        time.sleep(0.01)
    run.send_signal(signal.SIGKILL)
    run.wait()
    kept = len(list((tmp_path / "f").rglob("*.json")))
    assert 0 < kept < 8
    asked = site.asked.copy()
    done = hydrate(dataset, tmp_path / "f", OWN)
    assert done.counts["fetched before"] == kept
    assert done.counts["fetched"] == 8 - kept
    assert all(site.asked.count(f"/{i}") <= 2 for i in range(8))
    assert len(site.asked) - len(asked) == 1 + 8 - kept
    assert all(Downloads(tmp_path / "f").fetched(image.url) for image in images)


def test_the_images_of_a_split_with_gold_keep_their_queries(tmp_path: Path, site: Site) -> None:
    rows = small_rows(0, "red")
    url = named("x", site.picture("/x", "blue"))
    old = stored_picture("red").image_key
    rows["dialogues"] = [
        replace(one, images=tuple(replace(image, image_key=url.image_key) for image in one.images))
        for one in rows["dialogues"]
        if isinstance(one, Dialogue)
    ]
    rows["images"] = [url]
    dataset = write_dataset(tmp_path / "d", {"test": rows})
    hydrate(dataset, tmp_path / "f", OWN)
    write_hydrated(dataset, tmp_path / "f", tmp_path / "new")
    copy = mldr.load(tmp_path / "new")
    verify(copy)
    assert list(copy.queries("test")) == list(dataset.queries("test"))
    assert list(copy.gold("test")) == list(dataset.gold("test"))
    assert old not in {image.image_key for image in copy.images("test")}


def test_folders_that_may_not_be_written_are_refused_before_anything_is_asked(
    tmp_path: Path, site: Site, command: Command
) -> None:
    dataset = write_dataset(tmp_path / "d", {"test": with_images(0, named("a", site.picture("/a")))})
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "mine.txt").write_text("keep")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    for downloads, out, words in (
        ("f", "notes", "so it is not replaced"),
        ("f", "d", "lie in one another"),
        ("f", "d/copy", "lie in one another"),
        ("f", "f/copy", "lie in one another"),
        ("d", "copy", "lies in the dataset"),
        ("d/images/f", "copy", "lies in the dataset"),
    ):
        folders = ("--downloads", str(tmp_path / downloads), "--out", str(tmp_path / out), "--force")
        code, _, err = command("mldr", "dataset", "hydrate", str(dataset.folder), *folders, "--allow-private")
        assert (code, words in err) == (1, True)
    assert site.asked == []
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    with pytest.raises(MldrError, match="lies in the dataset"):
        hydrate(dataset, dataset.folder / "f", OWN)


def test_the_copy_of_a_release_has_a_releases_card(tmp_path: Path, site: Site) -> None:
    dataset = carded(write_dataset(tmp_path / "d", {"test": with_images(0, named("a", site.picture("/a")))}))
    manifest = read_manifest(dataset.folder)
    manifest.release = Release(oddities={"odd thing": 3})
    write_manifest(dataset.folder, manifest)
    hydrate(mldr.load(dataset.folder), tmp_path / "fetched", OWN)
    write_hydrated(mldr.load(dataset.folder), tmp_path / "fetched", tmp_path / "copy")
    card = (tmp_path / "copy/README.md").read_text("utf-8")
    assert "The release of the authors of F2RVLM" in card
    assert "- odd thing: 3" in card
    assert "| stored images | present 1 |" in card
