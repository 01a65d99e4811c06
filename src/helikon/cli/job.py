"""``helikon job``: what runs, what ran, what it wrote, and how to end it."""

import collections
import time
from collections.abc import Iterable

import click

from helikon.backends import connect
from helikon.cli.output import as_json_option, echo_json, echo_table, local_time, settings_of
from helikon.workload import Status

__all__ = ["job"]


@click.group()
def job() -> None:
    """List, show, follow and stop jobs and model servers."""


@job.command("list")
@click.option("--alive", is_flag=True, help="Only those that run or are about to.")
@as_json_option
@click.pass_context
def list_jobs(context: click.Context, alive: bool, as_json: bool) -> None:
    """List all jobs and model servers, the newest last.

    \b
    Example:
      helikon job list --alive
    """
    found = [s for s in connect(settings_of(context)).status() if s.state.is_alive or not alive]
    if as_json:
        echo_json(found)
        return
    columns = ("NAME", "KIND", "STATE", "OWNER", "STARTED", "DURATION", "REMARK")
    echo_table(
        columns, [_row(status) for status in found], "nothing runs" if alive else "there is no job yet"
    )


@job.command()
@click.argument("name")
@as_json_option
@click.pass_context
def show(context: click.Context, name: str, as_json: bool) -> None:
    """Show all that is known of one job.

    \b
    Example:
      helikon job show train-mask-rcnn
    """
    (status,) = connect(settings_of(context)).status(name)
    if as_json:
        echo_json(status)
        return
    for label, value in _facts(status):
        if value not in (None, ""):
            click.echo(f"{label:<10} {value}")


@job.command()
@click.argument("name")
@click.option("-f", "--follow", is_flag=True, help="Go on until the job ends.")
@click.option("-n", "--lines", type=click.IntRange(min=0), help="Only the last so many lines.")
@click.pass_context
def logs(context: click.Context, name: str, follow: bool, lines: int | None) -> None:
    """Print what a job wrote, all its attempts.

    \b
    Example:
      helikon job logs train-mask-rcnn --follow
    """
    if follow and lines is not None:
        raise click.UsageError("--follow and --lines cannot be used together")
    backend = connect(settings_of(context))
    written: Iterable[str] = backend.logs(name, follow=follow)
    for line in written if lines is None else collections.deque(written, maxlen=lines):
        click.echo(line)
    if follow:
        (status,) = backend.status(name)
        click.echo(f"helikon: job {name} {_ending(status)}", err=True)


@job.command()
@click.argument("names", nargs=-1, required=True)
@click.pass_context
def stop(context: click.Context, names: tuple[str, ...]) -> None:
    """Stop jobs with all their processes, and return when they are gone.

    \b
    Example:
      helikon job stop train-mask-rcnn
    """
    backend = connect(settings_of(context))
    for before in backend.status(*names):
        backend.stop(before.name)
        (after,) = backend.status(before.name)
        click.echo(f"{after.name}: {'' if before.state.is_alive else 'not alive, it '}{_ending(after)}")


def _row(status: Status) -> tuple[object, ...]:
    remark = status.url or (status.cause or "")[:80]
    started = local_time(status.started)
    return status.name, status.kind, status.state, status.owner, started, _duration(status), remark


def _facts(status: Status) -> Iterable[tuple[str, object]]:
    yield from (("name", status.name), ("kind", status.kind), ("owner", status.owner))
    yield from (("state", status.state), ("cause", status.cause), ("exit code", status.exit_code))
    yield from (("url", status.url), ("model", status.model), ("attempt", status.attempt))
    yield from (("started", local_time(status.started)), ("ended", local_time(status.ended)))
    yield from (("duration", _duration(status)), ("log", f"helikon job logs {status.name}"))


def _duration(status: Status) -> str | None:
    """Write how long it ran, or has run: ``42 s``, ``3 min 05 s``, ``2 h 07 min``, ``3 d 04 h``."""
    if status.started is None or (status.ended is None and not status.state.is_alive):
        return None
    seconds = max(0, round((status.ended or time.time()) - status.started))
    for unit, length, smaller, part in (("d", 86400, "h", 3600), ("h", 3600, "min", 60), ("min", 60, "s", 1)):
        if seconds >= length:
            return f"{seconds // length} {unit} {seconds % length // part:02} {smaller}"
    return f"{seconds} s"


def _ending(status: Status) -> str:
    return f"{status.state}: {status.cause}" if status.cause else str(status.state)
