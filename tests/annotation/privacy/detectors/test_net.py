from __future__ import annotations

import pytest

from tests.annotation.privacy.finding import found


@pytest.mark.parametrize(
    "address",
    [
        "zhang.san@example.com",
        "zhang＠qq.com",
        "12345678@qq.com",
        "a_b-c+d@mail.example.co.uk",
        "zhang (at) example.com",
        "zhang[at]qq[dot]com",
        "zhang艾特qq点com",
        "josé@example.org",
    ],
)
def test_an_email_is_found_between_chinese_characters(address: str) -> None:
    assert found(f"邮箱是{address}发我") == [("email", address)]


def test_addresses_glued_to_one_another_are_all_found() -> None:
    assert [thing for _, thing in found("a@b.com13812345678c@d.com")] == ["a@b.com", "13812345678c@d.com"]


@pytest.mark.parametrize("text", ["look at this. Nice", "meet at noon.ok", "ask @all"])
def test_a_preposition_is_no_email(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/a?b=1#c",
        "http://www.liwei.net/",
        "www.example.com/x",
        "example.com",
        "shop.example.com.cn/item/1",
        "weixin://dl/chat?x",
        "http://192.168.0.1:8080/x",
        "HTTPS://EXAMPLE.COM",
    ],
)
def test_a_url_is_found_with_and_without_its_scheme_and_ends_where_chinese_begins(url: str) -> None:
    assert found(f"看{url}这家") == [("url", url)]


def test_two_sentences_without_a_space_are_doubtful_at_most() -> None:
    assert found("README.md和Node.js") == []
    assert found("v2.0.1 sucks") == []


@pytest.mark.parametrize(
    "address",
    [
        "204.102.157.119",
        "10.0.0.1:8080",
        "5dfe:36f1:acf4:24d9:73c2:f6f1:6ce9:e732",
        "fe80::1ff:fe23:4567:890a",
        "00:1A:2B:3C:4D:5E",
    ],
)
def test_addresses_of_machines_are_found(address: str) -> None:
    assert found(f"连{address}试试") == found(f"地址：{address}。") == found(f"①{address}") == [("ip", address)]


@pytest.mark.parametrize("text", ["版本1.2.3", "10:30:45开始", "1.2.3.4.5", "std::vector", "300.1.2.3"])
def test_versions_and_times_are_no_machine(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    "place",
    [
        "39.904211,116.407395",
        "39.9042, 116.4074",
        "39.9042，116.4074",
        "30.12345°N, 120.54321°E",
        "39°54'20\"N",
        "-33.86785;151.20732",
    ],
)
def test_coordinates_are_found(place: str) -> None:
    hidden = found(f"定位{place}这里")
    assert [kind for kind, _ in hidden] == ["gps"]
    assert hidden[0][1] == place


def test_a_coordinate_alone_needs_its_word() -> None:
    assert found("纬度39.9042 经度：116.4074") == [("gps", "39.9042 经度：116.4074")]
    assert found("坐标 116.39,39.90") == [("gps", "116.39,39.90")]
    assert found("latitude: 39.9042") == [("gps", "39.9042")]
    assert found("圆周率3.14159265") == []
