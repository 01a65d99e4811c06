"""What the demo shows: progress on standard error, and the report."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

__all__ = ["progress_bar", "report_text", "spinner"]


@contextlib.contextmanager
def progress_bar(label: str, n_total: int) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on a terminal; yields what moves it: called with how many are done, and of how many."""
    console = Console(stderr=True)
    columns = TextColumn("      {task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(label, total=n_total)
        yield lambda n_done, n_all: bar.update(task, completed=n_done, total=n_all)


@contextlib.contextmanager
def spinner(label: str) -> Iterator[None]:
    """Show that something goes on, on a terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    with console.status(f"      {label}"):
        yield


def report_text(report: dict[str, Any]) -> str:
    """Write the report for reading: counts for each class, noise, and the score where the truth is known."""
    lines = [f"{name:<24}{count:>6}" for name, count in {"class": "n", **report["counts"]}.items()]
    lines += ["", f"median noise {report['median_noise_jy_per_beam'] * 1e6:.1f} uJy/beam"]
    if "score" in report:
        lines += ["", "against the truth:", report["score"]["text"]]
    return "\n".join(lines) + "\n"
