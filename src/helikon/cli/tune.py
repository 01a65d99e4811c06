"""``helikon tune``: search hyper-parameters with Spark and Optuna."""

import re
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from helikon.cli.output import as_json_option, echo_json, echo_table, settings_of

if TYPE_CHECKING:
    import optuna
    from rich.progress import Progress

    from helikon.spark.study import StudyUpdate

__all__ = ["tune"]

_N_SHOWN = 10
_SAMPLERS = ("tpe", "random", "qmc", "nsga2", "gp")
_PRUNERS = ("median", "hyperband", "halving", "none")


@click.command()
@click.argument("objective")
@click.option("--trials", "n_trials", default=20, show_default=True, help="Trials the study has in the end.")
@click.option("--workers", "n_workers", default=2, show_default=True, help="Trials at a time.")
@click.option("--study", help="Name of the study (default: the objective's).")
@click.option(
    "--sampler",
    type=click.Choice(_SAMPLERS),
    default="tpe",
    show_default=True,
    help="How parameters are chosen.",
)
@click.option(
    "--pruner",
    type=click.Choice(_PRUNERS),
    default="median",
    show_default=True,
    help="When a trial is given up early.",
)
@click.option(
    "--direction",
    "directions",
    type=click.Choice(["maximize", "minimize"]),
    multiple=True,
    default=("maximize",),
    show_default=True,
    help="Once for each value of the objective.",
)
@click.option("--seed", type=int, help="Seed of the sampler; repeats a search of one worker.")
@click.option("--timeout", "timeout_s", type=float, help="Seconds after which no trial is begun.")
@click.option("--resume", is_flag=True, help="Go on with the study if it is there.")
@as_json_option
@click.pass_context
def tune(
    context: click.Context,
    objective: str,
    n_trials: int,
    n_workers: int,
    study: str | None,
    sampler: str,
    pruner: str,
    directions: tuple[str, ...],
    seed: int | None,
    timeout_s: float | None,
    resume: bool,
    as_json: bool,
) -> None:
    """Search the parameters of an objective, a function of an Optuna trial.

    OBJECTIVE is one that an application offers (space/thresholds), or
    module:function, or file.py:function. The study is kept in the state folder
    and in MLflow; --resume goes on where it ended, however it ended.

    \b
    Example:
      helikon tune space/thresholds --trials 40
      helikon tune my_objective.py:loss --direction minimize --study loss-1
      helikon tune my_objective.py:loss --direction minimize --study loss-1 --trials 80 --resume
    """
    from helikon.spark.targets import load_objective
    from helikon.spark.tune import tune as run

    with _Progress() as progress:
        found = run(
            load_objective(objective),
            settings_of(context),
            n_trials=n_trials,
            n_workers=n_workers,
            study_name=study or _name(objective),
            directions=directions,
            sampler=_sampler(sampler, seed),
            pruner=_pruner(pruner),
            timeout_s=timeout_s,
            resume=resume,
            on_update=progress.update,
        )
    _print(found, as_json)


def _name(objective: str) -> str:
    return re.sub(r"[^A-Za-z0-9_]+", "-", objective.removesuffix(".py")).strip("-")


def _sampler(name: str, seed: int | None) -> Any:
    from optuna import samplers

    made: dict[str, Callable[[], Any]] = {
        "tpe": lambda: samplers.TPESampler(seed=seed),
        "random": lambda: samplers.RandomSampler(seed=seed),
        "qmc": lambda: samplers.QMCSampler(seed=seed, warn_independent_sampling=False),
        "nsga2": lambda: samplers.NSGAIISampler(seed=seed),
        "gp": lambda: samplers.GPSampler(seed=seed),
    }
    return made[name]()


def _pruner(name: str) -> Any:
    from optuna import pruners

    made: dict[str, Callable[[], Any]] = {
        "median": pruners.MedianPruner,
        "hyperband": pruners.HyperbandPruner,
        "halving": pruners.SuccessiveHalvingPruner,
        "none": pruners.NopPruner,
    }
    return made[name]()


class _Progress:
    """A bar on a terminal's stderr, else a line whenever trials have ended."""

    def __enter__(self) -> "_Progress":
        self._bar = _bar() if sys.stderr.isatty() else None
        self._n_told = 0
        if self._bar is not None:
            self._bar.start()
            self._task = self._bar.add_task("starting Spark", total=None)
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def update(self, update: "StudyUpdate") -> None:
        """Show how far the study is."""
        if self._bar is not None:
            self._bar.update(
                self._task, total=update.n_trials, completed=update.n_ended, description=_said(update)
            )
        elif update.n_ended > self._n_told:
            click.echo(f"{update.n_ended} of {update.n_trials} trials, {_said(update)}", err=True)
        self._n_told = update.n_ended


def _bar() -> "Progress":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("trials"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, TextColumn("{task.description}"), console=Console(stderr=True))


def _said(update: "StudyUpdate") -> str:
    counts = f"{update.n_pruned} pruned, {update.n_failed} failed"
    return counts if update.best_value is None else f"{counts}, best {update.best_value:.6g}"


def _print(study: "optuna.Study", as_json: bool) -> None:
    from optuna.trial import TrialState

    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if len(study.directions) > 1:
        best = study.best_trials
    else:
        upwards = study.direction.name == "MAXIMIZE"
        best = sorted(complete, key=lambda trial: trial.value, reverse=upwards)[:_N_SHOWN]
    if as_json:
        echo_json([{"number": t.number, "values": t.values, "params": t.params} for t in best])
        return
    names = sorted({name for trial in best for name in trial.params})
    rows = [
        (t.number, *(f"{value:.6g}" for value in t.values), *(_short(t.params.get(name)) for name in names))
        for t in best
    ]
    values = ["VALUE"] if len(study.directions) == 1 else [f"VALUE {i}" for i in range(len(study.directions))]
    echo_table(("TRIAL", *values, *names), rows, "no trial is complete")


def _short(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
