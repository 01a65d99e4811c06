"""One line on why a job failed, from its exit code and the end of its log."""

import os
import re
import signal
from pathlib import Path

__all__ = ["cause_of", "tail"]

_TAIL_BYTES = 256 * 1024
_LONGEST = 300
_TRACEBACK = "Traceback (most recent call last):"
_PREFIX = re.compile(r"^\s*(\[[^\]\s]*\]:? ?)?")
_EXCEPTION = re.compile(r"[A-Za-z_][\w.]*(: .*)?$")
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
    line = _said(text)
    return _short(line) if line else f"exit code {exit_code}"


def _said(text: str) -> str | None:
    lines = text.splitlines()
    return _python(lines) or _ours(lines) or _java(lines) or _last(lines)


def _signalled(number: int, text: str) -> str:
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    hint = " (out of memory?)" if number == signal.SIGKILL else ""
    said = _python(text.splitlines()) if number == signal.SIGABRT else None
    return _short(f"killed by {name}{hint}" + (f": {said}" if said else ""))


def _python(lines: list[str]) -> str | None:
    """Return the exception that counts.

    torchrun's workers fail one after the other, and the first one is the
    reason. Anything else logs what it survives and dies of the last one.
    """
    found = [line for line in _exceptions(lines) if line]
    own = [line for line in found if not any(word in line for word in _WRAPPERS)]
    if not own:
        return found[-1] if found else None
    return own[0] if any("ChildFailedError" in line for line in found) else own[-1]


def _exceptions(lines: list[str]) -> list[str]:
    """Return the exception line of every traceback, without torchrun's rank."""
    starts = [i for i, line in enumerate(lines) if _TRACEBACK in line]
    return [_after(lines, start) for start in starts]


def _after(lines: list[str], start: int) -> str:
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


def _ours(lines: list[str]) -> str | None:
    said = [line.removeprefix("helikon: ") for line in lines if line.startswith("helikon: ")]
    return said[-1] if said else None


def _java(lines: list[str]) -> str | None:
    found = [line for line in lines if line.startswith("Exception in thread")]
    return found[0] if found else None


def _last(lines: list[str]) -> str | None:
    said = [line.strip() for line in lines if line.strip()]
    return said[-1] if said else None


def _short(line: str) -> str:
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
