"""A client for model servers, direct or through the gateway."""

import mimetypes
from pathlib import Path
from types import TracebackType

import httpx

from helikon.errors import EngineError, InputError, NotReady

__all__ = ["EndpointClient"]

_REFUSED = range(400, 500)


class EndpointClient:
    """Sends files and values to one endpoint.

    Parameters
    ----------
    url : str
        Of the model server, or ``…/services/portal/models/NAME`` of a gateway.
    token : str
        The endpoint's token, or for a gateway a hub token.
    timeout_s : float
        Seconds to wait for an answer.
    """

    def __init__(self, url: str, token: str, *, timeout_s: float = 600.0) -> None:
        self.url = url.rstrip("/")
        headers = {"Authorization": f"Bearer {token}"}
        self._http = httpx.Client(headers=headers, timeout=httpx.Timeout(timeout_s, connect=10.0))

    def __enter__(self) -> "EndpointClient":
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close its connections."""
        self.close()

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def post_file(self, api: str, path: Path, field: str = "map", **fields: object) -> httpx.Response:
        """Send a file and values as a form, and return the answer.

        Parameters
        ----------
        api : str
            The service's method.
        path : Path
            The file; it is streamed, not held in memory.
        field : str
            Name of the method's file parameter.
        **fields
            The method's other parameters.

        Raises
        ------
        InputError
            If the service refuses it (status 4xx), with the service's own words.
        NotReady
            If nothing answers there.
        EngineError
            If the service fails (status 5xx).
        """
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        form = {name: str(value) for name, value in fields.items()}
        with path.open("rb") as file:
            return self._post(api, data=form, files={field: (path.name, file, kind)})

    def post_json(self, api: str, **fields: object) -> httpx.Response:
        """Send values as JSON; raises as :meth:`post_file`."""
        return self._post(api, json=fields)

    def _post(self, api: str, **body: object) -> httpx.Response:
        try:
            response = self._http.post(f"{self.url}/{api}", **body)  # type: ignore[arg-type]
        except httpx.TransportError as error:
            raise NotReady(f"{self.url} does not answer", got=str(error) or type(error).__name__) from error
        if response.is_success:
            return response
        message = f"{self.url}/{api} answered {response.status_code}"
        if response.status_code in _REFUSED:
            raise InputError(message, got=_words(response))
        raise EngineError(message, got=_words(response))


def _words(response: httpx.Response) -> str:
    """Return what a refusal says: the text under ``error``, or the start of the body."""
    try:
        error = response.json()["error"]
    except (ValueError, KeyError, TypeError):
        return " ".join(response.text.split())[:200]
    return str(error.get("what", error)) if isinstance(error, dict) else str(error)
