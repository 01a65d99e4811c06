"""Where tasks run: in this process, in processes of this machine, or in Spark's workers."""

import functools
import os
from collections.abc import Callable, Sequence
from typing import Any

from helikon.pool import run_here, run_in_processes
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
    n_processes: int, function: Callable[[Any], Any], items: Sequence[Any], told: Callable[[int, int], None]
) -> list[Any]:
    if min(n_processes, len(items)) <= 1:
        return run_here(function, items, told)
    return run_in_processes(function, items, told, n_processes=n_processes)
