"""An endpoint's settings are checked before anything is sent, and what is published names no address."""

from __future__ import annotations

import datetime
import subprocess
import sys
from typing import Any

import pytest
from pydantic import ValidationError

import mldr.chat
from mldr.chat import ModelEndpoint
from mldr.chat.endpoint import MOVABLE


@pytest.mark.parametrize(
    "extra",
    [
        {"stream": True},
        {"max_tokens": 5},
        {"max_completion_tokens": "5"},
        {"max_completion_tokens": 0},
        {"API_KEY": "sk"},
        {"messages": []},
        {"x": float("nan")},
        {"x": datetime.date(2026, 1, 1)},
        {"x": "\ud800"},
    ],
)
def test_further_fields_that_are_secrets_or_no_json_are_refused(extra: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="extra"):
        ModelEndpoint(provider="p", model="m", extra=extra)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a/v1",
        "localhost/v1",
        "http://me:secret@a/v1",
        "https:",
        "https://",
        "http:///v1",
        "http://[a/v1",
        "http://a:x/v1",
        "http://a b/v1",
        "http://a/v1?k=1",
    ],
)
def test_an_address_that_is_none_or_holds_a_password_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="base_url"):
        ModelEndpoint(provider="p", model="m", base_url=url)


def test_what_is_published_holds_no_address_and_no_limits() -> None:
    where = ModelEndpoint(
        provider="p", model="m", base_url="http://10.0.0.1/v1", key_env="SECRET_NAME", extra={"top_p": 1}
    )
    assert not set(MOVABLE) & set(where.published())
    assert "10.0.0.1" not in str(where.published())
    assert "SECRET_NAME" not in str(where.published())
    assert where.published()["extra"] == {"top_p": 1}


def test_the_longest_answer_is_what_the_body_allows() -> None:
    assert ModelEndpoint(provider="p", model="m", max_tokens=9).longest_answer == 9
    assert ModelEndpoint(provider="p", model="m", extra={"max_completion_tokens": 7}).longest_answer == 7


def test_every_public_name_is_there_and_loading_them_loads_no_client() -> None:
    assert all(getattr(mldr.chat, name) for name in mldr.chat.__all__)
    with pytest.raises(AttributeError, match="nothing"):
        _ = mldr.chat.nothing
    code = "import sys, mldr.chat as c; [getattr(c, n) for n in c.__all__]; sys.exit('openai' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
