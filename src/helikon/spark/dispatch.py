"""Run numbered pieces of work in Spark's Python workers, one Spark task each, and bring back bytes.

The one place that talks to Spark's scheduler; ``tasks.py`` and ``tuning.py``
build on it. It uses DataFrames alone, so that it works over Spark Connect.
"""

import contextlib
import signal
import threading
import uuid
from collections.abc import Callable, Iterator
from types import FrameType
from typing import TYPE_CHECKING, Any

from helikon.backends.causes import cause_of
from helikon.errors import EngineError

if TYPE_CHECKING:
    import pyarrow
    from pyspark.sql import SparkSession

__all__ = ["default_parallelism", "explain", "run_partitions"]

_SIGNS = (
    ("Python worker exited unexpectedly", "a Python worker was killed again and again (out of memory?)"),
    ("Py4JNetworkError", "Spark's JVM is gone (out of memory?)"),
    ("Answer from Java side is empty", "Spark's JVM is gone (out of memory?)"),
    ("ConnectionRefusedError", "Spark's JVM is gone (out of memory?)"),
)
_POLL_S = 0.2
_CANCEL_S = 3.0


def default_parallelism(spark: "SparkSession") -> int:
    """Return how many tasks Spark runs at a time."""
    with contextlib.suppress(Exception):  # Spark Connect has no context
        return int(spark.sparkContext.defaultParallelism)
    return int(spark.conf.get("spark.default.parallelism", "2") or 2)


def run_partitions(
    spark: "SparkSession",
    work: Callable[[int], bytes],
    n_partitions: int,
    *,
    label: str,
    on_poll: Callable[[int], None] | None = None,
) -> list[bytes]:
    """Call ``work(0) … work(n_partitions - 1)`` in the workers, and return what they return in order.

    Parameters
    ----------
    spark : SparkSession
        Where it runs.
    work : callable
        Pickled with cloudpickle. What it raises is tried again by Spark, as
        is the task of a worker that is killed.
    n_partitions : int
        How many Spark tasks.
    label : str
        What the job is called in Spark's event log and in errors.
    on_poll : callable, optional
        Called a few times a second, in the caller's thread, with the number
        of tasks that have ended. What it raises, and Ctrl-C, cancels the job.

    Raises
    ------
    EngineError
        With the first Python error as its cause, if a task failed too often.
    """
    job = _Job(spark, work, n_partitions, label)
    thread = threading.Thread(target=job.run, name=f"spark-{label}", daemon=True)
    thread.start()
    with _heard_signals() as heard:
        try:
            while thread.is_alive() and not heard:
                thread.join(_POLL_S)
                if on_poll is not None:
                    on_poll(job.n_ended())
            if heard:
                raise KeyboardInterrupt
        except BaseException:
            job.cancel()
            thread.join(_CANCEL_S)
            raise
    if job.error is not None:
        raise explain(job.error, label) from job.error
    return job.results


@contextlib.contextmanager
def _heard_signals() -> Iterator[list[int]]:
    """List the signals to stop that come, whatever becomes of what their handlers raise.

    Py4J closes connections where an interrupt meets it in a call to the JVM, and
    may raise an error of its own instead: the interrupt would be lost, and the
    job, which has lost its connection, be taken for failed.
    """
    heard: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield heard
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def hear(number: int, frame: FrameType | None) -> None:
        heard.append(number)
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    ours = [number for number, handler in before.items() if callable(handler)]
    for number in ours:
        signal.signal(number, hear)
    try:
        yield heard
    finally:
        for number in ours:
            signal.signal(number, before[number])


def explain(error: BaseException, label: str) -> EngineError:
    """Say in one line what Spark says in forty."""
    said = f"{type(error).__name__}: {error}"
    for sign, meaning in _SIGNS:
        if sign in said:
            return EngineError(f"Spark could not finish {label}", got=meaning)
    return EngineError(f"Spark could not finish {label}", got=cause_of(1, said))


class _Job:
    """A Spark job in a thread of its own, and how far it is."""

    def __init__(self, spark: "SparkSession", work: Callable[[int], bytes], n: int, label: str) -> None:
        self._spark, self._work, self._n, self._label = spark, work, n, label
        self._tag = f"helikon-{uuid.uuid4().hex}"
        self._tracker = _tracker(spark)
        self.results: list[bytes] = []
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self._mark()
            rows = self._frame().collect()
            self.results = [bytes(row["result"]) for row in sorted(rows, key=lambda row: row["id"])]
        except BaseException as error:
            self.error = error

    def n_ended(self) -> int:
        """Return how many tasks have ended; over Spark Connect none is known before all have."""
        if self.results or self._tracker is None:
            return len(self.results)
        with contextlib.suppress(Exception):  # the JVM may be gone, which the job itself will tell
            infos = (self._tracker.getJobInfo(job) for job in self._tracker.getJobIdsForGroup(self._tag))
            stages = [self._tracker.getStageInfo(stage) for info in infos if info for stage in info.stageIds]
            return sum(stage.numCompletedTasks for stage in stages if stage)
        return 0

    def cancel(self) -> None:
        with contextlib.suppress(Exception):
            if self._tracker is None:
                self._spark.interruptTag(self._tag)
            else:
                self._spark.sparkContext.cancelJobGroup(self._tag)

    def _mark(self) -> None:
        if self._tracker is None:
            self._spark.addTag(self._tag)
        else:
            self._spark.sparkContext.setJobGroup(self._tag, self._label, interruptOnCancel=True)

    def _frame(self) -> Any:
        work = self._work

        def serve(batches: Iterator["pyarrow.RecordBatch"]) -> Iterator["pyarrow.RecordBatch"]:
            import pyarrow

            for batch in batches:
                for index in batch.column("id").to_pylist():
                    yield pyarrow.RecordBatch.from_pydict({"id": [index], "result": [work(index)]})

        numbers = self._spark.range(0, self._n, 1, self._n)
        return numbers.mapInArrow(serve, "id long, result binary")


def _tracker(spark: "SparkSession") -> Any:
    with contextlib.suppress(Exception):  # Spark Connect has none
        return spark.sparkContext.statusTracker()
    return None
