"""The database appears once and whole."""

import os
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from helikon.catalogue import tracking
from helikon.errors import EngineError
from helikon.settings import Settings

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow", "ignore::FutureWarning:mlflow")


def _experiments(settings: Settings) -> list[str]:
    return sorted(one.name for one in tracking.client(settings).search_experiments())


_PREPARE = """
import sys
from helikon.catalogue import tracking
from helikon.settings import load

print(tracking.prepare(load(environ={}, overrides={"state_dir": sys.argv[1]})))
"""


def test_the_uri_is_a_database_in_the_state_folder_or_the_setting(settings: Settings) -> None:
    assert tracking.tracking_uri(settings) == f"sqlite:///{settings.state_dir}/mlflow/mlflow.db"
    elsewhere = settings.model_copy(update={"tracking_uri": "https://mlflow.example.org"})
    assert tracking.prepare(elsewhere) == "https://mlflow.example.org"


def test_nothing_is_made_before_it_is_needed(settings: Settings) -> None:
    assert not tracking.exists(settings)
    assert not settings.state_dir.exists()


def test_several_processes_make_one_database(settings: Settings) -> None:
    command = [sys.executable, "-c", _PREPARE, str(settings.state_dir)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    uris = {process.communicate(timeout=120)[0].strip() for process in both}
    assert uris == {tracking.tracking_uri(settings)}
    assert _experiments(settings) == ["Default", tracking.EXPERIMENT]


def test_a_start_that_was_killed_while_making_it_does_not_break_the_next(settings: Settings) -> None:
    process = subprocess.Popen([sys.executable, "-c", _PREPARE, str(settings.state_dir)])
    making = settings.state_dir / "mlflow" / "making.db"
    deadline = time.monotonic() + 60
    while not making.exists() or making.stat().st_size == 0:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not tracking.exists(settings)
    assert _experiments(settings) == ["Default", tracking.EXPERIMENT]
    assert not making.exists()


def test_the_database_is_private_and_in_write_ahead_mode(ready: Settings) -> None:
    file = ready.state_dir / "mlflow" / "mlflow.db"
    assert file.stat().st_mode & 0o077 == 0
    connection = sqlite3.connect(file)
    try:
        assert connection.execute("pragma journal_mode").fetchone() == ("wal",)
    finally:
        connection.close()


def test_an_error_of_mlflow_is_one_line_of_ours(ready: Settings) -> None:
    client = tracking.client(ready)
    with (
        pytest.raises(EngineError, match=r"a run cannot be read: got .*nonsense") as caught,
        tracking.engine_errors("a run cannot be read"),
    ):
        client.get_run("nonsense")
    assert "\n" not in str(caught.value)
