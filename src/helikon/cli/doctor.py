"""``helikon doctor``: what is installed, missing and reachable, and what to type next."""

import dataclasses
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import click
import psutil

from helikon.cli.output import as_json_option, echo_json, echo_table, settings_of
from helikon.settings import Settings

__all__ = ["Check", "check_all", "doctor"]

_GIB = 2**30
_EXTRAS = ("catalogue", "spark", "training", "serving", "gateway", "space", "space-training", "earth")
_NOT_IN_THE_DEMO = {"earth"}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What one look found.

    Attributes
    ----------
    name : str
        What was looked at.
    state : {"ok", "note", "missing"}
        ``missing`` keeps ``helikon demo`` from working; ``note`` does not.
    found : str
        What is there.
    next_step : str
        What to type, or nothing.
    """

    name: str
    state: Literal["ok", "note", "missing"]
    found: str
    next_step: str = ""


@click.command()
@as_json_option
@click.pass_context
def doctor(context: click.Context, as_json: bool) -> int:
    """Say what is installed, missing and reachable.

    Ends with 1 if something is missing that helikon demo needs.

    \b
    Example:
      helikon doctor
      helikon doctor --json
    """
    checks = check_all(settings_of(context))
    if as_json:
        echo_json(checks)
    else:
        echo_table(("", "WHAT", "FOUND"), [(_MARKS[one.state], one.name, one.found) for one in checks], "")
        for one in (one for one in checks if one.next_step):
            click.echo(f"\n{one.name}: {one.next_step}")
    return 1 if any(one.state == "missing" for one in checks) else 0


_MARKS = {"ok": "ok", "note": "--", "missing": "NO"}


def check_all(settings: Settings) -> list[Check]:
    """Look at everything, in the order that one would put it right."""
    looks: tuple[Callable[[Settings], Check], ...] = (
        _python, _java, _state_folder, _disk, _memory, _cores, _gpu, _port,
    )  # fmt: skip
    checks = [look(settings) for look in looks]
    return [*checks[:2], *(_extra(name) for name in _EXTRAS), *checks[2:]]


def _python(_: Settings) -> Check:
    return Check(name="Python", state="ok", found=f"{sys.version.split()[0]} at {sys.executable}")


def _java(_: Settings) -> Check:
    home = os.environ.get("JAVA_HOME")
    program = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    step = "install Java 17 (Debian: apt install openjdk-17-jre-headless), or set JAVA_HOME"
    try:
        said = subprocess.run(
            [program or "", "-version"], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return Check(name="Java", state="missing", found=f"none at {program or 'PATH'}", next_step=step)
    version = re.search(r'version "(\d+)[^"]*"', said.stderr)
    if not version or int(version[1]) < 17:
        found = version[0] if version else "no version"
        return Check(name="Java", state="missing", found=f"{found}; Spark needs 17 or later", next_step=step)
    return Check(name="Java", state="ok", found=f"{version[0]} at {program}")


def _extra(name: str) -> Check:
    wanted = list(dict.fromkeys(_packages_of(name)))
    missing = [package for package in wanted if not _is_installed(package)]
    if missing:
        found, step = f"no {', '.join(missing)}", f'pip install "helikon[{name}]"'
        state: Literal["note", "missing"] = "note" if name in _NOT_IN_THE_DEMO else "missing"
        return Check(name=f"extra {name}", state=state, found=found, next_step=step)
    return Check(name=f"extra {name}", state="ok", found=f"{len(wanted)} packages")


def _packages_of(extra: str) -> Iterator[str]:
    for line in importlib.metadata.requires("helikon") or []:
        requirement, _, marker = line.partition(";")
        if f"extra == '{extra}'" in marker.replace('"', "'") and not requirement.startswith("helikon["):
            yield re.split(r"[\s<>=!~\[;(]", requirement.strip(), maxsplit=1)[0]


def _is_installed(package: str) -> bool:
    try:
        importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _state_folder(settings: Settings) -> Check:
    folder = _nearest(settings.state_dir)
    if folder.is_dir() and os.access(folder, os.W_OK | os.X_OK):
        return Check(name="state folder", state="ok", found=str(settings.state_dir))
    return Check(
        name="state folder",
        state="missing",
        found=f"{settings.state_dir} cannot be written",
        next_step="set HELIKON_STATE_DIR to a folder of yours",
    )


def _disk(settings: Settings) -> Check:
    free_gib = shutil.disk_usage(_nearest(settings.state_dir)).free / _GIB
    step = "" if free_gib >= 5 else "free some space, or set HELIKON_STATE_DIR to another disk"
    state = _state(free_gib >= 1, free_gib >= 5)
    return Check(name="disk", state=state, found=f"{free_gib:.1f} GiB free, 5 are enough", next_step=step)


def _memory(_: Settings) -> Check:
    memory = psutil.virtual_memory()
    found = f"{memory.available / _GIB:.1f} of {memory.total / _GIB:.1f} GiB free, 6 are enough"
    is_enough, is_comfortable = memory.total >= 3 * _GIB, memory.available >= 6 * _GIB
    step = "" if is_comfortable else "close other programs, or set HELIKON_SPARK_DRIVER_MEMORY_GIB=1"
    return Check(name="memory", state=_state(is_enough, is_comfortable), found=found, next_step=step)


def _cores(_: Settings) -> Check:
    n_cores = len(os.sched_getaffinity(0))
    return Check(name="cores", state=_state(True, n_cores >= 2), found=f"{n_cores}, 2 are enough")


def _gpu(_: Settings) -> Check:
    try:
        said = subprocess.run(
            ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return Check(name="GPU", state="note", found="none; everything runs on the processor")
    return Check(name="GPU", state="ok", found="; ".join(said.strip().splitlines()))


def _port(settings: Settings) -> Check:
    import socket

    port = settings.gateway.port
    with socket.socket() as one:
        one.settimeout(1)
        taken = port != 0 and one.connect_ex(("127.0.0.1", port)) == 0
    if not taken:
        return Check(name="gateway port", state="ok", found=f"{port} is free" if port else "any free one")
    from helikon.gateway.folder import read_address

    address = read_address(settings)
    if address is not None and address.port == port and _is_up(settings):
        return Check(name="gateway port", state="ok", found=f"{port}, used by our gateway")
    return Check(
        name="gateway port",
        state="note",
        found=f"{port} is taken",
        next_step="set another port for helikon up: HELIKON_GATEWAY_PORT=8080",
    )


def _is_up(settings: Settings) -> bool:
    """Say whether our gateway runs; what it wrote down outlives it."""
    from helikon.gateway import platform

    return platform.status(settings).url is not None


def _state(is_enough: bool, is_comfortable: bool) -> Literal["ok", "note", "missing"]:
    return "ok" if is_comfortable else "note" if is_enough else "missing"


def _nearest(folder: Path) -> Path:
    return next(one for one in (folder, *folder.parents) if one.exists())
