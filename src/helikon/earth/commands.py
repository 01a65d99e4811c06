"""``helikon earth``: its commands, each imported when it is used."""

import click

from helikon.cli.lazy import LazyGroup

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


@click.group(cls=LazyGroup, targets=TARGETS)
def earth() -> None:
    """Prepare satellite scenes for neural networks, and map what models say.

    \b
    Examples:
      helikon earth prepare LC09_L2SP_029030_20240712/ --index ndvi --out ndvi
      helikon earth prepare search.json --composite median --period month --out s3://chips/2024
      helikon earth predict land-cover --chips cube --out map
    """
