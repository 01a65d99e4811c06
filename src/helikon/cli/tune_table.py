"""A study on the terminal: how far it is, and its best trials, while it runs and at the end."""

import dataclasses
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from helikon.cli.output import echo_json, echo_table

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from helikon.spark.failures import Failure
    from helikon.spark.study import BestTrial, StudyUpdate

__all__ = ["LiveTable", "echo_failures", "echo_study"]

_N_SHOWN, _N_PARAMETERS, _N_CAUSES = 5, 6, 5


class LiveTable:
    """The best trials and a bar on a terminal's standard error; elsewhere a line when trials have ended.

    Parameters
    ----------
    console : Console, optional
        Where it is drawn.
    """

    def __init__(self, console: "Console | None" = None) -> None:
        from rich.console import Console
        from rich.live import Live

        self._console = console or Console(stderr=True)
        self._live = Live(console=self._console, refresh_per_second=5, transient=True)
        self._n_told, self._began = 0, time.monotonic()

    def __enter__(self) -> "LiveTable":
        if self._console.is_terminal:
            self._live.start()
            self._live.update("starting Spark …")
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def update(self, update: "StudyUpdate") -> None:
        """Show how far the study is."""
        if self._console.is_terminal:
            self._live.update(_drawn(update, time.monotonic() - self._began))
        elif update.n_ended > self._n_told:
            counts = f"{update.n_ended} of {update.n_trials} trials"
            click.echo(f"{counts}, {_said(update)}", err=True)
        self._n_told = update.n_ended


def echo_study(update: "StudyUpdate", n_values: int, *, as_json: bool) -> None:
    """Print the best trials on standard output, as a table or as JSON with the counts and the failures."""
    if as_json:
        best = [{"number": t.number, "values": t.values, "params": dict(t.params)} for t in update.best]
        counts = {key: getattr(update, key) for key in ("n_complete", "n_pruned", "n_failed")}
        failed = [dataclasses.asdict(failure) for failure in update.failures]
        echo_json({"study": update.name, **counts, "best": best, "failed": failed})
        return
    columns, rows = _table(update.best, n_values)
    echo_table(columns, rows, "no trial is complete")


def echo_failures(update: "StudyUpdate") -> None:
    """Say on standard error why trials failed, a line for each of the commonest causes."""
    if not update.failures:
        return
    n_trials = f"{update.n_ended} trial{'s' if update.n_ended > 1 else ''}"
    click.echo(f"{update.n_failed} of {n_trials} failed:", err=True)
    for failure in update.failures[:_N_CAUSES]:
        click.echo(f"  {_blamed(failure)}", err=True)
    if len(update.failures) > _N_CAUSES:
        click.echo(f"  and {len(update.failures) - _N_CAUSES} causes more; --json tells them all", err=True)


def _blamed(failure: "Failure") -> str:
    """Write which trials failed of what."""
    shown = ", ".join(str(number) for number in failure.trials[:_N_SHOWN])
    n_more = len(failure.trials) - _N_SHOWN
    plural = "s" if len(failure.trials) > 1 else ""
    return f"trial{plural} {shown}{f' and {n_more} more' if n_more > 0 else ''}: {failure.cause}"


def _drawn(update: "StudyUpdate", seconds: float) -> "RenderableType":
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    counts = f"{update.n_ended} of {update.n_trials} trials, {update.n_running} running, {_said(update)}"
    bar = ProgressBar(total=max(1, update.n_trials), completed=update.n_ended, width=40)
    head = Table.grid(padding=(0, 1))
    head.add_row(bar, Text(f"{counts}, {seconds:.0f} s"))
    why = [Text(_blamed(failure), style="red") for failure in update.failures[:1]]
    if not update.best:
        return Group(head, *why)
    columns, rows = _table(update.best[:_N_SHOWN], len(update.best[0].values), _N_PARAMETERS)
    table = Table(title=f"best trials of {update.name}", title_justify="left", expand=False)
    for column in columns:
        table.add_column(Text(column))
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    return Group(head, table, *why)


def _table(
    best: "Sequence[BestTrial]", n_values: int, n_parameters: int | None = None
) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
    names = sorted({name for trial in best for name, _ in trial.params})[:n_parameters]
    values = ["VALUE"] if n_values == 1 else [f"VALUE {i}" for i in range(n_values)]
    rows = []
    for trial in best:
        params = dict(trial.params)
        shown = (_short(params.get(name, "-")) for name in names)
        rows.append((trial.number, *(f"{value:.6g}" for value in trial.values), *shown))
    return ("TRIAL", *values, *names), rows


def _said(update: "StudyUpdate") -> str:
    counts = f"{update.n_pruned} pruned, {update.n_failed} failed"
    return counts if update.best_value is None else f"{counts}, best {update.best_value:.6g}"


def _short(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
