"""The seam on one machine: a folder, a runner and a marker for each job.

``start`` writes an attempt down beside, starts its runner and returns when
the runner has accepted it; the runner (``runner.py``) waits for the job and
writes its end down. Nothing here has to stay alive for a job to go on.
``records.py`` draws the files, ``processes.py`` finds and ends processes,
``states.py`` tells the truth from both.
"""

import contextlib
import fcntl
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import yaml

from helikon.backends import logs
from helikon.backends.commands import argv
from helikon.backends.ports import free_port
from helikon.backends.processes import MARKER, end, is_alive
from helikon.backends.records import (
    Attempt,
    Exit,
    Plan,
    attempt_folder,
    current_attempt,
    drop_old_attempts,
    fresh_folder,
    write,
)
from helikon.backends.states import find_state, find_status, read_workload
from helikon.errors import AlreadyExists, EngineError, NotFound
from helikon.settings import Settings, environment_names
from helikon.workload import ModelServer, State, Status, Workload, to_json

__all__ = ["LocalBackend"]

_RUNNER = "helikon.backends.runner"
_RUNNER_ENDS_S = 5.0


class LocalBackend:
    """Workloads as processes of this machine; see :class:`helikon.backends.Backend`.

    Parameters
    ----------
    settings : Settings
        What its jobs run with.
    folder : Path, optional
        Where the jobs' folders are; ``<state_dir>/jobs`` by default.
    commands : callable, optional
        Turns a workload and an interpreter into an argument vector.
    grace_s : float
        Seconds between asking a job to end (SIGTERM) and killing it.

    Attributes
    ----------
    folder : Path
        Where the jobs' folders are.
    """

    def __init__(
        self,
        settings: Settings,
        folder: Path | None = None,
        *,
        commands: Callable[[Workload, str], tuple[str, ...]] = argv,
        grace_s: float = 8.0,
    ) -> None:
        self._settings = settings
        self.folder = folder or settings.state_dir / "jobs"
        self._commands = commands
        self._grace_s = grace_s

    def start(self, workload: Workload) -> str:
        """Start a workload and return its name once its runner has accepted it."""
        command = self._commands(workload, sys.executable)
        self._make_folder(workload.name)
        with self._locked(workload.name) as lock:
            attempt = current_attempt(self.folder / workload.name)
            if attempt is None or self._may_begin(workload, attempt):
                self._begin(workload, command, lock, after=attempt)
        return workload.name

    def stop(self, name: str) -> None:
        """Stop it with all its processes, and return when they are gone."""
        if current_attempt(self.folder / name) is None:
            return
        with self._locked(name):
            attempt = current_attempt(self.folder / name)
            if attempt is not None:
                self._stop(attempt)

    def status(self, *names: str) -> list[Status]:
        """Tell the state of the named ones in the order asked, or of all, oldest first."""
        if names:
            return [find_status(name, self._attempt(name)) for name in names]
        found = [find_status(name, attempt) for name, attempt in self._attempts()]
        return sorted(found, key=lambda status: status.started or 0.0)

    def logs(self, name: str, follow: bool = False) -> Iterator[str]:
        """Yield its lines without line ends; with ``follow`` until it is not alive."""
        self._attempt(name)
        log = self.folder / name / "log"
        if not follow:
            return logs.lines(log)
        return logs.lines(log, is_growing=lambda: find_state(self._attempt(name)).is_alive)

    def _may_begin(self, workload: Workload, attempt: Attempt) -> bool:
        """Whether a new attempt is due after the current one."""
        known, state = read_workload(attempt), find_state(attempt)
        gives_name_up = isinstance(known, ModelServer) and not state.is_alive
        if known != workload and not gives_name_up:
            raise AlreadyExists(
                f"the name {workload.name} is taken by another {known.kind} workload, which is {state}",
                next_step="take another name"
                + (f", or helikon job stop {workload.name}" if known.kind == "server" else ""),
            )
        return gives_name_up or state in (State.FAILED, State.STOPPED)

    def _begin(
        self, workload: Workload, command: tuple[str, ...], lock: int, *, after: Attempt | None
    ) -> None:
        if after is not None:
            end(after.plan().job_id, grace_s=self._grace_s)
        job_folder = self.folder / workload.name
        prepared = fresh_folder(job_folder)
        plan = self._plan(workload, command, number=after.number + 1 if after else 1)
        write(prepared / "workload.json", to_json(workload))
        write(prepared / "settings.yaml", yaml.safe_dump(self._settings.model_dump(mode="json")))
        write(prepared / "plan.json", plan)
        self._run(prepared, plan, lock)
        drop_old_attempts(job_folder, plan.number)

    def _plan(self, workload: Workload, command: tuple[str, ...], *, number: int) -> Plan:
        job_folder = self.folder / workload.name
        port = free_port(self._ports()) if isinstance(workload, ModelServer) else None
        ours = {
            "HELIKON_CONFIG": str(attempt_folder(job_folder, number) / "settings.yaml"),
            "HELIKON_STATE_DIR": str(self._settings.state_dir),
            "HELIKON_JOB": workload.name,
            "PYTHONUNBUFFERED": "1",
        } | ({"HELIKON_PORT": str(port)} if port else {})
        return Plan(
            name=workload.name,
            job_id=secrets.token_hex(8),
            number=number,
            argv=command,
            environment=(*workload.environment, *ours.items()),
            port=port,
            grace_s=self._grace_s,
        )

    def _run(self, prepared: Path, plan: Plan, lock: int) -> None:
        """Start the runner, and return when it has accepted the attempt.

        It inherits the lock and lets go of it then, so that another start
        waits even if this process is killed on the way.
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

    def _stop(self, attempt: Attempt) -> None:
        """End an attempt, whether or not its runner lives."""
        was_alive = find_state(attempt).is_alive
        if was_alive:
            attempt.set("stop")
        self._end(attempt)
        if was_alive and attempt.exit() is None:
            write(attempt.folder / "exit.json", Exit(code=None, ended=time.time()))

    def _end(self, attempt: Attempt) -> None:
        """End its processes, the runner last, which may be about to start the main one."""
        job_id, (runner, _) = attempt.plan().job_id, attempt.runner()
        end(job_id, main=attempt.main(), spare=[runner.pid], grace_s=self._grace_s)
        deadline = time.monotonic() + _RUNNER_ENDS_S
        while is_alive(runner) and time.monotonic() < deadline:
            end(job_id, main=attempt.main(), spare=[runner.pid], grace_s=self._grace_s)
            time.sleep(0.02)
        end(job_id, grace_s=0.0)

    def _attempt(self, name: str) -> Attempt:
        attempt = current_attempt(self.folder / name)
        if attempt is None:
            known = ", ".join(known for known, _ in self._attempts())
            raise NotFound(f"no job {name}", expected=f"one of {known}" if known else "none is known")
        return attempt

    def _attempts(self) -> Iterator[tuple[str, Attempt]]:
        with contextlib.suppress(FileNotFoundError):
            for name in sorted(os.listdir(self.folder)):
                if (attempt := current_attempt(self.folder / name)) is not None:
                    yield name, attempt

    def _ports(self) -> set[int]:
        plans = (attempt.plan() for _, attempt in self._attempts())
        return {plan.port for plan in plans if plan.port}

    def _make_folder(self, name: str) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.folder / name).mkdir(mode=0o700, exist_ok=True)

    @contextlib.contextmanager
    def _locked(self, name: str) -> Iterator[int]:
        """Hold the lock of a name; the kernel lets go of it when its last holder is gone."""
        lock = os.open(self.folder / name / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield lock
        finally:
            fcntl.flock(lock, fcntl.LOCK_UN)
            os.close(lock)


def _starters_environment() -> dict[str, str]:
    """Return our environment without the settings in it, which the job reads from its own file."""
    left_out = {*environment_names(), "HELIKON_PORT"}
    return {key: value for key, value in os.environ.items() if key not in left_out}


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
