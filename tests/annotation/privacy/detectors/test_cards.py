from __future__ import annotations

import pytest

from mldr.annotation.spans import SURE
from tests.annotation.privacy.finding import found, only

VALID = "4953493096563438"


@pytest.mark.parametrize(
    "card",
    [
        VALID,
        "4953 4930 9656 3438",
        "4953-4930-9656-3438",
        "４９５３４９３０９６５６３４３８",
        "6222 0212 3456 7890 123",
        "377400 111111115",
        "676292569883",
    ],
)
def test_a_card_is_found_in_its_groups_between_chinese_characters(card: str) -> None:
    assert found(f"打到{card}这张") == [("bank_card", card)]


def test_a_failed_luhn_makes_it_less_sure_and_hides_it_all_the_same() -> None:
    right, wrong = only(f"转{VALID}"), only(f"转{VALID[:-1]}9")
    assert right.confidence > SURE > wrong.confidence
    assert wrong.kind == "bank_card"
    assert wrong.end - wrong.start == 16


def test_a_word_before_it_makes_any_account_sure() -> None:
    assert only("卡号1234567890").confidence >= SURE
    assert found("尾号3438的卡") == [("bank_card", "3438")]


def test_an_iban_is_found_and_checked() -> None:
    right, wrong = only("pay GB82 WEST 1234 5698 7654 32"), only("pay GB82 WEST 1234 5698 7654 33")
    assert right.kind == wrong.kind == "bank_card"
    assert right.confidence > SURE > wrong.confidence


def test_a_card_whose_middle_is_starred_out_is_found() -> None:
    assert found("卡 6222 **** **** 1234 呢") == [("bank_card", "6222 **** **** 1234")]


def test_a_mobile_beside_a_card_stays_a_mobile() -> None:
    assert found("13812345678 4953493096563438") == [("mobile", "13812345678"), ("bank_card", VALID)]
