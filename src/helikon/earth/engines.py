"""Where tasks run: in this process, in processes of this machine, or in Spark's workers."""

import functools
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from helikon.errors import EngineError
from helikon.settings import Settings

__all__ = ["ENGINES", "Run", "choose"]

ENGINES = ("local", "spark")

Run = Callable[[Callable[[Any], Any], Sequence[Any], Callable[[int, int], None]], list[Any]]
"""Returns what a function gives for each item, in order, and tells how many are done of how many."""


def choose(engine: str, settings: Settings, n_processes: int | None = None) -> Run:
    """Return how tasks are run.

    Parameters
    ----------
    engine : {"local", "spark"}
    settings : Settings
        Of Spark's session.
    n_processes : int, optional
        For ``local``; by default the cores that may be used.
    """
    if engine == "spark":
        return functools.partial(_in_spark, settings)
    return functools.partial(_in_processes, n_processes or len(os.sched_getaffinity(0)))


def _in_spark(
    settings: Settings, function: Callable[[Any], Any], items: Sequence[Any], told: Callable[[int, int], None]
) -> list[Any]:
    from helikon.spark.tasks import run_tasks

    return run_tasks(function, items, settings, n_tasks=max(1, len(items)), label="earth", progress=told)


def _in_processes(
    n_processes: int,
    function: Callable[[Any], Any],
    items: Sequence[Any],
    told: Callable[[int, int], None],
) -> list[Any]:
    """Run items in processes; they end when this one does, however it ends."""
    if min(n_processes, len(items)) <= 1:
        return _here(function, items, told)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["helikon.earth.work"])
    with ProcessPoolExecutor(min(n_processes, len(items)), mp_context=context, initializer=_start) as pool:
        futures = [pool.submit(function, item) for item in items]
        try:
            for n_done, future in enumerate(as_completed(futures), start=1):
                future.result()
                told(n_done, len(items))
            return [future.result() for future in futures]
        except BrokenProcessPool as error:
            raise EngineError(
                "a process was killed",
                got="perhaps too little memory",
                next_step="run it again with fewer --processes: what is done is kept",
            ) from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _here(
    function: Callable[[Any], Any], items: Sequence[Any], told: Callable[[int, int], None]
) -> list[Any]:
    found = []
    for n_done, item in enumerate(items, start=1):
        found.append(function(item))
        told(n_done, len(items))
    return found


def _start() -> None:
    """Leave Ctrl-C to the parent, and end with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
