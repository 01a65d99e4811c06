"""One line on why a job failed, from its exit code and the end of its log."""

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

__all__ = ["cause_of", "tail"]

_TAIL_BYTES = 256 * 1024
_LONGEST = 300
_OURS = "helikon: "
_TRACEBACK = "Traceback (most recent call last):"
_PREFIX = re.compile(r"^\s*(\[[^\]\s]*\]:? ?)?")
_EXCEPTION = re.compile(r"[A-Za-z_][\w.]*(: .*)?$")
_KILLED_WORKER = re.compile(
    r"^Root Cause.*\n\[\d+\]:\n(?:  (?:time|host) .*\n)*  rank +: (\d+).*\n  exitcode +: -(\d+)", re.MULTILINE
)
"""Where torchrun tells of the worker that ended first, if a signal ended it."""
# What an engine raises because the program failed; the program's own line says more.
_WRAPPERS = (
    "ChildFailedError",
    "Py4JJavaError",
    "Py4JError",
    "PythonException",
    "SparkException",
    "CalledProcessError",
    "DistBackendError",
    "DistNetworkError",
    "SignalException",
    "SparkConnectGrpcException",
    "Connection closed by peer",
    "Connection reset by peer",
    "BrokenPipeError",
)


def tail(log: Path, offset: int = 0) -> str:
    """Return the end of a log, 256 KiB at most, from an offset in bytes."""
    with log.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(offset, size - _TAIL_BYTES))
        return file.read().decode(errors="replace")


def cause_of(exit_code: int, text: str) -> str:
    """Say in one line why a program ended without success.

    Parameters
    ----------
    exit_code : int
        Not 0; negative is a signal.
    text : str
        The end of what it wrote.
    """
    number = -exit_code if exit_code < 0 else exit_code - 128
    if exit_code < 0 or number in (signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT, signal.SIGTERM):
        return _signalled(number, text)
    if worker := _KILLED_WORKER.search(text):
        return f"rank {worker[1]} was {_signalled(int(worker[2]), '')}"
    line = _said(text)
    return _short(line) if line else f"exit code {exit_code}"


def _said(text: str) -> str | None:
    lines = text.splitlines()
    return _program(lines) or _java(lines) or _wrapper(lines) or _last(lines)


def _signalled(number: int, text: str) -> str:
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    hint = " (out of memory?)" if number == signal.SIGKILL else ""
    said = _program(text.splitlines()) if number == signal.SIGABRT else None
    return _short(f"killed by {name}{hint}" + (f": {said}" if said else ""))


def _program(lines: list[str]) -> str | None:
    """Return what the program itself died of: an exception, or one of our own error lines.

    torchrun's workers fail one after the other, and the first one is the
    reason. Anything else logs what it survives and dies of the last one.
    """
    found = [line for line in _said_by_programs(lines) if not _is_wrapper(line)]
    if not found:
        return None
    return found[0] if any("ChildFailedError" in line for line in lines) else found[-1]


def _wrapper(lines: list[str]) -> str | None:
    found = list(_said_by_programs(lines))
    return found[-1].rstrip(":") if found else None


def _said_by_programs(lines: list[str]) -> Iterator[str]:
    """Yield the exception line of every traceback, and every error line of ours."""
    for i, line in enumerate(lines):
        if _TRACEBACK in line and (exception := _exception_after(lines, i)):
            yield exception
        elif line.startswith(_OURS):
            yield line.removeprefix(_OURS)


def _is_wrapper(line: str) -> bool:
    return any(word in line for word in _WRAPPERS)


def _exception_after(lines: list[str], start: int) -> str:
    """Return a traceback's last line, without torchrun's rank."""
    rank = _PREFIX.match(lines[start])
    prefix = rank.group(0) if rank else ""
    for line in lines[start + 1 :]:
        if prefix.strip() and not line.startswith(prefix.rstrip()):
            continue
        rest = line[len(prefix) :] if line.startswith(prefix) else line
        if _EXCEPTION.match(rest):
            return rest.strip()
        if _TRACEBACK in rest:
            break
    return ""


def _java(lines: list[str]) -> str | None:
    found = [line for line in lines if line.startswith("Exception in thread")]
    return found[0] if found else None


def _last(lines: list[str]) -> str | None:
    said = [line.strip() for line in lines if line.strip()]
    return said[-1] if said else None


def _short(line: str) -> str:
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
