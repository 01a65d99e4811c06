"""Wait for a job's end."""

import time
from typing import Protocol

from helikon.errors import JobFailed, NotReady
from helikon.workload import State, Status

__all__ = ["wait"]


class _TellsStatus(Protocol):
    def status(self, *names: str) -> list[Status]: ...


def wait(
    backend: _TellsStatus, name: str, timeout_s: float | None = None, *, interval_s: float = 0.2
) -> Status:
    """Return the status of a job that has succeeded, once it has.

    Parameters
    ----------
    backend : Backend
        Where it runs.
    name : str
        Which job.
    timeout_s : float, optional
        Seconds to wait at most; the job goes on when they are over.
    interval_s : float
        Seconds between two looks.

    Raises
    ------
    JobFailed
        If it failed or was stopped; says the cause.
    NotReady
        If it is still alive after ``timeout_s``.
    NotFound
        If the name is not known.
    """
    deadline = None if timeout_s is None else time.monotonic() + timeout_s
    while (status := backend.status(name)[0]).state.is_alive:
        if deadline is not None and time.monotonic() > deadline:
            raise NotReady(
                f"job {name} has not ended",
                got=f"{status.state} after {timeout_s:g} s",
                next_step=f"it goes on; helikon job show {name}",
            )
        time.sleep(interval_s)
    if status.state is not State.SUCCEEDED:
        reason = status.cause or f"it was {status.state}"
        raise JobFailed(f"job {name} {status.state}", got=reason, next_step=f"helikon job logs {name}")
    return status
