"""Call a function for many items in Spark's Python workers.

No data go through the JVM: an item says where to read (a path, a window), the
function reads, works and writes, and returns a small row (what it wrote, some
figures). Items are grouped, for a Spark task has a fixed cost of about 60 ms
and should take two to five seconds.
"""

import functools
import itertools
import traceback
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from helikon.errors import EngineError, HelikonError, InputError
from helikon.settings import Settings
from helikon.spark.dispatch import default_parallelism, run_partitions
from helikon.spark.sessions import session
from helikon.spark.shipping import pack, pack_function, unpack, unpack_function

__all__ = ["plan_groups", "run_tasks"]

Item = TypeVar("Item")
Result = TypeVar("Result")

_TASKS_PER_CORE = 3


def run_tasks(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    settings: Settings,
    *,
    n_tasks: int | None = None,
    label: str = "tasks",
    progress: Callable[[int, int], None] | None = None,
) -> list[Result]:
    """Return ``[function(item) for item in items]``, worked out in Spark's Python workers.

    Parameters
    ----------
    function : callable
        Runs in the caller's environment. A worker that is killed is replaced
        and its items are done again, so the function must stand being called
        twice: write beside and rename, under a name that follows from the item.
    items : iterable
        Small: they are sent to every worker.
    settings : Settings
        Of the session.
    n_tasks : int, optional
        Spark tasks; by default three for each core, and no more than items.
    label : str
        What the job is called in Spark's event log and in errors.
    progress : callable, optional
        Called with the number of items done, and of all, when it has grown.

    Returns
    -------
    list
        One result for each item, in the order of the items.

    Raises
    ------
    HelikonError
        The one that the function raised for the first item that failed. An
        error is not tried again, but the other tasks run to their end.
    EngineError
        If the function raised anything else, with that as its cause, or if
        Spark lost the workers of one task three times.
    InputError
        If the function cannot be sent to the workers.
    """
    todo = list(items)
    if n_tasks is not None and n_tasks < 1:
        raise InputError("the number of tasks cannot be used", got=n_tasks, expected="1 or more")
    if not todo:
        return []
    packed = pack_function(function)
    spark = session(settings)
    groups = plan_groups(len(todo), n_tasks or _TASKS_PER_CORE * default_parallelism(spark))
    work = functools.partial(_work, packed, [pack(todo[group]) for group in groups])
    report = _reporter(groups, progress)
    outcomes = run_partitions(spark, work, len(groups), label=label, on_poll=report)
    return list(itertools.chain.from_iterable(_results(unpack(outcome), label) for outcome in outcomes))


def plan_groups(n_items: int, n_tasks: int) -> list[slice]:
    """Cut ``n_items`` into ``n_tasks`` runs of nearly the same length, or fewer, none of them empty."""
    n_groups = max(1, min(n_items, n_tasks))
    edges = [n_items * i // n_groups for i in range(n_groups + 1)]
    return [slice(start, stop) for start, stop in itertools.pairwise(edges) if stop > start]


def _work(packed: bytes, groups: Sequence[bytes], index: int) -> bytes:
    """Run in a worker: do one group of items; an error is an outcome, so that Spark does not try it again."""
    try:
        function = unpack_function(packed)
        return pack(("results", [function(item) for item in unpack(groups[index])]))
    except HelikonError as error:
        return pack(("refused", error, traceback.format_exc()))
    except Exception as error:
        said = "".join(traceback.format_exception_only(error)).strip().splitlines()
        return pack(("failed", said[0], traceback.format_exc()))


def _results(outcome: tuple[Any, ...], label: str) -> list[Any]:
    if outcome[0] == "results":
        results: list[Any] = outcome[1]
        return results
    _, reason, said = outcome
    error: HelikonError = reason if outcome[0] == "refused" else EngineError(f"{label} failed", got=reason)
    error.add_note(f"In the worker:\n{said}")
    raise error


def _reporter(groups: list[slice], progress: Callable[[int, int], None] | None) -> Callable[[int], None]:
    """Turn the number of ended tasks into items done, told when it grows."""
    n_items, told = groups[-1].stop, 0

    def report(n_ended: int) -> None:
        nonlocal told
        done = n_items * min(n_ended, len(groups)) // len(groups)
        if progress is not None and done > told:
            told = done
            progress(done, n_items)

    return report
