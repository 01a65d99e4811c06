"""What is typed to serve a model, and in which environment: pure functions."""

from pathlib import Path

from helikon.serving.security import MAX_BODY, TOKEN_FILE
from helikon.settings import ServingSettings

__all__ = ["MODEL_DIR", "SERVER_PID", "SERVICE", "argv", "environment", "threads"]

SERVICE = "HELIKON_SERVICE"
"""Variable that names ``module:Class`` of the service."""
MODEL_DIR = "HELIKON_MODEL_DIR"
"""Variable that names the model's folder."""
SERVER_PID = "HELIKON_SERVER_PID"
"""Variable with the process that watches over BentoML's worker."""


def argv(python: str, *, host: str, port: int, timeout_s: float) -> tuple[str, ...]:
    """Return the argument vector of BentoML's server."""
    where = ("--host", host, "--port", str(port))
    how = ("--api-workers", "1", "--timeout", str(max(1, round(timeout_s))))
    return (python, "-m", "bentoml", "serve", "helikon.serving.secured:service", *where, *how)


def environment(
    serving: ServingSettings, *, service: str, model_folder: Path, token_file: Path, home: Path
) -> dict[str, str]:
    """Return what the server's environment has besides the caller's.

    Parameters
    ----------
    serving : ServingSettings
        Threads and limits.
    service : str
        ``module:Class``.
    model_folder : Path
        The model's files, which the service reads.
    token_file : Path
        Holds the token that requests must bear.
    home : Path
        BentoML's own folder; each server has its own, for it is emptied at start.
    """
    return {
        SERVICE: service,
        MODEL_DIR: str(model_folder),
        TOKEN_FILE: str(token_file),
        MAX_BODY: str(serving.max_upload_mib * 1024 * 1024),
        "BENTOML_HOME": str(home),
        "BENTOML_DO_NOT_TRACK": "true",
    }


def threads(serving: ServingSettings, n_cores: int) -> dict[str, str]:
    """Return the environment that shares the cores out among requests worked on at a time.

    The caller's own settings of these variables should win over it.
    """
    n_threads = str(max(1, n_cores // serving.n_threads))
    return {"OMP_NUM_THREADS": n_threads, "OPENBLAS_NUM_THREADS": n_threads}
