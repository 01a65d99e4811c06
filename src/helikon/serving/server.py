"""What a model server is run with: pure functions from settings to argv and environment."""

import sys
from collections.abc import Mapping
from pathlib import Path

from helikon.settings import Settings

__all__ = ["bentoml_argv", "server_environment"]


def bentoml_argv(service: str, port: int) -> tuple[str, ...]:
    """Return the command that serves ``module:Class`` on a loopback port."""
    return (
        sys.executable,
        *("-m", "bentoml", "serve", service),
        *("--host", "127.0.0.1", "--port", str(port)),
    )


def server_environment(settings: Settings, model_folder: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a model server.

    Parameters
    ----------
    settings : Settings
        Say where BentoML keeps its own files.
    model_folder : Path
        The verified files of the model; the service finds them by ``HELIKON_MODEL_DIR``.
    environ : Mapping[str, str]
        What it is laid over; thread counts that are set in it stay.
    """
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    ours = {
        "HELIKON_MODEL_DIR": str(model_folder),
        "BENTOML_HOME": str(settings.state_dir / "bentoml"),
        "BENTOML_DO_NOT_TRACK": "true",
    }
    return threads | dict(environ) | ours
