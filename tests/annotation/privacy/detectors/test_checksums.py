from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.annotation.privacy.detectors.checksums import birthday, hong_kong_id, luhn, mod97, resident_id

REASON = "python-stdnum is the oracle: pip install python-stdnum"
iban = pytest.importorskip("stdnum.iban", reason=REASON)
luhn_oracle = pytest.importorskip("stdnum.luhn", reason=REASON)
ric = pytest.importorskip("stdnum.cn.ric", reason=REASON)
wrong_number = pytest.importorskip("stdnum.exceptions", reason=REASON)


@given(st.text("0123456789", min_size=12, max_size=19))
def test_luhn_agrees_with_another_implementation(digits: str) -> None:
    assert luhn(digits) == luhn_oracle.is_valid(digits)


@given(st.text("0123456789", min_size=17, max_size=17))
def test_the_check_character_of_an_id_agrees_with_another_implementation(digits: str) -> None:
    expected = ric.calc_check_digit(digits + "0")
    assert [check for check in "0123456789X" if resident_id(digits + check)] == [expected]


def test_an_id_that_another_implementation_accepts_is_accepted() -> None:
    assert ric.is_valid("360426199101010071")
    assert resident_id("360426199101010071")
    with pytest.raises(wrong_number.InvalidChecksum):
        ric.validate("360426199101010072")
    assert not resident_id("360426199101010072")


@pytest.mark.parametrize("account", ["GB82WEST12345698765432", "DE89370400440532013000", "FR1420041010050500013M02606"])
def test_ibans_agree_with_another_implementation(account: str) -> None:
    assert iban.is_valid(account)
    assert mod97(account)
    wrong = account[:-1] + ("7" if account[-1] != "7" else "8")
    with pytest.raises(wrong_number.ValidationError):
        iban.validate(wrong)
    assert not mod97(wrong)


@pytest.mark.parametrize(
    ("digits", "is_one"),
    [("19900307", True), ("19000229", False), ("20001331", False), ("17900101", False), ("00000000", False)],
)
def test_a_birthday_is_a_day_of_the_calendar(digits: str, is_one: bool) -> None:
    assert birthday(digits) is is_one


def test_hong_kong_ids_carry_a_check() -> None:
    assert hong_kong_id("A", "123456", "3")
    assert hong_kong_id("AB", "987654", "3") is not hong_kong_id("AB", "987654", "4")
    assert not hong_kong_id("A", "123456", "4")
