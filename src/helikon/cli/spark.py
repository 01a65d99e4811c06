"""``helikon spark``: Spark applications, and what past ones did."""

import dataclasses
from typing import TYPE_CHECKING

import click

from helikon.backends import connect, wait
from helikon.cli.output import as_json_option, echo_json, echo_table, local_time, settings_of

if TYPE_CHECKING:
    from helikon.spark.event_story import Application, Stage

__all__ = ["spark"]

_LONGEST = 60


@click.group()
def spark() -> None:
    """Submit Spark applications, and look at past ones."""


@spark.command()
@click.argument("application")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.option("--name", help="The job's name (default: the application's, with the time).")
@click.option(
    "--conf", "pairs", multiple=True, metavar="KEY=VALUE", help="An option of Spark, as often as wanted."
)
@click.option("--detach", is_flag=True, help="Print the job's name and return; the job goes on.")
@click.pass_context
def submit(
    context: click.Context,
    application: str,
    arguments: tuple[str, ...],
    name: str | None,
    pairs: tuple[str, ...],
    detach: bool,
) -> None:
    """Run a Spark application as a job and follow its log.

    APPLICATION is a Python file, or module:function. What follows -- is given
    to it. Ctrl-C stops the job. On a terminal its stages are bars, else lines
    of the log.

    \b
    Example:
      helikon spark submit examples/source_counts.py -- --sources 1000000
      helikon spark submit prepare.py --conf spark.sql.shuffle.partitions=8 --detach
    """
    from helikon.cli.stage_bars import echo_log
    from helikon.spark.submit import read_conf, spark_job

    settings = settings_of(context)
    backend = connect(settings)
    job = backend.start(spark_job(settings, application, arguments, name=name, conf=read_conf(pairs)))
    if detach:
        click.echo(job)
        return
    click.echo(f"helikon: job {job}", err=True)
    try:
        echo_log(backend.logs(job, follow=True))
    except KeyboardInterrupt:
        backend.stop(job)
        raise
    wait(backend, job)


@spark.command()
@click.argument("name", required=False)
@as_json_option
@click.pass_context
def history(context: click.Context, name: str | None, as_json: bool) -> None:
    """Show past applications, or the stages of one, from Spark's event logs.

    NAME is a job's, a session's, or Spark's own identifier; the newest of a
    name is shown. An application whose log has no end still runs, or was
    killed: it is unfinished.

    \b
    Example:
      helikon spark history
      helikon spark history source-counts --json
    """
    from helikon.spark.events import find_application, past_applications

    settings = settings_of(context)
    if name is not None:
        _echo_application(find_application(settings, name), as_json)
        return
    found = past_applications(settings)
    if as_json:
        echo_json([_facts(one) for one in found])
        return
    columns = ("NAME", "ID", "STATE", "STARTED", "DURATION", "JOBS", "STAGES", "TASKS", "FAILED", "CAUSE")
    echo_table(columns, [_row(one) for one in found], "there is no event log yet")


def _facts(one: "Application") -> dict[str, object]:
    counts = {"n_tasks": one.n_tasks, "n_failed_tasks": one.n_failed_tasks}
    return dataclasses.asdict(one) | counts


def _row(one: "Application") -> tuple[object, ...]:
    counts = (one.n_jobs, len(one.stages), one.n_tasks, one.n_failed_tasks)
    return one.name, one.id, one.state, local_time(one.started), _s(one.duration_s), *counts, _cut(one.cause)


def _echo_application(one: "Application", as_json: bool) -> None:
    if as_json:
        echo_json(_facts(one))
        return
    facts = (
        ("name", one.name),
        ("id", one.id),
        ("state", one.state),
        ("owner", one.owner),
        ("started", local_time(one.started)),
        ("duration", _s(one.duration_s)),
        ("cause", one.cause),
    )
    for label, value in facts:
        if value:
            click.echo(f"{label:<9} {value}")
    columns = ("STAGE", "NAME", "STATE", "TASKS", "FAILED", "DURATION", "MEDIAN TASK", "LONGEST", "CAUSE")
    click.echo()
    echo_table(columns, [_stage_row(stage) for stage in one.stages], "no stage was begun")


def _stage_row(stage: "Stage") -> tuple[object, ...]:
    number = f"{stage.number}.{stage.attempt}" if stage.attempt else str(stage.number)
    tasks = f"{stage.n_done}/{stage.n_tasks}"
    times = _s(stage.duration_s), _s(stage.median_task_s), _s(stage.longest_task_s)
    return number, _cut(stage.name), stage.state, tasks, stage.n_failed, *times, _cut(stage.cause)


def _s(seconds: float | None) -> str | None:
    return None if seconds is None else f"{seconds:.3g} s" if seconds < 100 else f"{seconds:.0f} s"


def _cut(text: str | None) -> str | None:
    return text if text is None or len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
