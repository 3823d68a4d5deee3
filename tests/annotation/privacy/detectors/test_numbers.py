from __future__ import annotations

import pytest

from mldr.annotation.spans import SURE
from tests.annotation.privacy.finding import found, only


@pytest.mark.parametrize(
    "number",
    ["1234567", "12345678", "987654321", "1234-5678", "98 76 54 32 10", "12 3456 7890", "12345678901234567890123"],
)
def test_a_long_run_of_digits_that_nothing_explains_is_hidden(number: str) -> None:
    assert [thing for _, thing in found(f"这串{number}啥意思", language="zh")] == [number]


def test_letters_that_hang_on_a_number_belong_to_it() -> None:
    assert found("学籍okQ12345678ok呢") == [("number", "okQ12345678ok")]


def test_longer_runs_are_surer() -> None:
    assert only("看4839201").confidence < SURE < only("看483920174").confidence


@pytest.mark.parametrize(
    "text",
    [
        "100000块",
        "12345678元",
        "¥1234567",
        "$1,234,567.89",
        "1,234,567",
        "2024年10月",
        "2024-10-01 12:30:45",
        "2024.10.1",
        "10/01/2024",
        "2019-2024",
        "3-2 2-1 1-1 0-0",
        "10:30-12:00",
        "3.1415926535",
        "99.99%",
        "1920x1080",
        "12345678人看过",
        "1234567 views",
        "2000-3000元",
        "3比2",
        "RTX 4090",
        "iPhone 15 Pro",
        "123456",
        "24小时营业",
        "6-8 5-7 3-2 1-0",
        "二〇二四年十月",
        "1:0 2:1 3:3",
    ],
)
def test_prices_dates_times_scores_and_counts_are_left_alone(text: str) -> None:
    assert found(text) == []


def test_a_day_or_a_clock_after_a_number_does_not_save_it() -> None:
    assert [thing for _, thing in found("账12345678点进去", language="zh")] == ["12345678"]


def test_a_date_beside_a_number_does_not_hide_it_from_the_rule() -> None:
    assert [thing for _, thing in found("2024-10-01 12:30 483920174")] == ["483920174"]
