"""Start the runner of a prepared attempt, and hear from it that it has accepted."""

import os
import subprocess
import sys
from pathlib import Path

from helikon.backends.processes import MARKER
from helikon.backends.records import Plan
from helikon.errors import EngineError
from helikon.settings import environment_names

__all__ = ["launch"]

_RUNNER = "helikon.backends.runner"


def launch(prepared: Path, plan: Plan, lock: int) -> None:
    """Start the runner, and return when it has accepted the attempt.

    It inherits the lock and lets go of it then, so that another start waits
    even if this process is killed on the way.

    Parameters
    ----------
    prepared : Path
        The attempt in the making.
    plan : Plan
        As written there.
    lock : int
        File descriptor that holds the job's lock.

    Raises
    ------
    EngineError
        If the runner ended before it accepted.
    """
    log_path = prepared.parent / "log"
    reading, writing = os.pipe()
    with open(reading, "rb") as answer, open(log_path, "ab", opener=_private) as log:
        try:
            runner = subprocess.Popen(
                [sys.executable, "-P", "-m", _RUNNER, str(prepared), str(lock), str(writing)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=_starters_environment() | {MARKER: plan.job_id},
                pass_fds=(lock, writing),
                start_new_session=True,
            )
        finally:
            os.close(writing)
        said = answer.read()
        runner.wait()
    if said != b"accepted":
        raise EngineError(f"the runner of job {plan.name} did not start", next_step=f"see {log_path}")


def _starters_environment() -> dict[str, str]:
    """Return our environment without the settings in it, which the job reads from its own file."""
    left_out = {*environment_names(), "HELIKON_PORT"}
    return {key: value for key, value in os.environ.items() if key not in left_out}


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
