from __future__ import annotations

import pytest

from mldr.errors import InterruptedRun, MldrError
from mldr.hub import Hub
from mldr.hub.client import DEFAULT_ENDPOINT, RETRIES
from tests.core.hub.conftest import TOKEN
from tests.fakes.hub_server import HubServer


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Hub:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    return Hub(sleep=lambda seconds: None)


def raising(*errors: BaseException) -> object:
    pending = list(errors)

    def call() -> str:
        if pending:
            raise pending.pop(0)
        return "done"

    return call


def test_the_endpoint_of_the_environment_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.example.org/")
    assert Hub().page("a/b") == "https://mirror.example.org/datasets/a/b"
    monkeypatch.setenv("HF_ENDPOINT", "")
    assert Hub().page("a/b") == f"{DEFAULT_ENDPOINT}/datasets/a/b"


def test_a_connection_that_breaks_is_tried_again(hub: Hub) -> None:
    assert hub.call("trying", raising(ConnectionResetError("reset"), TimeoutError("late"))) == "done"  # type: ignore[arg-type]


def test_a_connection_that_stays_broken_can_be_resumed(hub: Hub) -> None:
    errors = [ConnectionResetError("reset")] * (RETRIES + 1)
    with pytest.raises(InterruptedRun, match="trying: reset; run the same command again"):
        hub.call("trying", raising(*errors))  # type: ignore[arg-type]


def test_a_bug_of_ours_is_not_taken_for_a_refusal(hub: Hub) -> None:
    with pytest.raises(KeyError):
        hub.call("trying", raising(KeyError("x")))  # type: ignore[arg-type]


def test_what_the_client_refuses_is_said_in_one_line(hub: Hub) -> None:
    with pytest.raises(MldrError) as caught:
        hub.call("trying", raising(ValueError("first line\nsecond line")))  # type: ignore[arg-type]
    assert str(caught.value) == "trying: first line"


@pytest.mark.parametrize(
    "text",
    [
        f"sent {TOKEN} along",
        f"Authorization: Bearer {TOKEN}",
        "another token hf_abcdefGHIJKL0123",
        "https://store.example.org/x?X-Amz-Signature=verysecret&a=b failed",
    ],
)
def test_no_message_holds_a_token_or_a_signature(hub: Hub, text: str) -> None:
    with pytest.raises(MldrError) as caught:
        hub.call("trying", raising(ValueError(text)))  # type: ignore[arg-type]
    said = str(caught.value)
    assert not any(secret in said for secret in (TOKEN, TOKEN[3:], "abcdefGHIJKL0123", "verysecret"))


def test_control_characters_of_a_server_do_not_reach_the_terminal(hub: Hub) -> None:
    with pytest.raises(MldrError) as caught:
        hub.call("trying", raising(ValueError("\x1b[2Jgone\x07")))  # type: ignore[arg-type]
    assert "\x1b" not in str(caught.value)


def test_a_wrapped_answer_is_known_by_its_status(server: HubServer, hub: Hub) -> None:
    from mldr.hub.client import status

    try:
        Hub().api.repo_info("tests/none", repo_type="dataset")
    except Exception as error:  # noqa: BLE001 - whatever the client raises is what is looked at
        wrapped = RuntimeError("while uploading")
        wrapped.__cause__ = error
        assert status(wrapped) == 404
    assert status(ValueError("no answer")) is None


def test_a_client_that_is_told_to_stay_offline_is_not_tried_again(
    server: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    waits: list[float] = []
    hub = Hub(sleep=waits.append)
    with pytest.raises(MldrError, match="offline") as caught:
        hub.call("looking", lambda: hub.api.repo_info("tests/x", repo_type="dataset"))
    assert waits == []
    assert not isinstance(caught.value, InterruptedRun)
