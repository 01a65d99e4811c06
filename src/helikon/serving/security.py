"""What stands in front of every model server: a token, and a limit on bodies.

A service protects itself with one line under its class::

    protect(SourceFinder)
"""

import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.responses import JSONResponse

from helikon.serving.tokens import endpoint_token
from helikon.settings import Settings, load

__all__ = ["Guard", "protect"]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

OPEN = frozenset({"/livez", "/readyz"})
"""Paths that the backend asks without a token."""


class _TooLarge(Exception):
    """The body is larger than the limit."""


class Guard:
    """ASGI middleware that lets a request through only with the token.

    Parameters
    ----------
    app : ASGI application
        What it stands in front of.
    token : str
        What ``Authorization: Bearer …`` must say.
    max_body_bytes : int
        Larger bodies are refused with status 413.
    """

    def __init__(self, app: Application, *, token: str, max_body_bytes: int) -> None:
        self.app, self._token, self._limit = app, token.encode(), max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401 or 413, or pass the request on."""
        if scope["type"] not in ("http", "websocket") or scope["path"] in OPEN:
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        if not self._may_pass(headers.get(b"authorization", b"")):
            refusal = JSONResponse(
                {"error": "a token is needed: Authorization: Bearer TOKEN"},
                status_code=401,
                headers={"WWW-Authenticate": "Bearer"},
            )
            await refusal(scope, receive, send)
        elif _length(headers) > self._limit:
            await self._too_large()(scope, receive, send)
        else:
            await self._pass_limited(scope, receive, send)

    def _may_pass(self, authorization: bytes) -> bool:
        kind, _, token = authorization.partition(b" ")
        return kind.lower() == b"bearer" and secrets.compare_digest(token.strip(), self._token)

    def _too_large(self) -> JSONResponse:
        return JSONResponse({"error": f"the body is larger than {self._limit} bytes"}, status_code=413)

    async def _pass_limited(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, counting the bytes of a body that does not say its length."""
        n_bytes, has_begun = 0, False

        async def counted() -> MutableMapping[str, Any]:
            nonlocal n_bytes
            message = await receive()
            n_bytes += len(message.get("body", b""))
            if n_bytes > self._limit:
                raise _TooLarge
            return message

        async def noted(message: MutableMapping[str, Any]) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self.app(scope, counted, noted)
        except _TooLarge:
            if not has_begun:
                await self._too_large()(scope, receive, send)


def protect(service: Any, settings: Settings | None = None) -> Any:
    """Put a :class:`Guard` in front of a BentoML service, and return the service.

    Parameters
    ----------
    service : bentoml.Service
        What ``@bentoml.service`` returned.
    settings : Settings, optional
        Say which token and which limit; by default those of the process.
    """
    settings = settings or load()
    limit = settings.serving.max_upload_mib * 2**20
    service.add_asgi_middleware(Guard, token=endpoint_token(settings), max_body_bytes=limit)
    return service


def _length(headers: dict[bytes, bytes]) -> int:
    text = headers.get(b"content-length", b"0")
    return int(text) if text.isdigit() else 0
