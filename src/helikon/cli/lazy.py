"""Click groups whose commands are imported when they are used."""

from collections.abc import Mapping
from typing import Any

import click

from helikon.apps import find_apps, load

__all__ = ["AppGroup", "LazyGroup"]


class LazyGroup(click.Group):
    """A group that knows its commands by ``module:attribute`` and a line of help.

    Parameters
    ----------
    targets : Mapping[str, tuple[str, str]]
        Command name to (``module:attribute``, summary).
    """

    def __init__(
        self, *args: Any, targets: Mapping[str, tuple[str, str]] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._targets = dict(targets or {})

    def _known(self) -> dict[str, tuple[str, str]]:
        return self._targets

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order written."""
        return [*self._known(), *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in self._known():
            return super().get_command(ctx, cmd_name)
        command: click.Command = load(self._known()[cmd_name][0])
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in self._known().items()])


class AppGroup(LazyGroup):
    """A lazy group that has the commands of all applications too, after its own."""

    def _known(self) -> dict[str, tuple[str, str]]:
        return super()._known() | {app.name: (app.commands, app.summary) for app in find_apps().values()}
