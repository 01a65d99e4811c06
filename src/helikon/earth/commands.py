"""``helikon earth``: its commands, each imported when it is used."""

import importlib
from typing import Any

import click

__all__ = ["earth"]

TARGETS = {
    "prepare": (
        "helikon.earth.prepare_command:prepare",
        "Turn scenes into calibrated, masked, composited chips and images.",
    ),
    "predict": (
        "helikon.earth.predict_command:predict",
        "Map what a model says of prepared chips.",
    ),
}


class _Commands(click.Group):
    """A group that imports a command when it is called for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order written."""
        return list(TARGETS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in TARGETS:
            return None
        module, _, attribute = TARGETS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: Any) -> None:
        """Write the help without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in TARGETS.items()])


@click.group(cls=_Commands)
def earth() -> None:
    """Prepare satellite scenes for neural networks, and map what models say.

    \b
    Examples:
      helikon earth prepare LC09_L2SP_029030_20240712/ --index ndvi --out ndvi
      helikon earth prepare search.json --composite median --period month --out s3://chips/2024
      helikon earth predict land-cover --chips cube --out map
    """
