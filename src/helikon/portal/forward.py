"""A streaming reverse proxy of one request: no body is held in memory."""

from collections.abc import AsyncIterator, Mapping
from urllib.parse import quote

import httpx
from fastapi import Request
from fastapi.responses import StreamingResponse

from helikon.portal.problems import refusal

__all__ = ["METHODS", "forward"]

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

_HOP_BY_HOP = {
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}
# What is ours to say, or is of no business behind us.
_NOT_SENT = _HOP_BY_HOP | {"host", "authorization", "cookie", "expect", "origin", "referer", "x-remote-user"}
_NOT_RETURNED = _HOP_BY_HOP | {"set-cookie", "server", "date"}


async def forward(
    client: httpx.AsyncClient, request: Request, url: str, headers: Mapping[str, str], name: str
) -> StreamingResponse:
    """Send a request on and stream the answer back.

    Parameters
    ----------
    client : httpx.AsyncClient
        What it is sent with.
    request : fastapi.Request
        The request; its body is streamed.
    url : str
        Where to, without a query; the path is not yet quoted.
    headers : Mapping[str, str]
        Headers of ours, stronger than the request's.
    name : str
        What it is sent to, for the error.

    Raises
    ------
    fastapi.HTTPException
        502 if there is no answer, 504 if it takes too long.
    """
    onward = client.build_request(
        request.method,
        httpx.URL(quote(url, safe="/:@!$&'()*+,;=[]~"), query=request.url.query.encode()),
        headers=[*_sent(request), *headers.items()],
        content=request.stream() if _has_body(request) else None,
    )
    try:
        answer = await client.send(onward, stream=True)
    except httpx.TimeoutException as error:
        raise refusal(
            504, f"{name} did not answer in time", next_step="try again, or with less data"
        ) from error
    except httpx.HTTPError as error:
        raise refusal(502, f"{name} does not answer", got=repr(error), next_step="see its log") from error
    returned = {key: value for key, value in answer.headers.items() if key not in _NOT_RETURNED}
    return StreamingResponse(_body(answer), answer.status_code, returned)


def _sent(request: Request) -> list[tuple[str, str]]:
    named = {part.strip().lower() for part in request.headers.get("connection", "").split(",")}
    return [(key, value) for key, value in request.headers.items() if key not in _NOT_SENT | named]


def _has_body(request: Request) -> bool:
    return "content-length" in request.headers or "transfer-encoding" in request.headers


async def _body(answer: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in answer.aiter_raw():
            yield chunk
    finally:
        await answer.aclose()
