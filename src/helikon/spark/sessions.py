"""The one warm Spark session of a process.

A session costs seconds to start and nothing to keep, so :func:`session`
returns the running one if there is one, whoever started it. Its JVM watches a
pipe from this process and ends with it, however this process ends.
"""

import contextlib
import os
import threading
from typing import TYPE_CHECKING

from helikon.apps import needing
from helikon.errors import EngineError
from helikon.settings import Settings
from helikon.spark.cells import watch_cells
from helikon.spark.conf import prepare_folder, python_environment, search_path, spark_conf
from helikon.spark.java import find_java
from helikon.spark.jvm import end_jvm, is_gone, launch_jvm

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

__all__ = ["close", "session"]

_STARTING = threading.Lock()


def session(settings: Settings, name: str = "helikon") -> "SparkSession":
    """Return the process's Spark session, started if need be.

    In a notebook, cells show Spark's progress from then on.

    Parameters
    ----------
    settings : Settings
        What a new session is made of; a running one stays as it is. With
        ``spark.remote`` it is a Spark Connect session.
    name : str
        The application's name in a new session.

    Raises
    ------
    Missing
        If pyspark or Java is not installed.
    EngineError
        If Spark does not start.
    """
    with _STARTING, needing("this needs Spark", "spark"):
        for key, value in python_environment().items():
            os.environ.setdefault(key, value)
        if settings.spark.remote:
            return _connect(settings, name)
        found = _running() or _start(settings, name)
        watch_cells()
        return found


def close() -> None:
    """End the session and its JVM; does nothing if there is none."""
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

    with _STARTING:
        if (active := SparkSession.getActiveSession()) is not None:
            with contextlib.suppress(Exception):  # of a JVM that is gone
                active.stop()
        if (context := SparkContext._active_spark_context) is not None:
            with contextlib.suppress(Exception):
                context.stop()
        end_jvm(SparkContext._gateway)
        _forget()


def _running() -> "SparkSession | None":
    """Return the session that runs, ours or that of ``spark-submit``; forget one whose JVM is gone."""
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

    if "PYSPARK_GATEWAY_PORT" in os.environ:
        return SparkSession.builder.getOrCreate()
    if is_gone(SparkContext._gateway):
        end_jvm(SparkContext._gateway)
        _forget()
    if SparkContext._active_spark_context is None:
        return None
    return SparkSession.builder.getOrCreate()


def _connect(settings: Settings, name: str) -> "SparkSession":
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.appName(name).remote(settings.spark.remote)
    for key, value in settings.spark.conf.items():
        builder = builder.config(key, value)
    try:
        return builder.getOrCreate()
    except Exception as error:
        raise EngineError(
            f"no Spark Connect server answers at {settings.spark.remote}", got=_first_line(error)
        ) from error


def _start(settings: Settings, name: str) -> "SparkSession":
    from pyspark import SparkConf, SparkContext
    from pyspark.sql import SparkSession

    find_java()
    prepare_folder(settings)
    conf = SparkConf(loadDefaults=False)
    conf.setAll(list(spark_conf(settings, name, path=search_path()).items()))
    try:
        SparkContext(conf=conf, gateway=SparkContext._gateway or launch_jvm(conf))
        return SparkSession.builder.getOrCreate()
    except EngineError:
        raise
    except Exception as error:
        raise EngineError(
            "Spark does not start",
            got=_first_line(error),
            next_step="look at spark.master, spark.driver_memory_gib and spark.conf in the settings",
        ) from error


def _forget() -> None:
    """Make pyspark forget a JVM that is gone, so that another can be started."""
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

    SparkContext._active_spark_context = None
    SparkContext._gateway = None
    SparkContext._jvm = None
    SparkSession._instantiatedSession = None
    SparkSession._activeSession = None


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else ''}"
