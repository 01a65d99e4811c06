"""What the backend runs for a model server: ``python -m helikon.serving.main SERVICE --model URI``.

Fetches and verifies the model, then becomes BentoML's own process.
"""

import argparse
import os
import sys
from typing import NoReturn

from helikon.apps import find_service
from helikon.catalogue.models import fetch_uri
from helikon.errors import HelikonError, SettingsError
from helikon.serving.server import bentoml_argv, server_environment
from helikon.settings import Settings, load

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> None:
    """Serve a model until told to stop."""
    parser = argparse.ArgumentParser(prog="helikon.serving.main", description=__doc__)
    parser.add_argument("service", help="APP/SERVICE or module:Class")
    parser.add_argument("--model", required=True, help="models:/NAME/VERSION")
    given = parser.parse_args(arguments)
    try:
        _serve(load(), given.service, given.model)
    except HelikonError as error:
        sys.stderr.write(f"helikon: {error}\n")
        sys.exit(error.exit_code)


def _serve(settings: Settings, service: str, model_uri: str) -> NoReturn:
    target = service if ":" in service else find_service(service)
    _, folder = fetch_uri(settings, model_uri)
    argv = bentoml_argv(target, _port())
    sys.stdout.flush()
    os.execve(argv[0], list(argv), server_environment(settings, folder, os.environ))


def _port() -> int:
    port = os.environ.get("HELIKON_PORT", "")
    if not port.isdigit():
        raise SettingsError("HELIKON_PORT", got=repr(port), expected="the port that the backend chose")
    return int(port)


if __name__ == "__main__":
    main()
