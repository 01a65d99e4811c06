"""From a registered model to an endpoint that answers.

:func:`serve` gives the backend a model server to run; :func:`wait_ready` waits
until it answers; :func:`find_endpoint` finds one that runs.
"""

import dataclasses
import time

from helikon.backends import connect
from helikon.catalogue.models import Model, find_model
from helikon.errors import EngineError, InputError, NotFound, NotReady
from helikon.serving.tokens import endpoint_token
from helikon.settings import Settings
from helikon.workload import ModelServer, State, Status

__all__ = ["Endpoint", "endpoint_token", "find_endpoint", "serve", "wait_ready"]

_POLL_S = 0.2


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A model server that answers.

    Attributes
    ----------
    name : str
        Of its workload.
    url : str
        Where it answers, without a slash at its end.
    token : str
        What a caller sends as ``Authorization: Bearer …``; not shown in text.
    """

    name: str
    url: str
    token: str = dataclasses.field(repr=False)


def serve(settings: Settings, model_uri: str, *, name: str | None = None) -> str:
    """Start a server of a registered model and return its workload's name at once.

    Parameters
    ----------
    settings : Settings
        Say where it runs and for whom.
    model_uri : str
        ``models:/NAME/VERSION``, ``models:/NAME@ALIAS`` or ``NAME``. An alias is
        resolved now: a server stays with the version that it was started with.
    name : str, optional
        Of the endpoint; by default the model's name.

    Raises
    ------
    NotFound
        If there is no such model.
    InputError
        If the model does not say which service serves it.
    AlreadyExists
        If an endpoint of that name serves another version.
    """
    model = find_model(settings, model_uri)
    workload = ModelServer(
        name=name or _endpoint_name(model),
        owner=settings.owner,
        service=_service(model),
        model=f"models:/{model.name}/{model.version}",
    )
    endpoint_token(settings)
    return connect(settings).start(workload)


def wait_ready(settings: Settings, name: str) -> Endpoint:
    """Wait until a model server answers.

    Raises
    ------
    EngineError
        If it ends instead; the message says why.
    NotReady
        If it does not answer within ``serving.ready_timeout_s``; it goes on starting.
    """
    deadline = time.monotonic() + settings.serving.ready_timeout_s
    backend = connect(settings)
    while True:
        (status,) = backend.status(name)
        if status.state is State.RUNNING:
            return _endpoint(settings, status)
        if not status.state.is_alive:
            raise EngineError(
                f"model server {name} did not start",
                got=status.cause or f"state {status.state}",
                next_step=f"see: helikon job logs {name}",
            )
        if time.monotonic() > deadline:
            raise NotReady(
                f"model server {name} does not answer after {settings.serving.ready_timeout_s:g} s",
                next_step=f"see: helikon job logs {name}",
            )
        time.sleep(_POLL_S)


def find_endpoint(settings: Settings, name: str) -> Endpoint:
    """Return an endpoint that runs.

    Raises
    ------
    NotFound
        If none of that name answers.
    """
    (status,) = connect(settings).status(name)
    if status.kind != ModelServer.kind or status.state is not State.RUNNING:
        raise NotFound(
            f"no endpoint {name} answers",
            got=f"a {status.kind} workload that is {status.state}",
            next_step="start one with: helikon model serve NAME",
        )
    return _endpoint(settings, status)


def _endpoint(settings: Settings, status: Status) -> Endpoint:
    return Endpoint(name=status.name, url=status.url or "", token=endpoint_token(settings))


def _service(model: Model) -> str:
    if not model.service:
        raise InputError(
            f"models:/{model.name}/{model.version} does not say what serves it",
            next_step="publish it again with --service APP/SERVICE",
        )
    return model.service


def _endpoint_name(model: Model) -> str:
    return "".join(c if c.isalnum() else "-" for c in model.name.lower()).strip("-")
