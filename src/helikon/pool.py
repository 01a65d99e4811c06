"""The same call for many items, in processes of this machine."""

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

__all__ = ["run_here", "run_in_processes"]

Told = Callable[[int, int], None]
"""Called with the number of items done, and of all."""


def run_here(function: Callable[[Any], Any], items: Sequence[Any], told: Told) -> list[Any]:
    """Return ``[function(item) for item in items]``, one after the other, in this process."""
    found = []
    for n_done, item in enumerate(items, start=1):
        found.append(function(item))
        told(n_done, len(items))
    return found


def run_in_processes(
    function: Callable[[Any], Any], items: Sequence[Any], told: Told, *, n_processes: int
) -> list[Any]:
    """Return ``[function(item) for item in items]``, worked out in up to ``n_processes`` processes.

    They are forked from a server that has imported the function's module and
    has no threads; they end when this process does, however it ends.

    Parameters
    ----------
    function : callable
        Of a module that can be imported, or a ``functools.partial`` of one.
    told : callable
        Called with the number of items done, and of all.

    Raises
    ------
    HelikonError
        The first that the function raised.
    EngineError
        If a process was killed.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([_module(function)])
    n_workers = max(1, min(n_processes, len(items)))
    with ProcessPoolExecutor(n_workers, mp_context=context, initializer=_start) as pool:
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


def _module(function: Callable[[Any], Any]) -> str:
    while isinstance(function, functools.partial):
        function = function.func
    return str(function.__module__)


def _start() -> None:
    """Leave Ctrl-C to the parent, and end with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
