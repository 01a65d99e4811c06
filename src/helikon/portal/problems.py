"""How errors meet the world over HTTP: one table and one JSON shape.

Every refusal is ``{"error": {"what", "got", "expected", "next"}}``; a browser
that asks for a page gets the same as a page.
"""

import logging
from typing import Any

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException as AnyHTTPException

from helikon import errors
from helikon.portal.render import page

__all__ = ["STATUS", "add_handlers", "refusal", "status_of"]

STATUS: dict[type[BaseException], int] = {
    errors.NotFound: 404,
    errors.AlreadyExists: 409,
    errors.Missing: 501,
    errors.InputError: 400,
    errors.UserError: 400,
    errors.SettingsError: 500,
    errors.NotReady: 503,
    errors.EngineError: 502,
    errors.HelikonError: 500,
}
"""HTTP status of each error; the nearest class in the tree counts."""

_LOGGER = logging.getLogger(__name__)


def refusal(
    status: int, what: str, *, got: object = None, expected: str | None = None, next_step: str | None = None
) -> HTTPException:
    """Make an HTTP error that is no error of the program, such as a missing scope."""
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    return HTTPException(status, _shape(what, got, expected, next_step), headers)


def status_of(error: BaseException) -> int:
    """Return the HTTP status of an error."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


def add_handlers(app: FastAPI) -> None:
    """Make an application answer every error in the one shape."""
    app.add_exception_handler(errors.HelikonError, _answer_ours)
    app.add_exception_handler(AnyHTTPException, _answer_http)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(Exception, _answer_unexpected)


def _shape(what: str, got: object, expected: str | None, next_step: str | None) -> dict[str, str | None]:
    return {
        "what": what,
        "got": None if got is None else str(got),
        "expected": expected,
        "next": next_step,
    }


async def _answer_ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, errors.HelikonError)
    return _answer(request, status_of(error), error.as_dict())


async def _answer_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, AnyHTTPException)
    detail: Any = error.detail
    if not isinstance(detail, dict):
        detail = _shape(str(detail).lower(), request.url.path, None, None)
    return _answer(request, error.status_code, detail, dict(error.headers or {}))


async def _answer_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return _answer(request, 400, _shape(f"{where} cannot be used", first.get("input"), first["msg"], None))


async def _answer_unexpected(request: Request, error: Exception) -> Response:
    _LOGGER.error("internal error at %s", request.url.path, exc_info=error)
    return _answer(request, 500, _shape("internal error", None, None, "the gateway's log says more"))


def _answer(
    request: Request, status: int, shape: dict[str, str | None], headers: dict[str, str] | None = None
) -> Response:
    if "text/html" in request.headers.get("accept", "") and request.method == "GET":
        return page(request, "problem.html", {"status": status, **shape}, status, headers)
    return JSONResponse({"error": shape}, status, headers)
