"""Where MLflow keeps runs and models: a server, or a database in the state folder.

The database is made once, beside its place, and moved there when it is whole,
so that a killed start leaves nothing behind. It is in SQLite's write-ahead
mode, so several processes log at once.
"""

import contextlib
import logging
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from helikon.apps import needing
from helikon.errors import EngineError
from helikon.settings import Settings

if TYPE_CHECKING:
    from mlflow import MlflowClient

__all__ = ["EXPERIMENT", "artifacts_folder", "client", "engine_errors", "exists", "prepare", "tracking_uri"]

EXPERIMENT = "helikon"
"""The MLflow experiment that holds all runs."""


def tracking_uri(settings: Settings) -> str:
    """Return the URI of MLflow's store: the setting, or the database in the state folder."""
    return settings.tracking_uri or f"sqlite:///{_database(settings)}"


def artifacts_folder(settings: Settings) -> Path:
    """Return the folder of what runs keep, where there is no server for it."""
    return settings.state_dir / "mlflow" / "artifacts"


def exists(settings: Settings) -> bool:
    """Whether anything can have been recorded yet; imports nothing heavy."""
    return bool(settings.tracking_uri) or _database(settings).exists()


def prepare(settings: Settings) -> str:
    """Make the database if there is none, and return its URI.

    Raises
    ------
    Missing
        If MLflow is not installed.
    EngineError
        If MLflow cannot make it.
    """
    database = _database(settings)
    if not settings.tracking_uri and not database.exists():
        database.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with FileLock(database.parent / "mlflow.lock"):
            if not database.exists():
                _make(settings, database)
    return tracking_uri(settings)


def client(settings: Settings) -> "MlflowClient":
    """Return a client of the store, made if need be; see :func:`prepare`."""
    _quiet()
    with needing("the catalogue needs MLflow", "catalogue"):
        from mlflow import MlflowClient
    uri = prepare(settings)
    with engine_errors("MLflow's store cannot be opened"):
        return MlflowClient(tracking_uri=uri, registry_uri=uri)


@contextlib.contextmanager
def engine_errors(what: str) -> Iterator[None]:
    """Raise MLflow's errors as ours, in one line."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        reason = " ".join(str(error).split())
        raise EngineError(what, got=reason[:300]) from error


def _database(settings: Settings) -> Path:
    return settings.state_dir / "mlflow" / "mlflow.db"


def _make(settings: Settings, database: Path) -> None:
    for leftover in database.parent.glob("making.db*"):
        leftover.unlink()
    making = database.with_name("making.db")
    _quiet()
    with needing("the catalogue needs MLflow", "catalogue"):
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
    with engine_errors("MLflow's database cannot be made"):
        store: Any = SqlAlchemyStore(f"sqlite:///{making}", str(artifacts_folder(settings)))
        store.create_experiment(EXPERIMENT, artifact_location=str(artifacts_folder(settings) / EXPERIMENT))
        store.engine.dispose()
    with contextlib.closing(sqlite3.connect(making)) as connection:
        connection.execute("pragma journal_mode = wal")
    making.chmod(0o600)
    os.replace(making, database)


def _quiet() -> None:
    """Keep MLflow from calling home and from telling of its migrations."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("DO_NOT_TRACK", "true")
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
