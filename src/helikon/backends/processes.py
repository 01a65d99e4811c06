"""Processes of this machine, read from ``/proc``.

A process is known by its pid, its start time and the boot it belongs to, so a
pid that was given to another process, or a machine that was restarted, is
noticed. The processes of a job are found by a marker in their environment
(``HELIKON_JOB_ID``), because engines put theirs into sessions of their own:
torchrun's workers, BentoML's circus, the JVM. Zombies are dead.
"""

import contextlib
import dataclasses
import os
import signal
import time
from collections.abc import Collection, Iterator
from pathlib import Path

from helikon.errors import EngineError

__all__ = [
    "MARKER",
    "Identity",
    "Process",
    "end",
    "identify",
    "is_alive",
    "is_of_this_boot",
    "members",
    "send",
]

MARKER = "HELIKON_JOB_ID"
_GIVE_UP_S = 30.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """One process for all time.

    Attributes
    ----------
    pid : int
        Process number.
    start : int
        Clock ticks from the machine's start to the process's.
    boot : str
        Which start of the machine.
    """

    pid: int
    start: int
    boot: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """One row of the process table.

    Attributes
    ----------
    pid, parent, session, start : int
        As in ``/proc/PID/stat``.
    job_id : str or None
        The marker in its environment, where it can be read.
    """

    pid: int
    parent: int
    session: int
    start: int
    job_id: str | None


def identify(pid: int) -> Identity | None:
    """Return who has a pid now; nobody if it is free or a zombie."""
    row = _stat(pid)
    return None if row is None else Identity(pid=pid, start=row[2], boot=_boot())


def is_alive(identity: Identity | None) -> bool:
    """Whether exactly this process is still alive."""
    return identity is not None and identify(identity.pid) == identity


def is_of_this_boot(identity: Identity) -> bool:
    """Whether the machine has not been restarted since."""
    return identity.boot == _boot()


def members(job_id: str) -> list[Process]:
    """Return every living process of a job.

    Those that carry its marker, and from there all descendants and all that
    share a session with one, unless they carry the marker of another job (one
    that this job started).
    """
    table = list(_table())
    found = {process.pid: process for process in table if process.job_id == job_id}
    unmarked = [process for process in table if process.job_id is None]
    grown = bool(found)
    while grown:
        sessions = {process.session for process in found.values()} - {0}  # 0: led from outside a container
        new = [p for p in unmarked if p.pid not in found and (p.parent in found or p.session in sessions)]
        found |= {process.pid: process for process in new}
        grown = bool(new)
    return list(found.values())


def send(process: Process | Identity, number: int) -> None:
    """Send a signal to exactly this process; nothing if it is gone or another's."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        handle = os.pidfd_open(process.pid)
        try:
            row = _stat(process.pid)
            if row is not None and row[2] == process.start:
                signal.pidfd_send_signal(handle, number)
        finally:
            os.close(handle)


def end(
    job_id: str, *, main: Identity | None = None, spare: Collection[int] = (), grace_s: float = 8.0
) -> None:
    """End all processes of a job, and return when they are gone.

    The main process is asked first (SIGTERM), so that it can close what it
    opened. When it is gone, or half the grace is over, the others are asked.
    After the grace all are killed (SIGKILL).

    Parameters
    ----------
    job_id : str
        The marker.
    main : Identity, optional
        The main process.
    spare : collection of int
        Pids that are left alone.
    grace_s : float
        Seconds between asking and killing.

    Raises
    ------
    EngineError
        If some cannot be killed.
    """
    began, told = time.monotonic(), set[tuple[int, int, int]]()
    while left := [process for process in members(job_id) if process.pid not in spare]:
        waited = time.monotonic() - began
        number = signal.SIGKILL if waited > grace_s else signal.SIGTERM
        first = [p for p in left if main and (p.pid, p.start) == (main.pid, main.start)]
        for process in first if first and waited < grace_s / 2 else left:
            if (key := (process.pid, process.start, number)) not in told:
                send(process, number)
                told.add(key)
        if waited > grace_s + _GIVE_UP_S:
            pids = ", ".join(str(process.pid) for process in left)
            raise EngineError(
                "processes cannot be killed", got=f"pid {pids}", next_step="look at them with ps"
            )
        time.sleep(0.03)


def _table() -> Iterator[Process]:
    for name in os.listdir("/proc"):
        if name.isdigit() and (row := _stat(int(name))) is not None:
            parent, session, start = row
            yield Process(
                pid=int(name), parent=parent, session=session, start=start, job_id=_job_id(int(name))
            )


def _stat(pid: int) -> tuple[int, int, int] | None:
    """Return parent, session and start time of a living process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_bytes()
    except (OSError, ValueError):
        return None
    fields = text[text.rindex(b")") + 2 :].split()
    return None if fields[0] in (b"Z", b"X") else (int(fields[1]), int(fields[3]), int(fields[19]))


def _job_id(pid: int) -> str | None:
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return None
    entry = f"{MARKER}=".encode()
    found = [item for item in environment.split(b"\0") if item.startswith(entry)]
    return found[0][len(entry) :].decode(errors="replace") if found else None


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
