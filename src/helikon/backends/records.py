"""The files of a job, each written beside and then renamed.

::

    <folder>/<name>/
        lock                   held by who starts or stops the job
        log                    what it wrote, all attempts
        next/                  an attempt in the making; nobody reads it
        attempt-000002/        the accepted attempt, by one rename
            workload.json      what it is
            settings.yaml      the settings that it runs with
            plan.json          argument vector, environment, port
            runner.json        the process that waits for it, and since when
            main.json          its main process
            ready.json         a server answered
            stop.json          somebody asked for its end
            exit.json          how it ended

A job is known once an attempt was accepted. Everything here is light: the
runner imports it.
"""

import dataclasses
import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

from helikon.backends.processes import Identity

__all__ = ["Attempt", "Exit", "Plan", "current_attempt", "drop_old_attempts", "fresh_folder", "write"]

_PREFIX = "attempt-"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the runner is told.

    Attributes
    ----------
    name, job_id : str
        The job, and the marker of this attempt.
    number : int
        Which attempt it is, from 1.
    argv : tuple of str
        What is run.
    environment : tuple of (str, str)
        What is added to the starter's environment.
    port : int or None
        Loopback port that a server is told to listen on.
    grace_s : float
        Seconds between asking what the job leaves behind to end and killing it.
    """

    name: str
    job_id: str
    number: int
    argv: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()
    port: int | None = None
    grace_s: float = 8.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """How an attempt ended.

    Attributes
    ----------
    code : int or None
        Exit code of the main process; negative is a signal; unknown when its runner was lost.
    ended : float
        Unix time in seconds.
    cause : str or None
        One line, if it failed.
    """

    code: int | None
    ended: float
    cause: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One accepted attempt: a folder and its files.

    Attributes
    ----------
    folder : Path
        ``<job folder>/attempt-NNNNNN``.
    number : int
        From 1.
    """

    folder: Path
    number: int

    def plan(self) -> Plan:
        """Return what the runner was told."""
        return read_plan(self.folder)

    def runner(self) -> tuple[Identity, float]:
        """Return who waits for it, and since when (Unix time, seconds)."""
        fields = _read(self.folder / "runner.json")
        return Identity(**fields["process"]), float(fields["started"])

    def main(self) -> Identity | None:
        """Return its main process, once there is one."""
        fields = _read_if_there(self.folder / "main.json")
        return Identity(**fields) if fields else None

    def exit(self) -> Exit | None:
        """Return how it ended, once it has."""
        fields = _read_if_there(self.folder / "exit.json")
        return Exit(**fields) if fields else None

    def marked(self, mark: str) -> float | None:
        """Return when it got a mark, ``ready`` or ``stop`` (Unix time, seconds)."""
        fields = _read_if_there(self.folder / f"{mark}.json")
        return float(fields["time"]) if fields else None

    def set(self, mark: str) -> None:
        """Set a mark."""
        write(self.folder / f"{mark}.json", {"time": time.time()})


def read_plan(folder: Path) -> Plan:
    """Read ``plan.json`` of an attempt's folder."""
    fields = _read(folder / "plan.json")
    pairs = tuple((key, value) for key, value in fields.pop("environment"))
    return Plan(argv=tuple(fields.pop("argv")), environment=pairs, **fields)


def current_attempt(job_folder: Path) -> Attempt | None:
    """Return the newest accepted attempt of a job; none if there is no such job."""
    try:
        names = [name for name in os.listdir(job_folder) if name.startswith(_PREFIX)]
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not names:
        return None
    newest = max(names)
    return Attempt(folder=job_folder / newest, number=int(newest.removeprefix(_PREFIX)))


def attempt_folder(job_folder: Path, number: int) -> Path:
    """Return the folder that an attempt has once it is accepted."""
    return job_folder / f"{_PREFIX}{number:06}"


def fresh_folder(job_folder: Path) -> Path:
    """Return an empty ``next``; what a killed starter left in it is gone."""
    folder = job_folder / "next"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    return folder


def drop_old_attempts(job_folder: Path, current: int) -> None:
    """Remove the folders of attempts before the current one; the log keeps what they said."""
    for folder in job_folder.glob(f"{_PREFIX}*"):
        if int(folder.name.removeprefix(_PREFIX)) < current:
            shutil.rmtree(folder, ignore_errors=True)


def write(path: Path, content: object) -> None:
    """Write text, or a value as JSON, so that it appears whole; only the owner can read it."""
    text = content if isinstance(content, str) else json.dumps(content, default=dataclasses.asdict)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with open(beside, "w", encoding="utf-8", opener=_private) as file:
        file.write(text)
    os.replace(beside, path)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _read(path: Path) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return fields


def _read_if_there(path: Path) -> dict[str, Any] | None:
    try:
        return _read(path)
    except FileNotFoundError:
        return None
