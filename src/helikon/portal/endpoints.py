"""The door to model servers: ``/models/{endpoint}/{path}``."""

from anyio import to_thread
from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from helikon.errors import NotFound
from helikon.portal.forward import METHODS, forward
from helikon.portal.problems import refusal
from helikon.portal.state import InferVisitor, Portal, ThePortal, require
from helikon.serving.deploy import endpoint_token
from helikon.workload import ModelServer, State

__all__ = ["router"]

router = APIRouter()

# What a model server shows of its inside; the empty one is its documentation page. The description
# of its interface (docs.json) is not among them: who may call it may know how, and our client asks.
_INSIDE = {"", "docs", "metrics", "schema.json", "static_content"}


@router.api_route("/models/{endpoint}/{path:path}", methods=METHODS, include_in_schema=False)
async def to_model(
    endpoint: str, path: str, request: Request, portal: ThePortal, visitor: InferVisitor
) -> StreamingResponse:
    """Send a request on to a model server, with the server's own token in place of the visitor's."""
    _check_path(path, endpoint)
    if path.partition("/")[0].lower() in _INSIDE:
        require(visitor, "custom:models:admin")
    url = await to_thread.run_sync(_url_of, portal, endpoint)
    token = await to_thread.run_sync(endpoint_token, portal.settings)
    headers = {"authorization": f"Bearer {token}", "x-remote-user": visitor.name}
    return await forward(portal.servers, request, f"{url}/{path}", headers, f"the model server {endpoint}")


def _check_path(path: str, endpoint: str) -> None:
    parts = path.split("/")
    if any(part in (".", "..") for part in parts) or (len(parts) > 1 and parts[0] == ""):
        raise refusal(404, f"the model server {endpoint} has no such page", got=path)


def _url_of(portal: Portal, endpoint: str) -> str:
    (status,) = portal.backend.status(endpoint)
    if status.kind != ModelServer.kind:
        raise NotFound("no model server has this name", got=f"{endpoint!r}, a {status.kind} job")
    if status.state is State.PENDING:
        raise refusal(
            503, f"the model server {endpoint} is still starting", next_step="try again in a moment"
        )
    if status.state is not State.RUNNING or status.url is None:
        raise refusal(
            503,
            f"the model server {endpoint} does not run",
            got=f"{status.state}" + (f" ({status.cause})" if status.cause else ""),
            next_step=f"start it again with: helikon model serve, or see: helikon job logs {endpoint}",
        )
    return status.url
