"""``helikon space``: its commands, each imported when it is used."""

import click

from helikon.cli.lazy import LazyGroup

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


@click.group(cls=LazyGroup, targets=TARGETS)
def space() -> None:
    """Find, classify and measure sources in radio maps.

    \b
    Examples:
      helikon space find map.fits --out out
      helikon space simulate --seed 7 --out sky
    """
