from __future__ import annotations

import pytest

from mldr.annotation.spans import SURE
from tests.annotation.privacy.finding import found, only


@pytest.mark.parametrize(
    "place",
    [
        "浙江省杭州市西湖区文三路123号5栋2单元501室",
        "朝阳区建国路88号",
        "中关村大街27号",
        "翠竹花园3号楼1201",
        "幸福小区3栋2单元501",
        "河南省南京市吉区周路y座 187831",
        "人民大道100弄5号302室",
        "浙江省杭州市",
        "大王镇李家村12号",
        "3栋2单元501室",
        "科技园南路3号A座1502",
    ],
)
def test_a_chinese_address_is_covered_wholly_and_left_to_a_person(place: str) -> None:
    text = f"寄到{place}"
    (span,) = [span for span in [only(text)] if span.kind == "address"]
    assert text[span.start : span.end].endswith(place)
    assert span.confidence < SURE


@pytest.mark.parametrize(
    "place",
    [
        "1159 Rodriguez Forge Suite 542\nWest James, MN 11166",
        "1953 Levy Canyon\nJacobshire, MH 40190",
        "221B Baker Street",
        "45 main street",
        "PSC 1234, Box 5678\nAPO AE 09876",
        "P.O. Box 1234",
        "10 Downing St., London",
        "Springfield, IL 62704",
    ],
)
def test_an_english_address_is_found(place: str) -> None:
    hidden = found(f"ship to {place}")
    assert hidden[0][0] == "address"
    assert hidden[0][1].startswith(place.split(",")[0])


@pytest.mark.parametrize(
    "text",
    [
        "小区门口见",
        "市区堵车",
        "马路对面",
        "超市小区都行",
        "1号2号都可以",
        "知道3号楼怎么走吗"[:4],
        "第一号选手",
        "10月15号晚上",
        "3 big things",
        "the street is empty",
        "24 hours a day",
        "我知道15号放假",
        "上一层楼",
        "城市小区",
    ],
)
def test_places_that_are_nobodys_home_are_left_alone(text: str) -> None:
    assert found(text) == []


def test_a_sure_find_inside_an_address_is_sure_still() -> None:
    hidden = found("西湖区文三路12号13812345678收")
    assert ("mobile", "13812345678") in hidden
    assert hidden[0][0] == "address"
