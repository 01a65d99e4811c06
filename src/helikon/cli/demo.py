"""``helikon demo``: the main job through every service."""

from pathlib import Path

import click

from helikon.apps import find_apps, load
from helikon.cli.output import settings_of
from helikon.errors import NotFound

__all__ = ["demo"]


@click.command()
@click.option(
    "--map", "map_path", type=click.Path(path_type=Path), help="Your own map instead of a made-up one."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("demo"),
    show_default=True,
    help="Folder for the results; the state folder is made in it.",
)
@click.option("--app", default="space", show_default=True, help="The application whose demo is run.")
@click.option("--training-seconds", default=60.0, show_default=True, help="How long the network is trained.")
@click.option("--trials", default=8, show_default=True, help="How many sets of thresholds are tried.")
@click.option("--seed", default=2026, show_default=True, help="Seed of the made-up map.")
@click.pass_context
def demo(
    context: click.Context,
    map_path: Path | None,
    out: Path,
    app: str,
    training_seconds: float,
    trials: int,
    seed: int,
) -> None:
    """Run the main job through every service: Spark, torchrun, MLflow, BentoML.

    Everything that it starts is stopped again. Run it again after it was
    killed and the training goes on from its last checkpoint.

    \b
    Example:
      helikon demo --map my_field.fits --out my_field
    """
    apps = find_apps()
    if app not in apps or not apps[app].demo:
        offering = ", ".join(name for name, known in apps.items() if known.demo)
        raise NotFound(
            "no application of that name has a demo", got=repr(app), expected=offering or "none is installed"
        )
    load(apps[app].demo)(
        settings_of(context),
        out,
        map_path=map_path,
        training_seconds=training_seconds,
        n_trials=trials,
        seed=seed,
    )
