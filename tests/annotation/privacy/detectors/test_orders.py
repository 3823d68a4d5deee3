from __future__ import annotations

import pytest

from tests.annotation.privacy.finding import found


@pytest.mark.parametrize(
    "number",
    [
        "SF1234567890123",
        "YT1234567890123",
        "JD0012345678901",
        "JDVA12345678901-1-1-",
        "sf1234567890123",
        "SF 123 4567 8901",
        "EA123456789CN",
        "1Z999AA10123456784",
        "DPK202412345678",
    ],
)
def test_numbers_of_parcels_are_found_by_their_prefix(number: str) -> None:
    assert found(f"查下{number}到哪了") == [("order_number", number)]


@pytest.mark.parametrize(
    "text",
    [
        "快递单号ABCD12345",
        "订单号：ABCD12345",
        "单号 ABCD12345 谢谢",
        "tracking number ABCD12345",
        "order #ABCD12345 is late",
        "booking reference: ABCD12345",
    ],
)
def test_others_are_found_behind_the_words_for_them(text: str) -> None:
    assert found(text) == [("order_number", "ABCD12345")]


def test_plain_digits_behind_the_word_are_hidden_whatever_they_are_called() -> None:
    assert [thing for _, thing in found("单号773012345678901哦")] == ["773012345678901"]


@pytest.mark.parametrize("text", ["订单还没到", "order 12 pizzas", "快递2024年涨价", "in order to win", "case closed"])
def test_the_words_alone_are_no_order(text: str) -> None:
    assert found(text) == []
