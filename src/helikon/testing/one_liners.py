"""Jobs for the contract: Python one-liners that say in their logs what they do."""

import pytest

from helikon.backends import Backend
from helikon.testing.polling import eventually
from helikon.workload import BatchJob, State, Status

__all__ = ["FOREVER", "LEAVE_A_CHILD", "assert_quiet", "batch", "ended", "running", "written"]

FOREVER = "print('began', flush=True); import time; time.sleep(3600)"
TICK_IN_A_SESSION_OF_ITS_OWN = """
import os, sys, time, signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.setsid()
while True:
    print('tick', flush=True)
    time.sleep(0.02)
"""
LEAVE_A_CHILD = f"""
import subprocess, sys, time
subprocess.Popen([sys.executable, '-c', {TICK_IN_A_SESSION_OF_ITS_OWN!r}])
time.sleep(0.5)
"""


def batch(name: str, code: str, **fields: object) -> BatchJob:
    """Return a job that runs Python code."""
    return BatchJob(name=name, owner="ada", command=("python", "-c", code), **fields)  # type: ignore[arg-type]


def ended(backend: Backend, name: str) -> Status:
    """Return the status once it is not alive."""
    eventually(lambda: not backend.status(name)[0].state.is_alive)
    return backend.status(name)[0]


def running(backend: Backend, name: str) -> None:
    """Wait until it runs."""
    eventually(lambda: backend.status(name)[0].state is State.RUNNING)


def written(backend: Backend, name: str, line: str) -> None:
    """Wait until the job has written a line."""
    eventually(lambda: line in list(backend.logs(name)))


def assert_quiet(backend: Backend, name: str) -> None:
    """Nothing of the job writes any more: its children write every 20 ms."""
    before = len(list(backend.logs(name)))
    with pytest.raises(AssertionError):
        eventually(lambda: len(list(backend.logs(name))) > before, timeout_s=0.5)
