"""Lines of a growing file, whatever is in it."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

__all__ = ["lines"]


def lines(
    path: Path, *, is_growing: Callable[[], bool] = lambda: False, interval_s: float = 0.2
) -> Iterator[str]:
    """Yield the lines of a file without line ends; wait for more while it grows.

    A line is yielded when it is complete, or at the end. What is not UTF-8
    is replaced.

    Parameters
    ----------
    path : Path
        The file; nothing is yielded if it is not there.
    is_growing : callable
        Asked before each look at the file; when it says no, that look is the last.
    interval_s : float
        Seconds between two looks.
    """
    if not path.exists():
        return
    with path.open("rb") as file:
        rest = b""
        while True:
            more_may_come = is_growing()
            while block := file.read(1 << 16):
                *complete, rest = (rest + block).split(b"\n")
                yield from (_text(line) for line in complete)
            if not more_may_come:
                break
            time.sleep(interval_s)
        if rest:
            yield _text(rest)


def _text(line: bytes) -> str:
    return line.decode(errors="replace").rstrip("\r")
