"""Who may call a model server: those who have the endpoint's token.

Any user of a machine can reach its loopback addresses, so a model server asks
every request for ``Authorization: Bearer TOKEN``; only ``/livez`` and
``/readyz`` are open. Helikon puts :class:`EndpointSecurity` in front of every
service it serves (see ``secured.py``), so an application has nothing to do. A
service that is served by hand is guarded in one line::

    @secure
    @bentoml.service
    class SourceFinder: ...
"""

import hmac
import json
import os
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any, TypeVar

from helikon.errors import UserError

__all__ = ["MAX_BODY", "TOKEN_FILE", "EndpointSecurity", "secure"]

TOKEN_FILE = "HELIKON_ENDPOINT_TOKEN_FILE"
"""Variable that names the file with the token."""
MAX_BODY = "HELIKON_MAX_BODY_BYTES"
"""Variable with the size of the largest body in bytes."""

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]
Service = TypeVar("Service")

_OPEN = {"/livez", "/readyz"}


def secure(service: Service) -> Service:
    """Put :class:`EndpointSecurity` in front of a BentoML service, once; return the service."""
    known: list[tuple[type, Any]] = service.middlewares  # type: ignore[attr-defined]
    if not any(middleware is EndpointSecurity for middleware, _ in known):
        service.add_asgi_middleware(EndpointSecurity)  # type: ignore[attr-defined]
    return service


class EndpointSecurity:
    """ASGI middleware: 401 without the token, 413 for a body that is too large.

    Parameters
    ----------
    app : ASGI application
        What is behind it.
    token : str, optional
        By default the content of the file that ``HELIKON_ENDPOINT_TOKEN_FILE``
        names. Without a token nobody gets in.
    max_body_bytes : int, optional
        By default ``HELIKON_MAX_BODY_BYTES``, else no limit.
    """

    def __init__(
        self, app: Application, *, token: str | None = None, max_body_bytes: int | None = None
    ) -> None:
        self._app = app
        self._token = _token() if token is None else token
        self._limit = int(os.environ.get(MAX_BODY, "0")) if max_body_bytes is None else max_body_bytes

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it."""
        if scope["type"] == "lifespan" or scope.get("path") in _OPEN:
            await self._app(scope, receive, send)
        elif scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
        elif not self._is_known(_header(scope, b"authorization")):
            await _refuse(send, 401, "this endpoint needs a token", "Authorization: Bearer TOKEN")
        elif self._limit and _length(scope) > self._limit:
            await self._refuse_size(send)
        else:
            await self._pass(scope, receive, send)

    def _is_known(self, authorization: bytes) -> bool:
        scheme, _, given = authorization.partition(b" ")
        same = hmac.compare_digest(given.strip(), self._token.encode())
        return same and bool(self._token) and scheme.lower() == b"bearer"

    async def _pass(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Count what comes in; a body that grows too large looks cut off to the service."""
        n_bytes, has_answered = 0, False

        async def counting() -> Message:
            nonlocal n_bytes
            message = await receive()
            n_bytes += len(message.get("body", b""))
            return {"type": "http.disconnect"} if self._limit and n_bytes > self._limit else message

        async def answering(message: Message) -> None:
            nonlocal has_answered
            if not (self._limit and n_bytes > self._limit) or has_answered:
                has_answered = True
                await send(message)

        try:
            await self._app(scope, counting, answering)
        except Exception:
            if has_answered or not (self._limit and n_bytes > self._limit):
                raise
        if not has_answered:
            await self._refuse_size(send)

    async def _refuse_size(self, send: Send) -> None:
        await _refuse(send, 413, "this body is too large", f"{self._limit} bytes at most")


def _token() -> str:
    file = os.environ.get(TOKEN_FILE)
    return Path(file).read_text().strip() if file else ""


def _header(scope: MutableMapping[str, Any], name: bytes) -> bytes:
    found: bytes = next((value for key, value in scope["headers"] if key.lower() == name), b"")
    return found


def _length(scope: MutableMapping[str, Any]) -> int:
    text = _header(scope, b"content-length")
    return int(text) if text.isdigit() else 0


async def _refuse(send: Send, status: int, what: str, expected: str) -> None:
    shape = UserError(what, expected=expected).as_dict()
    body = json.dumps({"error": shape}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
