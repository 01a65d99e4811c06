"""The portal as an ASGI application."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from fastapi import APIRouter, FastAPI
from fastapi.staticfiles import StaticFiles

from helikon import __version__
from helikon.backends import connect
from helikon.catalogue.models import list_models
from helikon.errors import HelikonError
from helikon.portal import api, endpoints, login, mlflow, pages
from helikon.portal.identity import Identity
from helikon.portal.login import add_login
from helikon.portal.problems import add_handlers
from helikon.portal.state import Portal
from helikon.settings import Settings

__all__ = ["build_app"]


def build_app(settings: Settings, *, identity: Identity, prefix: str, mlflow_socket: str) -> FastAPI:
    """Build the portal.

    Parameters
    ----------
    settings : Settings
        Which backend and catalogue to show.
    identity : Identity
        Who tells visitors apart.
    prefix : str
        Path that it is reached under, without a slash at its end.
    mlflow_socket : str
        Unix socket of the MLflow server.
    """
    portal = Portal(
        settings=settings,
        identity=identity,
        prefix=prefix,
        backend=connect(settings),
        servers=httpx.AsyncClient(
            timeout=httpx.Timeout(settings.serving.timeout_s, connect=5), trust_env=False
        ),
        mlflow=mlflow.mlflow_client(settings, mlflow_socket),
        mlflow_root=mlflow.mlflow_root(settings, prefix),
    )
    app = FastAPI(
        title="Helikon portal",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=f"{prefix}/openapi.json",
        lifespan=_lifespan,
    )
    app.state.portal = portal
    add_handlers(app)
    add_login(app)
    _add_routes(app, prefix)
    return app


def _add_routes(app: FastAPI, prefix: str) -> None:
    routes = APIRouter(prefix=prefix)
    for part in (login, api, endpoints, mlflow, pages):
        routes.include_router(part.router)
    app.include_router(routes)
    app.mount(f"{prefix}/static", StaticFiles(directory=Path(__file__).parent / "static"))


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    portal: Portal = app.state.portal
    warming = asyncio.create_task(_warm_up(portal))
    yield
    warming.cancel()
    await portal.servers.aclose()
    await portal.mlflow.aclose()


async def _warm_up(portal: Portal) -> None:
    """Import MLflow's client before the first page needs it, but not while the platform starts."""
    while not await mlflow.mlflow_answers(portal):
        await asyncio.sleep(0.5)
    with contextlib.suppress(HelikonError):
        await asyncio.to_thread(list_models, portal.settings)
