"""From an application to a Spark job, and from a Spark job to ``spark-submit``."""

import re
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from helikon.errors import InputError, NotFound
from helikon.settings import Settings
from helikon.workload import SparkJob

__all__ = ["read_conf", "spark_job", "submit_argv"]

_CALL = Path(__file__).with_name("application.py")


def spark_job(
    settings: Settings,
    application: str,
    arguments: Sequence[str] = (),
    *,
    name: str | None = None,
    conf: Iterable[tuple[str, str]] = (),
) -> SparkJob:
    """Return the job that runs a Spark application.

    Parameters
    ----------
    settings : Settings
        Say who the owner is.
    application : str
        A Python file, or ``module:function``; the function is called with
        the arguments as text.
    arguments : sequence of str
        What the application is given.
    name : str, optional
        The job's; by default the application's with the time.
    conf : iterable of (str, str)
        Spark's own options.

    Raises
    ------
    NotFound
        If the file is not there.
    InputError
        If the application is neither a Python file nor ``module:function``.
    """
    return SparkJob(
        name=name or _default_name(application),
        owner=settings.owner,
        application=_absolute(application),
        arguments=tuple(arguments),
        conf=tuple(conf),
    )


def read_conf(pairs: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Read ``key=value`` options.

    Raises
    ------
    InputError
        If one has no ``=``.
    """
    read = []
    for pair in pairs:
        key, sign, value = pair.partition("=")
        if not sign or not key.strip():
            raise InputError("an option of Spark cannot be read", got=repr(pair), expected="key=value")
        read.append((key.strip(), value))
    return tuple(read)


def submit_argv(
    program: str, application: str, arguments: Sequence[str], conf: Mapping[str, str]
) -> tuple[str, ...]:
    """Return the argument vector of ``spark-submit`` for an application.

    What is submitted is ``application.py`` of this package, which runs the
    application and tells its progress and, in one line, why it failed.
    """
    options = (word for key, value in conf.items() for word in ("--conf", f"{key}={value}"))
    return (program, *options, str(_CALL), application, *arguments)


def _absolute(application: str) -> str:
    if not application.endswith(".py"):
        if re.fullmatch(r"[\w.]+:\w+", application):
            return application
        raise InputError(
            "an application cannot be used",
            got=repr(application),
            expected="a Python file, or module:function",
        )
    path = Path(application)
    if not path.is_file():
        raise NotFound(f"there is no file {path}", expected="a Python file that uses Spark")
    return str(path.resolve())


def _default_name(application: str) -> str:
    stem = Path(application).stem if application.endswith(".py") else application.rpartition(":")[2]
    word = re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")[:36] or "application"
    return f"{word}-{time.strftime('%m%d-%H%M%S')}"
