"""``helikon model``: publish, list, show, serve and stop models."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from helikon.cli.output import as_json_option, echo_json, echo_table, local_time, settings_of

if TYPE_CHECKING:
    from helikon.catalogue.models import Model

__all__ = ["model"]


@click.group()
def model() -> None:
    """Publish and serve models.

    \b
    Example:
      helikon model publish FOLDER --name radio-sources --service space/source-finder
      helikon model serve radio-sources
      helikon model list
    """


@model.command("list")
@as_json_option
@click.pass_context
def list_(context: click.Context, as_json: bool) -> None:
    """List all versions of all published models.

    \b
    Example:
      helikon model list
      helikon model list --json
    """
    from helikon.catalogue.models import list_models

    found = list_models(settings_of(context))
    if as_json:
        echo_json(found)
        return
    columns = ("NAME", "VERSION", "ALIASES", "SERVICE", "OWNER", "PUBLISHED", "SHA-256")
    rows = [
        (
            one.name,
            one.version,
            ", ".join(one.aliases) or None,
            one.service or None,
            one.owner or None,
            local_time(one.created),
            one.sha256[:12] or None,
        )
        for one in found
    ]
    echo_table(columns, rows, "No model is published yet (helikon model publish FOLDER --name NAME).")


@model.command()
@click.argument("uri", metavar="MODEL")
@as_json_option
@click.pass_context
def show(context: click.Context, uri: str, as_json: bool) -> None:
    """Show all that is known of one version.

    MODEL is NAME (its champion, else its newest version), NAME/VERSION or
    NAME@ALIAS.

    \b
    Example:
      helikon model show radio-sources
      helikon model show radio-sources/3 --json
    """
    from helikon.catalogue.models import find_model

    found = find_model(settings_of(context), uri)
    if as_json:
        echo_json(found)
        return
    for label, value in _facts(found):
        if value:
            click.echo(f"{label:<12} {value}")


@model.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--name", required=True, help="Of the model; a name that exists gets a new version.")
@click.option("--alias", default="champion", show_default=True, help="Points at this version from now on.")
@click.option(
    "--service", help="APP/SERVICE or module:Class that serves it; by default what model.json says."
)
@click.option(
    "--source",
    "sources",
    multiple=True,
    metavar="KEY=VALUE",
    help="Where the data it learnt from came from; repeatable.",
)
@click.option("--description", default="", help="In words.")
@as_json_option
@click.pass_context
def publish(
    context: click.Context,
    *,
    folder: Path,
    name: str,
    alias: str,
    service: str | None,
    sources: tuple[str, ...],
    description: str,
    as_json: bool,
) -> None:
    """Publish a model folder: checksum, version, alias, where it came from.

    FOLDER holds weights.safetensors and model.json. The same content again
    is the same version.

    \b
    Example:
      helikon model publish FOLDER --name radio-sources --service space/source-finder \\
        --source survey="FIRST, epoch 2014" --alias champion
    """
    from helikon.apps import find_service
    from helikon.catalogue.folders import check_model_folder
    from helikon.catalogue.models import publish as publish_folder

    settings = settings_of(context)
    check_model_folder(folder)
    card = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    wanted = service or str(card.get("service") or "")
    if not wanted:
        raise click.UsageError("--service is missing, and model.json names none")
    if ":" not in wanted:
        find_service(wanted)
    published = publish_folder(
        settings,
        folder,
        name,
        service=wanted,
        alias=alias,
        sources=dict(_pair(text) for text in sources),
        description=description,
    )
    if as_json:
        echo_json(published)
        return
    click.echo(f"{published.uri}  SHA-256 {published.sha256}")
    click.echo(f"serve it with: helikon model serve {published.name}", err=True)


@model.command()
@click.argument("uri", metavar="MODEL")
@click.option("--name", help="Of the server; by default the model's.")
@as_json_option
@click.pass_context
def serve(context: click.Context, uri: str, name: str | None, as_json: bool) -> None:
    """Serve a published model, and return when its server answers.

    MODEL is NAME (its champion, else its newest version), NAME/VERSION or
    NAME@ALIAS. The server runs on until it is stopped.

    \b
    Example:
      helikon model serve radio-sources
      helikon model serve radio-sources/3 --name trial
    """
    from helikon.serving.deploy import serve as start
    from helikon.serving.deploy import token_file, wait_ready

    settings = settings_of(context)
    server = start(settings, uri, name=name)
    click.echo(f"helikon: waiting for the model server {server} …", err=True)
    endpoint = wait_ready(settings, server)
    if as_json:
        echo_json({"name": endpoint.name, "url": endpoint.url, "token_file": token_file(settings)})
        return
    click.echo(endpoint.url)
    click.echo(f"its token is in {token_file(settings)}; stop it with: helikon model stop {server}", err=True)


@model.command()
@click.argument("name")
@click.pass_context
def stop(context: click.Context, name: str) -> None:
    """Stop a model server, and return when it is gone.

    NAME is the server's, or that of the model it serves: NAME, NAME/VERSION
    or NAME@ALIAS.

    \b
    Example:
      helikon model stop radio-sources
      helikon model stop radio-sources/3
    """
    from helikon.backends import connect
    from helikon.serving.deploy import find_server

    settings = settings_of(context)
    server = find_server(settings, name)
    connect(settings).stop(server.name)
    was = "stopped" if server.state.is_alive else f"was {server.state} already"
    click.echo(f"{server.name}: {was}")


def _facts(found: "Model") -> list[tuple[str, object]]:
    sources = [(f"source {key}", value) for key, value in found.sources.items()]
    return [
        ("model", found.uri),
        ("aliases", ", ".join(found.aliases)),
        ("description", found.description),
        ("service", found.service),
        ("owner", found.owner),
        ("published", local_time(found.created)),
        ("SHA-256", found.sha256),
        ("run", found.run_id),
        *sources,
    ]


def _pair(text: str) -> tuple[str, str]:
    key, separator, value = text.partition("=")
    if not separator or not key:
        raise click.BadParameter(f"{text!r} is not KEY=VALUE", param_hint="--source")
    return key, value
