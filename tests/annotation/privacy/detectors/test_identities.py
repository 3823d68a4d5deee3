from __future__ import annotations

import pytest

from mldr.annotation.spans import SURE
from tests.annotation.privacy.finding import found, only

VALID, VALID_X = "360426199101010071", "11010119900307001X"


@pytest.mark.parametrize(
    "number",
    [
        VALID,
        "360426 19910101 0071",
        "360426-19910101-0071",
        "３６０４２６１９９１０１０１００７１",
        "33100419860711192X",
        "33100419860711192x",
    ],
)
def test_a_resident_id_is_found_whole_between_chinese_characters(number: str) -> None:
    assert found(f"我的{number}别外传") == [("resident_id", number)]


def test_the_last_three_digits_of_an_id_are_never_left_behind() -> None:
    """An alternation of 15 digits before 18 takes 15 out of 18 and leaves the rest."""
    assert found(f"号{VALID}。") == [("resident_id", VALID)]
    assert found("号33100419860711192X。") == [("resident_id", "33100419860711192X")]


def test_a_failed_checksum_makes_a_detector_less_sure_and_hides_the_number_all_the_same() -> None:
    right, wrong = only(VALID), only(VALID[:-1] + "2")
    assert right.confidence > SURE > wrong.confidence
    assert wrong.kind == "resident_id"
    assert (wrong.start, wrong.end) == (0, 18)


def test_an_id_without_a_day_of_birth_is_hidden_too() -> None:
    assert found("号110101999999999999呢")[0][1] == "110101999999999999"


def test_an_old_id_has_a_day_of_birth_and_no_check_digit() -> None:
    assert found("老身份证是110101670307123哦") == [("resident_id", "110101670307123")]
    assert found("看110101670307123看") == [("resident_id", "110101670307123")]


def test_a_word_before_it_makes_half_an_id_private() -> None:
    assert found("身份证后六位123456吧") == [("resident_id", "123456")]


def test_social_security_numbers_are_found() -> None:
    assert found("SSN 466-90-5276.") == [("resident_id", "466-90-5276")]


@pytest.mark.parametrize(
    ("text", "kind", "thing"),
    [
        ("护照E12345678丢了", "passport", "E12345678"),
        ("护照号：EA1234567", "passport", "EA1234567"),
        ("带上G12345678去", "passport", "G12345678"),
        ("passport no. 459808125 ok", "passport", "459808125"),
        ("S10485645 is mine", "passport", "S10485645"),
        ("回乡证H12345678", "permit", "H12345678"),
        ("M1234567801可以吗", "permit", "M1234567801"),
        ("通行证C12345678到期", "permit", "C12345678"),
        ("台胞证 12345678", "permit", "12345678"),
        ("身份證A123456(3)号", "permit", "A123456(3)"),
    ],
)
def test_passports_and_permits_are_found(text: str, kind: str, thing: str) -> None:
    assert found(text) == [(kind, thing)]


@pytest.mark.parametrize(
    "plate",
    [
        "京A12345",
        "粤B·12345",
        "粤B D12345",
        "沪AD12345",
        "沪A12345D",
        "贵W-17340",
        "川A8F8K6",
        "粤Z1234港",
        "京a12345",
        "鲁C１２３４５",
        "苏E1234学",
        "浙 A 88F66",
    ],
)
def test_number_plates_are_found_also_of_electric_cars(plate: str) -> None:
    assert found(f"楼下{plate}挪车") == [("plate", plate)]


def test_a_plate_without_its_province_is_found_behind_the_word() -> None:
    assert found("车牌A12345") == [("plate", "A12345")]
    assert found("license plate 7ABC123") == [("plate", "7ABC123")]


@pytest.mark.parametrize("text", ["用云Server1部署", "贵Book店", "新Windows出了", "我在京Abcdef"])
def test_words_behind_the_character_of_a_province_are_no_plate(text: str) -> None:
    assert found(text) == []
