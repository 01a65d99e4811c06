"""``helikon spark``: Spark applications."""

import click

from helikon.backends import connect, wait
from helikon.cli.output import settings_of

__all__ = ["spark"]


@click.group()
def spark() -> None:
    """Submit Spark applications."""


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
    to it. Ctrl-C stops the job.

    \b
    Example:
      helikon spark submit examples/source_counts.py -- --sources 1000000
      helikon spark submit prepare.py --conf spark.sql.shuffle.partitions=8 --detach
    """
    from helikon.spark.submit import read_conf, spark_job

    settings = settings_of(context)
    backend = connect(settings)
    job = backend.start(spark_job(settings, application, arguments, name=name, conf=read_conf(pairs)))
    if detach:
        click.echo(job)
        return
    click.echo(f"helikon: job {job}", err=True)
    try:
        for line in backend.logs(job, follow=True):
            click.echo(line)
    except KeyboardInterrupt:
        backend.stop(job)
        raise
    wait(backend, job)
