"""Call a model server."""

import contextlib
import functools
from pathlib import Path
from typing import Any, Self

import httpx

from helikon.errors import EngineError, InputError, NotReady

__all__ = ["EndpointClient"]


class EndpointClient:
    """Calls the interfaces of one model server; a context manager.

    Parameters
    ----------
    url : str
        Of the endpoint, or of the gateway's door to it:
        ``http://HOST:PORT/services/portal/models/NAME``.
    token : str
        The endpoint's token, or a token of the gateway.
    timeout_s : float
        How long a call may take.

    Notes
    -----
    Calls raise :class:`~helikon.errors.InputError` if the server refuses what
    it was sent (status 4xx), :class:`~helikon.errors.EngineError` if it fails
    and :class:`~helikon.errors.NotReady` if it does not answer.
    """

    def __init__(self, url: str, token: str, *, timeout_s: float = 600.0) -> None:
        self._url = url.rstrip("/")
        headers = {"Authorization": f"Bearer {token}"}
        self._http = httpx.Client(headers=headers, timeout=httpx.Timeout(timeout_s, connect=10.0))

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def post(self, api: str, **fields: Any) -> httpx.Response:
        """Call an interface with JSON."""
        return self._request("POST", api, json=fields)

    def post_file(
        self, api: str, path: Path, *, file_field: str | None = None, **fields: Any
    ) -> httpx.Response:
        """Call an interface with a file and other fields, as a form.

        Parameters
        ----------
        api : str
            Name of the interface.
        path : Path
            The file.
        file_field : str, optional
            Name of the interface's parameter that takes it. By default the
            server is asked; the gateway tells it to administrators only, and
            then ``file`` is taken.
        **fields
            The other fields.
        """
        form = {key: str(value) for key, value in fields.items()}
        with path.open("rb") as file:
            upload = {file_field or self._file_field(api): (path.name, file, "application/octet-stream")}
            return self._request("POST", api, data=form, files=upload)

    def _file_field(self, api: str) -> str:
        """Return the name of the interface's one file field; ``file`` if it does not say."""
        with contextlib.suppress(LookupError, TypeError, StopIteration):
            form = self._schema["paths"][f"/{api}"]["post"]["requestBody"]["content"]["multipart/form-data"]
            schema = form["schema"]
            if "$ref" in schema:
                schema = self._schema["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
            properties: dict[str, dict[str, str]] = schema["properties"]
            return next(key for key, one in properties.items() if one.get("format") == "binary")
        return "file"

    @functools.cached_property
    def _schema(self) -> dict[str, Any]:
        try:
            schema: dict[str, Any] = self._request("GET", "docs.json").json()
        except (InputError, ValueError):  # the gateway shows it to administrators only
            return {}
        return schema

    def _request(self, method: str, api: str, **how: Any) -> httpx.Response:
        try:
            response = self._http.request(method, f"{self._url}/{api}", **how)
        except httpx.TransportError as error:
            reason = f"{type(error).__name__}: {error}"
            raise NotReady(f"the endpoint {self._url} does not answer", got=reason) from error
        if response.is_error:
            kind = InputError if response.is_client_error else EngineError
            raise kind(f"the endpoint {self._url} refused {api}", got=_reason(response))
        return response


def _reason(response: httpx.Response) -> str:
    try:
        body = response.json()
    except ValueError:
        body = response.text
    error = body.get("error", body) if isinstance(body, dict) else body
    if isinstance(error, dict):
        error = ", ".join(str(value) for value in error.values() if value)
    elif isinstance(body, dict) and isinstance(body.get("detail"), list):  # BentoML's, of fields
        error = ", ".join(_of_field(one) for one in body["detail"]) or error
    return f"{response.status_code} {' '.join(str(error).split())[:300]}".strip()


def _of_field(detail: dict[str, Any]) -> str:
    place = ".".join(str(part) for part in detail.get("loc", ()))
    return f"{place}: {detail.get('msg')}" if place else str(detail.get("msg")).removeprefix("Value error, ")
