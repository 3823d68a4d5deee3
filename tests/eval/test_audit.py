from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mldr.errors import InputError, MldrError
from mldr.eval.audit import (
    WORDS,
    AuditedGroup,
    PublishedRow,
    audit,
    implied_share,
    read_table,
)
from tests.conftest import Command
from tests.eval.bruteforce import mcc
from tests.eval.support import unhurried

PUBLISHED = Path(__file__).parents[2] / "docs" / "published" / "tables.csv"

counts = st.tuples(st.integers(1, 500), st.integers(0, 500), st.integers(0, 500), st.integers(1, 5_000))


def figures(tp: int, fp: int, fn: int, tn: int) -> tuple[float, float, float]:
    return tp / (tp + fp), tp / (tp + fn), mcc(tp, fp, fn, tn)


def published_row(p: float, r: float, m: float, system: str = "s", group: str = "g", decimals: int = 2) -> PublishedRow:
    """Return a row as a table prints it: percent, rounded."""
    shown = [round(100 * value, decimals) / 100 for value in (p, r, m)]
    return PublishedRow(group, system, shown[0], shown[1], shown[2], 0.5 / 100 / 10**decimals)


def csv_of(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


# --- the inverse


@unhurried
@given(counts)
def test_the_implied_share_gives_back_the_universe_of_a_known_confusion_matrix(
    table: tuple[int, int, int, int],
) -> None:
    tp, fp, fn, _ = table
    assume(fp or fn)  # a perfect answer has MCC 1 over any universe
    found = implied_share(*figures(*table))
    assert found == pytest.approx((tp + fn) / sum(table), rel=1e-5)


def test_no_universe_gives_an_mcc_above_that_of_an_endless_one() -> None:
    assert implied_share(0.5, 0.5, 0.5) is None  # sqrt(P R) is the limit
    assert implied_share(0.5, 0.5, 0.9) is None
    assert implied_share(0.5, 0.5, -0.9) is None
    assert implied_share(0.5, 0.5, 0.49) is not None


@unhurried
@given(counts)
def test_the_bounds_of_a_rounded_row_contain_the_share_that_made_it(table: tuple[int, int, int, int]) -> None:
    tp, _, fn, _ = table
    p, r, m = figures(*table)
    (group,) = audit([published_row(p, r, m)])
    (row,) = group.rows
    truth = (tp + fn) / sum(table)
    if row.low is None or row.high is None:
        assert row.share is None
        assert abs(m) <= 1e-4 or min(p, r) > 1 - 1e-4  # nothing is implied by an MCC of 0, or by a perfect answer
    else:
        assert row.low - 1e-9 <= truth <= row.high + 1e-9


# --- groups


def test_rows_of_one_universe_agree_and_a_row_of_another_is_marked() -> None:
    ours = [(40, 10, 20, 130), (30, 30, 30, 110), (55, 60, 5, 80), (20, 5, 40, 135)]  # share 60 in 200
    other = (40, 10, 20, 430)
    rows = [published_row(*figures(*table), system=f"s{i}") for i, table in enumerate([*ours, other])]
    (group,) = audit(rows)
    assert group.share == pytest.approx(0.3, abs=1e-3)
    assert group.agreeing == 4
    assert [row.verdict for row in group.rows] == ["fits"] * 4 + ["does not fit"]
    assert group.return_everything_f1 == pytest.approx(2 * 0.3 / 1.3, abs=1e-3)


def test_groups_are_audited_apart_and_come_in_the_order_given() -> None:
    one, two = figures(40, 10, 20, 130), figures(40, 10, 20, 430)
    rows = [published_row(*one, group="b"), published_row(*two, group="a"), published_row(*one, group="b")]
    found = audit(rows)
    assert [(group.group, len(group.rows), group.agreeing) for group in found] == [("b", 2, 2), ("a", 1, 1)]


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        ((0.0, 0.0, 0.0), "no answer"),
        ((0.5, 0.0, 0.0), "no answer"),
        ((0.3, 0.6, 0.0), "zero or clipped"),
        ((0.5, 0.5, 0.9), "no universe"),
        ((0.5, 0.5, -0.9), "no universe"),
    ],
)
def test_what_implies_nothing_says_why(row: tuple[float, float, float], verdict: str) -> None:
    (group,) = audit([published_row(*row)])
    assert (group.rows[0].verdict, group.rows[0].share, group.share) == (verdict, None, None)
    assert group.agreeing == 0
    assert verdict in WORDS


def test_coarser_rounding_gives_wider_bounds() -> None:
    table = figures(40, 10, 20, 130)
    widths = []
    for decimals in (0, 1, 2):
        row = audit([published_row(*table, decimals=decimals)])[0].rows[0]
        assert row.low is not None
        assert row.high is not None
        widths.append(row.high - row.low)
    assert widths == sorted(widths, reverse=True)


# --- the published tables


@pytest.fixture(scope="module")
def published() -> dict[str, AuditedGroup]:
    return {group.group: group for group in audit(read_table(PUBLISHED))}


@pytest.mark.parametrize(
    ("group", "percent", "everything"),
    [
        ("MLDR validation, utterances", 31.3, 47.7),
        ("MLDR validation, images", 36.1, 53.1),
        ("WeChat test, utterances", 11.4, 20.5),
        ("WeChat test, images", 17.7, 30.1),
    ],
)
def test_the_published_tables_imply_the_shares_that_were_worked_out_before(
    published: dict[str, AuditedGroup], group: str, percent: float, everything: float
) -> None:
    found = published[group]
    assert found.share is not None
    assert found.return_everything_f1 is not None
    assert round(100 * found.share, 1) == percent
    assert round(100 * found.return_everything_f1, 1) == pytest.approx(everything, abs=0.1)
    assert found.agreeing >= 10


SLIDING = {"InternVL3-1B", "InternVL3-2B", "Ovis2-2B", "LLaVA-1.5-7B", "InternVL3-8B"}


@pytest.mark.parametrize("modality", ["utterances", "images"])
def test_the_five_rows_of_sliding_windows_do_not_fit(published: dict[str, AuditedGroup], modality: str) -> None:
    verdicts = {row.system: row.verdict for row in published[f"WeChat test, {modality}"].rows if row.system in SLIDING}
    assert set(verdicts) == SLIDING
    assert set(verdicts.values()) == {"does not fit"}


def test_clipped_rows_are_told_apart(published: dict[str, AuditedGroup]) -> None:
    rows = {row.system: row.verdict for row in published["MLDR validation, utterances"].rows}
    assert rows["BLIP2"] == "zero or clipped"


# --- reading


def test_a_table_is_read_in_percent_with_its_rounding(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("\ufeffsystem,p,r,mcc,dataset,note\r\nA,50,25.5,-1.25,D,x\r\nB,1,2,3,,\r\n".encode())
    assert read_table(path) == [
        PublishedRow("D", "A", 0.5, 0.255, -0.0125, half_unit=0.5 / 100 / 10**2),
        PublishedRow("all rows", "B", 0.01, 0.02, 0.03, half_unit=0.005),
    ]


@pytest.mark.parametrize("cell", ["", "x", "nan", "inf", "-1", "100.01", "50 %", "5,0"])
@pytest.mark.parametrize("column", [0, 1])
def test_what_is_no_percentage_is_a_fault_with_its_line(tmp_path: Path, cell: str, column: int) -> None:
    cells = ["50", "50"]
    cells[column] = f'"{cell}"'
    path = csv_of(tmp_path / "t.csv", "system,p,r,mcc", "A,50,50,20", f"B,{cells[0]},{cells[1]},20", "C,x,1,1")
    with pytest.raises(InputError) as caught:
        read_table(path)
    assert [fault.place for fault in caught.value.faults] == [f"{path}, line 3", f"{path}, line 4"]
    assert caught.value.faults[0].message.startswith(f"{'pr'[column]} is {cell!r}")


def test_an_mcc_may_be_negative_and_not_beyond_minus_100(tmp_path: Path) -> None:
    assert read_table(csv_of(tmp_path / "t.csv", "system,p,r,mcc", "A,50,50,-100"))[0].mcc == -1.0
    with pytest.raises(InputError, match=r"mcc is '-100\.5'"):
        read_table(csv_of(tmp_path / "t.csv", "system,p,r,mcc", "A,50,50,-100.5"))


BAD: dict[str, tuple[bytes, str]] = {
    "no UTF-8": (b"system,p,r,mcc\n\xff,1,2,3\n", "not UTF-8 text (byte 15)"),
    "no columns that are needed": (b"name,p,r\nA,1,2\n", "lacks the column 'system'"),
    "two columns missing": (b"name,p,r\nA,1,2\n", "lacks the column 'mcc'"),
    "nothing": (b"", "lacks the column"),
    "a header alone": (b"system,p,r,mcc\n", "holds no row"),
    "too few cells": (b"system,p,r,mcc\nA,1\n", "line 2: r is ''"),
    "a quote that does not end": (b'system,p,r,mcc\n"A,1,2,3\n', "not CSV"),
    "a huge cell": (b"system,p,r,mcc\nA," + b"1" * 200_000 + b",2,3\n", "not CSV"),
    "a NUL": (b"system,p,r,mcc\nA,\0,2,3\n", "line 2"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_table_is_said_in_words_on_the_command_line(tmp_path: Path, command: Command, name: str) -> None:
    content, words = BAD[name]
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    code, out, err = command("mldr-eval", "audit", str(path))
    assert (code, out) == (1, "")
    assert str(path) in err
    assert words in err


@unhurried
@given(st.binary(max_size=80))
def test_no_bytes_make_the_audit_crash(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"system,p,r,mcc\nA,50,50,20\n" + content)
    try:
        rows = read_table(path)
    except MldrError:
        return
    assert audit(rows)


percentages = st.integers(0, 10_000).map(lambda hundredths: hundredths / 100)


@unhurried
@given(st.lists(st.tuples(percentages, percentages, st.integers(-10_000, 10_000).map(lambda x: x / 100)), min_size=1))
def test_any_numbers_are_audited_to_shares_between_0_and_1(rows: list[tuple[float, float, float]]) -> None:
    given_rows = [published_row(p / 100, r / 100, m / 100) for p, r, m in rows]
    (group,) = audit(given_rows)
    assert len(group.rows) == len(rows)
    for row in group.rows:
        assert row.share is None or 0 <= row.share <= 1
        assert (row.low is None) == (row.high is None)
        if row.low is not None and row.high is not None and row.share is not None:
            assert row.low <= row.share <= row.high
    assert not math.isnan(group.share or 0.0)


# --- the command line


def test_the_audit_prints_a_table_a_group_and_json_for_machines(command: Command) -> None:
    code, out, err = command("mldr-eval", "audit", str(PUBLISHED))
    assert (code, err) == (0, "")
    assert "agree on a share of gold of 31.3" in out
    assert WORDS["does not fit"] in out
    code, out, _ = command("mldr-eval", "audit", str(PUBLISHED), "--json")
    assert code == 0
    groups = [AuditedGroup.model_validate(group) for group in json.loads(out)]
    assert groups == audit(read_table(PUBLISHED))


def test_a_missing_table_is_one_line_and_no_table_wrong_usage(tmp_path: Path, command: Command) -> None:
    code, out, err = command("mldr-eval", "audit", str(tmp_path / "nowhere.csv"))
    assert (code, out, len(err.splitlines())) == (1, "", 1)
    assert command("mldr-eval", "audit")[0] == 2
