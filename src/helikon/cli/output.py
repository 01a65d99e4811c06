"""What every command prints with: settings, tables, JSON."""

import dataclasses
import json
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from helikon.settings import Settings

__all__ = ["as_json_option", "echo_json", "echo_table", "local_time", "settings_of"]

as_json_option: Callable[[Any], Any] = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def settings_of(context: click.Context) -> "Settings":
    """Load the settings that the root command's flags name."""
    from helikon.settings import load

    return load((context.obj or {}).get("config"))


def echo_json(value: Any) -> None:
    """Print dataclasses, lists and dictionaries as JSON on stdout."""
    click.echo(json.dumps(value, default=_plain, indent=1))


def echo_table(columns: Sequence[str], rows: Sequence[Sequence[object]], nothing: str) -> None:
    """Print a table on stdout, or say that there is ``nothing``."""
    if not rows:
        click.echo(nothing, err=True)
        return
    cells = [list(columns), *([("-" if value is None else str(value)) for value in row] for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(columns))]
    for row in cells:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def local_time(seconds: float | None) -> str | None:
    """Write Unix seconds as local ``YYYY-MM-DD HH:MM:SS``."""
    return None if seconds is None else time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return str(value)
