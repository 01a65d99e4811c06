"""How options of the command line become values: lists, bounds, shares."""

import contextlib
import functools
import sys
from collections.abc import Callable, Iterator
from typing import Any

import click

from helikon.earth.engines import ENGINES

__all__ = ["bounds", "engine_options", "floats", "show_progress", "words"]


def words(text: str) -> tuple[str, ...]:
    """Split ``red,nir``; ``none`` and nothing are no words."""
    return tuple(word.strip() for word in text.split(",") if word.strip() not in ("", "none"))


def floats(text: str, count: int, name: str) -> tuple[float, ...]:
    """Split numbers; a usage error if there are not ``count``."""
    try:
        found = tuple(float(word) for word in text.replace(",", " ").split())
    except ValueError:
        found = ()
    if len(found) != count:
        raise click.BadParameter(f"{text!r} is not {count} numbers", param_hint=name)
    return found


def bounds(text: str) -> Any:
    """Read ``first``, ``union`` or west, south, east, north."""
    return text if text in ("first", "union") else floats(text, 4, "--bounds")


def engine_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--engine`` and ``--processes``."""
    processes = click.option(
        "--processes",
        "n_processes",
        type=click.IntRange(min=1),
        show_default="the cores that may be used",
        help="Processes at a time for the local engine; each takes about half a gigabyte.",
    )
    engine = click.option(
        "--engine",
        type=click.Choice(ENGINES),
        default="local",
        show_default=True,
        help="Work in processes here, or in Spark's workers; both write the same bytes.",
    )
    return functools.reduce(lambda made, option: option(made), (processes, engine), command)


@contextlib.contextmanager
def show_progress() -> Iterator[Callable[[str, int, int], None]]:
    """Show a bar on stderr where that is a terminal; gives what is called with step, done and total."""
    if not sys.stderr.isatty():
        yield lambda step, n_done, n_total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("looking at scenes", total=None)

        def tell(step: str, n_done: int, n_total: int) -> None:
            bar.update(task, description=step, completed=n_done, total=n_total)

        yield tell
