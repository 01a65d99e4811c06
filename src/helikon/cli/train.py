"""``helikon train``: run a training recipe in several processes."""

from typing import TYPE_CHECKING, Literal, cast

import click

from helikon.cli.output import as_json_option, echo_json, settings_of

if TYPE_CHECKING:
    from helikon.settings import Settings
    from helikon.workload import TrainingJob

__all__ = ["train"]


@click.command()
@click.argument("recipe")
@click.option(
    "-p", "--processes", type=click.IntRange(min=1), default=1, show_default=True, help="How many processes."
)
@click.option(
    "-o",
    "--option",
    "options",
    multiple=True,
    metavar="KEY=VALUE",
    help="An option of the recipe; repeatable.",
)
@click.option("--name", help="Of the job; by default made of recipe, options and processes.")
@click.option("--detach", is_flag=True, help="Return when the job has started, and leave it running.")
@click.option(
    "--engine",
    type=click.Choice(["torchrun", "horovod"]),
    default="torchrun",
    show_default=True,
    help="What starts the processes.",
)
@as_json_option
@click.pass_context
def train(
    context: click.Context,
    *,
    recipe: str,
    processes: int,
    options: tuple[str, ...],
    name: str | None,
    detach: bool,
    engine: str,
    as_json: bool,
) -> None:
    """Train a recipe, APP/RECIPE or module:function, and show how far it is.

    Ctrl-C stops the job; the same command again goes on from its last
    checkpoint. With --detach the job runs on by itself.

    \b
    Example:
      helikon train space/mask-rcnn --processes 2 --option time_limit_s=600
      helikon train space/mask-rcnn --name night --detach
      helikon job logs night --follow
    """
    from helikon.training.launch import training_job

    settings = settings_of(context)
    job = training_job(
        settings,
        recipe,
        options=dict(_pair(text) for text in options),
        n_processes=processes,
        name=name,
        engine=cast(Literal["torchrun", "horovod"], engine),
    )
    if detach:
        _start(settings, job, as_json)
    else:
        _run(settings, job, as_json)


def _start(settings: "Settings", job: "TrainingJob", as_json: bool) -> None:
    from helikon.backends import connect

    backend = connect(settings)
    backend.start(job)
    (status,) = backend.status(job.name)
    if as_json:
        echo_json(status)
    else:
        click.echo(f"{job.name}: {status.state} (helikon job logs {job.name} --follow)")


def _run(settings: "Settings", job: "TrainingJob", as_json: bool) -> None:
    from helikon.training.follow import run_job
    from helikon.training.progress import describe
    from helikon.training.records import read_result

    if _has_succeeded(settings, job):
        said = "has succeeded before and is not run again; if the recipe has changed, take another --name"
    else:
        said = "Ctrl-C stops it, the same command goes on with it"
    click.echo(f"helikon: job {job.name}; {said}", err=True)
    run_job(settings, job)
    result = read_result(settings.state_dir / "training" / job.name)
    if as_json:
        echo_json(result)
        return
    figures = {"step": result["step"], "elapsed_s": result["elapsed_s"], **result["metrics"]}
    click.echo(f"{job.name}: {describe(figures)}")
    click.echo(f"model: {result['model']}")
    click.echo(f"publish it with: helikon model publish {result['model']} --name NAME", err=True)


def _has_succeeded(settings: "Settings", job: "TrainingJob") -> bool:
    from helikon.backends import connect
    from helikon.workload import State

    return any(one.name == job.name and one.state is State.SUCCEEDED for one in connect(settings).status())


def _pair(text: str) -> tuple[str, str]:
    key, separator, value = text.partition("=")
    if not separator or not key:
        raise click.BadParameter(f"{text!r} is not KEY=VALUE", param_hint="--option")
    return key, value
