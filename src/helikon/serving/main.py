"""What a model server runs: ``python -m helikon.serving.main SERVICE --model URI``."""

import argparse
import os
import sys
from collections.abc import Callable

from helikon.catalogue.models import fetch_uri
from helikon.errors import HelikonError, SettingsError
from helikon.serving.deploy import endpoint_token, token_file
from helikon.serving.server import SERVER_PID, argv, environment, threads
from helikon.settings import Settings, load

__all__ = ["main"]


def main(
    arguments: list[str] | None = None,
    execute: Callable[[str, list[str], dict[str, str]], object] = os.execvpe,
) -> int:
    """Fetch the model, check it, and become BentoML's server."""
    parser = argparse.ArgumentParser(prog="python -m helikon.serving.main")
    parser.add_argument("service", help="module:Class")
    parser.add_argument("--model", required=True, help="models:/NAME/VERSION")
    parser.add_argument("--host", default="127.0.0.1")
    given = parser.parse_args(arguments)
    try:
        _serve(load(), given.service, given.model, given.host, execute)
    except HelikonError as error:
        sys.stderr.write(f"helikon: {error}\n")
        return error.exit_code
    return 0


def _serve(
    settings: Settings,
    service: str,
    uri: str,
    host: str,
    execute: Callable[[str, list[str], dict[str, str]], object],
) -> None:
    port = os.environ.get("HELIKON_PORT", "")
    if not port.isdigit():
        raise SettingsError("variable HELIKON_PORT", got=repr(port), expected="the port to listen on")
    model, folder = fetch_uri(settings, uri)
    sys.stderr.write(f"helikon: serving {model.uri}, SHA-256 {model.sha256}\n")
    endpoint_token(settings)
    ours = environment(
        settings.serving,
        service=service,
        model_folder=folder,
        token_file=token_file(settings),
        home=settings.state_dir / "serving" / os.environ.get("HELIKON_JOB", "by-hand"),
    )
    ours[SERVER_PID] = str(os.getpid())  # it stays the same when we become the server
    sys.stderr.flush()
    command = argv(sys.executable, host=host, port=int(port), timeout_s=settings.serving.timeout_s)
    shared_out = threads(settings.serving, len(os.sched_getaffinity(0)))
    execute(command[0], list(command), shared_out | dict(os.environ) | ours)


if __name__ == "__main__":
    sys.exit(main())
