from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.downloads.client import Limits, Refused, TooLarge, Unreachable, get, is_public, parsed
from mldr.version import __version__
from tests.core.downloads.support import Site, answer, cut_short, dripping, endless, running, silent

OWN = Limits(100_000, timeout=0.4, total=0.6, allow_private=True)


@pytest.fixture
def site() -> Iterator[Site]:
    with running() as site:
        yield site


def test_an_answer_comes_whole_and_the_request_says_who_asks_and_nothing_else(site: Site) -> None:
    assert get(site.bytes("/a", b"content"), OWN).body == b"content"
    (headers,) = site.headers
    assert headers["User-Agent"].startswith(f"mldr/{__version__}")
    assert set(headers) == {"Host", "User-Agent", "Accept", "Accept-Encoding", "Connection"}


def test_chunks_come_whole(site: Site) -> None:
    def chunked(request: object) -> None:
        answer(request, b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", headers={"Transfer-Encoding": "chunked"})  # type: ignore[arg-type]

    site.answers["/a"] = chunked
    assert get(site.url("/a"), OWN).body == b"abcde"


def test_an_announced_and_an_unannounced_huge_answer_stop_at_the_limit(site: Site) -> None:
    site.answers["/endless"] = endless
    site.bytes("/huge", b"", Content_Length="99999999999")
    with pytest.raises(TooLarge, match="more than 100,000 bytes") as stopped:
        get(site.url("/endless"), OWN)
    assert 100_000 < stopped.value.taken < 300_000
    with pytest.raises(TooLarge, match="99,999,999,999 bytes are announced"):
        get(site.url("/huge"), OWN)


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [(cut_short, "cut short"), (silent, "timed out"), (dripping, "cut short|not whole|timed out")],
)
def test_an_answer_that_does_not_come_whole_in_time_may_come_another_time(
    site: Site, behaviour: object, said: str
) -> None:
    site.answers["/a"] = behaviour  # type: ignore[assignment]
    start = time.monotonic()
    with pytest.raises(Unreachable, match=said):
        get(site.url("/a"), OWN)
    assert time.monotonic() - start < 2


def test_something_that_is_no_http_is_a_failure_that_may_pass(site: Site) -> None:
    site.answers["/a"] = lambda request: (request.wfile.write(b"hello\r\n\r\n"), None)[1]
    with pytest.raises(Unreachable):
        get(site.url("/a"), OWN)


def test_a_compressed_answer_is_not_taken(site: Site) -> None:
    with pytest.raises(Unreachable, match="compressed"):
        get(site.bytes("/a", b"x", Content_Encoding="gzip"), OWN)


def test_a_redirect_is_returned_whole_and_not_followed(site: Site) -> None:
    found = get(site.bytes("/a", b"", 302, Location="/b?c=1"), OWN)
    assert (found.status, found.location) == (302, site.url("/b?c=1"))
    assert site.asked == ["/a"]


def test_loopback_is_refused_without_a_request(site: Site) -> None:
    url = site.bytes("/a", b"secret")
    with pytest.raises(Refused, match=r"127\.0\.0\.1, which is no public address"):
        get(url, Limits(100))
    with pytest.raises(Refused, match="no public address"):
        get(site.url("/a", "localhost"), Limits(100))
    assert site.asked == []


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.9.9",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
    ],
)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_addresses_that_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://h/x",
        "javascript:alert(1)",
        "//h/x",
        "x",
        "",
        "http://",
        "http://user@h/x",
        "http://user:word@h/x",
        "http://h:99999/x",
        "http://[::1/x",
        "http://a b/x",
        "http://" + "a" * 300 + "/x",
        "http://a..b/x",
    ],
)
def test_urls_that_are_never_asked(url: str) -> None:
    with pytest.raises(Refused):
        parsed(url)


def test_spaces_and_foreign_letters_are_escaped_and_what_is_escaped_stays() -> None:
    parts = parsed("HTTP://Bücher.example:80/a b/ü%20c?q=é#part")
    assert (parts.scheme, parts.netloc, parts.path, parts.query) == (
        "http",
        "xn--bcher-kva.example",
        "/a%20b/%C3%BC%20c",
        "q=%C3%A9",
    )


@given(st.text())
def test_any_text_is_a_url_or_refused(text: str) -> None:
    for url in (text, f"http://{text}", f"http://h/{text}"):
        try:
            parts = parsed(url)
        except Refused:
            continue
        assert (parts.netloc + parts.path + parts.query).isascii()
        assert not any(sign in parts.netloc + parts.path + parts.query for sign in "\r\n \0")
