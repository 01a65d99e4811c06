"""``helikon space evaluate``: score a catalogue against the truth of a made-up sky."""

import dataclasses
import math
from pathlib import Path
from typing import Any

import click

from helikon.cli.output import as_json_option, echo_json

__all__ = ["evaluate"]


@click.command()
@click.argument("catalogue", metavar="CATALOGUE", type=click.Path(path_type=Path))
@click.option(
    "--truth",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder that `helikon space simulate` wrote.",
)
@click.option(
    "--plot",
    type=click.Path(path_type=Path),
    help="Also draw the curves to this PNG; its folder is made if need be.",
)
@as_json_option
def evaluate(catalogue: Path, truth: Path, plot: Path | None, as_json: bool) -> None:
    """Score CATALOGUE (VOTable or FITS table with ra and dec) on a made-up sky.

    Prints completeness, reliability, classes, and flux densities against the truth.

    \b
    Example:
      helikon space evaluate sky/sources.vot --truth sky --plot sky/score.png
    """
    from helikon.space.evaluation.plot import plot_score
    from helikon.space.evaluation.score import score
    from helikon.space.skies.files import read_catalogue, read_sky

    result = score(read_catalogue(catalogue), read_sky(truth))
    if plot is not None:
        plot_score({catalogue.stem: result}, plot)
    if as_json:
        echo_json(_finite(dataclasses.asdict(result)))
    else:
        click.echo(str(result))


def _finite(value: Any) -> Any:
    """Turn NaN and infinity into null, which JSON has."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
