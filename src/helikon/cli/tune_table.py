"""A study on the terminal: how far it is, and its best trials, while it runs and at the end."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from helikon.cli.output import echo_json, echo_table

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from helikon.spark.study import BestTrial, StudyUpdate

__all__ = ["LiveTable", "echo_best"]

_N_SHOWN, _N_PARAMETERS = 5, 6


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


def echo_best(best: "Sequence[BestTrial]", n_values: int, *, as_json: bool) -> None:
    """Print the best trials on standard output, as a table or as JSON."""
    if as_json:
        echo_json([{"number": t.number, "values": t.values, "params": dict(t.params)} for t in best])
        return
    columns, rows = _table(best, n_values)
    echo_table(columns, rows, "no trial is complete")


def _drawn(update: "StudyUpdate", seconds: float) -> "RenderableType":
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    counts = f"{update.n_ended} of {update.n_trials} trials, {update.n_running} running, {_said(update)}"
    bar = ProgressBar(total=max(1, update.n_trials), completed=update.n_ended, width=40)
    head = Table.grid(padding=(0, 1))
    head.add_row(bar, Text(f"{counts}, {seconds:.0f} s"))
    if not update.best:
        return head
    columns, rows = _table(update.best[:_N_SHOWN], len(update.best[0].values), _N_PARAMETERS)
    table = Table(title=f"best trials of {update.name}", title_justify="left", expand=False)
    for column in columns:
        table.add_column(Text(column))
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    return Group(head, table)


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
