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
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import yaml

from helikon.backends import logs
from helikon.backends.commands import argv
from helikon.backends.launching import launch
from helikon.backends.ports import free_port
from helikon.backends.processes import end, is_alive
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
from helikon.errors import AlreadyExists, NotFound
from helikon.object_keys import keep_keys
from helikon.settings import Settings
from helikon.workload import ModelServer, State, Status, Workload, to_json

__all__ = ["LocalBackend"]

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
            return [self._status(name) or self._unknown(name) for name in names]
        found = [status for name in self._names() if (status := self._status(name))]
        return sorted(found, key=lambda status: status.started or 0.0)

    def logs(self, name: str, follow: bool = False) -> Iterator[str]:
        """Yield its lines without line ends; with ``follow`` until it is not alive."""
        if current_attempt(self.folder / name) is None:
            self._unknown(name)
        log = self.folder / name / "log"
        if not follow:
            return logs.lines(log)
        return logs.lines(log, is_growing=lambda: self.status(name)[0].state.is_alive)

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
        keep_keys(self._settings)
        write(prepared / "settings.yaml", yaml.safe_dump(self._settings.model_dump(mode="json")))
        write(prepared / "plan.json", plan)
        launch(prepared, plan, lock)
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

    def _status(self, name: str) -> Status | None:
        """Tell the state of a job; look again if a new attempt took the place of the one looked at."""
        attempt = current_attempt(self.folder / name)
        while attempt is not None:
            status = find_status(name, attempt)
            newest = current_attempt(self.folder / name)
            if newest == attempt:
                return status
            attempt = newest
        return None

    def _unknown(self, name: str) -> NoReturn:
        known = ", ".join(status.name for status in self.status())
        raise NotFound(f"no job {name}", expected=f"one of {known}" if known else "none is known")

    def _names(self) -> list[str]:
        with contextlib.suppress(FileNotFoundError):
            return os.listdir(self.folder)
        return []

    def _ports(self) -> set[int | None]:
        """Return the ports that model servers were given."""
        found = set()
        for name in self._names():
            attempt = current_attempt(self.folder / name)
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError):  # status tells of it
                found.add(attempt.plan().port if attempt else None)
        return found - {None}

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
