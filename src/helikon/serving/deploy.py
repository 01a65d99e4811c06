"""Serve a published model, find its endpoint, and the token that opens it."""

import contextlib
import dataclasses
import os
import re
import secrets
import tempfile
import time
from pathlib import Path

from helikon.apps import find_service
from helikon.backends import connect
from helikon.catalogue.models import Model, fetch, find_model
from helikon.errors import InputError, JobFailed, NotFound, NotReady
from helikon.settings import Settings
from helikon.workload import ModelServer, State, Status

__all__ = [
    "Endpoint",
    "endpoint_token",
    "find_endpoint",
    "find_server",
    "model_server",
    "serve",
    "token_file",
    "wait_ready",
]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a model answers.

    Attributes
    ----------
    name : str
        Of the model server.
    url : str
        Without a slash at its end.
    token : str
        What requests bear. Not shown by ``repr``.
    """

    name: str
    url: str
    token: str = dataclasses.field(repr=False)


def serve(settings: Settings, model_uri: str, *, name: str | None = None) -> str:
    """Start a server of a published model, and return the server's name.

    Parameters
    ----------
    settings : Settings
        Say where it runs.
    model_uri : str
        See :func:`helikon.catalogue.models.find_model`. What an alias points
        at is looked up now; the server keeps that version.
    name : str, optional
        Of the server; by default it is made of the model's name.

    Raises
    ------
    NotFound
        If there is no such model, or no application offers its service.
    AlreadyExists
        If the name is taken by a server of another version.
    """
    model = find_model(settings, model_uri)
    server = model_server(settings, model, name=name)
    fetch(settings, model)
    return connect(settings).start(server)


def model_server(settings: Settings, model: Model, *, name: str | None = None) -> ModelServer:
    """Make the workload that serves a model."""
    if not model.service:
        raise InputError(
            f"{model.uri} cannot be served", got="no service with it", next_step="publish it with a service"
        )
    return ModelServer(
        name=name or re.sub(r"[^a-z0-9]+", "-", model.name.lower()).strip("-")[:53].rstrip("-"),
        owner=settings.owner,
        service=model.service if ":" in model.service else find_service(model.service),
        model=model.uri,
    )


def wait_ready(settings: Settings, name: str) -> Endpoint:
    """Return the endpoint of a model server once it answers.

    Raises
    ------
    JobFailed
        If it ends before; says why.
    NotReady
        If it does not answer within ``serving.ready_timeout_s``.
    """
    deadline = time.monotonic() + settings.serving.ready_timeout_s
    while (status := _server(settings, name)).state is State.PENDING:
        if time.monotonic() > deadline:
            raise NotReady(
                f"the model server {name} does not answer",
                got=f"nothing in {settings.serving.ready_timeout_s:g} s",
                next_step=f"helikon job logs {name}, or a higher setting serving.ready_timeout_s",
            )
        time.sleep(0.1)
    if status.state is not State.RUNNING:
        reason = status.cause or f"it was {status.state}"
        raise JobFailed(f"the model server {name} ended", got=reason, next_step=f"helikon job logs {name}")
    return find_endpoint(settings, name)


def find_endpoint(settings: Settings, name: str) -> Endpoint:
    """Return the endpoint of a model server that answers.

    Raises
    ------
    NotFound
        If there is no model server of that name.
    NotReady
        If it does not answer.
    """
    status = _server(settings, name)
    if status.state is not State.RUNNING or status.url is None:
        reason = f"{status.state}" + (f" ({status.cause})" if status.cause else "")
        raise NotReady(f"the model server {name} does not answer", got=reason)
    return Endpoint(name=name, url=status.url.rstrip("/"), token=endpoint_token(settings))


def find_server(settings: Settings, name: str) -> Status:
    """Return the model server that a user means: one of that name, or the one that serves that model.

    Parameters
    ----------
    settings : Settings
        Say where servers run.
    name : str
        Of the server, or of what it serves: NAME, NAME/VERSION or NAME@ALIAS.

    Raises
    ------
    NotFound
        If there is none; says which run.
    InputError
        If several serve the model.
    """
    known = connect(settings).status()
    named = [status for status in known if status.name == name]
    servers = [status for status in known if status.kind == ModelServer.kind and status.state.is_alive]
    meant = [status for status in servers if status.name == name] or _serving(settings, name, servers)
    if len(meant) > 1:
        raise InputError(
            f"several servers serve the model {name}",
            got=", ".join(status.name for status in meant),
            expected="one of these names",
        )
    if meant or (named and named[0].kind == ModelServer.kind):
        return (meant or named)[0]
    running = ", ".join(f"{status.name} ({status.model})" for status in servers)
    raise NotFound(
        f"no model server {name}, nor one of a model of that name",
        got=f"a {named[0].kind} job" if named else None,
        expected=f"one of {running}" if running else "none runs",
        next_step=f"helikon job stop {name}" if named else None,
    )


def _serving(settings: Settings, name: str, servers: list[Status]) -> list[Status]:
    """Return those that serve a model: any version of it, or the one that is named."""
    if "@" in name:
        name = find_model(settings, name).uri
    wanted = "models:/" + name.removeprefix("models:/")
    return [status for status in servers if wanted in (status.model, (status.model or "").rpartition("/")[0])]


def endpoint_token(settings: Settings) -> str:
    """Return the token of this state folder's model servers; the first call makes it."""
    file = token_file(settings)
    if not file.exists():
        _make(file)
    return file.read_text().strip()


def token_file(settings: Settings) -> Path:
    """Return the file that holds the token; only its owner can read it."""
    return settings.state_dir / "endpoint.token"


def _make(file: Path) -> None:
    """Write it beside and link it: of several at once, the first wins and all read the same."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, beside = tempfile.mkstemp(prefix=".endpoint-", dir=file.parent)
    try:
        with os.fdopen(descriptor, "w") as writing:
            writing.write(secrets.token_urlsafe(32))
        with contextlib.suppress(FileExistsError):
            os.link(beside, file)
    finally:
        os.unlink(beside)


def _server(settings: Settings, name: str) -> Status:
    (status,) = connect(settings).status(name)
    if status.kind != ModelServer.kind:
        raise NotFound(f"no model server {name}", got=f"a {status.kind} job of that name")
    return status
