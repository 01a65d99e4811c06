"""``helikon tune``: search hyper-parameters with Spark and Optuna."""

import contextlib
import re
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from helikon.cli.output import as_json_option, settings_of
from helikon.spark.choices import PRUNERS, SAMPLERS

if TYPE_CHECKING:
    from helikon.settings import Settings

__all__ = ["tune"]


@click.command()
@click.argument("objective", required=False)
@click.option("--recipe", help="Tune a training recipe (APP/RECIPE or module:function) instead.")
@click.option(
    "--option",
    "fixed",
    multiple=True,
    metavar="KEY=VALUE",
    help="An option of the recipe that stays as it is.",
)
@click.option(
    "--search",
    "searched",
    multiple=True,
    metavar="KEY=RANGE",
    help="An option of the recipe that is searched: 1e-5..1e-2 log, 2..8, 2..8 int, or a,b,c.",
)
@click.option(
    "--first",
    "first",
    multiple=True,
    metavar="KEY=VALUE,...",
    help="Parameters of a trial before those that are sampled: what is known to be good. A name that the "
    "objective does not ask for, or a value out of its range, is refused.",
)
@click.option("--metric", help="The figure of the recipe's record that is the value (default: its loss).")
@click.option("--trials", "n_trials", default=20, show_default=True, help="Trials the study has in the end.")
@click.option("--workers", "n_workers", default=2, show_default=True, help="Trials at a time.")
@click.option("--study", help="Name of the study (default: the objective's).")
@click.option(
    "--sampler",
    type=click.Choice(list(SAMPLERS)),
    default="tpe",
    show_default=True,
    help="How parameters are chosen.",
)
@click.option(
    "--sampler-option",
    "sampler_options",
    multiple=True,
    metavar="KEY=VALUE",
    help="One of its own, as YAML.",
)
@click.option(
    "--pruner",
    type=click.Choice(list(PRUNERS)),
    default="median",
    show_default=True,
    help="When a trial is given up early.",
)
@click.option(
    "--pruner-option", "pruner_options", multiple=True, metavar="KEY=VALUE", help="One of its own, as YAML."
)
@click.option(
    "--direction",
    "directions",
    type=click.Choice(["maximize", "minimize"]),
    multiple=True,
    help="Once for each value (default: maximize an objective, minimize a recipe's loss).",
)
@click.option("--seed", type=int, help="Seed of the sampler; repeats a search of one worker.")
@click.option("--timeout", "timeout_s", type=float, help="Seconds after which no trial is begun.")
@click.option("--resume", is_flag=True, help="Go on with the study if it is there.")
@as_json_option
@click.pass_context
def tune(context: click.Context, /, **options: Any) -> None:
    """Search the parameters of an objective, a function of an Optuna trial.

    OBJECTIVE is one that an application offers (space/thresholds), or
    module:function, or file.py:function. With --recipe it is a training
    recipe, whose options are searched. The study is kept in the state folder
    and in MLflow with its plots; --resume goes on where it ended, however it
    ended. Ctrl-C and SIGTERM end it within seconds.

    \b
    Example:
      helikon tune space/thresholds --trials 40
      helikon tune my_objective.py:loss --direction minimize --study loss-1
      helikon tune my_objective.py:loss --direction minimize --study loss-1 --trials 80 --resume
      helikon tune my_objective.py:loss --direction minimize --first rate=0.01,depth=3
      helikon tune my_objective.py:both --direction maximize --direction minimize --sampler nsga2
      helikon tune --recipe space/mask-rcnn --option n_steps=200 --search "learning_rate=1e-5..1e-3 log"
    """
    from helikon.cli.tune_table import LiveTable, echo_failures, echo_study
    from helikon.spark.choices import make_pruner, make_sampler, read_options
    from helikon.spark.study import summarise
    from helikon.spark.tuning import tune as run

    settings = settings_of(context)
    name, objective, directions = _objective(settings, **options)
    sampler_options = read_options(options["sampler_options"])
    with _stopped_by_signals(), LiveTable() as table:
        study = run(
            objective,
            settings=settings,
            n_trials=options["n_trials"],
            n_workers=options["n_workers"],
            study_name=options["study"] or name,
            directions=directions,
            first=[read_options(one.split(",")) for one in options["first"]],
            sampler=make_sampler(options["sampler"], seed=options["seed"], options=sampler_options),
            pruner=make_pruner(options["pruner"], options=read_options(options["pruner_options"])),
            timeout_s=options["timeout_s"],
            resume=options["resume"],
            on_update=table.update,
        )
    told = summarise(study, 0)
    echo_failures(told)
    echo_study(told, len(directions), as_json=options["as_json"])


def _objective(settings: "Settings", **options: Any) -> tuple[str, Any, tuple[str, ...]]:
    """Return a name, the objective, and the directions, of a function or of a recipe."""
    from helikon.spark.objectives import recipe_objective
    from helikon.spark.targets import load_objective

    objective, recipe = options["objective"], options["recipe"]
    if (objective is None) == (recipe is None):
        raise click.UsageError("give either an OBJECTIVE or --recipe")
    if recipe is None:
        if options["fixed"] or options["searched"] or options["metric"]:
            raise click.UsageError("--option, --search and --metric belong to --recipe")
        return _name(objective), load_objective(objective), options["directions"] or ("maximize",)
    made = recipe_objective(
        settings, recipe, fixed=options["fixed"], searched=options["searched"], metric=options["metric"]
    )
    return _name(recipe), made, options["directions"] or ("minimize",)


def _name(objective: str) -> str:
    return re.sub(r"[^A-Za-z0-9_]+", "-", objective.removesuffix(".py")).strip("-")


@contextlib.contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """End by SIGTERM as by Ctrl-C, so that nothing is left running."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
