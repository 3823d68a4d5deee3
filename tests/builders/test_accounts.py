from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mldr.builders.accounts import Accounts, gather_flagged
from mldr.builders.recipe import Recipe
from mldr.builders.units import COUNTS, FLAGGED, SHARED, Unit


def recipe(**models: Any) -> Recipe:
    known = models or {
        "writer": {"provider": "p", "model": "m", "price": {"input": 2.0, "output": 6.0}, "terms": "MIT"}
    }
    return Recipe.model_validate(
        {
            "format": "mldr/recipe@1",
            "name": "accounts",
            "sources": [{"type": "demo", "name": "demo"}],
            "splits": {"test": 1.0},
            "models": known,
        }
    )


def unit(folder: Path, split: str = "test", **counted: Any) -> Unit:
    """Write what a unit counts."""
    folder.mkdir(parents=True)
    shared, flagged = counted.pop("shared", []), counted.pop("flagged", [])
    document = {"counts": {}, "agreement": {}, "usage": {}, **counted}
    (folder / COUNTS).write_text(json.dumps(document), encoding="utf-8")
    (folder / SHARED).write_text("".join(json.dumps(row) + "\n" for row in shared), encoding="utf-8")
    (folder / FLAGGED).write_text("".join(json.dumps(row) + "\n" for row in flagged), encoding="utf-8")
    return Unit(split, folder)


def amounts(requests: int, tokens_in: int, tokens_out: int) -> dict[str, int]:
    return {"requests": requests, "tokens_in": tokens_in, "tokens_out": tokens_out}


def test_tokens_and_money_are_summed_by_step_over_all_units(tmp_path: Path) -> None:
    accounts = Accounts(tmp_path / "accounts.sqlite")
    for number in range(2):
        accounts.add(unit(tmp_path / f"{number}", usage={"stitch/writer": amounts(3, 1_000, 500)}))
    assert accounts.model_usage(recipe()) == {
        "stitch": {
            "model": "m",
            "provider": "p",
            "terms": "MIT",
            **amounts(6, 2_000, 1_000),
            "cost": pytest.approx(2_000 * 2e-6 + 1_000 * 6e-6),
            "currency": "USD",
        }
    }


def test_what_several_dialogues_asked_is_counted_once_in_whichever_units_they_are(tmp_path: Path) -> None:
    accounts = Accounts(tmp_path / "accounts.sqlite")
    accounts.add(unit(tmp_path / "a", shared=[["key1", "tag/writer", 10, 1], ["key2", "tag/writer", 20, 2]]))
    accounts.add(unit(tmp_path / "b", shared=[["key2", "tag/writer", 20, 2]], usage={"tag/writer": amounts(1, 5, 5)}))
    usage = accounts.model_usage(recipe())["tag"]
    assert (usage["requests"], usage["tokens_in"], usage["tokens_out"]) == (3, 35, 8)


def test_a_step_that_two_models_do_has_a_row_for_each(tmp_path: Path) -> None:
    accounts = Accounts(tmp_path / "accounts.sqlite")
    usage = {"verify/judge": amounts(1, 1, 1), "verify/writer": amounts(2, 2, 2)}
    accounts.add(unit(tmp_path / "a", usage=usage))
    models = {name: {"provider": "p", "model": f"model of {name}"} for name in ("judge", "writer")}
    rows = accounts.model_usage(recipe(**models))
    assert list(rows) == ["verify (judge)", "verify (writer)"]
    assert rows["verify (judge)"]["model"] == "model of judge"
    assert "cost" not in rows["verify (judge)"]


def test_agreement_is_kept_by_split_and_kind(tmp_path: Path) -> None:
    accounts = Accounts(tmp_path / "accounts.sqlite")
    accounts.add(unit(tmp_path / "a", agreement={"image asked": 3, "image agreed": 1, "negative asked": 2}))
    accounts.add(unit(tmp_path / "b", agreement={"image asked": 2, "image agreed": 2}))
    accounts.add(unit(tmp_path / "c", "validation", agreement={"image asked": 7}))
    assert accounts.agreement == {
        "test": {"image": {"asked": 5, "agreed": 3}, "negative": {"asked": 2, "agreed": 0}},
        "validation": {"image": {"asked": 7, "agreed": 0}},
    }


def test_reasons_are_summed_and_a_new_account_starts_from_nothing(tmp_path: Path) -> None:
    for attempt in range(2):
        accounts = Accounts(tmp_path / "accounts.sqlite")
        accounts.add(unit(tmp_path / f"a{attempt}", counts={"rejected": 2}, shared=[["key", "tag/writer", 1, 1]]))
        accounts.add(unit(tmp_path / f"b{attempt}", counts={"rejected": 1, "removed": 4}))
        assert accounts.dropped == {"rejected": 3, "removed": 4}
        assert accounts.model_usage(recipe())["tag"]["requests"] == 1


def test_flagged_queries_of_all_units_stand_in_one_file_in_their_order(tmp_path: Path) -> None:
    units = [unit(tmp_path / name, flagged=[{"query_id": f"{name}{n}"} for n in range(2)]) for name in "ba"]
    gather_flagged(units, tmp_path / "flagged.jsonl")
    lines = (tmp_path / "flagged.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["query_id"] for line in lines] == ["b0", "b1", "a0", "a1"]
    gather_flagged([], tmp_path / "flagged.jsonl")
    assert (tmp_path / "flagged.jsonl").read_bytes() == b""
