"""Datasets, pictures and predictions that tests share; real files, built once a session where they are costly."""

from __future__ import annotations

import io
import signal
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import settings
from PIL import Image

import mldr
from mldr.dialogue import Dialogue, DialogueImage, Fragment, Gold, Query, StoredImage, Utterance
from mldr.files import sha256_file
from mldr.images import normalise
from mldr.manifest import Manifest, ShardEntry, gold_hash, write_manifest
from mldr.shards import shard_name, write_shard
from mldr.tables import KEYS, Record, Table

settings.register_profile("mldr", deadline=None)  # what a test finds must not depend on who else uses the machine
settings.load_profile("mldr")
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN and threading.current_thread() is threading.main_thread():
    # started in the background, where shells make programs deaf to Ctrl-C; the tests of it, and their children, must hear it
    signal.signal(signal.SIGINT, signal.default_int_handler)


def picture(colour: str = "red", size: tuple[int, int] = (40, 30), kind: str = "PNG") -> bytes:
    """Return an encoded picture of one colour."""
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, kind)
    return buffer.getvalue()


def stored_picture(colour: str = "red") -> StoredImage:
    """Return a picture as a dataset keeps it."""
    clean = normalise(picture(colour))
    return StoredImage(
        clean.image_key,
        "present",
        content=clean.content,
        width=clean.width,
        height=clean.height,
        media_type=clean.media_type,
        source="tests",
    )


def small_dialogue(number: int, n_utterances: int = 6, images: Sequence[StoredImage] = ()) -> Dialogue:
    """Return a dialogue whose first utterances carry the images, one each; the last utterance has no text if it carries one."""
    utterances = tuple(
        Utterance(f"p{i % 2}", f"dialogue {number} says word{i}", (i,) if i < len(images) else ())
        for i in range(n_utterances)
    )
    return Dialogue(
        dialogue_id=f"{number:016x}",
        language="en",
        origin="stitched",
        cluster_id=f"cluster{number}",
        utterances=utterances,
        images=tuple(DialogueImage(image.image_key, f"picture {i}") for i, image in enumerate(images)),
    )


Rows = dict[Table, list[Record]]


def write_dataset(folder: Path, splits: dict[str, Rows], name: str = "mldr-ffr-tests") -> mldr.Dataset:
    """Write records as a dataset folder, as a builder would, and open it. Rows are sorted by key."""
    manifest = Manifest(name=name)
    for split, tables in splits.items():
        manifest.counts[split] = {}
        for table, records in tables.items():
            manifest.counts[split][table] = len(records)
            if not records:
                continue
            path = shard_name(table, split, 0, 1)
            write_shard(folder / path, table, sorted(records, key=lambda record: str(getattr(record, KEYS[table]))))
            manifest.files[path] = ShardEntry(rows=len(records), sha256=sha256_file(folder / path))
        dialogues = {d.dialogue_id: d for d in tables.get("dialogues", []) if isinstance(d, Dialogue)}
        queries = {q.query_id: q for q in tables.get("queries", []) if isinstance(q, Query)}
        golds = [g for g in tables.get("gold", []) if isinstance(g, Gold)]
        manifest.gold_hash[split] = gold_hash((g, dialogues[queries[g.query_id].dialogue_id]) for g in golds)
    write_manifest(folder, manifest)
    return mldr.Dataset(folder)


def small_rows(first: int, colour: str) -> Rows:
    """Return two dialogues with four queries: one of each kind."""
    image = stored_picture(colour)
    one, two = small_dialogue(first, images=[image]), small_dialogue(first + 1)
    rows: Rows = {"dialogues": [one, two], "queries": [], "gold": [], "fragments": [], "images": [image]}
    asked = ((one, (0, 2), (0,)), (one, (1, 4), ()), (one, (), (0,)), (two, (), ()))
    for position, (dialogue, utterance_ids, image_ids) in enumerate(asked):
        query_id = f"{dialogue.dialogue_id}-{position:08x}"
        negative = not utterance_ids and not image_ids
        fragment_id = "" if negative else f"{dialogue.dialogue_id}-f{position:07x}"
        rows["queries"].append(Query(query_id, dialogue.dialogue_id, "en", f"word{position} of {dialogue.dialogue_id}"))
        rows["gold"].append(
            Gold(query_id, fragment_id, "fine", utterance_ids, image_ids, negative_type="unrelated" if negative else "")
        )
        if not negative:
            rows["fragments"].append(
                Fragment(
                    fragment_id,
                    dialogue.dialogue_id,
                    "fine",
                    "t",
                    f"source/{first}-{position}",
                    utterance_ids,
                    image_ids,
                )
            )
    return rows


@pytest.fixture
def small_dataset(tmp_path: Path) -> mldr.Dataset:
    """A dataset of two splits, `validation` and `test`, with four queries each."""
    splits = {"validation": small_rows(0, "red"), "test": small_rows(16, "blue")}
    return write_dataset(tmp_path / "small", splits)


@pytest.fixture(scope="session")
def demo_dataset(tmp_path_factory: pytest.TempPathFactory) -> mldr.Dataset:
    """The bundled demo, built once."""
    from mldr.builders import create, load_recipe
    from mldr.builders.sources.demo import DEMO_FOLDER

    out = tmp_path_factory.mktemp("demo") / "dataset"
    create(load_recipe(DEMO_FOLDER / "recipe.yaml"), DEMO_FOLDER, out)
    return mldr.load(out)


Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """Run `mldr ...` or `mldr-eval ...` in this process; return exit code, stdout, stderr."""

    def run_command(*words: str) -> tuple[int, str, str]:
        from mldr.cli import app as mldr_app
        from mldr.console import run
        from mldr.eval.cli import app as eval_app

        capsys.readouterr()
        with pytest.raises(SystemExit) as exit_info:
            run({"mldr": mldr_app, "mldr-eval": eval_app}[words[0]], list(words[1:]))
        captured = capsys.readouterr()
        return int(exit_info.value.code or 0), captured.out, captured.err

    return run_command
