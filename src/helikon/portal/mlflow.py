"""The door to MLflow: ``/mlflow/…``, for who may submit jobs."""

import httpx
from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from helikon.portal.forward import METHODS, forward
from helikon.portal.problems import refusal
from helikon.portal.state import JobsVisitor, Portal, ThePortal
from helikon.settings import Settings

__all__ = ["mlflow_answers", "mlflow_client", "mlflow_root", "router"]

router = APIRouter()

# MLflow's assistant runs commands on the server's machine.
_CLOSED = ("ajax-api/3.0/mlflow/assistant", "api/3.0/mlflow/assistant")


@router.get("/mlflow", include_in_schema=False)
async def to_front(portal: ThePortal) -> Response:
    """Add the slash that MLflow's pages need."""
    return RedirectResponse(f"{portal.prefix}/mlflow/")


@router.api_route("/mlflow/{path:path}", methods=METHODS, include_in_schema=False)
async def to_mlflow(path: str, request: Request, portal: ThePortal, visitor: JobsVisitor) -> Response:
    """Send a request on to MLflow, which checks nobody itself and listens to nobody else."""
    if path.startswith(_CLOSED) or ".." in path.split("/"):
        raise refusal(404, "MLflow has no such page here", got=path)
    url = f"{portal.mlflow_root}/{path}"
    return await forward(portal.mlflow, request, url, {"x-remote-user": visitor.name}, "MLflow")


def mlflow_client(settings: Settings, socket: str) -> httpx.AsyncClient:
    """Return a client for MLflow: our own on a unix socket, or the server that the settings name."""
    transport = None if settings.tracking_uri.startswith("http") else httpx.AsyncHTTPTransport(uds=socket)
    return httpx.AsyncClient(transport=transport, timeout=httpx.Timeout(300, connect=5), trust_env=False)


def mlflow_root(settings: Settings, prefix: str) -> str:
    """Return the URL in front of MLflow's paths; our own knows the prefix that it is seen under."""
    is_server = settings.tracking_uri.startswith("http")
    return settings.tracking_uri.rstrip("/") if is_server else f"http://localhost{prefix}/mlflow"


async def mlflow_answers(portal: Portal) -> bool:
    """Tell whether MLflow answers."""
    try:
        return (await portal.mlflow.get(f"{portal.mlflow_root}/health", timeout=2)).status_code == 200
    except httpx.HTTPError:
        return False
