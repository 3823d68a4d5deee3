from __future__ import annotations

from pathlib import Path

import yaml

from mldr.cards import front_matter
from mldr.dialogue import Query
from tests.conftest import small_dialogue, write_dataset


def test_the_front_names_only_what_is_there(tmp_path: Path) -> None:
    dialogue = small_dialogue(1)
    rows = {"dialogues": [dialogue], "queries": [Query("q", dialogue.dialogue_id, "en", "what?")]}
    made = write_dataset(tmp_path / "set", {"test": rows})  # type: ignore[dict-item]
    document = yaml.safe_load(front_matter(made, ["zh", "en", "zh"]))
    assert document["pretty_name"] == "mldr-ffr-tests"
    assert document["language"] == ["en", "zh"]
    assert [config["config_name"] for config in document["configs"]] == ["dialogues", "queries"]
    assert document["configs"][0]["data_files"] == [{"split": "test", "path": "dialogues/test-*.parquet"}]
    assert [info["config_name"] for info in document["dataset_info"]] == ["dialogues", "queries"]
