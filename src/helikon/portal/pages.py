"""The pages: what runs, and one job."""

from anyio import to_thread
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from helikon.catalogue.models import list_models
from helikon.portal.api import log_tail
from helikon.portal.mlflow import mlflow_answers
from helikon.portal.render import page
from helikon.portal.state import AnyVisitor, Portal, ThePortal
from helikon.workload import ModelServer

__all__ = ["router"]

router = APIRouter(include_in_schema=False)


@router.get("/")
async def home(request: Request, portal: ThePortal, visitor: AnyVisitor) -> HTMLResponse:
    """Show what runs and what there is."""
    return page(request, "home.html", {"visitor": visitor, **await _running(portal)})


@router.get("/fragment")
async def fragment(request: Request, portal: ThePortal, visitor: AnyVisitor) -> HTMLResponse:
    """Return the part of the home page that changes."""
    return page(request, "running.html", {"visitor": visitor, **await _running(portal)})


@router.get("/jobs/{name}")
async def job(name: str, request: Request, portal: ThePortal, visitor: AnyVisitor) -> HTMLResponse:
    """Show one job with the end of its log."""
    (status,) = await to_thread.run_sync(portal.backend.status, name)
    lines = await to_thread.run_sync(log_tail, portal, name, 400)
    return page(request, "job.html", {"visitor": visitor, "job": status, "lines": lines})


async def _running(portal: Portal) -> dict[str, object]:
    found = list(reversed(await to_thread.run_sync(portal.backend.status)))
    return {
        "servers": [one for one in found if one.kind == ModelServer.kind],
        "jobs": [one for one in found if one.kind != ModelServer.kind],
        "models": await to_thread.run_sync(list_models, portal.settings),
        "mlflow_answers": await mlflow_answers(portal),
    }
