"""What a running stage is called, and the stages of a running application told line by line."""

import contextlib
import threading
from collections.abc import Iterator
from typing import Any, TextIO

__all__ = ["called", "told"]

_INTERVAL_S = 1.0


def called(context: Any, info: Any) -> str:
    """Return the description of a stage's job (``setJobDescription``), else where the stage was asked for.

    Parameters
    ----------
    context : pyspark.SparkContext
    info : pyspark.status.SparkStageInfo
    """
    with contextlib.suppress(Exception):  # a stage that Spark has forgotten, or another Spark
        description = context._jsc.sc().statusStore().lastStageAttempt(info.stageId).description()
        if description.isDefined():
            return " ".join(str(description.get()).split())
    name = str(info.name)
    return name.rpartition("/")[2] if " at " in name else name


@contextlib.contextmanager
def told(stream: TextIO) -> Iterator[None]:
    """Write ``stage 3: 12 of 64 tasks`` to a stream while inside, once a second where it has changed."""
    ended = threading.Event()
    thread = threading.Thread(target=_tell, args=(stream, ended), name="stages", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(_INTERVAL_S)


def _tell(stream: TextIO, ended: threading.Event) -> None:
    last: dict[int, str] = {}
    active: set[int] = set()
    leaving = False
    while not leaving:
        leaving = ended.wait(_INTERVAL_S)
        with contextlib.suppress(Exception):  # between two sessions, or after the JVM's end
            active = _tell_once(stream, last, active)


def _tell_once(stream: TextIO, last: dict[int, str], before: set[int]) -> set[int]:
    """Tell what has changed, also of the stages that have just ended; return those that run."""
    from pyspark import SparkContext

    context: Any = SparkContext._active_spark_context
    if context is None:
        return set()
    tracker = context.statusTracker()
    active = set(tracker.getActiveStageIds())
    for stage in sorted(active | before):
        info = tracker.getStageInfo(stage)
        if info is not None and last.get(stage) != (line := _line(info, called(context, info))):
            last[stage] = line
            stream.write(line + "\n")
            stream.flush()
    return active


def _line(info: Any, name: str) -> str:
    failed = f", {info.numFailedTasks} failed" if info.numFailedTasks else ""
    return f"stage {info.stageId} ({name}): {info.numCompletedTasks} of {info.numTasks} tasks{failed}"
