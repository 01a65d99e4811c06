"""The REST interface: what runs, what there is, who asks."""

import dataclasses
from collections import deque
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Query

from helikon.catalogue.models import Model, list_models
from helikon.portal.mlflow import mlflow_answers
from helikon.portal.state import AnyVisitor, JobsVisitor, Portal, ThePortal
from helikon.workload import Status

__all__ = ["log_tail", "router"]

router = APIRouter()


@router.get("/health")
async def health(portal: ThePortal) -> dict[str, bool]:
    """Say whether the portal and MLflow answer; asks for no login."""
    return {"portal": True, "mlflow": await mlflow_answers(portal)}


@router.get("/api/whoami")
async def whoami(visitor: AnyVisitor) -> dict[str, object]:
    """Say who asks, and what they may do."""
    return {**dataclasses.asdict(visitor), "scopes": sorted(visitor.scopes)}


@router.get("/api/jobs")
async def jobs(portal: ThePortal, visitor: AnyVisitor) -> list[Status]:
    """List jobs and model servers, oldest first."""
    return await to_thread.run_sync(portal.backend.status)


@router.get("/api/jobs/{name}")
async def job(name: str, portal: ThePortal, visitor: AnyVisitor) -> Status:
    """Show one job."""
    (status,) = await to_thread.run_sync(portal.backend.status, name)
    return status


@router.get("/api/jobs/{name}/logs")
async def logs(
    name: str,
    portal: ThePortal,
    visitor: AnyVisitor,
    tail: Annotated[int, Query(ge=1, le=10_000, description="How many lines from the end.")] = 200,
) -> list[str]:
    """Return the last lines of a job's log."""
    return await to_thread.run_sync(log_tail, portal, name, tail)


@router.post("/api/jobs/{name}/stop")
async def stop(name: str, portal: ThePortal, visitor: JobsVisitor) -> Status:
    """Stop a job, and say what became of it."""
    await to_thread.run_sync(portal.backend.status, name)
    await to_thread.run_sync(portal.backend.stop, name)
    (status,) = await to_thread.run_sync(portal.backend.status, name)
    return status


@router.get("/api/models")
async def models(portal: ThePortal, visitor: AnyVisitor) -> list[Model]:
    """List the models in the registry."""
    return await to_thread.run_sync(list_models, portal.settings)


def log_tail(portal: Portal, name: str, n_lines: int) -> list[str]:
    """Return the last lines of a job's log."""
    return list(deque(portal.backend.logs(name), maxlen=n_lines))
