"""The platform on this machine: up, status, down.

Its one process, JupyterHub, is a job like any other, in a folder of its own;
it starts the proxy, the portal, MLflow and notebook servers, and they end with
it. Where the settings ask for it an S3 server is a second job beside it. Jobs
and model servers are workloads of their own and outlive both.
"""

import dataclasses
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from filelock import FileLock, Timeout

from helikon.backends.local import LocalBackend
from helikon.errors import EngineError, HelikonError, NotFound, NotReady
from helikon.gateway.account import account_user, has_account, make_account
from helikon.gateway.folder import Address, choose_address, gateway_folder, read_address
from helikon.settings import Settings
from helikon.spark.seaweed import Server
from helikon.workload import BatchJob, State, Status

__all__ = ["Part", "Platform", "PlatformStatus", "down", "new_password", "status", "up"]

_JOB = BatchJob(name="gateway", command=("python", "-m", "helikon.gateway.main"))
_POLL_S = 0.1


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """A platform that is up.

    Attributes
    ----------
    url : str
        The one URL.
    user : str
        Name of the one account.
    password : str or None
        Its password, only when it has just been made.
    started : bool
        False if it was up already.
    """

    url: str
    user: str
    password: str | None
    started: bool


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of the platform, and whether it answers."""

    name: str
    answers: bool


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PlatformStatus:
    """What is true of the platform now.

    Attributes
    ----------
    state : State or None
        Of its process; None if it was never started.
    url : str or None
        The one URL, while it is alive.
    user : str
        Name of the one account.
    started : float or None
        Unix time in seconds.
    cause : str or None
        Why it failed, in a line.
    parts : tuple of Part
        The proxy with the hub, the portal and MLflow, as seen through the one
        URL, and the embedded S3 server where there is one.
    objects_url : str or None
        Where the embedded S3 server listens, while it is up.
    """

    state: State | None
    url: str | None
    user: str
    started: float | None
    cause: str | None
    parts: tuple[Part, ...]
    objects_url: str | None = None

    @property
    def is_ready(self) -> bool:
        """Whether all parts answer."""
        return bool(self.parts) and all(part.answers for part in self.parts)


def up(settings: Settings, on_wait: Callable[[PlatformStatus], None] | None = None) -> Platform:
    """Start the platform and wait until all of it answers; does nothing to one that is up.

    Parameters
    ----------
    settings : Settings
        Where, and on which port.
    on_wait : callable, optional
        Called several times a second with what is true so far.

    Raises
    ------
    SettingsError
        If the port is taken.
    NotReady, EngineError
        If it does not answer in time, or ends; nothing is left running then.
    """
    with _lock(settings):
        objects = Server(settings=settings)
        was_up = objects.answers()
        try:
            if objects.is_wanted:
                objects.up()
            return _up(settings, on_wait or (lambda _: None))
        except BaseException:
            if not was_up:
                objects.down()
            raise


def _up(settings: Settings, on_wait: Callable[[PlatformStatus], None]) -> Platform:
    backend = _backend(settings)
    job = _job(backend)
    if job is not None and job.state.is_alive and _becomes_ready(settings, backend, on_wait):
        return _describe(settings, None, started=False)
    backend.stop(_JOB.name)  # what a killed platform left behind
    choose_address(settings)
    try:
        backend.start(_JOB)
        if not _becomes_ready(settings, backend, on_wait):
            raise _ended(settings, backend)
    except BaseException:
        backend.stop(_JOB.name)
        raise
    # Made last: a password is shown once, and only with a platform that is up.
    password = None if has_account(settings) else make_account(settings)
    return _describe(settings, password, started=True)


def new_password(settings: Settings) -> str:
    """Give the account a new password and return it; a platform that is up takes it at once."""
    return make_account(settings)


def status(settings: Settings) -> PlatformStatus:
    """Tell what is true now, by asking the process and each part."""
    return _status(settings, _job(_backend(settings)))


def down(settings: Settings) -> bool:
    """Stop the platform with all its processes, the S3 server too; jobs and model servers go on.

    Returns
    -------
    bool
        Whether it was up.
    """
    with _lock(settings):
        backend = _backend(settings)
        job = _job(backend)
        backend.stop(_JOB.name)
        had_objects = Server(settings=settings).down()
        return had_objects or (job is not None and job.state.is_alive)


def _status(settings: Settings, job: Status | None) -> PlatformStatus:
    address = read_address(settings)
    alive = job is not None and job.state.is_alive and address is not None
    objects = Server(settings=settings)
    wanted = (Part(name="objects", answers=objects.answers()),) if objects.is_wanted else ()
    return PlatformStatus(
        state=job.state if job else None,
        url=address.url if alive and address else None,
        user=account_user(settings),
        started=job.started if job else None,
        cause=job.cause if job else None,
        parts=(*_parts(address), *wanted) if alive and address else (),
        objects_url=objects.url,
    )


def _parts(address: Address) -> tuple[Part, ...]:
    # Plain HTTP: reading the certificates would take longer than the questions.
    with httpx.Client(base_url=address.url, timeout=5, trust_env=False, verify=False) as client:
        hub = _answer(client, "/hub/health") is not None
        portal = _answer(client, "/services/portal/health") or {}
    return (
        Part(name="hub", answers=hub),
        Part(name="portal", answers=bool(portal.get("portal"))),
        Part(name="mlflow", answers=bool(portal.get("mlflow"))),
    )


def _answer(client: httpx.Client, path: str) -> dict[str, object] | None:
    try:
        answer = client.get(path)
        if answer.status_code != 200:
            return None
        found = answer.json() if "json" in answer.headers.get("content-type", "") else {}
    except (httpx.HTTPError, ValueError):
        return None
    return found if isinstance(found, dict) else {}


def _becomes_ready(
    settings: Settings, backend: LocalBackend, on_wait: Callable[[PlatformStatus], None]
) -> bool:
    """Wait until all parts answer; false if the process has ended."""
    deadline = time.monotonic() + settings.gateway.ready_timeout_s
    while not (now := _status(settings, _job(backend))).is_ready:
        if now.state is None or not now.state.is_alive:
            return False
        if time.monotonic() > deadline:
            raise _too_slow(settings, now)
        on_wait(now)
        time.sleep(_POLL_S)
    return True


def _ended(settings: Settings, backend: LocalBackend) -> EngineError:
    return EngineError(
        "the gateway ended while it started",
        got=_last_error(backend) or _status(settings, _job(backend)).cause,
        next_step=f"read {_log_file(settings)}",
    )


def _too_slow(settings: Settings, now: PlatformStatus) -> NotReady:
    silent = [part.name for part in now.parts if not part.answers]
    return NotReady(
        "the gateway was not ready in time",
        got=f"no answer from {', '.join(silent)} after {settings.gateway.ready_timeout_s:g} s",
        next_step=f"read {_log_file(settings)}, or raise gateway.ready_timeout_s",
    )


def _log_file(settings: Settings) -> Path:
    return settings.state_dir / "platform" / _JOB.name / "log"


def _last_error(backend: LocalBackend) -> str | None:
    """Return the last line of the log that says what went wrong."""
    try:
        lines = [line.strip() for line in backend.logs(_JOB.name)]
    except HelikonError:
        return None
    telling = [line for line in lines if "Error" in line or " E " in line[:30] or "ERR" in line]
    said = telling or [line for line in lines if line]
    return said[-1] if said else None


def _describe(settings: Settings, password: str | None, *, started: bool) -> Platform:
    address = read_address(settings)
    if address is None:
        raise EngineError("the gateway lost its record of ports", next_step="helikon down, then helikon up")
    return Platform(url=address.url, user=account_user(settings), password=password, started=started)


def _backend(settings: Settings) -> LocalBackend:
    return LocalBackend(settings, folder=settings.state_dir / "platform")


def _job(backend: LocalBackend) -> Status | None:
    try:
        return backend.status(_JOB.name)[0]
    except NotFound:
        return None


@contextmanager
def _lock(settings: Settings) -> Iterator[None]:
    """Let one up or down of a state folder work at a time."""
    file = FileLock(gateway_folder(settings) / "lock", timeout=settings.gateway.ready_timeout_s + 30)
    try:
        with file:
            yield
    except Timeout as error:
        raise NotReady(
            "another helikon up or down of this state folder is at work", got=file.lock_file
        ) from error
