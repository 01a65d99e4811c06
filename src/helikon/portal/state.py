"""What every route of the portal works with."""

import dataclasses
from typing import Annotated

import httpx
from fastapi import Depends, Request

from helikon.backends import Backend
from helikon.portal.identity import Identity, Visitor
from helikon.portal.problems import refusal
from helikon.settings import Settings

__all__ = ["AnyVisitor", "InferVisitor", "JobsVisitor", "Portal", "ThePortal"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Portal:
    """One portal.

    Attributes
    ----------
    settings : Settings
        As loaded once.
    identity : Identity
        Tells who a request comes from.
    prefix : str
        Path of the portal, without a slash at its end.
    backend : Backend
        Tells what runs.
    servers, mlflow : httpx.AsyncClient
        To the model servers and to MLflow.
    mlflow_root : str
        URL in front of MLflow's paths.
    """

    settings: Settings
    identity: Identity
    prefix: str
    backend: Backend
    servers: httpx.AsyncClient
    mlflow: httpx.AsyncClient
    mlflow_root: str


def _portal(request: Request) -> Portal:
    portal: Portal = request.app.state.portal
    return portal


ThePortal = Annotated[Portal, Depends(_portal)]


async def _anybody(request: Request, portal: ThePortal) -> Visitor:
    return await portal.identity.visitor(request)


AnyVisitor = Annotated[Visitor, Depends(_anybody)]


def require(visitor: Visitor, scope: str) -> Visitor:
    """Return the visitor if it has a scope, else refuse with 403."""
    if scope not in visitor.scopes:
        raise refusal(
            403,
            f"{visitor.name} may not do this",
            got=f"a {visitor.via} without it" if visitor.via == "token" else "a session without it",
            expected=f"the scope {scope}",
            next_step="make a token that has it on the page /hub/token",
        )
    return visitor


async def _jobs(visitor: AnyVisitor) -> Visitor:
    return require(visitor, "custom:jobs:submit")


async def _infer(visitor: AnyVisitor) -> Visitor:
    return require(visitor, "custom:models:infer")


JobsVisitor = Annotated[Visitor, Depends(_jobs)]
InferVisitor = Annotated[Visitor, Depends(_infer)]
