"""``helikon space``: its commands, each imported when it is used."""

import importlib
from typing import Any

import click

__all__ = ["space"]

TARGETS = {
    "find": ("helikon.space.find_command:find", "Find, classify and measure the sources of a map."),
    "classify": (
        "helikon.space.classify_command:classify",
        "Classify another finder's catalogue of a map.",
    ),
    "simulate": ("helikon.space.simulate_command:simulate", "Make up a radio sky with its truth."),
    "evaluate": ("helikon.space.evaluate_command:evaluate", "Score the finder on made-up skies."),
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

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in TARGETS.items()])


@click.group(cls=_Commands)
def space(**_: Any) -> None:
    """Find, classify and measure sources in radio maps.

    \b
    Examples:
      helikon space find map.fits --out out
      helikon space simulate --seed 7 --out sky
    """
