"""Wait for something to become true, with a deadline instead of a sleep."""

import time
from collections.abc import Callable
from typing import TypeVar

__all__ = ["eventually"]

_T = TypeVar("_T")


def eventually(look: Callable[[], _T], *, timeout_s: float = 30.0, interval_s: float = 0.02) -> _T:
    """Return the first value of ``look()`` that counts as true.

    Raises
    ------
    AssertionError
        If none came in time; says what was seen last.
    """
    deadline = time.monotonic() + timeout_s
    while not (seen := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"did not come true within {timeout_s:g} s; last seen: {seen!r}")
        time.sleep(interval_s)
    return seen
