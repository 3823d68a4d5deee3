from __future__ import annotations

import json
import threading
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mldr.embed.endpoint import EndpointEmbedder
from mldr.errors import InterruptedRun, MldrError
from tests.core.support_embed import Reply, Spec, embedding_server, hashed, text_reply, vectors_reply

SOON = {"retry_after_ms": "1"}


def embedder(url: str, retries: int = 0, timeout_s: float = 5.0, **spec: Any) -> EndpointEmbedder:
    return EndpointEmbedder(Spec(type="openai", model="m", base_url=url, **spec), retries=retries, timeout_s=timeout_s)


def data(*embeddings: Any) -> Reply:
    return text_reply(200, json.dumps({"data": [{"index": i, "embedding": e} for i, e in enumerate(embeddings)]}))


@pytest.mark.parametrize("packed", [True, False])
def test_vectors_come_back_in_the_order_of_the_texts_whatever_their_form(packed: bool) -> None:
    texts = ["one", "two", "三", "one"]
    with embedding_server(vectors_reply(packed)) as server:
        vectors = embedder(server.url).embed_texts(texts)
    assert vectors.dtype == np.float32
    np.testing.assert_array_equal(vectors, np.array([hashed(text) for text in texts], dtype=np.float32))


def test_a_request_holds_at_most_a_batch_and_no_texts_are_no_request() -> None:
    with embedding_server(vectors_reply()) as server:
        endpoint = embedder(server.url, batch=3)
        assert endpoint.embed_texts([]).shape == (0, 0)
        assert server.bodies == []
        assert endpoint.embed_texts([f"t{i}" for i in range(7)]).shape == (7, 8)
        assert endpoint.embed_texts([]).shape == (0, 8)
    assert [len(body["input"]) for body in server.bodies] == [3, 3, 1]
    assert {body["model"] for body in server.bodies} == {"m"}


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_a_passing_fault_of_the_server_is_tried_again(status: int) -> None:
    with embedding_server(text_reply(status, "{}", **SOON), text_reply(status, "", **SOON), vectors_reply()) as server:
        assert embedder(server.url, retries=2).embed_texts(["a"]).shape == (1, 8)
    assert len(server.bodies) == 3


@pytest.mark.parametrize("status", [429, 500])
def test_a_fault_that_lasts_stops_a_run_that_can_be_resumed(status: int) -> None:
    with embedding_server(text_reply(status, "{}", **SOON)) as server:
        with pytest.raises(InterruptedRun, match=f"{status}.*start again"):
            embedder(server.url, retries=2).embed_texts(["a"])
        assert len(server.bodies) == 3


def test_a_server_that_says_nothing_is_given_up_in_time() -> None:
    silent = threading.Event()

    def reply(body: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        silent.wait(5)
        return 200, {}, b"{}"

    with embedding_server(reply) as server:
        try:
            with pytest.raises(InterruptedRun, match="timed out"):
                embedder(server.url, timeout_s=0.2).embed_texts(["a"])
        finally:
            silent.set()


def test_a_server_that_is_not_there_stops_the_run() -> None:
    with embedding_server(vectors_reply()) as server:
        pass
    with pytest.raises(InterruptedRun, match="Connection"):
        embedder(server.url).embed_texts(["a"])


@pytest.mark.parametrize("content", ["", '{"data": [{"ind', "<html>", b"\xff", '{"data": NaN}', "[" * 100_000])
def test_an_answer_that_is_no_json_is_asked_for_again_and_then_stops_the_run(content: str | bytes) -> None:
    with embedding_server(text_reply(200, content), vectors_reply()) as server:
        assert embedder(server.url).embed_texts(["a"]).shape == (1, 8)
    with embedding_server(text_reply(200, content)) as server:
        with pytest.raises(InterruptedRun, match="3 times what is"):
            embedder(server.url).embed_texts(["a"])
        assert len(server.bodies) == 3


def test_an_answer_that_breaks_off_stops_the_run() -> None:
    with (
        embedding_server(text_reply(200, '{"data"', Content_Length="1000")) as server,
        pytest.raises(InterruptedRun, match="start again"),
    ):
        embedder(server.url).embed_texts(["a"])


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (data([1.0, 2.0]), "2 texts with 1 vectors"),
        (data([1.0], [1.0], [1.0]), "3 vectors"),
        (data([1.0], [1.0, 2.0]), "1, 2 dimensions"),
        (data([], []), "0 dimensions"),
        (data([1.0], None), "neither base64 nor"),
        (data([1.0], ["a"]), "neither base64 nor"),
        (data([1.0], [True]), "neither base64 nor"),
        (data([1.0], [[1.0]]), "neither base64 nor"),
        (data([1.0], [1e99]), "no finite number"),
        (data([1.0], [10**400]), "too large"),
        (data("AACAPw==", "AADAfw=="), "no finite number"),
        (data("AACAPw==", "AAA="), "cut inside a number"),
        (data("AACAPw==", "%%%"), "not base64"),
        (text_reply(200, "[]"), "no list of vectors"),
        (text_reply(200, '{"data": {}}'), "no list of vectors"),
        (text_reply(200, '{"data": [1, 2]}'), "no list of vectors"),
        (text_reply(200, '{"data": [{"index": 0, "embedding": [1]}, {"index": 0, "embedding": [1]}]}'), "`index`"),
        (text_reply(200, '{"data": [{"embedding": [1]}, {"embedding": [1]}]}'), "`index`"),
        (text_reply(400, '{"error": {"message": "too long"}}'), "too long"),
        (text_reply(404, "no such model"), "404|no such model"),
        (text_reply(307, "", Location="http://example.org/"), "307"),
    ],
)
def test_an_answer_of_another_shape_is_refused_with_what_is_wrong(reply: Reply, words: str) -> None:
    with embedding_server(reply) as server:
        with pytest.raises(MldrError, match=words) as caught:
            embedder(server.url).embed_texts(["a", "b"])
        assert not isinstance(caught.value, InterruptedRun)
        assert len(server.bodies) == 1
    assert "\n" not in str(caught.value)


def test_a_server_that_changes_its_dimensions_is_refused() -> None:
    with embedding_server(data([1.0]), data([1.0, 2.0])) as server:
        endpoint = embedder(server.url)
        endpoint.embed_texts(["a"])
        with pytest.raises(MldrError, match="2 dimensions, before 1"):
            endpoint.embed_texts(["b"])


def test_the_key_is_sent_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLDR_TESTS_KEY", "sk-very-secret")
    with embedding_server(text_reply(401, '{"error": {"message": "wrong key sk-very-secret"}}')) as server:
        endpoint = embedder(server.url)
        with pytest.raises(MldrError) as caught:
            endpoint.embed_texts(["a"])
    assert server.headers[0]["authorization"] == "Bearer sk-very-secret"
    assert "secret" not in str(caught.value) + repr(endpoint) + endpoint.identity
    assert "[key]" in str(caught.value)
    assert caught.value.__suppress_context__


def test_no_key_is_needed_on_loopback_and_one_is_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLDR_TESTS_KEY", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-somebody-else")
    with embedding_server(vectors_reply()) as server:
        embedder(server.url).embed_texts(["a"])
    assert "sk-of" not in json.dumps(server.headers)
    with pytest.raises(MldrError, match="MLDR_TESTS_KEY is empty"):
        embedder("https://example.org/v1")
    assert embedder("https://example.org/v1", key_env="").identity == "openai:m"


def test_loopback_is_never_reached_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with embedding_server(text_reply(500, "{}")) as proxy, embedding_server(vectors_reply()) as server:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url.removesuffix("/v1"))
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        assert embedder(server.url).embed_texts(["a"]).shape == (1, 8)
    assert proxy.bodies == []


def test_an_address_that_is_none_is_told() -> None:
    with pytest.raises(MldrError, match="embedder m at"):
        embedder("nonsense", key_env="").embed_texts(["a"])


def test_a_server_that_moves_keeps_its_identity_and_another_model_has_its_own() -> None:
    first, second = embedder("http://127.0.0.1:1/v1"), embedder("http://127.0.0.1:2/v1")
    assert first.identity == second.identity
    assert EndpointEmbedder(Spec(model="other", base_url="http://127.0.0.1:1/v1")).identity != first.identity


def test_images_and_a_missing_model_are_refused() -> None:
    with pytest.raises(MldrError, match="sees no images"):
        embedder("http://127.0.0.1:1/v1").embed_images([Image.new("RGB", (1, 1))])
    with pytest.raises(MldrError, match=r"embedder\.model: empty"):
        EndpointEmbedder(Spec(model=""))
