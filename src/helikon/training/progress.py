"""How a training run tells how far it is: a bar on a terminal, else a line now and then."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["ON_THE_SIDE", "describe", "showing"]

ON_THE_SIDE = {"step", "progress", "elapsed_s", "learning_rate"}
"""Keys of a record that are not figures to show."""
_LINE_EVERY_S = 5.0


@contextlib.contextmanager
def showing(label: str, console: "Console | None" = None) -> Iterator[Callable[[Mapping[str, float]], None]]:
    """Yield a function that shows a record of ``metrics.jsonl``.

    Parameters
    ----------
    label : str
        What is trained.
    console : Console, optional
        Where to; standard error by default. A bar if it is a terminal, else
        a line every five seconds.
    """
    if console.is_terminal if console else sys.stderr.isatty():
        with _bar(label, console) as show:
            yield show
    else:
        yield _lines(label, console)


def describe(record: Mapping[str, float]) -> str:
    """Write a record as one line: ``step 120, 35 s: loss 0.41, completeness 0.83``."""
    figures = ", ".join(
        f"{key.replace('_per_s', '/s').replace('_', ' ')} {value:.3g}"
        for key, value in record.items()
        if key not in ON_THE_SIDE
    )
    head = f"step {record.get('step', 0):.0f}, {record.get('elapsed_s', 0.0):.0f} s"
    return f"{head}: {figures}" if figures else head


@contextlib.contextmanager
def _bar(label: str, console: "Console | None") -> Iterator[Callable[[Mapping[str, float]], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:3.0f} %"))
    with Progress(
        *columns,
        TimeRemainingColumn(),
        TextColumn("{task.fields[figures]}"),
        console=console or Console(stderr=True),
    ) as bar:
        task = bar.add_task(label, total=1.0, figures="starting")

        def show(record: Mapping[str, float]) -> None:
            bar.update(task, completed=record.get("progress", 0.0), figures=describe(record))

        yield show


def _lines(label: str, console: "Console | None") -> Callable[[Mapping[str, float]], None]:
    last = -_LINE_EVERY_S

    def show(record: Mapping[str, float]) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < _LINE_EVERY_S and record.get("progress", 0.0) < 1.0:
            return
        last = now
        line = f"{label}: {100 * record.get('progress', 0.0):.0f} %, {describe(record)}"
        if console:
            console.print(line, highlight=False, markup=False, soft_wrap=True)
        else:
            sys.stderr.write(line + "\n")

    return show
