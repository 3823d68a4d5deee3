from datetime import UTC, date, datetime, time, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.annotation.readers.clocks import ORDERS, instant, moment_of, stamp_of
from mldr.annotation.readers.contract import DateOrder


@pytest.mark.parametrize(
    ("text", "order", "expected"),
    [
        ("31/12/2024, 23:59", "dmy", datetime(2024, 12, 31, 23, 59)),
        ("12/31/24, 11:59 PM", "mdy", datetime(2024, 12, 31, 23, 59)),
        ("12/31/24, 11:59\u202fPM", "mdy", datetime(2024, 12, 31, 23, 59)),
        ("31/12/24, 11:59 p.m.", "dmy", datetime(2024, 12, 31, 23, 59)),
        ("31/12/24, 11:59 p. m.", "dmy", datetime(2024, 12, 31, 23, 59)),
        ("31/12/24 12:05 am", "dmy", datetime(2024, 12, 31, 0, 5)),
        ("31/12/24 12:05:09 pm", "dmy", datetime(2024, 12, 31, 12, 5, 9)),
        ("31.12.24, 23:59:01", "dmy", datetime(2024, 12, 31, 23, 59, 1)),
        ("31.12.2024 klo 23.59", "dmy", None),
        ("31.12.2024, 23.59", "dmy", datetime(2024, 12, 31, 23, 59)),
        ("31-12-2024 23:59", "dmy", datetime(2024, 12, 31, 23, 59)),
        ("2024-12-31, 23:59", "ymd", datetime(2024, 12, 31, 23, 59)),
        ("2024/12/31, 23:59", "ymd", datetime(2024, 12, 31, 23, 59)),
        ("2024/12/31 下午11:59", "ymd", datetime(2024, 12, 31, 23, 59)),
        ("2024/12/31 上午12:01:02", "ymd", datetime(2024, 12, 31, 0, 1, 2)),
        ("2024/12/31 凌晨12:01", "ymd", datetime(2024, 12, 31, 0, 1)),
        ("2024/12/31 中午12:30", "ymd", datetime(2024, 12, 31, 12, 30)),
        ("2024/12/31 中午1:30", "ymd", datetime(2024, 12, 31, 13, 30)),
        ("2024/12/31 中午11:50", "ymd", datetime(2024, 12, 31, 11, 50)),
        ("2024/12/31 晚上8:00", "ymd", datetime(2024, 12, 31, 20, 0)),
        ("2024年12月31日 23:59", "ymd", datetime(2024, 12, 31, 23, 59)),
        ("2024. 12. 31. 오후 11:59", "ymd", datetime(2024, 12, 31, 23, 59)),
        ("24. 1. 4. 오전 12:05", "ymd", datetime(2024, 1, 4, 0, 5)),
        ("2024/12/31 午後11:59", "ymd", datetime(2024, 12, 31, 23, 59)),
        ("\u200f31\u200f/12\u200f/2024, 23:59", "dmy", datetime(2024, 12, 31, 23, 59)),
        ("\ufeff31/12/2024,\u200923:59", "dmy", datetime(2024, 12, 31, 23, 59)),
        ("٣١/١٢/٢٠٢٤, ١١:٥٩ م", "dmy", datetime(2024, 12, 31, 23, 59)),
        ("31/12/2024, 25:00", "dmy", None),
        ("31/12/2024, 23:60", "dmy", None),
        ("31/13/2024, 23:59", "dmy", None),
        ("31/2/2024, 23:59", "dmy", None),
        ("31/12/2024", "dmy", None),
        ("1:2 people", "dmy", None),
        ("", "dmy", None),
    ],
)
def test_a_stamp_of_any_locale_gives_its_time(text: str, order: DateOrder, expected: datetime | None) -> None:
    stamp = stamp_of(text)
    assert (stamp.on(order) if stamp else None) == expected


@given(st.dates(date(2010, 1, 1), date(2099, 12, 31)), st.times(), st.sampled_from(ORDERS), st.sampled_from("/.-"))
def test_what_is_written_in_an_order_is_read_in_that_order(day: date, at: time, order: DateOrder, mark: str) -> None:
    at = at.replace(microsecond=0, tzinfo=None)
    parts = {"y": f"{day:%Y}", "m": str(day.month), "d": f"{day:%d}"}
    for clock in (f"{at:%H:%M:%S}", f"{at:%I:%M:%S %p}"):
        stamp = stamp_of(f"{mark.join(parts[part] for part in order)}, {clock}")
        assert stamp is not None
        assert stamp.on(order) == datetime.combine(day, at)


def test_a_year_has_two_or_four_digits() -> None:
    for text in ("31/12/4, 10:00", "31/12/204, 10:00"):
        stamp = stamp_of(text)
        assert stamp is not None
        assert stamp.on("dmy") is None


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("2024-10-04 11:43:00", datetime(2024, 10, 4, 11, 43)),
        ("2024/10/4 11:43", datetime(2024, 10, 4, 11, 43)),
        ("2024-10-04 11:43:00.250", datetime(2024, 10, 4, 11, 43)),
        ("2024-10-04T11:43:00", datetime(2024, 10, 4, 11, 43)),
        ("2024-10-04T11:43:00+08:00", datetime(2024, 10, 4, 11, 43, tzinfo=timezone(timedelta(hours=8)))),
        ("2024-10-04T03:43:00Z", datetime(2024, 10, 4, 3, 43, tzinfo=UTC)),
        ("1728013380", datetime(2024, 10, 4, 3, 43, tzinfo=UTC)),
        ("1728013380000", datetime(2024, 10, 4, 3, 43, tzinfo=UTC)),
        ("10/4/2024 11:43", None),
        ("45569.488", None),
        ("0", None),
        ("-1", None),
        ("2024-10-04T99:00:00", None),
        ("9" * 400, None),
        ("昨天", None),
    ],
)
def test_a_cell_gives_a_clock_or_an_instant(cell: str, expected: datetime | None) -> None:
    assert moment_of(cell) == expected


def test_a_cell_that_ends_with_its_year_needs_the_order() -> None:
    assert moment_of("10/4/2024 11:43", "mdy") == datetime(2024, 10, 4, 11, 43)
    assert moment_of("10/4/2024 11:43", "dmy") == datetime(2024, 4, 10, 11, 43)


@pytest.mark.parametrize("seconds", [float("inf"), float("-inf"), float("nan"), -5, 0, 1e18])
def test_a_number_that_is_no_time_gives_none(seconds: float) -> None:
    assert instant(seconds) is None


@given(st.text(max_size=60))
def test_no_text_breaks_the_reading_of_a_time(text: str) -> None:
    moment_of(text, "dmy")
    moment_of("2024-10-04" + text)
