"""A Spark application's log on a terminal: its stages as bars, everything else as it is."""

import re
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

__all__ = ["echo_log"]

_STAGE = re.compile(r"stage (\d+) \((.*)\): (\d+) of (\d+) tasks(?:, (\d+) failed)?$")
_LONGEST = 40


def echo_log(lines: Iterable[str], console: "Console | None" = None) -> None:
    """Print an application's log; where standard error is a terminal, its stages are bars there.

    Parameters
    ----------
    lines : iterable of str
        Of the log, as they come.
    console : Console, optional
        Where bars are drawn; standard error by default.
    """
    from rich.console import Console

    console = console or Console(stderr=True)
    if not console.is_terminal:
        for line in lines:
            click.echo(line)
        return
    with _progress(console) as progress:
        bars: dict[str, TaskID] = {}
        for line in lines:
            if (stage := _STAGE.match(line)) is not None:
                _show(progress, bars, stage)
            else:
                _print(progress, line)


def _progress(console: "Console") -> "Progress":
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("tasks"), TimeElapsedColumn())
    name = TextColumn("stage {task.fields[number]} {task.description}", markup=False)
    failed = TextColumn("{task.fields[failed]}", style="red")
    return Progress(name, *columns, failed, console=console, redirect_stdout=False, redirect_stderr=False)


def _show(progress: "Progress", bars: "dict[str, TaskID]", stage: re.Match[str]) -> None:
    number, name, n_done, n_tasks, n_failed = stage.groups()
    if number not in bars:
        bars[number] = progress.add_task(_short(name), total=int(n_tasks), number=number, failed="")
    failed = f"{n_failed} failed" if n_failed else ""
    progress.update(bars[number], completed=int(n_done), total=int(n_tasks), failed=failed)


def _print(progress: "Progress", line: str) -> None:
    """Print a line above the bars, on standard output where that is another place."""
    if sys.stdout.isatty():
        progress.console.print(line, markup=False, highlight=False, soft_wrap=True)
    else:
        click.echo(line)


def _short(name: str) -> str:
    """Shorten ``collect at /long/path/app.py:12`` to ``collect at app.py:12``."""
    name = re.sub(r" at \S*/", " at ", name)
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"
