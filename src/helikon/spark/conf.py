"""Spark's options as they follow from our settings; pure but for :func:`prepare_folder`."""

import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

import psutil

from helikon.settings import Settings

__all__ = ["events_folder", "is_local", "prepare_folder", "python_environment", "search_path", "spark_conf"]

_LOG4J = """\
# Errors only, and no Java stack traces: what a task raised is told by the driver.
rootLogger.level = error
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = Spark: %m%n%ex{0}
# Spark sets the root's level to this logger's, and says so, unless they are the same.
logger.gateway.name = org.apache.spark.api.python.PythonGatewayServer
logger.gateway.level = error
logger.executor.name = org.apache.spark.executor.Executor
logger.executor.level = off
logger.tasks.name = org.apache.spark.scheduler.TaskSetManager
logger.tasks.level = off
logger.write.name = org.apache.spark.sql.execution.datasources.v2
logger.write.level = off
"""


def is_local(master: str) -> bool:
    """Whether a Spark master runs on this machine, in the driver's JVM."""
    return master.startswith("local")


def spark_conf(settings: Settings, name: str, *, path: Iterable[str] = ()) -> dict[str, str]:
    """Return Spark's options for a session or an application.

    Parameters
    ----------
    settings : Settings
        ``spark.conf`` in them is passed on untranslated and wins.
    name : str
        The application's name.
    path : iterable of str
        Folders that the workers import from, besides their environment.
    """
    folder = settings.state_dir / "spark"
    log4j = (folder / "log4j2.properties").as_uri()
    ours = {
        "spark.app.name": name,
        "spark.master": settings.spark.master,
        "spark.driver.memory": f"{round(settings.spark.driver_memory_gib * 1024)}m",
        "spark.driver.defaultJavaOptions": f"-Dlog4j2.configurationFile={log4j}",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": events_folder(settings).as_uri(),
        "spark.local.dir": str(_scratch(folder)),
        "spark.sql.warehouse.dir": (folder / "warehouse").as_uri(),
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        "spark.executorEnv.GRPC_VERBOSITY": "ERROR",
    }
    if is_local(settings.spark.master):
        ours |= _local_conf(path)
    return ours | settings.spark.conf


def _local_conf(path: Iterable[str]) -> dict[str, str]:
    return {
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.pyspark.python": sys.executable,
        "spark.pyspark.driver.python": sys.executable,
        "spark.executorEnv.PYTHONPATH": os.pathsep.join(path),
    }


def python_environment() -> dict[str, str]:
    """Return the variables that make Spark's Python workers run our own interpreter."""
    return {"PYSPARK_PYTHON": sys.executable, "PYSPARK_DRIVER_PYTHON": sys.executable}


def search_path() -> list[str]:
    """Return the folders that this process imports from."""
    return [entry for entry in dict.fromkeys(map(os.path.abspath, sys.path)) if os.path.isdir(entry)]


def events_folder(settings: Settings) -> Path:
    """Return the folder of the event logs of all sessions and applications."""
    return settings.state_dir / "spark" / "events"


def prepare_folder(settings: Settings) -> None:
    """Make Spark's folders, and drop the scratch of drivers that are gone."""
    folder = settings.state_dir / "spark"
    for made in (events_folder(settings), _scratch(folder), folder / "warehouse"):
        made.mkdir(parents=True, exist_ok=True, mode=0o700)
    _drop_dead_scratch(folder / "scratch")
    log4j = folder / "log4j2.properties"
    if not log4j.exists() or log4j.read_text() != _LOG4J:
        beside = folder / f"log4j2.{os.getpid()}"
        beside.write_text(_LOG4J)
        os.replace(beside, log4j)


def _scratch(folder: Path) -> Path:
    return folder / "scratch" / str(os.getpid())


def _drop_dead_scratch(folder: Path) -> None:
    for scratch in folder.iterdir():
        if scratch.name.isdigit() and not psutil.pid_exists(int(scratch.name)):
            shutil.rmtree(scratch, ignore_errors=True)
