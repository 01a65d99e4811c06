"""The seam: where a workload runs.

A backend has four verbs and no database: the name is the handle. Locally it
is a folder and a process group, on Kubernetes a labelled object. It does not
know engines, models or science, and it does not keep history (MLflow does).
Read :class:`Backend` first, then ``local.py``; ``helikon.testing`` ships the
contract suite that every backend passes.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

from helikon.backends.waiting import wait
from helikon.errors import SettingsError
from helikon.workload import Status, Workload

if TYPE_CHECKING:  # the runner of a local job imports this package and must start fast
    from helikon.settings import Settings

__all__ = ["Backend", "connect", "wait"]


class Backend(Protocol):
    """Where workloads run."""

    def start(self, workload: Workload) -> str:
        """Start a workload and return its name, once it is accepted for good.

        The same workload again is the same name and nothing new runs, if it
        is alive or has succeeded. One that failed or was stopped is started
        again under its name: a training job resumes from its checkpoint. Two
        starts at once start it once. From the moment this returns, the
        workload outlives its caller.

        Raises
        ------
        AlreadyExists
            If another workload has the name. A server that is not alive gives
            its name up; a job keeps its name for good, for it is its record.
        """
        ...

    def stop(self, name: str) -> None:
        """Stop it with all its processes, and return when they are gone.

        Does nothing to one that is not alive or not known.
        """
        ...

    def status(self, *names: str) -> list[Status]:
        """Tell the state of the named ones in the order asked, or of all, oldest first.

        Raises
        ------
        NotFound
            If a name is not known.
        """
        ...

    def logs(self, name: str, follow: bool = False) -> Iterator[str]:
        """Yield its lines without line ends; with ``follow`` until it is not alive.

        Raises
        ------
        NotFound
            If the name is not known.
        """
        ...


def connect(settings: "Settings") -> Backend:
    """Return the backend that the settings name."""
    if settings.backend == "local":
        from helikon.backends.local import LocalBackend

        return LocalBackend(settings)
    raise SettingsError("setting backend", got=settings.backend, expected="local")
