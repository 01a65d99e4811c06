"""Find the Java that Spark runs on."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from helikon.errors import Missing

__all__ = ["find_java"]

_OLDEST = 17


def find_java(environ: Mapping[str, str] = os.environ) -> str:
    """Return the path of a Java that Spark can use, as Spark would find it.

    Parameters
    ----------
    environ : Mapping[str, str]
        ``JAVA_HOME`` comes first, then ``PATH``.

    Raises
    ------
    Missing
        If there is none, or it is older than 17.
    """
    home = environ.get("JAVA_HOME")
    program = str(Path(home) / "bin" / "java") if home else shutil.which("java", path=environ.get("PATH"))
    place = f"none at {program}" if program else "none on PATH"
    version = _version(program) if program else None
    if program is None or version is None:
        raise _missing(place)
    if version < _OLDEST:
        raise _missing(f"Java {version} at {program}")
    return program


def _version(program: str) -> int | None:
    try:
        said = subprocess.run([program, "-version"], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r'version "(?:1\.)?(\d+)', said.stderr)
    return int(found[1]) if found else None


def _missing(got: str) -> Missing:
    return Missing(
        "Spark needs Java",
        got=got,
        expected=f"Java {_OLDEST} or later",
        next_step="apt-get install openjdk-17-jre-headless, or set JAVA_HOME",
    )
