"""``helikon up | status | down``: the gateway on this machine."""

from typing import TYPE_CHECKING

import click

from helikon.cli.output import as_json_option, echo_json, echo_table, local_time, settings_of

if TYPE_CHECKING:
    from helikon.gateway.platform import Platform, PlatformStatus
    from helikon.settings import Settings
    from helikon.workload import Status

__all__ = ["down", "status", "up"]


@click.command()
@click.option("--new-password", is_flag=True, help="Give the account a new password and print it.")
@click.option("--s3", is_flag=True, help="Start an S3 server too, which s3:// then means on this machine.")
@as_json_option
@click.pass_context
def up(context: click.Context, new_password: bool, s3: bool, as_json: bool) -> None:
    """Start the gateway on this machine.

    JupyterHub, its proxy, the portal and MLflow behind one login. The first
    start makes the one account and prints its password, once. A second start
    says that it is up.

    \b
    Example:
      helikon up
      HELIKON_GATEWAY_PORT=8080 helikon up
      helikon up --new-password
      helikon up --s3
    """
    from helikon.gateway import platform

    settings = settings_of(context)
    if s3:
        objects = settings.objects.model_copy(update={"embedded": True})
        settings = settings.model_copy(update={"objects": objects})
    made = platform.new_password(settings) if new_password else None
    found = _up_with_spinner(settings)
    _echo_platform(found, made or found.password, platform.status(settings).objects_url, as_json)


@click.command()
@as_json_option
@click.pass_context
def status(context: click.Context, as_json: bool) -> None:
    """Say what runs: the gateway with its parts, jobs and model servers.

    \b
    Example:
      helikon status
      helikon status --json
    """
    from helikon.backends import connect
    from helikon.gateway import platform

    settings = settings_of(context)
    gateway, work = platform.status(settings), connect(settings).status()
    if as_json:
        echo_json({"platform": {**_facts(gateway)}, "workloads": work})
    else:
        _echo_gateway(gateway)
        _echo_objects(gateway)
        _echo_work(work)


@click.command()
@click.pass_context
def down(context: click.Context) -> None:
    """Stop the gateway with its notebooks; jobs and model servers go on.

    \b
    Example:
      helikon down
    """
    from helikon.backends import connect
    from helikon.gateway import platform

    settings = settings_of(context)
    was_up = platform.down(settings)
    click.echo("The gateway is down." if was_up else "The gateway was not up.")
    alive = [one.name for one in connect(settings).status() if one.state.is_alive]
    if alive:
        click.echo(f"Still running: {', '.join(alive)} (stop one with: helikon job stop NAME)", err=True)


def _up_with_spinner(settings: "Settings") -> "Platform":
    from rich.console import Console

    from helikon.gateway import platform

    console = Console(stderr=True)
    if not console.is_terminal:
        return platform.up(settings)
    with console.status("Starting the gateway …") as spinner:

        def show(now: "PlatformStatus") -> None:
            silent = [part.name for part in now.parts if not part.answers]
            spinner.update(f"Starting the gateway: waiting for {', '.join(silent)} …")

        return platform.up(settings, on_wait=show)


def _echo_platform(found: "Platform", password: str | None, s3: str | None, as_json: bool) -> None:
    if as_json:
        facts = {"url": found.url, "user": found.user, "password": password, "started": found.started}
        echo_json(facts | {"objects_url": s3})
        return
    click.echo("The gateway is up." if found.started else "The gateway is up already.")
    click.echo(f"  URL       {found.url}")
    click.echo(f"  user      {found.user}")
    if s3:
        click.echo(f"  S3        {s3}")
    if password:
        click.echo(f"  password  {password}   (shown this once; helikon up --new-password makes another)")


def _facts(gateway: "PlatformStatus") -> dict[str, object]:
    return {
        "state": gateway.state or "never started",
        "ready": gateway.is_ready,
        "url": gateway.url,
        "user": gateway.user,
        "started": gateway.started,
        "cause": gateway.cause,
        "parts": {part.name: part.answers for part in gateway.parts},
        "objects_url": gateway.objects_url,
    }


def _echo_gateway(gateway: "PlatformStatus") -> None:
    if gateway.url:
        silent = [part.name for part in gateway.parts if not part.answers]
        word = f"up, but {', '.join(silent)} does not answer" if silent else "up"
        since = local_time(gateway.started)
        click.echo(f"Gateway: {word} at {gateway.url} (user {gateway.user}, since {since})")
    else:
        cause = f": {gateway.cause}" if gateway.cause else ""
        click.echo(f"Gateway: {gateway.state or 'not started yet'}{cause} (helikon up starts it)")


def _echo_objects(gateway: "PlatformStatus") -> None:
    if gateway.objects_url:
        click.echo(f"Object storage: s3:// at {gateway.objects_url}")


def _echo_work(work: "list[Status]") -> None:
    columns = ("NAME", "KIND", "STATE", "OWNER", "STARTED", "ADDRESS OR CAUSE")
    rows = [
        (one.name, one.kind, one.state, one.owner, local_time(one.started), one.url or one.cause)
        for one in work
    ]
    if rows:
        click.echo()
    echo_table(columns, rows, "No jobs or model servers yet.")
