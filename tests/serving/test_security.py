"""Who may call: those who have the token, with bodies that are not too large."""

import asyncio
import json
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from helikon.serving.security import EndpointSecurity, secure


async def _echo(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
    """Answer with the number of bytes in the body."""
    n_bytes, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RuntimeError("the client went away")
        n_bytes += len(message.get("body", b""))
        more = message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(n_bytes).encode()})


def _call(
    method: str, path: str, *, token: str | None = "right", limit: int = 0, **how: Any
) -> httpx.Response:
    guarded = EndpointSecurity(_echo, token="right", max_body_bytes=limit)
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}

    async def call() -> httpx.Response:
        transport = httpx.ASGITransport(app=guarded)  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            return await client.request(method, path, headers=headers | how.pop("headers", {}), **how)

    return asyncio.run(call())


def test_with_the_token_a_request_passes() -> None:
    assert _call("POST", "/find", content=b"12345").text == "5"


@pytest.mark.parametrize("path", ["/find", "/", "/metrics", "/docs.json", "/livez/", "/readyz/../find"])
@pytest.mark.parametrize("token", [None, "", "wrong", "righ", "right2", "rïght"])
def test_without_the_token_nothing_else_answers(path: str, token: str | None) -> None:
    headers = {} if token is None else {"Authorization": f"Bearer {token}".encode()}
    response = _call("GET", path, token=None, headers=headers)
    assert response.status_code == 401
    error = response.json()["error"]
    assert error["what"] == "this endpoint needs a token"
    assert error["expected"] == "Authorization: Bearer TOKEN"
    assert response.headers["www-authenticate"] == "Bearer"


def test_the_token_alone_is_not_enough() -> None:
    assert _call("GET", "/find", token=None, headers={"Authorization": "Basic right"}).status_code == 401
    assert _call("GET", "/find", token=None, headers={"Authorization": "right"}).status_code == 401


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_health_needs_no_token(path: str) -> None:
    assert _call("GET", path, token=None).status_code == 200


def test_a_body_that_says_it_is_too_large_is_refused() -> None:
    assert _call("POST", "/find", limit=10, content=b"x" * 10).text == "10"
    response = _call("POST", "/find", limit=10, content=b"x" * 11)
    assert response.status_code == 413
    error = response.json()["error"]
    assert (error["what"], error["expected"]) == ("this body is too large", "10 bytes at most")


def test_a_body_that_grows_too_large_is_refused() -> None:
    async def pieces() -> Any:
        for _ in range(4):
            yield b"12345"

    assert _call("POST", "/find", limit=20, content=pieces()).text == "20"
    assert _call("POST", "/find", limit=19, content=pieces()).status_code == 413


def test_a_websocket_is_closed() -> None:
    sent: list[MutableMapping[str, Any]] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    guarded = EndpointSecurity(_echo, token="right")
    asyncio.run(guarded({"type": "websocket", "path": "/find", "headers": []}, None, send))  # type: ignore[arg-type]
    assert sent == [{"type": "websocket.close", "code": 1008}]


@pytest.fixture
def _token_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text("from-file\n")
    monkeypatch.setenv("HELIKON_ENDPOINT_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("HELIKON_MAX_BODY_BYTES", "3")


@pytest.mark.usefixtures("_token_file")
def test_token_and_limit_come_from_the_environment() -> None:
    guarded = EndpointSecurity(_echo)
    assert (guarded._token, guarded._limit) == ("from-file", 3)


def test_without_any_token_nobody_gets_in() -> None:
    guarded = EndpointSecurity(_echo)
    assert not guarded._is_known(b"Bearer ")
    assert not guarded._is_known(b"")


def test_a_service_is_guarded_once() -> None:
    class Service:
        def __init__(self) -> None:
            self.middlewares: list[tuple[type, dict[str, Any]]] = []

        def add_asgi_middleware(self, middleware: type) -> None:
            self.middlewares.append((middleware, {}))

    service = Service()
    assert secure(secure(service)) is service
    assert service.middlewares == [(EndpointSecurity, {})]


def test_a_refusal_is_json() -> None:
    assert json.loads(_call("GET", "/find", token="wrong").content)
