"""The door to MLflow: ``/mlflow/…``, for who may submit jobs."""

import httpx
from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from helikon.portal.forward import METHODS, forward
from helikon.portal.problems import refusal
from helikon.portal.state import JobsVisitor, ThePortal

__all__ = ["mlflow_answers", "router"]

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
    url = f"http://localhost{portal.prefix}/mlflow/{path}"
    return await forward(portal.mlflow, request, url, {"x-remote-user": visitor.name}, "MLflow")


async def mlflow_answers(client: httpx.AsyncClient, prefix: str) -> bool:
    """Tell whether MLflow answers."""
    try:
        return (await client.get(f"{prefix}/mlflow/health", timeout=2)).status_code == 200
    except httpx.HTTPError:
        return False
