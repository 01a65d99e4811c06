"""Tell the stages of a running Spark application, line by line."""

import contextlib
import threading
from collections.abc import Iterator
from typing import Any, TextIO

__all__ = ["told"]

_INTERVAL_S = 1.0


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
    while not ended.wait(_INTERVAL_S):
        with contextlib.suppress(Exception):  # between two sessions, or after the JVM's end
            for stage, line in _lines():
                if last.get(stage) != line:
                    last[stage] = line
                    stream.write(line + "\n")
                    stream.flush()


def _lines() -> Iterator[tuple[int, str]]:
    from pyspark import SparkContext

    context: Any = SparkContext._active_spark_context
    if context is None:
        return
    tracker = context.statusTracker()
    for stage in tracker.getActiveStageIds():
        if (info := tracker.getStageInfo(stage)) is not None:
            yield stage, _line(info)


def _line(info: Any) -> str:
    failed = f", {info.numFailedTasks} failed" if info.numFailedTasks else ""
    return f"stage {info.stageId} ({info.name}): {info.numCompletedTasks} of {info.numTasks} tasks{failed}"
