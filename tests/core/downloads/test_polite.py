from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from mldr.downloads import polite
from mldr.downloads.folder import Download, Downloads
from mldr.downloads.polite import LATER, Fetcher, Manners, Wanted
from mldr.errors import MldrError
from tests.conftest import picture
from tests.core.downloads.support import Site, answer, cut_short, endless, running


@pytest.fixture
def site() -> Iterator[Site]:
    with running() as site:
        yield site


def fetch(folder: Path, *urls: str | Wanted, **manners: Any) -> tuple[list[Download | str], Fetcher, list[float]]:
    """Fetch urls; waits are noted, not slept."""
    slept: list[float] = []
    manners = {"delay": 0.0, "timeout": 0.4, "allow_private": True, **manners}
    fetcher = Fetcher(Downloads(folder), Manners(**manners), sleep=slept.append)
    wanted = [Wanted(url) if isinstance(url, str) else url for url in urls]
    return [done for _, done in fetcher.fetch(wanted)], fetcher, slept


def state(done: Download | str) -> str:
    return done if isinstance(done, str) else f"{done.state} {done.reason}".strip()


def test_a_picture_is_kept_with_its_record_and_not_asked_for_again(tmp_path: Path, site: Site) -> None:
    url = site.picture("/a.png")
    (done,), fetcher, _ = fetch(tmp_path, url)
    assert isinstance(done, Download)
    assert (done.state, done.bytes, done.status) == ("fetched", len(picture()), 200)
    path = Downloads(tmp_path).fetched(url)
    assert path is not None
    assert path.name == hashlib.sha256(url.encode()).hexdigest()
    assert path.read_bytes() == picture()
    before = list(site.asked)
    (again,), fetcher, _ = fetch(tmp_path, url)
    assert again == done
    assert fetcher.counts == {"fetched before": 1}
    assert site.asked == before == ["/robots.txt", "/a.png"]


def test_what_is_gone_is_noted_and_never_asked_for_again(tmp_path: Path, site: Site) -> None:
    gone, never = site.bytes("/gone", b"", 410), site.url("/never")
    done, _, _ = fetch(tmp_path, gone, never)
    assert [state(one) for one in done] == ["gone", "gone"]
    asked = len(site.asked)
    fetch(tmp_path, gone, never, again=True)
    assert len(site.asked) == asked


@pytest.mark.parametrize("content", [b"<html>sorry</html>", b"", picture()[:60]])
def test_what_is_no_whole_picture_is_unusable_and_not_kept(tmp_path: Path, site: Site, content: bytes) -> None:
    url = site.bytes("/a.png", content, Content_Type="image/png")
    (done,), _, _ = fetch(tmp_path, url)
    assert state(done).startswith("unusable")
    assert Downloads(tmp_path).fetched(url) is None
    assert not Downloads(tmp_path).place(url).exists()
    site.picture("/a.png")
    assert state(fetch(tmp_path, url)[0][0]).startswith("unusable")
    assert state(fetch(tmp_path, url, again=True)[0][0]) == "fetched"


def test_the_expected_hash_decides(tmp_path: Path, site: Site) -> None:
    url = site.picture("/a.png")
    right, wrong = hashlib.sha256(picture()).hexdigest(), "0" * 64
    assert f"{wrong} is expected" in state(fetch(tmp_path / "a", Wanted(url, wrong))[0][0])
    assert state(fetch(tmp_path / "b", Wanted(url, right))[0][0]) == "fetched"
    (done,), _, _ = fetch(tmp_path / "b", Wanted(url, wrong))
    assert state(done).startswith("unusable its SHA-256 is")
    assert Downloads(tmp_path / "b").fetched(url) is not None


def test_bytes_that_changed_on_disk_are_said(tmp_path: Path, site: Site) -> None:
    url = site.picture("/a.png")
    fetch(tmp_path, url)
    Downloads(tmp_path).place(url).write_bytes(picture("blue"))
    with pytest.raises(MldrError, match="not the bytes that came from the web"):
        fetch(tmp_path, url)


@pytest.mark.parametrize(
    "text",
    ["{", "[]", '{"url": 3}', '{"url": "http://other", "state": "gone"}', '{"url": "http://h/x", "state": "odd"}'],
)
def test_a_damaged_record_is_said(tmp_path: Path, text: str) -> None:
    path = Downloads(tmp_path).place("http://h/x").with_suffix(".json")
    path.parent.mkdir(parents=True)
    path.write_text(text)
    with pytest.raises(MldrError, match="remove it"):
        Downloads(tmp_path).record("http://h/x")


def test_a_file_without_a_record_is_a_partial_one_and_fetched_anew(tmp_path: Path, site: Site) -> None:
    url = site.picture("/a.png")
    place = Downloads(tmp_path).place(url)
    place.parent.mkdir(parents=True)
    place.write_bytes(picture()[:50])
    place.with_name(f".{place.name}.tmp").write_bytes(b"half")
    assert state(fetch(tmp_path, url)[0][0]) == "fetched"
    assert place.read_bytes() == picture()


def test_a_429_is_waited_for_as_long_as_the_server_asks(tmp_path: Path, site: Site) -> None:
    busy = {"Retry-After": "7"}
    url = site.first("/a", lambda r: answer(r, b"", 429, busy), lambda r: answer(r, picture()))
    (done,), _, slept = fetch(tmp_path, url)
    assert state(done) == "fetched"
    assert 6.5 < max(slept) <= 7


def test_a_retry_after_may_be_a_date_and_too_long_a_wait_is_left_for_later(tmp_path: Path, site: Site) -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)
    url = site.first("/a", lambda r: answer(r, b"", 503, {"Retry-After": soon}), lambda r: answer(r, picture()))
    (done,), _, slept = fetch(tmp_path, url)
    assert state(done) == "fetched"
    assert 15 < max(slept) <= 20
    long = site.bytes("/b", b"", 429, Retry_After="99999")
    (done,), fetcher, slept = fetch(tmp_path, long)
    assert "the server asks to wait 99999 s" in state(done)
    assert fetcher.counts == {LATER: 1}
    assert slept == []


@pytest.mark.parametrize("header", ["Thu, 01 Jan 99999999999999999999 00:00:00 GMT", "-1", "soon"])
def test_a_retry_after_that_says_nothing_is_passed_over(tmp_path: Path, site: Site, header: str) -> None:
    url = site.first("/a", lambda r: answer(r, b"", 503, {"Retry-After": header}), lambda r: answer(r, picture()))
    (done,), _, _ = fetch(tmp_path, url)
    assert state(done) == "fetched"


@pytest.mark.parametrize("behaviour", [cut_short, lambda r: answer(r, b"", 500)])
def test_a_failure_that_may_pass_is_tried_again_then_left_for_another_run(
    tmp_path: Path, site: Site, behaviour: Any
) -> None:
    url = site.first("/a", behaviour, lambda r: answer(r, picture()))
    assert state(fetch(tmp_path / "a", url)[0][0]) == "fetched"
    site.answers["/b"] = behaviour
    (done,), fetcher, _ = fetch(tmp_path / "b", site.url("/b"))
    assert isinstance(done, str)
    assert site.asked.count("/b") == 3
    assert fetcher.counts == {LATER: 1}
    assert not list((tmp_path / "b").rglob("*.json"))


def test_a_host_that_keeps_failing_is_left_alone(tmp_path: Path, site: Site) -> None:
    for i in range(9):
        site.bytes(f"/{i}", b"", 500)
    done, _, _ = fetch(tmp_path, *(site.url(f"/{i}") for i in range(9)), retries=0)
    assert "failed 3 times in a row" in state(done[-1])
    assert len(site.asked) == 1 + polite.GIVEN_UP_AFTER


def test_robots_txt_is_honoured_and_read_once(tmp_path: Path, site: Site) -> None:
    rules = b"User-agent: mldr\nDisallow: /private/\nCrawl-delay: 3\n\nUser-agent: *\nDisallow: /"
    site.bytes("/robots.txt", rules)
    done, _, slept = fetch(tmp_path, site.picture("/private/a"), site.picture("/b"), site.picture("/c"))
    assert sorted(state(one) for one in done) == [
        "fetched",
        "fetched",
        f"refused robots.txt of 127.0.0.1:{site.port} forbids it",
    ]
    assert site.asked == ["/robots.txt", "/b", "/c"]
    assert max(slept) > 2.5


def test_a_robots_txt_that_cannot_be_had_allows_nothing_yet(tmp_path: Path, site: Site) -> None:
    site.bytes("/robots.txt", b"", 503)
    (done,), fetcher, _ = fetch(tmp_path, site.picture("/a"))
    assert "robots.txt" in state(done)
    assert fetcher.counts == {LATER: 1}
    assert "/a" not in site.asked


def test_redirects_are_followed_within_bounds(tmp_path: Path, site: Site) -> None:
    site.picture("/end")
    url = site.bytes("/a", b"", 302, Location="/b")
    site.bytes("/b", b"", 301, Location=site.url("/end"))
    assert state(fetch(tmp_path, url)[0][0]) == "fetched"
    circle = site.bytes("/circle", b"", 302, Location="/circle")
    assert state(fetch(tmp_path, circle)[0][0]) == "refused more than 5 redirects"
    nowhere = site.bytes("/nowhere", b"", 302)
    assert state(fetch(tmp_path, nowhere)[0][0]).startswith("refused more than 5")


@pytest.mark.parametrize("target", ["http://10.0.0.1/x", "http://[::1]/x", "file:///etc/passwd", "http://u:p@h/x"])
def test_a_redirect_to_where_nobody_may_go_is_refused(
    tmp_path: Path, site: Site, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mldr.downloads.client.is_public", lambda address: address == "127.0.0.1")
    url = site.bytes("/a", b"", 302, Location=target)
    (done,), _, _ = fetch(tmp_path, url, allow_private=False)
    assert state(done).startswith("refused")


def test_a_robots_txt_that_redirects_inside_refuses_its_whole_host(
    tmp_path: Path, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mldr.downloads.client.is_public", lambda address: address == "127.0.0.1")
    site.bytes("/robots.txt", b"", 302, Location="http://10.0.0.1/")
    done, _, _ = fetch(tmp_path, site.picture("/a"), site.picture("/b"), allow_private=False)
    assert all("no public address" in state(one) for one in done)


def test_loopback_is_refused_by_default(tmp_path: Path, site: Site) -> None:
    (done,), _, _ = fetch(tmp_path, site.picture("/a"), allow_private=False)
    assert "no public address" in state(done)
    assert site.asked == []


def test_a_huge_file_is_unusable_and_the_total_of_a_run_is_kept(tmp_path: Path, site: Site) -> None:
    site.answers["/endless"] = endless
    (done,), fetcher, _ = fetch(tmp_path, site.url("/endless"), max_bytes=50_000)
    assert state(done) == "unusable more than 50,000 bytes"
    size = len(picture())
    urls = [site.picture(f"/{i}.png") for i in range(4)]
    done_all, fetcher, _ = fetch(tmp_path, *urls, max_total=size * 2)
    assert [state(one).partition(" ")[0] for one in done_all] == ["fetched", "fetched", "the", "the"]
    assert fetcher.counts == {"fetched": 2, LATER: 2}
    done_all, fetcher, _ = fetch(tmp_path, *urls, max_total=size * 2 + 5)
    assert fetcher.counts == {"fetched before": 2, "fetched": 2}


def test_a_file_that_would_pass_the_total_is_left_for_another_run(tmp_path: Path, site: Site) -> None:
    (done,), fetcher, _ = fetch(tmp_path, site.picture("/a"), max_total=len(picture()) - 1)
    assert "are used up" in state(done)
    assert fetcher.counts == {LATER: 1}


def test_hosts_take_turns_and_each_gets_its_pause(tmp_path: Path, site: Site) -> None:
    for name in "abcd":
        site.picture(f"/{name}")
    urls = [site.url(f"/{name}", host) for host in ("127.0.0.1", "localhost") for name in "ab"]
    _, fetcher, slept = fetch(tmp_path, *urls, delay=5.0)
    asked = [path for path in site.asked if path != "/robots.txt"]
    assert asked == ["/a", "/a", "/b", "/b"]
    assert slept
    assert all(4 < pause <= 5 for pause in slept)
    assert fetcher.counts == {"fetched": 4}


def test_a_dead_host_and_a_name_that_does_not_exist_may_come_back(tmp_path: Path) -> None:
    done, fetcher, _ = fetch(tmp_path, "http://127.0.0.1:9/x", "http://no-such-host.invalid/x", retries=0)
    assert fetcher.counts == {LATER: 2}
    assert all(isinstance(one, str) for one in done)


def test_urls_that_cannot_be_asked_are_refused_and_never_end_the_run(tmp_path: Path, site: Site) -> None:
    _, fetcher, _ = fetch(tmp_path, "file:///etc/passwd", "http://[", "http://u:p@h/", "", site.picture("/a"))
    assert fetcher.counts == {"refused": 4, "fetched": 1}


def test_a_redirect_to_no_url_is_refused_for_good(tmp_path: Path, site: Site) -> None:
    (done,), _, _ = fetch(tmp_path, site.bytes("/a", b"", 302, Location="http://[::1"))
    assert state(done) == "refused redirects to no url that can be read"
    assert site.asked.count("/a") == 1


@pytest.mark.parametrize("host", ["169.254.169.254", "[::ffff:169.254.169.254]", "[fe80::1]"])
def test_link_local_addresses_are_never_asked_even_among_servers_of_ones_own(
    tmp_path: Path, site: Site, host: str
) -> None:
    url = site.bytes("/a", b"", 302, Location=f"http://{host}/latest/credentials")
    (done,), _, _ = fetch(tmp_path, url, allow_private=True)
    assert "a link-local address, which is never asked" in state(done)
