"""Real chats leave this machine only where every speaker agreed to that."""

from __future__ import annotations

import pytest

from mldr.consent import check_consent, on_loopback
from mldr.errors import InputError

HERE = [
    "http://127.0.0.1:8000/v1",
    "http://localhost/v1",
    "http://127.9.9.9/v1",
    "http://[::1]:8000/v1",
    "http://LOCALHOST:1/v1",
    "http://[::ffff:127.0.0.1]/",
]
ELSEWHERE = [
    "",
    "https://api.example.org/v1",
    "http://127.0.0.1.example.org/v1",
    "http://localhost.example.org/v1",
    "http://10.0.0.1/v1",
    "http://127.0.0.1@example.org/",
    "http://[::2]/",
    "http://0.0.0.0/v1",
    "http://2130706433/v1",
    "http://[::]/v1",
    "http://[broken/v1",
    "http://example.org/127.0.0.1",
    "http://example.org#@127.0.0.1",
]


@pytest.mark.parametrize("url", HERE)
def test_a_model_on_this_machine_may_see_real_chats(url: str) -> None:
    assert on_loopback(url)
    check_consent("models.w", url, None, origin_real=True)


@pytest.mark.parametrize("url", ELSEWHERE)
def test_a_model_elsewhere_may_see_them_only_with_consent(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    assert not on_loopback(url)
    for scopes in (None, [], ["research"]):
        with pytest.raises(InputError, match=r"models\.w: real chats would go to .*third_party_model"):
            check_consent("models.w", url, scopes, origin_real=True)
    check_consent("models.w", url, ["research", "third_party_model"], origin_real=True)
    check_consent("models.w", url, None, origin_real=False)


def test_the_address_that_the_client_takes_by_default_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    assert on_loopback("")
    monkeypatch.setenv("OPENAI_BASE_URL", "https://example.org/v1")
    assert not on_loopback("")
